//! The page that removes many servers at once, as a browser without scripts uses it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::harness::{Answer, FORM, OWN, Running, bearer_headers, heartbeat, with_field};

/// An overview where these servers have stopped.
fn with_stopped(overview: &Running, servers: &[String]) {
    for sequence in 1..=2 {
        let all: Vec<Value> = servers
            .iter()
            .map(|name| heartbeat(name, "service", sequence))
            .map(|beat| with_field(beat, "leaving", json!(sequence == 2)))
            .collect();
        assert_eq!(overview.beat(&Value::Array(all)).status, 200);
    }
}

fn numbered(prefix: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{prefix}-{number}")).collect()
}

fn page(overview: &Running, path: &str, token: Option<&str>) -> String {
    let headers = token.map(bearer_headers);
    let headers = headers.as_ref().map_or(&[][..], |headers| headers.as_slice());
    let answer = overview.send("GET", path, headers, &[]);
    assert_eq!(answer.status, 200);
    answer.body.as_str().unwrap().to_owned()
}

/// Sends the form with these names, as the page would.
fn confirm(overview: &Running, stale_for: &str, name: &str, servers: &[String]) -> Answer {
    let mut form = format!("stale_for={stale_for}&name={name}&servers=");
    for server in servers {
        write!(form, "{server}%0D%0A").unwrap();
    }
    overview.send("POST", "/removals", &[FORM, OWN], form.as_bytes())
}

fn names(overview: &Running) -> Vec<String> {
    let servers = overview.overview()["servers"].clone();
    let name = |server: &Value| server["name"].as_str().unwrap().to_owned();
    servers.as_array().unwrap().iter().map(name).collect()
}

#[test]
fn exactly_the_listed_servers_are_removed_with_one_audit_entry() {
    let overview = Running::start();
    with_stopped(&overview, &numbered("pod", 40));
    overview.beat(&heartbeat("pod-live", "service", 1));
    overview.beat(&heartbeat("app-1", "web", 1));
    let listed = page(&overview, "/removals?stale_for=0+s&name=POD-*", None);
    assert!(listed.contains("40 servers match") && listed.contains("Remove 40 servers"));
    assert!(!listed.contains("pod-live") && !listed.contains("app-1"), "live ones are not listed");
    assert!(listed.contains("Stopped") && listed.contains("Last heartbeat"));

    let answer = confirm(&overview, "0+s", "pod-*", &numbered("pod", 40));
    assert_eq!(answer.status, 303);
    let to = answer.header("location");
    assert_eq!(to, "/removals?stale_for=0%20s&name=pod-%2A&removed=40");
    let after = page(&overview, to, None);
    assert!(after.contains("40 servers were removed."));
    assert!(after.contains("No server matches."), "and it says what to do");
    assert_eq!(names(&overview), ["app-1", "pod-live"]);
    let entries = overview.get("/api/v1/audit?action=remove").body;
    let [entry] = entries["entries"].as_array().unwrap().as_slice() else { panic!("{entries}") };
    assert!(entry["target"].as_str().unwrap().starts_with("40 servers: pod-1, pod-2, "));
}

#[test]
fn a_listed_server_that_reports_again_is_left_and_the_page_says_why() {
    let overview = Running::start();
    with_stopped(&overview, &numbered("pod", 3));
    with_stopped(&overview, &["other-1".to_owned()]);
    overview.beat(&heartbeat("pod-2", "service", 3));
    let mut listed = numbered("pod", 4);
    listed.push("other-1".to_owned());
    let answer = confirm(&overview, "0+s", "pod-*", &listed);
    let to = answer.header("location");
    let after = page(&overview, to, None);
    for said in [
        "2 servers were removed.",
        "Not removed, because they report again: pod-2.",
        "Removed before by somebody else: pod-4.",
        "Not removed, because they no longer match: other-1.",
    ] {
        assert!(after.contains(said), "{said} is missing: {to}");
    }
    assert_eq!(names(&overview), ["other-1", "pod-2"]);
    // An address alone cannot claim why a server was left, or name something that is no server.
    let claimed = page(&overview, "/removals?removed=0&left=other-1&left=a/b", None);
    assert!(claimed.contains("no longer match: other-1.") && !claimed.contains("a/b"));
}

