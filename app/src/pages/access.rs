//! Who may come in: tokens, servers' credentials and people, for an admin to see, make and revoke.

use std::net::IpAddr;

use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::cluster::{FieldError, Timestamp};
use crate::pages::layout::{Document, DocumentContext, document, moment, table, top};

#[derive(Clone, Debug)]
pub struct AccessPage {
    /// Where it lives, and how it appears.
    pub context: DocumentContext,
    /// The moment it is shown.
    pub now: Timestamp,
    /// Tokens, newest first.
    pub tokens: Vec<TokenLine>,
    /// Servers' credentials, newest first.
    pub credentials: Vec<TokenLine>,
    /// Who can sign in by a password; none where nobody does.
    pub people: Option<Vec<PersonLine>>,
    /// Whether whoever asks may create one: a guest of a product may not.
    pub can_create: bool,
    /// A token that was made this moment.
    pub made: Option<NewToken>,
    /// What was wished and not given.
    pub form: TokenForm,
    /// What is wrong with it.
    pub wrong: Vec<FieldError>,
}

/// A token or a credential.
#[derive(Clone, Debug)]
pub struct TokenLine {
    /// Its number.
    pub id: String,
    /// What it is for; of a credential, the server's name.
    pub name: String,
    /// What its bearer may.
    pub role: &'static str,
    /// When it was made.
    pub made: Timestamp,
    /// By whom.
    pub made_by: String,
    /// Where from.
    pub address: Option<IpAddr>,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// When it was last used.
    pub used: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// Somebody who can sign in.
#[derive(Clone, Debug)]
pub struct PersonLine {
    pub name: String,
    /// What they may.
    pub rank: &'static str,
}

/// A new token, told this once.
#[derive(Clone)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// The token itself.
    pub secret: String,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A token as it is wished for.
#[derive(Clone, Debug, Default)]
pub struct TokenForm {
    /// What it is for.
    pub name: String,
    /// What its bearer may.
    pub role: String,
    /// After how many seconds it ends by itself, or `never`.
    pub expires_in_s: String,
}

/// What a token can be good for, and in whose words.
const ROLES: [(&str, &str); 3] =
    [("viewer", "plain.role.viewer"), ("admin", "plain.role.admin"), ("join", "plain.role.join")];

/// After how many seconds a token ends by itself; the first is the suggestion.
const LIFETIMES: [(&str, &str); 4] = [
    ("7776000", "plain.life.90-days"),
    ("2592000", "plain.life.30-days"),
    ("31536000", "plain.life.year"),
    ("never", "plain.life.never"),
];

pub fn document_of(page: AccessPage) -> Document {
    let AccessPage { context, now, tokens, credentials, people, can_create, made, form, wrong } =
        page;
    let new = if can_create {
        new_token_form(&context, form, &wrong).into_any()
    } else {
        view! { <p class="muted">{context.label("plain.refused.guest")}</p> }.into_any()
    };
    let body = view! {
        {top(&context, "page.access", ("page.audit", "audit"))}
        <main class="sheet">
            <h1>{context.label("page.access")}</h1>
            {made.map(|made| new_token(&context, made))}
            {new}
            <section aria-labelledby="tokens">
                <h2 id="tokens">{context.label("plain.tokens")}</h2>
                <p class="muted">
                    {context.label("plain.tokens.use")} " "
                    <code>"Authorization: Bearer TOKEN"</code> ". "
                    {context.label("plain.tokens.join")}
                </p>
                {tokens_in(&context, now, tokens, "plain.tokens.none", true)}
            </section>
            <section aria-labelledby="credentials">
                <h2 id="credentials">{context.label("plain.credentials")}</h2>
                <p class="muted">
                    {context.label("plain.credentials.lead")}
                </p>
                {tokens_in(&context, now, credentials, "plain.credentials.none", false)}
            </section>
            {people.map(|people| people_table(&context, people))}
        </main>
    };
    document(&context, context.label("page.access"), body)
}

fn new_token(context: &DocumentContext, made: NewToken) -> impl IntoView + use<> {
    view! {
        <section class="made" role="status" aria-labelledby="made">
            <h2 id="made">{context.label("plain.made")} " " <bdi>{made.name}</bdi></h2>
            <p>{context.label("plain.made.copy")}</p>
            <pre id="secret" tabindex="0">{made.secret}</pre>
        </section>
    }
}

fn new_token_form(
    context: &DocumentContext,
    form: TokenForm,
    wrong: &[FieldError],
) -> impl IntoView + use<> {
    let told: Vec<_> = wrong
        .iter()
        .map(|wrong| view! { <p class="wrong">{context.label(error_key(&wrong.field))}</p> })
        .collect();
    let bad = |field: &str| wrong.iter().any(|wrong| wrong.field == field).then_some("true");
    let told = (!told.is_empty()).then(|| view! { <div role="alert" id="wrong">{told}</div> });
    view! {
        <section aria-labelledby="new">
            <h2 id="new">{context.label("plain.new")}</h2>
            <form class="ask" method="post" action=context.address("access/tokens")>
                <div class="field">
                    <label for="name">{context.label("plain.new.name")}</label>
                    <input
                        type="text"
                        id="name"
                        name="name"
                        value=form.name
                        maxlength="100"
                        autocomplete="off"
                        aria-invalid=bad("name")
                        required
                    />
                </div>
                <div class="field">
                    <label for="role">{context.label("plain.new.role")}</label>
                    <select id="role" name="role">{options(context, &ROLES, &form.role)}</select>
                </div>
                <div class="field">
                    <label for="life">{context.label("plain.new.life")}</label>
                    <select id="life" name="expires_in_s">{options(context, &LIFETIMES, &form.expires_in_s)}</select>
                </div>
                <button class="primary">{context.label("plain.new.button")}</button>
                {told}
            </form>
        </section>
    }
}

fn options(
    context: &DocumentContext,
    choices: &'static [(&str, &str)],
    chosen: &str,
) -> Vec<impl IntoView + use<>> {
    let option = |(value, key): &(&'static str, &'static str)| {
        view! {
            <option value=*value selected=*value == chosen>
                {context.label(key)}
            </option>
        }
    };
    choices.iter().map(option).collect()
}

/// The key of what is wrong with a field.
fn error_key(field: &str) -> &'static str {
    match field {
        "name" => "plain.new.wrong.name",
        "role" => "plain.new.wrong.role",
        _ => "plain.new.wrong.life",
    }
}

