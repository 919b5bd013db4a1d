//! The contract for senders of heartbeats.

use serde_json::{Value, json};

use crate::harness::{BOOT, Running, TOKEN, component, heartbeat, with_field};

#[test]
fn a_heartbeat_is_answered_when_it_is_durable_with_the_time_until_the_next() {
    let overview = Running::start();
    let answer = overview.beat(&heartbeat("web-1", "web", 42));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["applied"], true);
    let next = answer.body["next_in_ms"].as_u64().unwrap();
    assert!((24_000..=30_000).contains(&next), "0.8 to 1.0 of 30 s, not {next} ms");
    let body = overview.overview();
    let web = component(&body, "web-1", "web").unwrap();
    assert_eq!(web["last_heartbeat"], answer.body["received_at"]);
    assert_eq!(web["pulse"], "alive");
    assert_eq!(web["key_digits"], "9f9f9f9f");
}

#[test]
fn agents_get_random_intervals_so_that_they_do_not_send_in_step() {
    let overview = Running::start();
    let told: std::collections::BTreeSet<u64> = (0..20)
        .map(|n| overview.beat(&heartbeat("web-1", "web", n)).body["next_in_ms"].as_u64().unwrap())
        .collect();
    assert!(told.len() > 5, "{told:?}");
}

#[test]
fn a_replay_changes_nothing_and_gets_the_stored_time() {
    let overview = Running::start();
    let first = overview.beat(&heartbeat("web-1", "web", 2));
    for sequence in [2, 1, 0] {
        let late = with_field(heartbeat("web-1", "web", sequence), "version", json!("1.0"));
        let replay = overview.beat(&late);
        assert_eq!(replay.status, 200);
        assert_eq!(replay.body["applied"], false);
        assert_eq!(replay.body["received_at"], first.body["received_at"]);
    }
    let body = overview.overview();
    assert_eq!(component(&body, "web-1", "web").unwrap()["version"], "2026.2.1");
}

#[test]
fn a_late_heartbeat_from_before_a_restart_changes_nothing() {
    let overview = Running::start();
    let restarted = BOOT.replace("0b0e", "1b0e");
    let before = |sequence| heartbeat("web-1", "web", sequence);
    let after = |sequence| with_field(before(sequence), "boot_id", json!(restarted));
    let leaving = |beat| with_field(beat, "leaving", json!(true));
    overview.beat(&before(10));
    let last = overview.beat(&after(5));
    assert_eq!(last.body["applied"], true, "a new start, though its numbers are lower");
    let picture = overview.overview();
    for late in
        [before(9), before(10), leaving(before(10)), leaving(before(11)), after(4), after(5)]
    {
        let answer = overview.beat(&late);
        assert_eq!((answer.status, &answer.body["applied"]), (200, &json!(false)), "{late}");
        assert_eq!(answer.body["received_at"], last.body["received_at"], "{late}");
        assert_eq!(overview.overview(), picture, "{late}");
    }
    let pulse = |overview: &Running| {
        component(&overview.overview(), "web-1", "web").unwrap()["pulse"].clone()
    };
    assert_eq!(
        overview.beat(&leaving(after(6))).body["applied"],
        true,
        "its own leaving heartbeat does"
    );
    assert_eq!(pulse(&overview), "stopped");
    assert_eq!(overview.beat(&before(11)).body["applied"], true, "the former one runs after all");
    assert_eq!(pulse(&overview), "alive");
    assert_eq!(component(&overview.overview(), "web-1", "web").unwrap()["boot_id"], BOOT);
}

#[test]
fn an_array_is_applied_in_order_and_the_applied_ones_are_counted() {
    let overview = Running::start();
    let beats = json!([
        heartbeat("web-1", "web", 1),
        heartbeat("web-1", "web", 2),
        heartbeat("web-1", "web", 1),
        heartbeat("WEB-1", "service", 1),
    ]);
    let answer = overview.beat(&beats);
    assert_eq!((answer.status, &answer.body["applied"]), (200, &json!(3)));
    let body = overview.overview();
    assert_eq!(body["counts"]["servers"], 1, "names are compared without case");
    assert_eq!(body["counts"]["service"], 1);
}

