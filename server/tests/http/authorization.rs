//! Every route with every caller: one table of permissions.

use std::collections::BTreeSet;

use app::cluster::Timestamp;
use app::protocol::UserRole;
use cluster_overview::auth::NewToken;
use cluster_overview::auth::audit::{Action, Actor, AuditEntry};
use cluster_overview::auth::model::TokenRole;
use cluster_overview::store::AccessChange;
use serde_json::{Value, json};

use crate::harness::{Running, TOKEN, bearer_headers};

/// What a route requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wants {
    Nothing,
    Viewer,
    Admin,
    JoinOrNode,
}
use Wants::{Admin, JoinOrNode, Nothing, Viewer};

/// How a route rejects a caller without authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leads {
    /// 401.
    ExclusiveLock,
    /// 303 to sign in.
    ToSignIn,
}
use Leads::{ExclusiveLock, ToSignIn};

/// All routes. A test below fails if one is missing here.
const ROUTES: &[(&str, &str, Wants, Leads)] = &[
    ("GET", "/", Viewer, ToSignIn),
    ("POST", "/fn/overview", Viewer, ExclusiveLock),
    ("POST", "/fn/act", Admin, ExclusiveLock),
    ("POST", "/settings", Admin, ToSignIn),
    ("POST", "/removal", Admin, ToSignIn),
    ("GET", "/export.csv", Viewer, ToSignIn),
    ("GET", "/export.json", Viewer, ToSignIn),
    ("GET", "/removals", Viewer, ToSignIn),
    ("POST", "/removals", Admin, ToSignIn),
    ("POST", "/acceptance", Admin, ToSignIn),
    ("POST", "/reconnection", Admin, ToSignIn),
    ("GET", "/add-server", Admin, ToSignIn),
    ("POST", "/add-server", Admin, ToSignIn),
    ("GET", "/add-server/new-servers", Admin, ToSignIn),
    ("GET", "/access", Admin, ToSignIn),
    ("GET", "/settings/rehearsal", Viewer, ExclusiveLock),
    ("GET", "/history", Viewer, ToSignIn),
    ("GET", "/history/recent", Viewer, ExclusiveLock),
    ("GET", "/incidents/{id}", Viewer, ToSignIn),
    ("POST", "/incidents/{id}", Viewer, ToSignIn),
    ("GET", "/notifications", Viewer, ToSignIn),
    ("GET", "/notifications/channels/{name}", Viewer, ToSignIn),
    ("POST", "/notifications/channels/{name}/test", Admin, ToSignIn),
    ("POST", "/notifications/channels/{name}/pause", Admin, ToSignIn),
    ("GET", "/audit", Admin, ToSignIn),
    ("GET", "/audit.csv", Admin, ToSignIn),
    ("POST", "/access/tokens", Admin, ToSignIn),
    ("POST", "/access/revocation", Admin, ToSignIn),
    ("POST", "/access/people", Admin, ToSignIn),
    ("POST", "/access/people/role", Admin, ToSignIn),
    ("POST", "/access/people/invitation", Admin, ToSignIn),
    ("POST", "/access/people/sessions", Admin, ToSignIn),
    ("POST", "/access/people/removal", Admin, ToSignIn),
    ("GET", "/account", Viewer, ToSignIn),
    ("GET", "/account/session", Viewer, ExclusiveLock),
    ("POST", "/account/password", Viewer, ToSignIn),
    ("GET", "/invitation", Nothing, ExclusiveLock),
    ("POST", "/invitation", Nothing, ExclusiveLock),
    ("GET", "/assets/{*path}", Nothing, ExclusiveLock),
    ("GET", "/branding/{hash}/{name}", Nothing, ExclusiveLock),
    ("GET", "/embed", Nothing, ExclusiveLock),
    ("GET", "/embed.js", Nothing, ExclusiveLock),
    ("GET", "/sign-in", Nothing, ExclusiveLock),
    ("POST", "/sign-in", Nothing, ExclusiveLock),
    ("POST", "/sign-out", Nothing, ExclusiveLock),
    ("GET", "/healthz", Nothing, ExclusiveLock),
    ("GET", "/readyz", Nothing, ExclusiveLock),
    ("GET", "/metrics", Viewer, ExclusiveLock),
    ("GET", "/api/v1/overview", Viewer, ExclusiveLock),
    ("GET", "/api/v1/stream", Viewer, ExclusiveLock),
    ("GET", "/api/v1/events", Viewer, ExclusiveLock),
    ("GET", "/api/v1/availability", Viewer, ExclusiveLock),
    ("GET", "/api/v1/rehearsal", Viewer, ExclusiveLock),
    ("GET", "/api/v1/channels", Viewer, ExclusiveLock),
    ("GET", "/api/v1/channels/{name}/deliveries", Viewer, ExclusiveLock),
    ("POST", "/api/v1/channels/{name}/test", Admin, ExclusiveLock),
    ("PUT", "/api/v1/channels/{name}/pause", Admin, ExclusiveLock),
    ("GET", "/api/v1/incidents", Viewer, ExclusiveLock),
    ("GET", "/api/v1/incidents/{id}", Viewer, ExclusiveLock),
    ("PUT", "/api/v1/incidents/{id}/acknowledgement", Viewer, ExclusiveLock),
    ("DELETE", "/api/v1/incidents/{id}/acknowledgement", Viewer, ExclusiveLock),
    ("GET", "/api/v1/openapi.json", Viewer, ExclusiveLock),
    ("GET", "/api/v1/settings", Viewer, ExclusiveLock),
    ("PUT", "/api/v1/settings", Admin, ExclusiveLock),
    ("DELETE", "/api/v1/servers/{server}", Admin, ExclusiveLock),
    ("DELETE", "/api/v1/servers/{server}/components/{role}", Admin, ExclusiveLock),
    ("POST", "/api/v1/removals", Admin, ExclusiveLock),
    ("POST", "/api/v1/servers/{server}/reconnect", Admin, ExclusiveLock),
    ("PUT", "/api/v1/reference-keys/{kind}", Admin, ExclusiveLock),
    ("GET", "/api/v1/tokens", Admin, ExclusiveLock),
    ("POST", "/api/v1/tokens", Admin, ExclusiveLock),
    ("DELETE", "/api/v1/tokens/{id}", Admin, ExclusiveLock),
    ("GET", "/api/v1/people", Admin, ExclusiveLock),
    ("POST", "/api/v1/people", Admin, ExclusiveLock),
    ("PATCH", "/api/v1/people/{name}", Admin, ExclusiveLock),
    ("DELETE", "/api/v1/people/{name}", Admin, ExclusiveLock),
    ("DELETE", "/api/v1/people/{name}/sessions", Admin, ExclusiveLock),
    ("POST", "/api/v1/people/{name}/invitation", Admin, ExclusiveLock),
    ("GET", "/api/v1/audit", Admin, ExclusiveLock),
    ("POST", "/api/v1/embeds", Viewer, ExclusiveLock),
    ("DELETE", "/api/v1/embeds/{id}", Viewer, ExclusiveLock),
    ("POST", "/api/v1/enrolments", JoinOrNode, ExclusiveLock),
    ("POST", "/api/v1/probe-failures", JoinOrNode, ExclusiveLock),
    ("POST", "/api/v1/heartbeats", JoinOrNode, ExclusiveLock),
];

