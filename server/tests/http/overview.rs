//! The contract for readers of the overview.

use std::time::{Duration, Instant};

use cluster_overview::auth::AuthPolicy;
use serde_json::json;
use testkit::{DEFAULT_TIMEOUT, postgres, wait_until};

use crate::harness::{Running, component, heartbeat, with_field};

#[test]
fn an_unchanged_overview_is_304_and_every_response_has_the_time() {
    let overview = Running::start();
    overview.beat(&heartbeat("web-1", "web", 1));
    let first = overview.get("/api/v1/overview");
    let etag = first.header("etag").to_owned();
    assert!(etag.starts_with('"'), "a strong tag: {etag}");
    let again = overview.send("GET", "/api/v1/overview", &[("if-none-match", &etag)], &[]);
    assert_eq!(again.status, 304);
    assert_eq!(again.header("etag"), etag);
    assert!(again.header("overview-now") >= first.header("overview-now"));
    assert!(first.header("overview-now").ends_with('Z'));
    overview.beat(&heartbeat("web-1", "web", 2));
    let moved = overview.send("GET", "/api/v1/overview", &[("if-none-match", &etag)], &[]);
    assert_eq!(moved.status, 200);
    assert_ne!(moved.body["as_of"], first.body["as_of"]);
}

#[test]
fn a_silent_service_is_late_then_stale_and_alive_again_with_its_next_heartbeat() {
    let overview = Running::start();
    overview.use_short_timers();
    overview.beat(&heartbeat("app-1", "service", 1));
    let pulse = |wanted: &'static str| {
        move |body: &serde_json::Value| {
            component(body, "app-1", "service").unwrap()["pulse"] == wanted
        }
    };
    let late = overview.overview_when(pulse("late"));
    assert_eq!(late["health"], "warning");
    assert_eq!(late["hints"][0]["id"], "service-late");
    let stale = overview.overview_when(pulse("stale"));
    assert_eq!(stale["health"], "error");
    assert_eq!(stale["servers"][0]["health"], "error");
    assert_eq!(stale["counts"]["stale"], 1);
    let hint = &stale["hints"][0];
    assert_eq!((&hint["id"], &hint["server"]), (&json!("service-stale"), &json!("app-1")));
    overview.beat(&heartbeat("app-1", "service", 2));
    let whole = overview.overview();
    assert_eq!((&whole["health"], &whole["hints"]), (&json!("ok"), &json!([])));
}

#[test]
fn as_of_is_the_moment_of_the_change_whenever_it_is_requested() {
    let overview = Running::start();
    overview.use_short_timers();
    overview.beat(&heartbeat("app-1", "service", 1));
    let stale = overview.overview_when(|body| body["health"] == "error");
    let parse = |text: &serde_json::Value| -> i64 {
        text.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond()
    };
    let since = parse(&stale["servers"][0]["components"][0]["last_heartbeat"]);
    assert_eq!(parse(&stale["as_of"]), since + 3_001);
}

/// A request for the overview with this `ETag`.
fn moved_on(overview: &Running, etag: &str) -> (String, serde_json::Value) {
    let answer = overview.send("GET", "/api/v1/overview", &[("if-none-match", etag)], &[]);
    assert_eq!(answer.status, 200, "the picture has moved");
    (answer.header("etag").to_owned(), answer.body)
}

fn as_of(picture: &serde_json::Value) -> String {
    picture["as_of"].as_str().unwrap().to_owned()
}

fn a_short_blindness_is_never_undone_in(overview: &Running) {
    overview.beat(&heartbeat("app-1", "service", 1));
    let (first, before) = moved_on(overview, "none");
    let locked = overview.lock_database();
    wait_until("it to be blind", DEFAULT_TIMEOUT, || {
        (overview.beat(&heartbeat("app-1", "service", 2)).status == 503).then_some(())
    });
    let (second, blind) = moved_on(overview, &first);
    assert_eq!(blind["health"], "unknown");
    assert!(as_of(&blind) >= as_of(&before));
    drop(locked);
    overview.overview_when(|picture| picture["blind_since"].is_null());
    let (third, after) = moved_on(overview, &second);
    assert_eq!(after["health"], "ok");
    assert_ne!(third, first, "every verdict changed twice");
    assert!(as_of(&after) > as_of(&blind), "{} after {}", as_of(&after), as_of(&blind));
    assert_eq!(after["blind_periods"], json!([]), "too short for that");
}