#[test]
fn an_array_with_one_invalid_element_is_rejected_as_a_whole_and_names_it() {
    let overview = Running::start();
    let beats = json!([
        heartbeat("web-1", "web", 1),
        with_field(heartbeat("web-2", "web", 1), "role", json!("db"))
    ]);
    let answer = overview.beat(&beats);
    assert_eq!(answer.status, 422);
    assert_eq!(answer.body["errors"][0]["field"], "[1].role");
    assert_eq!(overview.overview()["counts"]["servers"], 0);
}

#[test]
fn an_array_has_1_to_1000_elements() {
    let overview = Running::start();
    let many = |count: usize| {
        Value::Array((0..count).map(|n| heartbeat(&format!("s-{n}"), "service", 1)).collect())
    };
    assert_eq!(overview.beat(&many(0)).status, 422);
    assert_eq!(overview.beat(&many(1_001)).status, 422);
    assert_eq!(overview.overview()["counts"]["servers"], 0);
    let all = overview.beat(&many(1_000));
    assert_eq!((all.status, &all.body["applied"]), (200, &json!(1_000)));
}

#[test]
fn a_body_of_another_content_type_is_415() {
    let overview = Running::start();
    let bearer = format!("Bearer {TOKEN}");
    let body = heartbeat("web-1", "web", 1).to_string();
    for kind in ["text/plain", "application/jsonp", ""] {
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        let answer = overview.send("POST", "/api/v1/heartbeats", &headers, body.as_bytes());
        assert_eq!(answer.status, 415, "{kind:?}");
    }
    let headers = [("authorization", bearer.as_str())];
    let answer = overview.send("POST", "/api/v1/heartbeats", &headers, body.as_bytes());
    assert_eq!(answer.status, 415, "no type at all");
    assert_eq!(overview.overview()["counts"]["servers"], 0);
    let headers =
        [("authorization", bearer.as_str()), ("content-type", "Application/JSON; charset=utf-8")];
    assert_eq!(overview.send("POST", "/api/v1/heartbeats", &headers, body.as_bytes()).status, 200);
}

#[test]
fn without_the_join_token_it_is_401_and_nothing_is_stored() {
    let overview = Running::start();
    let body = heartbeat("web-1", "web", 1).to_string();
    for given in [None, Some("Bearer wrong"), Some("Basic YTpi"), Some("Bearer")] {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(given.map(|value| ("authorization", value)));
        let answer = overview.send("POST", "/api/v1/heartbeats", &headers, body.as_bytes());
        assert_eq!(answer.status, 401, "{given:?}");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    assert_eq!(overview.overview()["counts"]["servers"], 0);
}

#[test]
fn a_body_or_object_that_is_too_large_is_413_and_the_client_sees_it() {
    let overview = Running::start();
    let object = with_field(heartbeat("web-1", "web", 1), "padding", json!("x".repeat(17 << 10)));
    assert_eq!(overview.beat(&object).status, 413);
    assert_eq!(overview.beat(&json!([object])).status, 413);
    for _ in 0..20 {
        let body = format!("[{}]", " ".repeat((1 << 20) + 1));
        assert_eq!(overview.beat_raw(body.as_bytes()).status, 413);
    }
    assert_eq!(overview.overview()["counts"]["servers"], 0);
}

#[test]
fn another_method_is_405_with_a_readable_body() {
    let overview = Running::start();
    let answer = overview.get("/api/v1/heartbeats");
    assert_eq!(answer.status, 405);
    assert_eq!(answer.body["status"], 405);
    assert_eq!(overview.get("/api/v1/nothing").status, 404);
}
