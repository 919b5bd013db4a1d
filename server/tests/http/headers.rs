//! Security headers of every response.

use cluster_overview::auth::AuthPolicy;

use crate::harness::{Answer, Running, TOKEN, bearer_headers};

/// Responses of every kind: pages, data, files, rejections, errors.
fn answers(overview: &Running) -> Vec<(String, Answer)> {
    let asked = [
        ("GET", "/", vec![]),
        ("GET", "/sign-in", vec![]),
        ("GET", "/healthz", vec![]),
        ("GET", "/readyz", vec![]),
        ("GET", "/assets/none/nothing.js", vec![]),
        ("GET", "/api/v1/overview", vec![]),
        ("GET", "/nothing", vec![]),
        ("DELETE", "/healthz", vec![]),
        ("PUT", "/api/v1/settings", vec![("content-type", "application/json")]),
        ("POST", "/fn/overview", vec![("sec-fetch-site", "cross-site")]),
    ];
    asked
        .into_iter()
        .map(|(method, path, headers)| {
            (format!("{method} {path}"), overview.send(method, path, &headers, &[]))
        })
        .collect()
}

#[test]
fn every_response_of_every_status_has_the_security_headers() {
    for overview in [Running::start(), Running::guarded()] {
        for (asked, answer) in answers(&overview) {
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                let status = answer.status;
                assert_eq!(answer.header(name), value, "{name} of {asked}, answered {status}");
            }
            let policy = answer.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'"), "{asked}: {policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{asked}: {policy}");
            assert!(!policy.contains("unsafe-inline"), "{asked}: {policy}");
            assert!(!policy.contains("'unsafe-eval'"), "{asked}: {policy}");
            // Without TLS browsers ignore it, and it would mislead somebody who tests over plain HTTP.
            assert_eq!(answer.header("strict-transport-security"), "", "{asked}");
        }
    }
}

/// The nonce in the policy, and the document.
fn document(overview: &Running, path: &str, headers: &[(&str, &str)]) -> (String, String) {
    let answer = overview.send("GET", path, headers, &[]);
    assert_eq!(answer.status, 200, "{path}");
    let policy = answer.header("content-security-policy").to_owned();
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    (nonce.to_owned(), answer.body.as_str().unwrap().to_owned())
}

#[test]
fn every_script_of_a_document_has_its_nonce_and_each_document_has_another() {
    let overview = Running::guarded();
    let viewer = bearer_headers(&overview.token("viewer"));
    for (path, proof) in [("/", viewer.as_slice()), ("/sign-in", &[])] {
        let (nonce, html) = document(&overview, path, proof);
        assert!(nonce.len() >= 22, "128 bits in base 64: {nonce}");
        let scripts: Vec<&str> = html
            .match_indices("<script")
            .map(|(at, _)| html[at..].split('>').next().unwrap())
            .collect();
        assert!(!scripts.is_empty());
        for script in scripts {
            assert!(script.contains(&format!("nonce=\"{nonce}\"")), "{script}");
        }
        assert!(!html.contains(" style=\""), "a style attribute would be ignored: {path}");
        assert_ne!(nonce, document(&overview, path, proof).0);
    }
}

#[test]
fn only_documents_can_be_framed_and_only_by_the_configured_origins() {
    let overview = Running::framed_by(
        &["https://product.example", "http://localhost:8080"],
        AuthPolicy::open(),
    );
    for (path, is_document) in [("/", true), ("/access", true), ("/api/v1/overview", false)] {
        let answer = overview.send("GET", path, &[], &[]);
        let policy = answer.header("content-security-policy");
        let who =
            if is_document { "https://product.example http://localhost:8080" } else { "'none'" };
        assert!(policy.ends_with(&format!("; frame-ancestors {who}")), "{path}: {policy}");
        let older = if is_document { "" } else { "DENY" };
        assert_eq!(answer.header("x-frame-options"), older, "{path}");
    }
}

#[test]
fn the_response_to_a_heartbeat_is_data_and_nothing_else() {
    let overview = Running::start();
    let token = format!("Bearer {TOKEN}");
    let answer = overview.send("POST", "/api/v1/heartbeats", &[("authorization", &token)], b"{}");
    assert_eq!(answer.status, 415);
    assert_eq!(
        answer.header("content-security-policy"),
        "default-src 'none'; frame-ancestors 'none'"
    );
}
