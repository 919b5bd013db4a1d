//! Tells the overview's own web component that it was asked something.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::site::Site;

/// Counts a request on the page or the API: the own web component sends heartbeats because of them. Health checks,
/// static files and heartbeats do not count.
pub(crate) async fn note_request(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(own) = &site.own {
        own.note_request();
    }
    next.run(request).await
}
