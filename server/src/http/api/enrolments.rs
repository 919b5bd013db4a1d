//! `POST /api/v1/enrolments`: gives a server its credential.

use std::sync::Arc;

use app::cluster::ServerName;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use crate::auth::audit::{Actor, AuthMethod};
use crate::auth::identity::Identity;
use crate::auth::origin::RequestOrigin;
use crate::http::api::dto;
use crate::http::api::heartbeats::over_server_limit;
use crate::http::api::tokens::token_problem;
use crate::http::json::JsonBody;
use crate::http::problem::Problem;
use crate::site::Site;

/// Gives a server a credential of its own
#[utoipa::path(
    post,
    path = "/api/v1/enrolments",
    operation_id = "enrol",
    request_body = dto::Enrolment,
    responses(
        (status = 201, description = "The credential is in this answer and nowhere else. The nine before it stay valid.", body = dto::Credential),
        (status = 400, description = "The body is not JSON."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "The server's name is not valid."),
        (status = 503, description = "The database cannot be written; nothing was created."),
        (status = 507, description = "A new server, and no room for it.")
    )
)]
pub(crate) async fn post(
    State(site): State<Arc<Site>>,
    Extension(identity): Extension<Identity>,
    Extension(origin): Extension<RequestOrigin>,
    JsonBody(dto::Enrolment { server }): JsonBody<dto::Enrolment>,
) -> Result<(StatusCode, Json<dto::Credential>), Problem> {
    let by = enroller(&identity, &server, &origin)?;
    let max_servers = site.intake.max_servers();
    if site.intake.is_full_for(&server)
        || site.live.auth_cache().is_full_for(&server, max_servers, site.live.now())
    {
        return Err(over_server_limit(&site, &server));
    }
    let made = site.auth.enrol(server, &by).await;
    let (secret, token) = made.map_err(|error| token_problem(error, "server"))?;
    let credential = secret.reveal().to_owned();
    Ok((StatusCode::CREATED, Json(dto::Credential { id: token.id, credential })))
}

/// A join token can enrol every server; a server's credential only that server, to renew it.
fn enroller(
    identity: &Identity,
    server: &ServerName,
    origin: &RequestOrigin,
) -> Result<Actor, Problem> {
    let name = match identity {
        Identity::JoinToken { token } => token.clone(),
        Identity::Server { server: own, credential } if own == server => {
            format!("credential {credential}")
        }
        Identity::Server { server: own, .. } => {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                format!("this credential belongs to {own} and cannot enrol {server}"),
            ));
        }
        // The route's permission rejects them.
        Identity::Anonymous(_) | Identity::User(_) => {
            return Err(Problem::unauthorized("enrolling needs a join token"));
        }
    };
    Ok(Actor {
        name,
        auth_method: AuthMethod::Token,
        address: origin.client,
        session: None,
        owner: None,
        request_id: origin.request_id,
    })
}
