//! What every answer tells the browser not to do, whatever its status.

use std::sync::Arc;

use app::pages::Document;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};

use crate::Site;
use crate::access::cookie::is_secure_context;
use crate::access::origin::{Origin, OverTls};
use crate::site::frame_ancestors::Ancestor;

/// What is no document of ours is nothing but data.
const DATA: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// What holds for all answers alike.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Our own forms must still be able to say where they come from.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// What browsers heed in a secure context only, and complain about elsewhere.
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// Puts them on the answer, and what the way it came by allows.
pub(crate) async fn on_every_answer(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = Origin::of(request.headers(), request.extensions(), &site.access.policy.proxies);
    let secure = is_secure_context(request.headers(), &origin);
    // A proxy in front answers for its own host.
    let own_tls = request.extensions().get::<OverTls>().is_some() && !origin.is_proxied();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let document = headers.remove(header::CONTENT_SECURITY_POLICY);
    if document.is_none() || site.frame_ancestors.is_empty() {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    let policy = document.map_or(DATA, |own| framed_by(&own, &site.frame_ancestors));
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    if secure {
        headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
    }
    if let Some(hsts) = site.hsts.filter(|_| own_tls)
        && let Ok(hsts) = HeaderValue::from_str(&format!("max-age={}", hsts.0 / 1_000))
    {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts);
    }
    response
}

/// Lets pages of other sites load what this is the answer to.
pub(crate) fn allow_other_sites(headers: &mut HeaderMap) {
    let name = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(name, HeaderValue::from_static("cross-origin"));
    // A script that is a module is fetched as data would be.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

/// A document's own policy, and whose pages may frame it.
fn framed_by(own: &HeaderValue, ancestors: &[Ancestor]) -> HeaderValue {
    let mut policy = [own.as_bytes(), b"; frame-ancestors"].concat();
    if ancestors.is_empty() {
        policy.extend(b" 'none'");
    }
    for ancestor in ancestors {
        policy.extend(format!(" {ancestor}").bytes());
    }
    HeaderValue::from_bytes(&policy).unwrap_or(DATA)
}

/// Lets a document of ours use its own scripts, which bear this nonce, its own style, and its own routes; and
/// asks proxies to change nothing of it: the page's half in the browser takes over what was rendered.
pub(crate) fn allow_document(headers: &mut HeaderMap, nonce: &str) {
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
}

/// A document of ours as an answer.
pub(crate) fn document(status: StatusCode, document: Document) -> Response {
    let Document { html, nonce } = document;
    let mut response = (status, Html(html)).into_response();
    allow_document(response.headers_mut(), &nonce);
    response
}
