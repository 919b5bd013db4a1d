//! Gives every request an ID, which is in its response, its log lines and its audit entries.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use crate::auth::origin::{RequestId, RequestOrigin};
use crate::http::layers::metrics::{method_label, route_template};
use crate::site::Site;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Opens a tracing span with the method, the route and the ID, but never the query.
pub(crate) async fn trace_request(
    State(site): State<Arc<Site>>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = id_from_proxy(&site, &request).unwrap_or_else(RequestId::generate);
    request.extensions_mut().insert(id);
    let route = route_template(&site.base, request.extensions().get::<MatchedPath>());
    let method = method_label(request.method());
    let span = tracing::info_span!("request", method, route, %id);
    let mut response = next.run(request).instrument(span).await;
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    response
}

/// The ID from a trusted proxy.
fn id_from_proxy(site: &Site, request: &Request) -> Option<RequestId> {
    let (headers, proxies) = (request.headers(), &site.auth.policy.proxies);
    let origin = RequestOrigin::from_request(headers, request.extensions(), proxies);
    let id = headers.get(X_REQUEST_ID).filter(|_| origin.trusted)?;
    RequestId::parse(id.to_str().ok()?)
}
