//! A message: what a channel says about incidents, at the moment at which it is sent.
//!
//! Serialized it is the body of a webhook. The other kinds make their own texts of it (`text.rs`).

use app::cluster::hints::Arg;
use app::cluster::server_name::is_unprintable;
use app::cluster::{Severity, Span, Timestamp};
use app::i18n::{Catalog, Language, MessageKey};
use serde::{Serialize, Serializer};

/// More incidents are only counted.
pub const MAX_INCIDENTS: usize = 20;
/// The length of a message as JSON.
pub const MAX_MESSAGE_BYTES: usize = 20_000;

const MAX_TITLE_BYTES: usize = 300;
const MAX_EVIDENCE_BYTES: usize = 3_000;
const MAX_STEP_BYTES: usize = 600;
const MAX_STEPS: usize = 10;
const MAX_NAMED_SERVERS: usize = 20;
/// Of an incident that is too long for a message of its own.
const MAX_SHORT_EVIDENCE_BYTES: usize = 500;
const MAX_SHORT_SERVERS: usize = 3;

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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    Open,
    Ended,
}

/// One incident, in the language of the channel.
#[derive(Clone, Debug, Serialize)]
pub struct Incident {
    pub id: String,
    /// The ID of its hint, such as `service-stale`.
    pub hint: String,
    pub severity: Severity,
    pub state: IncidentState,
    #[serde(serialize_with = "rfc3339")]
    pub since: Timestamp,
    #[serde(serialize_with = "optional_rfc3339")]
    pub ended_at: Option<Timestamp>,
    /// Until its end, or until the message is sent.
    #[serde(rename = "lasted_s", serialize_with = "seconds")]
    pub lasted: Span,
    /// How much of that nobody could observe.
    #[serde(rename = "blind_s", serialize_with = "seconds")]
    pub blind: Span,
    /// How often it has fired.
    pub turns: u32,
    /// Whether it could not be sent in time: since when, and until when the channel did not accept it.
    #[serde(rename = "late", serialize_with = "is_some")]
    pub unanswered: Option<(Timestamp, Timestamp)>,
    pub title: String,
    pub evidence: String,
    pub steps: Vec<String>,
    pub avoid: Option<String>,
    pub servers: Vec<String>,
    pub acknowledged_by: Option<String>,
    /// The page at that moment.
    pub url: String,
}

