//! The layers around all routes.

pub(crate) mod authenticate;
pub(crate) mod authorize;
pub(crate) mod compression;
pub(crate) mod csrf;
pub(crate) mod host_check;
pub(crate) mod metrics;
pub(crate) mod note_request;
pub(crate) mod permission;
pub(crate) mod problems;
pub(crate) mod reauthenticate;
pub(crate) mod rejection;
pub(crate) mod request_id;
pub(crate) mod security_headers;
pub(crate) mod timeout;
pub(crate) mod uri_length;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;

use crate::http::state::HttpState;

/// The last layer is the outermost: it gets a request first and its response last.
pub(crate) fn wrap(router: Router<HttpState>, state: &HttpState) -> Router<HttpState> {
    let state = || state.clone();
    router
        .layer(from_fn_with_state(state(), csrf::check_write))
        .layer(from_fn_with_state(state(), host_check::check_host))
        .layer(from_fn_with_state(state(), authenticate::authenticate))
        .layer(from_fn_with_state(state(), metrics::record_request))
        .layer(from_fn(uri_length::limit_uri_length))
        .layer(from_fn(timeout::limit_duration))
        .layer(CatchPanicLayer::custom(problems::answer_panic))
        .layer(from_fn_with_state(state(), problems::render_problem))
        .layer(from_fn_with_state(state(), security_headers::set_security_headers))
        .layer(from_fn_with_state(state(), request_id::trace_request))
}
