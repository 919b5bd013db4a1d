//! `POST /api/v1/enrolments`: gives a server a credential of its own.

use std::sync::Arc;

use app::cluster::ServerName;
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};

use crate::auth::audit::{Actor, Proof};
use crate::auth::identity::Caller;
use crate::auth::origin::Origin;
use crate::http::api::dto;
use crate::http::api::heartbeats::no_room;
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
    Extension(caller): Extension<Caller>,
    Extension(origin): Extension<Origin>,
    JsonBody(dto::Enrolment { server }): JsonBody<dto::Enrolment>,
) -> Result<(StatusCode, Json<dto::Credential>), Problem> {
    let by = enroller(&caller, &server, &origin)?;
    let most = site.intake.max_servers();
    if site.intake.is_full_for(&server)
        || site.live.keyring().is_full_for(&server, most, site.live.now())
    {
        return Err(no_room(&site, &server));
    }
    let made = site.access.enrol(server, &by).await;
    let (secret, token) = made.map_err(|error| token_problem(error, "server"))?;
    let credential = secret.reveal().to_owned();
    Ok((StatusCode::CREATED, Json(dto::Credential { id: token.id, credential })))
}

/// Who enrols: a join token may enrol any server, a server's credential only that server, to renew it.
fn enroller(caller: &Caller, server: &ServerName, origin: &Origin) -> Result<Actor, Problem> {
    let name = match caller {
        Caller::Joiner { token } => token.clone(),
        Caller::Node { server: own, credential } if own == server => {
            format!("credential {credential}")
        }
        Caller::Node { server: own, .. } => {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                format!("this credential belongs to {own} and cannot enrol {server}"),
            ));
        }
        // The route's permission lets nobody else through.
        Caller::Nobody(_) | Caller::Person(_) => {
            return Err(Problem::unauthorized("enrolling needs a join token"));
        }
    };
    Ok(Actor {
        name,
        proof: Proof::Token,
        address: origin.client,
        session: None,
        maker: None,
        request_id: origin.request_id,
    })
}
