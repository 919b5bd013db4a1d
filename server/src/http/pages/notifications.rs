//! `GET /notifications`: the channels, and the incidents, open and ended.

use app::cluster::IncidentId;
use app::pages::notifications::{IncidentFilter, NotificationsPage, render};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::http::channels;
use crate::http::extract::PageRequest;
use crate::http::incidents::{self, IncidentList};
use crate::http::pages::html::document_response;
use crate::http::problem::Problem;
use crate::http::query::value;
use crate::http::state::{HttpParts, HttpState};
use crate::live::IncidentReport;
use crate::store::IncidentQuery;

const OPEN_PER_PAGE: u32 = 200;
const ENDED_PER_PAGE: u32 = 50;

pub(crate) async fn get(
    State(state): State<HttpState>,
    PageRequest(context): PageRequest,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let HttpParts { site, render_pool, .. } = &*state;
    let filter = IncidentFilter::parse(query.as_deref().unwrap_or_default());
    // An id of another version shows the latest.
    let before = value(query.as_deref(), "before").and_then(|id| IncidentId::parse(&id));
    let wanted = IncidentQuery {
        severity: filter.severity,
        server: (!filter.server.is_empty()).then(|| filter.server.clone()),
        ..IncidentQuery::default()
    };
    let open = IncidentQuery { open: Some(true), limit: OPEN_PER_PAGE, ..wanted.clone() };
    let open = incidents::list(site, &open).await?;
    let is_older = before.is_some();
    let ended = IncidentQuery { open: Some(false), limit: ENDED_PER_PAGE, before, ..wanted };
    let ended = incidents::list(site, &ended).await.ok();
    let shown = |list: &IncidentList| {
        list.reports.iter().map(|report: &IncidentReport| report.shown(&context)).collect()
    };
    let page = NotificationsPage {
        channels: channels::all(site).await,
        filter,
        has_more_open: open.has_more,
        older: ended.as_ref().and_then(IncidentList::next_before).map(ToString::to_string),
        open: shown(&open),
        ended: ended.as_ref().map(shown),
        is_older,
        context: context.clone(),
    };
    let document = render_pool.run(move || async move { render(page) }).await;
    Ok(document_response(StatusCode::OK, document))
}
