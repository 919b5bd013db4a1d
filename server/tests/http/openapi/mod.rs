//! `/api/v1/openapi.json` is complete and correct.

mod checker;

use std::collections::BTreeSet;
use std::net::TcpListener;

use serde_json::{Value, json};

use self::checker::*;
use crate::harness::{Answer, FORM, OWN, Running, TOKEN, heartbeat, with_field};

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
        } else if method == "GET" && status == 200 {
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
    let visit = embed(&checker);
    people(&checker);
    checker.ask(200, ("GET", AUDIT, AUDIT), &[], &[]);
    checker.ask(422, ("GET", AUDIT, "/api/v1/audit?limit=0&before=x"), &[], &[]);

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
    people_while_locked(&checker);
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

/// SQLite can still read while it cannot write, unless the file is gone.
fn audit_without_its_file(checker: &Checker) {
    let database = checker.overview.database();
    let file = database.strip_prefix("sqlite:").unwrap();
    let elsewhere = format!("{file}.elsewhere");
    std::fs::rename(file, &elsewhere).unwrap();
    checker.ask(503, ("GET", AUDIT, AUDIT), &[], &[]);
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

/// Checks people with every rejection. There is a person `viv` afterwards.
fn people(checker: &Checker) {
    let person = |name: &str, role: &str| bytes(&json!({"name": name, "role": role}));
    let role = |role: &str| bytes(&json!({"role": role}));
    let invite = ("POST", PEOPLE, PEOPLE);
    checker.ask(201, invite, &[JSON], &person("viv", "viewer"));
    checker.ask(409, invite, &[JSON], &person("VIV", "admin"));
    refuse_bodies(checker, "POST", PEOPLE, &[]);
    checker.ask(200, ("GET", PEOPLE, PEOPLE), &[], &[]);
    let code = checker.overview.setup_code();
    let form = format!("name=Ann&password=correct+horse+battery&code={code}");
    assert_eq!(
        checker.overview.send("POST", "/sign-in", &[FORM, OWN], form.as_bytes()).status,
        303
    );
    let ann = "/api/v1/people/ann";
    checker.ask(204, ("PATCH", PERSON, "/api/v1/people/Viv"), &[JSON], &role("admin"));
    checker.ask(409, ("PATCH", PERSON, ann), &[JSON], &role("viewer"));
    checker.ask(404, ("PATCH", PERSON, "/api/v1/people/nobody"), &[JSON], &role("viewer"));
    refuse_bodies(checker, "PATCH", PERSON, &[]);
    checker.ask(409, ("DELETE", PERSON, ann), &[], &[]);
    checker.ask(204, ("DELETE", SESSIONS, "/api/v1/people/ann/sessions"), &[], &[]);
    checker.ask(201, ("POST", INVITATION, "/api/v1/people/ann/invitation"), &[], &[]);
    checker.ask(201, invite, &[JSON], &person("bob", "viewer"));
    checker.ask(204, ("DELETE", PERSON, "/api/v1/people/bob"), &[], &[]);
    for (method, template) in [("DELETE", PERSON), ("DELETE", SESSIONS), ("POST", INVITATION)] {
        checker.ask(404, (method, template, &template.replace("{name}", "bob")), &[], &[]);
        checker.ask(400, (method, template, &template.replace("{name}", "%FF")), &[], &[]);
    }
    // Where nobody signs in there are no people.
    let open = Checker::of(Running::start());
    open.ask(409, ("GET", PEOPLE, PEOPLE), &[], &[]);
    open.ask(409, ("DELETE", SESSIONS, "/api/v1/people/ann/sessions"), &[], &[]);
    open.ask(409, ("POST", INVITATION, "/api/v1/people/ann/invitation"), &[], &[]);
    checker.seen.borrow_mut().extend(open.seen.take());
}

/// No change of people is possible while the database cannot be written.
fn people_while_locked(checker: &Checker) {
    let bob = bytes(&json!({"name": "Bob", "role": "viewer"}));
    checker.ask(503, ("POST", PEOPLE, PEOPLE), &[JSON], &bob);
    let viewer = bytes(&json!({"role": "viewer"}));
    checker.ask(503, ("PATCH", PERSON, "/api/v1/people/viv"), &[JSON], &viewer);
    checker.ask(503, ("DELETE", PERSON, "/api/v1/people/viv"), &[], &[]);
    checker.ask(503, ("DELETE", SESSIONS, "/api/v1/people/viv/sessions"), &[], &[]);
    checker.ask(503, ("POST", INVITATION, "/api/v1/people/viv/invitation"), &[], &[]);
}

/// The person for whom a product creates a code.
fn guest(role: &str) -> Vec<u8> {
    bytes(&json!({"name": "Ann", "role": role}))
}

/// Checks embed codes with every rejection. Returns the path of a session that has not ended.
fn embed(checker: &Checker) -> String {
    checker.ask(200, ("GET", TOKENS, TOKENS), &[], &[]);
    let embed = ("POST", EMBEDS, EMBEDS);
    let visit = |made: &Answer| format!("{EMBEDS}/{}", made.body["id"].as_str().unwrap());
    let viewer = format!("Bearer {}", checker.overview.token("viewer"));
    checker.ask(403, embed, &[("authorization", &viewer), JSON], &guest("admin"));
    refuse_bodies(checker, "POST", EMBEDS, &[]);
    let ended = visit(&checker.ask(201, embed, &[JSON], &guest("admin")));
    checker.ask(204, ("DELETE", EMBED, &ended), &[], &[]);
    checker.ask(404, ("DELETE", EMBED, &ended), &[], &[]);
    checker.ask(400, ("DELETE", EMBED, "/api/v1/embeds/%FF"), &[], &[]);
    let made = checker.ask(201, embed, &[JSON], &guest("viewer"));
    // A guest cannot create codes.
    let path = format!("/embed?code={}", made.body["code"].as_str().unwrap());
    let cookie = checker.overview.get(&path).header("set-cookie").to_owned();
    let cookie = cookie.split(';').next().unwrap();
    let as_guest =
        [("authorization", NO_PROOF), ("cookie", cookie), ("sec-fetch-site", "same-origin")];
    checker.ask(409, embed, &[&as_guest[..], &[JSON]].concat(), &guest("viewer"));
    checker.ask(409, ("DELETE", EMBED, &visit(&made)), &as_guest, &[]);
    visit(&made)
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
}

#[test]
fn a_method_that_is_not_documented_is_rejected() {
    let checker = Checker::of(Running::start());
    for (template, operations) in checker.document["paths"].as_object().unwrap() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if operations.get(method.to_lowercase()).is_none() {
                let answer = checker.overview.send(method, &sample(template), &[], &[]);
                assert_eq!(answer.status, 405, "{method} {template}");
                assert!(checker.fits("Problem", &answer.body), "{}", answer.body);
            }
        }
    }
}

