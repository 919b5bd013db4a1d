//! Sends requests to a running overview, and compares every response with its API description.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use boon::{Compiler, Draft, Schemas};
use cluster_overview::auth::{AuthMode, AuthPolicy};
use cluster_overview::notify::Channels;
use serde_json::{Value, json};
use testkit::WebhookReceiver;

use crate::harness::{Answer, Running, TOKEN, folder};

pub(super) const BEATS: &str = "/api/v1/heartbeats";
pub(super) const SETTINGS: &str = "/api/v1/settings";
pub(super) const SERVER: &str = "/api/v1/servers/{server}";
pub(super) const COMPONENT: &str = "/api/v1/servers/{server}/components/{role}";
pub(super) const RECONNECT: &str = "/api/v1/servers/{server}/reconnect";
pub(super) const KEY: &str = "/api/v1/reference-keys/{kind}";
pub(super) const EMBED: &str = "/api/v1/embeds/{id}";
pub(super) const TOKENS: &str = "/api/v1/tokens";
pub(super) const REMOVALS: &str = "/api/v1/removals";
pub(super) const ENROLMENTS: &str = "/api/v1/enrolments";
pub(super) const PROBES: &str = "/api/v1/probe-failures";
pub(super) const EMBEDS: &str = "/api/v1/embeds";
pub(super) const PEOPLE: &str = "/api/v1/people";
pub(super) const PERSON: &str = "/api/v1/people/{name}";
pub(super) const SESSIONS: &str = "/api/v1/people/{name}/sessions";
pub(super) const INVITATION: &str = "/api/v1/people/{name}/invitation";
pub(super) const AUDIT: &str = "/api/v1/audit";
pub(super) const EVENTS: &str = "/api/v1/events";
pub(super) const AVAILABILITY: &str = "/api/v1/availability";
pub(super) const REHEARSAL: &str = "/api/v1/rehearsal";
pub(super) const CHANNELS: &str = "/api/v1/channels";
pub(super) const CHANNEL_TEST: &str = "/api/v1/channels/{name}/test";
pub(super) const PAUSE: &str = "/api/v1/channels/{name}/pause";
pub(super) const DELIVERIES: &str = "/api/v1/channels/{name}/deliveries";
pub(super) const INCIDENTS: &str = "/api/v1/incidents";
pub(super) const INCIDENT: &str = "/api/v1/incidents/{id}";
pub(super) const ACKNOWLEDGEMENT: &str = "/api/v1/incidents/{id}/acknowledgement";
pub(super) const OVERVIEW: &str = "/api/v1/overview";
pub(super) const JSON: (&str, &str) = ("content-type", "application/json");
/// Sends no authentication.
pub(super) const NO_PROOF: &str = "none";

/// One status of one operation.
pub(super) type Case = (String, String, u16);
pub(super) struct Checker {
    pub(super) overview: Running,
    /// Of its channel `ops`.
    pub(super) receiver: WebhookReceiver,
    /// The admin's authentication, where people sign in.
    pub(super) bearer: String,
    pub(super) document: Value,
    pub(super) seen: RefCell<BTreeSet<Case>>,
}

impl Checker {
    pub(super) fn of(overview: Running) -> Self {
        Self::with(overview, "Bearer of-nothing".to_owned())
    }

    /// With people who sign in.
    pub(super) fn admin() -> Self {
        let (folder, receiver) = (folder(), WebhookReceiver::start());
        let channels = Channels::read(&receiver.write_channel_file(&folder)).unwrap();
        let overview = Running::telling(AuthPolicy::new(AuthMode::Password), channels);
        let bearer = format!("Bearer {}", overview.token("admin"));
        Self { receiver, ..Self::with(overview, bearer) }
    }

    pub(super) fn with(overview: Running, bearer: String) -> Self {
        let headers = [("authorization", bearer.as_str())];
        let document = overview.send("GET", "/api/v1/openapi.json", &headers, &[]).body;
        let receiver = WebhookReceiver::start();
        Self { overview, receiver, bearer, document, seen: RefCell::default() }
    }

