//! The audit page: its filter, its file, and its links to servers.

use serde_json::json;

use crate::harness::{Running, heartbeat, with_field};

/// An overview with three entries: two removals, of which one names a server that is back, and a change of settings.
fn with_entries() -> Running {
    let overview = Running::start();
    for name in ["web-1", "-web-2"] {
        overview.beat(&heartbeat(name, "web", 1));
        let path = format!("/api/v1/servers/{name}?force=true");
        assert_eq!(overview.send("DELETE", &path, &[], &[]).status, 204);
    }
    let back = with_field(heartbeat("web-1", "web", 2), "boot_id", json!(BACK));
    assert_eq!(overview.beat(&back).status, 200);
    overview.use_short_timers();
    overview
}

/// Another start of the process.
const BACK: &str = "00000000-0000-4000-8000-00000000000b";

fn page(overview: &Running, path: &str) -> String {
    let answer = overview.get(path);
    assert_eq!(answer.status, 200);
    answer.body.as_str().unwrap().to_owned()
}

fn today(overview: &Running) -> String {
    overview.get("/api/v1/audit").body["entries"][0]["at"].as_str().unwrap()[..10].to_owned()
}

#[test]
fn entries_are_filtered_by_days_in_utc() {
    let overview = with_entries();
    let today = today(&overview);
    for (query, found) in [
        (format!("from={today}"), true),
        (format!("until={today}"), true),
        (format!("from={today}&until={today}&action=remove"), true),
        ("until=2020-01-01".to_owned(), false),
        ("from=2999-01-01".to_owned(), false),
        ("from=&until=".to_owned(), true),
    ] {
        let shown = page(&overview, &format!("/audit?{query}"));
        assert_eq!(shown.contains("web-1"), found, "{query}");
        assert_eq!(shown.contains("No matching entries."), !found, "{query}");
    }
    let shown = page(&overview, &format!("/audit?from={today}"));
    assert!(shown.contains(&format!("value=\"{today}\"")) && shown.contains("From (UTC)"));
    // The API has the same filter, and takes times too.
    let entries = |query: &str| {
        let answer = overview.get(&format!("/api/v1/audit?{query}"));
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["entries"].as_array().unwrap().len()
    };
    assert_eq!(entries(&format!("from={today}")), 3);
    assert_eq!(entries("until=2020-01-01T00:00:00Z"), 0);
    let wrong = overview.get("/api/v1/audit?from=yesterday&until=1");
    assert_eq!(wrong.status, 422);
    let errors = wrong.body["errors"].as_array().unwrap().len();
    assert_eq!(errors, 2, "{}", wrong.body);
}

#[test]
fn the_file_has_what_is_filtered_and_no_formula() {
    let overview = with_entries();
    let answer = overview.get("/audit.csv?action=remove");
    let csv = answer.body.as_str().unwrap();
    let lines: Vec<&str> = csv.split_terminator("\r\n").collect();
    let [heading, second, first] = lines.as_slice() else { panic!("{csv}") };
    assert_eq!(*heading, "at,who,proof,address,action,target,outcome,count,last_at,request_id");
    assert!(second.contains(",remove,\"'-web-2\",done,1,"), "{second}");
    assert!(first.contains(",remove,web-1,done,1,"), "{first}");
    let file = format!("cluster-overview-audit-{}.csv", today(&overview));
    assert!(answer.header("content-disposition").contains(&file));
    let none = overview.get("/audit.csv?until=2020-01-01");
    assert_eq!(none.body.as_str().unwrap().lines().count(), 1, "the heading alone");
}

#[test]
fn an_entry_about_a_server_that_is_there_links_to_it() {
    let overview = with_entries();
    let shown = page(&overview, "/audit?action=remove&lang=de");
    assert!(shown.contains("href=\"/?lang=de&amp;server=web-1\""), "{shown}");
    assert!(!shown.contains("server=-web-2"), "it was removed");
}
