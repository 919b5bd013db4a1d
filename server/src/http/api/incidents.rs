//! `GET /api/v1/incidents`, one of them, and who takes care of it.

use std::sync::Arc;

use app::cluster::IncidentId;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::Deserialize;

use crate::auth::identity::User;
use crate::auth::origin::RequestOrigin;
use crate::commands::AcknowledgementError;
use crate::http::api::dto;
use crate::http::api::people::SiteAddress;
use crate::http::extract::{PathParams, unreadable_path};
use crate::http::incidents;
use crate::http::json::JsonBody;
use crate::http::problem::Problem;
use crate::http::query::{limit, optional, unreadable};
use crate::site::Site;
use crate::store::IncidentQuery;

#[derive(Deserialize)]
pub(crate) struct IncidentParams {
    open: Option<String>,
    limit: Option<String>,
    before: Option<String>,
}

/// Incidents, the latest first
///
/// An incident lasts from the first hint about a trouble until none is left.
#[utoipa::path(
    get,
    path = "/api/v1/incidents",
    operation_id = "incidents",
    params(
        ("open" = Option<bool>, Query, description = "`true`: only those that are open; `false`: only those that ended.", nullable = false),
        ("limit" = Option<u32>, Query, description = "How many: 1 to 1,000, usually 100.", nullable = false),
        ("before" = Option<String>, Query, description = "Only those that began before the one with this id.", nullable = false)
    ),
    responses(
        (status = 200, description = "The incidents, and where the next ones begin. While the database cannot be read, the open ones as they were last known, and on top that the overview is blind.", body = dto::IncidentPage),
        (status = 422, description = "A parameter is not valid; each is named."),
        (status = 503, description = "The database cannot be read, and not only open incidents are asked for.")
    )
)]
pub(crate) async fn list(
    State(site): State<Arc<Site>>,
    Extension(origin): Extension<RequestOrigin>,
    headers: HeaderMap,
    params: Result<Query<IncidentParams>, QueryRejection>,
) -> Result<Json<dto::IncidentPage>, Problem> {
    let Query(params) = params.map_err(unreadable)?;
    let found = incidents::list(&site, &query(&params)?).await?;
    let address = address(&site, &headers, &origin);
    Ok(Json(dto::IncidentPage {
        next_before: found.next_before().map(ToString::to_string),
        incidents: found.reports.iter().map(|one| dto::Incident::new(one, &address)).collect(),
    }))
}

fn query(params: &IncidentParams) -> Result<IncidentQuery, Problem> {
    let mut errors = Vec::new();
    let open = params.open.as_deref();
    let flag = |text: &str| text.parse::<bool>().ok();
    let open = optional("open", open, flag, "must be true or false", &mut errors);
    let limit = limit(params.limit.as_deref(), &mut errors);
    let before = params.before.as_deref();
    let id = "must be the id of an incident";
    let before = optional("before", before, IncidentId::parse, id, &mut errors);
    let query = IncidentQuery { open, before, limit, ..IncidentQuery::default() };
    if errors.is_empty() { Ok(query) } else { Err(Problem::fields(errors)) }
}

/// One incident
#[utoipa::path(
    get,
    path = "/api/v1/incidents/{id}",
    operation_id = "incident",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "The incident.", body = dto::Incident),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "There is no incident with this id."),
        (status = 503, description = "The database cannot be read, and the incident is not known to be open.")
    )
)]
pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    Extension(origin): Extension<RequestOrigin>,
    headers: HeaderMap,
    id: PathParams<String>,
) -> Result<Json<dto::Incident>, Problem> {
    let id = parse_id(id)?;
    let found = incidents::find(&site, &id).await?;
    Ok(Json(dto::Incident::new(&found, &address(&site, &headers, &origin))))
}

/// Says that somebody takes care of an incident
///
/// Everybody sees who does, and since when, until it ends. Whoever acknowledges it later replaces the former one.
#[utoipa::path(
    put,
    path = "/api/v1/incidents/{id}/acknowledgement",
    operation_id = "acknowledge_incident",
    params(("id" = String, Path, description = "The incident's id.")),
    request_body = dto::NewAcknowledgement,
    responses(
        (status = 204, description = "The caller takes care of it."),
        (status = 400, description = "The body is not JSON, or the address cannot be read."),
        (status = 404, description = "There is no incident with this id."),
        (status = 409, description = "It has ended."),
        (status = 413, description = "The body is larger than 1 MiB."),
        (status = 415, description = "The body is not sent as application/json."),
        (status = 422, description = "The note is too long, or has characters that cannot be printed."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn acknowledge(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    id: PathParams<String>,
    request: Result<JsonBody<dto::NewAcknowledgement>, Problem>,
) -> Result<StatusCode, Problem> {
    let JsonBody(dto::NewAcknowledgement { note }) = request?;
    change(&site, &user, &parse_id(id)?, Some(note)).await
}

/// Says that nobody takes care of an incident any more
#[utoipa::path(
    delete,
    path = "/api/v1/incidents/{id}/acknowledgement",
    operation_id = "withdraw_acknowledgement",
    params(("id" = String, Path, description = "The incident's id.")),
    responses(
        (status = 204, description = "Nobody takes care of it."),
        (status = 400, description = "The address cannot be read."),
        (status = 404, description = "There is no incident with this id."),
        (status = 409, description = "It has ended."),
        (status = 503, description = "The database cannot be written; nothing was changed.")
    )
)]
pub(crate) async fn withdraw(
    State(site): State<Arc<Site>>,
    Extension(user): Extension<User>,
    id: PathParams<String>,
) -> Result<StatusCode, Problem> {
    change(&site, &user, &parse_id(id)?, None).await
}

async fn change(
    site: &Site,
    user: &User,
    id: &IncidentId,
    note: Option<String>,
) -> Result<StatusCode, Problem> {
    let changed = site.commands.acknowledge(id, note, &user.actor()).await;
    changed.map(|()| StatusCode::NO_CONTENT).map_err(acknowledgement_problem)
}

pub(crate) fn acknowledgement_problem(error: AcknowledgementError) -> Problem {
    match error {
        AcknowledgementError::Absent => Problem::not_found("there is no incident with this id"),
        AcknowledgementError::Ended => {
            Problem::new(StatusCode::CONFLICT, "the incident has ended; nothing was changed")
        }
        AcknowledgementError::Blind => Problem::unavailable(
            "the overview cannot write to its database at present; nothing was changed",
        ),
    }
}

fn parse_id(id: PathParams<String>) -> Result<IncidentId, Problem> {
    let Path(id) = id.map_err(unreadable_path)?;
    incidents::parse_id(&id)
}

/// The address of the site for the caller; without its host, if that is not known.
fn address(site: &Site, headers: &HeaderMap, origin: &RequestOrigin) -> String {
    let address = SiteAddress::new(site, headers, origin);
    address.map_or_else(|_| site.base.clone(), |address| address.as_str().to_owned())
}
