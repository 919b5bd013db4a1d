//! `PUT /api/v1/reference-keys/{kind}`.

use std::sync::Arc;

use app::cluster::keys::check_digits;
use app::cluster::{FieldError, KeyKind};
use app::protocol::Command;
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::Site;
use crate::auth::identity::Person;
use crate::http::api::commands::act;
use crate::http::api::dto;
use crate::http::body::Sender;
use crate::http::extract::{PathParams, unreadable_path};
use crate::http::json;
use crate::http::problem::Problem;

/// Accepts a key as the one all others are held against
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
        (status = 409, description = "Two keys fit; give more digits."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "These are not 8 to 64 lower-case hex digits."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn put(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    kind: PathParams<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let body = site.bodies.read(Sender::Person, body).await;
    let Path(kind) = kind.map_err(unreadable_path)?;
    let kind = KeyKind::ALL
        .into_iter()
        .find(|known| known.as_str() == kind)
        .ok_or_else(|| Problem::not_found("a reference key is either encryption or machine"))?;
    let value: Value = json::parse(&headers, &body?)?;
    let digits = value.get("key_check").and_then(Value::as_str).unwrap_or_default();
    check_digits(digits)
        .map_err(|message| Problem::fields(vec![FieldError::new("key_check", message)]))?;
    let command = Command::Accept { kind, digits: digits.to_owned() };
    act(&site, &person, command, &format!("a key with the digits {digits}")).await
}
