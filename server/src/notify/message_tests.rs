//! What a message contains, and the incidents that other tests use.

use app::cluster::server_name::is_unprintable;
use serde_json::{Value, json};

use super::*;

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

#[test]
fn for_receivers_with_an_event_for_each_incident_all_are_in_some_message() {
    let messages =
        Message::split(&heading(Language::English), (1..=57).rev().map(incident).collect());
    let ids: Vec<&str> = messages.iter().map(Message::id).collect();
    assert_eq!(ids, ["msg_1", "msg_1_2", "msg_1_3"]);
    let all = messages.iter().flat_map(Message::incidents).map(|incident| incident.id.clone());
    let expected: Vec<String> = (1..=57).map(|number| format!("inc_{number}")).collect();
    assert_eq!(all.collect::<Vec<_>>(), expected);
    for message in &messages {
        assert_eq!((message.more(), message.counts()), (0, [message.incidents().len(), 0]));
        assert!(json_of(message).to_string().len() <= MAX_MESSAGE_BYTES);
    }
}

#[test]
fn incidents_of_which_nobody_made_the_texts_are_counted() {
    let incidents = vec![incident(1), ended(2)];
    let message = Message::new(heading(Language::English), incidents).with_others([3, 4]);
    assert_eq!((message.more(), message.counts()), (7, [4, 5]));
}
