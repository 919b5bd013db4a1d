//! `PUT /api/v1/reference-keys/{kind}`.

use std::sync::Arc;

use app::cluster::KeyKind;
use app::protocol::Command;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::auth::identity::User;
use crate::http::api::commands::act;
use crate::http::api::dto;
use crate::http::extract::{PathParams, unreadable_path};
use crate::http::json::JsonBody;
use crate::http::problem::Problem;
use crate::site::Site;

/// Accepts a key as the one that all others are compared with
#[utoipa::path(
    put,
    path = "/api/v1/reference-keys/{kind}",
    operation_id = "accept_key",
    params(("kind" = dto::KeyKind, Path, description = "Which kind of key.")),
    request_body = dto::ReferenceKey,
    responses(
        (status = 204, description = "It is the cluster's key from now on."),
        (status = 400, description = "The body is not JSON, or the address cannot be read."),
        (status = 404, description = "Nobody reports a key with these digits, or there is no such kind."),
        (status = 409, description = "Two keys have these digits; give more."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "These are not 8 to 64 lower-case hex digits."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn put(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    kind: PathParams<String>,
    request: Result<JsonBody<dto::ReferenceKey>, Problem>,
) -> Result<StatusCode, Problem> {
    let Path(kind) = kind.map_err(unreadable_path)?;
    let kind = KeyKind::ALL
        .into_iter()
        .find(|known| known.as_str() == kind)
        .ok_or_else(|| Problem::not_found("a reference key is either encryption or machine"))?;
    let JsonBody(dto::ReferenceKey { key_check: digits }) = request?;
    let command = Command::Accept { kind, digits: digits.clone() };
    act(&site, &user, command, &format!("a key with the digits {digits}")).await
}
