//! `GET` and `POST /removals`: removes many servers that are gone, as a page that works without scripts.

use std::collections::BTreeSet;
use std::sync::Arc;

use app::cluster::removal::{NamePattern, RemovalFilter, RemovedServer};
use app::cluster::{FieldError, ServerName, Snapshot, Span, Timestamp};
use app::pages::DocumentContext;
use app::pages::removals::{
    Found, RemovalForm, RemovalOutcome, RemovalsPage, SERVERS_FIELD, render,
};
use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};

use crate::auth::identity::User;
use crate::commands::RemovalSelection;
use crate::http::api::dto;
use crate::http::body::Submitted;
use crate::http::extract::PageRequest;
use crate::http::pages::html::document_response;
use crate::http::problem::Problem;
use crate::http::query::{self, encode_value};
use crate::http::single_flight::on_blocking_thread;
use crate::live::LiveView;
use crate::site::Site;

/// How long servers must be gone if the query does not say.
const DEFAULT_STALE_FOR: &str = "1 d";
/// One confirmation removes at most so many servers: one transaction, with one audit entry that names them all.
const MAX_LISTED_SERVERS: usize = 500;
/// The names of the listed servers as the form sends them, which has at most 16 KiB.
const MAX_NAMES_BYTES: usize = 12 << 10;
/// How many servers that were not removed the page that follows names.
const MAX_NAMED_SERVERS: usize = 20;

/// Lists the servers that match, and says what the last removal did.
pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    PageRequest(context): PageRequest,
    RawQuery(query): RawQuery,
) -> Response {
    // After a removal, or after another web server, the list must be the current one.
    site.live.refresh().await;
    let page = on_blocking_thread(move || {
        let view = site.live.view();
        page(context, &view, query.as_deref().unwrap_or_default())
    });
    document_response(StatusCode::OK, render(page.await))
}

/// Removes the servers that were listed, except those that no longer match. Redirects to the page, which says what was done.
pub(crate) async fn post(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    PageRequest(context): PageRequest,
    sent: Submitted<Vec<(String, String)>>,
) -> Result<Redirect, Problem> {
    let pairs = sent.0?;
    let get = |name: &str| {
        pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim().to_owned())
    };
    let form = RemovalForm {
        stale_for: get("stale_for").unwrap_or_default(),
        name: get("name").unwrap_or_default(),
    };
    let names = get(SERVERS_FIELD).unwrap_or_default();
    let listed: BTreeSet<ServerName> =
        names.lines().filter_map(|name| ServerName::parse(name.trim()).ok()).collect();
    let Ok(filter) = filter(&form) else {
        return Ok(to(&context, &form, Vec::new()));
    };
    let selection = RemovalSelection { filter, only: Some(listed.clone()) };
    let (removed, failed) = match site.commands.remove_all(selection, false, &user.actor()).await {
        Ok(removed) => (removed, false),
        Err(partial) => (partial.removed, true),
    };
    let mut outcome = vec![("removed", removed.len().to_string())];
    if failed {
        outcome.push(("failed", "true".to_owned()));
    } else {
        let removed: BTreeSet<&ServerName> = removed.iter().collect();
        let left: Vec<&ServerName> = listed.iter().filter(|name| !removed.contains(name)).collect();
        let more = left.len().saturating_sub(MAX_NAMED_SERVERS);
        outcome.extend(left.iter().take(MAX_NAMED_SERVERS).map(|name| ("left", name.to_string())));
        if more > 0 {
            outcome.push(("more", more.to_string()));
        }
    }
    Ok(to(&context, &form, outcome))
}

