//! `GET /audit` and `GET /audit.csv`: the audit log as a page and as a file, newest first.

use std::sync::Arc;

use app::cluster::{ServerName, Snapshot};
use app::i18n::MessageKey;
use app::page::route::Route;
use app::page::route::dialog::Dialog;
use app::pages::DocumentContext;
use app::pages::audit::{AuditFilter, AuditPage, AuditRow, render};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::auth::audit::{Action, AuditQuery, AuditRecord, AuthMethod};
use crate::http::api::audit::{AuditParams, MAX_TEXT_CHARS, next_before, read, wanted};
use crate::http::csv::Csv;
use crate::http::extract::PageRequest;
use crate::http::pages::html::document_response;
use crate::http::problem::Problem;
use crate::http::query::{MAX_LIMIT, encode_value, unreadable};
use crate::site::Site;

const LINES_PER_PAGE: u32 = 50;
/// A file has at most 100,000 entries; a narrower filter gives the rest.
const MAX_CSV_PAGES: usize = 100;

pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    PageRequest(context): PageRequest,
    params: Result<Query<AuditParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(params) = params.map_err(unreadable)?;
    let Typed { filter, cut, .. } = typed(&params);
    let wanted = filtered(&filter, params.before, LINES_PER_PAGE)?;
    let lines = read(&site, &wanted).await?;
    let appearance = context.appearance.query().replacen('?', "&", 1);
    let query = query(&filter);
    let older =
        next_before(&lines, &wanted).map(|before| format!("before={before}&{query}{appearance}"));
    let snapshot = site.live.snapshot();
    let page = AuditPage {
        rows: lines.into_iter().map(|record| line(record, &snapshot, &context)).collect(),
        context,
        actions: Action::ALL.map(|action| (action.as_str(), action_message(action))).to_vec(),
        filter,
        cut,
        csv: format!("audit.csv?{query}"),
        older,
        is_older: wanted.before.is_some(),
    };
    Ok(document_response(StatusCode::OK, render(page)))
}

/// Everything that the same filter shows on all pages, newest first.
pub(crate) async fn csv(
    State(site): State<Arc<Site>>,
    params: Result<Query<AuditParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(params) = params.map_err(unreadable)?;
    let Typed { filter, .. } = typed(&params);
    let mut wanted = filtered(&filter, params.before, MAX_LIMIT)?;
    let mut csv = Csv::new(CSV_HEADINGS);
    for _ in 0..MAX_CSV_PAGES {
        let records = read(&site, &wanted).await?;
        let before = next_before(&records, &wanted);
        for record in records {
            push(&mut csv, &record);
        }
        if before.is_none() {
            break;
        }
        wanted.before = before;
    }
    Ok(csv.into_response("cluster-overview-audit", site.live.now()))
}

const CSV_HEADINGS: [&str; 10] = [
    "at",
    "who",
    "proof",
    "address",
    "action",
    "target",
    "outcome",
    "count",
    "last_at",
    "request_id",
];

fn push(csv: &mut Csv, record: &AuditRecord) {
    csv.push([
        record.at.rfc3339(),
        record.who.clone(),
        record.auth_method.clone(),
        record.address.clone().unwrap_or_default(),
        record.action.clone(),
        record.target.clone(),
        record.outcome.clone(),
        record.count.to_string(),
        record.last_at.rfc3339(),
        record.request_id.clone().unwrap_or_default(),
    ]);
}

/// A filter as it was typed, its text cut to the greatest length that is searched for.
struct Typed {
    filter: AuditFilter,
    cut: Option<usize>,
}

fn typed(params: &AuditParams) -> Typed {
    let text = |param: &Option<String>| param.clone().unwrap_or_default().trim().to_owned();
    let typed = text(&params.text);
    let search: String = typed.chars().take(MAX_TEXT_CHARS).collect();
    let cut = (search.len() < typed.len()).then_some(MAX_TEXT_CHARS);
    let (action, from, until) = (text(&params.action), text(&params.from), text(&params.until));
    Typed { filter: AuditFilter { action, text: search, from, until }, cut }
}

fn filtered(
    filter: &AuditFilter,
    before: Option<String>,
    limit: u32,
) -> Result<AuditQuery, Problem> {
    let non_empty = |text: &String| (!text.is_empty()).then(|| text.clone());
    wanted(AuditParams {
        before,
        limit: Some(limit.to_string()),
        action: non_empty(&filter.action),
        text: non_empty(&filter.text),
        from: non_empty(&filter.from),
        until: non_empty(&filter.until),
    })
    .map_err(Problem::fields)
}

