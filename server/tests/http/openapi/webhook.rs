//! The description of what a webhook is told, compared with what a real channel sends.

use std::time::Duration;

use serde_json::{Value, json};

use super::checker::*;
use crate::harness::heartbeat;

/// Half a minute until an incident is told, and the time of a slow machine.
const TOLD_WITHIN: Duration = Duration::from_secs(90);

#[test]
fn a_test_and_an_incident_arrive_at_a_webhook_as_they_are_described_and_with_nothing_else() {
    let checker = Checker::admin();
    checker.ask(200, ("POST", CHANNEL_TEST, "/api/v1/channels/ops/test"), &[], &[]);
    let settings = json!({
        "load_balancing": false, "automatic_failover": false,
        "heartbeat_interval_s": 1, "stale_timeout_s": 3, "web_window_s": 60
    });
    checker.configure(200, &bytes(&settings));
    checker.beat(200, &bytes(&heartbeat("app-1", "service", 1)));
    let messages = checker.receiver.wait_for(2, TOLD_WITHIN);
    let hints: Vec<&Value> =
        messages.iter().map(|message| &message.body["incidents"][0]["hint"]).collect();
    assert_eq!(hints, ["test", "service-stale"]);

    let operation = &checker.document["webhooks"]["incidents"]["post"];
    let content = operation["requestBody"]["content"].as_object().unwrap();
    let (kind, content) = content.iter().next().unwrap();
    for message in messages {
        let faults = checker.faults(&content["schema"], &message.body, true);
        assert!(faults.is_none(), "{faults:?}: {:#}", message.body);
        assert!(message.headers["content-type"].starts_with(kind), "{:?}", message.headers);
        for parameter in operation["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            let value = json!(message.headers[name]);
            let faults = checker.faults(&parameter["schema"], &value, true);
            assert!(faults.is_none(), "{name}: {faults:?}");
        }
    }
}

#[test]
fn every_field_that_a_webhook_gets_is_explained_and_always_there() {
    let checker = Checker::of(crate::harness::Running::start());
    for name in ["WebhookMessage", "WebhookIncident"] {
        let schema = &checker.document["components"]["schemas"][name];
        let required = schema["required"].as_array().unwrap();
        for (field, described) in schema["properties"].as_object().unwrap() {
            assert!(described["description"].is_string(), "{name}: {field}: {described}");
            assert!(required.contains(&json!(field)), "{name}: {field} may be missing");
        }
    }
}
