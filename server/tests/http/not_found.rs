//! Paths that a proxy or a person gets nearly right.

use crate::harness::{NAVIGATION, OWN, Running};

fn said(overview: &Running, path: &str) -> String {
    let answer = overview.get(path);
    assert_eq!(answer.status, 404, "{path}");
    answer.body["detail"].as_str().unwrap().to_owned()
}

#[test]
fn the_base_path_in_another_case_redirects_to_the_right_one() {
    let overview = Running::below("/admin/cluster");
    for (asked, leads) in [
        ("/Admin/Cluster", "/admin/cluster"),
        ("/ADMIN/cluster/", "/admin/cluster/"),
        ("/Admin/cluster/sign-in?then=a%3Db", "/admin/cluster/sign-in?then=a%3Db"),
        ("/Admin/cluster//evil.example", "/admin/cluster//evil.example"),
    ] {
        let answer = overview.send("GET", asked, &[NAVIGATION], &[]);
        assert_eq!((answer.status, answer.header("location")), (308, leads), "{asked}");
    }
    let write = overview.send("PUT", "/Admin/Cluster/api/v1/settings", &[OWN], b"{}");
    assert_eq!(write.status, 404);
    assert!(write.body["detail"].as_str().unwrap().contains("/admin/cluster/: upper and lower"));
    for other in ["/admin/clusters", "/Admin/Clusters/sign-in", "/Admin"] {
        assert_eq!(overview.get(other).status, 404, "{other}");
    }
}

#[test]
fn the_path_of_a_page_with_a_slash_at_its_end_redirects_to_the_page() {
    for (base, asked, leads) in [
        ("", "/sign-in/", "/sign-in"),
        ("", "/audit/?text=a", "/audit?text=a"),
        ("/admin/cluster", "/admin/cluster/access/", "/admin/cluster/access"),
        // A proxy that strips the path.
        ("/admin/cluster", "/access/", "/admin/cluster/access"),
    ] {
        let answer = Running::below(base).get(asked);
        assert_eq!((answer.status, answer.header("location")), (308, leads), "{asked}");
    }
    assert_eq!(Running::start().get("//evil.example/").status, 404);
}

#[test]
fn behind_a_proxy_that_changes_the_path_the_error_names_the_line_that_it_needs() {
    let overview = Running::below("/admin/cluster");
    let slashes = said(&overview, "//sign-in");
    for part in [
        "//sign-in",
        "/admin/cluster/",
        "location /admin/cluster/ { proxy_pass http://127.0.0.1:3000/; }",
    ] {
        assert!(slashes.contains(part), "{part}: {slashes}");
    }
    assert!(said(&Running::start(), "//").contains("location / { proxy_pass"));
    let outer = said(&Running::start(), "/admin/cluster/sign-in");
    assert!(outer.contains("--base-path /admin/cluster"), "{outer}");
    let other = said(&overview, "/cluster/api/v1/overview");
    assert!(
        other.contains("is at /admin/cluster/") && other.contains("--base-path /cluster"),
        "{other}"
    );
    let nothing = said(&overview, "/admin/cluster/nothing");
    assert!(nothing.contains("is at /admin/cluster/"), "{nothing}");
    assert!(nothing.contains("/admin/cluster/api/v1/"), "{nothing}");
    let page = overview.send("GET", "//sign-in", &[NAVIGATION], &[]).body;
    assert!(page.as_str().unwrap().contains("location /admin/cluster/ {"), "{page}");
}
