//! Where nobody signs in, answers only requests for a loopback host: protection against DNS rebinding.

use std::sync::Arc;

use app::cluster::hints::Arg;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::auth::AuthMode;
use crate::auth::origin::{host, is_loopback};
use crate::http::problem::Problem;
use crate::site::Site;
use crate::telemetry::outside_text::one_line;

/// Rejects a `Host` that is no loopback name or address: a page elsewhere, whose own name resolves to this
/// machine, must not read what needs no password.
pub(crate) async fn check_host(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let named = host(request.headers());
    if site.auth.policy.mode != AuthMode::Open || named.is_some_and(is_loopback) {
        return next.run(request).await;
    }
    let named = Arg::Text(one_line(named.unwrap_or_default()));
    Problem::translated(StatusCode::FORBIDDEN, "plain.foreign.host", vec![("host", named)])
        .into_response()
}
