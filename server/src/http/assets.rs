//! The static files of the page: their path holds their content's hash, so they are cached for ever.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::problem::Problem;

/// The built site: inside the binary in release, read from the folder in debug.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
#[allow_missing = true]
struct Files;

/// For what is at its address as long as it is what it is.
pub(super) const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The hash in every asset's path, or `none` where the site was not built.
pub(crate) fn hash() -> String {
    Files::get("hash")
        .and_then(|file| String::from_utf8(file.data.into_owned()).ok())
        .map_or_else(|| "none".to_owned(), |hash| hash.trim().to_owned())
}

pub(crate) async fn get(Path(path): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let wanted = format!("assets/{path}");
    let accepts = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let accepted = |coding: &str| {
        accepts.split(',').any(|offer| offer.split(';').next().map(str::trim) == Some(coding))
    };
    let packed = [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .filter(|(coding, _)| accepted(coding))
        .find_map(|(coding, ending)| {
            Some((Some(coding), Files::get(&format!("{wanted}{ending}"))?))
        });
    let (coding, file) =
        packed.or_else(|| Some((None, Files::get(&wanted)?))).ok_or_else(|| {
            Problem::not_found("no such file; the page may be of another version: reload it")
        })?;
    let mut response = (StatusCode::OK, file.data.into_owned()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(&wanted)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FOR_EVER));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    Ok(response)
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml; charset=utf-8",
        _ => "application/octet-stream",
    }
}
