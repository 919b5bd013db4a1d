//! `GET /metrics`, and the layer that counts every request for it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::Site;
use crate::clock::Stopwatch;
use crate::telemetry::requests::Asked;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// All metrics
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    responses((
        status = 200,
        description = "Prometheus' text format 0.0.4.",
        body = String,
        content_type = "text/plain"
    ))
)]
pub(crate) async fn get(State(site): State<Arc<Site>>) -> ([(HeaderName, HeaderValue); 1], Bytes) {
    ([(header::CONTENT_TYPE, TEXT)], site.metrics().await)
}

/// Counts a request under its route's template and times it.
pub(crate) async fn measure(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let route = route(&site.base, request.extensions().get::<MatchedPath>());
    let method = method(request.method());
    let watch = Stopwatch::start();
    let response = next.run(request).await;
    let status = class(response.status());
    site.requests.note(Asked { route, method, status }, watch.elapsed());
    response
}

/// The template below the base path; `none` where no route is.
fn route(base: &str, matched: Option<&MatchedPath>) -> String {
    match matched.map(|path| path.as_str().strip_prefix(base).unwrap_or(path.as_str())) {
        None => "none".to_owned(),
        Some("") => "/".to_owned(),
        Some(template) => template.to_owned(),
    }
}

/// A method's name, if it is one of HTTP's: a client may make up any other.
fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}
