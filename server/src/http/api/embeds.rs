//! `/api/v1/embeds`: codes that let a product's people see the page inside the product's own page.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};

use crate::Site;
use crate::auth::cache::CODE;
use crate::auth::identity::Person;
use crate::auth::secret::Hash;
use crate::auth::{EmbedRefusal, Invitation, Mode};
use crate::http::api::dto;
use crate::http::extract::{PathParams, unreadable_path};
use crate::http::json::JsonBody;
use crate::http::problem::Problem;
use crate::telemetry::log_limit::LogLimit;

/// Makes a code that lets a person in, into a frame within a product's page
///
/// The product's back end asks for it with its token, for whoever is signed in there, and hands it to the
/// browser: `GET /embed?code=…` trades it for a session, once.
#[utoipa::path(
    post,
    path = "/api/v1/embeds",
    operation_id = "create_embed",
    request_body = dto::NewEmbed,
    responses(
        (status = 201, description = "The code is in this answer and nowhere else.", body = dto::CreatedEmbed),
        (status = 400, description = "The body is not JSON."),
        (status = 403, description = "The token is a viewer's, and an admin is to be let in."),
        (status = 409, description = "No code is needed or of use here; the answer says why."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "A field does not fit; each is named."),
        (status = 503, description = "The database cannot be written, or there are too many guests; nothing was made.")
    )
)]
pub(crate) async fn create(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    JsonBody(new): JsonBody<dto::NewEmbed>,
) -> Result<(StatusCode, Json<dto::CreatedEmbed>), Problem> {
    let invitation = Invitation::from(new);
    let token = token(&site, &person)?;
    if invitation.rank > person.rank {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "a viewer's token lets viewers in: use an admin's token to let an admin in",
        ));
    }
    let (id, code) = site.invite(invitation, token).await.map_err(|error| {
        log_not_let_in(&error);
        Problem::unavailable("nobody can be let in at present: the database cannot be written, or there are too many guests")
    })?;
    let code = code.reveal().to_owned();
    let created = dto::CreatedEmbed { id, code, good_for_s: CODE.0 / 1_000 };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Ends the visit of a person who was let in
#[utoipa::path(
    delete,
    path = "/api/v1/embeds/{id}",
    operation_id = "delete_embed",
    params(("id" = String, Path, description = "Its number, as the answer with the code had it.")),
    responses(
        (status = 204, description = "The code lets nobody in any more, and whoever came by it is out."),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "This token has let nobody in by this number, or they are out already."),
        (status = 409, description = "No code is needed or of use here; the answer says why."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn delete(
    State(site): State<Arc<Site>>,
    Extension(person): Extension<Person>,
    id: PathParams<String>,
) -> Result<StatusCode, Problem> {
    let Path(id) = id.map_err(unreadable_path)?;
    let token = token(&site, &person)?;
    match site.part_with(&id, token).await {
        Ok(true) => Ok(StatusCode::NO_CONTENT),
        Ok(false) => Err(Problem::not_found(
            "this token has let nobody in by this number, or they are out already",
        )),
        Err(_) => Err(Problem::unavailable(
            "the overview's database cannot be written at present; nothing was changed",
        )),
    }
}

/// The product's token, where codes are of use.
fn token(site: &Site, person: &Person) -> Result<Hash, Problem> {
    let conflict = |why: &str| Err(Problem::new(StatusCode::CONFLICT, why));
    match site.access.policy.mode {
        Mode::Password if site.frame_ancestors.is_empty() => conflict(
            "nobody may frame this overview: name the product's origin with --frame-ancestors",
        ),
        Mode::Password => match person.token {
            Some(token) => Ok(token),
            None => conflict("codes are made by programs, with a viewer's or an admin's token"),
        },
        Mode::Open => conflict("nobody signs in to this overview, so nobody needs a code"),
        Mode::Proxy { .. } | Mode::Host(_) => conflict(
            "this overview is reached through the product's own sign-in, so nobody needs a code",
        ),
    }
}

/// Anybody with a code, or a viewer's token, can cause this line.
pub(crate) fn log_not_let_in(error: &EmbedRefusal) {
    static NOT_LET_IN: LogLimit = LogLimit::new();
    if let Some(left_out) = NOT_LET_IN.check() {
        tracing::warn!(%error, left_out, "cannot let a product's person in");
    }
}
