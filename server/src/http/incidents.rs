//! Reads incidents with all there is to say about them: from the database, or from memory while that cannot be read.

use std::cmp::Reverse;

use app::cluster::hints::anchor;
use app::cluster::observation::BLIND_PERIOD_RETENTION;
use app::cluster::{HintId, Incident, IncidentId, ServerName, Snapshot};

use crate::http::problem::Problem;
use crate::http::query::encode_value;
use crate::http::single_flight::on_blocking_thread;
use crate::live::{IncidentReport, LiveView};
use crate::site::Site;
use crate::store::{IncidentQuery, IncidentRecord, StoreError};
use crate::telemetry::log_limit::LogLimit;

/// Some of the incidents, the latest first.
#[derive(Debug, Default)]
pub(crate) struct IncidentList {
    pub(crate) reports: Vec<IncidentReport>,
    /// Whether there are more of them.
    pub(crate) has_more: bool,
}

impl IncidentList {
    /// Where the next ones begin, if there are more.
    pub(crate) fn next_before(&self) -> Option<&IncidentId> {
        self.reports.last().filter(|_| self.has_more).map(|report| &report.incident.id)
    }
}

/// The incidents that match. While the overview is blind, those that are open are known all the same.
///
/// # Errors
/// 503: the database cannot be read, and not only open ones are wanted.
pub(crate) async fn list(site: &Site, query: &IncidentQuery) -> Result<IncidentList, Problem> {
    site.live.refresh().await;
    let one_more = IncidentQuery { limit: query.limit + 1, ..query.clone() };
    let is_known = query.open == Some(true);
    let found = if site.live.is_blind() && is_known {
        None
    } else {
        Some(site.store.incidents(&one_more).await.map_err(unreadable))
    };
    let view = site.live.view();
    let mut records = match found {
        Some(Ok(records)) => records,
        Some(Err(problem)) if !is_known => return Err(problem),
        Some(Err(_)) | None => open_in_memory(&view.snapshot, &one_more),
    };
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let has_more = records.len() > limit;
    records.truncate(limit);
    Ok(IncidentList { reports: reports(site, view, records).await, has_more })
}

/// The incident with this id.
///
/// # Errors
/// 404: there is none. 503: the database cannot be read, and it is not known to be open.
pub(crate) async fn find(site: &Site, id: &IncidentId) -> Result<IncidentReport, Problem> {
    site.live.refresh().await;
    let view = site.live.view();
    let known = if view.snapshot.blind_since.is_some() { known(&view.snapshot, id) } else { None };
    let record = match known {
        Some(record) => record,
        None => site.store.incident(id).await.map_err(unreadable)?.ok_or_else(no_such_incident)?,
    };
    reports(site, view, vec![record]).await.pop().ok_or_else(no_such_incident)
}

/// The incident with this id, if it is open.
fn known(snapshot: &Snapshot, id: &IncidentId) -> Option<IncidentRecord> {
    let all = IncidentQuery { limit: u32::MAX, ..IncidentQuery::default() };
    let mut open = open_in_memory(snapshot, &all).into_iter();
    open.find(|record| record.incident.id == *id)
}

/// The id in an address.
///
/// # Errors
/// 404: it is none, so there is no such incident.
pub(crate) fn parse_id(text: &str) -> Result<IncidentId, Problem> {
    IncidentId::parse(text).ok_or_else(no_such_incident)
}

fn no_such_incident() -> Problem {
    Problem::not_found("there is no incident with this id")
}

fn unreadable(error: StoreError) -> Problem {
    static READ_ERRORS: LogLimit = LogLimit::new();
    if let Some(left_out) = READ_ERRORS.check() {
        tracing::error!(%error, left_out, "cannot read incidents");
    }
    Problem::unreadable_database()
}

/// The open incidents that match, the latest first; on top that the overview is blind.
fn open_in_memory(snapshot: &Snapshot, query: &IncidentQuery) -> Vec<IncidentRecord> {
    let mut open: Vec<Incident> =
        snapshot.incidents.iter().map(|known| (**known).clone()).collect();
    open.retain(Incident::is_open);
    open.extend(snapshot.blind_since.map(|since| snapshot.blindness(since)));
    open.retain(|incident| matches(incident, query));
    let blind = |incident: &Incident| incident.hint == HintId::OverviewBlind;
    let place = |incident: &Incident| (blind(incident), incident.began, incident.id.clone());
    open.sort_by_key(|incident| Reverse(place(incident)));
    if let Some(before) = &query.before {
        let last = open.iter().position(|incident| incident.id == *before);
        open.drain(..last.map_or(open.len(), |last| last + 1));
    }
    open.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
    open.into_iter().map(|incident| IncidentRecord { incident, hint: None }).collect()
}

/// As the database matches.
fn matches(incident: &Incident, query: &IncidentQuery) -> bool {
    let IncidentQuery { open: _, severity, server, before: _, limit: _ } = query;
    let name = incident.server.as_ref().map(ServerName::folded).unwrap_or_default();
    severity.is_none_or(|severity| incident.urgency() == severity)
        && server.as_ref().is_none_or(|text| name.contains(&text.to_lowercase()))
}

async fn reports(site: &Site, view: LiveView, records: Vec<IncidentRecord>) -> Vec<IncidentReport> {
    let LiveView { mut snapshot, now, .. } = view;
    let first = records.iter().map(|record| record.incident.began).min();
    if let Some(first) = first.filter(|first| *first < now - BLIND_PERIOD_RETENTION)
        && let Ok(all) = site.store.blind_periods(first).await
    {
        snapshot.blind_periods = all;
    }
    on_blocking_thread(move || IncidentReport::judge(&snapshot, now, records)).await
}

impl IncidentReport {
    /// The path and query of the page at the moment of the incident, below the base path, at its hint: of an open incident the
    /// page as it is now. `kept` are more parameters.
    pub(crate) fn place(&self, kept: &[(&'static str, String)]) -> String {
        let Incident { hint, server, role, replaced_by, .. } = &self.incident;
        let of_cluster = [HintId::EveryoneSilent, HintId::ManySilent, HintId::OverviewBlind];
        let anchor = match replaced_by {
            Some(cause) if of_cluster.contains(cause) => anchor(*cause, None, None),
            Some(cause) => anchor(*cause, server.as_ref(), *role),
            None => anchor(*hint, server.as_ref(), *role),
        };
        let at = self.incident.last_moment().map(|at| ("at", at.rfc3339()));
        let pairs = at.into_iter().chain(kept.iter().cloned());
        let query: Vec<String> =
            pairs.map(|(name, value)| format!("{name}={}", encode_value(&value))).collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        format!("/{query}#{anchor}")
    }
}
