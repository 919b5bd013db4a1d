//! `GET /api/v1/events`, `/availability` and `/rehearsal`: what was, and what would have been.

use std::sync::Arc;

use app::cluster::history::{
    Availability, ClusterAim, EventId, EventKind, Interval, Observation, Observations, Timeouts,
};
use app::cluster::{FieldError, Role, ServerName, Settings, Span, Timestamp};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::http::accept::prefers_csv;
use crate::http::api::dto;
use crate::http::csv::Csv;
use crate::http::moment;
use crate::http::problem::Problem;
use crate::http::query::{limit, optional, unreadable};
use crate::past::{EventFilter, EventQuery, RehearsalError};
use crate::site::Site;

/// The span of an availability or a rehearsal if the query names none.
const DEFAULT_DAYS: i64 = 30;
const MAX_DAYS: i64 = 400;
/// What is wrong with the beginning of an empty span.
const NOT_EARLIER: &str = "must be earlier than `until` and than now";

#[derive(Deserialize)]
pub(crate) struct EventParams {
    from: Option<String>,
    until: Option<String>,
    server: Option<String>,
    role: Option<String>,
    kind: Option<String>,
    limit: Option<String>,
    before: Option<String>,
}

/// What happened, newest first
#[utoipa::path(
    get,
    path = "/api/v1/events",
    operation_id = "events",
    params(
        ("from" = Option<String>, Query, description = "Only what happened at or after this time (RFC 3339), or on or after this day in UTC (`2026-11-28`).", nullable = false),
        ("until" = Option<String>, Query, description = "Only what happened before this time (RFC 3339), or until the end of this day in UTC.", nullable = false),
        ("server" = Option<String>, Query, description = "Only this server.", nullable = false),
        ("role" = Option<dto::Role>, Query, description = "Only components with this role.", nullable = false),
        ("kind" = Option<dto::EventKind>, Query, description = "Only this kind.", nullable = false),
        ("limit" = Option<usize>, Query, description = "How many events: 1 to 1,000, usually 100.", nullable = false),
        ("before" = Option<String>, Query, description = "Only events before the one with this id.", nullable = false)
    ),
    responses(
        (status = 200, description = "The events, and where the next ones begin.", body = dto::EventPage),
        (status = 410, description = "The whole span is before the record, which begins at `begins`."),
        (status = 422, description = "A parameter is not valid; each is named."),
        (status = 503, description = "The database cannot be read.")
    )
)]
pub(crate) async fn events(
    State(site): State<Arc<Site>>,
    params: Result<Query<EventParams>, QueryRejection>,
) -> Result<Json<dto::EventPage>, Problem> {
    let Query(params) = params.map_err(unreadable)?;
    let query = event_query(&params, site.live.now()).map_err(Problem::fields)?;
    let until = query.span.until;
    let found = site.past.events(query).await?;
    if until <= found.begins {
        return Err(Problem::before_record(found.begins));
    }
    let last = found.events.last().filter(|_| found.has_more);
    Ok(Json(dto::EventPage {
        complete_since: found.complete_since.rfc3339(),
        next_before: last.map(|event| event.id().to_string()),
        events: found.events.iter().map(dto::HistoryEvent::from).collect(),
    }))
}

fn event_query(params: &EventParams, now: Timestamp) -> Result<EventQuery, Vec<FieldError>> {
    let mut errors = Vec::new();
    let from = moment::first("from", params.from.as_deref(), &mut errors);
    let until = moment::last("until", params.until.as_deref(), &mut errors);
    let server = params.server.as_deref();
    let name = |text: &str| ServerName::parse(text).ok();
    let server = optional("server", server, name, "is not a server's name", &mut errors);
    let role = params.role.as_deref();
    let role = optional("role", role, Role::parse, "must be web or service", &mut errors);
    let kinds = format!("must be one of {}", EventKind::ALL.map(EventKind::as_str).join(", "));
    let kind = optional("kind", params.kind.as_deref(), EventKind::parse, &kinds, &mut errors);
    let before = params.before.as_deref();
    let id = "must be the id of an event";
    let before = optional("before", before, EventId::parse, id, &mut errors);
    let limit = limit(params.limit.as_deref(), &mut errors) as usize;
    let span = Interval {
        from: from.unwrap_or_default(),
        until: until.unwrap_or(now + Span::TICK).min(now + Span::TICK),
    };
    let filter: EventFilter = Arc::new(move |event| {
        event.is_about(None, role) && kind.is_none_or(|kind| event.kind() == kind)
    });
    if errors.is_empty() && span.from >= span.until {
        errors.push(FieldError::new("from", NOT_EARLIER));
    }
    let query = EventQuery { span, server, filter, before, limit };
    if errors.is_empty() { Ok(query) } else { Err(errors) }
}