    /// All responses in the description.
    pub(super) fn documented(&self) -> BTreeSet<Case> {
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

    /// Sends a request to a path of this template, and checks the response.
    pub(super) fn ask(
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

    /// For every operation with a body: begins a body and never ends it.
    pub(super) fn trickle(&self, join: &str) {
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

    /// What of a value does not match a schema. With `whole`, fields that are not in the schema do not match either.
    pub(super) fn faults(&self, schema: &Value, value: &Value, whole: bool) -> Option<String> {
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

    pub(super) fn fits(&self, schema: &str, value: &Value) -> bool {
        let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
        self.faults(&schema, value, false).is_none()
    }

    pub(super) fn beat(&self, status: u16, body: &[u8]) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        self.ask(status, ("POST", BEATS, BEATS), &[("authorization", &bearer), JSON], body)
    }

    pub(super) fn configure(&self, status: u16, body: &[u8]) {
        self.ask(status, ("PUT", SETTINGS, SETTINGS), &[JSON], body);
    }

    /// Waits until an incident is in this state, and returns its id.
    pub(super) fn incident(&self, hint: &str, state: &str) -> String {
        testkit::wait_until_ok("the incident", testkit::DEFAULT_TIMEOUT, || {
            let all = self.ask(200, ("GET", INCIDENTS, INCIDENTS), &[], &[]).body;
            let mut incidents = all["incidents"].as_array().unwrap().iter();
            let found = incidents.find(|one| one["hint"] == hint && one["state"] == state);
            found.map(|one| one["id"].as_str().unwrap().to_owned()).ok_or(all.clone())
        })
    }

    pub(super) fn remove(&self, status: u16, path: &str) {
        let template = if path.contains("/components/") { COMPONENT } else { SERVER };
        self.ask(status, ("DELETE", template, &format!("/api/v1/servers/{path}")), &[], &[]);
    }

    /// Waits until dialling this many services has failed.
    pub(super) fn until_dialled(&self, services: usize) {
        let headers = [("authorization", self.bearer.as_str())];
        testkit::wait_until_ok("services dialled in vain", testkit::DEFAULT_TIMEOUT, || {
            let overview = self.overview.send("GET", "/api/v1/overview", &headers, &[]);
            let dialled = overview.body.to_string().matches("\"reason\":\"refused\"").count();
            if dialled == services { Ok(()) } else { Err(dialled) }
        });
    }

    /// Opens as many streams as one token can have, and one more.
    pub(super) fn read_too_many_streams(&self) {
        let news = self.overview.poll(&[("authorization", self.bearer.as_str())], "");
        let path = format!("/api/v1/stream?cursor={}", news.cursor);
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

    pub(super) fn reconnect(&self, status: u16, server: &str) {
        let path = format!("/api/v1/servers/{server}/reconnect");
        self.ask(status, ("POST", RECONNECT, &path), &[], &[]);
    }

    pub(super) fn accept(&self, status: u16, kind: &str, body: &[u8]) {
        let path = format!("/api/v1/reference-keys/{kind}");
        self.ask(status, ("PUT", KEY, &path), &[JSON], body);
    }
}
pub(super) fn sample(template: &str) -> String {
    template
        .replace("{server}", "web-1")
        .replace("{role}", "web")
        .replace("{kind}", "encryption")
        .replace("/channels/{name}", "/channels/ops")
        .replace("{id}", "none")
}

pub(super) fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// Every rejection of an invalid body.
pub(super) fn refuse_bodies(
    checker: &Checker,
    method: &str,
    template: &str,
    headers: &[(&str, &str)],
) {
    let path = sample(template);
    let address = (method, template, path.as_str());
    let typed = [headers, &[JSON]].concat();
    checker.ask(400, address, &typed, b"{");
    checker.ask(413, address, &typed, &vec![b' '; (1 << 20) + 1]);
    checker.ask(415, address, &[headers, &[("content-type", "text/plain")]].concat(), b"{}");
    checker.ask(422, address, &typed, b"{}");
}
