//! A message: what a channel says about incidents, at the moment at which it is sent.
//!
//! Serialized it is the body of a webhook. The other kinds make their own texts of it (`text.rs`).

use app::cluster::hints::Arg;
use app::cluster::{Severity, Span, Timestamp};
use app::i18n::{Catalog, Language, MessageKey};
use serde::Serialize;
use utoipa::ToSchema;

use super::incident::{Incident, IncidentState, MAX_TITLE_BYTES, rfc3339, shortened};

/// More incidents are only counted.
pub const MAX_INCIDENTS: usize = 20;
/// The length of a message as JSON.
pub const MAX_MESSAGE_BYTES: usize = 20_000;

/// Of the number of further incidents, which is not known while the message is filled.
const MAX_COUNT_DIGITS: usize = 20;

/// The incident of a test message.
const TEST_HINT: &str = "test";

/// What all of a message is about.
#[derive(Clone, Debug)]
pub struct Heading {
    /// The same at every try: receivers recognize by it what they have already.
    pub id: String,
    /// The name of the cluster.
    pub cluster: String,
    /// The URL of the page.
    pub page: String,
    pub sent_at: Timestamp,
    pub language: Language,
}

/// One message. Its texts have no control characters, and it is within [`MAX_INCIDENTS`] and [`MAX_MESSAGE_BYTES`].
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(
    as = WebhookMessage,
    description = "What has begun, become worse or ended, and what is still open. Texts are plain text in the language of the channel, without control characters. The whole message has at most 20,000 bytes."
)]
pub struct Message {
    /// Always `incidents`.
    #[schema(value_type = String)]
    r#type: &'static str,
    /// When this try was made. At each try the message is made anew, so that it says what is true then.
    #[serde(serialize_with = "rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    sent_at: Timestamp,
    /// The name of the cluster.
    cluster: String,
    /// The URL of the page.
    #[schema(format = "uri")]
    page: String,
    /// The open ones first, and of these the most urgent.
    #[schema(max_items = 20)]
    incidents: Vec<Incident>,
    /// How many further incidents there are: too many for one message.
    more: usize,
    #[serde(skip)]
    id: String,
    #[serde(skip)]
    language: Language,
    #[serde(skip)]
    is_test: bool,
    /// How many of all incidents are open, and how many have ended.
    #[serde(skip)]
    counts: [usize; 2],
}

/// An ID that no other message has.
pub fn new_message_id() -> String {
    format!("msg_{}", uuid::Uuid::new_v4().simple())
}

impl Message {
    /// The most urgent incidents come first; of those that do not fit, only the number is given.
    pub fn new(heading: Heading, mut incidents: Vec<Incident>) -> Self {
        incidents.sort_by_key(Incident::urgency);
        let mut message = Self::empty(heading);
        message.count(&incidents);
        message.more = message.fill(incidents).len();
        message
    }

    /// As many messages as it takes to have each incident in one of them, for receivers to which each is an event of its own.
    pub fn split(heading: &Heading, mut incidents: Vec<Incident>) -> Vec<Self> {
        incidents.sort_by_key(Incident::urgency);
        let mut messages = Vec::new();
        while !incidents.is_empty() {
            let id = match messages.len() {
                0 => heading.id.clone(),
                earlier => format!("{}_{}", heading.id, earlier + 1),
            };
            let mut message = Self::empty(Heading { id, ..heading.clone() });
            let rest = message.fill(incidents);
            message.count(&message.incidents.clone());
            incidents = rest;
            messages.push(message);
        }
        messages
    }

    /// With more incidents that are only counted: so many that are open, and so many that have ended.
    pub(super) fn with_others(mut self, [open, over]: [usize; 2]) -> Self {
        self.more += open + over;
        self.counts = [self.counts[0] + open, self.counts[1] + over];
        self
    }

    fn count(&mut self, incidents: &[Incident]) {
        let is_open = |incident: &&Incident| incident.state == IncidentState::Open;
        let open = incidents.iter().filter(is_open).count();
        self.counts = [open, incidents.len() - open];
    }

    fn empty(heading: Heading) -> Self {
        let Heading { id, cluster, page, sent_at, language } = heading;
        Self {
            r#type: "incidents",
            sent_at,
            cluster: shortened(&cluster, MAX_TITLE_BYTES),
            page,
            incidents: Vec::new(),
            more: 0,
            id,
            language,
            is_test: false,
            counts: [0; 2],
        }
    }

    /// The message of *Send a test*: it says that nothing is wrong. Its incident has ended already, so that it stays open nowhere.
    pub fn test(heading: Heading, channel: &str) -> Self {
        let catalog = Catalog::for_language(heading.language);
        let args = [
            ("channel", Arg::Text(channel.to_owned())),
            ("cluster", Arg::Text(heading.cluster.clone())),
        ];
        let incident = Incident {
            id: heading.id.clone(),
            hint: TEST_HINT.to_owned(),
            severity: Severity::Info,
            state: IncidentState::Ended,
            since: heading.sent_at,
            ended_at: Some(heading.sent_at),
            lasted: Span::ZERO,
            blind: Span::ZERO,
            turns: 1,
            unanswered: None,
            title: catalog.format(MessageKey::PagesNotifyTestTitle, &args),
            evidence: catalog.format(MessageKey::PagesNotifyTestEvidence, &args),
            steps: Vec::new(),
            avoid: None,
            servers: Vec::new(),
            acknowledged_by: None,
            url: heading.page.clone(),
        };
        Self { is_test: true, ..Self::new(heading, vec![incident]) }
    }

    /// Takes as many as it has room for, at least one. Returns the others.
    fn fill(&mut self, incidents: Vec<Incident>) -> Vec<Incident> {
        let mut bytes = json_bytes(self) + MAX_COUNT_DIGITS;
        let mut others = incidents.into_iter();
        while self.incidents.len() < MAX_INCIDENTS
            && let Some(next) = others.as_slice().first()
        {
            let mut incident = next.clone().bounded();
            // One more for the comma.
            let mut needed = json_bytes(&incident) + 1;
            if self.incidents.is_empty() && bytes + needed > MAX_MESSAGE_BYTES {
                incident = incident.without_details();
                needed = json_bytes(&incident) + 1;
            }
            if bytes + needed > MAX_MESSAGE_BYTES {
                break;
            }
            bytes += needed;
            self.incidents.push(incident);
            others.next();
        }
        others.collect()
    }

    /// The `webhook-id`.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    pub fn page(&self) -> &str {
        &self.page
    }

    pub fn sent_at(&self) -> Timestamp {
        self.sent_at
    }

    pub fn language(&self) -> Language {
        self.language
    }

    pub fn is_test(&self) -> bool {
        self.is_test
    }

    /// The most urgent first.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents
    }

    /// How many further incidents there are.
    pub fn more(&self) -> usize {
        self.more
    }

    /// How many incidents are open, and how many have ended, those included that are only counted.
    pub(super) fn counts(&self) -> [usize; 2] {
        self.counts
    }

    /// The severity of the worst incident that is open; of ended ones [`Severity::Info`].
    pub fn severity(&self) -> Severity {
        let open = self.incidents.iter().filter(|incident| incident.state == IncidentState::Open);
        open.map(|incident| incident.severity).min().unwrap_or(Severity::Info)
    }
}

fn json_bytes(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(usize::MAX / 2, |json| json.len())
}

#[cfg(test)]
#[path = "message_tests.rs"]
pub(super) mod tests;