fn query(AuditFilter { action, text, from, until }: &AuditFilter) -> String {
    let [action, text, from, until] = [action, text, from, until].map(|text| encode_value(text));
    format!("action={action}&text={text}&from={from}&until={until}")
}

/// The address of the server that an entry is about, if it is there.
fn server_address(target: &str, snapshot: &Snapshot, context: &DocumentContext) -> Option<String> {
    // `web-1`, `service of web-1`, or `credential 0123456789abcdef of web-1`.
    let name = target.split_once(" of ").map(|(_, name)| name);
    let names = [Some(target), name].into_iter().flatten();
    let mut servers = names.filter_map(|name| ServerName::parse(name).ok());
    let server = servers.find(|server| snapshot.has_server(server))?;
    let appearance = context.appearance.clone();
    let dialog = Dialog::Details(server);
    let route = Route { dialog, appearance, ..Route::default() };
    Some(format!("{}/{}", context.site.base, route.address()))
}

fn line(line: AuditRecord, snapshot: &Snapshot, context: &DocumentContext) -> AuditRow {
    let AuditRecord {
        at, who, auth_method, address, action, target, outcome, count, last_at, ..
    } = line;
    let server = Action::ABOUT_SERVERS.iter().any(|about| about.as_str() == action);
    let server = server.then(|| server_address(&target, snapshot, context)).flatten();
    let auth_method = AuthMethod::ALL.into_iter().find(|known| known.as_str() == auth_method);
    let proof = auth_method.and_then(auth_method_message);
    let action = Action::ALL.into_iter().find(|known| known.as_str() == action);
    let action = action.map(action_message);
    AuditRow { at, who, proof, address, action, target, server, outcome, count, last_at }
}

const fn action_message(action: Action) -> MessageKey {
    match action {
        Action::SignIn => MessageKey::PagesAuditActionSignIn,
        Action::SignOut => MessageKey::PagesAuditActionSignOut,
        Action::FirstAdmin => MessageKey::PagesAuditActionFirstAdmin,
        Action::SetPassword => MessageKey::PagesAuditActionSetPassword,
        Action::Invite => MessageKey::PagesAuditActionInvite,
        Action::ResetPassword => MessageKey::PagesAuditActionResetPassword,
        Action::AcceptInvitation => MessageKey::PagesAuditActionAcceptInvitation,
        Action::ChangeRole => MessageKey::PagesAuditActionChangeRole,
        Action::EndSessions => MessageKey::PagesAuditActionEndSessions,
        Action::RemoveUser => MessageKey::PagesAuditActionRemoveUser,
        Action::Configure => MessageKey::PagesAuditActionConfigure,
        Action::Remove => MessageKey::PagesAuditActionRemove,
        Action::AcceptKey => MessageKey::PagesAuditActionAcceptKey,
        Action::Reconnect => MessageKey::PagesAuditActionReconnect,
        Action::TestChannel => MessageKey::PagesAuditActionTestChannel,
        Action::PauseChannel => MessageKey::PagesAuditActionPauseChannel,
        Action::Acknowledge => MessageKey::PagesAuditActionAcknowledge,
        Action::WithdrawAcknowledgement => MessageKey::PagesAuditActionWithdrawAcknowledgement,
        Action::CreateToken => MessageKey::PagesAuditActionCreateToken,
        Action::RevokeToken => MessageKey::PagesAuditActionRevokeToken,
        Action::Enrol => MessageKey::PagesAuditActionEnrol,
    }
}

const fn auth_method_message(method: AuthMethod) -> Option<MessageKey> {
    match method {
        AuthMethod::Nothing => None,
        AuthMethod::Password => Some(MessageKey::PagesAuditProofPassword),
        AuthMethod::SetupCode => Some(MessageKey::PagesAuditProofSetUpCode),
        AuthMethod::Invitation => Some(MessageKey::PagesAuditProofInvitation),
        AuthMethod::Session => Some(MessageKey::PagesAuditProofSession),
        AuthMethod::Proxy => Some(MessageKey::PagesAuditProofProxy),
        AuthMethod::Host => Some(MessageKey::PagesAuditProofProduct),
        AuthMethod::Token => Some(MessageKey::PagesAuditProofToken),
        AuthMethod::Command => Some(MessageKey::PagesAuditProofCommandLine),
    }
}
