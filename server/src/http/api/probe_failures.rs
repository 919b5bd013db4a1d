//! `POST /api/v1/probe-failures`: agents report why they send no heartbeat.

use std::sync::Arc;

use app::cluster::RejectionReason;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;

use crate::auth::identity::Identity;
use crate::auth::origin::RequestOrigin;
use crate::http::api::dto;
use crate::http::api::heartbeats::foreign_credential;
use crate::http::json::JsonBody;
use crate::http::problem::Problem;
use crate::site::Site;

/// Reports why a component's agent sends no heartbeat
///
/// A hint names it until the component sends a heartbeat, or for ten minutes. A repetition within a minute changes
/// nothing.
#[utoipa::path(
    post,
    path = "/api/v1/probe-failures",
    operation_id = "report_probe_failure",
    request_body = dto::ProbeFailure,
    responses(
        (status = 204, description = "It is shown, as far as there is room."),
        (status = 400, description = "The body is not JSON."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "A field does not fit; each is named.")
    )
)]
pub(crate) async fn post(
    State(site): State<Arc<Site>>,
    Extension(identity): Extension<Identity>,
    Extension(origin): Extension<RequestOrigin>,
    JsonBody(failure): JsonBody<dto::ProbeFailure>,
) -> Result<StatusCode, Problem> {
    let dto::ProbeFailure { server, role, reason } = failure;
    let role = role.into();
    if let Identity::Server { server: own, .. } = &identity
        && *own != server
    {
        return Err(foreign_credential(own, &server));
    }
    site.live.note_rejected(&server, RejectionReason::Probe { role, reason }, origin.client);
    Ok(StatusCode::NO_CONTENT)
}
