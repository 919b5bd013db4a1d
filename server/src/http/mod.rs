//! What every answer has in common: the layers around the routes.

mod accept;
pub(crate) mod api;
pub(crate) mod assets;
pub(crate) mod body;
mod branding;
mod extract;
mod layers;
mod not_found;
pub(crate) mod pages;
mod problem;
pub(crate) mod routes;
pub(crate) mod single_flight;

use std::sync::Arc;
use std::time::Duration;

use app::cluster::hints::Arg;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

use utoipa_axum::router::OpenApiRouter;

use self::api::openapi::{self, Document};
use self::layers::authorize::{self, Manner, Need, behind};
use self::layers::{csrf, error_pages, metrics, security_headers};
use self::pages::overview;
use self::problem::Problem;
use crate::Site;
use crate::telemetry::outside_text::one_line;

/// Where heartbeats are posted.
pub(crate) const HEARTBEATS: &str = "/api/v1/heartbeats";
/// Where servers get a credential of their own.
pub(crate) const ENROLMENTS: &str = "/api/v1/enrolments";
/// Where the page asks for news.
const POLL: &str = "/fn/overview";
/// Where agents say why they send no heartbeat.
pub(crate) const PROBE_FAILURES: &str = "/api/v1/probe-failures";

/// How long a request may take to be sent and answered.
const LONGEST_REQUEST: Duration = Duration::from_secs(10);

/// The longest path and query together.
const MAX_TARGET_BYTES: usize = 8 << 10;

/// Everything below the base path.
pub(crate) fn router(site: Arc<Site>) -> Router {
    let (described, document) = authorize::all(
        OpenApiRouter::with_openapi(openapi::head()),
        routes::people().into_iter().chain([routes::monitors()]).map(|group| group.gated(&site)),
    )
    .layer(compression())
    .merge(authorize::all(
        OpenApiRouter::new(),
        routes::machines().into_iter().map(|group| group.gated(&site)),
    ))
    .layer(middleware::map_response(never_cached))
    .split_for_parts();
    let document = Document::finished(&document, &site);
    let inner = described;
    let outer = if site.base.is_empty() {
        inner
    } else {
        // `nest` serves the base itself but not the base with a slash.
        let slash = format!("{}/", site.base);
        let root = OpenApiRouter::new().route(&slash, get(overview::get));
        let root = behind(&site, Need::Look, Manner::Page, root);
        let root: Router<Arc<Site>> = authorize::all(OpenApiRouter::new(), [root]).into();
        root.layer(middleware::map_response(never_cached))
            .layer(compression())
            .nest(&site.base, inner.clone())
            // A proxy may strip the path: it asks at the root, and is answered with the whole path.
            .merge(inner)
    };
    outer
        .fallback(not_found::answer)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&site), csrf::own_writes_only))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), csrf::local_host_only))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), authorize::identify))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), metrics::measure))
        .layer(middleware::from_fn(short_address))
        .layer(middleware::from_fn(in_time))
        .layer(CatchPanicLayer::custom(error_pages::of_panic))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), error_pages::for_navigation))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), security_headers::on_every_answer))
        .layer(Extension(document))
        .with_state(site)
}

fn compression() -> CompressionLayer<impl tower_http::compression::Predicate> {
    CompressionLayer::new().compress_when(
        SizeAbove::new(256).and(NotForContentType::const_new("application/problem+json")),
    )
}

/// HTML and API answers are never served from a cache unasked; what says otherwise itself stands.
async fn never_cached(mut response: Response) -> Response {
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Answers in time or not at all: a body that trickles in is no reason to wait. What is sent on after the
/// answer has begun is not limited by this.
async fn in_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(LONGEST_REQUEST, next.run(request)).await;
    answer.unwrap_or_else(|_| {
        Problem::said(StatusCode::REQUEST_TIMEOUT, "plain.late", Vec::new()).into_response()
    })
}

/// Refuses an address that is longer than any of ours: what is in it is kept, compared and shown.
async fn short_address(request: Request, next: Next) -> Response {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target <= MAX_TARGET_BYTES {
        return next.run(request).await;
    }
    body::discard(request.into_body()).await;
    let bytes = vec![("bytes", Arg::Number(target))];
    Problem::said(StatusCode::URI_TOO_LONG, "plain.long", bytes).into_response()
}

async fn wrong_method(request: Request) -> Problem {
    let text = |text: &str| Arg::Text(one_line(text));
    let values =
        vec![("method", text(request.method().as_str())), ("path", text(request.uri().path()))];
    Problem::said(StatusCode::METHOD_NOT_ALLOWED, "plain.method", values)
}
