//! Reads JSON bodies and turns them into typed requests. Errors name every invalid field.

use app::cluster::FieldError;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::files::text::utf8;
use crate::http::body::Sender;
use crate::http::problem::Problem;
use crate::http::state::HttpState;
use crate::telemetry::outside_text::one_line;

/// A request that is sent as a JSON body.
pub(crate) trait FromJson: Sized {
    /// From whose memory budget it is read.
    const SENDER: Sender = Sender::User;

    /// The error has one entry for each invalid field.
    fn from_json(value: &Value) -> Result<Self, Vec<FieldError>>;
}

/// Extracts a typed request from a JSON body.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: FromJson> FromRequest<HttpState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &HttpState) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        let body = state.bodies.read(T::SENDER, body).await?;
        let value: Value = parse(&head.headers, &body)?;
        T::from_json(&value).map(Self).map_err(Problem::fields)
    }
}

/// Parses a JSON body, whose content type must be JSON.
pub(crate) fn parse<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        let actual = kind.map_or("missing".to_owned(), one_line);
        let why = format!("the Content-Type header must be application/json; it is {actual}");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
    }
    let text = utf8(body).map_err(|error| {
        let why = format!(
            "the body is {error}; JSON must be sent in UTF-8. Windows PowerShell sends text in another encoding: send UTF-8 bytes, [Text.Encoding]::UTF8.GetBytes($body)"
        );
        Problem::new(StatusCode::BAD_REQUEST, why)
    })?;
    serde_json::from_str(text).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}"))
    })
}
