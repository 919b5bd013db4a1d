//! `GET` and `POST /sign-in`, `POST /sign-out`. The page works without scripts.

use std::sync::Arc;

use app::cluster::Span;
use app::cluster::hints::Arg;
use app::i18n::{Catalog, MessageKey};
use app::page::appearance::Appearance;
use app::pages::sign_in::{SetUp, SignInForm};
use app::pages::{Document, DocumentContext};
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::auth::origin::{PublicHost, RequestOrigin};
use crate::auth::password::PasswordPolicyError;
use crate::auth::{AuthMode, SignInError, SignInRequest};
use crate::http::body::{FormProblem, Submitted};
use crate::http::extract::PageRequest;
use crate::http::pages::html::document_response;
use crate::http::problem::Problem;
use crate::http::query::{encode_unsafe, encode_value};
use crate::site::Site;
use crate::telemetry::outside_text::one_line;

/// Of the query of the page to which signing in leads back.
const MAX_THEN_BYTES: usize = 4 << 10;

/// The heading if signing in is impossible.
pub(crate) const NO_SIGN_IN: MessageKey = MessageKey::PagesNoCookieTitle;

#[derive(Default, Deserialize)]
pub(crate) struct SignInFields {
    #[serde(default)]
    name: String,
    #[serde(default)]
    password: String,
    code: Option<String>,
    /// The query of the page that was requested before signing in.
    #[serde(default)]
    then: String,
}

#[derive(Deserialize)]
pub(crate) struct SignInQuery {
    #[serde(default)]
    then: String,
}

#[derive(Deserialize)]
pub(crate) struct SignOutFields {
    everywhere: Option<String>,
}

/// The URL of the sign-in page, which leads back to the page with this query.
pub(crate) fn sign_in_url(base: &str, query: Option<&str>) -> String {
    match query.filter(|query| !query.is_empty() && query.len() <= MAX_THEN_BYTES) {
        None => format!("{base}/sign-in"),
        Some(query) => format!("{base}/sign-in?then={}", encode_value(query)),
    }
}

pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    Extension(origin): Extension<RequestOrigin>,
    PageRequest(context): PageRequest,
    headers: HeaderMap,
    wanted: Result<Query<SignInQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    require_password_mode(&site)?;
    require_session_cookie(&site, &headers, &origin)?;
    let then = wanted.map(|Query(wanted)| wanted.then).unwrap_or_default();
    // The appearance may be in the query of the page to which this leads back.
    let context = if context.appearance == Appearance::default() {
        site.document_context(&then, &headers)
    } else {
        context
    };
    Ok(document_response(StatusCode::OK, page(&site, context, String::new(), then, None)))
}

/// Signs in and redirects to the page, or says what is wrong.
pub(crate) async fn post(
    State(site): State<Arc<Site>>,
    Extension(origin): Extension<RequestOrigin>,
    PageRequest(context): PageRequest,
    headers: HeaderMap,
    sent: Submitted<SignInFields>,
) -> Result<Response, Problem> {
    require_password_mode(&site)?;
    require_session_cookie(&site, &headers, &origin)?;
    // A form that is too large is answered like a wrong password, after the same time.
    let sent = match sent.0 {
        Err(FormProblem::TooLarge) => SignInFields::default(),
        sent => sent?,
    };
    let SignInFields { name, password, code, then } = sent;
    let former = site.auth.session_cookie(&headers, &origin);
    let given = SignInRequest { name: name.clone(), password, code };
    match site.auth.sign_in(given, &origin, former, site.branding().name()).await {
        Ok(secret) => {
            // Only a query of our own page, so that this is no open redirect.
            let query =
                if then.is_empty() { String::new() } else { format!("?{}", encode_unsafe(&then)) };
            let mut response = Redirect::to(&format!("{}/{query}", site.base)).into_response();
            if let Some(cookie) = site.auth.set_cookie(&headers, &origin, Some(&secret)) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            Ok(response)
        }
        Err(error) => {
            let wrong = error_sentence(&error, context.catalog);
            Ok(error_response(&error, page(&site, context, name, then, Some(wrong))))
        }
    }
}