#[derive(Deserialize)]
pub(crate) struct AvailabilityParams {
    from: Option<String>,
    until: Option<String>,
    by: Option<String>,
}

/// What an availability is of.
#[derive(Clone, Copy, Debug)]
enum By {
    Cluster,
    Server,
    Component,
}

/// For how much of a span what was up
#[utoipa::path(
    get,
    path = "/api/v1/availability",
    operation_id = "availability",
    params(
        ("from" = Option<String>, Query, description = "The first moment (RFC 3339) or day in UTC; usually 30 days before the last.", nullable = false),
        ("until" = Option<String>, Query, description = "The moment (RFC 3339) or the end of the day in UTC at which the span ends; usually now.", nullable = false),
        ("by" = Option<String>, Query, description = "`cluster`, `server` or `component`; usually `server`.", nullable = false)
    ),
    responses(
        (status = 200, description = "The availability of each.", content(
            (dto::AvailabilityReport = "application/json"),
            (String = "text/csv")
        )),
        (status = 410, description = "The whole span is before the record, which begins at `begins`."),
        (status = 422, description = "A parameter is not valid; each is named."),
        (status = 503, description = "The database cannot be read.")
    )
)]
pub(crate) async fn availability(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    params: Result<Query<AvailabilityParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(params) = params.map_err(unreadable)?;
    let now = site.live.now();
    let (span, by) = availability_query(&params, now).map_err(Problem::fields)?;
    let (begins, observations) = site.past.observations(span).await?;
    let report = dto::AvailabilityReport {
        from: observations.span.from.rfc3339(),
        until: observations.span.until.rfc3339(),
        complete_since: begins.rfc3339(),
        rows: rows(&observations, by),
    };
    if prefers_csv(&headers) {
        return Ok(as_csv(&report).into_response("cluster-overview-availability", now));
    }
    Ok(Json(report).into_response())
}

fn availability_query(
    params: &AvailabilityParams,
    now: Timestamp,
) -> Result<(Interval, By), Vec<FieldError>> {
    let mut errors = Vec::new();
    let until = moment::last("until", params.until.as_deref(), &mut errors);
    let until = until.unwrap_or(now).min(now);
    let from = moment::first("from", params.from.as_deref(), &mut errors);
    let from = from.unwrap_or(until - Span::minutes(DEFAULT_DAYS * 24 * 60));
    if errors.is_empty() && from >= until {
        errors.push(FieldError::new("from", NOT_EARLIER));
    }
    let by = match params.by.as_deref() {
        Some("cluster") => By::Cluster,
        None | Some("server") => By::Server,
        Some("component") => By::Component,
        Some(_) => {
            errors.push(FieldError::new("by", "must be cluster, server or component"));
            By::Server
        }
    };
    if errors.is_empty() { Ok((Interval { from, until }, by)) } else { Err(errors) }
}

fn rows(observations: &Observations, by: By) -> Vec<dto::AvailabilityRow> {
    let span = observations.span;
    let row =
        |observed: &[Observation]| dto::AvailabilityRow::new(Availability::of(observed, span));
    match by {
        By::Cluster => ClusterAim::ALL
            .map(|aim| dto::AvailabilityRow {
                of: Some(aim.as_str().to_owned()),
                ..row(&observations.of_cluster(aim))
            })
            .into(),
        By::Server => {
            let servers = observations.by_server().into_iter();
            servers
                .map(|(server, observed)| dto::AvailabilityRow {
                    server: Some(server.to_string()),
                    ..row(&observed)
                })
                .collect()
        }
        By::Component => {
            let components = observations.components.iter();
            components
                .map(|(server, role, observed)| dto::AvailabilityRow {
                    server: Some(server.to_string()),
                    role: Some((*role).into()),
                    ..row(observed)
                })
                .collect()
        }
    }
}

