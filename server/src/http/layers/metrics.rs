//! Counts and times every request for `/metrics`.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use crate::clock::Stopwatch;
use crate::http::state::HttpState;
use crate::telemetry::requests::RequestLabels;

/// Counts a request by its route template, and measures how long it takes.
pub(crate) async fn record_request(
    State(state): State<HttpState>,
    request: Request,
    next: Next,
) -> Response {
    let route = route_template(&state.site.base, request.extensions().get::<MatchedPath>());
    let method = method_label(request.method());
    let stopwatch = Stopwatch::start();
    let response = next.run(request).await;
    let status = status_class(response.status());
    state.requests.record(RequestLabels { route, method, status }, stopwatch.elapsed());
    response
}

/// The route template below the base path, or `none`.
pub(crate) fn route_template(base: &str, matched: Option<&MatchedPath>) -> String {
    match matched.map(|path| path.as_str().strip_prefix(base).unwrap_or(path.as_str())) {
        None => "none".to_owned(),
        Some("") => "/".to_owned(),
        Some(template) => template.to_owned(),
    }
}

/// The method, or `other`: a client can make up any number of methods.
pub(crate) fn method_label(method: &Method) -> &'static str {
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

fn status_class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}
