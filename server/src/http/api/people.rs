//! `/api/v1/people`: lists, invites, changes and removes the people who sign in with a password.

use std::sync::Arc;

use app::cluster::FieldError;
use app::i18n::MessageKey;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};

use crate::auth::identity::User;
use crate::auth::origin::{PublicHost, RequestOrigin};
use crate::auth::{AuthMode, InvitationLink, PeopleError};
use crate::http::api::dto;
use crate::http::extract::{PathParams, unreadable_path};
use crate::http::json::JsonBody;
use crate::http::problem::Problem;
use crate::site::Site;
use crate::telemetry::log_limit::LogLimit;

/// Everybody who signs in with a password or is invited to
#[utoipa::path(
    get,
    path = "/api/v1/people",
    operation_id = "people",
    responses(
        (status = 200, description = "By name.", body = dto::People),
        (status = 409, description = "People do not sign in here with a password; the answer says how they do.")
    )
)]
pub(crate) async fn list(State(site): State<Arc<Site>>) -> Result<Json<dto::People>, Problem> {
    require_passwords(&site)?;
    site.live.refresh().await;
    Ok(Json(dto::People::at(&site.live.auth_cache(), site.live.now())))
}

/// Invites a person
///
/// The link is for the person: it opens a page on which they choose a password. It works once, for 24 hours.
#[utoipa::path(
    post,
    path = "/api/v1/people",
    operation_id = "invite_person",
    request_body = dto::NewPerson,
    responses(
        (status = 201, description = "The link is in this answer and nowhere else.", body = dto::Invitation),
        (status = 400, description = "The body is not JSON, or the request does not say at which host the overview is."),
        (status = 409, description = "There is a person with this name, or people do not sign in here with a password."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "A field does not fit; each is named."),
        (status = 503, description = "The database cannot be written; nothing was created.")
    )
)]
pub(crate) async fn invite(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Extension(origin): Extension<RequestOrigin>,
    headers: HeaderMap,
    JsonBody(new): JsonBody<dto::NewPerson>,
) -> Result<(StatusCode, Json<dto::Invitation>), Problem> {
    require_passwords(&site)?;
    let address = SiteAddress::new(&site, &headers, &origin)?;
    let link = site.auth.invite(&new.name, new.role, None, &user.actor()).await;
    Ok(created(&link.map_err(people_problem)?, &address))
}

