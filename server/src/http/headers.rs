//! What every answer tells the browser not to do, whatever its status.

use std::sync::Arc;

use app::page::plain::Document;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};

use crate::Site;
use crate::access::origin::Origin;

/// What is no document of ours is nothing but data.
const DATA: &str = "default-src 'none'; frame-ancestors 'none'";

/// What holds for all answers alike.
const ALWAYS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Our own forms must still be able to say where they come from.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Puts them on the answer. Over TLS the browser is told to come back over TLS only.
pub(crate) async fn on_every_answer(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = Origin::of(request.headers(), request.extensions(), &site.access.policy.proxies);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(DATA));
    if origin.encrypted {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

/// Lets a document of ours use its own scripts, which bear this nonce, its own style, and its own routes.
pub(crate) fn allow_document(headers: &mut HeaderMap, nonce: &str) {
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}

/// A document of ours as an answer.
pub(crate) fn document(status: StatusCode, document: Document) -> Response {
    let Document { html, nonce } = document;
    let mut response = (status, Html(html)).into_response();
    allow_document(response.headers_mut(), &nonce);
    response
}
