//! The ID of a request is the same in its response, in a problem, in log lines and in the audit log.

use std::collections::BTreeSet;

use serde_json::Value;
use testkit::{Overview, folder};

use crate::harness::{OWN, Running};

const ID: &str = "0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11";
/// The same ID, as nginx writes it.
const PLAIN_ID: &str = "0B0E8A6E3C0A4D5E9F7E3D1B9F0C2A11";

#[test]
fn every_answer_has_an_id_of_its_own_and_a_problem_names_it() {
    let overview = Running::start();
    let mut ids = BTreeSet::new();
    for path in ["/", "/healthz", "/api/v1/overview", "/api/v1/nothing", "/assets/none"] {
        // This peer is not a trusted proxy.
        let answer = overview.send("GET", path, &[("x-request-id", ID)], &[]);
        let id = answer.header("x-request-id").to_owned();
        assert_eq!((id.len(), id.matches('-').count()), (36, 4), "{path}: {id}");
        if answer.status >= 400 {
            assert_eq!(answer.body["instance"], format!("urn:uuid:{id}"), "{path}");
        }
        assert!(id != ID && ids.insert(id), "{path}");
    }
}

#[test]
fn the_id_of_a_trusted_proxy_is_in_the_problem_in_the_log_and_in_the_audit_log() {
    let trusted = [("CLUSTER_OVERVIEW_TRUSTED_PROXIES", "127.0.0.1".to_owned())];
    let overview = Overview::start_in(folder(), &trusted);
    // An unreadable header is logged.
    let headers = [("x-forwarded-for", "somebody"), ("x-request-id", PLAIN_ID)];
    let answer = overview.send("GET", "/api/v1/nothing?secret=1", &headers, &[]);
    assert_eq!((answer.status, answer.header("x-request-id")), (404, ID));
    assert_eq!(answer.body["instance"], format!("urn:uuid:{ID}"));
    let log = overview.log();
    let line = log.lines().find(|line| line.contains("cannot read the client's address")).unwrap();
    assert!(line.contains(&format!("id={ID}")) && line.contains("method=\"GET\""), "{line}");
    assert!(!log.contains("secret"), "a query is never logged: {log}");

    let settings = overview.get("/api/v1/settings").body.to_string();
    let headers = [OWN, ("content-type", "application/json"), ("x-request-id", PLAIN_ID)];
    let answer = overview.send("PUT", "/api/v1/settings", &headers, settings.as_bytes());
    assert_eq!((answer.status, answer.header("x-request-id")), (200, ID));
    let audit = overview.get("/api/v1/audit?action=configure").body;
    assert_eq!(audit["entries"][0]["request_id"], ID, "{audit}");
}

#[test]
fn an_id_that_is_not_a_uuid_is_replaced() {
    let trusted = [("CLUSTER_OVERVIEW_TRUSTED_PROXIES", "127.0.0.1".to_owned())];
    let overview = Overview::start_in(folder(), &trusted);
    for bad in ["", "1", "id=1 forged", &"0".repeat(33)] {
        let answer = overview.send("GET", "/healthz", &[("x-request-id", bad)], &[]);
        assert_eq!((answer.status, answer.header("x-request-id").len()), (200, 36), "{bad}");
    }
    let answer = overview.send("GET", "/api/v1/nothing", &[], &[]);
    let Value::String(instance) = &answer.body["instance"] else { panic!("{}", answer.body) };
    assert!(instance.starts_with("urn:uuid:"), "{instance}");
}
