//! Incidents, and who takes care of them.

use app::cluster;
use app::cluster::server_name::is_unprintable;
use app::cluster::{FieldError, Timestamp};
use app::i18n::{Catalog, HintText};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::history::whole_seconds;
use super::{IncidentState, Role, Severity};
use crate::http::json::FromJson;
use crate::ingest::json_fields::{Fields, string};
use crate::live::IncidentReport;

/// Of a note.
pub(crate) const MAX_NOTE_CHARS: usize = 1_000;

/// Incidents, the latest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct IncidentPage {
    pub(crate) incidents: Vec<Incident>,
    /// What `before` is for the incidents before these; null where there are none.
    #[schema(required)]
    pub(crate) next_before: Option<String>,
}

/// A trouble, from its first hint to its last.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Incident {
    /// The same on every web server.
    id: String,
    /// Which advice is due, or was due last, like `service-stale`.
    hint: String,
    /// How urgent it is; of an incident that ended, how urgent it was at its worst.
    severity: Severity,
    state: IncidentState,
    #[schema(format = DateTime)]
    since: String,
    #[schema(required, format = DateTime)]
    ended_at: Option<String>,
    /// Until its end, or now.
    #[schema(minimum = 0)]
    lasted_s: i64,
    /// For how much of that time nobody could observe.
    #[schema(minimum = 0)]
    blind_s: i64,
    /// How often it began: one that comes back soon goes on.
    #[schema(minimum = 1)]
    turns: u32,
    /// The hint that explains it and is shown in its place, like `many-silent`.
    #[schema(required)]
    replaced_by: Option<String>,
    title: String,
    /// How we know; of an incident that ended, as it was when this advice was first due.
    evidence: String,
    /// What to do, in order.
    steps: Vec<String>,
    /// What not to do, where that matters.
    #[schema(required)]
    avoid: Option<String>,
    /// The server it is about, if it is about one.
    #[schema(required)]
    server: Option<String>,
    #[schema(required)]
    role: Option<Role>,
    /// All servers it is about; of an incident that ended, those that its evidence names.
    servers: Vec<String>,
    /// Who takes care of it.
    #[schema(required)]
    acknowledged: Option<Acknowledgement>,
    /// The page at that moment: of an open incident the current page, at its hint.
    #[schema(format = "uri-reference")]
    url: String,
}

/// Somebody takes care of an incident.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Acknowledgement {
    by: String,
    #[schema(format = DateTime)]
    at: String,
    /// May be empty.
    note: String,
}

/// What whoever takes care of an incident adds for the others.
#[derive(Debug, ToSchema)]
pub(crate) struct NewAcknowledgement {
    /// May be empty. Line breaks are its only control characters.
    #[schema(max_length = 1_000, example = "The disk is on its way.")]
    pub(crate) note: String,
}

impl Incident {
    /// `address`: of the site, without a slash at its end.
    pub(crate) fn new(report: &IncidentReport, address: &str) -> Self {
        let incident = &report.incident;
        let HintText { title, evidence, steps, avoid } = report.text(Catalog::english());
        let state = if incident.is_open() { IncidentState::Open } else { IncidentState::Ended };
        Self {
            id: incident.id.to_string(),
            hint: incident.hint.as_str().to_owned(),
            severity: incident.urgency().into(),
            state,
            since: incident.began.rfc3339(),
            ended_at: incident.ended.map(Timestamp::rfc3339),
            lasted_s: whole_seconds(report.lasted),
            blind_s: whole_seconds(report.unobserved),
            turns: incident.turns,
            replaced_by: incident.replaced_by.map(|hint| hint.as_str().to_owned()),
            title,
            evidence,
            steps,
            avoid,
            server: incident.server.as_ref().map(ToString::to_string),
            role: incident.role.map(Into::into),
            servers: report.servers.clone(),
            acknowledged: incident.acknowledged.as_ref().map(Acknowledgement::from),
            url: format!("{address}{}", report.place(&[])),
        }
    }
}

impl From<&cluster::Acknowledgement> for Acknowledgement {
    fn from(cluster::Acknowledgement { by, at, note }: &cluster::Acknowledgement) -> Self {
        Self { by: by.clone(), at: at.rfc3339(), note: note.clone() }
    }
}

impl FromJson for NewAcknowledgement {
    fn from_json(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::new(value, "must be an object")?;
        let note = fields.required_not_null("note", |value| check_note(string(value)?));
        fields.finish(note.map(|note| Self { note }))
    }
}

/// A note as it is stored: without blanks around it, its lines ended in one way.
///
/// # Errors
/// Says what is wrong.
pub(crate) fn check_note(text: &str) -> Result<String, String> {
    let note = text.replace("\r\n", "\n").replace('\r', "\n").trim().to_owned();
    if note.chars().count() > MAX_NOTE_CHARS {
        return Err(format!("must have at most {MAX_NOTE_CHARS} characters"));
    }
    match note.chars().find(|c| is_unprintable(*c) && *c != '\n') {
        Some(c) => Err(format!(
            "must not hold control or format characters other than line breaks; it holds U+{:04X}",
            u32::from(c)
        )),
        None => Ok(note),
    }
}
