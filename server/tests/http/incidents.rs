//! Incidents over HTTP: from the first hint of a trouble to its last, and who takes care of it.

use cluster_overview::auth::AuthPolicy;
use serde_json::{Value, json};
use testkit::{DEFAULT_TIMEOUT, postgres, wait_until_ok};
use tokio::runtime::Runtime;

use crate::harness::{Answer, Running, bearer_headers, heartbeat, with_field};

const INCIDENTS: &str = "/api/v1/incidents";

/// The stale timeout of [`Running::use_short_timers`].
const STALE_TIMEOUT_S: i64 = 3;

pub(crate) fn incidents(overview: &Running, query: &str) -> Vec<Value> {
    let answer = overview.get(&format!("{INCIDENTS}{query}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body["incidents"].as_array().unwrap().clone()
}

/// Waits for an incident that is as wanted.
#[track_caller]
pub(crate) fn incident_when(overview: &Running, wanted: impl Fn(&Value) -> bool) -> Value {
    wait_until_ok("the incident as wanted", DEFAULT_TIMEOUT, || {
        let all = incidents(overview, "");
        all.iter().find(|one| wanted(one)).cloned().ok_or_else(|| json!(all))
    })
}

/// An incident of this advice that is open.
#[track_caller]
pub(crate) fn open(overview: &Running, hint: &str) -> Value {
    incident_when(overview, |one| one["hint"] == hint && one["state"] == "open")
}

/// Settings that are an incident at once: the stale timeout is short.
pub(crate) fn be_tight(overview: &Running, tight: bool) {
    let settings = json!({
        "load_balancing": false, "automatic_failover": false, "heartbeat_interval_s": 30,
        "stale_timeout_s": if tight { 60 } else { 300 }, "web_window_s": 86_400
    });
    assert_eq!(overview.json("PUT", "/api/v1/settings", &settings).status, 200);
}

/// Short timers with which services are late for so long that a slow machine sees it.
fn be_late_for_long(overview: &Running) {
    let settings = json!({
        "load_balancing": false, "automatic_failover": false,
        "heartbeat_interval_s": 1, "stale_timeout_s": 8, "web_window_s": 60
    });
    assert_eq!(overview.json("PUT", "/api/v1/settings", &settings).status, 200);
}

pub(crate) fn text<'a>(incident: &'a Value, field: &str) -> &'a str {
    incident[field].as_str().unwrap()
}

fn acknowledgement(incident: &Value) -> String {
    format!("{INCIDENTS}/{}/acknowledgement", text(incident, "id"))
}

/// Why each field of a rejected request does not fit.
fn errors(answer: &Answer) -> Vec<(&str, &str)> {
    let errors = answer.body["errors"].as_array().unwrap();
    errors.iter().map(|error| (text(error, "field"), text(error, "message"))).collect()
}

#[test]
fn a_silence_is_one_incident_from_late_through_stale_to_its_end() {
    let overview = Running::start();
    be_late_for_long(&overview);
    overview.beat(&heartbeat("app-1", "service", 1));
    let late = open(&overview, "service-late");
    assert_eq!((&late["severity"], &late["turns"]), (&json!("warning"), &json!(1)));
    let stale = open(&overview, "service-stale");
    assert_eq!((&stale["id"], &stale["since"]), (&late["id"], &late["since"]));
    assert_eq!((&stale["severity"], &stale["role"]), (&json!("error"), &json!("service")));
    assert_eq!((&stale["server"], &stale["servers"]), (&json!("app-1"), &json!(["app-1"])));
    assert_eq!(stale["title"], "The service of app-1 does not respond");
    assert!(text(&stale, "evidence").contains("stale after 8 s"), "{stale}");
    assert!(!stale["steps"].as_array().unwrap().is_empty());
    let there = format!("{}/#hint-service-stale-app-1_service", overview.url);
    assert_eq!(stale["url"], there, "the page as it is now, at its hint");
    assert_eq!(
        [&stale["ended_at"], &stale["acknowledged"], &stale["replaced_by"]],
        [&json!(null); 3]
    );
    assert_eq!(incidents(&overview, "?open=true").len(), 1);
    assert_eq!(incidents(&overview, "?open=false").len(), 0);

    overview.beat(&heartbeat("app-1", "service", 2));
    let ended = incident_when(&overview, |one| one["state"] == "ended");
    assert_eq!((&ended["id"], &ended["since"]), (&late["id"], &late["since"]));
    assert_eq!((&ended["hint"], &ended["severity"]), (&json!("service-stale"), &json!("error")));
    assert_eq!(ended["title"], stale["title"], "what was advised last");
    assert!(text(&ended, "ended_at") > text(&ended, "since"));
    let lasted = ended["lasted_s"].as_i64().unwrap();
    // It began when the service became late, after two intervals of a second.
    assert!(lasted >= STALE_TIMEOUT_S - 2, "{ended}");
    assert_eq!(ended["blind_s"], 0);
    assert_eq!((incidents(&overview, "?open=true").len(), incidents(&overview, "").len()), (0, 1));
    let one = overview.get(&format!("{INCIDENTS}/{}", text(&ended, "id")));
    assert_eq!((one.status, one.body), (200, ended.clone()));

    let url = text(&ended, "url").strip_prefix(&overview.url).unwrap();
    assert!(url.ends_with("#hint-service-stale-app-1_service"), "{url}");
    let then = overview.get(url.split('#').next().unwrap());
    let then = then.body.as_str().unwrap();
    assert!(then.contains("id=\"hint-service-stale-app-1_service\""), "the page as it was");
}

