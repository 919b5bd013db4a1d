//! `GET` and `PUT /api/v1/settings`.

use std::sync::Arc;

use app::protocol::Command;
use axum::extract::State;
use axum::{Extension, Json};

use crate::auth::identity::User;
use crate::http::api::commands::act;
use crate::http::api::dto;
use crate::http::json::JsonBody;
use crate::http::problem::Problem;
use crate::site::Site;

/// The settings in force
#[utoipa::path(
    get,
    path = "/api/v1/settings",
    operation_id = "settings",
    responses((status = 200, description = "All settings.", body = dto::Settings))
)]
pub(crate) async fn get(State(site): State<Arc<Site>>) -> Json<dto::Settings> {
    Json(dto::Settings(site.live.snapshot().settings))
}

/// Saves the settings
#[utoipa::path(
    put,
    path = "/api/v1/settings",
    operation_id = "configure",
    request_body = dto::Settings,
    responses(
        (status = 200, description = "They are in force now.", body = dto::Settings),
        (status = 400, description = "The body is not JSON."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "A field is missing, of another type or out of range; each is named."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn put(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    JsonBody(settings): JsonBody<dto::Settings>,
) -> Result<Json<dto::Settings>, Problem> {
    act(&site, &user, Command::Configure(settings.0), "the settings").await?;
    Ok(Json(settings))
}
