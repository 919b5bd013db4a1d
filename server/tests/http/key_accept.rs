//! The command `key accept`, on the database of a running overview.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::{Running, component, heartbeat, with_field};

/// The program, with the database of a running overview.
fn accept(overview: &Running, arguments: &[&str]) -> Output {
    accept_in(&overview.database(), arguments)
}

fn accept_in(database: &str, arguments: &[&str]) -> Output {
    Command::new(testkit::program())
        .args(["key", "accept", "--database", database])
        .args(arguments)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn refusal(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Three servers; the last has another key than the first two.
fn cluster() -> Running {
    let overview = Running::start();
    for (server, key) in [("web-1", "9f"), ("web-2", "9f"), ("web-3", "1a")] {
        let heartbeat = with_field(heartbeat(server, "web", 1), "key_check", json!(key.repeat(32)));
        assert_eq!(overview.beat(&heartbeat).status, 200);
    }
    overview
}

fn moment(text: &str) -> jiff::Timestamp {
    text.parse().unwrap()
}

#[test]
fn an_accepted_key_counts_within_two_seconds_and_changes_the_overview() {
    let overview = cluster();
    let before = overview.get("/api/v1/overview");
    assert_eq!(component(&before.body, "web-3", "web").unwrap()["key_in_sync"], false);
    let output = said(&accept(&overview, &["1a1a1a1a"]));
    let written = overview.get("/api/v1/overview");
    assert_eq!(
        output,
        "Accepted 1a1a1a1a as the cluster's encryption key.\n\
         These servers have another key now: web-1, web-2.\n"
    );
    let in_sync = |overview: &Value, server| {
        component(overview, server, "web").unwrap()["key_in_sync"].clone()
    };
    overview.overview_when(|overview| in_sync(overview, "web-3") == true);
    let after = overview.get("/api/v1/overview");
    assert_eq!(in_sync(&after.body, "web-1"), false);
    assert_ne!(after.header("etag"), before.header("etag"));
    let noticed = moment(after.body["as_of"].as_str().unwrap());
    assert!(noticed > moment(before.body["as_of"].as_str().unwrap()));
    let took = noticed.duration_since(moment(written.header("overview-now")));
    assert!(took.as_millis() < 2_000, "noticed after {took:?}");
    assert_eq!(after.body["blind_periods"], json!([]), "nobody's watch was disturbed");
}

#[test]
fn a_key_that_was_accepted_already_changes_nothing() {
    let overview = cluster();
    let output = said(&accept(&overview, &["9f9f9f9f9f"]));
    assert_eq!(
        output,
        "The cluster's encryption key is already 9f9f9f9f; nothing was changed.\n\
         These servers have another key now: web-3.\n"
    );
}

#[test]
fn a_machine_key_is_accepted_as_such() {
    let overview = Running::start();
    let machine =
        with_field(heartbeat("web-1", "web", 1), "machine_key_check", json!("5c".repeat(32)));
    overview.beat(&machine);
    let output = said(&accept(&overview, &["5c5c5c5c", "--kind", "machine"]));
    assert_eq!(
        output,
        "Accepted 5c5c5c5c as the cluster's machine key.\nAll servers that report a key have this one.\n"
    );
}

#[test]
fn digits_that_no_server_reports_are_rejected_with_a_list_of_those_reported() {
    let overview = cluster();
    let refused = refusal(&accept(&overview, &["deadbeef"]));
    assert!(refused.contains("no server reports the encryption key deadbeef"), "{refused}");
    assert!(refused.contains("reported: 1a1a1a1a, 9f9f9f9f"), "{refused}");
    let refused = refusal(&accept(&overview, &["9f9f9f9f", "--kind", "machine"]));
    assert!(refused.contains("the machine key 9f9f9f9f, or any other"), "{refused}");
}

#[test]
fn digits_that_match_two_keys_are_rejected() {
    let overview = cluster();
    let near = format!("{}00", "9f".repeat(31));
    overview.beat(&with_field(heartbeat("web-4", "web", 1), "key_check", json!(near)));
    let refused = refusal(&accept(&overview, &["9f9f9f9f"]));
    assert!(refused.contains("two reported encryption keys begin with 9f9f9f9f"), "{refused}");
    said(&accept(&overview, &[&near]));
}

#[test]
fn invalid_digits_are_rejected() {
    for digits in ["9f9f9f9", "9F9F9F9F", "9f9f9f9g", &"9f".repeat(33)] {
        let refused = refusal(&accept_in("sqlite:none.db", &[digits]));
        assert!(refused.contains("8 to 64"), "{digits}: {refused}");
    }
}

#[test]
fn a_missing_database_is_not_created() {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-such-overview.db");
    let refused = refusal(&accept_in(&format!("sqlite:{}", path.display()), &["9f9f9f9f"]));
    assert!(refused.contains("there is no database"), "{refused}");
    assert!(!path.exists());
}
