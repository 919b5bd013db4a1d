//! Routes and layers: which address is answered by whom, and what every answer has in common.

mod admin;
pub(crate) mod assets;
mod body;
mod forms;
mod guard;
mod heartbeats;
mod metrics;
pub(crate) mod overview;
mod page;
mod probes;
mod problem;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::{any, delete, get, post, put};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

use self::problem::Problem;
use crate::Site;

/// Where heartbeats are posted.
pub(crate) const HEARTBEATS: &str = "/api/v1/heartbeats";

/// Everything below the base path.
pub(crate) fn router(site: Arc<Site>) -> Router {
    let compression = CompressionLayer::new().compress_when(
        SizeAbove::new(256).and(NotForContentType::const_new("application/problem+json")),
    );
    let people = Router::new()
        .route("/", get(page::get))
        .route("/fn/{*function}", any(page::function))
        .route("/settings", post(forms::settings))
        .route("/removal", post(forms::removal))
        .route("/acceptance", post(forms::acceptance))
        .route("/api/v1/overview", get(overview::get))
        .route("/api/v1/settings", get(admin::settings).put(admin::put_settings))
        .route("/api/v1/servers/{server}", delete(admin::delete_server))
        .route("/api/v1/servers/{server}/components/{role}", delete(admin::delete_component))
        .route("/api/v1/reference-keys/{kind}", put(admin::put_reference_key))
        .layer(middleware::map_response(never_cached))
        .layer(compression.clone())
        .layer(middleware::from_fn_with_state(Arc::clone(&site), guard::notice));
    let machines = Router::new()
        .route(HEARTBEATS, post(heartbeats::post))
        .route("/healthz", get(probes::healthz))
        .route("/readyz", get(probes::readyz))
        .route("/metrics", get(metrics::get))
        .layer(middleware::map_response(never_cached))
        .layer(compression);
    let inner = people.merge(machines).route("/assets/{*path}", get(assets::get));
    let outer = if site.base.is_empty() {
        inner
    } else {
        // `nest` serves the base itself but not the base with a slash.
        let slash = format!("{}/", site.base);
        Router::new().route(&slash, get(page::get)).nest(&site.base, inner)
    };
    outer
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(Arc::clone(&site), guard::own_writes_only))
        .layer(middleware::from_fn(guard::local_host_only))
        .layer(middleware::from_fn_with_state(Arc::clone(&site), metrics::measure))
        .with_state(site)
}

/// HTML and API answers are never served from a cache unasked; what says otherwise itself stands.
async fn never_cached(mut response: Response) -> Response {
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
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
