//! What a reader of `/api/v1/openapi.json` can count on: that it is true.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use boon::{Compiler, Draft, Schemas};
use cluster_overview::auth::{Mode, Policy};
use serde_json::{Value, json};

use crate::harness::{Answer, Running, TOKEN, heartbeat, with};

const BEATS: &str = "/api/v1/heartbeats";
const SETTINGS: &str = "/api/v1/settings";
const SERVER: &str = "/api/v1/servers/{server}";
const COMPONENT: &str = "/api/v1/servers/{server}/components/{role}";
const RECONNECT: &str = "/api/v1/servers/{server}/reconnect";
const KEY: &str = "/api/v1/reference-keys/{kind}";
const EMBED: &str = "/api/v1/embeds/{id}";
const TOKENS: &str = "/api/v1/tokens";
const REMOVALS: &str = "/api/v1/removals";
const ENROLMENTS: &str = "/api/v1/enrolments";
const PROBES: &str = "/api/v1/probe-failures";
const EMBEDS: &str = "/api/v1/embeds";
const AUDIT: &str = "/api/v1/audit";
const JSON: (&str, &str) = ("content-type", "application/json");
/// In place of a proof: none is sent.
const NO_PROOF: &str = "none";

/// One operation's answer of one status.
type Case = (String, String, u16);

/// Asks a running overview, and holds every answer against its own document.
struct Witness {
    overview: Running,
    /// What proves the witness to be an admin, where that is wanted.
    bearer: String,
    document: Value,
    seen: RefCell<BTreeSet<Case>>,
}

impl Witness {
    fn of(overview: Running) -> Self {
        Self::with(overview, "Bearer of-nothing".to_owned())
    }

    /// Where people sign in.
    fn admin() -> Self {
        let overview = Running::dialling(Policy::of(Mode::Password));
        let bearer = format!("Bearer {}", overview.token("admin"));
        Self::with(overview, bearer)
    }

    fn with(overview: Running, bearer: String) -> Self {
        let headers = [("authorization", bearer.as_str())];
        let document = overview.send("GET", "/api/v1/openapi.json", &headers, &[]).body;
        Self { overview, bearer, document, seen: RefCell::default() }
    }

