//! `GET /account` and `POST /account/password`: a person's own account.

use std::cmp::Reverse;
use std::sync::Arc;

use app::i18n::MessageKey;
use app::pages::DocumentContext;
use app::pages::account::{AccountPage, PasswordError, PasswordField, SessionRow, render};
use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::auth::identity::User;
use crate::auth::origin::RequestOrigin;
use crate::auth::secret::SecretHash;
use crate::auth::{PasswordChange, SignInError};
use crate::http::api::people::require_passwords;
use crate::http::body::Submitted;
use crate::http::extract::PageRequest;
use crate::http::pages::html::document_response;
use crate::http::pages::sign_in::{error_response, error_sentence};
use crate::http::problem::Problem;
use crate::site::Site;

/// In the query of the page after a change of the password.
const CHANGED: &str = "done=password";

#[derive(Deserialize)]
pub(crate) struct PasswordFields {
    #[serde(default)]
    current: String,
    #[serde(default)]
    password: String,
}

pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    PageRequest(context): PageRequest,
    uri: Uri,
) -> Result<Response, Problem> {
    let account = own_account(&site, &user)?;
    let is_changed = uri.query().unwrap_or_default().split('&').any(|pair| pair == CHANGED);
    let page = AccountPage { is_changed, ..page(&site, context, &user, account) };
    Ok(document_response(StatusCode::OK, render(page)))
}

/// Answers 204 to a session that may change things. A script asks before it sends a form, which a redirect to the sign-in page
/// would empty.
pub(crate) async fn may_change() -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Changes the password and ends all other sessions of the person.
pub(crate) async fn change_password(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Extension(origin): Extension<RequestOrigin>,
    PageRequest(context): PageRequest,
    sent: Submitted<PasswordFields>,
) -> Result<Response, Problem> {
    let account = own_account(&site, &user)?;
    let PasswordFields { current, password } = sent.0?;
    let change = PasswordChange { current, new: password };
    let branding = site.branding();
    match site.auth.change_password(account, change, &origin, branding.name()).await {
        Ok(()) => {
            let address = context.address("account");
            let and = if address.contains('?') { '&' } else { '?' };
            Ok(Redirect::to(&format!("{address}{and}{CHANGED}")).into_response())
        }
        Err(error) => {
            let (field, message) = match &error {
                SignInError::WrongPassword => {
                    let message = context.catalog.text(MessageKey::PagesAccountWrong).to_owned();
                    (PasswordField::Current, message)
                }
                SignInError::Password(_) => {
                    (PasswordField::New, error_sentence(&error, context.catalog))
                }
                SignInError::WrongSetupCode
                | SignInError::BadInvitation
                | SignInError::InvalidName(_)
                | SignInError::TooManyAttempts(_)
                | SignInError::Busy(_)
                | SignInError::Blind(_)
                | SignInError::Random(_) => {
                    (PasswordField::Neither, error_sentence(&error, context.catalog))
                }
            };
            let error_shown = Some(PasswordError { field, message });
            let page = AccountPage { error: error_shown, ..page(&site, context, &user, account) };
            let mut response = error_response(&error, render(page));
            if matches!(error, SignInError::WrongPassword) {
                // The session is valid: 401 would ask for another authentication.
                *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            }
            Ok(response)
        }
    }
}

/// The key and the session of the user's own account.
fn own_account<'u>(site: &Site, user: &'u User) -> Result<(&'u str, SecretHash), Problem> {
    require_passwords(site)?;
    let other =
        || Problem::translated(StatusCode::CONFLICT, MessageKey::PagesAccountOther, Vec::new());
    user.own_account().ok_or_else(other)
}

fn page(
    site: &Site,
    context: DocumentContext,
    user: &User,
    (name_key, own): (&str, SecretHash),
) -> AccountPage {
    let auth_cache = site.live.auth_cache();
    let mut sessions: Vec<SessionRow> = auth_cache
        .sessions_of(name_key, site.live.now())
        .map(|(hash, session)| SessionRow {
            signed_in_at: session.signed_in_at,
            address: session.address,
            last_action_at: session.last_change_at,
            is_this: *hash == own,
        })
        .collect();
    sessions.sort_by_key(|session| Reverse(session.signed_in_at));
    AccountPage {
        context,
        name: user.name.clone(),
        role: user.role.as_str(),
        sessions,
        is_changed: false,
        error: None,
    }
}
