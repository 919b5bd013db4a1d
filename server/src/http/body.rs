//! Reads request bodies: within one memory budget for all of them, and to their end even if they are rejected, because otherwise
//! a client may not see the response.

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Form, FromRequest, Request};
use axum::http::StatusCode;
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::auth::identity::User;
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::net::connections::ConnectionControl;

const MAX_JSON_BYTES: usize = 1 << 20;
/// Also for calls of server functions.
const MAX_FORM_BYTES: usize = 16 << 10;
/// A rejected heartbeat is parsed up to this size, to show its server's row that it was rejected.
const MAX_CLAIM_BYTES: usize = 64 << 10;
/// How much of a rejected body is read and discarded.
const MAX_DISCARDED_BYTES: usize = 2 << 20;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a body waits for memory from the budget.
const BUDGET_TIMEOUT: Duration = Duration::from_secs(2);
/// How much of a body must arrive within each [`WINDOW`], unless it ends. The window is long enough for a packet that is lost
/// twice.
const MIN_WINDOW_BYTES: usize = 1 << 10;
const WINDOW: Duration = Duration::from_secs(3);
const MIN_GROWTH_BYTES: usize = 16 << 10;

/// Who sends a body. Each kind has its own budget, so that others cannot use up the servers' budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A server, with a join token or a credential.
    Node,
    /// A person, or a program with a person's token.
    User,
    /// Not authenticated.
    Anonymous,
}

/// Limits the memory of all request bodies together to 64 MiB.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    nodes: Arc<Semaphore>,
    people: Arc<Semaphore>,
    anonymous: Arc<Semaphore>,
}

impl Default for BodyBudget {
    fn default() -> Self {
        let megabytes = |count: usize| Arc::new(Semaphore::new(count << 20));
        Self { nodes: megabytes(32), people: megabytes(16), anonymous: megabytes(16) }
    }
}

/// A request body in memory. Dropping it returns its memory to the budget.
#[derive(Debug, Default)]
pub(crate) struct BudgetedBody {
    bytes: Vec<u8>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Deref for BudgetedBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl BudgetedBody {
    /// Makes room for `more` bytes. Returns false if the budget has not enough free memory within `timeout`.
    async fn grow(&mut self, more: usize, budget: &Arc<Semaphore>, timeout: Duration) -> bool {
        let free = self.bytes.capacity() - self.bytes.len();
        if more <= free {
            return true;
        }
        // A small body arrives in one part, and needs only its own size.
        let min_growth = if self.bytes.is_empty() { 0 } else { MIN_GROWTH_BYTES };
        let growth = (more - free).max(min_growth);
        let Ok(permits) = u32::try_from(growth) else { return false };
        let acquired = Arc::clone(budget).acquire_many_owned(permits);
        let Ok(Ok(permit)) = tokio::time::timeout(timeout, acquired).await else { return false };
        match &mut self.permit {
            Some(held) => held.merge(permit),
            none => *none = Some(permit),
        }
        self.bytes.reserve_exact(free + growth);
        true
    }
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    Incomplete,
    TooSlow,
    TooLarge,
    /// Other bodies have used up the budget.
    OverBudget,
}

impl BodyError {
    /// `too_large`: the message for a body that is too large.
    fn problem(self, too_large: &str) -> Problem {
        match self {
            Self::Incomplete => Problem::new(
                StatusCode::BAD_REQUEST,
                "the connection ended before the whole body was sent; nothing was stored",
            ),
            Self::TooSlow => Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "less than 1 KiB of the body arrived within 3 s; nothing was stored, send it again",
            ),
            Self::TooLarge => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, too_large),
            Self::OverBudget => Problem::unavailable(
                "too many request bodies are in memory at present; send it again",
            ),
        }
    }
}

impl BodyBudget {
    fn for_sender(&self, sender: Sender) -> &Arc<Semaphore> {
        match sender {
            Sender::Node => &self.nodes,
            Sender::User => &self.people,
            Sender::Anonymous => &self.anonymous,
        }
    }

    /// Reads the body of a JSON request.
    pub(crate) async fn read(&self, sender: Sender, body: Body) -> Result<BudgetedBody, Problem> {
        let body = self.collect(sender, body, MAX_JSON_BYTES, BUDGET_TIMEOUT).await;
        body.map_err(|error| {
            error.problem("the body is larger than 1 MiB; send fewer heartbeats at once")
        })
    }

    /// Reads a small body: a form, or a call of a server function.
    pub(crate) async fn read_small(&self, sender: Sender, body: Body) -> Result<Bytes, BodyError> {
        let body = self.collect(sender, body, MAX_FORM_BYTES, BUDGET_TIMEOUT).await?;
        // Small enough to be used without the budget.
        Ok(Bytes::from(body.bytes))
    }