/// One message. Its texts have no control characters, and it is within [`MAX_INCIDENTS`] and [`MAX_MESSAGE_BYTES`].
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    r#type: &'static str,
    #[serde(serialize_with = "rfc3339")]
    sent_at: Timestamp,
    cluster: String,
    page: String,
    incidents: Vec<Incident>,
    /// How many further incidents there are.
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
        let is_open = |incident: &&Incident| incident.state == IncidentState::Open;
        let open = incidents.iter().filter(is_open).count();
        let counts = [open, incidents.len() - open];
        incidents.sort_by_key(|incident| {
            (incident.state == IncidentState::Ended, incident.severity, incident.since)
        });
        let Heading { id, cluster, page, sent_at, language } = heading;
        let mut message = Self {
            r#type: "incidents",
            sent_at,
            cluster: shortened(&cluster, MAX_TITLE_BYTES),
            page,
            incidents: Vec::new(),
            more: incidents.len(),
            id,
            language,
            is_test: false,
            counts,
        };
        message.fill(incidents);
        message
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

    fn fill(&mut self, incidents: Vec<Incident>) {
        let mut bytes = self.json_bytes();
        for incident in incidents.into_iter().take(MAX_INCIDENTS) {
            let mut incident = incident.bounded();
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
            self.more -= 1;
        }
    }

    fn json_bytes(&self) -> usize {
        json_bytes(self)
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

impl Incident {
    /// The same with printable texts of bounded length.
    fn bounded(self) -> Self {
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
    fn without_details(self) -> Self {
        Self {
            evidence: shortened(&self.evidence, MAX_SHORT_EVIDENCE_BYTES),
            steps: Vec::new(),
            servers: self.servers.into_iter().take(MAX_SHORT_SERVERS).collect(),
            ..self
        }
    }
}

/// The text without characters that cannot be printed. `…` at its end: it was longer than `max_bytes`.
fn shortened(text: &str, max_bytes: usize) -> String {
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

fn json_bytes(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(usize::MAX / 2, |json| json.len())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn rfc3339<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::{Value, json};

    pub(in crate::notify) fn heading(language: Language) -> Heading {
        Heading {
            id: "msg_1".to_owned(),
            cluster: "prod".to_owned(),
            page: "https://overview.example/".to_owned(),
            sent_at: Timestamp(1_795_348_800_000),
            language,
        }
    }

    pub(in crate::notify) fn incident(number: i64) -> Incident {
        Incident {
            id: format!("inc_{number}"),
            hint: "service-stale".to_owned(),
            severity: Severity::Error,
            state: IncidentState::Open,
            since: Timestamp(1_795_348_320_000 + number),
            ended_at: None,
            lasted: Span::minutes(8),
            blind: Span::ZERO,
            turns: 1,
            unanswered: None,
            title: format!("The service of web-{number} does not respond"),
            evidence: "The last heartbeat came at 11:47:00Z from 10.0.0.7.".to_owned(),
            steps: vec!["Start the service.".to_owned(), "Look at its log.".to_owned()],
            avoid: Some("Do not remove the server.".to_owned()),
            servers: vec![format!("web-{number}")],
            acknowledged_by: None,
            url: format!("https://overview.example/?at=2026-11-22T11:52:00.000Z#{number}"),
        }
    }

    pub(in crate::notify) fn ended(number: i64) -> Incident {
        let ended_at = Some(Timestamp(1_795_348_800_000));
        Incident { state: IncidentState::Ended, ended_at, ..incident(number) }
    }

    /// An incident whose every text would do harm if a receiver did not take it as text.
    pub(in crate::notify) fn hostile_incident() -> Incident {
        let text = "a\r\nBcc: x@evil.example\r\n\r\n<script>alert(1)</script> <!channel> @here <@U1> \
                    [click](https://evil.example) https://evil.example/x **b** _i_ `c` # h\u{202e}\
                    \u{1b}[31m \"q\" &amp; {\"a\":1} $.x \u{0}";
        Incident {
            hint: "service-stale".to_owned(),
            title: format!("The service of {text} does not respond"),
            evidence: text.to_owned(),
            steps: vec![text.to_owned()],
            avoid: Some(text.to_owned()),
            servers: vec![text.to_owned()],
            acknowledged_by: Some(text.to_owned()),
            ..incident(1)
        }
    }

    fn json_of(message: &Message) -> Value {
        serde_json::to_value(message).unwrap()
    }

    #[test]
    fn a_message_is_serialized_as_the_body_of_a_webhook() {
        let message = Message::new(heading(Language::English), vec![incident(1)]);
        assert_eq!(
            json_of(&message),
            json!({
                "type": "incidents",
                "sent_at": "2026-11-22T12:00:00.000Z",
                "cluster": "prod",
                "page": "https://overview.example/",
                "incidents": [{
                    "id": "inc_1",
                    "hint": "service-stale",
                    "severity": "error",
                    "state": "open",
                    "since": "2026-11-22T11:52:00.001Z",
                    "ended_at": null,
                    "lasted_s": 480,
                    "blind_s": 0,
                    "turns": 1,
                    "late": false,
                    "title": "The service of web-1 does not respond",
                    "evidence": "The last heartbeat came at 11:47:00Z from 10.0.0.7.",
                    "steps": ["Start the service.", "Look at its log."],
                    "avoid": "Do not remove the server.",
                    "servers": ["web-1"],
                    "acknowledged_by": null,
                    "url": "https://overview.example/?at=2026-11-22T11:52:00.000Z#1"
                }],
                "more": 0
            })
        );
        let late = Some((Timestamp(0), Timestamp(1)));
        let ended = Incident { unanswered: late, ..ended(1) };
        let json = json_of(&Message::new(heading(Language::English), vec![ended]));
        assert_eq!(json["incidents"][0]["state"], "ended");
        assert_eq!(json["incidents"][0]["ended_at"], "2026-11-22T12:00:00.000Z");
        assert_eq!(json["incidents"][0]["late"], true);
    }

    #[test]
    fn a_message_has_at_most_20_incidents_and_the_most_urgent_come_first() {
        let warning = |number| Incident { severity: Severity::Warning, ..incident(number) };
        let mut incidents: Vec<Incident> = (1..=19).map(warning).collect();
        incidents.insert(0, ended(30));
        incidents.extend((31..=57).map(incident));
        let message = Message::new(heading(Language::English), incidents);
        assert_eq!(message.incidents().len() + message.more(), 47);
        assert!(message.incidents().len() <= MAX_INCIDENTS);
        assert!(message.incidents().iter().all(|one| one.severity == Severity::Error));
        assert_eq!(message.incidents()[0].id, "inc_31");
        assert_eq!(message.counts(), [46, 1]);
        assert_eq!(json_of(&message)["more"], message.more());
    }

    #[test]
    fn no_message_is_longer_than_20_kb_whatever_it_says() {
        for character in ["x", "ü", "語", "\"", "\\", "\u{202e}", "\n", "\u{0}"] {
            let long = character.repeat(30_000);
            let huge = |number| Incident {
                title: long.clone(),
                evidence: long.clone(),
                steps: vec![long.clone(); 40],
                avoid: Some(long.clone()),
                servers: vec![long.clone(); 500],
                acknowledged_by: Some(long.clone()),
                ..incident(number)
            };
            let message = Message::new(heading(Language::English), (1..=30).map(huge).collect());
            assert!(json_bytes(&message) <= MAX_MESSAGE_BYTES, "{character:?}");
            assert!(!message.incidents().is_empty(), "{character:?}");
            assert_eq!(message.incidents().len() + message.more(), 30, "{character:?}");
        }
    }

    #[test]
    fn no_text_of_a_message_has_characters_that_cannot_be_printed() {
        let message = Message::new(heading(Language::English), vec![hostile_incident()]);
        let json = serde_json::to_string(&message).unwrap();
        assert!(!json.chars().any(is_unprintable), "{json:?}");
        // Names that run from right to left are kept apart by a pair of characters, which stay.
        assert_eq!(shortened("a \u{2068}שרת\u{2069} b", 99), "a \u{2068}שרת\u{2069} b");
        assert_eq!(shortened("a \u{2068}b", 99), "a \u{fffd}b");
        assert_eq!(shortened("\u{2069}a\u{2068}", 99), "\u{fffd}a\u{fffd}");
        assert_eq!(shortened("\u{2068}abcdefgh\u{2069}", 8), "abcde…");
        assert_eq!(shortened("äöü", 4), "äö…");
    }

    #[test]
    fn a_test_message_says_which_cluster_and_channel_and_that_nothing_is_wrong() {
        for (language, words) in [
            (Language::English, ["ops", "prod", "Nothing is wrong"]),
            (Language::German, ["ops", "prod", "alles in Ordnung"]),
        ] {
            let message = Message::test(heading(language), "ops");
            let json = serde_json::to_string(&message).unwrap();
            assert!(words.iter().all(|word| json.contains(word)), "{json}");
            assert!(message.is_test());
            assert_eq!(json_of(&message)["incidents"][0]["state"], "ended");
        }
    }
}