/// A page that says why a password or a code was not accepted.
pub(crate) fn error_response(error: &SignInError, page: Document) -> Response {
    let (status, retry_after) = match error {
        SignInError::WrongPassword | SignInError::WrongSetupCode => {
            (StatusCode::UNAUTHORIZED, None)
        }
        SignInError::BadInvitation => (StatusCode::GONE, None),
        SignInError::Password(_) | SignInError::InvalidName(_) => {
            (StatusCode::UNPROCESSABLE_ENTITY, None)
        }
        SignInError::TooManyAttempts(wait) => {
            (StatusCode::TOO_MANY_REQUESTS, Some((wait.0 + 999) / 1_000))
        }
        SignInError::Busy(_) | SignInError::Blind(_) | SignInError::Random(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, Some(1))
        }
    };
    let mut response = document_response(status, page);
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Ends the session, or all sessions of its person.
pub(crate) async fn sign_out(
    State(site): State<Arc<Site>>,
    Extension(origin): Extension<RequestOrigin>,
    PageRequest(context): PageRequest,
    headers: HeaderMap,
    sent: Submitted<SignOutFields>,
) -> Result<Response, Problem> {
    require_password_mode(&site)?;
    let leaving = sent.0?;
    if let Some(session) = site.auth.session_cookie(&headers, &origin) {
        let everywhere = leaving.everywhere.is_some_and(|word| word == "true");
        site.auth.sign_out(session, everywhere, &origin).await.map_err(|_| {
            Problem::unavailable(
                "the overview cannot write to its database at present; you are still signed in",
            )
        })?;
    }
    let mut response = Redirect::to(&context.address("sign-in")).into_response();
    if let Some(cookie) = site.auth.set_cookie(&headers, &origin, None) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Rejects a sign-in where the browser would not keep the session's cookie, before anything is checked, used up or recorded.
pub(crate) fn require_session_cookie(
    site: &Site,
    headers: &HeaderMap,
    origin: &RequestOrigin,
) -> Result<(), Problem> {
    let access = &site.auth;
    if access.can_keep_session(headers, origin) {
        return Ok(());
    }
    let own = PublicHost::from_request(headers, origin, &access.policy.proxies);
    let host = own.map(|own| one_line(&own.authority)).unwrap_or_default();
    let values = vec![("host", Arg::Text(host))];
    Err(Problem::translated(StatusCode::FORBIDDEN, MessageKey::PagesNoCookie, values)
        .titled(NO_SIGN_IN))
}

fn require_password_mode(site: &Site) -> Result<(), Problem> {
    match site.auth.policy.mode {
        AuthMode::Password => Ok(()),
        AuthMode::Open => {
            let page = &site.base;
            Err(Problem::not_found(format!("nobody signs in here: the page is at {page}/")))
        }
        AuthMode::Proxy { .. } | AuthMode::Host(_) => Err(Problem::not_found(format!(
            "people sign in at the product, not here: the page is at {}/",
            site.base
        ))),
    }
}

pub(crate) fn error_sentence(error: &SignInError, catalog: &Catalog) -> String {
    let wait = if let SignInError::TooManyAttempts(wait) = error { *wait } else { Span::ZERO };
    let key = match error {
        SignInError::WrongPassword => MessageKey::PagesSignInWrong,
        SignInError::WrongSetupCode => MessageKey::PagesSignInWrongCode,
        SignInError::BadInvitation => MessageKey::PagesInvitationInvalid,
        SignInError::Password(PasswordPolicyError::Short) => MessageKey::PagesPasswordShort,
        SignInError::Password(PasswordPolicyError::Long) => MessageKey::PagesPasswordLong,
        SignInError::Password(PasswordPolicyError::OwnWords) => MessageKey::PagesPasswordAName,
        SignInError::Password(PasswordPolicyError::Repeated) => MessageKey::PagesPasswordRepeated,
        SignInError::Password(PasswordPolicyError::Common) => MessageKey::PagesPasswordCommon,
        SignInError::InvalidName(_) => MessageKey::PagesSignInInvalidName,
        SignInError::TooManyAttempts(_) => MessageKey::PagesSignInTooMany,
        SignInError::Busy(_) | SignInError::Random(_) => MessageKey::PagesSignInBusy,
        SignInError::Blind(_) => MessageKey::PagesSignInDatabase,
    };
    catalog.format(key, &[("wait", Arg::Span(wait))])
}

fn page(
    site: &Site,
    context: DocumentContext,
    name: String,
    then: String,
    wrong: Option<String>,
) -> Document {
    let auth_cache = site.live.auth_cache();
    let set_up = match (auth_cache.has_admin(), &auth_cache.setup_code) {
        (true, _) => SetUp::Nothing,
        (false, Some(code)) if site.live.now() < code.expires_at => SetUp::FirstAdmin,
        (false, _) => SetUp::FirstAdminAfterExpiry,
    };
    let form = SignInForm { context, name, then, error: wrong, set_up };
    app::pages::sign_in::render(form)
}
