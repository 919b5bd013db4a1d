//! One incident as a message has it, in the language of the channel.

use app::cluster::server_name::is_unprintable;
use app::cluster::{Severity, Span, Timestamp};
use serde::{Serialize, Serializer};
use utoipa::ToSchema;
use utoipa::openapi::Ref;
use utoipa::openapi::schema::RefBuilder;

pub(super) const MAX_TITLE_BYTES: usize = 300;
const MAX_EVIDENCE_BYTES: usize = 3_000;
const MAX_STEP_BYTES: usize = 600;
const MAX_STEPS: usize = 10;
const MAX_NAMED_SERVERS: usize = 20;
/// Of an incident that is too long for a message of its own.
const MAX_SHORT_EVIDENCE_BYTES: usize = 500;
const MAX_SHORT_SERVERS: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    Open,
    Ended,
}

/// One incident, in the language of the channel.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = WebhookIncident, description = "A trouble, from its first hint to its last.")]
pub struct Incident {
    /// The same in each message about it, and in `/api/v1/incidents/{id}`; of a test the `webhook-id`.
    pub id: String,
    /// The ID of its hint, such as `service-stale`; of a test `test`.
    pub hint: String,
    #[schema(schema_with = severity)]
    pub severity: Severity,
    #[schema(schema_with = state)]
    pub state: IncidentState,
    /// When it began.
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When it ended; null while it is open.
    #[serde(serialize_with = "optional_rfc3339")]
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub ended_at: Option<Timestamp>,
    /// How many seconds it lasted: until its end, or until the message is sent.
    #[serde(rename = "lasted_s", serialize_with = "seconds")]
    #[schema(value_type = i64, minimum = 0)]
    pub lasted: Span,
    /// For how many of these seconds nobody could observe.
    #[serde(rename = "blind_s", serialize_with = "seconds")]
    #[schema(value_type = i64, minimum = 0)]
    pub blind: Span,
    /// How often it began: one that comes back soon goes on.
    #[schema(minimum = 1)]
    pub turns: u32,
    /// Whether the channel did not accept it in time.
    // Since when, and until when.
    #[serde(rename = "late", serialize_with = "is_some")]
    #[schema(value_type = bool)]
    pub unanswered: Option<(Timestamp, Timestamp)>,
    /// What is wrong.
    pub title: String,
    /// How we know.
    pub evidence: String,
    /// What to do, in order.
    #[schema(max_items = 10)]
    pub steps: Vec<String>,
    /// What not to do, where that matters.
    #[schema(required)]
    pub avoid: Option<String>,
    /// Servers that it is about; of many only the first ones.
    #[schema(max_items = 20)]
    pub servers: Vec<String>,
    /// Who takes care of it.
    #[schema(required)]
    pub acknowledged_by: Option<String>,
    /// The URL of the page at that moment: now, or just before it ended.
    #[schema(format = "uri")]
    pub url: String,
}

/// In the description of the API, which has the words of severities and states already.
fn severity() -> Ref {
    described(
        "Severity",
        "How urgent it is; of an incident that ended, how urgent it was at its worst.",
    )
}

fn state() -> Ref {
    described("IncidentState", "Whether it goes on.")
}

fn described(schema: &str, description: &str) -> Ref {
    RefBuilder::new().ref_location_from_schema_name(schema).description(Some(description)).build()
}

impl Incident {
    /// The most urgent comes first: open before ended, then by severity, then the oldest.
    pub(super) fn urgency(&self) -> (bool, Severity, Timestamp) {
        (self.state == IncidentState::Ended, self.severity, self.since)
    }

    /// The same with printable texts of bounded length.
    pub(super) fn bounded(self) -> Self {
        let shorten = |text: &String| shortened(text, MAX_STEP_BYTES);
        Self {
            id: shorten(&self.id),
            hint: shorten(&self.hint),
            title: shortened(&self.title, MAX_TITLE_BYTES),
            evidence: shortened(&self.evidence, MAX_EVIDENCE_BYTES),
            steps: self.steps.iter().take(MAX_STEPS).map(shorten).collect(),
            avoid: self.avoid.as_ref().map(shorten),
            servers: self.servers.iter().take(MAX_NAMED_SERVERS).map(shorten).collect(),
            acknowledged_by: self.acknowledged_by.as_ref().map(shorten),
            ..self
        }
    }

    /// The same without what can be read on the page.
    pub(super) fn without_details(self) -> Self {
        Self {
            evidence: shortened(&self.evidence, MAX_SHORT_EVIDENCE_BYTES),
            steps: Vec::new(),
            servers: self.servers.into_iter().take(MAX_SHORT_SERVERS).collect(),
            ..self
        }
    }
}

/// The text without characters that cannot be printed. `…` at its end: it was longer than `max_bytes`.
pub(super) fn shortened(text: &str, max_bytes: usize) -> String {
    let keeps_isolates = has_paired_isolates(text);
    let is_isolate = |c: char| matches!(c, '\u{2068}' | '\u{2069}');
    let mut shown = String::new();
    for c in text.chars() {
        let c = match c {
            '\n' | '\r' | '\t' => ' ',
            c if keeps_isolates && is_isolate(c) => c,
            c if is_unprintable(c) => char::REPLACEMENT_CHARACTER,
            c => c,
        };
        if shown.len() + c.len_utf8() > max_bytes {
            // A beginning without its end would turn around what follows.
            shown.retain(|c| !is_isolate(c));
            shown.push('…');
            break;
        }
        shown.push(c);
    }
    shown
}

/// Whether each name that runs from right to left is kept apart from what surrounds it, as the catalog does it.
fn has_paired_isolates(text: &str) -> bool {
    let mut depth = 0_usize;
    for c in text.chars() {
        match (c, depth) {
            ('\u{2068}', 0) => depth = 1,
            ('\u{2069}', 1) => depth = 0,
            ('\u{2068}' | '\u{2069}', _) => return false,
            _ => {}
        }
    }
    depth == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
pub(super) fn rfc3339<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&moment.rfc3339())
}

#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
fn optional_rfc3339<S: Serializer>(
    moment: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    moment.map(Timestamp::rfc3339).serialize(serializer)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn seconds<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(span.0 / 1_000)
}

#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
fn is_some<T, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(value.is_some())
}
