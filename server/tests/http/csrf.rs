//! CSRF check and host check where nobody signs in.

use serde_json::json;

use crate::harness::{Running, TOKEN, heartbeat};

fn put(overview: &Running, headers: &[(&str, &str)]) -> u16 {
    let settings = overview.get("/api/v1/settings").body.to_string();
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    overview.send("PUT", "/api/v1/settings", &all, settings.as_bytes()).status
}

#[test]
fn a_write_from_a_page_of_another_site_is_rejected() {
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
fn a_heartbeat_with_its_token_needs_no_csrf_check() {
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
fn a_host_name_that_is_not_loopback_is_rejected_everywhere() {
    let overview = Running::start();
    for path in ["/", "/api/v1/overview", "/healthz", "/api/v1/settings"] {
        let answer = overview.send("GET", path, &[("host", "evil.example")], &[]);
        assert_eq!(answer.status, 403, "{path}");
    }
    assert_eq!(overview.send("GET", "/", &[("host", "localhost")], &[]).status, 200);
}

#[test]
fn below_a_base_path_everything_is_there_and_as_well_protected() {
    let overview = Running::below("/admin/cluster");
    // A proxy may keep the base path or strip it.
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

/// What a browser on the network sends over plain HTTP, as a proxy passes it on.
fn refused(overview: &Running, headers: &[(&str, &str)]) -> String {
    let all = [&[("content-type", "application/json")], headers].concat();
    let answer = overview.send("PUT", "/api/v1/settings", &all, b"{}");
    assert_eq!(answer.status, 403, "{headers:?}: {}", answer.body);
    answer.body["detail"].as_str().unwrap().to_owned()
}

#[test]
fn a_rejection_names_both_values_their_headers_and_the_missing_proxy_line() {
    let overview = Running::guarded_behind("127.0.0.1");
    let page = ("origin", "http://192.0.2.10:8080");
    for (own, header, value) in [
        (("host", "127.0.0.1:3000"), "Host", "127.0.0.1:3000"),
        (("host", "192.0.2.10"), "Host", "192.0.2.10"),
        (("x-forwarded-host", "inner.example"), "X-Forwarded-Host", "inner.example"),
        (("forwarded", "host=inner.example"), "Forwarded", "inner.example"),
    ] {
        let said = refused(&overview, &[page, own]);
        for part in ["http://192.0.2.10:8080", value, &format!("the {header} header")] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(said.contains("proxy_set_header Host $http_host;"), "{said}");
    }
    assert!(refused(&overview, &[("sec-fetch-site", "same-site")]).contains("same-site"));
    assert!(refused(&overview, &[("origin", "null")]).contains("a page of null"));
}

#[test]
fn the_host_from_a_trusted_proxy_counts_and_one_from_an_untrusted_client_does_not() {
    let page = ("origin", "http://overview.example:8080");
    let named = [
        ("x-forwarded-host", "overview.example:8080"),
        ("forwarded", "for=192.0.2.7;host=\"overview.example:8080\""),
    ];
    for own in named {
        // Without a session the result is 401, unless the CSRF check rejects the request first.
        let headers = [page, own, ("content-type", "application/json")];
        let ours = Running::guarded_behind("127.0.0.1");
        assert_eq!(ours.send("PUT", "/api/v1/settings", &headers, b"{}").status, 401, "{own:?}");
        let strange = Running::guarded_behind("192.0.2.1");
        let said = refused(&strange, &[page, own]);
        assert!(
            said.contains("--trusted-proxies 127.0.0.1") && said.contains("Host header"),
            "{said}"
        );
        assert_eq!(strange.send("PUT", "/api/v1/settings", &headers, b"{}").status, 403, "{own:?}");
    }
}

#[test]
fn a_poll_counts_as_a_read_although_its_method_is_post() {
    for base in ["", "/admin/cluster"] {
        let overview = Running::below(base);
        let path = format!("{base}/fn/overview");
        for foreign in [("origin", "http://192.0.2.10:8080"), ("sec-fetch-site", "cross-site")] {
            let headers = [foreign, ("content-type", "application/json")];
            let poll = overview.send("POST", &path, &headers, br#"{"cursor":""}"#);
            assert_eq!(poll.status, 200, "{foreign:?}: {}", poll.body);
            let act = format!("{base}/fn/act");
            assert_eq!(overview.send("POST", &act, &headers, b"{}").status, 403, "{foreign:?}");
        }
    }
}