#[test]
fn servers_that_stopped_lately_are_not_listed_at_first() {
    let overview = Running::start();
    with_stopped(&overview, &numbered("pod", 2));
    let first = page(&overview, "/removals", None);
    assert!(first.contains(r#"value="1 d""#) && first.contains("No server matches."));
    // The list's search comes along from the page.
    let searched = page(&overview, "/removals?sort=name&state=error&q=pod", None);
    assert!(searched.contains(r#"value="*pod*""#), "{searched}");
    assert!(page(&overview, "/removals?stale_for=&name=pod-*", None).contains("2 servers match"));
}

#[test]
fn a_form_that_cannot_be_read_comes_back_with_what_is_wrong() {
    let overview = Running::start();
    with_stopped(&overview, &numbered("pod", 1));
    for (query, said) in [
        ("stale_for=soon&name=", "Enter a duration of at most 10 years"),
        ("stale_for=4000+d&name=", "Enter a duration of at most 10 years"),
        ("stale_for=&name=", "Enter a duration, a name, or both."),
        ("stale_for=&name=%00", "Enter a name, or a pattern such as web-*"),
    ] {
        let page = page(&overview, &format!("/removals?{query}"), None);
        assert!(page.contains(said) && !page.contains("class=\"danger\""), "{query}");
    }
    let refused = confirm(&overview, "soon", "", &numbered("pod", 1));
    assert_eq!(refused.header("location"), "/removals?stale_for=soon&name=");
    assert_eq!(names(&overview), ["pod-1"]);
    // Without names nothing is removed.
    confirm(&overview, "0+s", "", &[]);
    assert_eq!(names(&overview), ["pod-1"]);
}

#[test]
fn a_viewer_reads_the_list_and_finds_no_button() {
    let overview = Running::guarded();
    let (viewer, admin) = (overview.token("viewer"), overview.token("admin"));
    with_stopped(&overview, &numbered("pod", 2));
    let address = "/removals?stale_for=0+s";
    let read_only = page(&overview, address, Some(&viewer));
    assert!(read_only.contains("2 servers match") && read_only.contains("Read-only"));
    assert!(!read_only.contains("method=\"post\"") && !read_only.contains("href=\"/access\""));
    assert!(page(&overview, address, Some(&admin)).contains("Remove 2 servers"));
    let bearer = format!("Bearer {viewer}");
    let headers = [FORM, OWN, ("authorization", bearer.as_str())];
    let form = b"stale_for=0+s&name=&servers=pod-1";
    assert_eq!(overview.send("POST", "/removals", &headers, form).status, 403);
}

#[test]
fn a_blind_overview_lists_no_server_and_removes_none() {
    let overview = Running::start();
    with_stopped(&overview, &numbered("pod", 2));
    {
        let _locked = overview.lock_database();
        overview.overview_when(|overview| !overview["blind_since"].is_null());
        let blind = page(&overview, "/removals?stale_for=0+s", None);
        assert!(blind.contains("unable to reach its database since"));
        assert!(!blind.contains("class=\"danger\""));
        let answer = confirm(&overview, "0+s", "", &numbered("pod", 2));
        assert!(answer.header("location").ends_with("removed=0&failed=true"));
    }
    let back = overview.overview_when(|overview| overview["blind_since"].is_null());
    assert_eq!(back["servers"].as_array().unwrap().len(), 2);
}

#[test]
fn more_servers_than_one_form_can_name_are_removed_in_turn() {
    let overview = Running::start();
    with_stopped(&overview, &numbered("pod", 520));
    let listed = page(&overview, "/removals?stale_for=0+s", None);
    assert!(listed.contains("520 servers match") && listed.contains("These are the first 500."));
    assert!(listed.contains("Remove 500 servers"));
    let answer = confirm(&overview, "0+s", "", &numbered("pod", 500));
    let after = page(&overview, answer.header("location"), None);
    assert!(after.contains("500 servers were removed.") && after.contains("Remove 20 servers"));
}
