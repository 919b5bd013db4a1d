//! `format = "alertmanager"`: the bodies of Prometheus's Alertmanager.
//!
//! A receiver that is made for Alertmanager's webhooks gets their body, version 4. An address that ends in
//! `/api/v2/alerts` is an Alertmanager itself, which gets a list of alerts.

use app::cluster::{Severity, Span, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::notify::address::Url;
use crate::notify::incident::{Incident, IncidentState};
use crate::notify::message::Message;
use crate::notify::text::plain_steps;

/// The path of the API that takes alerts.
const ALERTS_PATH: &str = "/api/v2/alerts";
/// The version of the body that Alertmanager sends to webhooks.
const WEBHOOK_VERSION: &str = "4";
/// How the body writes the end of an alert that has not ended.
const NO_END: &str = "0001-01-01T00:00:00Z";
/// An Alertmanager forgets an open alert after this time, should its end never be told.
const OPEN_FOR: Span = Span::minutes(30 * 24 * 60);
/// For how long an Alertmanager shows the alert of a test.
const TEST_OPEN_FOR: Span = Span::minutes(5);
const ALERT_NAME: &str = "ClusterOverviewIncident";

pub(super) fn body(url: &Url, channel: &str, message: &Message) -> Value {
    if url.path().ends_with(ALERTS_PATH) {
        Value::Array(message.incidents().iter().flat_map(|one| alerts(message, one)).collect())
    } else {
        webhook_body(channel, message)
    }
}

fn labels(incident: &Incident, severity: Severity) -> Value {
    json!({
        "alertname": ALERT_NAME,
        "incident": incident.id,
        "severity": severity.as_str(),
    })
}

fn annotations(message: &Message, incident: &Incident) -> Value {
    let texts = [
        // Not a label: with another label it would be another alert, and the name can change.
        ("cluster", Some(message.cluster().to_owned())),
        ("summary", Some(incident.title.clone())),
        ("description", Some(incident.evidence.clone())),
        ("steps", Some(plain_steps(incident))),
        ("avoid", incident.avoid.clone()),
        ("hint", Some(incident.hint.clone())),
        ("servers", Some(incident.servers.join(", "))),
        ("acknowledged_by", incident.acknowledged_by.clone()),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| {
        text.filter(|text| !text.is_empty()).map(|text| (name.to_owned(), Value::String(text)))
    });
    Value::Object(texts.collect())
}

/// The alerts of an incident for an Alertmanager. It takes alerts with different severities as different ones, so an error that
/// may have been a warning before also ends the warning.
fn alerts(message: &Message, incident: &Incident) -> Vec<Value> {
    let now = message.sent_at();
    let present = match incident.state {
        _ if message.is_test() => now + TEST_OPEN_FOR,
        IncidentState::Open => now + OPEN_FOR,
        IncidentState::Ended => incident.ended_at.unwrap_or(now),
    };
    let alert = |severity, ends_at: Timestamp| {
        json!({
            "labels": labels(incident, severity),
            "annotations": annotations(message, incident),
            "startsAt": incident.since.rfc3339(),
            "endsAt": ends_at.rfc3339(),
            "generatorURL": incident.url,
        })
    };
    let mut alerts = vec![alert(incident.severity, present)];
    if incident.severity == Severity::Error {
        alerts.push(alert(Severity::Warning, present.min(now)));
    }
    alerts
}

/// What Alertmanager sends to a webhook.
fn webhook_body(channel: &str, message: &Message) -> Value {
    let status = |is_open| if is_open { "firing" } else { "resolved" };
    let is_open = |incident: &Incident| incident.state == IncidentState::Open;
    let alerts: Vec<Value> = message
        .incidents()
        .iter()
        .map(|incident| {
            let ended_at = incident.ended_at.map(Timestamp::rfc3339);
            let digest = Sha256::digest(incident.id.as_bytes());
            json!({
                "status": status(is_open(incident)),
                "labels": labels(incident, incident.severity),
                "annotations": annotations(message, incident),
                "startsAt": incident.since.rfc3339(),
                "endsAt": ended_at.as_deref().unwrap_or(NO_END),
                "generatorURL": incident.url,
                "fingerprint": hex::encode(&digest[..8]),
            })
        })
        .collect();
    let group = json!({ "alertname": ALERT_NAME, "cluster": message.cluster() });
    json!({
        "version": WEBHOOK_VERSION,
        "groupKey": format!("{{}}:{group}"),
        "truncatedAlerts": message.more(),
        "status": status(message.incidents().iter().any(is_open)),
        "receiver": channel,
        "groupLabels": group,
        "commonLabels": group,
        "commonAnnotations": {},
        "externalURL": message.page(),
        "alerts": alerts,
    })
}

#[cfg(test)]
mod tests {
    use app::i18n::Language;

    use super::*;
    use crate::notify::message::tests::{ended, heading, incident};

    fn body_for(address: &str, incidents: Vec<Incident>) -> Value {
        let message = Message::new(heading(Language::English), incidents);
        body(&Url::parse(address, false).unwrap(), "ops", &message)
    }

    #[test]
    fn a_receiver_of_alertmanager_gets_version_4_of_its_body() {
        let body = body_for("https://receiver.example/hook", vec![ended(2), incident(1)]);
        assert_eq!(body["version"], "4");
        assert_eq!(body["status"], "firing");
        assert_eq!(body["receiver"], "ops");
        assert_eq!(body["externalURL"], "https://overview.example/");
        let alerts = body["alerts"].as_array().unwrap();
        assert_eq!(alerts[0]["status"], "firing");
        assert_eq!(alerts[0]["endsAt"], NO_END);
        assert_eq!(alerts[0]["labels"]["incident"], "inc_1");
        assert_eq!(alerts[0]["labels"]["severity"], "error");
        assert_eq!(alerts[0]["annotations"]["steps"], "1. Start the service.\n2. Look at its log.");
        assert_eq!(alerts[1]["status"], "resolved");
        assert_eq!(alerts[1]["endsAt"], "2026-11-22T12:00:00.000Z");
        assert_eq!(body_for("https://receiver.example/hook", vec![ended(2)])["status"], "resolved");
    }

    #[test]
    fn an_alertmanager_gets_alerts_of_which_only_the_present_severity_is_open() {
        let body = body_for("https://alerts.example/prefix/api/v2/alerts", vec![incident(1)]);
        let ends: Vec<_> = body
            .as_array()
            .unwrap()
            .iter()
            .map(|alert| [&alert["labels"]["severity"], &alert["endsAt"]].map(|v| v.as_str()))
            .collect();
        let now = Some("2026-11-22T12:00:00.000Z");
        assert_eq!(
            ends,
            [[Some("error"), Some("2026-12-22T12:00:00.000Z")], [Some("warning"), now]]
        );
    }
}
