//! `GET /audit`: the audit log as a page, newest first.

use std::sync::Arc;

use app::i18n::MessageKey;
use app::pages::audit::{AuditPage, AuditRow, render};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::auth::audit::{Action, AuditRecord, AuthMethod};
use crate::http::api::audit::{AuditParams, MAX_TEXT_CHARS, next_before, read, unreadable, wanted};
use crate::http::extract::PageRequest;
use crate::http::pages::html::document_response;
use crate::http::problem::Problem;
use crate::http::query::encode_value;
use crate::site::Site;

const LINES_PER_PAGE: u32 = 50;

pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    PageRequest(context): PageRequest,
    params: Result<Query<AuditParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(params) = params.map_err(unreadable)?;
    let text = |param: &Option<String>| param.clone().unwrap_or_default().trim().to_owned();
    let (action, typed) = (text(&params.action), text(&params.text));
    let search: String = typed.chars().take(MAX_TEXT_CHARS).collect();
    let cut = (search.len() < typed.len()).then_some(MAX_TEXT_CHARS);
    let non_empty = |text: &String| (!text.is_empty()).then(|| text.clone());
    let wanted = wanted(AuditParams {
        before: params.before,
        limit: Some(LINES_PER_PAGE.to_string()),
        action: non_empty(&action),
        text: non_empty(&search),
    })
    .map_err(Problem::fields)?;
    let lines = read(&site, &wanted).await?;
    let older = next_before(&lines, &wanted).map(|before| {
        let (action, text) = (encode_value(&action), encode_value(&search));
        let appearance = context.appearance.query().replacen('?', "&", 1);
        format!("before={before}&action={action}&text={text}{appearance}")
    });
    let page = AuditPage {
        context,
        rows: lines.into_iter().map(line).collect(),
        actions: Action::ALL.map(|action| (action.as_str(), action_message(action))).to_vec(),
        action,
        text: search,
        cut,
        older,
        is_older: wanted.before.is_some(),
    };
    Ok(document_response(StatusCode::OK, render(page)))
}

fn line(line: AuditRecord) -> AuditRow {
    let AuditRecord {
        at, who, auth_method, address, action, target, outcome, count, last_at, ..
    } = line;
    let auth_method = AuthMethod::ALL.into_iter().find(|known| known.as_str() == auth_method);
    let proof = auth_method.and_then(auth_method_message);
    let action = Action::ALL.into_iter().find(|known| known.as_str() == action);
    let action = action.map(action_message);
    AuditRow { at, who, proof, address, action, target, outcome, count, last_at }
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
