//! How answers travel: compressed, and not cached unless their handler says so.

use axum::http::{HeaderValue, header};
use axum::response::Response;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// The shortest body that is compressed.
const MIN_COMPRESSED_BYTES: u16 = 256;

/// Compresses all but short answers and problems.
pub(crate) fn compression() -> CompressionLayer<impl Predicate> {
    let not_problems = NotForContentType::const_new("application/problem+json");
    CompressionLayer::new().compress_when(SizeAbove::new(MIN_COMPRESSED_BYTES).and(not_problems))
}

/// Forbids caching, unless the handler says something else.
pub(crate) async fn forbid_caching(mut response: Response) -> Response {
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}
