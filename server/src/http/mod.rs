//! Routes and layers: which address is answered by whom, and what every answer has in common.

mod admin;
pub(crate) mod assets;
mod body;
mod forms;
mod guard;
mod heartbeats;
mod metrics;
mod openapi;
pub(crate) mod overview;
mod page;
mod probes;
mod problem;

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::openapi::Document;
use self::problem::Problem;
use crate::Site;

/// Where heartbeats are posted.
pub(crate) const HEARTBEATS: &str = "/api/v1/heartbeats";

/// Everything below the base path.
pub(crate) fn router(site: Arc<Site>) -> Router {
    let compression = CompressionLayer::new().compress_when(
        SizeAbove::new(256).and(NotForContentType::const_new("application/problem+json")),
    );
    let people = OpenApiRouter::with_openapi(openapi::head())
        .route("/", get(page::get))
        .route("/fn/{*function}", any(page::function))
        .route("/settings", post(forms::settings))
        .route("/removal", post(forms::removal))
        .route("/acceptance", post(forms::acceptance))
        .routes(routes!(overview::get))
        .routes(routes!(admin::settings, admin::put_settings))
        .routes(routes!(admin::delete_server))
        .routes(routes!(admin::delete_component))
        .routes(routes!(admin::put_reference_key))
        .routes(routes!(openapi::get))
        .layer(middleware::map_response(never_cached))
        .layer(compression.clone())
        .layer(middleware::from_fn_with_state(Arc::clone(&site), guard::notice));
    let machines = OpenApiRouter::new()
        .routes(routes!(heartbeats::post))
        .routes(routes!(probes::healthz))
        .routes(routes!(probes::readyz))
        .routes(routes!(metrics::get))
        .layer(middleware::map_response(never_cached))
        .layer(compression);
    let (described, document) = people.merge(machines).split_for_parts();
    let document = Document::finished(&document, &site.base);
    let inner = described.route("/assets/{*path}", get(assets::get));
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
        .layer(Extension(document))
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
