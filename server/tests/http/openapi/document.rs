//! The description has every route of the API, and says how to authenticate.

use std::collections::BTreeSet;

use app::i18n::{Catalog, MessageKey};
use serde_json::json;

use super::checker::*;
use crate::harness::Running;

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
            "/settings/rehearsal",
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
            "/history",
            "/history/recent",
            "/incidents/{id}",
            "/incidents/{id}",
            "/notifications",
            "/notifications/channels/{name}",
            "/notifications/channels/{name}/test",
            "/notifications/channels/{name}/pause",
            "/audit",
            "/account",
            "/account/session",
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

#[test]
fn what_is_not_recorded_is_listed_alike_on_the_page_in_the_description_in_the_help_and_in_the_documents()
 {
    let said = Catalog::english().text(MessageKey::PagesPastNotRecorded);
    let (_, list) = said.trim_end_matches('.').split_once(": ").unwrap();
    let checker = Checker::of(Running::start());
    let texts = [
        ("the description", checker.document["paths"]["/api/v1/overview"].to_string()),
        ("README.md", include_str!("../../../../README.md").to_owned()),
        ("ARCHITECTURE.md", include_str!("../../../../ARCHITECTURE.md").to_owned()),
        ("the help", include_str!("../../../src/cli/args/agent.rs").replace("///", "")),
    ];
    for (name, text) in texts {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(list), "{name} does not list: {list}");
    }
}
