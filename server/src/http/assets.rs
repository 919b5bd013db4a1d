//! The static files of the page: their path holds their content's hash, so they are cached for ever.

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

/// For a file whose address changes with its content.
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
    let wanted = format!("assets/{path}");
    let accepts = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let compressed = accepted_codings(accepts).into_iter().find_map(|(coding, ending)| {
        Some((Some(coding), Files::get(&format!("{wanted}{ending}"))?))
    });
    let (coding, file) =
        compressed.or_else(|| Some((None, Files::get(&wanted)?))).ok_or_else(|| {
            let name = one_line(&path);
            Problem::not_found(format!(
                "there is no file {name}; the page may be of another version: reload the page"
            ))
        })?;
    let mut response = (StatusCode::OK, file.data.into_owned()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(&wanted)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE_FOREVER));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    Ok(response)
}

/// The content codings that a client accepts, the preferred one first, each with the ending of the files compressed with
/// it. A coding that it likes less than none is left out.
fn accepted_codings(accepts: &str) -> Vec<(&'static str, &'static str)> {
    let plain = accept::quality_of(accepts, &["identity"]).unwrap_or(1);
    let mut liked: Vec<_> = [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .map(|packed| (accept::quality_of(accepts, &[packed.0, "*"]).unwrap_or(0), packed))
        .filter(|(quality, _)| *quality > 0 && *quality >= plain)
        .collect();
    // Of equals the first is the smallest.
    liked.sort_by_key(|(quality, _)| Reverse(*quality));
    liked.into_iter().map(|(_, packed)| packed).collect()
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
    fn a_client_gets_no_coding_that_it_refuses_and_the_one_it_likes_best() {
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
            let said: Vec<&str> =
                accepted_codings(accepts).into_iter().map(|(name, _)| name).collect();
            assert_eq!(said, names, "{accepts}");
        }
    }
}
