//! `GET /api/v1/stream`: sends what a poll would return, as soon as it changes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::packed::pack;
use app::protocol::OverviewDelta;
use axum::Extension;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::auth::audit::AuthMethod;
use crate::auth::identity::User;
use crate::auth::secret::SecretHash;
use crate::clock::Stopwatch;
use crate::http::layers::reauthenticate::Reauthenticator;
use crate::http::problem::Problem;
use crate::http::query;
use crate::http::state::HttpState;
use crate::site::Site;

/// How often a comment is sent, so that the connection does not look idle.
const KEEP_ALIVE_PERIOD: Duration = Duration::from_secs(15);
/// How long changes are collected before they are sent together.
const COLLECT_PERIOD: Duration = Duration::from_millis(30);
/// How often the reader's permission is checked again.
const REAUTHENTICATION_PERIOD: Duration = Duration::from_secs(4);
/// Instead of a longer event the reader polls, because the response to a poll is compressed.
const MAX_EVENT_BYTES: usize = 64 << 10;

/// Longer than every valid cursor.
pub(crate) const MAX_CURSOR_BYTES: usize = 200;
/// Of one person or one token.
const MAX_STREAMS_PER_PERSON: usize = 50;
/// Of all readers together.
const MAX_STREAMS: usize = 12_288;
/// For a reader with too many streams.
const RETRY_AFTER_S: u32 = 60;

static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What changes, as it changes
///
/// Server-sent events: `update`, whose `id` is the reader's next cursor and whose data is what a poll from
/// the cursor before it would bring, also where that is nothing; `resync`, where the reader should poll
/// for itself and come back with the cursor of that, because its own means nothing here or too much has
/// changed; `bye`, because the reader may no longer look or the web server stops. After these two the
/// stream ends. A comment comes after 15 s of silence.
#[utoipa::path(
    get,
    path = "/api/v1/stream",
    operation_id = "stream",
    params(
        ("format" = Option<String>, Query, description = "`packed`: the data are written as only a page of the same build reads them. Otherwise they are JSON.", nullable = false),
        ("cursor" = Option<String>, Query, description = "Where the reader is; without it, or where it means nothing, the first event is `resync`.", nullable = false),
        ("Last-Event-ID" = Option<String>, Header, description = "The same, as a browser sends it that comes back; it counts before `cursor`.", nullable = false)
    ),
    responses(
        (status = 200, description = "The events.", body = String, content_type = "text/event-stream"),
        (status = 429, description = "This person, or this token, reads 50 streams already; poll instead.")
    )
)]
pub(crate) async fn get(
    State(state): State<HttpState>,
    Extension(user): Extension<User>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    let site = &state.site;
    let slot = state.streams.open(&user)?;
    let (head, _) = request.into_parts();
    let last_id = head.headers.get(&LAST_EVENT_ID).and_then(|id| id.to_str().ok());
    let cursor = last_id.map(Cow::Borrowed).or_else(|| query::value(query.as_deref(), "cursor"));
    let cursor = cursor.filter(|cursor| cursor.len() <= MAX_CURSOR_BYTES);
    let cursor = cursor.unwrap_or_default().into_owned();
    let format = EventFormat::of_query(query.as_deref());
    site.live.catch_up_to(&cursor).await;
    let reader = Reader {
        facts: site.live.subscribe(),
        stopping: site.stopping.subscribe(),
        reauthenticator: Reauthenticator::new(&head, &site.auth),
        authenticated: Stopwatch::start(),
        cursor,
        format,
        has_sent: false,
        site: Arc::clone(site),
        _slot: slot,
    };
    let events = stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        let (event, goes_on) = reader.next().await;
        Some((Ok::<_, Infallible>(event), goes_on.then_some(reader)))
    });
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE_PERIOD));
    let mut response = sse.into_response();
    // nginx must not buffer it.
    let header = HeaderName::from_static("x-accel-buffering");
    response.headers_mut().insert(header, HeaderValue::from_static("no"));
    Ok(response)
}

/// How the data of an event are written.
#[derive(Clone, Copy)]
enum EventFormat {
    Json,
    /// As only a page of the same build reads them.
    Packed,
}

impl EventFormat {
    fn of_query(query: Option<&str>) -> Self {
        match query::value(query, "format").as_deref() {
            Some("packed") => Self::Packed,
            _ => Self::Json,
        }
    }

