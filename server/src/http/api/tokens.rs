//! `/api/v1/tokens`: lists, creates and revokes tokens.

use std::sync::Arc;

use app::cluster::FieldError;
use app::i18n::MessageKey;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};

use crate::auth::TokenError;
use crate::auth::identity::User;
use crate::http::api::dto;
use crate::http::extract::{PathParams, unreadable_path};
use crate::http::json::JsonBody;
use crate::http::problem::Problem;
use crate::site::Site;
use crate::telemetry::log_limit::LogLimit;

/// All tokens and credentials
#[utoipa::path(
    get,
    path = "/api/v1/tokens",
    operation_id = "tokens",
    responses((status = 200, description = "Newest first; revoked and expired ones stay for 31 days.", body = dto::Tokens))
)]
pub(crate) async fn list(State(site): State<Arc<Site>>) -> Json<dto::Tokens> {
    let auth_cache = site.live.auth_cache();
    let tokens = auth_cache.newest_tokens_first().into_iter().map(dto::Token::from).collect();
    Json(dto::Tokens { tokens })
}

/// Creates a token
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
        (status = 503, description = "The database cannot be written; nothing was created.")
    )
)]
pub(crate) async fn create(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    JsonBody(new): JsonBody<dto::NewToken>,
) -> Result<(StatusCode, Json<dto::CreatedToken>), Problem> {
    let new = new.at(site.store.now());
    let created = site.auth.create_token(new, None, &user.actor()).await;
    let (secret, token) = created.map_err(|error| token_problem(error, "name"))?;
    Ok((StatusCode::CREATED, Json(dto::CreatedToken::new(&token, &secret))))
}

/// Revokes a token or a server's credential
#[utoipa::path(
    delete,
    path = "/api/v1/tokens/{id}",
    operation_id = "revoke_token",
    params(("id" = String, Path, description = "Its ID, as in the list.")),
    responses(
        (status = 204, description = "It is no longer valid."),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "There is no valid token with this ID."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn revoke(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    id: PathParams<String>,
) -> Result<StatusCode, Problem> {
    let Path(id) = id.map_err(unreadable_path)?;
    match site.auth.revoke_token(&id, &user.actor()).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem::not_found("there is no valid token with this ID")),
        Err(error) => Err(token_problem(TokenError::Store(error), "id")),
    }
}

/// `field`: the field with the name, if the name is not valid.
pub(crate) fn token_problem(error: TokenError, field: &str) -> Problem {
    match error {
        TokenError::InvalidName(_) => {
            Problem::fields(vec![FieldError::new(field, error.to_string())])
        }
        TokenError::FormSentBefore => Problem::new(StatusCode::CONFLICT, error.to_string())
            .for_people(MessageKey::PagesFormSentBefore, Vec::new()),
        TokenError::OwnerGone => Problem::new(StatusCode::FORBIDDEN, error.to_string()),
        TokenError::Store(_) | TokenError::Random(_) => {
            static CHANGE_ERRORS: LogLimit = LogLimit::new();
            if let Some(left_out) = CHANGE_ERRORS.check() {
                tracing::error!(%error, left_out, "cannot change a token");
            }
            Problem::unavailable(
                "the overview cannot write to its database at present; nothing was changed",
            )
        }
    }
}
