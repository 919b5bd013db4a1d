//! An HTML document as an answer, with the policy that lets it use its own files.

use app::pages::Document;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};

/// Lets a document use its own scripts, which have this nonce, its own style and its own routes; and asks proxies not to
/// change it, because the page's code in the browser hydrates exactly what was rendered.
pub(crate) fn set_document_headers(headers: &mut HeaderMap, nonce: &str) {
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
}

/// A document as an answer.
pub(crate) fn document_response(status: StatusCode, document: Document) -> Response {
    let Document { html, nonce } = document;
    let mut response = (status, Html(html)).into_response();
    set_document_headers(response.headers_mut(), &nonce);
    response
}

/// A document that has documents of ours in frames.
pub(crate) fn framing_document_response(status: StatusCode, document: Document) -> Response {
    let mut response = document_response(status, document);
    add_to_policy(response.headers_mut(), "; frame-src 'self'");
    response
}

/// A document that a document of ours has in a frame.
pub(crate) fn framed_document_response(status: StatusCode, document: Document) -> Response {
    let mut response = document_response(status, document);
    add_to_policy(response.headers_mut(), FRAMED_BY_OURS);
    response
}

/// At the end of the policy of such a document.
pub(crate) const FRAMED_BY_OURS: &str = "; frame-ancestors 'self'";

fn add_to_policy(headers: &mut HeaderMap, more: &str) {
    let policy = headers.get(header::CONTENT_SECURITY_POLICY).map(HeaderValue::as_bytes);
    let policy = [policy.unwrap_or_default(), more.as_bytes()].concat();
    if let Ok(policy) = HeaderValue::from_bytes(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}