    /// All that the document says can be answered.
    fn documented(&self) -> BTreeSet<Case> {
        let mut cases = BTreeSet::new();
        for (template, operations) in self.document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                for status in operation["responses"].as_object().unwrap().keys() {
                    let status = status.parse().unwrap();
                    cases.insert((template.clone(), method.to_uppercase(), status));
                }
            }
        }
        cases
    }

    /// Sends a request to a path of this template, and checks the answer.
    fn ask(
        &self,
        status: u16,
        (method, template, path): (&str, &str, &str),
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let proof = headers.iter().find(|(name, _)| *name == "authorization");
        let mut headers: Vec<(&str, &str)> =
            headers.iter().copied().filter(|(_, value)| *value != NO_PROOF).collect();
        if proof.is_none() {
            headers.push(("authorization", &self.bearer));
        }
        let answer = self.overview.send(method, path, &headers, body);
        let told = format!("{method} {path}: {} {}", answer.status, answer.body);
        assert_eq!(answer.status, status, "{told}");
        let operation = &self.document["paths"][template][method.to_lowercase()];
        let response = &operation["responses"][status.to_string()];
        assert!(response.is_object(), "not documented: {told}");
        for (name, _) in response["headers"].as_object().into_iter().flatten() {
            assert!(!answer.header(name).is_empty(), "{name} is missing: {told}");
        }
        match response["content"].as_object() {
            None => assert_eq!(answer.body, "", "no body is documented: {told}"),
            Some(content) => {
                let kind = answer.header("content-type").split(';').next().unwrap();
                let schema =
                    &content.get(kind).unwrap_or_else(|| panic!("{kind}: {told}"))["schema"];
                let faults = self.faults(schema, &answer.body, true);
                assert!(faults.is_none(), "{faults:?}: {told}");
            }
        }
        self.seen.borrow_mut().insert((template.to_owned(), method.to_owned(), status));
        answer
    }

    /// Begins a body wherever one is documented, and never ends it.
    fn trickle(&self, join: &str) {
        let late: Vec<Case> =
            self.documented().into_iter().filter(|(_, _, status)| *status == 408).collect();
        std::thread::scope(|scope| {
            for (template, method, _) in &late {
                let bearer = if [BEATS, ENROLMENTS, PROBES].contains(&template.as_str()) {
                    join
                } else {
                    &self.bearer
                };
                let request = format!(
                    "{method} {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {bearer}\r\n\
                     Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{{",
                    sample(template)
                );
                let address = self.overview.url.strip_prefix("http://").unwrap();
                scope.spawn(move || {
                    let mut stream = TcpStream::connect(address).unwrap();
                    stream.write_all(request.as_bytes()).unwrap();
                    let mut answer = String::new();
                    stream.read_to_string(&mut answer).unwrap();
                    assert!(answer.starts_with("HTTP/1.1 408 "), "{method} {template}: {answer}");
                    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
                    assert!(head.contains("content-type: application/problem+json"), "{head}");
                    let problem: Value = serde_json::from_str(body).unwrap();
                    assert_eq!(problem["status"], 408, "{method} {template}: {body}");
                });
            }
        });
        self.seen.borrow_mut().extend(late);
    }

    /// What of a value does not fit a schema; if `whole`, what no schema names does not fit either.
    fn faults(&self, schema: &Value, value: &Value, whole: bool) -> Option<String> {
        let mut schema = schema.clone();
        schema["components"] = self.document["components"].clone();
        for (_, component) in schema["components"]["schemas"].as_object_mut().unwrap() {
            if whole && component.get("properties").is_some() {
                component["additionalProperties"] = json!(false);
            }
        }
        let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
        compiler.set_default_draft(Draft::V2020_12);
        compiler.enable_format_assertions();
        compiler.add_resource("http://document/", schema).unwrap();
        let index = compiler.compile("http://document/", &mut schemas).unwrap();
        schemas.validate(value, index).err().map(|fault| format!("{fault:#}"))
    }

    fn fits(&self, schema: &str, value: &Value) -> bool {
        let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
        self.faults(&schema, value, false).is_none()
    }

    fn beat(&self, status: u16, body: &[u8]) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        self.ask(status, ("POST", BEATS, BEATS), &[("authorization", &bearer), JSON], body)
    }

    fn configure(&self, status: u16, body: &[u8]) {
        self.ask(status, ("PUT", SETTINGS, SETTINGS), &[JSON], body);
    }

    fn remove(&self, status: u16, path: &str) {
        let template = if path.contains("/components/") { COMPONENT } else { SERVER };
        self.ask(status, ("DELETE", template, &format!("/api/v1/servers/{path}")), &[], &[]);
    }

    /// Waits until so many services have been dialled in vain.
    fn until_dialled(&self, services: usize) {
        let headers = [("authorization", self.bearer.as_str())];
        testkit::wait_until_ok("services dialled in vain", testkit::SOON, || {
            let overview = self.overview.send("GET", "/api/v1/overview", &headers, &[]);
            let dialled = overview.body.to_string().matches("\"reason\":\"refused\"").count();
            if dialled == services { Ok(()) } else { Err(dialled) }
        });
    }

    /// Reads as many streams as one token may, and one more.
    fn read_too_many_streams(&self) {
        let headers = [("authorization", self.bearer.as_str()), JSON];
        let news = self.overview.send("POST", "/fn/overview", &headers, br#"{"cursor":""}"#).body;
        let path = format!("/api/v1/stream?cursor={}", news["cursor"].as_str().unwrap());
        let address = self.overview.url.strip_prefix("http://").unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {}\r\n\r\n",
            self.bearer
        );
        let streams: Vec<TcpStream> = (0..50)
            .map(|_| {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(request.as_bytes()).unwrap();
                assert!(stream.read(&mut [0; 64]).unwrap() > 0);
                stream
            })
            .collect();
        self.ask(429, ("GET", "/api/v1/stream", &path), &[], &[]);
        drop(streams);
    }

    fn reconnect(&self, status: u16, server: &str) {
        let path = format!("/api/v1/servers/{server}/reconnect");
        self.ask(status, ("POST", RECONNECT, &path), &[], &[]);
    }

    fn accept(&self, status: u16, kind: &str, body: &[u8]) {
        let path = format!("/api/v1/reference-keys/{kind}");
        self.ask(status, ("PUT", KEY, &path), &[JSON], body);
    }
}

