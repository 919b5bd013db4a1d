//! `GET` and `POST /add-server`: the page that adds a server, and the document in it that lists new servers.

use std::sync::Arc;

use app::cluster::{FieldError, Timestamp};
use app::pages::DocumentContext;
use app::pages::add_server::commands::Method;
use app::pages::add_server::new_servers::{self, NewServersPage, new_servers};
use app::pages::add_server::{AddServerPage, JoinToken, Unreachable, render};
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use crate::auth::identity::User;
use crate::auth::origin::RequestOrigin;
use crate::auth::{AuthMode, TokenError};
use crate::http::api::people::SiteAddress;
use crate::http::api::{dto, tokens};
use crate::http::body::Submitted;
use crate::http::extract::PageRequest;
use crate::http::json::FromJson as _;
use crate::http::pages::access::{form_nonce, new_nonce};
use crate::http::pages::html::{framed_document_response, framing_document_response};
use crate::http::problem::Problem;
use crate::http::query;
use crate::site::Site;

/// How long a join token of this page is valid: 24 h.
const TOKEN_LIFETIME_S: i64 = 86_400;

#[derive(Deserialize)]
pub(crate) struct JoinTokenForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    with: String,
    /// Empty: the same form may be sent again.
    #[serde(default)]
    form: String,
}

pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Extension(origin): Extension<RequestOrigin>,
    headers: HeaderMap,
    PageRequest(context): PageRequest,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let method = query::value(query.as_deref(), "with").unwrap_or_default();
    let address = SiteAddress::new(&site, &headers, &origin)?;
    let page = AddServerPage {
        since: since(&site, query.as_deref()),
        ..page(&site, context, &user, &address, &method)?
    };
    Ok(framing_document_response(StatusCode::OK, render(page)))
}

/// Creates a join token. Its secret is in this response and nowhere else.
pub(crate) async fn create_token(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    Extension(origin): Extension<RequestOrigin>,
    headers: HeaderMap,
    PageRequest(context): PageRequest,
    sent: Submitted<JoinTokenForm>,
) -> Result<Response, Problem> {
    let JoinTokenForm { name, with, form } = sent.0?;
    let address = SiteAddress::new(&site, &headers, &origin)?;
    let request = json!({"name": name, "role": "join", "expires_in_s": TOKEN_LIFETIME_S});
    let made = match dto::NewToken::from_json(&request) {
        Ok(new) => {
            let new = new.at(site.store.now());
            match site.auth.create_token(new, form_nonce(&form), &user.actor()).await {
                Ok(made) => Ok(made),
                Err(error @ TokenError::InvalidName(_)) => {
                    Err(vec![FieldError::new("name", error.to_string())])
                }
                Err(error) => return Err(tokens::token_problem(error, "name")),
            }
        }
        Err(wrong) => Err(wrong),
    };
    let page = page(&site, context, &user, &address, &with)?;
    let (status, page) = match made {
        Ok((secret, token)) => {
            let secret = secret.reveal().to_owned();
            let new_token = Some(JoinToken { secret, expires_at: token.expires_at });
            let since = token.created_at;
            (StatusCode::CREATED, AddServerPage { new_token, since, ..page })
        }
        Err(errors) => {
            let page = AddServerPage { errors, token_name: Some(name), ..page };
            (StatusCode::UNPROCESSABLE_ENTITY, page)
        }
    };
    Ok(framing_document_response(status, render(page)))
}

/// Lists the servers whose first heartbeat came since the moment in the query.
pub(crate) async fn list_new(
    State(site): State<Arc<Site>>,
    PageRequest(context): PageRequest,
    RawQuery(query): RawQuery,
) -> Response {
    let since = since(&site, query.as_deref());
    let servers = new_servers(&site.live.snapshot(), since);
    let page = NewServersPage { context, servers };
    framed_document_response(StatusCode::OK, new_servers::render(page))
}

/// The moment in the query, in milliseconds since 1970; else now.
fn since(site: &Site, query: Option<&str>) -> Timestamp {
    let moment = query::value(query, "since").and_then(|text| text.parse().ok()).map(Timestamp);
    moment.unwrap_or_else(|| site.live.now())
}

fn page(
    site: &Site,
    context: DocumentContext,
    user: &User,
    address: &SiteAddress,
    method: &str,
) -> Result<AddServerPage, Problem> {
    Ok(AddServerPage {
        context,
        method: Method::parse(method).unwrap_or_default(),
        overview: address.as_str().to_owned(),
        unreachable: unreachable(site, address),
        requires_enrolment: site.auth.policy.require_enrolment,
        can_create: !user.is_embedded(),
        nonce: new_nonce()?,
        since: site.live.now(),
        new_token: None,
        token_name: None,
        errors: Vec::new(),
    })
}

/// Why other servers cannot reach the overview at this address.
fn unreachable(site: &Site, address: &SiteAddress) -> Option<Unreachable> {
    let policy = &site.auth.policy;
    let loopback = site.listening().filter(|listening| listening.ip().is_loopback());
    match loopback {
        Some(listening) if policy.proxies.is_empty() => Some(Unreachable::Listener {
            address: listening.to_string(),
            port: listening.port(),
            open: policy.mode == AuthMode::Open,
        }),
        _ => address.is_loopback().then_some(Unreachable::Address),
    }
}
