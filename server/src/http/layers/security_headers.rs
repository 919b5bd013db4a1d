//! Security headers of every response, whatever its status.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::auth::cookie::is_secure_context;
use crate::auth::origin::{OverTls, RequestOrigin};
use crate::http::pages::html::FRAMED_BY_OURS;
use crate::site::Site;
use crate::site::frame_ancestors::Ancestor;

/// The policy of every response that is not a document of ours.
const DATA_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

const COMMON_HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Our own forms must send their origin.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Browsers ignore it outside a secure context, and print a warning.
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

pub(crate) async fn set_security_headers(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let origin = RequestOrigin::from_request(
        request.headers(),
        request.extensions(),
        &site.auth.policy.proxies,
    );
    let secure = is_secure_context(request.headers(), &origin);
    // A proxy in front sets HSTS for its host itself.
    let own_tls = request.extensions().get::<OverTls>().is_some() && !origin.is_proxied();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in COMMON_HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    let document = headers.remove(header::CONTENT_SECURITY_POLICY);
    if document.is_none() || site.frame_ancestors.is_empty() {
        let is_framed_by_ours = document.as_ref().is_some_and(is_framed_by_ours);
        let who = if is_framed_by_ours { "SAMEORIGIN" } else { "DENY" };
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static(who));
    }
    let policy = document.map_or(DATA_POLICY, |own| framed_by(&own, &site.frame_ancestors));
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

/// Lets pages of other sites load this response.
pub(crate) fn allow_other_sites(headers: &mut HeaderMap) {
    let name = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(name, HeaderValue::from_static("cross-origin"));
    // Browsers fetch module scripts in CORS mode.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
}

/// Whether a document's own policy lets our documents frame it.
fn is_framed_by_ours(own: &HeaderValue) -> bool {
    own.as_bytes().ends_with(FRAMED_BY_OURS.as_bytes())
}

/// Adds the origins that may frame it to a document's policy.
fn framed_by(own: &HeaderValue, ancestors: &[Ancestor]) -> HeaderValue {
    let mut policy = own.as_bytes().to_vec();
    if !is_framed_by_ours(own) {
        policy.extend(b"; frame-ancestors");
        if ancestors.is_empty() {
            policy.extend(b" 'none'");
        }
    }
    for ancestor in ancestors {
        policy.extend(format!(" {ancestor}").bytes());
    }
    HeaderValue::from_bytes(&policy).unwrap_or(DATA_POLICY)
}
