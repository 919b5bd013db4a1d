//! Every status of the description is answered as described.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::checker::*;
use super::embeds::{check_embeds, guest};
use super::people::{check_people, check_people_while_locked};
use crate::harness::{TOKEN, heartbeat, with_field};

#[test]
fn every_documented_status_is_answered_as_documented() {
    let checker = Checker::admin();
    let bearer = format!("Bearer {TOKEN}");
    for (template, method, status) in checker.documented() {
        let path = sample(&template);
        let address = (method.as_str(), template.as_str(), path.as_str());
        let by_servers = [BEATS, ENROLMENTS, PROBES].contains(&template.as_str());
        let foreign = if by_servers { checker.bearer.as_str() } else { bearer.as_str() };
        if status == 401 {
            checker.ask(401, address, &[("authorization", NO_PROOF)], &[]);
            checker.ask(401, address, &[("authorization", "Bearer forged")], &[]);
        } else if status == 403 {
            checker.ask(403, address, &[("authorization", foreign)], &[]);
        } else if method == "GET" && status == 200 && !template.contains("{id}") {
            checker.ask(200, address, &[], &[]);
        }
    }
    checker.trickle(&bearer);
    checker.beat(200, &bytes(&heartbeat("web-1", "web", 1)));
    checker.beat(200, &bytes(&json!([heartbeat("web-1", "service", 1)])));
    refuse_bodies(&checker, "POST", BEATS, &[("authorization", &bearer)]);

    let by_token = [("authorization", bearer.as_str()), JSON];
    let failure = bytes(&json!({"server": "web-1", "role": "web", "reason": "no database"}));
    checker.ask(204, ("POST", PROBES, PROBES), &by_token, &failure);
    refuse_bodies(&checker, "POST", PROBES, &[("authorization", &bearer)]);
    let body = bytes(&json!({"server": "web-1"}));
    checker.ask(201, ("POST", ENROLMENTS, ENROLMENTS), &by_token, &body);
    refuse_bodies(&checker, "POST", ENROLMENTS, &[("authorization", &bearer)]);
    let wish = bytes(&json!({"role": "viewer", "name": "a monitor", "expires_in_s": 60}));
    let made = checker.ask(201, ("POST", TOKENS, TOKENS), &[JSON], &wish).body;
    refuse_bodies(&checker, "POST", TOKENS, &[]);
    let one = format!("{TOKENS}/{}", made["id"].as_str().unwrap());
    let template = "/api/v1/tokens/{id}";
    checker.ask(204, ("DELETE", template, &one), &[], &[]);
    checker.ask(404, ("DELETE", template, &one), &[], &[]);
    checker.ask(400, ("DELETE", template, "/api/v1/tokens/%FF"), &[], &[]);
    let made = checker.ask(201, ("POST", TOKENS, TOKENS), &[JSON], &wish).body;
    let one = format!("{TOKENS}/{}", made["id"].as_str().unwrap());
    let visit = check_embeds(&checker);
    check_people(&checker);
    check_what_was_and_is_told(&checker);

    let overview = ("GET", "/api/v1/overview", "/api/v1/overview");
    let full = checker.ask(200, overview, &[], &[]);
    checker.ask(304, overview, &[("if-none-match", full.header("etag"))], &[]);

    checker.read_too_many_streams();

    let settings = checker.ask(200, ("GET", SETTINGS, SETTINGS), &[], &[]).body;
    checker.configure(200, &bytes(&settings));
    refuse_bodies(&checker, "PUT", SETTINGS, &[]);
    refuse_bodies(&checker, "PUT", KEY, &[]);

    let digits = |digits: &str| bytes(&json!({"key_check": digits}));
    checker.accept(204, "encryption", &digits("9f9f9f9f"));
    checker.accept(404, "encryption", &digits("deadbeef"));
    checker.accept(404, "other", &digits("9f9f9f9f"));
    checker.accept(400, "%FF", &digits("9f9f9f9f"));
    let key = json!(format!("{:0<64}", "9f9f9f9f"));
    let twin = with_field(heartbeat("web-2", "web", 1), "key_check", key);
    checker.beat(200, &bytes(&twin));
    checker.accept(409, "encryption", &digits("9f9f9f9f"));

    for (path, forced) in [("web-1/components/web", true), ("web-1", true), ("web-9", false)] {
        if forced {
            checker.remove(409, path);
            checker.remove(204, &format!("{path}?force=true"));
        }
        checker.remove(404, path);
    }
    checker.remove(400, "%FF");
    checker.remove(400, "%FF/components/web");
    checker.remove(404, "web-2/components/other");

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for server in ["web-3", "web-4"] {
        let beat = with_field(heartbeat(server, "service", 1), "messenger_port", json!(port));
        checker.beat(200, &bytes(&with_field(beat, "ip", json!("127.0.0.1"))));
    }
    checker.until_dialled(2);
    checker.reconnect(200, "web-3");
    checker.reconnect(429, "web-3");
    checker.reconnect(404, "web-9");
    checker.reconnect(400, "%FF");

    fill_and_remove(&checker, &by_token);

    let locked = checker.overview.lock_database();
    let removal = bytes(&json!({"name": "web-10"}));
    checker.ask(503, ("POST", REMOVALS, REMOVALS), &[JSON], &removal);
    checker.beat(503, &bytes(&heartbeat("web-2", "web", 2)));
    checker.ask(503, ("GET", "/readyz", "/readyz"), &[], &[]);
    checker.ask(503, ("POST", TOKENS, TOKENS), &[JSON], &wish);
    checker.ask(503, ("DELETE", template, &one), &[], &[]);
    check_people_while_locked(&checker);
    checker.ask(503, ("POST", ENROLMENTS, ENROLMENTS), &by_token, &body);
    checker.ask(503, ("POST", EMBEDS, EMBEDS), &[JSON], &guest("viewer"));
    checker.ask(503, ("DELETE", EMBED, &visit), &[], &[]);
    checker.ask(200, ("GET", AUDIT, AUDIT), &[], &[]);
    checker.configure(503, &bytes(&settings));
    checker.reconnect(503, "web-4");
    checker.accept(503, "encryption", &digits(&format!("{:0<64}", "9f9f9f9f")));
    checker.remove(503, "web-2?force=true");
    checker.remove(503, "web-2/components/web?force=true");
    checker.ask(200, overview, &[], &[]);
    drop(locked);

    audit_without_its_file(&checker);
    assert_eq!(*checker.seen.borrow(), checker.documented());
}

