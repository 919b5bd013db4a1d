//! `GET /api/v1/overview`: the overview with its verdicts. It is computed again only when it has changed, on a thread for blocking
//! work.

use std::sync::{Arc, PoisonError, RwLock};

use app::cluster::Timestamp;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::http::api::dto;
use crate::http::moment;
use crate::http::problem::Problem;
use crate::http::query::unreadable;
use crate::http::single_flight::SingleFlight;
use crate::http::state::{HttpParts, HttpState};
use crate::live::{LiveState, LiveView};
use crate::site::Site;

static OVERVIEW_NOW: HeaderName = HeaderName::from_static("overview-now");

/// The last body, and the computation of the next one, which is shared by all requests that wait for it.
#[derive(Debug)]
pub(crate) struct OverviewCache {
    live: Arc<LiveState>,
    /// Locked only to copy or replace the pointer.
    last: RwLock<Option<Arc<CachedOverview>>>,
    flight: SingleFlight<(Arc<CachedOverview>, Timestamp)>,
}

#[derive(Debug)]
struct CachedOverview {
    cursor: String,
    computed_at: Timestamp,
    /// When time alone may change a verdict in it.
    valid_until: Option<Timestamp>,
    body: Bytes,
    etag: HeaderValue,
}

/// The overview with its verdicts
#[utoipa::path(
    get,
    path = "/api/v1/overview",
    operation_id = "overview",
    params(
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the overview that the client has.", nullable = false),
        ("at" = Option<String>, Query, description = "A past moment (RFC 3339): the overview as it stood then, without what is not recorded: messengers, rejected heartbeats, health checks, unused web components, clocks, disks, certificates and tokens.", nullable = false)
    ),
    responses(
        (
            status = 200,
            description = "The overview; while blind, as it was when the database could last be read. Of a past moment, as it was then.",
            body = dto::Overview,
            headers(
                ("ETag", description = "Changes with the overview."),
                ("Overview-Now", description = "The moment of this answer.")
            )
        ),
        (
            status = 304,
            description = "The client has this overview.",
            headers(
                ("ETag", description = "Changes with the overview."),
                ("Overview-Now", description = "The moment of this answer.")
            )
        ),
        (status = 410, description = "The moment is before the record, which begins at `begins`."),
        (status = 422, description = "The moment is no time of RFC 3339, or is later than now."),
        (status = 503, description = "The database, which has the past, cannot be read.")
    )
)]
pub(crate) async fn get(
    State(state): State<HttpState>,
    headers: HeaderMap,
    params: Result<Query<OverviewParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(params) = params.map_err(unreadable)?;
    match params.at {
        Some(at) => past(&state.site, &headers, &at).await,
        None => Ok(current(&state, &headers).await),
    }
}

/// The query.
#[derive(Deserialize)]
pub(crate) struct OverviewParams {
    at: Option<String>,
}

/// The overview as it stood at a moment. It changes only if records are deleted, so its `ETag` is that of the text.
async fn past(site: &Site, headers: &HeaderMap, at: &str) -> Result<Response, Problem> {
    let at = moment::exact("at", at).map_err(|error| Problem::fields(vec![error]))?;
    let snapshot = site.past.snapshot(at).await?;
    let write = |overview: &dto::Overview<'_>| serde_json::to_vec(overview);
    let body = tokio::task::spawn_blocking(move || dto::Overview::with(&snapshot, at, write));
    // Serializing texts, numbers and lists does not fail.
    let body = Bytes::from(body.await.ok().and_then(Result::ok).unwrap_or_default());
    let etag = etag(&body);
    Ok(answer(headers, &etag, body, site.live.now()))
}

async fn current(state: &HttpState, headers: &HeaderMap) -> Response {
    let HttpParts { site, overview, .. } = &**state;
    let (mut cached, mut now) = overview.current().await;
    if !has_etag(headers, &cached.etag) {
        // The client may have a newer overview from another web server.
        site.live.refresh().await;
        (cached, now) = overview.current().await;
    }
    answer(headers, &cached.etag, cached.body.clone(), now)
}

/// The answer to a request with these headers: the body, or that the client has it.
fn answer(headers: &HeaderMap, etag: &HeaderValue, body: Bytes, now: Timestamp) -> Response {
    let mut response = if has_etag(headers, etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let json = HeaderValue::from_static("application/json");
        ([(header::CONTENT_TYPE, json)], body).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(now) = HeaderValue::from_str(&now.rfc3339()) {
        headers.insert(OVERVIEW_NOW.clone(), now);
    }
    response
}

fn etag(body: &[u8]) -> HeaderValue {
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(body)[..16]));
    HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Whether the client has the body with this `ETag`.
fn has_etag(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag.as_bytes() == etag.as_bytes())
}

impl OverviewCache {
    pub(crate) fn new(live: Arc<LiveState>) -> Self {
        Self { live, last: RwLock::default(), flight: SingleFlight::default() }
    }

    /// The overview, and the moment of this answer.
    async fn current(self: &Arc<Self>) -> (Arc<CachedOverview>, Timestamp) {
        if let Some(valid) = self.valid() {
            return valid;
        }
        let cache = Arc::clone(self);
        self.flight.run(move || cache.compute()).await
    }

    /// The last body, if nothing has changed since.
    fn valid(&self) -> Option<(Arc<CachedOverview>, Timestamp)> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner).clone()?;
        let (cursor, now) = self.live.cursor();
        last.is_valid(&cursor, now).then_some((last, now))
    }

    /// Computes the body. It takes long, so one call runs at a time.
    fn compute(&self) -> (Arc<CachedOverview>, Timestamp) {
        // Another caller may have computed it meanwhile.
        if let Some(valid) = self.valid() {
            return valid;
        }
        let view = self.live.view();
        let now = view.now;
        let cached = Arc::new(CachedOverview::new(view));
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&cached));
        (cached, now)
    }
}

impl CachedOverview {
    fn new(LiveView { snapshot, cursor, now }: LiveView) -> Self {
        let write = |overview: &dto::Overview<'_>| serde_json::to_vec(overview);
        // Serializing texts, numbers and lists does not fail.
        let body = Bytes::from(dto::Overview::with(&snapshot, now, write).unwrap_or_default());
        let etag = etag(&body);
        let valid_until = snapshot.next_turn(now);
        Self { cursor, computed_at: now, valid_until, body, etag }
    }

    /// Whether nothing has changed: no fact has changed, and time has changed no verdict.
    fn is_valid(&self, cursor: &str, now: Timestamp) -> bool {
        self.cursor == cursor
            && now >= self.computed_at
            && self.valid_until.is_none_or(|until| now < until)
    }
}
