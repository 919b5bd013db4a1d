//! An admin's requests with every kind of invalid value.

use serde_json::json;

use super::{Row, each, named, set, with_one};
use crate::harness::Running;

#[test]
fn every_invalid_setting_is_named_and_the_settings_stay_as_they_were() {
    let overview = Running::start();
    let before = overview.get("/api/v1/settings").body;
    let type_of_switch = "must be true or false";
    let type_of_seconds = "must be a whole number of seconds";
    let mut rows: Vec<Row> = Vec::new();
    for field in ["load_balancing", "automatic_failover"] {
        let bad = [json!(null), json!("true"), json!(1), json!([]), json!({})];
        rows.extend(each(field, bad, type_of_switch));
    }
    for field in ["heartbeat_interval_s", "stale_timeout_s", "web_window_s"] {
        let bad = [json!(null), json!("60"), json!(60.5), json!(-60), json!(1e300), json!(true)];
        rows.extend(each(field, bad, type_of_seconds));
        rows.extend(each(field, [json!(1_u64 << 32), json!(u64::MAX)], type_of_seconds));
    }
    rows.extend(each("heartbeat_interval_s", [json!(0)], "must be 1 s to 1 h"));
    rows.extend(each("stale_timeout_s", [json!(0), json!(86_401)], "must be 2 s to 1 d"));
    rows.extend(each("stale_timeout_s", [json!(59)], "must be at least twice"));
    rows.extend(each("web_window_s", [json!(59), json!(2_592_001)], "must be 1 min to 30 d"));
    for (field, value, said) in rows {
        let answer =
            overview.json("PUT", "/api/v1/settings", &set(before.clone(), field, value.clone()));
        assert_eq!(answer.status, 422, "{field} = {value}");
        let about: Vec<_> = named(&answer).into_iter().filter(|(name, _)| *name == field).collect();
        assert_eq!(about.len(), 1, "{field} = {value}: {}", answer.body);
        assert!(about[0].1.starts_with(&said), "{field} = {value}: {about:?}");
    }
    for field in before.as_object().unwrap().keys() {
        let mut less = before.clone();
        less.as_object_mut().unwrap().remove(field);
        let answer = overview.json("PUT", "/api/v1/settings", &less);
        assert!(named(&answer).contains(&(field, "is required")), "{field}: {}", answer.body);
    }
    for (body, status) in [("", 400), ("{", 400), ("[]", 422), ("null", 422), ("\"off\"", 422)] {
        let headers = [("content-type", "application/json")];
        let answer = overview.send("PUT", "/api/v1/settings", &headers, body.as_bytes());
        assert_eq!(answer.status, status, "{body}");
    }
    assert_eq!(overview.get("/api/v1/settings").body, before);
}

#[test]
fn only_a_reported_key_can_be_accepted_by_8_to_64_of_its_digits() {
    let (overview, picture) = with_one();
    let path = "/api/v1/reference-keys/encryption";
    for body in [
        json!({}),
        json!(null),
        json!([]),
        json!("9f9f9f9f"),
        json!({"key_check": null}),
        json!({"key_check": 99_999_999}),
        json!({"key_check": ["9f9f9f9f"]}),
        json!({"key_check": ""}),
        json!({"key_check": "9f9f9f9"}),
        json!({"key_check": "9F9F9F9F"}),
        json!({"key_check": " 9f9f9f9f"}),
        json!({"key_check": "9f9f9f9g"}),
        json!({"key_check": "9f".repeat(32) + "0"}),
    ] {
        let answer = overview.json("PUT", path, &body);
        let said = "must be 8 to 64 of the key check's lower-case hex digits";
        assert_eq!((answer.status, named(&answer)), (422, vec![("key_check", said)]), "{body}");
    }
    let good = json!({"key_check": "9f9f9f9f"});
    for kind in ["Encryption", "both", "%65ncryption%20", "-"] {
        let answer = overview.json("PUT", &format!("/api/v1/reference-keys/{kind}"), &good);
        assert_eq!(answer.status, 404, "{kind}");
    }
    assert_eq!(overview.json("PUT", "/api/v1/reference-keys/machine", &good).status, 404);
    assert_eq!(overview.overview(), picture);
}

#[test]
fn a_removal_of_an_impossible_name_is_rejected_and_removes_nothing() {
    let (overview, picture) = with_one();
    for (path, status) in [
        ("web-2", 404),
        ("%20web-1", 404),
        ("web-1%00", 404),
        ("web-1%0a", 404),
        ("%2e%2e", 404),
        ("web%2f1", 404),
        (&"x".repeat(254), 404),
        ("", 404),
        ("%ff", 400),
        ("web-1/components/WEB?force=true", 404),
        ("web-1/components/db?force=true", 404),
        ("web-1/components/service?force=true", 404),
        ("web-1/components/?force=true", 404),
        ("web-1/components/web", 409),
        ("web-1/components/web?force", 409),
        ("web-1/components/web?force=yes", 409),
        ("web-1/components/web?force=false", 409),
        ("web-1?force=TRUE", 409),
    ] {
        let answer = overview.send("DELETE", &format!("/api/v1/servers/{path}"), &[], &[]);
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
    assert_eq!(overview.overview(), picture);
}
