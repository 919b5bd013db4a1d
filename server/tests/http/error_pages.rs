//! Errors: a page for a browser that navigates, a problem for a program.

use crate::harness::{Answer, FORM, NAVIGATION, OWN, Running};

fn text(answer: &Answer) -> &str {
    answer.body.as_str().unwrap_or_default()
}

#[test]
fn a_browser_gets_an_error_page_with_a_link_and_a_program_gets_a_problem() {
    let overview = Running::guarded();
    let long = format!("/sign-in?then={}", "a".repeat(9_000));
    let large = vec![b'a'; 20_000];
    for (method, path, headers, body, status, way) in [
        ("GET", "/nothing", vec![], &[][..], 404, "href=\"/\""),
        ("GET", "/api/v1/overview", vec![], &[], 401, "href=\"/sign-in\""),
        ("DELETE", "/sign-in", vec![OWN], &[], 405, "href=\"/\""),
        ("GET", "/embed?code=spent", vec![], &[], 410, "href=\"/\""),
        ("GET", &long, vec![], &[], 414, "href=\"/\""),
        ("POST", "/sign-out", vec![FORM, OWN], &large, 413, "href=\"/\""),
        ("POST", "/sign-out", vec![OWN], &[], 415, "href=\"/\""),
        (
            "POST",
            "/sign-out",
            vec![FORM, ("origin", "http://evil.example")],
            &[],
            403,
            "href=\"/\"",
        ),
    ] {
        let page = overview.send(method, path, &[&headers[..], &[NAVIGATION]].concat(), body);
        let shown = text(&page);
        assert_eq!(page.status, status, "{method} {path}: {}", page.body);
        assert!(page.header("content-type").starts_with("text/html"), "{method} {path}");
        assert!(page.header("content-security-policy").contains("script-src 'nonce-"), "{path}");
        assert!(page.header("cache-control").starts_with("no-store"), "{path}");
        for part in ["<html lang=\"en\"", "app.css", "<h1>", way, &format!("Status {status}")] {
            let found = shown.replace("<!>", "");
            assert!(found.contains(part), "{part} at {method} {path}: {shown}");
        }
        let problem = overview.send(method, path, &headers, body);
        assert_eq!(problem.status, status, "{method} {path}");
        assert_eq!(problem.header("content-type"), "application/problem+json", "{path}");
        assert_eq!(problem.body["status"], status);
        for header in ["allow", "www-authenticate", "retry-after"] {
            assert_eq!(page.header(header), problem.header(header), "{header} at {path}");
        }
    }
}

#[test]
fn requests_of_the_pages_scripts_get_problems() {
    let overview = Running::guarded();
    for mode in ["cors", "same-origin", "no-cors"] {
        let headers = [("sec-fetch-mode", mode), NAVIGATION];
        let answer = overview.send("GET", "/api/v1/overview", &headers, &[]);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{mode}");
    }
    let answer = overview.send("GET", "/nothing", &[("sec-fetch-mode", "navigate")], &[]);
    assert!(answer.header("content-type").starts_with("text/html"));
}

#[test]
fn an_error_page_has_the_readers_language_and_appearance() {
    let overview = Running::below("/admin/cluster");
    let headers = [NAVIGATION, ("accept-language", "de-AT,de")];
    let page = overview.send("GET", "/admin/cluster/nothing?theme=dark", &headers, &[]);
    let shown = text(&page);
    for part in
        ["lang=\"de\"", "data-theme=\"dark\"", "Seite nicht gefunden", "/admin/cluster/?theme=dark"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let hostile = overview.send("GET", "/%3Cscript%3Ealert(1)%3C/script%3E", &[NAVIGATION], &[]);
    assert!(!text(&hostile).contains("<script>alert"), "{}", hostile.body);
}

#[test]
fn a_method_that_a_path_does_not_have_is_named() {
    let overview = Running::guarded();
    let refused = overview.send("GET", "/api/v1/heartbeats", &[NAVIGATION], &[]);
    assert_eq!((refused.status, refused.header("allow")), (405, "POST"));
    assert!(text(&refused).contains("/api/v1/heartbeats does not accept GET"), "{}", refused.body);
}
