//! `POST /api/v1/removals`: removes many servers at once.

use std::sync::Arc;

use app::cluster::removal::RemovalFilter;
use axum::extract::{RawQuery, State};
use axum::{Extension, Json};

use crate::auth::identity::User;
use crate::commands::PartialRemoval;
use crate::http::api::commands::command_problem;
use crate::http::api::dto;
use crate::http::json::JsonBody;
use crate::http::problem::Problem;
use crate::http::query;
use crate::site::Site;

/// Removes all servers that match a filter, never a live one
#[utoipa::path(
    post,
    path = "/api/v1/removals",
    operation_id = "remove_servers",
    params(
        ("dry_run" = Option<bool>, Query, description = "`true`: only list them.", nullable = false)
    ),
    request_body = dto::Removal,
    responses(
        (status = 200, description = "Their names. They come back with their next heartbeat.", body = dto::Removed),
        (status = 400, description = "The body is not JSON."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "A field does not fit, or there is none; each is named."),
        (status = 503, description = "The database cannot be written, or not to the end. `removed` names those that were removed all the same, which may be none; the same request again removes the rest.")
    )
)]
pub(crate) async fn post(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    RawQuery(query): RawQuery,
    JsonBody(removal): JsonBody<dto::Removal>,
) -> Result<Json<dto::Removed>, Problem> {
    let dry_run = query::is_true(query.as_deref(), "dry_run");
    let removed =
        site.commands.remove_all(RemovalFilter::from(removal).into(), dry_run, &user.actor()).await;
    let removed = removed.map_err(stopped_problem)?.iter().map(ToString::to_string).collect();
    Ok(Json(dto::Removed { removed }))
}

/// 503: the removal stopped before it was complete.
fn stopped_problem(PartialRemoval { removed, error }: PartialRemoval) -> Problem {
    let problem = match (removed.len(), error) {
        (0, error) => command_problem(error, "these servers"),
        (count, _) => Problem::unavailable(format!(
            "the overview lost its database before the end: {count} servers were removed, and the rest were not; send the same request again to remove the rest"
        )),
    };
    problem.with_removed(removed.iter().map(ToString::to_string).collect())
}
