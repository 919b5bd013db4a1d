//! `GET /access`, `POST /access/tokens`, `POST /access/revocation`: people and tokens, as a page that works without scripts.

use std::sync::Arc;

use app::cluster::FieldError;
use app::pages::DocumentContext;
use app::pages::access::{AccessPage, NewToken, TokenForm, TokenRow, render};
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use crate::auth::identity::User;
use crate::auth::model::{Token, TokenRole};
use crate::auth::secret::{Secret, SecretHash};
use crate::auth::{AuthMode, TokenError};
use crate::http::api::{dto, tokens};
use crate::http::body::Submitted;
use crate::http::extract::PageRequest;
use crate::http::json::FromJson as _;
use crate::http::pages::html::document_response;
use crate::http::pages::people;
use crate::http::problem::Problem;
use crate::site::Site;

#[derive(Deserialize)]
pub(crate) struct NewTokenForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    expires_in_s: String,
    /// Empty: the same form may be sent again.
    #[serde(default)]
    form: String,
}

#[derive(Deserialize)]
pub(crate) struct RevocationForm {
    id: String,
}

pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    PageRequest(context): PageRequest,
) -> Result<Response, Problem> {
    Ok(document_response(StatusCode::OK, render(page(&site, context, &user)?)))
}

/// Creates a token. Its secret is in this response and nowhere else.
pub(crate) async fn create_token(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    PageRequest(context): PageRequest,
    sent: Submitted<NewTokenForm>,
) -> Result<Response, Problem> {
    let NewTokenForm { name, role, expires_in_s, form } = sent.0?;
    let expires = match expires_in_s.as_str() {
        "never" => json!(null),
        text => text.parse::<i64>().map_or_else(|_| json!(text), |seconds| json!(seconds)),
    };
    let request = json!({"name": name, "role": role, "expires_in_s": expires});
    let made = match dto::NewToken::from_json(&request) {
        Ok(new) => {
            let (new, form) = (new.at(site.store.now()), form_nonce(&form));
            match site.auth.create_token(new, form, &user.actor()).await {
                Ok(made) => Ok(made),
                Err(error @ TokenError::InvalidName(_)) => {
                    Err(vec![FieldError::new("name", error.to_string())])
                }
                Err(error) => return Err(tokens::token_problem(error, "name")),
            }
        }
        Err(wrong) => Err(wrong),
    };
    Ok(match made {
        Ok((secret, token)) => {
            let new_token = Some(NewToken { name: token.name, secret: secret.reveal().to_owned() });
            document_response(
                StatusCode::CREATED,
                render(AccessPage { new_token, ..page(&site, context, &user)? }),
            )
        }
        Err(errors) => {
            let form = TokenForm { name, role, expires_in_s };
            let page = AccessPage { form, errors, ..page(&site, context, &user)? };
            document_response(StatusCode::UNPROCESSABLE_ENTITY, render(page))
        }
    })
}

/// Revokes a token or a credential. It is not an error if it was revoked before.
pub(crate) async fn revoke_token(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    PageRequest(context): PageRequest,
    sent: Submitted<RevocationForm>,
) -> Result<Redirect, Problem> {
    let RevocationForm { id } = sent.0?;
    let revoked = site.auth.revoke_token(&id, &user.actor()).await;
    revoked.map_err(|error| tokens::token_problem(TokenError::Store(error), "id"))?;
    Ok(Redirect::to(&context.address("access")))
}

/// The random text of a form as it is stored; `None` if the form has none.
pub(crate) fn form_nonce(text: &str) -> Option<SecretHash> {
    (!text.is_empty()).then(|| SecretHash::new(text))
}

/// A random text for a new form.
pub(crate) fn new_nonce() -> Result<String, Problem> {
    let nonce = Secret::generate().map_err(|_| Problem::unavailable(NO_RANDOM_NUMBERS))?;
    Ok(nonce.reveal().to_owned())
}

pub(crate) fn page(
    site: &Site,
    context: DocumentContext,
    user: &User,
) -> Result<AccessPage, Problem> {
    let auth_cache = site.live.auth_cache();
    let (credentials, tokens): (Vec<&Token>, Vec<&Token>) = auth_cache
        .newest_tokens_first()
        .into_iter()
        .partition(|token| token.role == TokenRole::Server);
    let has_passwords = site.auth.policy.mode == AuthMode::Password;
    let people = has_passwords.then(|| people::section(&auth_cache, site.live.now()));
    Ok(AccessPage {
        context,
        now: site.live.now(),
        tokens: tokens.into_iter().map(line).collect(),
        credentials: credentials.into_iter().map(line).collect(),
        people,
        can_create: !user.is_embedded(),
        nonce: new_nonce()?,
        new_token: None,
        form: TokenForm::default(),
        errors: Vec::new(),
    })
}

const NO_RANDOM_NUMBERS: &str =
    "the system gives no random numbers at present; nothing was changed";

fn line(token: &Token) -> TokenRow {
    TokenRow {
        id: token.id.clone(),
        name: token.name.clone(),
        role: token.role.as_str(),
        created_at: token.created_at,
        created_by: token.created_by.clone(),
        created_from: token.address,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
        revoked_at: token.revoked_at,
    }
}
