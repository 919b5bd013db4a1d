//! How a JSON body is read: to its end even when refused, so that the client sees the answer.

use std::error::Error;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::LengthLimitError;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The largest body that is taken.
const LARGEST: usize = 1 << 20;
/// How far a refused body is read on.
pub(super) const READ_ON: usize = 2 << 20;

/// A request's body, or why there is none. The refusal is held back until the sender is known.
pub(crate) async fn read(body: Body) -> Result<Bytes, Problem> {
    match axum::body::to_bytes(body, READ_ON).await {
        Ok(bytes) if bytes.len() <= LARGEST => Ok(bytes),
        Err(error) if !is_too_long(&error) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "the body was not sent to its end; nothing of it was taken",
        )),
        _ => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is larger than 1 MiB; send fewer heartbeats at once",
        )),
    }
}

/// Whether a body is longer than it is read, and not only broken off.
fn is_too_long(error: &axum::Error) -> bool {
    error.source().is_some_and(<dyn Error>::is::<LengthLimitError>)
}

/// Parses a JSON body of the right type.
pub(crate) fn json<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be sent with Content-Type: application/json",
        ));
    }
    serde_json::from_slice(body).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}"))
    })
}
