//! `kind = "pagerduty"`: events of the PagerDuty Events API, version 2, one for each incident.

use app::cluster::Severity;
use serde_json::{Value, json};

use crate::clock::Stopwatch;
use crate::notify::address::{Address, Url};
use crate::notify::failure::{Delivered, DeliveryFailure};
use crate::notify::fields::Fields;
use crate::notify::http_client::{HttpClient, Post};
use crate::notify::incident::{Incident, IncidentState};
use crate::notify::message::Message;
use crate::notify::secret_file::SecretFile;
use crate::notify::text::{cut_bytes, open_page};

/// The address outside of the service region of the EU.
const DEFAULT_URL: &str = "https://events.pagerduty.com/v2/enqueue";
/// The limits of PagerDuty.
const MAX_SUMMARY_BYTES: usize = 1_000;
const MAX_KEY_BYTES: usize = 255;
/// For all events of a message. What was left out is sent again with the next try, which PagerDuty recognizes.
const MESSAGE_TIMEOUT: std::time::Duration = std::time::Duration::from_mins(1);

#[derive(Clone, Debug)]
pub(in crate::notify) struct PagerDuty {
    address: Address,
    routing_key: SecretFile,
    http: HttpClient,
}

impl PagerDuty {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let address = if fields.has("url") || fields.has("url_file") {
            Address::read(fields, true)
        } else {
            // So that both are known as fields of this kind.
            let _ = (fields.text("url"), fields.text("url_file"));
            Url::parse(DEFAULT_URL, false).ok().map(Address::Known)
        };
        let routing_key = fields.required_secret_file("secret_file", "the integration key");
        let http = HttpClient::read(fields);
        Some(Self { address: address?, routing_key: routing_key?, http })
    }

    pub(super) async fn send(&self, message: &Message) -> Result<Delivered, DeliveryFailure> {
        let since = Stopwatch::start();
        let mut last = Delivered::new("there was nothing to send");
        for event in events(message) {
            if since.elapsed() > MESSAGE_TIMEOUT {
                let why =
                    format!("not all events were sent within {} s", MESSAGE_TIMEOUT.as_secs());
                return Err(DeliveryFailure::new(why));
            }
            let Self { address, routing_key, http } = self.clone();
            let make = move || {
                let key = routing_key.reveal();
                let key = key.map_err(|error| DeliveryFailure::new(error.to_string()))?;
                let mut event = event;
                event["routing_key"] = key.as_str().into();
                let mut post = Post::json(address.get()?, &event);
                post.secrets.push(key);
                Ok(post)
            };
            last = http.post(make).await?;
        }
        Ok(last)
    }
}

pub(super) fn events(message: &Message) -> Vec<Value> {
    let events = message.incidents().iter().flat_map(|incident| {
        let actions: &[&str] = match incident.state {
            // A test shows up, and is over at once.
            _ if message.is_test() => &["trigger", "resolve"],
            IncidentState::Ended => &["resolve"],
            // It may not be known there: it was acknowledged before, or is back after its end.
            IncidentState::Open if incident.acknowledged_by.is_some() => {
                &["trigger", "acknowledge"]
            }
            IncidentState::Open => &["trigger"],
        };
        actions.iter().map(|action| event(message, incident, action))
    });
    events.collect()
}

fn event(message: &Message, incident: &Incident, action: &str) -> Value {
    let severity = match incident.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let source = incident.servers.first().map_or(message.cluster(), String::as_str);
    let mut event = json!({
        "event_action": action,
        "dedup_key": cut_bytes(&incident.id, MAX_KEY_BYTES),
    });
    if action == "trigger" {
        event["payload"] = json!({
            "summary": cut_bytes(&incident.title, MAX_SUMMARY_BYTES),
            "source": source,
            "severity": severity,
            "timestamp": incident.since.rfc3339(),
            "group": message.cluster(),
            "class": incident.hint,
            "custom_details": {
                "evidence": incident.evidence,
                "steps": incident.steps,
                "avoid": incident.avoid,
                "servers": incident.servers,
                "turns": incident.turns,
            },
        });
        event["client"] = "Cluster Overview".into();
        event["client_url"] = message.page().into();
        event["links"] = json!([{ "href": incident.url, "text": open_page(message) }]);
    }
    event
}

#[cfg(test)]
mod tests {
    use app::i18n::Language;

    use super::*;
    use crate::notify::message::tests::{ended, heading, hostile_incident, incident};

    #[test]
    fn an_incident_is_triggered_acknowledged_and_resolved_under_one_key() {
        let acknowledged = Incident { acknowledged_by: Some("ann".to_owned()), ..incident(2) };
        let incidents = vec![incident(1), acknowledged, ended(3)];
        let events = events(&Message::new(heading(Language::English), incidents));
        let found: Vec<_> = events
            .iter()
            .map(|event| [&event["event_action"], &event["dedup_key"]].map(|v| v.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                [Some("trigger"), Some("inc_1")],
                [Some("trigger"), Some("inc_2")],
                [Some("acknowledge"), Some("inc_2")],
                [Some("resolve"), Some("inc_3")]
            ]
        );
        let payload = &events[0]["payload"];
        assert_eq!(payload["severity"], "error");
        assert_eq!(payload["source"], "web-1");
        assert_eq!(payload["timestamp"], "2026-11-22T11:52:00.001Z");
        assert!(events[0]["links"][0]["href"].as_str().unwrap().contains("?at="));
    }

    #[test]
    fn facts_are_values_of_json_and_within_the_limits_of_pagerduty() {
        let id = "i".repeat(400);
        let long = Incident { id, acknowledged_by: None, ..hostile_incident() };
        let events = events(&Message::new(heading(Language::English), vec![long]));
        assert_eq!(events.len(), 1);
        assert!(events[0]["dedup_key"].as_str().unwrap().len() <= MAX_KEY_BYTES);
        assert!(events[0]["payload"]["summary"].as_str().unwrap().len() <= 1_024);
        let test = Message::test(heading(Language::English), "ops");
        let actions: Vec<_> =
            super::events(&test).iter().map(|event| event["event_action"].clone()).collect();
        assert_eq!(actions, ["trigger", "resolve"]);
    }
}
