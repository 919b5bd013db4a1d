//! Reads bodies: within one memory budget for all that are in flight, and to their end even when they are rejected, so that
//! the client sees the answer.

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

use crate::auth::identity::Person;
use crate::http::problem::Problem;
use crate::net::connections::Room;
use crate::http::state::HttpState;

/// The largest JSON body that is accepted.
const MAX_JSON_BYTES: usize = 1 << 20;
/// The largest form, and the largest call of a server function.
const MAX_FORM_BYTES: usize = 16 << 10;
/// The largest body of a rejected heartbeat in which its server's name is looked for.
const MAX_CLAIM_BYTES: usize = 64 << 10;
/// How much of a rejected body is read and dropped.
const MAX_DISCARDED_BYTES: usize = 2 << 20;
/// How long a rejected body is read.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a body waits for memory of the budget.
const BUDGET_TIMEOUT: Duration = Duration::from_secs(2);
/// The least that must arrive of a body within each [`WINDOW`], unless it ends. A packet that is lost twice still arrives in
/// time.
const MIN_WINDOW_BYTES: usize = 1 << 10;
const WINDOW: Duration = Duration::from_secs(3);
/// The least by which the buffer of a body grows.
const MIN_GROWTH_BYTES: usize = 16 << 10;

/// Who sends a body. Each kind has a budget of its own, so that nobody can use up the servers' budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    /// A server, with a join token or a credential.
    Node,
    /// A person, or a program with a person's token.
    Person,
    /// Somebody without any proof.
    Anonymous,
}

/// Limits how many bytes of bodies are in memory at the same time: 64 MiB in total.
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

/// A body that was read. Dropping it returns its bytes to the budget.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    bytes: Vec<u8>,
    place: Option<OwnedSemaphorePermit>,
}

impl Deref for Kept {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Kept {
    /// Takes `more` bytes from the budget, if they are free within `wait`.
    async fn grow(&mut self, more: usize, budget: &Arc<Semaphore>, wait: Duration) -> bool {
        let free = self.bytes.capacity() - self.bytes.len();
        if more <= free {
            return true;
        }
        // A small body, which comes at once, takes no more than its size.
        let least = if self.bytes.is_empty() { 0 } else { MIN_GROWTH_BYTES };
        let growth = (more - free).max(least);
        let Ok(permits) = u32::try_from(growth) else { return false };
        let acquired = Arc::clone(budget).acquire_many_owned(permits);
        let Ok(Ok(place)) = tokio::time::timeout(wait, acquired).await else { return false };
        match &mut self.place {
            Some(own) => own.merge(place),
            none => *none = Some(place),
        }
        self.bytes.reserve_exact(free + growth);
        true
    }
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// The sender stopped in the middle.
    BrokenOff,
    /// It came too slowly.
    TooSlow,
    /// It is larger than allowed.
    TooLarge,
    /// The budget was used up by others.
    NoPlace,
}

impl Unread {
    /// The answer. `limit`: the message for a body that is too large.
    fn problem(self, limit: &str) -> Problem {
        match self {
            Self::BrokenOff => Problem::new(
                StatusCode::BAD_REQUEST,
                "the body was not sent to its end; nothing was stored",
            ),
            Self::TooSlow => Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "less than 1 KiB of the body arrived within 3 s; nothing was stored, send it again",
            ),
            Self::TooLarge => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, limit),
            Self::NoPlace => Problem::unavailable(
                "too many request bodies are being read at this moment; send it again",
            ),
        }
    }
}

impl BodyBudget {
    fn of(&self, sender: Sender) -> &Arc<Semaphore> {
        match sender {
            Sender::Node => &self.nodes,
            Sender::Person => &self.people,
            Sender::Anonymous => &self.anonymous,
        }
    }

    /// Reads the body of a JSON request.
    pub(crate) async fn read(&self, sender: Sender, body: Body) -> Result<Kept, Problem> {
        let kept = self.collect(sender, body, MAX_JSON_BYTES, BUDGET_TIMEOUT).await;
        kept.map_err(|unread| {
            unread.problem("the body is larger than 1 MiB; send fewer heartbeats at once")
        })
    }

    /// Reads a small body: a form, or a call of a server function.
    pub(crate) async fn read_small(&self, sender: Sender, body: Body) -> Result<Bytes, Unread> {
        let kept = self.collect(sender, body, MAX_FORM_BYTES, BUDGET_TIMEOUT).await?;
        // What follows is read at once.
        Ok(Bytes::from(kept.bytes))
    }

