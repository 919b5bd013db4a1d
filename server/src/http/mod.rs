//! Routes and layers: which address is answered by whom, and what every answer has in common.

mod access;
mod admin;
pub(crate) mod assets;
mod audit;
pub(crate) mod body;
mod branding;
mod dressed;
mod embeds;
mod forms;
mod gate;
pub(crate) mod guard;
mod headers;
mod heartbeats;
mod metrics;
mod openapi;
pub(crate) mod overview;
mod page;
mod probe_failures;
mod probes;
mod problem;
mod sign_in;
pub(crate) mod stream;
mod tokens;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::gate::{Gated, Manner, Need, behind};
use self::openapi::Document;
use self::problem::Problem;
use crate::Site;

/// Where heartbeats are posted.
pub(crate) const HEARTBEATS: &str = "/api/v1/heartbeats";
/// Where servers get a credential of their own.
pub(crate) const ENROLMENTS: &str = "/api/v1/enrolments";
/// Where agents say why they send no heartbeat.
pub(crate) const PROBE_FAILURES: &str = "/api/v1/probe-failures";

/// How long a request may take to be sent and answered.
const LONGEST_REQUEST: Duration = Duration::from_secs(10);

/// The longest path and query together.
const MAX_TARGET_BYTES: usize = 8 << 10;

/// Everything below the base path.
pub(crate) fn router(site: Arc<Site>) -> Router {
    let (described, document) = gate::all(
        OpenApiRouter::with_openapi(openapi::head()),
        people(&site).into_iter().chain([monitors(&site)]),
    )
    .layer(compression())
    .merge(gate::all(OpenApiRouter::new(), machines(&site)))
    .layer(middleware::map_response(never_cached))
    .split_for_parts();
    let document = Document::finished(&document, &site);
    let inner = described;
    let outer = if site.base.is_empty() {
        inner
    } else {
        // `nest` serves the base itself but not the base with a slash.
        let slash = format!("{}/", site.base);
        let root = OpenApiRouter::new().route(&slash, get(page::get));
        let root = behind(&site, Need::Look, Manner::Page, root);
        let root: Router<Arc<Site>> = gate::all(OpenApiRouter::new(), [root]).into();
        root.layer(middleware::map_response(never_cached))
            .layer(compression())
            .nest(&site.base, inner.clone())
            // A proxy may strip the path: it asks at the root, and is answered with the whole path.
            .merge(inner)
    };
    outer
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&site), guard::own_writes_only))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), guard::local_host_only))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), gate::identify))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), metrics::measure))
        .layer(middleware::from_fn(short_address))
        .layer(middleware::from_fn(in_time))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), headers::on_every_answer))
        .layer(Extension(document))
        .with_state(site)
}

/// What people use, with a browser or a program of their own. The overview's own web component beats
/// on it.
fn people(site: &Arc<Site>) -> Vec<Gated> {
    let behind = |need, manner, routes: OpenApiRouter<Arc<Site>>| {
        let noticed = middleware::from_fn_with_state(Arc::clone(site), guard::notice);
        behind(site, need, manner, routes.layer(noticed))
    };
    let entering = OpenApiRouter::new()
        .route("/sign-in", get(sign_in::get).post(sign_in::post))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/embed", get(embeds::enter));
    let page = OpenApiRouter::new().route("/", get(page::get));
    let asking = OpenApiRouter::new().route("/fn/overview", any(page::function));
    let acting = OpenApiRouter::new().route("/fn/act", any(page::function));
    let forms = OpenApiRouter::new()
        .route("/settings", post(forms::settings))
        .route("/removal", post(forms::removal))
        .route("/acceptance", post(forms::acceptance))
        .route("/reconnection", post(forms::reconnection));
    let looking = OpenApiRouter::new()
        .routes(routes!(overview::get))
        .routes(routes!(admin::settings))
        .routes(routes!(embeds::create))
        .routes(routes!(embeds::delete))
        .routes(routes!(openapi::get));
    let changing = OpenApiRouter::new()
        .routes(routes!(admin::put_settings))
        .routes(routes!(admin::delete_server))
        .routes(routes!(admin::delete_component))
        .routes(routes!(admin::remove_many))
        .routes(routes!(admin::put_reference_key))
        .routes(routes!(admin::reconnect))
        .routes(routes!(tokens::revoke));
    let granting = OpenApiRouter::new().routes(routes!(tokens::create));
    let admitting =
        OpenApiRouter::new().route("/access", get(access::get)).route("/audit", get(audit::page));
    let creating = OpenApiRouter::new().route("/access/tokens", post(access::create));
    let revoking = OpenApiRouter::new().route("/access/revocation", post(access::revoke));
    let administering =
        OpenApiRouter::new().routes(routes!(tokens::list)).routes(routes!(audit::get));
    vec![
        behind(Need::Nothing, Manner::Problem, entering),
        behind(Need::Look, Manner::Page, page),
        behind(Need::Look, Manner::Function, asking),
        behind(Need::Act, Manner::Function, acting),
        behind(Need::Act, Manner::Page, forms),
        behind(Need::Administer, Manner::Page, admitting),
        behind(Need::Grant, Manner::Page, creating),
        behind(Need::Act, Manner::Page, revoking),
        behind(Need::Look, Manner::Problem, looking),
        behind(Need::Act, Manner::Problem, changing),
        behind(Need::Grant, Manner::Problem, granting),
        behind(Need::Administer, Manner::Problem, administering),
    ]
}

/// What monitors read.
fn monitors(site: &Arc<Site>) -> Gated {
    let measuring = OpenApiRouter::new().routes(routes!(metrics::get));
    behind(site, Need::Measure, Manner::Problem, measuring)
}

/// What servers, balancers and browsers use by themselves, and often. None of it is compressed on its
/// way: it is short, comes in pieces, or is packed already; and room for a compressor is 5 kB an answer.
fn machines(site: &Arc<Site>) -> Vec<Gated> {
    let beating = OpenApiRouter::new()
        .routes(routes!(heartbeats::post))
        .routes(routes!(probe_failures::post));
    let enrolling = OpenApiRouter::new().routes(routes!(tokens::enrol));
    let noticed = middleware::from_fn_with_state(Arc::clone(site), guard::notice);
    let listening = OpenApiRouter::new().routes(routes!(stream::get)).layer(noticed);
    let open = OpenApiRouter::new()
        .routes(routes!(probes::healthz))
        .routes(routes!(probes::readyz))
        .route("/assets/{*path}", get(assets::get))
        .route("/branding/{hash}/{name}", get(branding::get))
        .route("/embed.js", get(embeds::script));
    vec![
        behind(site, Need::Beat, Manner::Problem, beating),
        behind(site, Need::Enrol, Manner::Problem, enrolling),
        behind(site, Need::Look, Manner::Problem, listening),
        behind(site, Need::Nothing, Manner::Problem, open),
    ]
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
        let late = Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "the request was not there, or not answered, within 10 s; send it again",
        );
        let mut response = late.into_response();
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        response
    })
}

/// Refuses an address that is longer than any of ours: what is in it is kept, compared and shown.
async fn short_address(request: Request, next: Next) -> Response {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target <= MAX_TARGET_BYTES {
        return next.run(request).await;
    }
    body::discard(request.into_body()).await;
    Problem::new(StatusCode::URI_TOO_LONG, "the address is longer than 8 KiB; search for less")
        .into_response()
}

async fn nothing_here() -> Problem {
    Problem::not_found("there is nothing at this address; the page is at /, the API below /api/v1/")
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this address does not take this method; see the Allow header",
    )
}
