//! The static files of the page. Their path contains a hash, so browsers cache them for a year.

use std::cmp::Reverse;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::http::accept;
use crate::http::problem::Problem;
use crate::telemetry::outside_text::one_line;

/// The built site: part of the binary in a release build, read from the folder in a debug build.
#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
#[allow_missing = true]
struct Files;

/// For files whose path changes with their content.
pub(crate) const CACHE_FOREVER: &str = "public, max-age=31536000, immutable";

/// The hash of all files, which is in every file's path: an open page learns by it that it is of another version. `none` where
/// the page was not built.
pub(crate) fn hash() -> &'static str {
    static HASH: LazyLock<String> = LazyLock::new(|| {
        Files::get("hash")
            .and_then(|file| String::from_utf8(file.data.into_owned()).ok())
            .map_or_else(|| "none".to_owned(), |hash| hash.trim().to_owned())
    });
    &HASH
}

pub(crate) async fn get(Path(path): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let file_path = format!("assets/{path}");
    let accepts = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let compressed = accepted_codings(accepts).into_iter().find_map(|(coding, extension)| {
        Some((Some(coding), Files::get(&format!("{file_path}{extension}"))?))
    });
    let (coding, file) =
        compressed.or_else(|| Some((None, Files::get(&file_path)?))).ok_or_else(|| {
            let name = one_line(&path);
            Problem::not_found(format!(
                "there is no file {name}: the page may be of another version; reload it"
            ))
        })?;
    let mut response = (StatusCode::OK, file.data.into_owned()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(&file_path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE_FOREVER));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    Ok(response)
}

/// The content codings that a client accepts, the preferred one first, each with the extension of its files. Codings that the
/// client prefers less than no coding are left out.
fn accepted_codings(accepts: &str) -> Vec<(&'static str, &'static str)> {
    let identity = accept::quality_of(accepts, &["identity"]).unwrap_or(1);
    let mut accepted: Vec<_> = [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .map(|coding| (accept::quality_of(accepts, &[coding.0, "*"]).unwrap_or(0), coding))
        .filter(|(quality, _)| *quality > 0 && *quality >= identity)
        .collect();
    // Brotli, the smaller one, stays first if both have the same quality.
    accepted.sort_by_key(|(quality, _)| Reverse(*quality));
    accepted.into_iter().map(|(_, coding)| coding).collect()
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::accepted_codings;

    #[test]
    fn a_client_gets_the_coding_that_it_prefers_and_none_that_it_does_not_accept() {
        for (accepts, names) in [
            ("", &[] as &[&str]),
            ("br, gzip", &["br", "gzip"]),
            ("gzip, br", &["br", "gzip"]),
            ("br;q=0", &[]),
            ("br;q=0, gzip", &["gzip"]),
            ("br;q=0.5, gzip;q=0.8", &["gzip", "br"]),
            ("br; q=0.000, *", &["gzip"]),
            ("*", &["br", "gzip"]),
            ("*;q=0", &[]),
            ("identity, br;q=0.5", &[]),
            ("identity;q=0, *;q=0.1", &["br", "gzip"]),
            ("BR", &["br"]),
            ("brotli, gzipped", &[]),
        ] {
            let codings: Vec<&str> =
                accepted_codings(accepts).into_iter().map(|(name, _)| name).collect();
            assert_eq!(codings, names, "{accepts}");
        }
    }
}
