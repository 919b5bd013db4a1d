//! Limits the length of a request's path and query.

use app::cluster::hints::Arg;
use app::i18n::MessageKey;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::http::body;
use crate::http::problem::Problem;

/// Of path and query together.
const MAX_URI_BYTES: usize = 8 << 10;

/// Rejects longer URIs than any of ours, because URIs are kept, compared and shown.
pub(crate) async fn limit_uri_length(request: Request, next: Next) -> Response {
    let bytes = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if bytes <= MAX_URI_BYTES {
        return next.run(request).await;
    }
    body::discard(request.into_body()).await;
    let bytes = vec![("bytes", Arg::Number(bytes))];
    Problem::translated(StatusCode::URI_TOO_LONG, MessageKey::PagesAddressTooLong, bytes)
        .into_response()
}
