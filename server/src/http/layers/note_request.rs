//! Reports requests to the overview's own web component, which sends a heartbeat for them.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::site::Site;

/// Only for requests to the page and the API: not for health checks, static files and heartbeats.
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