#[test]
fn only_routes_of_the_page_are_not_in_the_description() {
    let source = include_str!("../../../src/http/mod.rs");
    let named = source.split(", (\"").skip(1);
    let plain: Vec<&str> = named.map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(
        plain,
        [
            "/",
            "/fn/overview",
            "/fn/act",
            "/settings",
            "/removal",
            "/export.csv",
            "/export.json",
            "/removals",
            "/removals",
            "/acceptance",
            "/reconnection",
            "/add-server",
            "/add-server",
            "/add-server/new-servers",
            "/access",
            "/access/tokens",
            "/access/revocation",
            "/access/people",
            "/access/people/role",
            "/access/people/invitation",
            "/access/people/sessions",
            "/access/people/removal",
            "/audit",
            "/account",
            "/account/password",
            "/invitation",
            "/audit.csv",
            "/sign-in",
            "/sign-out",
            "/embed",
            "/assets/{*path}",
            "/branding/{hash}/{name}",
            "/embed.js"
        ]
    );
}

#[test]
fn the_description_is_openapi_3_1_with_the_base_path_and_the_authentication_of_heartbeats() {
    let overview = Running::below("/admin/cluster");
    let document = overview.get("/admin/cluster/api/v1/openapi.json").body;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document["servers"], json!([{"url": "/admin/cluster"}]));
    for proof in ["node", "person"] {
        let scheme = &document["components"]["securitySchemes"][proof];
        assert_eq!((&scheme["type"], &scheme["scheme"]), (&json!("http"), &json!("bearer")));
    }
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"#").skip(1) {
        let place = reference.split('"').next().unwrap();
        assert!(document.pointer(place).is_some(), "{place} is nowhere");
    }
    let mut names = BTreeSet::new();
    for (template, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let expected = match template.as_str() {
                "/healthz" | "/readyz" => None,
                BEATS | ENROLMENTS | PROBES => Some(json!([{"node": []}])),
                _ => Some(json!([{"person": []}])),
            };
            assert_eq!(operation.get("security"), expected.as_ref(), "{method} {template}");
            assert!(names.insert(operation["operationId"].to_string()), "{method} {template}");
            assert!(operation["summary"].is_string(), "{method} {template}");
        }
    }
}
