//! `GET` and `POST /invitation`: an invited person chooses a password. The page works without scripts.

use std::sync::Arc;

use app::pages::DocumentContext;
use app::pages::invitation::{InvitationPage, Step, render};
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::auth::SignInError;
use crate::auth::model::Account;
use crate::auth::origin::RequestOrigin;
use crate::http::api::people::require_passwords;
use crate::http::body::{FormProblem, Submitted};
use crate::http::extract::PageRequest;
use crate::http::pages::html::document_response;
use crate::http::pages::sign_in::{error_response, error_sentence, require_session_cookie};
use crate::http::problem::Problem;
use crate::site::Site;

#[derive(Default, Deserialize)]
pub(crate) struct InvitationFields {
    #[serde(default)]
    code: String,
    /// Absent while only the code is known.
    password: Option<String>,
}

/// The code is in the fragment of the address, so this page does not know it.
pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    Extension(origin): Extension<RequestOrigin>,
    PageRequest(context): PageRequest,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    require_passwords(&site)?;
    require_session_cookie(&site, &headers, &origin)?;
    let page = InvitationPage { context, error: None, step: Step::Code };
    Ok(document_response(StatusCode::OK, render(page)))
}

/// With a code: asks for the password. With both: sets the password, signs in, and redirects to the overview.
pub(crate) async fn post(
    State(site): State<Arc<Site>>,
    Extension(origin): Extension<RequestOrigin>,
    PageRequest(context): PageRequest,
    headers: HeaderMap,
    sent: Submitted<InvitationFields>,
) -> Result<Response, Problem> {
    require_passwords(&site)?;
    require_session_cookie(&site, &headers, &origin)?;
    // A form that is too large is answered like one with a wrong code.
    let InvitationFields { code, password } = match sent.0 {
        Err(FormProblem::TooLarge) => InvitationFields::default(),
        sent => sent?,
    };
    let Some(password) = password else {
        return Ok(match site.auth.invited(&code, &origin).await {
            Ok(account) => {
                let step = password_step(account, code);
                let page = InvitationPage { context, error: None, step };
                document_response(StatusCode::OK, render(page))
            }
            Err(error) => rejected(context, &error, Step::Code),
        });
    };
    let former = site.auth.session_cookie(&headers, &origin);
    let branding = site.branding();
    let accepted =
        site.auth.accept_invitation(&code, password, &origin, former, branding.name()).await;
    match accepted {
        Ok(secret) => {
            let mut response = Redirect::to(&context.address("")).into_response();
            if let Some(cookie) = site.auth.set_cookie(&headers, &origin, Some(&secret)) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            Ok(response)
        }
        Err(error) => {
            // What was entered stays, except for the password.
            let account = site.auth.account_invited_by(&code);
            let step = account.map_or(Step::Code, |account| password_step(account, code));
            Ok(rejected(context, &error, step))
        }
    }
}

fn password_step(account: Account, code: String) -> Step {
    let is_reset = account.has_password();
    Step::Password { name: account.name, code, is_reset }
}

fn rejected(context: DocumentContext, error: &SignInError, step: Step) -> Response {
    let sentence = error_sentence(error, context.catalog);
    let page = InvitationPage { context, error: Some(sentence), step };
    error_response(error, render(page))
}
