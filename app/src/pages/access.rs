//! Who may come in: tokens, servers' credentials and people, for an admin to see, make and revoke.

use std::net::IpAddr;

use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::cluster::{FieldError, Timestamp};
use crate::pages::layout::{Document, Sheet, document, moment, table, top};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct AccessPage {
    /// Where it lives, and how it appears.
    pub sheet: Sheet,
    /// The moment it is shown.
    pub now: Timestamp,
    /// Tokens, newest first.
    pub tokens: Vec<TokenLine>,
    /// Servers' credentials, newest first.
    pub credentials: Vec<TokenLine>,
    /// Who can sign in by a password; none where nobody does.
    pub people: Option<Vec<PersonLine>>,
    /// Whether whoever asks may create one: a guest of a product may not.
    pub may_create: bool,
    /// A token that was made this moment.
    pub made: Option<Made>,
    /// What was wished and not given.
    pub wish: WishLine,
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
    /// The name.
    pub name: String,
    /// What they may.
    pub rank: &'static str,
}

/// A new token, told this once.
#[derive(Clone)]
pub struct Made {
    /// What it is for.
    pub name: String,
    /// The token itself.
    pub secret: String,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A token as it is wished for.
#[derive(Clone, Debug, Default)]
pub struct WishLine {
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
const LIVES: [(&str, &str); 4] = [
    ("7776000", "plain.life.90-days"),
    ("2592000", "plain.life.30-days"),
    ("31536000", "plain.life.year"),
    ("never", "plain.life.never"),
];

/// The whole HTML document.
pub fn document_of(page: AccessPage) -> Document {
    let AccessPage { sheet, now, tokens, credentials, people, may_create, made, wish, wrong } =
        page;
    let new = if may_create {
        form(&sheet, wish, &wrong).into_any()
    } else {
        view! { <p class="muted">{sheet.label("plain.refused.guest")}</p> }.into_any()
    };
    let content = view! {
        {top(&sheet, "page.access", ("page.audit", "audit"))}
        <main class="sheet">
            <h1>{sheet.label("page.access")}</h1>
            {made.map(|made| new_token(&sheet, made))}
            {new}
            <section aria-labelledby="tokens">
                <h2 id="tokens">{sheet.label("plain.tokens")}</h2>
                <p class="muted">
                    {sheet.label("plain.tokens.use")} " "
                    <code>"Authorization: Bearer TOKEN"</code> ". "
                    {sheet.label("plain.tokens.join")}
                </p>
                {tokens_in(&sheet, now, tokens, "plain.tokens.none", true)}
            </section>
            <section aria-labelledby="credentials">
                <h2 id="credentials">{sheet.label("plain.credentials")}</h2>
                <p class="muted">
                    {sheet.label("plain.credentials.lead")}
                </p>
                {tokens_in(&sheet, now, credentials, "plain.credentials.none", false)}
            </section>
            {people.map(|people| those_who_sign_in(&sheet, people))}
        </main>
    };
    document(&sheet, sheet.label("page.access"), content)
}

fn new_token(sheet: &Sheet, made: Made) -> impl IntoView + use<> {
    view! {
        <section class="made" role="status" aria-labelledby="made">
            <h2 id="made">{sheet.label("plain.made")} " " <bdi>{made.name}</bdi></h2>
            <p>{sheet.label("plain.made.copy")}</p>
            <pre id="secret" tabindex="0">{made.secret}</pre>
        </section>
    }
}

fn form(sheet: &Sheet, wish: WishLine, wrong: &[FieldError]) -> impl IntoView + use<> {
    let told: Vec<_> = wrong
        .iter()
        .map(|wrong| view! { <p class="wrong">{sheet.label(misfit(&wrong.field))}</p> })
        .collect();
    let bad = |field: &str| wrong.iter().any(|wrong| wrong.field == field).then_some("true");
    let told = (!told.is_empty()).then(|| view! { <div role="alert" id="wrong">{told}</div> });
    view! {
        <section aria-labelledby="new">
            <h2 id="new">{sheet.label("plain.new")}</h2>
            <form class="ask" method="post" action=sheet.address("access/tokens")>
                <div class="field">
                    <label for="name">{sheet.label("plain.new.name")}</label>
                    <input
                        type="text"
                        id="name"
                        name="name"
                        value=wish.name
                        maxlength="100"
                        autocomplete="off"
                        aria-invalid=bad("name")
                        required
                    />
                </div>
                <div class="field">
                    <label for="role">{sheet.label("plain.new.role")}</label>
                    <select id="role" name="role">{options(sheet, &ROLES, &wish.role)}</select>
                </div>
                <div class="field">
                    <label for="life">{sheet.label("plain.new.life")}</label>
                    <select id="life" name="expires_in_s">{options(sheet, &LIVES, &wish.expires_in_s)}</select>
                </div>
                <button class="primary">{sheet.label("plain.new.button")}</button>
                {told}
            </form>
        </section>
    }
}

fn options(
    sheet: &Sheet,
    choices: &'static [(&str, &str)],
    chosen: &str,
) -> Vec<impl IntoView + use<>> {
    let option = |(value, key): &(&'static str, &'static str)| {
        view! {
            <option value=*value selected=*value == chosen>
                {sheet.label(key)}
            </option>
        }
    };
    choices.iter().map(option).collect()
}

/// The key of what is wrong with a field.
fn misfit(field: &str) -> &'static str {
    match field {
        "name" => "plain.new.wrong.name",
        "role" => "plain.new.wrong.role",
        _ => "plain.new.wrong.life",
    }
}

fn tokens_in(
    sheet: &Sheet,
    now: Timestamp,
    lines: Vec<TokenLine>,
    none: &'static str,
    roles: bool,
) -> AnyView {
    if lines.is_empty() {
        return view! { <p>{sheet.label(none)}</p> }.into_any();
    }
    let lines: Vec<_> = lines.into_iter().map(|token| line(sheet, now, token, roles)).collect();
    let heads: &[&str] = if roles {
        &["plain.head.for", "plain.head.lets", "plain.head.made", "plain.head.used", "item.state"]
    } else {
        &["column.server", "plain.head.made", "plain.head.used", "item.state"]
    };
    table(sheet, heads, lines).into_any()
}

fn line(sheet: &Sheet, now: Timestamp, token: TokenLine, roles: bool) -> impl IntoView + use<> {
    let good = token.revoked.is_none() && token.expires.is_none_or(|expires| now < expires);
    let by = match token.address {
        Some(address) => {
            let by = [("who", Arg::Text(token.made_by)), ("from", Arg::Text(address.to_string()))];
            sheet.words.say("plain.by-from", &by)
        }
        None => sheet.words.say("plain.by", &[("who", Arg::Text(token.made_by))]),
    };
    let state = match (token.revoked, token.expires) {
        (Some(revoked), _) => {
            view! { {sheet.label("plain.revoked")} " " {moment(Some(revoked), "")} }.into_any()
        }
        (None, Some(expires)) if !good => {
            view! { {sheet.label("plain.expired")} " " {moment(Some(expires), "")} }.into_any()
        }
        (None, expires) => {
            let until = match expires {
                Some(expires) => {
                    view! { {sheet.label("plain.good-until")} " " {moment(Some(expires), "")} }
                        .into_any()
                }
                None => sheet.label("plain.good").into_any(),
            };
            view! {
                {until}
                {revocation(sheet, &token.id, &token.name)}
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
            <td>{moment(token.used, sheet.label("plain.never"))}</td>
            <td>{state}</td>
        </tr>
    }
}

/// The question before a token is revoked: it is opened, read and answered, without scripts too.
fn revocation(sheet: &Sheet, id: &str, name: &str) -> impl IntoView + use<> {
    view! {
        <details>
            <summary class="button" aria-label=format!("{} {name}", sheet.label("plain.revoke"))>
                {sheet.label("plain.revoke")}
            </summary>
            <form method="post" action=sheet.address("access/revocation")>
                <input type="hidden" name="id" value=id.to_owned() />
                <p>{sheet.label("plain.revoke.lead")}</p>
                <button class="danger">{sheet.label("plain.revoke.button")}</button>
            </form>
        </details>
    }
}

fn those_who_sign_in(sheet: &Sheet, people: Vec<PersonLine>) -> impl IntoView + use<> {
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
            <h2 id="people">{sheet.label("plain.people")}</h2>
            <p class="muted">
                {sheet.label("plain.people.set")} " "
                <code>"cluster-overview admin set-password NAME --rank viewer"</code> ". "
                {sheet.label("plain.people.remove")} " "
                <code>"cluster-overview admin remove NAME"</code> "."
            </p>
            {table(sheet, &["plain.name", "plain.head.may"], lines)}
        </section>
    }
}