const CSV_HEADINGS: [&str; 8] =
    ["of", "server", "role", "up_s", "down_s", "blind_s", "unknown_s", "percent"];

fn as_csv(report: &dto::AvailabilityReport) -> Csv {
    let mut csv = Csv::new(CSV_HEADINGS);
    for row in &report.rows {
        let role = row.role.map(|role| Role::from(role).as_str());
        csv.push([
            row.of.clone().unwrap_or_default(),
            row.server.clone().unwrap_or_default(),
            role.unwrap_or_default().to_owned(),
            row.up_s.to_string(),
            row.down_s.to_string(),
            row.blind_s.to_string(),
            row.unknown_s.to_string(),
            row.percent.map(|percent| format!("{percent:.2}")).unwrap_or_default(),
        ]);
    }
    csv
}

#[derive(Deserialize)]
pub(crate) struct RehearsalParams {
    stale_timeout_s: Option<String>,
    web_window_s: Option<String>,
    days: Option<String>,
}

/// What other timeouts would have called stale
#[utoipa::path(
    get,
    path = "/api/v1/rehearsal",
    operation_id = "rehearsal",
    params(
        ("stale_timeout_s" = Option<u32>, Query, description = "As in the settings; usually today's.", nullable = false),
        ("web_window_s" = Option<u32>, Query, description = "As in the settings; usually today's.", nullable = false),
        ("days" = Option<u32>, Query, description = "How many days before now: 1 to 400, usually 30.", nullable = false)
    ),
    responses(
        (status = 200, description = "How often which servers would have become stale, beside today's timeouts. The heartbeat interval cannot be rehearsed: with another one, other heartbeats would have been sent.", body = dto::Rehearsal),
        (status = 422, description = "A parameter is not valid; each is named. A web window must be at least a 24th of the longest one in force in the span: shorter silences of web components are not recorded."),
        (status = 503, description = "The database cannot be read.")
    )
)]
pub(crate) async fn rehearsal(
    State(site): State<Arc<Site>>,
    params: Result<Query<RehearsalParams>, QueryRejection>,
) -> Result<Json<dto::Rehearsal>, Problem> {
    let Query(params) = params.map_err(unreadable)?;
    let current = site.live.snapshot().settings;
    let (timeouts, days) = rehearsal_query(&params, current).map_err(Problem::fields)?;
    let length = Span::minutes(days * 24 * 60);
    let rehearsed = site.past.rehearse(timeouts, length).await.map_err(|error| match error {
        RehearsalError::Past(error) => error.into(),
        RehearsalError::WebWindow { min } => {
            let least = format!(
                "must be at least {}: shorter silences of web components are not recorded",
                min.0.div_euclid(1_000) + i64::from(min.0 % 1_000 > 0)
            );
            Problem::fields(vec![FieldError::new("web_window_s", least)])
        }
    })?;
    Ok(Json(dto::Rehearsal {
        from: rehearsed.span.from.rfc3339(),
        until: rehearsed.span.until.rfc3339(),
        current: rehearsed.current.into(),
        proposed: rehearsed.proposed.into(),
    }))
}

fn rehearsal_query(
    params: &RehearsalParams,
    current: Settings,
) -> Result<(Timeouts, i64), Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut seconds = |field: &str, text: Option<&str>| {
        optional(field, text, |text| text.parse().ok(), "must be a number of seconds", &mut errors)
    };
    let stale_timeout_s = seconds("stale_timeout_s", params.stale_timeout_s.as_deref())
        .unwrap_or(current.stale_timeout_s);
    let web_window_s =
        seconds("web_window_s", params.web_window_s.as_deref()).unwrap_or(current.web_window_s);
    let days = |text: &str| text.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days));
    let wanted = format!("must be 1 to {MAX_DAYS}");
    let days = optional("days", params.days.as_deref(), days, &wanted, &mut errors);
    let days = days.unwrap_or(DEFAULT_DAYS);
    let settings = Settings { stale_timeout_s, web_window_s, ..current };
    errors.extend(settings.check().into_iter().map(dto::field_error));
    if errors.is_empty() { Ok((settings.into(), days)) } else { Err(errors) }
}