/// What was done and what was: parameters that are not valid, moments to come, and moments before the record.
fn check_history(checker: &Checker) {
    checker.ask(200, ("GET", AUDIT, AUDIT), &[], &[]);
    checker.ask(422, ("GET", AUDIT, "/api/v1/audit?limit=0&before=x"), &[], &[]);
    for (path, query) in [
        (EVENTS, "?limit=0"),
        (AVAILABILITY, "?by=rack"),
        (REHEARSAL, "?days=0"),
        (OVERVIEW, "?at=2100-01-01T00:00:00Z"),
    ] {
        checker.ask(422, ("GET", path, &format!("{path}{query}")), &[], &[]);
    }
    for (path, query) in
        [(EVENTS, "?until=2020-01-01"), (AVAILABILITY, "?from=2020-01-01&until=2020-02-01")]
    {
        checker.ask(410, ("GET", path, &format!("{path}{query}")), &[], &[]);
    }
    let begins = checker
        .ask(410, ("GET", OVERVIEW, "/api/v1/overview?at=2020-01-01T00:00:00Z"), &[], &[])
        .body["begins"]
        .clone();
    let first = format!("{OVERVIEW}?at={}", begins.as_str().unwrap());
    let whole = checker.ask(200, ("GET", OVERVIEW, &first), &[], &[]);
    let known = [("if-none-match", whole.header("etag"))];
    checker.ask(304, ("GET", OVERVIEW, &first), &known, &[]);
}

fn check_what_was_and_is_told(checker: &Checker) {
    check_history(checker);
    check_channels(checker);
    check_incidents(checker);
}

/// A channel that is tested and paused.
fn check_channels(checker: &Checker) {
    let [test, pause, deliveries] =
        ["test", "pause", "deliveries"].map(|what| format!("/api/v1/channels/ops/{what}"));
    checker.ask(200, ("POST", CHANNEL_TEST, &test), &[], &[]);
    checker.receiver.answer(500);
    checker.ask(502, ("POST", CHANNEL_TEST, &test), &[], &[]);
    let until = bytes(&json!({"until": "2099-01-01T00:00:00Z", "reason": "maintenance"}));
    checker.ask(204, ("PUT", PAUSE, &pause), &[JSON], &until);
    checker.ask(200, ("GET", CHANNELS, CHANNELS), &[], &[]);
    let end = bytes(&json!({"until": null}));
    checker.ask(204, ("PUT", PAUSE, &pause), &[JSON], &end);
    refuse_bodies(checker, "PUT", PAUSE, &[]);
    let past = bytes(&json!({"until": "2020-01-01T00:00:00Z"}));
    checker.ask(422, ("PUT", PAUSE, &pause), &[JSON], &past);
    checker.ask(200, ("GET", DELIVERIES, &deliveries), &[], &[]);
    checker.ask(422, ("GET", DELIVERIES, &format!("{deliveries}?before=soon")), &[], &[]);
    for (status, name) in [(400, "%FF"), (404, "nobody")] {
        let [test, pause, deliveries] =
            ["test", "pause", "deliveries"].map(|what| format!("/api/v1/channels/{name}/{what}"));
        checker.ask(status, ("POST", CHANNEL_TEST, &test), &[], &[]);
        checker.ask(status, ("PUT", PAUSE, &pause), &[JSON], &end);
        checker.ask(status, ("GET", DELIVERIES, &deliveries), &[], &[]);
    }
}

