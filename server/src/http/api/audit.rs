//! `GET /api/v1/audit`: the audit log, newest first.

use std::sync::Arc;

use app::cluster::FieldError;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;

use crate::auth::audit::{AuditQuery, AuditRecord};
use crate::http::api::dto;
use crate::http::moment;
use crate::http::problem::Problem;
use crate::http::query::{limit, optional, unreadable};
use crate::site::Site;
use crate::telemetry::log_limit::LogLimit;

/// Of a text to search for.
pub(crate) const MAX_TEXT_CHARS: usize = 200;
/// Longer than the name of every action.
const MAX_ACTION_BYTES: usize = 50;

/// The query.
#[derive(Deserialize)]
pub(crate) struct AuditParams {
    pub(crate) before: Option<String>,
    pub(crate) limit: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) until: Option<String>,
}

/// What was done, newest first
#[utoipa::path(
    get,
    path = "/api/v1/audit",
    operation_id = "audit",
    params(
        ("before" = Option<i64>, Query, description = "Only lines with a smaller number.", nullable = false),
        ("limit" = Option<u32>, Query, description = "How many lines: 1 to 1,000, usually 100.", nullable = false),
        ("action" = Option<String>, Query, description = "Only this action.", nullable = false),
        ("text" = Option<String>, Query, description = "Only lines whose who, target or address holds this text, of 200 characters at most.", nullable = false),
        ("from" = Option<String>, Query, description = "Only what was done at or after this time (RFC 3339), or on or after this day in UTC (`2026-11-28`).", nullable = false),
        ("until" = Option<String>, Query, description = "Only what was done before this time (RFC 3339), or until the end of this day in UTC.", nullable = false)
    ),
    responses(
        (status = 200, description = "The lines, and where the next ones begin.", body = dto::Audit),
        (status = 422, description = "A parameter is not valid; each is named."),
        (status = 503, description = "The database cannot be read.")
    )
)]
pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    params: Result<Query<AuditParams>, QueryRejection>,
) -> Result<Json<dto::Audit>, Problem> {
    let Query(params) = params.map_err(unreadable)?;
    let wanted = wanted(params).map_err(Problem::fields)?;
    let lines = read(&site, &wanted).await?;
    let next_before = next_before(&lines, &wanted);
    let entries = lines.into_iter().map(dto::AuditEntry::from).collect();
    Ok(Json(dto::Audit { entries, next_before }))
}

pub(crate) async fn read(site: &Site, wanted: &AuditQuery) -> Result<Vec<AuditRecord>, Problem> {
    site.store.audit(wanted).await.map_err(|error| {
        static READ_ERRORS: LogLimit = LogLimit::new();
        if let Some(left_out) = READ_ERRORS.check() {
            tracing::error!(%error, left_out, "cannot read the audit log");
        }
        Problem::unreadable_database()
    })
}

/// Where the next page begins, if there may be more entries.
pub(crate) fn next_before(lines: &[AuditRecord], wanted: &AuditQuery) -> Option<i64> {
    let full = u32::try_from(lines.len()).is_ok_and(|read| read == wanted.limit);
    lines.last().filter(|_| full).map(|last| last.id)
}

pub(crate) fn wanted(params: AuditParams) -> Result<AuditQuery, Vec<FieldError>> {
    let mut errors = Vec::new();
    let number = |text: &str| text.parse::<i64>().ok();
    let before = params.before.as_deref();
    let before = optional("before", before, number, "must be an entry's number", &mut errors);
    let limit = limit(params.limit.as_deref(), &mut errors);
    let (action, text) = (params.action, params.text);
    if action.as_ref().is_some_and(|action| action.len() > MAX_ACTION_BYTES) {
        let most = format!("must have at most {MAX_ACTION_BYTES} characters");
        errors.push(FieldError::new("action", most));
    }
    if text.as_ref().is_some_and(|text| text.chars().count() > MAX_TEXT_CHARS) {
        let most = format!("must have at most {MAX_TEXT_CHARS} characters");
        errors.push(FieldError::new("text", most));
    }
    let from = moment::first("from", params.from.as_deref(), &mut errors);
    let until = moment::last("until", params.until.as_deref(), &mut errors);
    let query = AuditQuery { before, action, text, from, until, limit };
    if errors.is_empty() { Ok(query) } else { Err(errors) }
}
