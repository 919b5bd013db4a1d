//! `GET /audit`: the audit log as a page, newest first.

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
        actions: Action::ALL.map(Action::as_str).to_vec(),
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
