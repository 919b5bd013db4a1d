//! The list of the page as a file.

use serde_json::{Value, json};

use crate::harness::{Running, bearer_headers, heartbeat, with_field};

/// 60 servers, ten of which run an older version, in two products.
fn with_cluster(overview: &Running) {
    let beats: Vec<Value> = (1..=60)
        .map(|number| {
            let product = if number % 2 == 0 { "ProGet" } else { "BuildMaster" };
            let version = if number <= 10 { "1.9" } else { "2.0" };
            let beat = heartbeat(&format!("svc-{number}"), "service", 1);
            let beat = with_field(beat, "product", json!(product));
            with_field(beat, "version", json!(version))
        })
        .collect();
    assert_eq!(overview.beat(&Value::Array(beats)).status, 200);
}

fn export(overview: &Running, query: &str) -> Vec<Value> {
    let answer = overview.get(&format!("/export.json{query}"));
    assert_eq!(answer.status, 200);
    answer.body.as_array().unwrap().clone()
}

fn names(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["server"].as_str().unwrap()).collect()
}

/// The names in the order of the page that the server renders.
fn shown(overview: &Running, query: &str) -> Vec<String> {
    let page = overview.get(&format!("/{query}")).body;
    let page = page.as_str().unwrap();
    let rows = page.split("data-server=\"").skip(1);
    rows.map(|row| row.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn an_export_has_exactly_the_servers_that_the_page_shows_in_its_order() {
    let overview = Running::start();
    with_cluster(&overview);
    for query in [
        "",
        "?sort=name",
        "?sort=-name",
        "?sort=version&q=proget",
        "?state=warning",
        "?state=warning&q=version:1.9+product:proget&sort=-name",
        "?q=nothing-like-this",
        "?page=2",
    ] {
        let all = query.replace("?page=2", "");
        let lines = export(&overview, query);
        assert_eq!(names(&lines), shown(&overview, &all), "{query}");
    }
    assert_eq!(export(&overview, "?state=warning").len(), 10);
}

#[test]
fn a_csv_file_has_a_heading_and_one_line_for_each_component() {
    let overview = Running::start();
    overview.beat(&heartbeat("app-1", "web", 1));
    overview.beat(&heartbeat("app-1", "service", 1));
    let answer = overview.get("/export.csv");
    let lines: Vec<&str> = answer.body.as_str().unwrap().split_terminator("\r\n").collect();
    let [heading, web, service] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(
        *heading,
        "server,role,product,version,version_in_sync,key_in_sync,pulse,health,since,last_heartbeat,address,os,os_version,messenger"
    );
    assert!(web.starts_with("app-1,web,") && service.starts_with("app-1,service,"));
    assert_eq!(web.split(',').count(), 14, "{web}");
    let [line, _] = export(&overview, "").try_into().unwrap();
    assert!(web.contains(line["last_heartbeat"].as_str().unwrap()), "{web}");
    assert_eq!((&line["pulse"], &line["version_in_sync"]), (&json!("alive"), &json!(true)));
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
    let day = overview.overview()["as_of"].as_str().unwrap()[..10].to_owned();
    let file = format!("attachment; filename=\"cluster-overview-servers-{day}.csv\"");
    assert_eq!(answer.header("content-disposition"), file);
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[test]
fn what_a_server_reports_is_no_formula_in_a_spreadsheet() {
    let overview = Running::start();
    let hostile = with_field(heartbeat("=cmd|calc!A0", "web", 1), "product", json!("+1,\"2\""));
    overview.beat(&with_field(hostile, "version", json!("@SUM(1)")));
    let answer = overview.get("/export.csv");
    let csv = answer.body.as_str().unwrap();
    for cell in ["\"'=cmd|calc!A0\",web,", ",\"'+1,\"\"2\"\"\",", ",\"'@SUM(1)\","] {
        assert!(csv.contains(cell), "{cell}: {csv}");
    }
    // A program reads JSON, where text is text.
    assert_eq!(names(&export(&overview, "")), ["=cmd|calc!A0"]);
}

#[test]
fn a_viewer_may_export() {
    let overview = Running::guarded();
    let viewer = overview.token("viewer");
    let answer = overview.send("GET", "/export.csv", &bearer_headers(&viewer), &[]);
    assert_eq!(answer.status, 200);
}
