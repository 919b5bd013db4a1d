//! `/api/v1/servers/{server}`: removes a server or one of its components, and dials its messenger.

use std::sync::Arc;

use app::cluster::{Role, ServerName};
use app::protocol::{Command, CommandError};
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::{Extension, Json};

use crate::auth::identity::User;
use crate::http::api::commands::{act, command_problem};
use crate::http::api::dto;
use crate::http::extract::{PathParams, unreadable_path};
use crate::http::problem::Problem;
use crate::http::query;
use crate::site::Site;
use crate::telemetry::outside_text::one_line;

/// Removes a server with its components
#[utoipa::path(
    delete,
    path = "/api/v1/servers/{server}",
    operation_id = "remove_server",
    params(
        ("server" = String, Path, description = "Its name, in any case."),
        ("force" = Option<bool>, Query, description = "`true`: though it is live and will be back with its next heartbeat.", nullable = false)
    ),
    responses(
        (status = 204, description = "Removed; it comes back with its next heartbeat."),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "Nobody of that name reports."),
        (status = 409, description = "It is live; stop it first, or force it."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn delete(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    server: PathParams<String>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    let Path(server) = server.map_err(unreadable_path)?;
    remove(&site, &user, &server, None, query::is_true(query.as_deref(), "force")).await
}

/// Removes one component of a server
#[utoipa::path(
    delete,
    path = "/api/v1/servers/{server}/components/{role}",
    operation_id = "remove_component",
    params(
        ("server" = String, Path, description = "The server's name, in any case."),
        ("role" = dto::Role, Path, description = "Which of its components."),
        ("force" = Option<bool>, Query, description = "`true`: though it is live and will be back with its next heartbeat.", nullable = false)
    ),
    responses(
        (status = 204, description = "Removed; it comes back with its next heartbeat."),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "Nobody of that name reports."),
        (status = 409, description = "It is live; stop it first, or force it."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn delete_component(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    named: PathParams<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<StatusCode, Problem> {
    let Path((server, role)) = named.map_err(unreadable_path)?;
    let role = Role::parse(&role)
        .ok_or_else(|| Problem::not_found("a component is either web or service"))?;
    remove(&site, &user, &server, Some(role), query::is_true(query.as_deref(), "force")).await
}

async fn remove(
    site: &Site,
    user: &User,
    server: &str,
    role: Option<Role>,
    force: bool,
) -> Result<StatusCode, Problem> {
    let name = ServerName::parse(server)
        .map_err(|_| command_problem(CommandError::Absent, &one_line(server)))?;
    let subject = name.to_string();
    act(site, user, Command::Remove { server: name, role, force }, &subject).await
}

/// Dials a server's service messenger now
#[utoipa::path(
    post,
    path = "/api/v1/servers/{server}/reconnect",
    operation_id = "reconnect",
    params(("server" = String, Path, description = "Its name, in any case.")),
    responses(
        (status = 200, description = "How this web server finds it by that very trial.", body = dto::Reconnected),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "No service messenger of that server is dialled."),
        (status = 429, description = "It was dialled a moment ago."),
        (status = 503, description = "The database cannot be written; the trial was made but not written down.")
    )
)]
pub(crate) async fn reconnect(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    server: PathParams<String>,
) -> Result<Json<dto::Reconnected>, Problem> {
    let Path(server) = server.map_err(unreadable_path)?;
    let name = ServerName::parse(&server)
        .map_err(|_| command_problem(CommandError::NotDialled, &one_line(&server)))?;
    let dialled = site.commands.reconnect(&name, &user.actor()).await;
    let messenger = dialled.map_err(|error| command_problem(error, &server))?;
    Ok(Json(dto::Reconnected { messenger: (&messenger).into() }))
}
