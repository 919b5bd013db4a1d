//! `GET /api/v1/overview`: the whole picture with verdicts, made anew only when it has moved, and never on the threads
//! that answer requests.

use std::sync::{Arc, PoisonError, RwLock};

use app::cluster::Timestamp;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};

use crate::Site;
use crate::http::api::dto;
use crate::http::single_flight::SingleFlight;
use crate::live::{LiveState, LiveView};

static OVERVIEW_NOW: HeaderName = HeaderName::from_static("overview-now");

/// The body as it last was, so that nobody computes it twice, and the computation that all share who ask for
/// another.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// Locked only to take or put a pointer.
    last: RwLock<Option<Arc<Cached>>>,
    flight: SingleFlight<(Arc<Cached>, Timestamp)>,
}

#[derive(Debug)]
struct Cached {
    cursor: String,
    /// For which moment it was made, and when time alone may turn a verdict in it.
    made: Timestamp,
    until: Option<Timestamp>,
    body: Bytes,
    etag: HeaderValue,
}

/// The whole picture with verdicts
#[utoipa::path(
    get,
    path = "/api/v1/overview",
    operation_id = "overview",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag of the picture one has.", nullable = false)),
    responses(
        (
            status = 200,
            description = "The picture; while blind, as it was at the last sight.",
            body = dto::Overview,
            headers(
                ("ETag", description = "Moves with the picture."),
                ("Overview-Now", description = "The moment of this answer.")
            )
        ),
        (
            status = 304,
            description = "The picture one has still holds.",
            headers(
                ("ETag", description = "Moves with the picture."),
                ("Overview-Now", description = "The moment of this answer.")
            )
        )
    )
)]
pub(crate) async fn get(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let (mut cached, mut now) = site.picture().await;
    if !holds(&headers, &cached.etag) {
        // The picture one has may be another web server's, and newer than this one's.
        site.live.refresh().await;
        (cached, now) = site.picture().await;
    }
    let mut response = if holds(&headers, &cached.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let json = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, json)], cached.body.clone()).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, cached.etag.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(now) = HeaderValue::from_str(&now.rfc3339()) {
        headers.insert(OVERVIEW_NOW.clone(), now);
    }
    response
}

/// Whether the picture one has is the one with this tag.
fn holds(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag.as_bytes() == etag.as_bytes())
}

impl Site {
    /// The picture, and the moment it is told for.
    async fn picture(self: &Arc<Self>) -> (Arc<Cached>, Timestamp) {
        if let Some(known) = self.overview.known(&self.live) {
            return known;
        }
        let site = Arc::clone(self);
        self.overview.flight.run(move || site.overview.current(&site.live)).await
    }
}

impl Cache {
    /// The picture as it last was, if it still is.
    fn known(&self, live: &LiveState) -> Option<(Arc<Cached>, Timestamp)> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let (cursor, now) = live.cursor();
        last.holds(&cursor, now).then_some((last, now))
    }

    /// The picture as it is. Takes long, and one at a time calls it.
    fn current(&self, live: &LiveState) -> (Arc<Cached>, Timestamp) {
        // Whoever waited for a turn may find it made.
        if let Some(known) = self.known(live) {
            return known;
        }
        let sight = live.view();
        let now = sight.now;
        let cached = Arc::new(Cached::of(sight));
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&cached));
        (cached, now)
    }
}

impl Cached {
    fn of(LiveView { snapshot, cursor, now }: LiveView) -> Self {
        let write = |overview: &dto::Overview<'_>| serde_json::to_vec(overview);
        // Texts, numbers and lists of them: nothing that JSON cannot represent.
        let body = Bytes::from(dto::Overview::with(&snapshot, now, write).unwrap_or_default());
        let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..16]));
        let etag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
        let until = snapshot.next_turn(now);
        Self { cursor, made: now, until, body, etag }
    }

    /// Whether it is still the picture: no fact has come, and time has turned no verdict.
    fn holds(&self, cursor: &str, now: Timestamp) -> bool {
        self.cursor == cursor && now >= self.made && self.until.is_none_or(|until| now < until)
    }
}
