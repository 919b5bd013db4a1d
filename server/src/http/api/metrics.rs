//! `GET /metrics`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, header};

use crate::Site;

const CONTENT_TYPE: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

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
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], site.metrics().await)
}