/// Changes a person's role
#[utoipa::path(
    patch,
    path = "/api/v1/people/{name}",
    operation_id = "change_person",
    params(("name" = String, Path, description = "The person's name, in upper or lower case.")),
    request_body = dto::RoleChange,
    responses(
        (status = 204, description = "The person has this role, also in the sessions that they have."),
        (status = 400, description = "The body is not JSON, or the address cannot be read."),
        (status = 404, description = "There is no person with this name."),
        (status = 409, description = "This is the last admin who can sign in, or people do not sign in here with a password."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "A field does not fit; each is named."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn change_role(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    name: PathParams<String>,
    JsonBody(change): JsonBody<dto::RoleChange>,
) -> Result<StatusCode, Problem> {
    require_passwords(&site)?;
    let Path(name) = name.map_err(unreadable_path)?;
    let changed = site.auth.set_role(&name, change.role, &user.actor()).await;
    changed.map(|()| StatusCode::NO_CONTENT).map_err(people_problem)
}

/// Removes a person
#[utoipa::path(
    delete,
    path = "/api/v1/people/{name}",
    operation_id = "remove_person",
    params(("name" = String, Path, description = "The person's name, in upper or lower case.")),
    responses(
        (status = 204, description = "Their sessions and their invitation have ended, and the tokens that they created are revoked."),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "There is no person with this name."),
        (status = 409, description = "This is the last admin who can sign in, or people do not sign in here with a password."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn remove(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    name: PathParams<String>,
) -> Result<StatusCode, Problem> {
    require_passwords(&site)?;
    let Path(name) = name.map_err(unreadable_path)?;
    let removed = site.auth.remove_person(&name, &user.actor()).await;
    removed.map(|()| StatusCode::NO_CONTENT).map_err(people_problem)
}

/// Ends all sessions of a person
#[utoipa::path(
    delete,
    path = "/api/v1/people/{name}/sessions",
    operation_id = "end_sessions",
    params(("name" = String, Path, description = "The person's name, in upper or lower case.")),
    responses(
        (status = 204, description = "The person has no session, and can sign in again."),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "There is no person with this name."),
        (status = 409, description = "People do not sign in here with a password; the answer says how they do."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn end_sessions(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    name: PathParams<String>,
) -> Result<StatusCode, Problem> {
    require_passwords(&site)?;
    let Path(name) = name.map_err(unreadable_path)?;
    let ended = site.auth.end_sessions_of(&name, &user.actor()).await;
    ended.map(|()| StatusCode::NO_CONTENT).map_err(people_problem)
}

/// Lets a person choose another password
///
/// The present password works until the link is used; then all sessions of the person end. A former link of this person no
/// longer works.
#[utoipa::path(
    post,
    path = "/api/v1/people/{name}/invitation",
    operation_id = "reset_password",
    params(("name" = String, Path, description = "The person's name, in upper or lower case.")),
    responses(
        (status = 201, description = "The link is in this answer and nowhere else.", body = dto::Invitation),
        (status = 400, description = "The address cannot be read, or the request does not say at which host the overview is."),
        (status = 404, description = "There is no person with this name."),
        (status = 409, description = "People do not sign in here with a password; the answer says how they do."),
        (status = 503, description = "The database cannot be written; nothing was created.")
    )
)]
pub(crate) async fn reset_password(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Extension(origin): Extension<RequestOrigin>,
    headers: HeaderMap,
    name: PathParams<String>,
) -> Result<(StatusCode, Json<dto::Invitation>), Problem> {
    require_passwords(&site)?;
    let address = SiteAddress::new(&site, &headers, &origin)?;
    let Path(name) = name.map_err(unreadable_path)?;
    let link = site.auth.reset_password(&name, None, &user.actor()).await;
    Ok(created(&link.map_err(people_problem)?, &address))
}

fn created(link: &InvitationLink, address: &SiteAddress) -> (StatusCode, Json<dto::Invitation>) {
    let expires_at = link.expires_at.rfc3339();
    (StatusCode::CREATED, Json(dto::Invitation { link: address.link(link), expires_at }))
}

/// The address of the site for the browser that sent a request.
pub(crate) struct SiteAddress {
    /// Without a slash at its end.
    address: String,
    is_loopback: bool,
}

impl SiteAddress {
    pub(crate) fn new(
        site: &Site,
        headers: &HeaderMap,
        origin: &RequestOrigin,
    ) -> Result<Self, Problem> {
        let own = PublicHost::from_request(headers, origin, &site.auth.policy.proxies);
        let address = own.and_then(|own| {
            let address = own.address(origin.encrypted, &site.base)?;
            Some(Self { address, is_loopback: own.is_loopback() })
        });
        address.ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "the answer contains the address of the overview, but this request has no single, valid Host header",
            )
        })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.address
    }

    /// Whether only the overview's own machine can use it.
    pub(crate) const fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    pub(crate) fn link(&self, link: &InvitationLink) -> String {
        format!("{}{}", self.address, link.path())
    }
}

/// Rejects a request about people where nobody signs in with a password.
pub(crate) fn require_passwords(site: &Site) -> Result<(), Problem> {
    let message = match site.auth.policy.mode {
        AuthMode::Password => return Ok(()),
        AuthMode::Open => MessageKey::PagesUsersNoSignIn,
        AuthMode::Proxy { .. } | AuthMode::Host(_) => MessageKey::PagesUsersOfProduct,
    };
    Err(Problem::translated(StatusCode::CONFLICT, message, Vec::new()))
}

pub(crate) fn people_problem(error: PeopleError) -> Problem {
    let (status, message) = match error {
        PeopleError::Unknown => (StatusCode::NOT_FOUND, MessageKey::PagesUsersUnknown),
        PeopleError::NameTaken => (StatusCode::CONFLICT, MessageKey::PagesUsersNameTaken),
        PeopleError::LastAdmin => (StatusCode::CONFLICT, MessageKey::PagesUsersLastAdmin),
        PeopleError::NotAdmin => (StatusCode::FORBIDDEN, MessageKey::PagesUsersNotAdmin),
        PeopleError::FormSentBefore => (StatusCode::CONFLICT, MessageKey::PagesFormSentBefore),
        PeopleError::InvalidName(error) => {
            return Problem::fields(vec![FieldError::new("name", error.to_string())]);
        }
        PeopleError::Store(_) | PeopleError::Random(_) => {
            static CHANGE_ERRORS: LogLimit = LogLimit::new();
            if let Some(left_out) = CHANGE_ERRORS.check() {
                tracing::error!(%error, left_out, "cannot change a person");
            }
            return Problem::unavailable(
                "the overview cannot write to its database at present; nothing was changed",
            );
        }
    };
    Problem::new(status, error.to_string()).for_people(message, Vec::new())
}