#[test]
fn of_many_that_fell_silent_together_there_is_one_incident_with_all_their_names() {
    let overview = Running::start();
    be_late_for_long(&overview);
    let servers = ["app-1", "app-2", "app-3"];
    let all_at_once = |sequence| json!(servers.map(|one| heartbeat(one, "service", sequence)));
    assert_eq!(overview.beat(&all_at_once(1)).status, 200);
    incident_when(&overview, |one| one["server"] == "app-2" && one["hint"] == "service-late");
    let all = incident_when(&overview, |one| {
        one["hint"] == "everyone-silent"
            && one["state"] == "open"
            && one["servers"] == json!(servers)
    });
    assert_eq!((&all["server"], &all["role"]), (&json!(null), &json!(null)));
    let one =
        incident_when(&overview, |one| one["server"] == "app-2" && !one["replaced_by"].is_null());
    assert_eq!((&one["replaced_by"], &one["state"]), (&json!("everyone-silent"), &json!("open")));
    assert!(text(&one, "url").ends_with("/#hint-everyone-silent"), "{one}");
    assert_eq!(overview.beat(&all_at_once(2)).status, 200);
    let id = text(&all, "id");
    let ended = incident_when(&overview, |one| one["id"] == id && one["state"] == "ended");
    assert_eq!(ended["servers"], all["servers"]);
}

#[test]
fn a_viewer_acknowledges_an_incident_for_all_until_it_ends() {
    let overview = Running::guarded();
    let (admin, viewer) = (overview.token("admin"), overview.token("viewer"));
    let settings = |stale_timeout_s: u32| {
        let settings = json!({
            "load_balancing": false, "automatic_failover": false, "heartbeat_interval_s": 30,
            "stale_timeout_s": stale_timeout_s, "web_window_s": 86_400
        });
        let headers = [bearer_headers(&admin), vec![("content-type", "application/json")]].concat();
        overview.send("PUT", "/api/v1/settings", &headers, settings.to_string().as_bytes())
    };
    assert_eq!(settings(60).status, 200);
    let list = |state: &str| {
        wait_until_ok("the incident", DEFAULT_TIMEOUT, || {
            let all = overview.send("GET", INCIDENTS, &bearer_headers(&admin), &[]).body;
            let one = all["incidents"][0].clone();
            if one["state"] == state { Ok(one) } else { Err(all) }
        })
    };
    let path = acknowledgement(&list("open"));
    let put = |note: &str| {
        let headers =
            [bearer_headers(&viewer), vec![("content-type", "application/json")]].concat();
        overview.send("PUT", &path, &headers, json!({"note": note}).to_string().as_bytes()).status
    };
    assert_eq!(put("The disk is on its way.\r\nTuesday."), 204);
    let acknowledged = list("open")["acknowledged"].clone();
    assert_eq!(acknowledged["by"], "viewer of a story");
    assert_eq!(acknowledged["note"], "The disk is on its way.\nTuesday.");
    assert!(text(&acknowledged, "at").ends_with('Z'));
    let page = overview.poll(&bearer_headers(&admin), "").change.unwrap();
    assert_eq!(page.incidents[0].acknowledged.as_ref().unwrap().by, "viewer of a story");

    let withdraw = || overview.send("DELETE", &path, &bearer_headers(&viewer), &[]).status;
    assert_eq!((withdraw(), withdraw()), (204, 204), "a second time nothing is left to do");
    assert_eq!(list("open")["acknowledged"], Value::Null);
    assert_eq!(put(""), 204, "a note may be empty");
    assert_eq!(settings(300).status, 200);
    let ended = list("ended");
    assert_eq!(ended["acknowledged"]["note"], "", "it stays known who took care of it");
    assert_eq!((put("late"), withdraw()), (409, 409));

    let about = |entry: &&Value| text(entry, "action").contains("acknowledge");
    let entries = overview.audit(&admin);
    let entries = entries.iter().filter(about).map(|entry| {
        (text(entry, "who"), text(entry, "action"), text(entry, "target"), entry["count"].clone())
    });
    let by = "viewer of a story";
    let expected = [
        (by, "withdraw-acknowledgement", "timers-tight", json!(1)),
        (by, "acknowledge", "timers-tight", json!(2)),
    ];
    assert_eq!(entries.collect::<Vec<_>>(), expected);
}

