//! The past over HTTP: the overview of a moment, events, availability and rehearsed timeouts.

use cluster_overview::auth::AuthPolicy;
use serde_json::{Value, json};
use testkit::{DEFAULT_TIMEOUT, postgres, wait_until};
use tokio::runtime::Runtime;

use crate::harness::{Running, component, heartbeat, with_field};

/// A service that was stale and has come back with another version. Returns the moment at which it was noticed to be stale.
fn stale_and_back(overview: &Running) -> String {
    overview.use_short_timers();
    overview.beat(&heartbeat("app-1", "service", 1));
    let stale = overview.overview_when(|body| body["health"] == "error");
    let noticed = stale["as_of"].as_str().unwrap().to_owned();
    let again = with_field(heartbeat("app-1", "service", 2), "version", json!("2027.1"));
    let boot = json!("00000002-3c0a-4d5e-9f7e-3d1b9f0c2a11");
    overview.beat(&with_field(again, "boot_id", boot));
    noticed
}

fn events(overview: &Running, query: &str) -> Value {
    let answer = overview.get(&format!("/api/v1/events{query}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn kinds(events: &Value) -> Vec<String> {
    let word = |event: &Value| match (&event["kind"], &event["to"]) {
        (Value::String(kind), Value::String(to)) if kind == "pulse" => format!("{kind} {to}"),
        (kind, _) => kind.as_str().unwrap().to_owned(),
    };
    events["events"].as_array().unwrap().iter().map(word).collect()
}

#[test]
fn the_overview_of_a_moment_has_the_pulses_and_the_hints_of_then() {
    let overview = Running::start();
    let noticed = stale_and_back(&overview);
    let now = overview.overview();
    assert_eq!(now["health"], "ok");
    let then = overview.get(&format!("/api/v1/overview?at={noticed}")).body;
    assert_eq!(then["health"], "error");
    assert_eq!(then["hints"][0]["id"], "service-stale");
    let service = component(&then, "app-1", "service").unwrap();
    assert_eq!((&service["pulse"], &service["version"]), (&json!("stale"), &json!("2026.2.1")));
    assert_eq!(component(&now, "app-1", "service").unwrap()["version"], "2027.1");
}

#[test]
fn a_component_whose_records_were_deleted_is_unknown_before_on_the_page_and_in_the_overview() {
    let overview = Running::start();
    let noticed = stale_and_back(&overview);
    let delete = "update recorded_components set complete_since = 9223372036854775807";
    overview.change_database(delete);
    let then = overview.get(&format!("/api/v1/overview?at={noticed}")).body;
    let service = component(&then, "app-1", "service").unwrap();
    assert_eq!((&service["pulse"], &then["hints"]), (&json!("unknown"), &json!([])));
    let page = overview.get(&format!("/?at={noticed}"));
    let html = page.body.as_str().unwrap();
    assert!(html.contains("data-pulse=\"unknown\""), "{html}");
    assert!(!html.contains("The service of app-1 does not respond"), "{html}");
}

#[test]
fn a_client_that_has_the_overview_of_a_moment_does_not_get_it_again() {
    let overview = Running::start();
    let noticed = stale_and_back(&overview);
    let path = format!("/api/v1/overview?at={noticed}");
    let first = overview.get(&path);
    let etag = first.header("etag").to_owned();
    assert!(etag.starts_with('"'), "a strong tag: {etag}");
    overview.beat(&heartbeat("app-2", "service", 1));
    let again = overview.send("GET", &path, &[("if-none-match", &etag)], &[]);
    assert_eq!((again.status, again.header("etag")), (304, etag.as_str()));
    for answer in [&first, &again] {
        assert_eq!(answer.header("cache-control"), "no-cache");
        assert!(answer.header("overview-now") > noticed.as_str(), "the moment of the answer");
    }
    let now = overview.send("GET", "/api/v1/overview", &[("if-none-match", &etag)], &[]);
    assert_eq!(now.status, 200);
}

#[test]
fn the_page_of_a_moment_shows_it_read_only_and_leads_to_the_events_beside_it() {
    let overview = Running::start();
    let noticed = stale_and_back(&overview);
    let page = overview.get(&format!("/?at={noticed}"));
    let html = page.body.as_str().unwrap();
    assert_eq!(page.status, 200);
    assert!(html.contains("The cluster as it was at"));
    assert!(html.contains("The service of app-1 does not respond"));
    for changing in ["Edit settings", "initial-state", "add-server", "removals"] {
        assert!(!html.contains(changing), "{changing}");
    }
    for form in ["configure", "remove=app-1", "accept=9f9f9f9f"] {
        let same = overview.get(&format!("/?at={noticed}&{form}"));
        let html = same.body.as_str().unwrap();
        assert!(
            html.contains("This page is read-only.") && !html.contains("only an admin"),
            "{form}"
        );
    }
    for link in ["earlier", "later", "now"] {
        assert!(html.contains(&format!("id=\"{link}\"")), "{link}");
    }
}

#[test]
fn a_moment_to_come_is_422_one_before_the_record_is_410_and_says_when_that_begins() {
    let overview = Running::start();
    for address in ["/api/v1/overview?at=", "/?at="] {
        let status = |at: &str| overview.get(&format!("{address}{at}")).status;
        assert_eq!(status("2100-01-01T00:00:00Z"), 422);
        assert_eq!(status("yesterday"), 422);
        assert_eq!(status("2020-01-01T00:00:00Z"), 410);
    }
    let gone = overview.get("/api/v1/overview?at=2020-01-01T00:00:00Z").body;
    let begins = gone["begins"].as_str().unwrap();
    assert_eq!(overview.get(&format!("/api/v1/overview?at={begins}")).status, 200);
    assert_eq!(overview.get("/api/v1/events?until=2020-01-01").status, 410);
    assert_eq!(overview.get("/api/v1/availability?from=2020-01-01&until=2020-02-01").status, 410);
}

#[test]
fn events_come_newest_first_and_page_by_page() {
    let overview = Running::start();
    stale_and_back(&overview);
    let all = events(&overview, "?server=APP-1");
    let expected = ["version", "start", "pulse alive", "pulse stale", "pulse late", "first_seen"];
    assert_eq!(kinds(&all), expected);
    let mut page = events(&overview, "?server=app-1&limit=2");
    let mut paged = kinds(&page);
    while let Some(before) = page["next_before"].as_str() {
        page = events(&overview, &format!("?server=app-1&limit=2&before={before}"));
        paged.extend(kinds(&page));
    }
    assert_eq!(paged, expected);
    assert_eq!(kinds(&events(&overview, "?kind=version")), ["version"]);
    assert_eq!(events(&overview, "?kind=settings")["events"][0]["server"], Value::Null);
}

#[test]
fn an_event_tells_how_long_the_former_state_lasted_and_in_a_sentence_what_happened() {
    let overview = Running::start();
    stale_and_back(&overview);
    let all = events(&overview, "?kind=pulse");
    let [alive, stale, late] = all["events"].as_array().unwrap().as_slice() else {
        panic!("{all}")
    };
    assert_eq!((&alive["from"], &alive["why"]), (&json!("stale"), &json!("start")));
    assert!(alive["lasted_s"].is_i64() && alive["blind_s"] == 0);
    assert_eq!((&stale["from"], &stale["why"]), (&json!("late"), &json!("silence")));
    assert_eq!(late["lasted_s"], Value::Null);
    for event in [alive, stale, late] {
        assert!(event["text"].as_str().unwrap().contains(' '), "{event}");
    }
}

#[test]
fn a_silence_that_became_stale_counts_as_down_as_json_and_as_csv() {
    let overview = Running::start();
    stale_and_back(&overview);
    let month = overview.get("/api/v1/availability?by=component").body;
    assert_eq!(month["rows"][0]["percent"], Value::Null, "less than a hundredth was observed");
    let begins = month["complete_since"].as_str().unwrap();
    let report = overview.get(&format!("/api/v1/availability?by=component&from={begins}")).body;
    let row = &report["rows"][0];
    assert_eq!((&row["server"], &row["role"]), (&json!("app-1"), &json!("service")));
    assert!(row["down_s"].as_i64().unwrap() >= 3, "{row}");
    assert!(row["percent"].as_f64().unwrap() < 100.0, "{row}");
    let accept = [("accept", "text/csv")];
    let csv = overview.send("GET", "/api/v1/availability?by=cluster", &accept, &[]);
    let lines: Vec<&str> = csv.body.as_str().unwrap().lines().collect();
    assert_eq!(lines[0], "of,server,role,up_s,down_s,blind_s,unknown_s,percent");
    assert!(lines[1].starts_with("any_service,,,"), "{lines:?}");
    assert!(lines[2].ends_with(','), "there is no web component: {lines:?}");
}

#[test]
fn a_timeout_is_rehearsed_beside_the_one_of_today() {
    let overview = Running::start();
    stale_and_back(&overview);
    let rehearsed = overview.get("/api/v1/rehearsal?stale_timeout_s=3600").body;
    assert_eq!(rehearsed["current"]["servers"], json!([{"server": "app-1", "times": 1}]));
    assert_eq!(rehearsed["proposed"]["times"], 0);
    let wrong = overview.get("/api/v1/rehearsal?stale_timeout_s=1&days=0&web_window_s=x");
    assert_eq!(wrong.status, 422);
    let named: Vec<&str> = wrong.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["field"].as_str().unwrap())
        .collect();
    assert_eq!(named, ["web_window_s", "days", "stale_timeout_s"]);
    let short = overview.get("/api/v1/rehearsal?web_window_s=61");
    assert_eq!(short.status, 422, "shorter silences of web components are not recorded");
}

#[test]
fn every_wrong_parameter_is_named() {
    let overview = Running::start();
    for (path, fields) in [
        (
            "events?from=x&until=x&server=a/b&role=x&kind=x&limit=0&before=x",
            &["from", "until", "server", "role", "kind", "before", "limit"][..],
        ),
        ("availability?from=x&until=x&by=x", &["until", "from", "by"]),
        ("availability?from=2100-01-01", &["from"]),
    ] {
        let answer = overview.get(&format!("/api/v1/{path}"));
        assert_eq!(answer.status, 422, "{path}");
        let errors = answer.body["errors"].as_array().unwrap();
        let named: Vec<&str> =
            errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(named, fields, "{path}");
    }
}

#[test]
fn several_web_servers_tell_the_same_events_with_the_same_ids() {
    let database = Runtime::new().unwrap().block_on(postgres().create_database());
    let servers = [0; 2].map(|_| Running::on(&database, AuthPolicy::open()));
    let [one, other] = &servers;
    stale_and_back(one);
    wait_until("the other web server to know it", DEFAULT_TIMEOUT, || {
        (other.overview()["servers"][0]["components"][0]["version"] == "2027.1").then_some(())
    });
    let of = |overview: &Running| events(overview, "?server=app-1")["events"].clone();
    assert_eq!(of(one), of(other));
    assert_eq!(of(one).as_array().unwrap().len(), 6);
}

#[test]
fn the_history_can_be_filtered_by_a_part_of_the_names_and_suggests_all_names() {
    let overview = Running::start();
    for server in ["db-1", "web-1", "web-10"] {
        overview.beat(&heartbeat(server, "service", 1));
    }
    for (typed, shown) in
        [("WEB", "web-1 web-10"), ("web-1", "web-1"), ("x", ""), ("", "db-1 web-1 web-10")]
    {
        let answer = overview.get(&format!("/history?server={typed}"));
        let html = answer.body.as_str().unwrap();
        let (_, main) = html.split_once("<main").unwrap();
        let (strips, events) = main.split_once("id=\"events\"").unwrap();
        // Each server has one strip and one event.
        for part in [strips, events] {
            let mut named: Vec<_> = part.split("<bdi>").skip(1).map(first_word).collect();
            named.sort_unstable();
            assert_eq!(named.join(" "), shown, "{typed}");
        }
        for name in ["db-1", "web-1", "web-10"] {
            assert!(html.contains(&format!("<option value=\"{name}\">")), "{name} with {typed}");
        }
    }
}

/// The text up to the end of its element.
fn first_word(html: &str) -> &str {
    html.split('<').next().unwrap_or_default()
}

#[test]
fn the_details_of_a_server_get_its_last_day_as_a_strip_and_in_words_above_its_last_events() {
    let overview = Running::start();
    stale_and_back(&overview);
    let answer = overview.get("/history/recent?server=APP-1&lang=de");
    let html = answer.body.as_str().unwrap();
    let parts = [
        "<link rel=\"stylesheet\" href=\"/assets/",
        "<svg class=\"strip service\"",
        "<path class=\"stale\"",
        "<a href=\"/history?server=app-1&amp;lang=de\">24 Stunden: ",
        "1 Unterbrechung, ",
        "<ol class=\"events\">",
    ];
    let places = parts.map(|part| html.find(part).unwrap_or_else(|| panic!("{part}: {html}")));
    assert!(places.is_sorted(), "{places:?}");
    assert_eq!(html.matches("<li>").count(), 3, "one row for each moment");
    let unknown = overview.get("/history/recent?server=nobody");
    assert_eq!((unknown.status, unknown.body.as_str()), (200, Some("<ol class=\"events\"></ol>")));
}
