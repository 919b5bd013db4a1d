//! Channels through the API: what they are, tests, pauses, and what each was sent.

use cluster_overview::auth::{AuthMode, AuthPolicy};
use cluster_overview::notify::Channels;
use serde_json::{Value, json};
use testkit::WebhookReceiver;

use crate::harness::*;

/// An overview where people sign in, with this receiver as its channel `ops`.
fn telling(receiver: &WebhookReceiver) -> Running {
    let folder = folder();
    let channels = Channels::read(&receiver.write_channel_file(&folder)).unwrap();
    Running::telling(AuthPolicy::new(AuthMode::Password), channels)
}

fn ask(overview: &Running, token: &str, method: &str, path: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer), ("content-type", "application/json")];
    let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
    overview.send(method, path, &headers, &body)
}

fn channel(overview: &Running, token: &str) -> Value {
    ask(overview, token, "GET", "/api/v1/channels", &Value::Null).body["channels"][0].clone()
}

#[test]
fn a_channel_is_listed_without_its_address_and_a_test_is_in_its_log_and_in_the_audit() {
    let receiver = WebhookReceiver::start();
    let overview = telling(&receiver);
    let [admin, viewer] = ["admin", "viewer"].map(|role| overview.token(role));
    let all = ask(&overview, &viewer, "GET", "/api/v1/channels", &Value::Null).body;
    assert!(!all.to_string().contains(&receiver.port.to_string()), "{all:#}");
    assert!(!all.to_string().contains("whsec"), "{all:#}");
    let known = channel(&overview, &viewer);
    assert_eq!((&known["name"], &known["kind"]), (&"ops".into(), &"webhook".into()));
    assert_eq!((&known["state"], &known["remind_s"]), (&"ok".into(), &14_400.into()));
    let path = "/api/v1/channels/OPS/test";
    assert_eq!(ask(&overview, &viewer, "POST", path, &Value::Null).status, 403);
    let tested = ask(&overview, &admin, "POST", path, &Value::Null);
    assert_eq!(tested.status, 200, "{}", tested.body);
    let message = &receiver.received()[0];
    assert_eq!(message.body["incidents"][0]["hint"], "test");
    receiver.answer(500);
    let refused = ask(&overview, &admin, "POST", path, &Value::Null);
    assert_eq!(refused.status, 502, "{}", refused.body);
    assert!(refused.body["detail"].as_str().unwrap().contains("500"), "{}", refused.body);
    let log = "/api/v1/channels/ops/deliveries";
    let log = ask(&overview, &viewer, "GET", log, &Value::Null).body;
    let outcomes: Vec<&str> = log["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|delivery| delivery["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["given_up", "delivered"]);
    let audit = overview.audit(&admin);
    let tests = audit.iter().filter(|entry| entry["action"] == "test-channel");
    let outcomes: Vec<&str> = tests.map(|entry| entry["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes.len(), 2);
    assert!(outcomes[0].contains("500") && outcomes[1] == "done", "{outcomes:?}");
}

#[test]
fn a_pause_is_shown_with_its_reason_until_it_is_ended() {
    let overview = telling(&WebhookReceiver::start());
    let [admin, viewer] = ["admin", "viewer"].map(|role| overview.token(role));
    let path = "/api/v1/channels/ops/pause";
    let pause = json!({"until": "2099-01-01T00:00:00Z", "reason": "maintenance"});
    assert_eq!(ask(&overview, &viewer, "PUT", path, &pause).status, 403);
    assert_eq!(ask(&overview, &admin, "PUT", path, &pause).status, 204);
    let paused = channel(&overview, &viewer);
    assert_eq!(paused["state"], "paused");
    assert_eq!(paused["paused"]["reason"], "maintenance");
    assert_eq!(paused["paused"]["until"], "2099-01-01T00:00:00.000Z");
    assert_eq!(ask(&overview, &admin, "PUT", path, &json!({"until": null})).status, 204);
    assert_eq!(channel(&overview, &viewer)["paused"], Value::Null);
    for (wrong, field) in [
        (json!({}), "until"),
        (json!({"until": "tomorrow"}), "until"),
        (json!({"until": "2020-01-01T00:00:00Z"}), "until"),
        (json!({"until": null, "reason": "a\u{7}"}), "reason"),
    ] {
        let refused = ask(&overview, &admin, "PUT", path, &wrong);
        assert_eq!(refused.status, 422, "{wrong}");
        assert!(refused.body["errors"].to_string().contains(field), "{}", refused.body);
    }
    let audit = overview.audit(&admin);
    let entries = audit.iter().filter(|entry| entry["action"] == "pause-channel");
    assert_eq!(entries.count(), 2);
}
