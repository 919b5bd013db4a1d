//! Who is kept out while nobody signs in.

use serde_json::json;

use crate::harness::{Running, TOKEN, heartbeat};

fn put(overview: &Running, headers: &[(&str, &str)]) -> u16 {
    let settings = overview.get("/api/v1/settings").body.to_string();
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    overview.send("PUT", "/api/v1/settings", &all, settings.as_bytes()).status
}

#[test]
fn a_write_that_another_sites_page_sends_is_refused() {
    let overview = Running::start();
    let origin = overview.url.clone();
    for (headers, status) in [
        (vec![("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")], 403),
        (vec![("sec-fetch-site", "same-site")], 403),
        (vec![("sec-fetch-site", "none")], 403),
        (vec![("sec-fetch-site", "cross-site"), ("authorization", "Bearer x")], 403),
        (vec![("origin", "https://evil.example")], 403),
        (vec![("origin", "null")], 403),
        (vec![("origin", origin.as_str())], 200),
        (vec![("sec-fetch-site", "same-origin")], 200),
        (vec![], 200),
    ] {
        assert_eq!(put(&overview, &headers), status, "{headers:?}");
    }
    let delete =
        overview.send("DELETE", "/api/v1/servers/x", &[("sec-fetch-site", "cross-site")], &[]);
    assert_eq!(delete.status, 403);
}

#[test]
fn a_heartbeat_proves_itself_by_its_token() {
    let overview = Running::start();
    let bearer = format!("Bearer {TOKEN}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("sec-fetch-site", "cross-site"),
    ];
    let body = json!(heartbeat("web-1", "web", 1)).to_string();
    assert_eq!(overview.send("POST", "/api/v1/heartbeats", &headers, body.as_bytes()).status, 200);
}

#[test]
fn a_foreign_host_name_is_refused_everywhere() {
    let overview = Running::start();
    for path in ["/", "/api/v1/overview", "/healthz", "/api/v1/settings"] {
        let answer = overview.send("GET", path, &[("host", "evil.example")], &[]);
        assert_eq!(answer.status, 403, "{path}");
    }
    assert_eq!(overview.send("GET", "/", &[("host", "localhost")], &[]).status, 200);
}

#[test]
fn below_a_path_everything_is_there_and_as_well_guarded() {
    let overview = Running::below("/admin/cluster");
    // A proxy may hand the path on, or strip it.
    let handed_on = ["/admin/cluster", "/admin/cluster/", "/admin/cluster/api/v1/overview"];
    let stripped = ["/", "/api/v1/overview"];
    for path in handed_on.into_iter().chain(stripped) {
        assert_eq!(overview.get(path).status, 200, "{path}");
        let foreign = overview.send("GET", path, &[("host", "evil.example")], &[]);
        assert_eq!(foreign.status, 403, "{path}");
    }
    let page = overview.get("/").body;
    assert!(
        page.as_str().unwrap().contains("\"/admin/cluster/assets/"),
        "every address is below it"
    );
    for path in ["/admin", "/cluster", "/admin/cluster/api/v1/nothing", "/api/v1/nothing"] {
        let answer = overview.get(path);
        assert_eq!((answer.status, &answer.body["status"]), (404, &json!(404)), "{path}");
    }
    let bearer = format!("Bearer {TOKEN}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("content-type", "application/json"),
        ("origin", "https://elsewhere.example"),
    ];
    let untrusted = &headers[1..];
    let body = heartbeat("web-1", "web", 1).to_string();
    for base in ["/admin/cluster", ""] {
        let path = format!("{base}/api/v1/heartbeats");
        assert_eq!(overview.send("POST", &path, &headers, body.as_bytes()).status, 200);
        let path = format!("{base}/api/v1/settings");
        assert_eq!(overview.send("PUT", &path, untrusted, b"{}").status, 403);
    }
}
