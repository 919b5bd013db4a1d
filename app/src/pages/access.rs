//! The access page: tokens, server credentials and people, for admins.

use std::net::IpAddr;

use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::cluster::{FieldError, Timestamp};
use crate::i18n::MessageKey;
use crate::pages::layout::{
    Document, DocumentContext, copyable, document, error_list, invalid, page_header, table, time,
};
use crate::pages::people::{self, PeopleSection};

#[derive(Clone, Debug)]
pub struct AccessPage {
    pub context: DocumentContext,
    pub now: Timestamp,
    /// Newest first.
    pub tokens: Vec<TokenRow>,
    /// Newest first.
    pub credentials: Vec<TokenRow>,
    /// Who can sign in with a password; `None` if nobody does.
    pub people: Option<PeopleSection>,
    /// A guest of a product may not.
    pub can_create: bool,
    /// Random, a new one for each page: the same form again creates nothing.
    pub nonce: String,
    /// A token that was created by this request.
    pub new_token: Option<NewToken>,
    /// The values of a rejected form.
    pub form: TokenForm,
    pub errors: Vec<FieldError>,
}

#[derive(Clone, Debug)]
pub struct TokenRow {
    pub id: String,
    /// The name of a credential is that of its server.
    pub name: String,
    pub role: &'static str,
    pub created_at: Timestamp,
    pub created_by: String,
    pub created_from: Option<IpAddr>,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// A new token. Its secret is shown only once.
#[derive(Clone)]
pub struct NewToken {
    pub name: String,
    pub secret: String,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The form for a new token, as it was sent.
#[derive(Clone, Debug, Default)]
pub struct TokenForm {
    pub name: String,
    pub role: String,
    /// A number of seconds, or `never`.
    pub expires_in_s: String,
}

/// The roles that a token can have.
const ROLES: [(&str, MessageKey); 3] = [
    ("viewer", MessageKey::PagesRoleViewer),
    ("admin", MessageKey::PagesRoleAdmin),
    ("join", MessageKey::PagesRoleJoin),
];

/// Lifetimes in seconds. The first is preselected.
const LIFETIMES: [(&str, MessageKey); 4] = [
    ("7776000", MessageKey::PagesLifetimeDays90),
    ("2592000", MessageKey::PagesLifetimeDays30),
    ("31536000", MessageKey::PagesLifetimeYear),
    ("never", MessageKey::PagesLifetimeNever),
];

pub fn render(page: AccessPage) -> Document {
    let AccessPage {
        context,
        now,
        tokens,
        credentials,
        people,
        can_create,
        nonce,
        new_token,
        form,
        errors,
    } = page;
    let form = if can_create {
        new_token_form(&context, form, &nonce, &errors).into_any()
    } else {
        view! { <p class="muted">{context.text(MessageKey::PagesForbiddenGuest)}</p> }.into_any()
    };
    let body = view! {
        {page_header(&context, MessageKey::HeaderAccess)}
        <main class="wide-page">
            <h1>{context.text(MessageKey::HeaderAccess)}</h1>
            {people.as_ref().and_then(|people| people::new_link(&context, people))}
            {new_token.map(|token| new_token_section(&context, token))}
            {form}
            <section aria-labelledby="tokens">
                <h2 id="tokens">{context.text(MessageKey::PagesTokens)}</h2>
                <p class="muted">
                    {context.text(MessageKey::PagesTokensUse)} " "
                    <code>"Authorization: Bearer TOKEN"</code> ". "
                    {context.text(MessageKey::PagesTokensJoin)}
                </p>
                {token_table(&context, now, tokens, MessageKey::PagesTokensNone, true)}
            </section>
            <section aria-labelledby="credentials">
                <h2 id="credentials">{context.text(MessageKey::PagesCredentials)}</h2>
                <p class="muted">
                    {context.text(MessageKey::PagesCredentialsLead)}
                </p>
                {token_table(&context, now, credentials, MessageKey::PagesCredentialsNone, false)}
            </section>
            {people.map(|people| people::section(&context, people, can_create, &nonce))}
        </main>
    };
    document(&context, context.text(MessageKey::HeaderAccess), body)
}

fn new_token_section(context: &DocumentContext, token: NewToken) -> impl IntoView + use<> {
    view! {
        <section class="new-token" role="status" aria-labelledby="new-token">
            <h2 id="new-token">{context.text(MessageKey::PagesCreatedToken)} " " <bdi>{token.name}</bdi></h2>
            <p>{context.text(MessageKey::PagesCreatedTokenCopy)}</p>
            {copyable(context, "secret".to_owned(), token.secret)}
        </section>
    }
}

fn new_token_form(
    context: &DocumentContext,
    form: TokenForm,
    nonce: &str,
    errors: &[FieldError],
) -> impl IntoView + use<> {
    let messages = error_list(context, "errors", errors, error_message);
    view! {
        <section aria-labelledby="new">
            <h2 id="new">{context.text(MessageKey::PagesNewToken)}</h2>
            <form class="inline-form" method="post" action=context.address("access/tokens")>
                <input type="hidden" name="form" value=nonce.to_owned() />
                <div class="field">
                    <label for="name">{context.text(MessageKey::PagesNewTokenName)}</label>
                    <input
                        type="text"
                        id="name"
                        name="name"
                        value=form.name
                        maxlength="100"
                        autocomplete="off"
                        aria-invalid=invalid(errors, "name")
                        required
                    />
                </div>
                <div class="field">
                    <label for="role">{context.text(MessageKey::PagesNewTokenPermissions)}</label>
                    <select id="role" name="role">{options(context, &ROLES, &form.role)}</select>
                </div>
                <div class="field">
                    <label for="lifetime">{context.text(MessageKey::PagesNewTokenLifetime)}</label>
                    <select id="lifetime" name="expires_in_s">{options(context, &LIFETIMES, &form.expires_in_s)}</select>
                </div>
                <button class="primary">{context.text(MessageKey::PagesNewTokenCreate)}</button>
                {messages}
            </form>
        </section>
    }
}

pub(crate) fn options(
    context: &DocumentContext,
    choices: &'static [(&str, MessageKey)],
    chosen: &str,
) -> Vec<impl IntoView + use<>> {
    let option = |(value, key): &(&'static str, MessageKey)| {
        view! {
            <option value=*value selected=*value == chosen>
                {context.text(*key)}
            </option>
        }
    };
    choices.iter().map(option).collect()
}

fn error_message(error: &FieldError) -> MessageKey {
    match error.field.as_str() {
        "name" => MessageKey::PagesNewTokenErrorName,
        "role" => MessageKey::PagesNewTokenErrorPermissions,
        _ => MessageKey::PagesNewTokenErrorLifetime,
    }
}

fn token_table(
    context: &DocumentContext,
    now: Timestamp,
    tokens: Vec<TokenRow>,
    empty_message: MessageKey,
    has_roles: bool,
) -> AnyView {
    if tokens.is_empty() {
        return view! { <p>{context.text(empty_message)}</p> }.into_any();
    }
    let rows: Vec<_> =
        tokens.into_iter().map(|token| token_row(context, now, token, has_roles)).collect();
    let headers: &[MessageKey] = if has_roles {
        &[
            MessageKey::PagesTokensColumnName,
            MessageKey::PagesTokensColumnPermissions,
            MessageKey::PagesTokensColumnCreated,
            MessageKey::PagesTokensColumnLastUsed,
            MessageKey::DetailsStatus,
        ]
    } else {
        &[
            MessageKey::ColumnServer,
            MessageKey::PagesTokensColumnCreated,
            MessageKey::PagesTokensColumnLastUsed,
            MessageKey::DetailsStatus,
        ]
    };
    table(context, headers, rows).into_any()
}

fn token_row(
    context: &DocumentContext,
    now: Timestamp,
    token: TokenRow,
    has_roles: bool,
) -> impl IntoView + use<> {
    let is_valid =
        token.revoked_at.is_none() && token.expires_at.is_none_or(|expires| now < expires);
    let by = match token.created_from {
        Some(address) => {
            let args =
                [("who", Arg::Text(token.created_by)), ("from", Arg::Text(address.to_string()))];
            context.catalog.format(MessageKey::PagesTokensByFrom, &args)
        }
        None => context
            .catalog
            .format(MessageKey::PagesTokensBy, &[("who", Arg::Text(token.created_by))]),
    };
    let status = match (token.revoked_at, token.expires_at) {
        (Some(revoked), _) => {
            view! { {context.text(MessageKey::PagesTokensRevoked)} " " {time(Some(revoked), "")} }
                .into_any()
        }
        (None, Some(expires)) if !is_valid => {
            view! { {context.text(MessageKey::PagesTokensExpired)} " " {time(Some(expires), "")} }
                .into_any()
        }
        (None, expires) => {
            let until = match expires {
                Some(expires) => {
                    view! { {context.text(MessageKey::PagesTokensValidUntil)} " " {time(Some(expires), "")} }
                        .into_any()
                }
                None => context.text(MessageKey::PagesTokensValid).into_any(),
            };
            view! {
                {until}
                {revocation_form(context, &token.id, &token.name)}
            }
            .into_any()
        }
    };
    view! {
        <tr class:inactive=!is_valid>
            <th scope="row">
                <bdi>{token.name}</bdi>
                <small>{token.id}</small>
            </th>
            {has_roles.then(|| view! { <td>{token.role}</td> })}
            <td>{time(Some(token.created_at), "")}<small>{by}</small></td>
            <td>{time(token.last_used_at, context.text(MessageKey::PagesTokensNeverUsed))}</td>
            <td>{status}</td>
        </tr>
    }
}

/// A confirmation that needs no scripts.
fn revocation_form(context: &DocumentContext, id: &str, name: &str) -> impl IntoView + use<> {
    view! {
        <details>
            <summary class="button" aria-label=format!("{} {name}", context.text(MessageKey::PagesTokensRevoke))>
                {context.text(MessageKey::PagesTokensRevoke)}
            </summary>
            <form method="post" action=context.address("access/revocation")>
                <input type="hidden" name="id" value=id.to_owned() />
                <p>{context.text(MessageKey::PagesTokensRevokeEffect)}</p>
                <button class="danger">{context.text(MessageKey::PagesTokensRevokeConfirm)}</button>
            </form>
        </details>
    }
}
