//! Limits how long a request may take.

use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::http::problem::Problem;

/// How long a request may take to arrive and to be answered.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers 408 when the time is up, even while the body is still arriving. A body that is being sent as the answer is
/// not limited by this.
pub(crate) async fn limit_duration(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await;
    answer.unwrap_or_else(|_| {
        Problem::translated(StatusCode::REQUEST_TIMEOUT, "plain.late", Vec::new()).into_response()
    })
}