    /// Reads the body of a rejected heartbeat, if it is small enough to find its server's name.
    pub(crate) async fn read_claim(&self, body: Body) -> Option<Kept> {
        self.collect(Sender::Anonymous, body, MAX_CLAIM_BYTES, Duration::ZERO).await.ok()
    }

    async fn collect(
        &self,
        sender: Sender,
        mut body: Body,
        limit: usize,
        wait: Duration,
    ) -> Result<Kept, Unread> {
        let said = body.size_hint().lower();
        if usize::try_from(said).map_or(true, |said| said > limit) {
            discard_after(body, 0).await;
            return Err(Unread::TooLarge);
        }
        let mut kept = Kept::default();
        let mut window = Window::open(0);
        while let Some(frame) = window.frame(&mut body).await? {
            let frame = frame.map_err(|_| Unread::BrokenOff)?;
            let Ok(data) = frame.into_data() else { continue };
            let read = kept.bytes.len() + data.len();
            let unread = if read > limit {
                Unread::TooLarge
            } else if kept.grow(data.len(), self.of(sender), wait).await {
                kept.bytes.extend_from_slice(&data);
                window.has_come(read);
                continue;
            } else {
                Unread::NoPlace
            };
            drop((kept, data));
            discard_after(body, read).await;
            return Err(unread);
        }
        Ok(kept)
    }
}

/// Until when how much of a body must have arrived.
struct Window {
    opened_at: usize,
    end: Instant,
}

impl Window {
    /// Starts the window after so many bytes.
    fn open(read: usize) -> Self {
        Self { opened_at: read, end: Instant::now() + WINDOW }
    }

    /// Waits for the next part of a body; `None` at its end.
    async fn frame(
        &self,
        body: &mut Body,
    ) -> Result<Option<Result<Frame<Bytes>, axum::Error>>, Unread> {
        timeout_at(self.end, body.frame()).await.map_err(|_| Unread::TooSlow)
    }

    /// Notes how many bytes were read so far. The sender does not pay for the time in which they waited for the budget.
    fn has_come(&mut self, read: usize) {
        if read - self.opened_at >= MIN_WINDOW_BYTES {
            *self = Self::open(read);
        }
    }
}

/// Reads a rejected body and drops it: a client that is answered before its body was read may never see the answer.
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
    // A slower client gets the answer in the middle of its body.
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, reading).await;
}

/// A form as a browser sends it, or why it cannot be read.
pub(crate) struct Submitted<T>(pub(crate) Result<T, FormProblem>);

/// Why a form cannot be read.
#[derive(Debug)]
pub(crate) enum FormProblem {
    /// It is larger than any form of ours.
    TooLarge,
    /// Anything else.
    Other(Problem),
}

impl From<FormProblem> for Problem {
    fn from(problem: FormProblem) -> Self {
        match problem {
            FormProblem::TooLarge => Unread::TooLarge.problem("the form is larger than 16 KiB"),
            FormProblem::Other(problem) => problem,
        }
    }
}

impl<T: DeserializeOwned> FromRequest<HttpState> for Submitted<T> {
    type Rejection = Infallible;

    async fn from_request(request: Request, state: &HttpState) -> Result<Self, Infallible> {
        let (head, body) = request.into_parts();
        let sender = match head.extensions.get::<Person>() {
            Some(_) => Sender::Person,
            None => Sender::Anonymous,
        };
        let room = head.extensions.get::<Room>().filter(|_| sender == Sender::Anonymous);
        let offered = room.map(Room::offer);
        let bytes = match state.bodies.read_small(sender, body).await {
            Ok(bytes) => bytes,
            Err(Unread::TooLarge) => return Ok(Self(Err(FormProblem::TooLarge))),
            Err(unread) => return Ok(Self(Err(FormProblem::Other(unread.problem(""))))),
        };
        drop(offered);
        let request = Request::from_parts(head, Body::from(bytes));
        let form = Form::<T>::from_request(request, state).await;
        Ok(Self(form.map(|Form(form)| form).map_err(|rejection| {
            let why = format!("the form cannot be read: {rejection}");
            FormProblem::Other(Problem::new(rejection.status(), why))
        })))
    }
}

/// A call of a server function, with its whole body in memory.
pub(crate) async fn read_function_call(
    bodies: &BodyBudget,
    request: Request,
) -> Result<Request, Problem> {
    let (head, body) = request.into_parts();
    let read = bodies.read_small(Sender::Person, body).await;
    let bytes = read.map_err(|unread| unread.problem("the body is larger than 16 KiB"))?;
    Ok(Request::from_parts(head, Body::from(bytes)))
}
