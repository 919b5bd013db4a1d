//! The schemas accept what the server accepts, and describe what it sends.

use serde_json::{Value, json};

use super::checker::*;
use crate::harness::{Running, heartbeat, with_field};

#[test]
fn the_limits_in_the_document_are_those_of_the_server() {
    let checker = Checker::of(Running::start());
    let texts = |least: usize, most: usize| {
        [least.wrapping_sub(1), least, most, most + 1]
            .into_iter()
            .filter(|length| *length < 1_000)
            .map(|length| json!("é".repeat(length)))
            .collect::<Vec<Value>>()
    };
    let hex = |digits: &str| json!(digits);
    let key = "0a".repeat(32);
    let keys = vec![hex(&key), hex(&key[1..]), hex(&key.to_uppercase()), json!(null), json!(7)];
    let boot = "0B0E8A6E-3c0a-4d5e-9f7e-3d1b9f0c2a11";
    let fields: Vec<(&str, Vec<Value>)> = vec![
        (
            "server",
            [texts(1, 253), vec![json!("a/b"), json!("a\\b"), json!("..."), json!(null)]].concat(),
        ),
        ("role", vec![json!("web"), json!("service"), json!("WEB"), json!(null)]),
        ("product", [texts(0, 100), vec![json!(null), json!(1)]].concat()),
        ("version", [texts(1, 100), vec![json!(null)]].concat()),
        (
            "os",
            vec![
                json!({}),
                json!(null),
                json!({"name": "", "version": "1"}),
                json!({"name": "a", "version": "b", "more": 1}),
            ],
        ),
        ("ip", vec![json!("::1"), json!(7), json!(null)]),
        ("boot_id", vec![json!(boot), json!(boot.replace('-', "")), json!(null)]),
        (
            "sequence",
            vec![
                json!(-1),
                json!(0),
                json!(9_007_199_254_740_991_i64),
                json!(9_007_199_254_740_992_i64),
                json!(1.5),
                json!("1"),
                json!(null),
            ],
        ),
        ("sent_at", vec![json!("2026-11-22T12:00:00.000Z"), json!("yesterday"), json!(null)]),
        ("key_check", keys.clone()),
        ("machine_key_check", keys),
        ("messenger_port", vec![json!(0), json!(1), json!(65_535), json!(65_536), json!(null)]),
        ("leaving", vec![json!(true), json!("no"), json!(null)]),
        ("unknown", vec![json!({})]),
    ];
    let mut sequence = 0;
    for (field, values) in fields {
        for value in values {
            sequence += 1;
            let beat = with_field(heartbeat("web-1", "web", sequence), field, value.clone());
            let taken = checker.overview.beat(&beat).status == 200;
            assert_eq!(checker.fits("Heartbeats", &beat), taken, "{field} = {value}");
        }
    }
    for count in [0, 1, 1_000, 1_001] {
        let beats = json!(vec![heartbeat("web-1", "web", 1); count]);
        let taken = checker.overview.beat(&beats).status == 200;
        assert_eq!(checker.fits("Heartbeats", &beats), taken, "{count} heartbeats");
    }
    for (field, values) in [
        ("heartbeat_interval_s", vec![0, 1, 30, 3_600, 3_601]),
        ("stale_timeout_s", vec![1, 2, 86_400, 86_401]),
        ("web_window_s", vec![59, 60, 2_592_000, 2_592_001]),
    ] {
        for value in values {
            let mut settings = json!({
                "load_balancing": false, "automatic_failover": true, "heartbeat_interval_s": 1,
                "stale_timeout_s": 7_200, "web_window_s": 7_200
            });
            settings[field] = json!(value);
            let taken = checker.overview.json("PUT", SETTINGS, &settings).status == 200;
            assert_eq!(checker.fits("Settings", &settings), taken, "{field} = {value}");
        }
    }
    for digits in ["0a0a0a0", "0a0a0a0a", "0A0A0A0A", key.as_str(), &format!("{key}0")] {
        let body = json!({"key_check": digits});
        let taken = checker.overview.json("PUT", &sample(KEY), &body).status != 422;
        assert_eq!(checker.fits("ReferenceKey", &body), taken, "{digits}");
    }
    for length in [0, 1, 1_000, 1_001] {
        let body = json!({"note": "é".repeat(length)});
        let path = "/api/v1/incidents/1-00000000000000ff/acknowledgement";
        let taken = checker.overview.json("PUT", path, &body).status != 422;
        assert_eq!(checker.fits("NewAcknowledgement", &body), taken, "{length} characters");
    }
}

#[test]
fn the_overview_fits_its_schema_in_every_state() {
    let checker = Checker::of(Running::reporting_itself());
    checker.overview.use_short_timers();
    for server in ["web-1", "web-2"] {
        checker.overview.beat(&heartbeat(server, "web", 1));
    }
    let bare = with_field(heartbeat("app-1", "service", 1), "key_check", json!(null));
    checker.overview.beat(&with_field(bare, "product", json!(null)));
    let full =
        with_field(heartbeat("app-2", "service", 1), "machine_key_check", json!("ab".repeat(32)));
    let full = with_field(full, "sent_at", json!("2020-01-01T00:00:00+02:00"));
    let full = with_field(full, "messenger_port", json!(4_000));
    checker.overview.beat(&with_field(full, "key_check", json!("07".repeat(32))));
    checker.overview.beat(&with_field(heartbeat("web-2", "web", 2), "leaving", json!(true)));
    let look = || checker.ask(200, ("GET", "/api/v1/overview", "/api/v1/overview"), &[], &[]).body;
    let mut wanted: Vec<&str> = vec!["alive", "stopped", "late", "stale"];
    testkit::wait_until_ok("every pulse", testkit::DEFAULT_TIMEOUT, || {
        let counts = look()["counts"].clone();
        wanted.retain(|pulse| counts[pulse] == 0);
        if wanted.is_empty() { Ok(()) } else { Err(format!("all but {wanted:?}")) }
    });
}