/// All kinds of callers, with their authentication.
struct Everybody {
    nobody: Vec<Option<String>>,
    viewer: String,
    admin: String,
    servers: [String; 2],
}

impl Everybody {
    fn of(overview: &Running) -> Self {
        let admin = overview.token("admin");
        let headers = bearer_headers(&admin);
        let enrolment = json!({"server": "web-1"}).to_string();
        let join = bearer_headers(TOKEN);
        let join = [join.as_slice(), &[("content-type", "application/json")]].concat();
        let enrolled = overview.send("POST", "/api/v1/enrolments", &join, enrolment.as_bytes());
        let node = enrolled.body["credential"].as_str().unwrap().to_owned();
        let viewer = overview.token("viewer");
        let revoked = overview.token("admin");
        let tokens = overview.send("GET", "/api/v1/tokens", &headers, &[]).body;
        let newest = tokens["tokens"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/tokens/{newest}");
        assert_eq!(overview.send("DELETE", &path, &headers, &[]).status, 204);
        let nobody = vec![None, Some(revoked), Some(expired(overview)), Some("ab".repeat(32))];
        Self { nobody, viewer, admin, servers: [TOKEN.to_owned(), node] }
    }
}

/// An expired token.
fn expired(overview: &Running) -> String {
    let by = Actor::command();
    let wish = NewToken {
        role: TokenRole::User(UserRole::Admin),
        name: "over".to_owned(),
        expires_at: Some(Timestamp(1)),
    };
    let (secret, token) = wish.into_token(&by, Timestamp(0)).unwrap();
    let entry = AuditEntry::done(&by, Action::CreateToken, "for a story");
    // It must be known and expired: an unknown token is another case.
    let token = cluster_overview::auth::model::Token {
        expires_at: Some(cluster_overview::clock::wall()),
        ..token
    };
    overview.change_access(&[AccessChange::AddToken(secret.hash(), token)], &entry);
    secret.reveal().to_owned()
}

/// A path of this template for something that does not exist.
fn sample(template: &str) -> String {
    template
        .replace("{server}", "nobody")
        .replace("{role}", "web")
        .replace("{kind}", "encryption")
        .replace("{id}", "none")
        .replace("{*path}", "none")
        .replace("{hash}", "none")
        .replace("{name}", "none")
}

#[test]
fn every_route_is_in_the_table() {
    let source = include_str!("../../src/http/mod.rs");
    let plain = source.split(", (\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let overview = Running::guarded();
    let admin = overview.token("admin");
    let document = overview.send("GET", "/api/v1/openapi.json", &bearer_headers(&admin), &[]).body;
    let describe_token = document["paths"].as_object().unwrap().keys().map(String::as_str);
    let there: BTreeSet<&str> = plain.chain(describe_token).collect();
    let told: BTreeSet<&str> = ROUTES.iter().map(|(_, template, _, _)| *template).collect();
    assert_eq!(there, told);
}

#[test]
fn every_caller_gets_from_every_route_what_the_table_says() {
    let overview = Running::guarded();
    let who = Everybody::of(&overview);
    for (method, template, wants, leads) in ROUTES {
        let path = sample(template);
        let ask = |proof: Option<&str>| {
            let headers = proof.map(bearer_headers).unwrap_or_default();
            let answer = overview.send(method, &path, &headers, &[]);
            assert!(answer.status < 500, "{method} {path}: {}", answer.body);
            if answer.status == 303 {
                assert!(answer.header("location").starts_with("/sign-in"), "{method} {path}");
            }
            answer.status
        };
        // The caller is authorized: whatever the route says about an empty request, it is not about the caller.
        let let_in =
            |status: u16| !matches!(status, 401 | 403) && (status != 303 || *wants == Nothing);
        for proof in &who.nobody {
            let status = ask(proof.as_deref());
            match (wants, leads) {
                (Nothing, _) => assert!(let_in(status) || status == 401 && path == "/sign-in"),
                (_, ExclusiveLock) => assert_eq!(status, 401, "{method} {path}, {proof:?}"),
                (_, ToSignIn) => assert_eq!(status, 303, "{method} {path}, {proof:?}"),
            }
        }
        if *wants == Nothing {
            continue;
        }
        let statuses = [&who.viewer, &who.admin, &who.servers[0], &who.servers[1]]
            .map(|proof| ask(Some(proof)));
        let expected = match wants {
            Viewer => [true, true, false, false],
            Admin => [false, true, false, false],
            JoinOrNode => [false, false, true, true],
            Nothing => [true; 4],
        };
        for (status, expected) in statuses.into_iter().zip(expected) {
            if expected {
                assert!(let_in(status), "{method} {path}: {statuses:?}");
            } else {
                assert_eq!(status, 403, "{method} {path}: {statuses:?}");
            }
        }
    }
}

#[test]
fn a_method_that_a_route_does_not_have_gives_nobody_more() {
    let overview = Running::guarded();
    let who = Everybody::of(&overview);
    let paths: BTreeSet<&str> = ROUTES.iter().map(|(_, template, _, _)| *template).collect();
    for template in paths {
        let taken: Vec<&str> = ROUTES
            .iter()
            .filter(|(_, other, _, _)| *other == template)
            .map(|(method, ..)| *method)
            .collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"] {
            if taken.contains(&method) {
                continue;
            }
            for proof in [None, Some(who.viewer.as_str()), Some(&who.admin), Some(&who.servers[1])]
            {
                let headers = proof.map(bearer_headers).unwrap_or_default();
                let status = overview.send(method, &sample(template), &headers, &[]).status;
                // Server functions check their methods themselves.
                let refused = matches!(status, 303 | 400 | 401 | 403 | 404 | 405);
                assert!(refused, "{method} {template}: {status}");
            }
        }
    }
}

#[test]
fn a_token_in_a_query_string_does_not_authenticate() {
    let overview = Running::guarded();
    let admin = overview.token("admin");
    for name in ["token", "access_token", "authorization", "bearer"] {
        let path = format!("/api/v1/overview?{name}={admin}");
        assert_eq!(overview.get(&path).status, 401, "{name}");
    }
}

#[test]
fn a_credential_is_valid_only_for_its_own_server() {
    let overview = Running::guarded();
    let admin = overview.token("admin");
    let json = ("content-type", "application/json");
    let enrol = |proof: &str, server: &str| {
        let headers = [bearer_headers(proof).as_slice(), &[json]].concat();
        let body = json!({"server": server}).to_string();
        overview.send("POST", "/api/v1/enrolments", &headers, body.as_bytes())
    };
    let beat = |proof: &str, beats: &Value| {
        let headers = [bearer_headers(proof).as_slice(), &[json]].concat();
        overview.send("POST", "/api/v1/heartbeats", &headers, beats.to_string().as_bytes()).status
    };
    let enrolled = enrol(TOKEN, "web-1");
    assert_eq!(enrolled.status, 201);
    let credential = enrolled.body["credential"].as_str().unwrap().to_owned();
    let own = crate::harness::heartbeat("WEB-1", "web", 1);
    let foreign = crate::harness::heartbeat("web-2", "web", 1);
    assert_eq!(beat(&credential, &own), 200, "names have no case");
    assert_eq!(beat(&credential, &foreign), 403);
    assert_eq!(beat(&credential, &json!([own, foreign])), 403, "whole or not at all");
    assert_eq!(enrol(&credential, "web-2").status, 403);
    let renewed = enrol(&credential, "web-1").body["credential"].as_str().unwrap().to_owned();
    assert_eq!(beat(&renewed, &own), 200);
    assert_eq!(
        beat(&credential, &own),
        200,
        "until the new one is surely there, the former is good"
    );
    let picture = overview.send("GET", "/api/v1/overview", &bearer_headers(&admin), &[]).body;
    assert_eq!(picture["counts"]["servers"], 1, "nothing was stored of web-2");
    let gone =
        overview.send("DELETE", "/api/v1/servers/web-1?force=true", &bearer_headers(&admin), &[]);
    assert_eq!(gone.status, 204);
    assert_eq!(beat(&credential, &own), 401, "a removed server's credentials are revoked");
    assert_eq!(beat(&renewed, &own), 401);
    assert_eq!(beat(TOKEN, &crate::harness::heartbeat("web-1", "web", 2)), 200);
}

#[test]
fn where_enrolment_is_required_the_join_token_only_enrols() {
    let policy = cluster_overview::auth::AuthPolicy {
        require_enrolment: true,
        ..cluster_overview::auth::AuthPolicy::open()
    };
    let overview = Running::of(policy);
    let beat = crate::harness::heartbeat("web-1", "web", 1);
    let answer = overview.beat(&beat);
    assert_eq!(answer.status, 403);
    assert!(answer.body["detail"].as_str().unwrap().contains("/api/v1/enrolments"));
    let body = json!({"server": "web-1"});
    let headers =
        [bearer_headers(TOKEN).as_slice(), &[("content-type", "application/json")]].concat();
    let enrolled =
        overview.send("POST", "/api/v1/enrolments", &headers, body.to_string().as_bytes());
    let credential = enrolled.body["credential"].as_str().unwrap().to_owned();
    let headers =
        [bearer_headers(&credential).as_slice(), &[("content-type", "application/json")]].concat();
    let taken = overview.send("POST", "/api/v1/heartbeats", &headers, beat.to_string().as_bytes());
    assert_eq!(taken.status, 200);
}

#[test]
fn every_change_is_in_the_audit_log_once_and_no_name_forges_a_line() {
    let overview = Running::guarded();
    let admin = overview.token("admin");
    let headers =
        [bearer_headers(&admin).as_slice(), &[("content-type", "application/json")]].concat();
    let mut settings = overview.send("GET", "/api/v1/settings", &headers, &[]).body;
    settings["heartbeat_interval_s"] = json!(20);
    let put = settings.to_string();
    assert_eq!(overview.send("PUT", "/api/v1/settings", &headers, put.as_bytes()).status, 200);
    let wish = json!({"role": "viewer", "name": "a\nforged line"}).to_string();
    let refused = overview.send("POST", "/api/v1/tokens", &headers, wish.as_bytes());
    assert_eq!(refused.status, 422, "a name is one line");
    let wish = json!({"role": "viewer", "name": "monitor"}).to_string();
    let made = overview.send("POST", "/api/v1/tokens", &headers, wish.as_bytes()).body;
    let lines = overview.audit(&admin);
    let said: Vec<(&str, &str)> = lines
        .iter()
        .map(|line| (line["action"].as_str().unwrap(), line["target"].as_str().unwrap()))
        .collect();
    let id = made["id"].as_str().unwrap();
    let target = format!("viewer token monitor ({id})");
    assert_eq!(
        said,
        [
            ("create-token", target.as_str()),
            ("configure", "heartbeat_interval_s 30 to 20"),
            ("create-token", "for a story"),
        ]
    );
    assert_eq!(lines[1]["who"], "admin of a story");
    assert_eq!(lines[1]["proof"], "token");
    let text = json!(lines).to_string();
    for secret in [&admin, made["token"].as_str().unwrap()] {
        assert!(!text.contains(secret), "a secret is in the audit");
    }
    let page = overview.send("GET", "/api/v1/audit?limit=1", &headers, &[]).body;
    assert_eq!(page["entries"].as_array().unwrap().len(), 1);
    let path = format!("/api/v1/audit?limit=1&before={}", page["next_before"]);
    let next = overview.send("GET", &path, &headers, &[]).body;
    assert_eq!(next["entries"][0]["action"], "configure");
}