    /// Reads the body of a rejected heartbeat, if it is small.
    pub(crate) async fn read_claim(&self, body: Body) -> Option<BudgetedBody> {
        self.collect(Sender::Anonymous, body, MAX_CLAIM_BYTES, Duration::ZERO).await.ok()
    }

    async fn collect(
        &self,
        sender: Sender,
        mut body: Body,
        max_bytes: usize,
        timeout: Duration,
    ) -> Result<BudgetedBody, BodyError> {
        let announced = body.size_hint().lower();
        if usize::try_from(announced).map_or(true, |bytes| bytes > max_bytes) {
            discard_after(body, 0).await;
            return Err(BodyError::TooLarge);
        }
        let mut collected = BudgetedBody::default();
        let mut window = Window::open(0);
        while let Some(frame) = window.frame(&mut body).await? {
            let frame = frame.map_err(|_| BodyError::Incomplete)?;
            let Ok(data) = frame.into_data() else { continue };
            let read = collected.bytes.len() + data.len();
            let error = if read > max_bytes {
                BodyError::TooLarge
            } else if collected.grow(data.len(), self.for_sender(sender), timeout).await {
                collected.bytes.extend_from_slice(&data);
                window.advance(read);
                continue;
            } else {
                BodyError::OverBudget
            };
            drop((collected, data));
            discard_after(body, read).await;
            return Err(error);
        }
        Ok(collected)
    }
}

/// The time until when the next [`MIN_WINDOW_BYTES`] must have arrived.
struct Window {
    start: usize,
    end: Instant,
}

impl Window {
    /// `read`: how many bytes have arrived before.
    fn open(read: usize) -> Self {
        Self { start: read, end: Instant::now() + WINDOW }
    }

    /// Waits for the next part of a body; `None` at its end.
    async fn frame(
        &self,
        body: &mut Body,
    ) -> Result<Option<Result<Frame<Bytes>, axum::Error>>, BodyError> {
        timeout_at(self.end, body.frame()).await.map_err(|_| BodyError::TooSlow)
    }

    /// Starts the next window if enough has arrived. The time in which the body waited for the budget does not count.
    fn advance(&mut self, read: usize) {
        if read - self.start >= MIN_WINDOW_BYTES {
            *self = Self::open(read);
        }
    }
}

/// Reads a rejected body and discards it: a client may never see a response that comes before its body was read.
pub(crate) async fn discard(body: Body) {
    discard_after(body, 0).await;
}

async fn discard_after(mut body: Body, mut read: usize) {
    if body.is_end_stream() {
        return;
    }
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > MAX_DISCARDED_BYTES {
                return;
            }
        }
    };
    // A slower client is answered before its body has ended.
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, reading).await;
}

/// Extracts a form, or why it cannot be read.
pub(crate) struct Submitted<T>(pub(crate) Result<T, FormProblem>);

#[derive(Debug)]
pub(crate) enum FormProblem {
    TooLarge,
    Other(Problem),
}

impl From<FormProblem> for Problem {
    fn from(problem: FormProblem) -> Self {
        match problem {
            FormProblem::TooLarge => BodyError::TooLarge.problem("the form is larger than 16 KiB"),
            FormProblem::Other(problem) => problem,
        }
    }
}

impl<T: DeserializeOwned> FromRequest<HttpState> for Submitted<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &HttpState) -> Result<Self, Infallible> {
        let (head, body) = request.into_parts();
        let sender = match head.extensions.get::<User>() {
            Some(_) => Sender::User,
            None => Sender::Anonymous,
        };
        let connection = head.extensions.get::<ConnectionControl>();
        let connection = connection.filter(|_| sender == Sender::Anonymous);
        let idle = connection.map(ConnectionControl::count_as_idle);
        let bytes = match state.bodies.read_small(sender, body).await {
            Ok(bytes) => bytes,
            Err(BodyError::TooLarge) => return Ok(Self(Err(FormProblem::TooLarge))),
            Err(error) => return Ok(Self(Err(FormProblem::Other(error.problem(""))))),
        };
        drop(idle);
        let request = Request::from_parts(head, Body::from(bytes));
        let form = Form::<T>::from_request(request, state).await;
        Ok(Self(form.map(|Form(form)| form).map_err(|rejection| {
            let why = format!("the form cannot be read: {rejection}");
            FormProblem::Other(Problem::new(rejection.status(), why))
        })))
    }
}

/// Reads the body of a server function call into memory.
pub(crate) async fn read_function_call(
    bodies: &BodyBudget,
    request: Request,
) -> Result<Request, Problem> {
    let (head, body) = request.into_parts();
    let read = bodies.read_small(Sender::User, body).await;
    let bytes = read.map_err(|error| error.problem("the body is larger than 16 KiB"))?;
    Ok(Request::from_parts(head, Body::from(bytes)))
}
