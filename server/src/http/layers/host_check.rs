//! Protection against DNS rebinding: where nobody signs in, only requests for a loopback host are answered.

use std::sync::Arc;

use app::cluster::hints::Arg;
use app::i18n::MessageKey;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::auth::AuthMode;
use crate::auth::origin::{host, is_loopback};
use crate::http::problem::Problem;
use crate::site::Site;
use crate::telemetry::outside_text::one_line;

/// Rejects a `Host` that is not a loopback name or address: the name of a page elsewhere can resolve to this machine, and that
/// page must not read what needs no password.
pub(crate) async fn check_host(
    State(site): State<Arc<Site>>,
    request: Request,
    next: Next,
) -> Response {
    let host = host(request.headers());
    if site.auth.policy.mode != AuthMode::Open || host.is_some_and(is_loopback) {
        return next.run(request).await;
    }
    let host = Arg::Text(one_line(host.unwrap_or_default()));
    Problem::translated(StatusCode::FORBIDDEN, MessageKey::PagesCrossSiteHost, vec![("host", host)])
        .into_response()
}