#[test]
fn a_note_is_text_of_bounded_length_and_an_unknown_incident_has_none() {
    let overview = Running::start();
    be_tight(&overview, true);
    let path = acknowledgement(&open(&overview, "timers-tight"));
    let long = "x".repeat(1_001);
    for (note, why) in [
        (json!(null), "is required"),
        (json!(7), "must be a string"),
        (json!(long), "must have at most 1000 characters"),
        (
            json!("a\u{202e}b"),
            "must not hold control or format characters other than line breaks; it holds U+202E",
        ),
        (
            json!("a\tb"),
            "must not hold control or format characters other than line breaks; it holds U+0009",
        ),
    ] {
        let answer = overview.json("PUT", &path, &json!({"note": note}));
        assert_eq!((answer.status, errors(&answer)), (422, vec![("note", why)]));
    }
    assert_eq!(overview.json("PUT", &path, &json!([])).status, 422);
    for id in ["none", "1-00000000000000ff", "1-00000000000000ff-", "x-00000000000000ff"] {
        let path = format!("{INCIDENTS}/{id}");
        assert_eq!(overview.get(&path).status, 404, "{id}");
        let path = format!("{path}/acknowledgement");
        assert_eq!(overview.json("PUT", &path, &json!({"note": ""})).status, 404, "{id}");
        assert_eq!(overview.send("DELETE", &path, &[], &[]).status, 404, "{id}");
    }
    assert_eq!(open(&overview, "timers-tight")["acknowledged"], Value::Null);
}

