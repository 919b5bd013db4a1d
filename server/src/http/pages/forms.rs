//! The page's forms, for browsers without scripts. Each is answered by a redirect to the page, which shows the result, or the input
//! and its errors.

use std::sync::Arc;

use app::cluster::hints::Arg;
use app::cluster::{KeyKind, Role, ServerName};
use app::i18n::{Catalog, MessageKey};
use app::page::route::dialog::Dialog;
use app::page::route::{CommandFailure, Done, Route};
use app::page::settings::draft::Draft;
use app::pages::DocumentContext;
use app::protocol::{Command, CommandResult};
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Redirect;

use crate::auth::identity::User;
use crate::http::body::Submitted;
use crate::http::extract::PageRequest;
use crate::http::problem::Problem;
use crate::live::LiveView;
use crate::site::Site;

/// The fields of a form.
type Sent = Submitted<Vec<(String, String)>>;

/// Saves the settings. If they have an effect that the sender has not seen yet, it is shown first.
pub(crate) async fn settings(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    PageRequest(DocumentContext { appearance, .. }): PageRequest,
    sent: Sent,
) -> Result<Redirect, Problem> {
    let pairs = read(sent)?;
    let draft = Draft::from_pairs(&pairs).ok_or_else(|| lacks("heartbeat_interval_s"))?;
    let LiveView { snapshot, now, .. } = site.live.view();
    let draft = draft.rebase_onto(&snapshot.settings);
    let typed = |draft| {
        let dialog = Dialog::Settings(Some(draft));
        Route { dialog, appearance: appearance.clone(), ..Route::default() }
    };
    let Ok(settings) = draft.settings() else { return Ok(to(&site, &typed(draft))) };
    let shown = get(&pairs, "seen") == Some(draft.fingerprint().as_str());
    let would = Catalog::english().effects(&snapshot, &settings, now);
    if !would.is_empty() && !shown {
        return Ok(to(&site, &typed(draft)));
    }
    let outcome = site.act(Command::Configure(settings), &user.actor()).await;
    Ok(answer(&site, outcome, Done::Saved, typed(draft)))
}

/// Removes a component or a server. A live one needs a second confirmation.
pub(crate) async fn removal(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    PageRequest(DocumentContext { appearance, .. }): PageRequest,
    sent: Sent,
) -> Result<Redirect, Problem> {
    let pairs = read(sent)?;
    let server = get(&pairs, "server").and_then(|name| ServerName::parse(name).ok());
    let server = server.ok_or_else(|| lacks("server"))?;
    let role = match get(&pairs, "role") {
        None => None,
        Some(word) => Some(Role::parse(word).ok_or_else(|| lacks("role"))?),
    };
    let force = get(&pairs, "force") == Some("true");
    let asked = Dialog::Removal { server: server.clone(), role, again: force };
    let outcome = site.act(Command::Remove { server, role, force }, &user.actor()).await;
    let asked = Route { dialog: asked, appearance, ..Route::default() };
    Ok(answer(&site, outcome, Done::Removed(None), asked))
}

pub(crate) async fn acceptance(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    PageRequest(DocumentContext { appearance, .. }): PageRequest,
    sent: Sent,
) -> Result<Redirect, Problem> {
    let pairs = read(sent)?;
    let kind = get(&pairs, "kind")
        .and_then(|word| KeyKind::ALL.into_iter().find(|kind| kind.as_str() == word));
    let kind = kind.ok_or_else(|| lacks("kind"))?;
    let digits = get(&pairs, "key_check").ok_or_else(|| lacks("key_check"))?.to_owned();
    let asked = Dialog::AcceptKey { kind, digits: digits.clone() };
    let outcome = site.act(Command::Accept { kind, digits }, &user.actor()).await;
    Ok(answer(
        &site,
        outcome,
        Done::Accepted,
        Route { dialog: asked, appearance, ..Route::default() },
    ))
}

pub(crate) async fn reconnection(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    PageRequest(DocumentContext { appearance, .. }): PageRequest,
    sent: Sent,
) -> Result<Redirect, Problem> {
    let pairs = read(sent)?;
    let server = get(&pairs, "server").and_then(|name| ServerName::parse(name).ok());
    let server = server.ok_or_else(|| lacks("server"))?;
    let asked = Route { dialog: Dialog::Details(server.clone()), appearance, ..Route::default() };
    let outcome = site.act(Command::Reconnect { server }, &user.actor()).await;
    Ok(answer(&site, outcome, Done::Reconnected, asked))
}

fn read(sent: Sent) -> Result<Vec<(String, String)>, Problem> {
    Ok(sent.0?)
}

fn get<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

fn lacks(field: &str) -> Problem {
    let values = vec![("field", Arg::Text(field.to_owned()))];
    Problem::translated(StatusCode::UNPROCESSABLE_ENTITY, MessageKey::PagesFormFieldMissing, values)
}

/// Redirects to the page, which shows what was done, or the same form and why the command failed.
fn answer(site: &Site, outcome: CommandResult, done: Done, asked: Route) -> Redirect {
    match outcome {
        Ok(()) => to(site, &asked.after(done)),
        Err(app::protocol::CommandError::Live) => {
            let dialog = asked.dialog.confirming_live();
            to(site, &Route { dialog, ..asked })
        }
        Err(refusal) => {
            let failure = Some(CommandFailure::of_dialog(refusal.as_str()));
            to(site, &Route { failure, ..asked })
        }
    }
}

fn to(site: &Site, route: &Route) -> Redirect {
    Redirect::to(&format!("{}/{}", site.base, route.address_with_draft()))
}
