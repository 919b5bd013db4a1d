//! The forms of the access page about people: `POST /access/people` and what is below it.

use std::sync::Arc;

use app::cluster::{FieldError, Timestamp};
use app::pages::DocumentContext;
use app::pages::access::{AccessPage, render};
use app::pages::people::{InviteForm, NAME_TAKEN, NewLink, PeopleSection, PersonRow};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use crate::auth::cache::AuthCache;
use crate::auth::identity::User;
use crate::auth::model::Account;
use crate::auth::origin::RequestOrigin;
use crate::auth::{InvitationLink, PeopleError};
use crate::http::api::dto;
use crate::http::api::people::{SiteAddress, people_problem, require_passwords};
use crate::http::body::Submitted;
use crate::http::extract::PageRequest;
use crate::http::json::FromJson as _;
use crate::http::pages::access::{form_nonce, page};
use crate::http::pages::html::document_response;
use crate::http::problem::Problem;
use crate::site::Site;

/// A form about one person. Fields that it does not have are empty.
#[derive(Deserialize)]
pub(crate) struct PersonForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: String,
    /// Random; empty: the same form may be sent again.
    #[serde(default)]
    form: String,
}

/// Invites somebody. The link is in this response and nowhere else.
pub(crate) async fn invite(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Extension(origin): Extension<RequestOrigin>,
    headers: HeaderMap,
    PageRequest(context): PageRequest,
    sent: Submitted<PersonForm>,
) -> Result<Response, Problem> {
    require_passwords(&site)?;
    let address = SiteAddress::new(&site, &headers, &origin)?;
    let PersonForm { name, role, form } = sent.0?;
    let (status, errors) = match dto::NewPerson::from_json(&json!({"name": name, "role": role})) {
        Err(errors) => (StatusCode::UNPROCESSABLE_ENTITY, errors),
        Ok(new) => {
            let nonce = form_nonce(&form);
            match site.auth.invite(&new.name, new.role, nonce, &user.actor()).await {
                Ok(link) => return with_link(&site, context, &user, &link, &address),
                Err(PeopleError::NameTaken) => {
                    (StatusCode::CONFLICT, vec![FieldError::new("name", NAME_TAKEN)])
                }
                Err(error) => return Err(people_problem(error)),
            }
        }
    };
    let mut access = page(&site, context, &user)?;
    if let Some(people) = &mut access.people {
        *people =
            PeopleSection { form: InviteForm { name, role }, errors, ..std::mem::take(people) };
    }
    Ok(document_response(status, render(access)))
}

/// Creates a link with which a person chooses another password. It is in this response and nowhere else.
pub(crate) async fn reset(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Extension(origin): Extension<RequestOrigin>,
    headers: HeaderMap,
    PageRequest(context): PageRequest,
    sent: Submitted<PersonForm>,
) -> Result<Response, Problem> {
    require_passwords(&site)?;
    let address = SiteAddress::new(&site, &headers, &origin)?;
    let PersonForm { name, form, .. } = sent.0?;
    let link = site.auth.reset_password(&name, form_nonce(&form), &user.actor()).await;
    with_link(&site, context, &user, &link.map_err(people_problem)?, &address)
}

pub(crate) async fn change_role(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    PageRequest(context): PageRequest,
    sent: Submitted<PersonForm>,
) -> Result<Redirect, Problem> {
    require_passwords(&site)?;
    let PersonForm { name, role, .. } = sent.0?;
    let change = dto::RoleChange::from_json(&json!({"role": role})).map_err(Problem::fields)?;
    let changed = site.auth.set_role(&name, change.role, &user.actor()).await;
    changed.map_err(people_problem)?;
    Ok(after_change(&site, &context, &user, &name))
}

pub(crate) async fn end_sessions(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    PageRequest(context): PageRequest,
    sent: Submitted<PersonForm>,
) -> Result<Redirect, Problem> {
    require_passwords(&site)?;
    let name = sent.0?.name;
    site.auth.end_sessions_of(&name, &user.actor()).await.map_err(people_problem)?;
    Ok(after_change(&site, &context, &user, &name))
}

pub(crate) async fn remove(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    PageRequest(context): PageRequest,
    sent: Submitted<PersonForm>,
) -> Result<Redirect, Problem> {
    require_passwords(&site)?;
    let name = sent.0?.name;
    site.auth.remove_person(&name, &user.actor()).await.map_err(people_problem)?;
    Ok(after_change(&site, &context, &user, &name))
}

/// The access page again, or the overview for users who are no longer admins after a change of their own.
fn after_change(site: &Site, context: &DocumentContext, user: &User, name: &str) -> Redirect {
    let key = crate::auth::model::name_key(name);
    let is_own = user.own_account().is_some_and(|(own, _)| own == key);
    let auth_cache = site.live.auth_cache();
    let is_admin = user.owner.as_ref().is_none_or(|own| auth_cache.is_admin(own, site.live.now()));
    let path = if is_own && !is_admin { "" } else { "access" };
    Redirect::to(&context.address(path))
}

fn with_link(
    site: &Site,
    context: DocumentContext,
    user: &User,
    link: &InvitationLink,
    address: &SiteAddress,
) -> Result<Response, Problem> {
    let mut access: AccessPage = page(site, context, user)?;
    if let Some(people) = &mut access.people {
        people.new_link = Some(NewLink {
            name: link.name.clone(),
            link: address.link(link),
            expires_at: link.expires_at,
        });
    }
    Ok(document_response(StatusCode::CREATED, render(access)))
}

/// The people of a page.
pub(crate) fn section(auth_cache: &AuthCache, now: Timestamp) -> PeopleSection {
    let row = |(key, account): (&String, &Account)| {
        let moments: Vec<Timestamp> =
            auth_cache.sessions_of(key, now).map(|(_, session)| session.last_change_at).collect();
        PersonRow {
            name: account.name.clone(),
            role: account.role.as_str(),
            has_password: account.has_password(),
            sessions: moments.len(),
            last_action_at: moments.into_iter().max(),
            invited_until: account.open_invitation(now).map(|open| open.expires_at),
        }
    };
    PeopleSection {
        people: auth_cache.accounts.iter().map(row).collect(),
        ..PeopleSection::default()
    }
}
