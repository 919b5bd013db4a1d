//! `GET /audit`: what was done, newest first, as a page.

use std::sync::Arc;

use app::pages::audit::{AuditPage, AuditRow, render};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::auth::audit::{Action, AuditRecord};
use crate::http::api::audit::{AuditParams, MAX_TEXT_CHARS, next_before, read, unreadable, wanted};
use crate::http::extract::PageRequest;
use crate::http::pages::html::document_response;
use crate::http::problem::Problem;
use crate::http::query::encode_value;
use crate::site::Site;

const LINES_PER_PAGE: u32 = 50;

/// The page.
pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    PageRequest(context): PageRequest,
    asked: Result<Query<AuditParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(asked) = asked.map_err(unreadable)?;
    let text = |given: &Option<String>| given.clone().unwrap_or_default().trim().to_owned();
    let (action, typed) = (text(&asked.action), text(&asked.text));
    let looked_for: String = typed.chars().take(MAX_TEXT_CHARS).collect();
    let cut = (looked_for.len() < typed.len()).then_some(MAX_TEXT_CHARS);
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    let wanted = wanted(AuditParams {
        before: asked.before,
        limit: Some(LINES_PER_PAGE.to_string()),
        action: given(&action),
        text: given(&looked_for),
    })
    .map_err(Problem::fields)?;
    let lines = read(&site, &wanted).await?;
    let older = next_before(&lines, &wanted).map(|before| {
        let (action, text) = (encode_value(&action), encode_value(&looked_for));
        let appearance = context.appearance.query().replacen('?', "&", 1);
        format!("before={before}&action={action}&text={text}{appearance}")
    });
    let page = AuditPage {
        context,
        rows: lines.into_iter().map(line).collect(),
        actions: Action::ALL.map(Action::as_str).to_vec(),
        action,
        text: looked_for,
        cut,
        older,
        is_older: wanted.before.is_some(),
    };
    Ok(document_response(StatusCode::OK, render(page)))
}

fn line(line: AuditRecord) -> AuditRow {
    let AuditRecord {
        at,
        who,
        auth_method: proof,
        address,
        action,
        target,
        outcome,
        count,
        last_at,
        ..
    } = line;
    AuditRow { at, who, proof, address, action, target, outcome, count, last_at }
}