fn tokens_in(
    context: &DocumentContext,
    now: Timestamp,
    lines: Vec<TokenLine>,
    none: &'static str,
    roles: bool,
) -> AnyView {
    if lines.is_empty() {
        return view! { <p>{context.label(none)}</p> }.into_any();
    }
    let lines: Vec<_> = lines.into_iter().map(|token| line(context, now, token, roles)).collect();
    let heads: &[&str] = if roles {
        &["plain.head.for", "plain.head.lets", "plain.head.made", "plain.head.used", "item.state"]
    } else {
        &["column.server", "plain.head.made", "plain.head.used", "item.state"]
    };
    table(context, heads, lines).into_any()
}

fn line(
    context: &DocumentContext,
    now: Timestamp,
    token: TokenLine,
    roles: bool,
) -> impl IntoView + use<> {
    let good = token.revoked.is_none() && token.expires.is_none_or(|expires| now < expires);
    let by = match token.address {
        Some(address) => {
            let by = [("who", Arg::Text(token.made_by)), ("from", Arg::Text(address.to_string()))];
            context.words.say("plain.by-from", &by)
        }
        None => context.words.say("plain.by", &[("who", Arg::Text(token.made_by))]),
    };
    let state = match (token.revoked, token.expires) {
        (Some(revoked), _) => {
            view! { {context.label("plain.revoked")} " " {moment(Some(revoked), "")} }.into_any()
        }
        (None, Some(expires)) if !good => {
            view! { {context.label("plain.expired")} " " {moment(Some(expires), "")} }.into_any()
        }
        (None, expires) => {
            let until = match expires {
                Some(expires) => {
                    view! { {context.label("plain.good-until")} " " {moment(Some(expires), "")} }
                        .into_any()
                }
                None => context.label("plain.good").into_any(),
            };
            view! {
                {until}
                {revocation(context, &token.id, &token.name)}
            }
            .into_any()
        }
    };
    view! {
        <tr class:over=!good>
            <th scope="row">
                <bdi>{token.name}</bdi>
                <small>{token.id}</small>
            </th>
            {roles.then(|| view! { <td>{token.role}</td> })}
            <td>{moment(Some(token.made), "")}<small>{by}</small></td>
            <td>{moment(token.used, context.label("plain.never"))}</td>
            <td>{state}</td>
        </tr>
    }
}

/// The question before a token is revoked: it is opened, read and answered, without scripts too.
fn revocation(context: &DocumentContext, id: &str, name: &str) -> impl IntoView + use<> {
    view! {
        <details>
            <summary class="button" aria-label=format!("{} {name}", context.label("plain.revoke"))>
                {context.label("plain.revoke")}
            </summary>
            <form method="post" action=context.address("access/revocation")>
                <input type="hidden" name="id" value=id.to_owned() />
                <p>{context.label("plain.revoke.lead")}</p>
                <button class="danger">{context.label("plain.revoke.button")}</button>
            </form>
        </details>
    }
}

fn people_table(context: &DocumentContext, people: Vec<PersonLine>) -> impl IntoView + use<> {
    let lines: Vec<_> = people
        .into_iter()
        .map(|person| {
            view! {
                <tr>
                    <th scope="row">
                        <bdi>{person.name}</bdi>
                    </th>
                    <td>{person.rank}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <section aria-labelledby="people">
            <h2 id="people">{context.label("plain.people")}</h2>
            <p class="muted">
                {context.label("plain.people.set")} " "
                <code>"cluster-overview admin set-password NAME --rank viewer"</code> ". "
                {context.label("plain.people.remove")} " "
                <code>"cluster-overview admin remove NAME"</code> "."
            </p>
            {table(context, &["plain.name", "plain.head.may"], lines)}
        </section>
    }
}
