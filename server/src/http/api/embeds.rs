//! `/api/v1/embeds`: codes with which a product's users see the page inside the product's page.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};

use crate::auth::identity::User;
use crate::auth::model::EMBED_CODE_LIFETIME;
use crate::auth::secret::SecretHash;
use crate::auth::{AuthMode, EmbedError, EmbedUser};
use crate::http::api::dto;
use crate::http::extract::{PathParams, unreadable_path};
use crate::http::json::JsonBody;
use crate::http::problem::Problem;
use crate::site::Site;
use crate::telemetry::log_limit::LogLimit;

/// Creates a code with which a person sees the page inside a product's page
///
/// The product's back end asks for it with its token, for the user who is signed in there, and hands it to the
/// browser: `GET /embed?code=…` trades it for a session, once.
#[utoipa::path(
    post,
    path = "/api/v1/embeds",
    operation_id = "create_embed",
    request_body = dto::NewEmbed,
    responses(
        (status = 201, description = "The code is in this answer and nowhere else.", body = dto::CreatedEmbed),
        (status = 400, description = "The body is not JSON."),
        (status = 403, description = "The token is a viewer's, and the code is for an admin."),
        (status = 409, description = "No code is needed or of use here; the answer says why."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "A field does not fit; each is named."),
        (status = 503, description = "The database cannot be written, or there are too many guests; nothing was created.")
    )
)]
pub(crate) async fn create(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    JsonBody(new): JsonBody<dto::NewEmbed>,
) -> Result<(StatusCode, Json<dto::CreatedEmbed>), Problem> {
    let embed_user = EmbedUser::from(new);
    let token = token(&site, &user)?;
    if embed_user.role > user.role {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "a viewer's token can only create codes for viewers: use an admin's token for an admin",
        ));
    }
    let (id, code) = site.auth.create_embed_session(embed_user, token).await.map_err(|error| {
        log_embed_failure(&error);
        Problem::unavailable("no code can be created at present: the overview cannot write to its database, or there are too many guests")
    })?;
    let code = code.reveal().to_owned();
    let created = dto::CreatedEmbed { id, code, good_for_s: EMBED_CODE_LIFETIME.0 / 1_000 };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Ends an embed session
#[utoipa::path(
    delete,
    path = "/api/v1/embeds/{id}",
    operation_id = "delete_embed",
    params(("id" = String, Path, description = "Its ID, as in the answer with the code.")),
    responses(
        (status = 204, description = "The code is no longer valid, and the session created with it has ended."),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "This token has created no embed session with this ID, or it has ended."),
        (status = 409, description = "No code is needed or of use here; the answer says why."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn delete(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    id: PathParams<String>,
) -> Result<StatusCode, Problem> {
    let Path(id) = id.map_err(unreadable_path)?;
    let token = token(&site, &user)?;
    match site.auth.revoke_embed_session(&id, token).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem::not_found(
            "this token has created no embed session with this ID, or it has ended",
        )),
        Err(_) => Err(Problem::unavailable(
            "the overview cannot write to its database at present; nothing was changed",
        )),
    }
}

/// The token of the product; an error where nobody needs codes.
fn token(site: &Site, user: &User) -> Result<SecretHash, Problem> {
    let conflict = |why: &str| Err(Problem::new(StatusCode::CONFLICT, why));
    match site.auth.policy.mode {
        AuthMode::Password if site.frame_ancestors.is_empty() => conflict(
            "no page may frame this overview: name the product's origin with --frame-ancestors",
        ),
        AuthMode::Password => match user.token {
            Some(token) => Ok(token),
            None => conflict("codes are created by programs, with a viewer's or an admin's token"),
        },
        AuthMode::Open => conflict("nobody signs in to this overview, so nobody needs a code"),
        AuthMode::Proxy { .. } | AuthMode::Host(_) => conflict(
            "this overview is reached through the product's own sign-in, so nobody needs a code",
        ),
    }
}

/// Limited, because everybody with a code or a viewer's token can cause this line.
pub(crate) fn log_embed_failure(error: &EmbedError) {
    static EMBED_FAILURES: LogLimit = LogLimit::new();
    if let Some(left_out) = EMBED_FAILURES.check() {
        tracing::warn!(%error, left_out, "cannot start an embed session");
    }
}
