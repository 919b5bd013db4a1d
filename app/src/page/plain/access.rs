//! Who may come in: tokens, servers' credentials and people, for an admin to see, make and revoke.

use std::net::IpAddr;

use leptos::prelude::*;

use super::{Document, document, moment, sentence, table, top};
use crate::api::Site;
use crate::cluster::{FieldError, Timestamp};

/// What the page shows.
#[derive(Clone, Debug)]
pub struct AccessPage {
    /// Where it lives.
    pub site: Site,
    /// The moment it is shown.
    pub now: Timestamp,
    /// Tokens, newest first.
    pub tokens: Vec<TokenLine>,
    /// Servers' credentials, newest first.
    pub credentials: Vec<TokenLine>,
    /// Who can sign in by a password; none where nobody does.
    pub people: Option<Vec<PersonLine>>,
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
const ROLES: [(&str, &str); 3] = [
    ("viewer", "viewer: reads the overview"),
    ("admin", "admin: also changes it"),
    ("join", "join: enrols servers"),
];

/// After how many seconds a token ends by itself; the first is the suggestion.
const LIVES: [(&str, &str); 4] = [
    ("7776000", "90 days"),
    ("2592000", "30 days"),
    ("31536000", "a year"),
    ("never", "until it is revoked"),
];

/// The whole HTML document.
pub fn document_of(page: AccessPage) -> Document {
    let AccessPage { site, now, tokens, credentials, people, made, wish, wrong } = page;
    let base = site.base.clone();
    let content = view! {
        {top(&site, "Access", ("Audit", "audit"))}
        <main class="sheet">
            <h1>"Access"</h1>
            {made.map(new_token)}
            {form(&base, wish, wrong)}
            <section aria-labelledby="tokens">
                <h2 id="tokens">"Tokens"</h2>
                <p class="muted">
                    "For programs: they send them as "<code>"Authorization: Bearer TOKEN"</code>
                    ". The join token that "<code>"serve"</code>
                    " was started with is not among them: it is in its file."
                </p>
                {tokens_in(&base, now, tokens, "There are none.", true)}
            </section>
            <section aria-labelledby="credentials">
                <h2 id="credentials">"Servers' credentials"</h2>
                <p class="muted">
                    "Each server gets one of its own at first contact. Revoked, it enrols again if it still has a join token."
                </p>
                {tokens_in(&base, now, credentials, "No server has enrolled yet.", false)}
            </section>
            {people.map(those_who_sign_in)}
        </main>
    };
    document(&site, "Access", content)
}

fn new_token(made: Made) -> impl IntoView {
    view! {
        <section class="made" role="status" aria-labelledby="made">
            <h2 id="made">"Token for " <bdi>{made.name}</bdi></h2>
            <p>"Copy it now: it is not kept, and not shown again."</p>
            <pre id="secret" tabindex="0">{made.secret}</pre>
        </section>
    }
}

fn form(base: &str, wish: WishLine, wrong: Vec<FieldError>) -> impl IntoView + use<> {
    let told: Vec<_> = wrong
        .iter()
        .map(|wrong| {
            let said = sentence(&format!("{} {}", spoken(&wrong.field), wrong.message));
            view! { <p class="wrong">{said}</p> }
        })
        .collect();
    let bad = |field: &str| wrong.iter().any(|wrong| wrong.field == field).then_some("true");
    let told = (!told.is_empty()).then(|| view! { <div role="alert" id="wrong">{told}</div> });
    view! {
        <section aria-labelledby="new">
            <h2 id="new">"New token"</h2>
            <form class="ask" method="post" action=format!("{base}/access/tokens")>
                <div class="field">
                    <label for="name">"What it is for"</label>
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
                    <label for="role">"What it lets do"</label>
                    <select id="role" name="role">{options(&ROLES, &wish.role)}</select>
                </div>
                <div class="field">
                    <label for="life">"Good for"</label>
                    <select id="life" name="expires_in_s">{options(&LIVES, &wish.expires_in_s)}</select>
                </div>
                <button class="primary">"Create token"</button>
                {told}
            </form>
        </section>
    }
}

fn options(choices: &'static [(&str, &str)], chosen: &str) -> Vec<impl IntoView + use<>> {
    let option = |(value, said): &(&'static str, &'static str)| {
        view! {
            <option value=*value selected=*value == chosen>
                {*said}
            </option>
        }
    };
    choices.iter().map(option).collect()
}

/// A field's name as the form has it.
fn spoken(field: &str) -> &str {
    match field {
        "name" => "what it is for",
        "role" => "what it lets do",
        "expires_in_s" => "how long it is good for",
        other => other,
    }
}

fn tokens_in(
    base: &str,
    now: Timestamp,
    lines: Vec<TokenLine>,
    none: &'static str,
    roles: bool,
) -> AnyView {
    if lines.is_empty() {
        return view! { <p>{none}</p> }.into_any();
    }
    let lines: Vec<_> = lines.into_iter().map(|token| line(base, now, token, roles)).collect();
    let heads: &[&str] = if roles {
        &["For", "Lets", "Made", "Last used", "State"]
    } else {
        &["Server", "Made", "Last used", "State"]
    };
    table(heads, lines).into_any()
}

fn line(base: &str, now: Timestamp, token: TokenLine, roles: bool) -> impl IntoView + use<> {
    let good = token.revoked.is_none() && token.expires.is_none_or(|expires| now < expires);
    let by = match token.address {
        Some(address) => format!("by {} from {address}", token.made_by),
        None => format!("by {}", token.made_by),
    };
    let state = match (token.revoked, token.expires) {
        (Some(revoked), _) => view! { "revoked " {moment(Some(revoked), "")} }.into_any(),
        (None, Some(expires)) if !good => {
            view! { "expired " {moment(Some(expires), "")} }.into_any()
        }
        (None, expires) => {
            let until = match expires {
                Some(expires) => view! { "good until " {moment(Some(expires), "")} }.into_any(),
                None => "good".into_any(),
            };
            view! {
                {until}
                {revocation(base, &token.id, &token.name)}
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
            <td>{moment(token.used, "never")}</td>
            <td>{state}</td>
        </tr>
    }
}

/// The question before a token is revoked: it is opened, read and answered, without scripts too.
fn revocation(base: &str, id: &str, name: &str) -> impl IntoView + use<> {
    view! {
        <details>
            <summary class="button" aria-label=format!("Revoke {name}")>
                "Revoke"
            </summary>
            <form method="post" action=format!("{base}/access/revocation")>
                <input type="hidden" name="id" value=id.to_owned() />
                <p>"Whoever has it is refused at once. This cannot be undone."</p>
                <button class="danger">"Revoke for good"</button>
            </form>
        </details>
    }
}

fn those_who_sign_in(people: Vec<PersonLine>) -> impl IntoView {
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
            <h2 id="people">"People"</h2>
            <p class="muted">
                "Passwords are set on a machine that has the database: "
                <code>"cluster-overview admin set-password NAME --rank viewer"</code>"; "
                <code>"cluster-overview admin remove NAME"</code>" ends all their sessions."
            </p>
            {table(&["Name", "May"], lines)}
        </section>
    }
}