#[test]
fn the_latest_come_first_page_by_page_and_parameters_that_are_not_valid_are_named() {
    let overview = Running::start();
    for server in ["app-8", "app-9"] {
        overview.beat(&heartbeat(server, "web", 1));
    }
    for server in ["app-1", "app-2", "app-3"] {
        let other_key = json!("07".repeat(32));
        overview.beat(&with_field(heartbeat(server, "web", 1), "key_check", other_key));
        incident_when(&overview, |one| one["server"] == server);
    }
    let all: Vec<Value> = incidents(&overview, "").iter().map(|one| one["id"].clone()).collect();
    assert!(all.len() >= 3, "{all:?}");
    let (mut found, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = overview.get(&format!("{INCIDENTS}{query}")).body;
        let ids: Vec<Value> =
            page["incidents"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
        assert!(ids.len() <= 2);
        found.extend(ids);
        match page["next_before"].as_str() {
            Some(before) => query = format!("?limit=2&before={before}"),
            None => break,
        }
    }
    assert_eq!(found, all);
    let since: Vec<String> =
        incidents(&overview, "").iter().map(|one| text(one, "since").to_owned()).collect();
    assert!(since.is_sorted_by(|one, other| one >= other), "{since:?}");
    let answer = overview.get(&format!("{INCIDENTS}?open=1&limit=0&before=x"));
    let wrong = [
        ("open", "must be true or false"),
        ("limit", "must be 1 to 1000"),
        ("before", "must be the id of an incident"),
    ];
    assert_eq!((answer.status, errors(&answer)), (422, wrong.to_vec()));
}

#[test]
fn while_the_overview_is_blind_the_open_incidents_are_known_and_nothing_is_written() {
    let overview = Running::start();
    be_tight(&overview, true);
    let known = open(&overview, "timers-tight");
    let locked = overview.lock_database();
    let settings = json!({
        "load_balancing": true, "automatic_failover": false, "heartbeat_interval_s": 30,
        "stale_timeout_s": 300, "web_window_s": 86_400
    });
    assert_eq!(overview.json("PUT", "/api/v1/settings", &settings).status, 503);
    let open = incidents(&overview, "?open=true");
    assert_eq!(open.len(), 2, "{open:?}");
    assert_eq!((&open[0]["hint"], &open[0]["state"]), (&json!("overview-blind"), &json!("open")));
    assert!(!text(&open[0], "evidence").is_empty());
    assert_eq!((&open[1]["id"], &open[1]["title"]), (&known["id"], &known["title"]));
    assert_eq!(open[1]["evidence"], known["evidence"], "as it could last be judged");
    for incident in &open {
        let one = overview.get(&format!("{INCIDENTS}/{}", text(incident, "id")));
        assert_eq!((one.status, &one.body["hint"]), (200, &incident["hint"]));
    }
    let put = overview.json("PUT", &acknowledgement(&known), &json!({"note": ""}));
    assert_eq!(put.status, 503, "{}", put.body);
    drop(locked);
    let after = open_with(&overview, text(&known, "id"));
    assert_eq!((&after["since"], &after["turns"]), (&known["since"], &json!(1)));
    assert_eq!(after["acknowledged"], Value::Null);
}

/// The open incident with this id.
fn open_with(overview: &Running, id: &str) -> Value {
    incident_when(overview, |one| one["id"] == id && one["state"] == "open")
}

#[test]
fn two_web_servers_have_one_incident_and_the_other_goes_on_when_the_leader_is_gone() {
    let database = Runtime::new().unwrap().block_on(postgres().create_database());
    let leader = Running::on(&database, AuthPolicy::open());
    leader.use_short_timers();
    let other = Running::on(&database, AuthPolicy::open());
    other.beat(&heartbeat("app-1", "service", 1));
    let stale = open(&other, "service-stale");
    assert_eq!(incidents(&leader, "").len(), 1);
    let put = other.json("PUT", &acknowledgement(&stale), &json!({"note": "mine"}));
    assert_eq!(put.status, 204);
    assert_eq!(incidents(&leader, "")[0]["acknowledged"]["note"], "mine");

    leader.end();
    other.beat(&heartbeat("app-1", "service", 2));
    let ended = incident_when(&other, |one| one["state"] == "ended");
    assert_eq!((&ended["id"], &ended["turns"]), (&stale["id"], &json!(1)));
    let again = open(&other, "service-stale");
    assert_eq!((&again["id"], &again["turns"]), (&stale["id"], &json!(2)));
    assert_eq!(incidents(&other, "").len(), 1, "one, not two");
}

#[test]
fn behind_a_proxy_the_address_of_an_incident_is_the_one_that_the_browser_uses() {
    let overview = Running::guarded_behind("127.0.0.1");
    let admin = overview.token("admin");
    let settings = json!({
        "load_balancing": false, "automatic_failover": false, "heartbeat_interval_s": 30,
        "stale_timeout_s": 60, "web_window_s": 86_400
    });
    let json = [bearer_headers(&admin), vec![("content-type", "application/json")]].concat();
    let put = overview.send("PUT", "/api/v1/settings", &json, settings.to_string().as_bytes());
    assert_eq!(put.status, 200);
    let proxied = [
        bearer_headers(&admin),
        vec![("x-forwarded-host", "admin.example.com"), ("x-forwarded-proto", "https")],
    ];
    let url = wait_until_ok("the incident", DEFAULT_TIMEOUT, || {
        let all = overview.send("GET", INCIDENTS, &proxied.concat(), &[]).body;
        all["incidents"][0]["url"].as_str().map(str::to_owned).ok_or(all.clone())
    });
    assert_eq!(url, "https://admin.example.com/#hint-timers-tight");
}
