//! `POST /api/v1/probe-failures`: an agent says why it sends no heartbeat.

use std::sync::Arc;

use app::cluster::server_name::check_text;
use app::cluster::{FieldError, RejectionReason, Role, ServerName};
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::Site;
use crate::auth::audit::one_line;
use crate::auth::identity::Caller;
use crate::auth::origin::Origin;
use crate::http::api::dto;
use crate::http::api::heartbeats::speaks_for_another;
use crate::http::body::Sender;
use crate::http::json;
use crate::http::problem::Problem;

/// The longest reason, in characters.
const LONGEST: usize = 1_000;

/// Says why a component's agent sends no heartbeat
///
/// It is shown on the server's row, or in a hint if the server has not reported yet, until the component sends a
/// heartbeat, or for ten minutes. Nothing is stored.
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
    Extension(caller): Extension<Caller>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let value: Value = json::parse(&headers, &site.bodies.read(Sender::Node, body).await?)?;
    let (server, role, said) = read(&value).map_err(Problem::fields)?;
    if let Caller::Node { server: own, .. } = &caller
        && *own != server
    {
        return Err(speaks_for_another(own, &server));
    }
    site.live.refused(&server, RejectionReason::Probe { role, said }, origin.client);
    Ok(StatusCode::NO_CONTENT)
}

fn read(value: &Value) -> Result<(ServerName, Role, String), Vec<FieldError>> {
    let text = |field: &'static str| {
        let text = value.get(field).and_then(Value::as_str);
        text.ok_or_else(|| FieldError::new(field, "is required, and must be a string"))
    };
    let server = text("server")
        .and_then(|name| ServerName::parse(name).map_err(|why| FieldError::new("server", why)));
    let role = text("role").and_then(|word| {
        Role::parse(word).ok_or_else(|| FieldError::new("role", "must be \"web\" or \"service\""))
    });
    let said = text("reason").map(|said| one_line(said.trim())).and_then(|said| {
        let checked = check_text(&said, 1, LONGEST);
        checked.map(|()| said).map_err(|why| FieldError::new("reason", why))
    });
    match (server, role, said) {
        (Ok(server), Ok(role), Ok(said)) => Ok((server, role, said)),
        (server, role, said) => {
            Err([server.err(), role.err(), said.err()].into_iter().flatten().collect())
        }
    }
}