/// A path of this template.
fn sample(template: &str) -> String {
    template
        .replace("{server}", "web-1")
        .replace("{role}", "web")
        .replace("{kind}", "encryption")
        .replace("{id}", "none")
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// Every refusal of a body that is no body for this address.
fn refuse_bodies(witness: &Witness, method: &str, template: &str, headers: &[(&str, &str)]) {
    let path = sample(template);
    let address = (method, template, path.as_str());
    let typed = [headers, &[JSON]].concat();
    witness.ask(400, address, &typed, b"{");
    witness.ask(413, address, &typed, &vec![b' '; (1 << 20) + 1]);
    witness.ask(415, address, &[headers, &[("content-type", "text/plain")]].concat(), b"{}");
    witness.ask(422, address, &typed, b"{}");
}

#[test]
fn every_documented_status_is_answered_as_documented() {
    let witness = Witness::admin();
    let bearer = format!("Bearer {TOKEN}");
    for (template, method, status) in witness.documented() {
        let path = sample(&template);
        let address = (method.as_str(), template.as_str(), path.as_str());
        let by_servers = [BEATS, ENROLMENTS, PROBES].contains(&template.as_str());
        let foreign = if by_servers { witness.bearer.as_str() } else { bearer.as_str() };
        if status == 401 {
            witness.ask(401, address, &[("authorization", NO_PROOF)], &[]);
            witness.ask(401, address, &[("authorization", "Bearer forged")], &[]);
        } else if status == 403 {
            witness.ask(403, address, &[("authorization", foreign)], &[]);
        } else if method == "GET" && status == 200 {
            witness.ask(200, address, &[], &[]);
        }
    }
    witness.trickle(&bearer);
    witness.beat(200, &bytes(&heartbeat("web-1", "web", 1)));
    witness.beat(200, &bytes(&json!([heartbeat("web-1", "service", 1)])));
    refuse_bodies(&witness, "POST", BEATS, &[("authorization", &bearer)]);

    let by_token = [("authorization", bearer.as_str()), JSON];
    let failure = bytes(&json!({"server": "web-1", "role": "web", "reason": "no database"}));
    witness.ask(204, ("POST", PROBES, PROBES), &by_token, &failure);
    refuse_bodies(&witness, "POST", PROBES, &[("authorization", &bearer)]);
    let body = bytes(&json!({"server": "web-1"}));
    witness.ask(201, ("POST", ENROLMENTS, ENROLMENTS), &by_token, &body);
    refuse_bodies(&witness, "POST", ENROLMENTS, &[("authorization", &bearer)]);
    let wish = bytes(&json!({"role": "viewer", "name": "a monitor", "expires_in_s": 60}));
    let made = witness.ask(201, ("POST", TOKENS, TOKENS), &[JSON], &wish).body;
    refuse_bodies(&witness, "POST", TOKENS, &[]);
    witness.ask(200, ("GET", TOKENS, TOKENS), &[], &[]);
    let one = format!("{TOKENS}/{}", made["id"].as_str().unwrap());
    let template = "/api/v1/tokens/{id}";
    witness.ask(204, ("DELETE", template, &one), &[], &[]);
    witness.ask(404, ("DELETE", template, &one), &[], &[]);
    witness.ask(400, ("DELETE", template, "/api/v1/tokens/%FF"), &[], &[]);
    let made = witness.ask(201, ("POST", TOKENS, TOKENS), &[JSON], &wish).body;
    let one = format!("{TOKENS}/{}", made["id"].as_str().unwrap());
    let visit = embed(&witness);
    witness.ask(200, ("GET", AUDIT, AUDIT), &[], &[]);
    witness.ask(422, ("GET", AUDIT, "/api/v1/audit?limit=0&before=x"), &[], &[]);

    let overview = ("GET", "/api/v1/overview", "/api/v1/overview");
    let full = witness.ask(200, overview, &[], &[]);
    witness.ask(304, overview, &[("if-none-match", full.header("etag"))], &[]);

    witness.read_too_many_streams();

    let settings = witness.ask(200, ("GET", SETTINGS, SETTINGS), &[], &[]).body;
    witness.configure(200, &bytes(&settings));
    refuse_bodies(&witness, "PUT", SETTINGS, &[]);
    refuse_bodies(&witness, "PUT", KEY, &[]);

    let digits = |digits: &str| bytes(&json!({"key_check": digits}));
    witness.accept(204, "encryption", &digits("9f9f9f9f"));
    witness.accept(404, "encryption", &digits("deadbeef"));
    witness.accept(404, "other", &digits("9f9f9f9f"));
    witness.accept(400, "%FF", &digits("9f9f9f9f"));
    let twin =
        with(heartbeat("web-2", "web", 1), "key_check", json!(format!("{:0<64}", "9f9f9f9f")));
    witness.beat(200, &bytes(&twin));
    witness.accept(409, "encryption", &digits("9f9f9f9f"));

    for (path, forced) in [("web-1/components/web", true), ("web-1", true), ("web-9", false)] {
        if forced {
            witness.remove(409, path);
            witness.remove(204, &format!("{path}?force=true"));
        }
        witness.remove(404, path);
    }
    witness.remove(400, "%FF");
    witness.remove(400, "%FF/components/web");
    witness.remove(404, "web-2/components/other");

    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for server in ["web-3", "web-4"] {
        let beat = with(heartbeat(server, "service", 1), "messenger_port", json!(port));
        witness.beat(200, &bytes(&with(beat, "ip", json!("127.0.0.1"))));
    }
    witness.until_dialled(2);
    witness.reconnect(200, "web-3");
    witness.reconnect(429, "web-3");
    witness.reconnect(404, "web-9");
    witness.reconnect(400, "%FF");

    fill_and_remove(&witness, &by_token);

    let locked = witness.overview.lock_database();
    let removal = bytes(&json!({"name": "web-10"}));
    witness.ask(503, ("POST", REMOVALS, REMOVALS), &[JSON], &removal);
    witness.beat(503, &bytes(&heartbeat("web-2", "web", 2)));
    witness.ask(503, ("GET", "/readyz", "/readyz"), &[], &[]);
    witness.ask(503, ("POST", TOKENS, TOKENS), &[JSON], &wish);
    witness.ask(503, ("DELETE", template, &one), &[], &[]);
    witness.ask(503, ("POST", ENROLMENTS, ENROLMENTS), &by_token, &body);
    witness.ask(503, ("POST", EMBEDS, EMBEDS), &[JSON], &guest("viewer"));
    witness.ask(503, ("DELETE", EMBED, &visit), &[], &[]);
    witness.ask(200, ("GET", AUDIT, AUDIT), &[], &[]);
    witness.configure(503, &bytes(&settings));
    witness.reconnect(503, "web-4");
    witness.accept(503, "encryption", &digits(&format!("{:0<64}", "9f9f9f9f")));
    witness.remove(503, "web-2?force=true");
    witness.remove(503, "web-2/components/web?force=true");
    witness.ask(200, overview, &[], &[]);
    drop(locked);

    audit_without_its_file(&witness);
    assert_eq!(*witness.seen.borrow(), witness.documented());
}

/// What can be read is read while nothing can be written, but not from a file that is gone.
fn audit_without_its_file(witness: &Witness) {
    let database = witness.overview.database();
    let file = database.strip_prefix("sqlite:").unwrap();
    let elsewhere = format!("{file}.elsewhere");
    std::fs::rename(file, &elsewhere).unwrap();
    witness.ask(503, ("GET", AUDIT, AUDIT), &[], &[]);
    std::fs::rename(elsewhere, file).unwrap();
}

/// More servers than there is room for, and one that stopped and is still there.
fn fill_and_remove(witness: &Witness, by_token: &[(&str, &str)]) {
    let many: Vec<Value> =
        (10..20).map(|number| heartbeat(&format!("web-{number}"), "web", 1)).collect();
    let taken = witness.beat(200, &bytes(&json!(many)));
    assert!(!taken.body["over_limit"].as_array().unwrap().is_empty());
    witness.beat(507, &bytes(&heartbeat("web-20", "web", 1)));
    let body = bytes(&json!({"server": "web-20"}));
    witness.ask(507, ("POST", ENROLMENTS, ENROLMENTS), by_token, &body);
    let stopped = with(heartbeat("web-10", "web", 2), "leaving", json!(true));
    witness.beat(200, &bytes(&stopped));
    let path = format!("{REMOVALS}?dry_run=true");
    let wanted = bytes(&json!({"name": "web-10"}));
    witness.ask(200, ("POST", REMOVALS, &path), &[JSON], &wanted);
    witness.remove(204, "web-11?force=true");
    refuse_bodies(witness, "POST", REMOVALS, &[]);
}

/// Whom a product lets in.
fn guest(role: &str) -> Vec<u8> {
    bytes(&json!({"name": "Ann", "role": role}))
}

/// Lets guests in, with every refusal; the address of a visit that goes on.
fn embed(witness: &Witness) -> String {
    let embed = ("POST", EMBEDS, EMBEDS);
    let visit = |made: &Answer| format!("{EMBEDS}/{}", made.body["id"].as_str().unwrap());
    let viewer = format!("Bearer {}", witness.overview.token("viewer"));
    witness.ask(403, embed, &[("authorization", &viewer), JSON], &guest("admin"));
    refuse_bodies(witness, "POST", EMBEDS, &[]);
    let ended = visit(&witness.ask(201, embed, &[JSON], &guest("admin")));
    witness.ask(204, ("DELETE", EMBED, &ended), &[], &[]);
    witness.ask(404, ("DELETE", EMBED, &ended), &[], &[]);
    witness.ask(400, ("DELETE", EMBED, "/api/v1/embeds/%FF"), &[], &[]);
    let made = witness.ask(201, embed, &[JSON], &guest("viewer"));
    // A guest is a person, and lets nobody in.
    let path = format!("/embed?code={}", made.body["code"].as_str().unwrap());
    let cookie = witness.overview.get(&path).header("set-cookie").to_owned();
    let cookie = cookie.split(';').next().unwrap();
    let as_guest =
        [("authorization", NO_PROOF), ("cookie", cookie), ("sec-fetch-site", "same-origin")];
    witness.ask(409, embed, &[&as_guest[..], &[JSON]].concat(), &guest("viewer"));
    witness.ask(409, ("DELETE", EMBED, &visit(&made)), &as_guest, &[]);
    visit(&made)
}

#[test]
fn the_picture_fits_its_schema_in_every_state() {
    let witness = Witness::of(Running::reporting_itself());
    witness.overview.hurry();
    for server in ["web-1", "web-2"] {
        witness.overview.beat(&heartbeat(server, "web", 1));
    }
    let bare = with(heartbeat("app-1", "service", 1), "key_check", json!(null));
    witness.overview.beat(&with(bare, "product", json!(null)));
    let full = with(heartbeat("app-2", "service", 1), "machine_key_check", json!("ab".repeat(32)));
    let full = with(full, "sent_at", json!("2020-01-01T00:00:00+02:00"));
    let full = with(full, "messenger_port", json!(4_000));
    witness.overview.beat(&with(full, "key_check", json!("07".repeat(32))));
    witness.overview.beat(&with(heartbeat("web-2", "web", 2), "leaving", json!(true)));
    let look = || witness.ask(200, ("GET", "/api/v1/overview", "/api/v1/overview"), &[], &[]).body;
    let mut wanted: Vec<&str> = vec!["alive", "stopped", "late", "stale"];
    testkit::wait_until_ok("every pulse", testkit::SOON, || {
        let counts = look()["counts"].clone();
        wanted.retain(|pulse| counts[pulse] == 0);
        if wanted.is_empty() { Ok(()) } else { Err(format!("all but {wanted:?}")) }
    });
}

#[test]
fn the_limits_in_the_document_are_those_of_the_server() {
    let witness = Witness::of(Running::start());
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
            let beat = with(heartbeat("web-1", "web", sequence), field, value.clone());
            let taken = witness.overview.beat(&beat).status == 200;
            assert_eq!(witness.fits("Heartbeats", &beat), taken, "{field} = {value}");
        }
    }
    for count in [0, 1, 1_000, 1_001] {
        let beats = json!(vec![heartbeat("web-1", "web", 1); count]);
        let taken = witness.overview.beat(&beats).status == 200;
        assert_eq!(witness.fits("Heartbeats", &beats), taken, "{count} heartbeats");
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
            let taken = witness.overview.json("PUT", SETTINGS, &settings).status == 200;
            assert_eq!(witness.fits("Settings", &settings), taken, "{field} = {value}");
        }
    }
    for digits in ["0a0a0a0", "0a0a0a0a", "0A0A0A0A", key.as_str(), &format!("{key}0")] {
        let body = json!({"key_check": digits});
        let taken = witness.overview.json("PUT", &sample(KEY), &body).status != 422;
        assert_eq!(witness.fits("ReferenceKey", &body), taken, "{digits}");
    }
}

#[test]
fn a_method_that_is_not_documented_is_not_taken() {
    let witness = Witness::of(Running::start());
    for (template, operations) in witness.document["paths"].as_object().unwrap() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            if operations.get(method.to_lowercase()).is_none() {
                let answer = witness.overview.send(method, &sample(template), &[], &[]);
                assert_eq!(answer.status, 405, "{method} {template}");
                assert!(witness.fits("Problem", &answer.body), "{}", answer.body);
            }
        }
    }
}

#[test]
fn only_the_pages_own_addresses_are_routes_without_a_description() {
    let source = include_str!("../../src/http/mod.rs");
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
            "/acceptance",
            "/reconnection",
            "/access",
            "/access/tokens",
            "/access/revocation",
            "/audit",
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
fn the_document_is_openapi_3_1_and_says_where_it_lives_and_what_a_heartbeat_proves() {
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