fn to(
    context: &DocumentContext,
    form: &RemovalForm,
    outcome: Vec<(&'static str, String)>,
) -> Redirect {
    let pairs = context.appearance.pairs().into_iter().chain(form.pairs()).chain(outcome);
    let query: Vec<String> =
        pairs.map(|(name, value)| format!("{name}={}", encode_value(&value))).collect();
    Redirect::to(&format!("{}/removals?{}", context.site.base, query.join("&")))
}

fn page(context: DocumentContext, view: &LiveView, query: &str) -> RemovalsPage {
    let LiveView { snapshot, now, .. } = view;
    let form = form(query);
    let found = match (filter(&form), snapshot.blind_since) {
        (Err(errors), _) => Found::Nothing(errors),
        (Ok(_), Some(since)) => Found::Blind(since),
        (Ok(filter), None) => list(snapshot, snapshot.servers_to_remove(&filter, *now), *now),
    };
    RemovalsPage { outcome: outcome(snapshot, *now, query), context, now: *now, form, found }
}

/// What the query asks for. The page of the overview passes on the query of its list: a search for one word becomes a
/// pattern.
fn form(query: &str) -> RemovalForm {
    let value = |name: &str| query::value(Some(query), name).map(|text| text.trim().to_owned());
    let (stale_for, name) = (value("stale_for"), value("name"));
    let default = if name.is_some() { "" } else { DEFAULT_STALE_FOR };
    let searched = || value("q").and_then(|search| pattern_of(&search));
    RemovalForm {
        stale_for: stale_for.unwrap_or_else(|| default.to_owned()),
        name: name.or_else(searched).unwrap_or_default(),
    }
}

/// The pattern for the names that a search of one word finds.
fn pattern_of(search: &str) -> Option<String> {
    let word = search.strip_prefix("name:").unwrap_or(search);
    let is_one = !word.is_empty() && !word.contains([':', ' ']);
    is_one.then(|| format!("*{word}*"))
}

fn filter(form: &RemovalForm) -> Result<RemovalFilter, Vec<FieldError>> {
    let mut errors = Vec::new();
    let typed = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let stale_for = typed(&form.stale_for).and_then(|text| {
        let max = Span::seconds(dto::MAX_STALE_FOR_S);
        let span = Span::parse(&text).filter(|span| *span <= max);
        if span.is_none() {
            errors.push(FieldError::new("stale_for", "must be a duration"));
        }
        span
    });
    let name = typed(&form.name).and_then(|text| match NamePattern::parse(&text) {
        Ok(name) => Some(name),
        Err(why) => {
            errors.push(FieldError::new("name", why));
            None
        }
    });
    if errors.is_empty() && stale_for.is_none() && name.is_none() {
        errors.push(FieldError::new("", "is empty"));
    }
    if errors.is_empty() { Ok(RemovalFilter { stale_for, name }) } else { Err(errors) }
}

/// The first servers, as many as one form can name.
fn list(snapshot: &Snapshot, servers: Vec<RemovedServer>, now: Timestamp) -> Found {
    let total = servers.len();
    let mut bytes = 0;
    let fits = |server: &RemovedServer| {
        bytes += encode_value(server.name.as_str()).len() + encode_value("\r\n").len();
        bytes <= MAX_NAMES_BYTES
    };
    let first = servers.into_iter().take(MAX_LISTED_SERVERS).take_while(fits);
    let first = first
        .filter_map(|server| {
            let seen = snapshot.last_seen(&server, now)?;
            Some((server.name, seen))
        })
        .collect();
    Found::Servers { first, total }
}

/// What the query says about the last removal. Why a server was left is judged now, so that no link can claim it.
fn outcome(snapshot: &Snapshot, now: Timestamp, query: &str) -> Option<RemovalOutcome> {
    let number = |name: &str| query::value(Some(query), name)?.parse::<usize>().ok();
    let removed = number("removed")?;
    let failed = query::is_true(Some(query), "failed");
    let more = number("more").unwrap_or_default();
    let mut outcome = RemovalOutcome { removed, more, failed, ..RemovalOutcome::default() };
    let left: BTreeSet<ServerName> = query::values(query, "left")
        .take(MAX_NAMED_SERVERS)
        .filter_map(|name| ServerName::parse(&name).ok())
        .collect();
    let gone = snapshot.servers_to_remove(&RemovalFilter::default(), now);
    for name in left {
        let list = if !snapshot.has_server(&name) {
            &mut outcome.absent
        } else if gone.iter().any(|server| server.name == name) {
            &mut outcome.other
        } else {
            &mut outcome.live
        };
        list.push(name.to_string());
    }
    Some(outcome)
}
