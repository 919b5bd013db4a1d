//! `GET` and `POST /incidents/{id}`: one incident, and the form with which somebody takes care of it.

use app::cluster::{HintId, IncidentId};
use app::i18n::MessageKey;
use app::pages::DocumentContext;
use app::pages::incident::{IncidentForm, IncidentPage, render};
use app::pages::incidents::ShownIncident;
use axum::Extension;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use serde::Deserialize;

use crate::auth::audit::Actor;
use crate::auth::identity::User;
use crate::commands::AcknowledgementError;
use crate::http::api::dto::check_note;
use crate::http::api::incidents::acknowledgement_problem;
use crate::http::body::Submitted;
use crate::http::channels;
use crate::http::extract::{PageRequest, PathParams, unreadable_path};
use crate::http::incidents;
use crate::http::pages::html::document_response;
use crate::http::problem::Problem;
use crate::http::query;
use crate::http::state::HttpState;
use crate::live::IncidentReport;
use crate::site::Site;

/// So many incidents are acknowledged with one form.
const MAX_ALIKE: usize = 200;

#[derive(Deserialize)]
pub(crate) struct AcknowledgementForm {
    #[serde(default)]
    note: String,
    /// `true`: also the incidents with the same advice.
    #[serde(default)]
    alike: String,
    /// `true`: nobody takes care of it any more.
    #[serde(default)]
    withdraw: String,
}

pub(crate) async fn get(
    State(state): State<HttpState>,
    Extension(user): Extension<User>,
    PageRequest(context): PageRequest,
    RawQuery(query): RawQuery,
    id: PathParams<String>,
) -> Result<Response, Problem> {
    let Path(id) = id.map_err(unreadable_path)?;
    let report = incidents::find(&state.site, &incidents::parse_id(&id)?).await?;
    let with_alike = query::is_true(query.as_deref(), "alike");
    let acknowledged = report.incident.acknowledged.as_ref();
    let own = acknowledged.filter(|by| by.by == user.name);
    let note = own.map(|by| by.note.clone()).unwrap_or_default();
    let form = IncidentForm { note, with_alike, error: None };
    Ok(page(&state.site, context, &user, &report, form, StatusCode::OK).await)
}

/// Notes who takes care of an incident, or that nobody does, and leads back to its hint on the page.
pub(crate) async fn post(
    State(state): State<HttpState>,
    Extension(user): Extension<User>,
    PageRequest(context): PageRequest,
    id: PathParams<String>,
    sent: Submitted<AcknowledgementForm>,
) -> Result<Response, Problem> {
    let site = &state.site;
    let Path(id) = id.map_err(unreadable_path)?;
    let id = incidents::parse_id(&id)?;
    let AcknowledgementForm { note, alike, withdraw } = sent.0?;
    let with_alike = alike == "true";
    let report = incidents::find(site, &id).await?;
    let failed = async |error, status| {
        let form = IncidentForm { note: note.clone(), with_alike, error: Some(error) };
        Ok(page(site, context.clone(), &user, &report, form, status).await)
    };
    let note = if withdraw == "true" {
        None
    } else {
        let Ok(note) = check_note(&note) else {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return failed(MessageKey::PagesIncidentNoteError, status).await;
        };
        Some(note)
    };
    let others =
        if with_alike { alike_unattended(site, &id, report.incident.hint) } else { Vec::new() };
    match change_all(site, &id, &others, note, &user.actor()).await {
        Ok(()) => {
            let place = report.place(&context.appearance.pairs());
            Ok(Redirect::to(&format!("{}{place}", site.base)).into_response())
        }
        // The page says so.
        Err(AcknowledgementError::Ended) => {
            Ok(Redirect::to(&context.address(&format!("incidents/{id}"))).into_response())
        }
        Err(AcknowledgementError::Blind) => {
            failed(MessageKey::PagesIncidentErrorBlind, StatusCode::SERVICE_UNAVAILABLE).await
        }
        Err(error @ AcknowledgementError::Absent) => Err(acknowledgement_problem(error)),
    }
}

/// Changes one, and then others, of which some may have ended meanwhile.
async fn change_all(
    site: &Site,
    id: &IncidentId,
    others: &[IncidentId],
    note: Option<String>,
    by: &Actor,
) -> Result<(), AcknowledgementError> {
    site.commands.acknowledge(id, note.clone(), by).await?;
    for other in others {
        match site.commands.acknowledge(other, note.clone(), by).await {
            Ok(()) | Err(AcknowledgementError::Ended | AcknowledgementError::Absent) => {}
            Err(AcknowledgementError::Blind) => return Err(AcknowledgementError::Blind),
        }
    }
    Ok(())
}

/// The other open incidents with this advice of which nobody takes care.
fn alike_unattended(site: &Site, id: &IncidentId, hint: HintId) -> Vec<IncidentId> {
    let snapshot = site.live.snapshot();
    let alike = snapshot.incidents.iter().filter(|incident| {
        incident.is_open()
            && incident.hint == hint
            && incident.acknowledged.is_none()
            && incident.id != *id
    });
    alike.take(MAX_ALIKE).map(|incident| incident.id.clone()).collect()
}

async fn page(
    site: &Site,
    context: DocumentContext,
    user: &User,
    report: &IncidentReport,
    form: IncidentForm,
    status: StatusCode,
) -> Response {
    let acknowledged = report.incident.acknowledged.as_ref();
    let page = IncidentPage {
        is_own: acknowledged.is_some_and(|by| by.by == user.name),
        incident: report.shown(&context),
        alike: alike_unattended(site, &report.incident.id, report.incident.hint).len(),
        form,
        told: channels::told(site, &report.incident).await,
        context,
    };
    document_response(status, render(page))
}

impl IncidentReport {
    /// As a page shows it.
    pub(crate) fn shown(&self, context: &DocumentContext) -> ShownIncident {
        let incident = &self.incident;
        ShownIncident {
            id: incident.id.to_string(),
            severity: incident.urgency(),
            text: self.text(context.catalog),
            servers: self.servers.clone(),
            since: incident.began,
            ended: incident.ended,
            lasted: self.lasted,
            unobserved: self.unobserved,
            turns: incident.turns,
            is_replaced: incident.replaced_by.is_some(),
            acknowledged: incident.acknowledged.clone(),
            place: format!("{}{}", context.site.base, self.place(&context.appearance.pairs())),
        }
    }
}
