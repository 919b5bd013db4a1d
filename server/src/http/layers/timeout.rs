//! Limits how long a request may take.

use app::i18n::MessageKey;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::http::problem::Problem;

/// From the request's head to the beginning of its response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers 408 after the timeout, even while the request's body is still arriving. It does not limit how long a response body is
/// sent.
pub(crate) async fn limit_duration(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await;
    answer.unwrap_or_else(|_| {
        Problem::translated(StatusCode::REQUEST_TIMEOUT, MessageKey::PagesTimeout, Vec::new())
            .into_response()
    })
}
