//! What an admin can change, and what is rejected.

use serde_json::{Value, json};

use crate::harness::{BOOT, Running, component, heartbeat, with_field};

fn settings() -> Value {
    json!({
        "load_balancing": true, "automatic_failover": true,
        "heartbeat_interval_s": 10, "stale_timeout_s": 60, "web_window_s": 3600
    })
}

#[test]
fn settings_are_in_force_with_the_next_answer() {
    let overview = Running::start();
    let defaults = overview.get("/api/v1/settings").body;
    assert_eq!(defaults["heartbeat_interval_s"], 30);
    assert_eq!(defaults["web_window_s"], 86_400);
    assert_eq!(overview.json("PUT", "/api/v1/settings", &settings()).status, 200);
    assert_eq!(overview.get("/api/v1/settings").body, settings());
    assert_eq!(overview.overview()["settings"], settings());
    let next = overview.beat(&heartbeat("web-1", "web", 1)).body["next_in_ms"].as_u64().unwrap();
    assert!((8_000..=10_000).contains(&next), "{next}");
}

#[test]
fn every_setting_out_of_range_missing_or_of_another_type_is_named() {
    let overview = Running::start();
    let mut wrong = settings();
    wrong["heartbeat_interval_s"] = json!(0);
    wrong["stale_timeout_s"] = json!("60");
    wrong["web_window_s"] = Value::Null;
    wrong.as_object_mut().unwrap().remove("load_balancing");
    let answer = overview.json("PUT", "/api/v1/settings", &wrong);
    assert_eq!(answer.status, 422);
    let mut named: Vec<&str> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap())
        .collect();
    named.sort_unstable();
    assert_eq!(
        named,
        ["heartbeat_interval_s", "load_balancing", "stale_timeout_s", "web_window_s"]
    );
    assert_eq!(overview.get("/api/v1/settings").body["heartbeat_interval_s"], 30);
}

#[test]
fn a_live_component_is_removed_only_with_force_and_a_missing_one_is_404() {
    let overview = Running::start();
    overview.beat(&heartbeat("web-1", "web", 1));
    overview.beat(&heartbeat("web-1", "service", 1));
    let path = "/api/v1/servers/web-1/components/web";
    assert_eq!(overview.send("DELETE", path, &[], &[]).status, 409);
    let forced = format!("{path}?force=true");
    assert_eq!(overview.send("DELETE", &forced, &[], &[]).status, 204);
    assert_eq!(overview.send("DELETE", &forced, &[], &[]).status, 404);
    assert_eq!(overview.send("DELETE", "/api/v1/servers/WEB-1?force=true", &[], &[]).status, 204);
    assert_eq!(overview.send("DELETE", "/api/v1/servers/web-1", &[], &[]).status, 404);
    assert_eq!(overview.overview()["counts"]["servers"], 0);
}

#[test]
fn a_removed_component_comes_back_only_with_a_newer_heartbeat_and_the_page_says_so() {
    let overview = Running::start();
    overview.beat(&heartbeat("web-1", "web", 5));
    overview.send("DELETE", "/api/v1/servers/web-1?force=true", &[], &[]);
    assert_eq!(overview.beat(&heartbeat("web-1", "web", 5)).body["applied"], false);
    let leaving = with_field(heartbeat("web-1", "web", 6), "leaving", json!(true));
    assert_eq!(overview.beat(&leaving).body["applied"], false);
    assert_eq!(overview.overview()["counts"]["servers"], 0);
    assert_eq!(overview.beat(&heartbeat("web-1", "web", 7)).body["applied"], true);
    let body = overview.overview();
    assert_eq!(body["hints"][0]["id"], "came-back");
    overview.send("DELETE", "/api/v1/servers/web-1?force=true", &[], &[]);
    let started =
        with_field(heartbeat("web-1", "web", 0), "boot_id", json!(BOOT.replace("0b0e", "1b0e")));
    assert_eq!(overview.beat(&started).body["applied"], true);
    assert_eq!(overview.overview()["hints"], json!([]), "a new start is no come-back");
}

#[test]
fn the_key_that_an_admin_accepts_becomes_the_reference_key() {
    let overview = Running::start();
    for server in ["web-1", "web-2"] {
        overview.beat(&heartbeat(server, "web", 1));
    }
    let check = "07".repeat(32);
    overview.beat(&with_field(heartbeat("web-3", "web", 1), "key_check", json!(check)));
    let path = "/api/v1/reference-keys/encryption";
    let accept = |digits: &str| overview.json("PUT", path, &json!({"key_check": digits})).status;
    assert_eq!(accept("deadbeef"), 404);
    assert_eq!(accept("0707"), 422);
    assert_eq!(accept("07070707"), 204);
    let body = overview.overview();
    assert_eq!(component(&body, "web-3", "web").unwrap()["key_in_sync"], true);
    assert_eq!(component(&body, "web-1", "web").unwrap()["key_in_sync"], false);
    let twin = format!("{}{}", "07".repeat(31), "08");
    overview.beat(&with_field(heartbeat("web-4", "web", 1), "key_check", json!(twin)));
    assert_eq!(accept("07070707"), 409);
    assert_eq!(accept(&twin), 204);
    let unknown = overview.json("PUT", "/api/v1/reference-keys/other", &json!({"key_check": twin}));
    assert_eq!(unknown.status, 404);
}