    fn write(self, delta: &OverviewDelta) -> Option<String> {
        match self {
            Self::Json => serde_json::to_string(delta).ok(),
            Self::Packed => pack(delta).ok(),
        }
    }
}

/// Counts the open streams of each reader, and of all together. Where nobody signs in, readers cannot be told apart.
#[derive(Debug)]
pub(crate) struct Streams {
    open: Arc<OpenStreams>,
    slots: Arc<Semaphore>,
}

/// How many streams each reader has.
type OpenStreams = Mutex<HashMap<ReaderKey, usize>>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum ReaderKey {
    Token(SecretHash),
    /// How they are authenticated, and their name.
    User(&'static str, String),
}

/// The slot of one stream. Dropping it frees the slot.
struct StreamSlot {
    counted: Option<(Arc<OpenStreams>, ReaderKey)>,
    _permit: OwnedSemaphorePermit,
}

impl Streams {
    /// Streams use at most three quarters of the connections, so that other requests have the rest.
    pub(crate) fn new(max_connections: Option<usize>) -> Self {
        let max_streams = max_connections.map_or(MAX_STREAMS, |max| MAX_STREAMS.min(max / 4 * 3));
        Self { open: Arc::default(), slots: Arc::new(Semaphore::new(max_streams)) }
    }

    fn open(&self, user: &User) -> Result<StreamSlot, Problem> {
        let permit = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| {
            Problem::unavailable("too many event streams are open at present; poll instead")
        })?;
        if user.auth_method == AuthMethod::Nothing {
            return Ok(StreamSlot { counted: None, _permit: permit });
        }
        let key = match user.token {
            Some(token) => ReaderKey::Token(token),
            None => ReaderKey::User(user.auth_method.as_str(), user.name.clone()),
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(key.clone()).or_insert(0);
        if *count >= MAX_STREAMS_PER_PERSON {
            return Err(Problem::too_soon(
                RETRY_AFTER_S,
                format!(
                    "{MAX_STREAMS_PER_PERSON} event streams are open for this person or token already: close some, or poll instead"
                ),
            ));
        }
        *count += 1;
        Ok(StreamSlot { counted: Some((Arc::clone(&self.open), key)), _permit: permit })
    }
}

impl Drop for StreamSlot {
    fn drop(&mut self) {
        let Some((open, key)) = self.counted.take() else { return };
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                open.remove(&key);
            }
        }
    }
}

async fn wait_for_stop(stopping: &mut watch::Receiver<bool>) {
    // If the sender is gone, the site has stopped.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// One reader of the stream.
struct Reader {
    site: Arc<Site>,
    facts: watch::Receiver<()>,
    stopping: watch::Receiver<bool>,
    reauthenticator: Reauthenticator,
    authenticated: Stopwatch,
    cursor: String,
    format: EventFormat,
    /// Whether an event was sent. The first one is sent at once, so that the reader knows that no proxy holds events back.
    has_sent: bool,
    _slot: StreamSlot,
}

impl Reader {
    /// The next event, and whether the stream goes on. It is created only after the reader has read the last one, so a slow reader
    /// gets fewer events.
    async fn next(&mut self) -> (Event, bool) {
        if std::mem::replace(&mut self.has_sent, true) && !self.wait().await {
            return (Event::default().event("bye").data("bye"), false);
        }
        let resync = (Event::default().event("resync").data("resync"), false);
        if !self.site.live.knows_cursor(&self.cursor) {
            return resync;
        }
        let delta = self.site.delta_since(&self.cursor);
        match self.format.write(&delta) {
            Some(text) if text.len() <= MAX_EVENT_BYTES => {
                self.cursor.clone_from(&delta.cursor);
                (Event::default().event("update").id(delta.cursor).data(text), true)
            }
            _ => resync,
        }
    }

    /// Waits until something has changed, or until a reader would poll. Returns whether the stream goes on.
    async fn wait(&mut self) -> bool {
        tokio::select! {
            _ = self.facts.changed() => {
                tokio::time::sleep(COLLECT_PERIOD).await;
                self.facts.mark_unchanged();
            }
            () = wait_for_stop(&mut self.stopping) => return false,
            () = tokio::time::sleep(self.site.live.poll_period().min(REAUTHENTICATION_PERIOD)) => {}
        }
        if self.authenticated.elapsed() < REAUTHENTICATION_PERIOD {
            return true;
        }
        self.authenticated = Stopwatch::start();
        self.reauthenticator.may_view(&self.site)
    }
}
