//! `/api/v1/tokens`: listing, creating and revoking tokens.

use std::net::IpAddr;
use std::sync::Arc;

use app::cluster::{FieldError, Span, Timestamp};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde_json::{Value, json};

use crate::Site;
use crate::auth::cache::{Token, TokenRole};
use crate::auth::identity::Person;
use crate::auth::{NewToken, TokenChange};
use crate::http::api::dto;
use crate::http::body::Sender;
use crate::http::extract::{PathParams, unreadable_path};
use crate::http::json;
use crate::http::problem::Problem;
use crate::telemetry::log_limit::LogLimit;

/// The longest life of a token that ends by itself: ten years.
const LONGEST_LIFE: Span = Span::minutes(10 * 366 * 24 * 60);

/// All tokens and credentials
#[utoipa::path(
    get,
    path = "/api/v1/tokens",
    operation_id = "tokens",
    responses((status = 200, description = "Newest first; those that are over stay for 31 days.", body = dto::Tokens))
)]
pub(crate) async fn list(State(site): State<Arc<Site>>) -> Json<Value> {
    let keyring = site.live.keyring();
    let tokens = keyring.newest_first();
    Json(json!({"tokens": tokens.into_iter().map(shown).collect::<Vec<_>>()}))
}

/// Makes a token
#[utoipa::path(
    post,
    path = "/api/v1/tokens",
    operation_id = "create_token",
    request_body = dto::NewToken,
    responses(
        (status = 201, description = "Its secret is in this answer and nowhere else.", body = dto::CreatedToken),
        (status = 400, description = "The body is not JSON."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "A field does not fit; each is named."),
        (status = 503, description = "The database cannot be written; nothing was made.")
    )
)]
pub(crate) async fn create(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let value: Value = json::parse(&headers, &site.bodies.read(Sender::Person, body).await?)?;
    let wish = wish(&value, site.store.now()).map_err(Problem::fields)?;
    let made = site.create_token(wish, &person.actor()).await;
    let (secret, token) = made.map_err(|error| refused(error, "name"))?;
    let mut answer = shown(&token);
    answer["token"] = json!(secret.reveal());
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Revokes a token or a server's credential
#[utoipa::path(
    delete,
    path = "/api/v1/tokens/{id}",
    operation_id = "revoke_token",
    params(("id" = String, Path, description = "Its number, as the list has it.")),
    responses(
        (status = 204, description = "It proves nothing any more."),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "There is no such token that is still good."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn revoke(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    id: PathParams<String>,
) -> Result<StatusCode, Problem> {
    let Path(id) = id.map_err(unreadable_path)?;
    match site.revoke_token(&id, &person.actor()).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem::not_found("there is no such token that is still good")),
        Err(error) => Err(refused(TokenChange::Store(error), "id")),
    }
}

pub(crate) fn wish(value: &Value, now: Timestamp) -> Result<NewToken, Vec<FieldError>> {
    let mut errors = Vec::new();
    let role = match value.get("role").and_then(Value::as_str).and_then(TokenRole::parse) {
        Some(role) if role != TokenRole::Node => Some(role),
        _ => {
            errors.push(FieldError::new("role", "must be join, viewer or admin"));
            None
        }
    };
    let name = value.get("name").and_then(Value::as_str);
    if name.is_none() {
        errors.push(FieldError::new("name", "is required, and says what the token is for"));
    }
    let expires = match value.get("expires_in_s") {
        None | Some(Value::Null) => Ok(None),
        Some(seconds) => match seconds.as_i64().map(Span::seconds) {
            Some(span) if span > Span::ZERO && span <= LONGEST_LIFE => Ok(Some(now + span)),
            _ => Err(FieldError::new(
                "expires_in_s",
                "must be a whole number of seconds, at most ten years",
            )),
        },
    };
    let expires = expires.unwrap_or_else(|error| {
        errors.push(error);
        None
    });
    match (role, name) {
        (Some(role), Some(name)) if errors.is_empty() => {
            Ok(NewToken { role, name: name.to_owned(), expires })
        }
        _ => Err(errors),
    }
}

fn shown(token: &Token) -> Value {
    let moment = |moment: Option<Timestamp>| moment.map(Timestamp::rfc3339);
    json!({
        "id": token.id,
        "role": token.role.as_str(),
        "name": token.name,
        "created_at": token.made.rfc3339(),
        "created_by": token.made_by,
        "address": token.address.map(|address: IpAddr| address.to_string()),
        "expires_at": moment(token.expires),
        "last_used_at": moment(token.used),
        "revoked_at": moment(token.revoked),
    })
}

pub(crate) fn refused(error: TokenChange, field: &str) -> Problem {
    match error {
        TokenChange::Name => Problem::fields(vec![FieldError::new(field, error.to_string())]),
        TokenChange::MakerEnded => Problem::new(StatusCode::FORBIDDEN, error.to_string()),
        TokenChange::Store(_) | TokenChange::Random(_) => {
            static NOT_CHANGED: LogLimit = LogLimit::new();
            if let Some(left_out) = NOT_CHANGED.check() {
                tracing::error!(%error, left_out, "cannot change a token");
            }
            Problem::unavailable(
                "the overview's database cannot be written at present; nothing was changed",
            )
        }
    }
}