#[test]
fn the_overview_after_a_blind_period_has_a_new_etag_although_no_fact_changed() {
    a_short_blindness_is_never_undone_in(&Running::start());
    let database = tokio::runtime::Runtime::new().unwrap().block_on(postgres().create_database());
    a_short_blindness_is_never_undone_in(&Running::on(&database, AuthPolicy::open()));
}

#[test]
fn another_key_is_a_decryption_failure_on_that_server_only() {
    let overview = Running::start();
    for server in ["web-1", "web-2"] {
        overview.beat(&heartbeat(server, "web", 1));
    }
    let other = with_field(heartbeat("web-3", "web", 1), "key_check", json!("07".repeat(32)));
    overview.beat(&other);
    let body = overview.overview();
    for (server, in_sync) in [("web-1", true), ("web-2", true), ("web-3", false)] {
        assert_eq!(component(&body, server, "web").unwrap()["key_in_sync"], in_sync, "{server}");
    }
    assert_eq!(body["hints"].as_array().unwrap().len(), 1);
    assert_eq!(body["hints"][0]["id"], "key-mismatch");
    assert_eq!(body["hints"][0]["anchor"], "hint-key-mismatch-web-3");
    assert!(body["hints"][0]["avoid"].is_string());
}

#[test]
fn health_checks_and_the_page_answer() {
    let overview = Running::start();
    assert_eq!(overview.get("/healthz").status, 200);
    assert_eq!(overview.get("/readyz").status, 200);
    let page = overview.get("/");
    assert_eq!(page.status, 200);
    assert_eq!(page.header("cache-control"), "no-store, no-transform");
}

/// The number of committed transactions.
fn transactions(overview: &Running) -> u64 {
    let name = "cluster_overview_store_transaction_duration_seconds_count ";
    let metrics = overview.get("/metrics").body;
    let mut lines = metrics.as_str().unwrap().lines();
    lines.find_map(|line| line.strip_prefix(name)).unwrap().parse().unwrap()
}

#[test]
fn readiness_checks_write_to_the_database_at_most_once_a_second() {
    let overview = Running::start();
    let (before, since) = (transactions(&overview), Instant::now());
    let mut asked = 0;
    while since.elapsed() < Duration::from_secs(2) {
        assert_eq!(overview.get("/readyz").status, 200);
        asked += 1;
    }
    let written = transactions(&overview) - before;
    assert!(asked > 100, "asked only {asked} times");
    // One at once, one a second, and the overview's own writes.
    assert!(written <= 2 + since.elapsed().as_secs() + 1, "{written} transactions for {asked}");
}

#[test]
fn an_overview_without_its_database_is_blind_and_no_server_is_stale_afterwards() {
    let overview = Running::start();
    overview.use_short_timers();
    overview.beat(&heartbeat("app-1", "service", 1));
    let locked = overview.lock_database();
    let refused = overview.beat(&heartbeat("app-1", "service", 2));
    assert_eq!(refused.status, 503);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(overview.get("/readyz").status, 503);
    assert_eq!(overview.get("/healthz").status, 200);
    let blind = overview.overview();
    assert_eq!(blind["as_of"], blind["blind_since"], "as of the last sight");
    assert_eq!(blind["health"], "unknown");
    assert_eq!(blind["counts"]["unknown"], 1);
    assert_eq!(component(&blind, "app-1", "service").unwrap()["pulse"], "unknown");
    assert_eq!(blind["hints"][0]["id"], "overview-blind");
    assert_eq!(blind["hints"].as_array().unwrap().len(), 1);
    drop(locked);
    let seeing = overview.overview_when(|body| body["blind_since"].is_null());
    assert_eq!(component(&seeing, "app-1", "service").unwrap()["pulse"], "alive");
    assert_eq!(seeing["blind_periods"].as_array().unwrap().len(), 1);
    assert_eq!(overview.beat(&heartbeat("app-1", "service", 2)).body["applied"], true);
}