/// An incident that somebody takes care of until it ends.
fn check_incidents(checker: &Checker) {
    let settings = checker.ask(200, ("GET", SETTINGS, SETTINGS), &[], &[]).body;
    let tight = with_field(settings.clone(), "stale_timeout_s", json!(60));
    checker.configure(200, &bytes(&tight));
    let id = checker.incident("timers-tight", "open");
    let path = format!("{INCIDENTS}/{id}");
    checker.ask(200, ("GET", INCIDENT, &path), &[], &[]);
    checker.ask(422, ("GET", INCIDENTS, "/api/v1/incidents?open=maybe"), &[], &[]);
    let note = bytes(&json!({"note": "on its way"}));
    let acknowledgement = format!("{path}/acknowledgement");
    checker.ask(204, ("PUT", ACKNOWLEDGEMENT, &acknowledgement), &[JSON], &note);
    checker.ask(200, ("GET", INCIDENT, &path), &[], &[]);
    checker.ask(204, ("DELETE", ACKNOWLEDGEMENT, &acknowledgement), &[], &[]);
    for (status, id) in [(400, "%FF"), (404, "none"), (404, "1-00000000000000ff")] {
        let path = format!("{INCIDENTS}/{id}");
        let acknowledgement = format!("{path}/acknowledgement");
        checker.ask(status, ("GET", INCIDENT, &path), &[], &[]);
        checker.ask(status, ("PUT", ACKNOWLEDGEMENT, &acknowledgement), &[JSON], &note);
        checker.ask(status, ("DELETE", ACKNOWLEDGEMENT, &acknowledgement), &[], &[]);
    }
    refuse_bodies(checker, "PUT", ACKNOWLEDGEMENT, &[]);
    checker.configure(200, &bytes(&settings));
    checker.incident("timers-tight", "ended");
    checker.ask(409, ("PUT", ACKNOWLEDGEMENT, &acknowledgement), &[JSON], &note);
    checker.ask(409, ("DELETE", ACKNOWLEDGEMENT, &acknowledgement), &[], &[]);
    checker.ask(200, ("GET", INCIDENT, &path), &[], &[]);
}

/// SQLite can still read while it cannot write, unless the file is gone.
fn audit_without_its_file(checker: &Checker) {
    let database = checker.overview.database();
    let file = database.strip_prefix("sqlite:").unwrap();
    let elsewhere = format!("{file}.elsewhere");
    std::fs::rename(file, &elsewhere).unwrap();
    checker.ask(503, ("GET", AUDIT, AUDIT), &[], &[]);
    for path in [EVENTS, AVAILABILITY, REHEARSAL] {
        checker.ask(503, ("GET", path, path), &[], &[]);
    }
    checker.ask(503, ("GET", OVERVIEW, "/api/v1/overview?at=2026-01-01T00:00:00Z"), &[], &[]);
    checker.ask(503, ("GET", CHANNELS, CHANNELS), &[], &[]);
    checker.ask(503, ("GET", DELIVERIES, "/api/v1/channels/ops/deliveries"), &[], &[]);
    checker.ask(503, ("POST", CHANNEL_TEST, "/api/v1/channels/ops/test"), &[], &[]);
    let end = bytes(&json!({"until": null}));
    checker.ask(503, ("PUT", PAUSE, "/api/v1/channels/ops/pause"), &[JSON], &end);
    let unknown = "/api/v1/incidents/1-00000000000000ff";
    let acknowledgement = format!("{unknown}/acknowledgement");
    checker.ask(503, ("GET", INCIDENTS, INCIDENTS), &[], &[]);
    checker.ask(503, ("GET", INCIDENT, unknown), &[], &[]);
    checker.ask(200, ("GET", INCIDENTS, "/api/v1/incidents?open=true"), &[], &[]);
    let note = bytes(&json!({"note": ""}));
    checker.ask(503, ("PUT", ACKNOWLEDGEMENT, &acknowledgement), &[JSON], &note);
    checker.ask(503, ("DELETE", ACKNOWLEDGEMENT, &acknowledgement), &[], &[]);
    std::fs::rename(elsewhere, file).unwrap();
}

/// More servers than the limit, and one that has stopped.
fn fill_and_remove(checker: &Checker, by_token: &[(&str, &str)]) {
    let many: Vec<Value> =
        (10..20).map(|number| heartbeat(&format!("web-{number}"), "web", 1)).collect();
    let taken = checker.beat(200, &bytes(&json!(many)));
    assert!(!taken.body["over_limit"].as_array().unwrap().is_empty());
    checker.beat(507, &bytes(&heartbeat("web-20", "web", 1)));
    let body = bytes(&json!({"server": "web-20"}));
    checker.ask(507, ("POST", ENROLMENTS, ENROLMENTS), by_token, &body);
    let stopped = with_field(heartbeat("web-10", "web", 2), "leaving", json!(true));
    checker.beat(200, &bytes(&stopped));
    let path = format!("{REMOVALS}?dry_run=true");
    let wanted = bytes(&json!({"name": "web-10"}));
    checker.ask(200, ("POST", REMOVALS, &path), &[JSON], &wanted);
    checker.remove(204, "web-11?force=true");
    refuse_bodies(checker, "POST", REMOVALS, &[]);
}
