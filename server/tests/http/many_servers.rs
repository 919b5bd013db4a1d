//! The limit of servers, and how an admin removes those that are gone.

use std::time::Duration;

use serde_json::{Value, json};

use testkit::{DEFAULT_TIMEOUT, wait_until};

use crate::harness::{Running, TOKEN, heartbeat, with_field};

fn names(answer: &Value) -> Vec<&str> {
    answer.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

fn shown(overview: &Running) -> Vec<String> {
    let overview = overview.overview();
    let servers = overview["servers"].as_array().unwrap();
    servers.iter().map(|server| server["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_new_server_over_the_limit_is_rejected_with_the_reason_and_the_others_go_on() {
    let overview = Running::with_room_for(2);
    for server in ["app-1", "app-2"] {
        assert_eq!(overview.beat(&heartbeat(server, "service", 1)).status, 200);
    }
    let refused = overview.beat(&heartbeat("app-3", "service", 1));
    assert_eq!(refused.status, 507);
    let detail = refused.body["detail"].as_str().unwrap();
    for words in ["app-3", "the limit is 2", "--max-servers"] {
        assert!(detail.contains(words), "{words} in {detail}");
    }
    assert_eq!(overview.beat(&heartbeat("app-1", "web", 1)).status, 200, "no new name");
    assert_eq!(overview.beat(&heartbeat("app-2", "service", 2)).body["applied"], true);
    assert_eq!(shown(&overview), ["app-1", "app-2"]);
    let bearer = format!("Bearer {TOKEN}");
    let enrol = |server: &str| {
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = json!({"server": server}).to_string();
        overview.send("POST", "/api/v1/enrolments", &headers, body.as_bytes()).status
    };
    assert_eq!(["app-3", "app-1"].map(enrol), [507, 201]);
    let metrics = overview.get("/metrics").body;
    let line = "cluster_overview_heartbeat_refusals_total{reason=\"full\"} 1";
    assert!(metrics.as_str().unwrap().contains(line), "{metrics}");
}

#[test]
fn an_overview_that_is_nearly_full_says_so_to_programs_and_on_its_page() {
    let overview = Running::with_room_for(10);
    let servers: Vec<String> = (1..=10).map(|number| format!("app-{number}")).collect();
    for server in &servers[..8] {
        overview.beat(&heartbeat(server, "service", 1));
    }
    let picture = || overview.overview();
    assert_eq!((&picture()["health"], &picture()["hints"]), (&json!("ok"), &json!([])));
    overview.beat(&heartbeat(&servers[8], "service", 1));
    let (health, hint) = (picture()["health"].clone(), picture()["hints"][0].clone());
    assert_eq!((health, &hint["id"]), (json!("warning"), &json!("servers-full")));
    assert_eq!(hint["title"], "9 of at most 10 server names are in use");
    let page = overview.get("/").body.to_string();
    for words in ["The cluster needs attention", "9 of at most 10 server names are in use"] {
        assert!(page.contains(words), "{words} in {page}");
    }
    overview.beat(&heartbeat(&servers[9], "service", 1));
    let full = picture()["hints"][0]["evidence"].as_str().unwrap().to_owned();
    assert!(full.starts_with("This web server rejects"), "{full}");
    let removed = overview.send("DELETE", "/api/v1/servers/app-10?force=true", &[], &[]);
    assert_eq!(removed.status, 204);
    let removed = overview.send("DELETE", "/api/v1/servers/app-9?force=true", &[], &[]);
    assert_eq!(removed.status, 204);
    assert_eq!(picture()["hints"], json!([]), "there is room again");
}

#[test]
fn of_an_array_the_servers_over_the_limit_are_listed_and_the_others_stored() {
    let overview = Running::with_room_for(2);
    let beats: Vec<Value> = ["app-1", "app-2", "app-3", "app-1", "app-4", "app-3"]
        .into_iter()
        .zip(1..)
        .map(|(server, sequence)| heartbeat(server, "service", sequence))
        .collect();
    let taken = overview.beat(&json!(beats));
    assert_eq!(taken.status, 200);
    assert_eq!(taken.body["applied"], 3);
    assert_eq!(names(&taken.body["over_limit"]), ["app-3", "app-4"]);
    assert_eq!(shown(&overview), ["app-1", "app-2"]);
    let beyond = overview.beat(&json!([heartbeat("app-5", "service", 1)]));
    assert_eq!((beyond.status, &beyond.body["applied"]), (200, &json!(0)));
    assert_eq!(names(&beyond.body["over_limit"]), ["app-5"]);
    let within = overview.beat(&json!([heartbeat("app-2", "web", 1)]));
    assert!(within.body.get("over_limit").is_none(), "{}", within.body);
}

#[test]
fn a_removed_server_makes_room_for_another() {
    let overview = Running::with_room_for(1);
    overview.beat(&heartbeat("app-1", "service", 1));
    assert_eq!(overview.beat(&heartbeat("app-2", "service", 1)).status, 507);
    let removed = overview.send("DELETE", "/api/v1/servers/app-1?force=true", &[], &[]);
    assert_eq!(removed.status, 204);
    assert_eq!(overview.beat(&heartbeat("app-2", "service", 1)).status, 200);
    assert_eq!(
        overview.beat(&heartbeat("app-1", "service", 2)).status,
        507,
        "a tombstone has none"
    );
}

/// An overview with ten stopped pods and two live servers.
fn scaled_down() -> Running {
    let overview = Running::start();
    overview.use_short_timers();
    for number in 0..10 {
        let beat = heartbeat(&format!("proget-{number}"), "service", 1);
        overview.beat(&with_field(beat, "leaving", json!(true)));
    }
    let gone = heartbeat("old-1", "web", 1);
    overview.beat(&with_field(gone, "leaving", json!(true)));
    overview.beat(&heartbeat("app-1", "web", 1));
    overview.beat(&heartbeat("app-2", "web", 1));
    overview
}

#[test]
fn an_admin_removes_all_servers_that_are_gone_at_once_and_no_live_one() {
    let overview = scaled_down();
    let all = json!({"name": "*"});
    let would = overview.json("POST", "/api/v1/removals?dry_run=true", &all);
    assert_eq!(would.status, 200, "{}", would.body);
    assert_eq!(would.body["removed"].as_array().unwrap().len(), 11);
    assert_eq!(shown(&overview).len(), 13, "only listed");
    let pods = overview.json("POST", "/api/v1/removals", &json!({"name": "PROGET-*"}));
    assert_eq!(pods.status, 200);
    assert_eq!(names(&pods.body["removed"])[..2], ["proget-0", "proget-1"]);
    assert_eq!(shown(&overview), ["app-1", "app-2", "old-1"]);
    let rest = overview.json("POST", "/api/v1/removals", &all);
    assert_eq!(names(&rest.body["removed"]), ["old-1"]);
    assert_eq!(shown(&overview), ["app-1", "app-2"], "nothing live is removed");
    let none = overview.json("POST", "/api/v1/removals", &all);
    assert_eq!(none.body["removed"], json!([]));
    let entries = overview.get("/api/v1/audit").body;
    let targets: Vec<&str> = entries["entries"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["action"] == "remove")
        .map(|entry| entry["target"].as_str().unwrap())
        .collect();
    assert_eq!(targets.len(), 2, "one entry a removal: {targets:?}");
    assert_eq!(targets[0], "old-1");
    assert!(targets[1].starts_with("10 servers: proget-0, proget-1"), "{targets:?}");
}

#[test]
fn only_servers_that_have_been_gone_long_enough_are_removed() {
    let overview = scaled_down();
    let long = overview.json("POST", "/api/v1/removals", &json!({"stale_for_s": 3600}));
    assert_eq!(long.body["removed"], json!([]));
    std::thread::sleep(Duration::from_millis(1_100));
    let lately = json!({"stale_for_s": 1, "name": "proget-*"});
    let removed = overview.json("POST", "/api/v1/removals", &lately);
    assert_eq!(removed.body["removed"].as_array().unwrap().len(), 10);
    assert_eq!(shown(&overview), ["app-1", "app-2", "old-1"]);
}

#[test]
fn a_bulk_removal_with_missing_or_invalid_fields_is_rejected_with_each_field() {
    let overview = scaled_down();
    for (body, field) in [
        (json!({}), "stale_for_s"),
        (json!({"stale_for_s": null, "name": null}), "stale_for_s"),
        (json!({"stale_for_s": -1}), "stale_for_s"),
        (json!({"stale_for_s": "1d"}), "stale_for_s"),
        (json!({"stale_for_s": 1e12}), "stale_for_s"),
        (json!({"name": ""}), "name"),
        (json!({"name": 7}), "name"),
        (json!({"name": "x".repeat(254)}), "name"),
        (json!({"name": "a\nb", "stale_for_s": 5}), "name"),
    ] {
        let refused = overview.json("POST", "/api/v1/removals", &body);
        assert_eq!(refused.status, 422, "{body}");
        assert_eq!(refused.body["errors"][0]["field"], field, "{body}");
    }
    assert_eq!(shown(&overview).len(), 13);
}

#[test]
fn more_servers_than_one_transaction_removes_are_removed_together() {
    let overview = Running::start();
    for first in [0, 700] {
        let beats: Vec<Value> = (first..first + 700)
            .map(|number| {
                with_field(
                    heartbeat(&format!("pod-{number}"), "service", 1),
                    "leaving",
                    json!(true),
                )
            })
            .collect();
        assert_eq!(overview.beat(&json!(beats)).status, 200);
    }
    let removed = overview.json("POST", "/api/v1/removals", &json!({"name": "pod-*"}));
    assert_eq!(removed.body["removed"].as_array().unwrap().len(), 1_400);
    assert!(shown(&overview).is_empty());
    let names: Vec<String> =
        (0..130).map(|number| format!("{number:03}{}", "x".repeat(250))).collect();
    let beats =
        names.iter().map(|name| with_field(heartbeat(name, "service", 1), "leaving", json!(true)));
    assert_eq!(overview.beat(&json!(beats.collect::<Vec<_>>())).status, 200);
    overview.json("POST", "/api/v1/removals", &json!({"name": "*x"}));
    let audit = overview.get("/api/v1/audit?action=remove").body;
    let written: Vec<&str> = audit["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["target"].as_str().unwrap())
        .collect();
    assert_eq!(written.len(), 5, "one for each transaction");
    for name in &names {
        assert!(written[..2].iter().any(|target| target.contains(name)), "{name} is not named");
    }
}

#[test]
fn rejected_heartbeats_are_sent_to_a_reader_once_and_not_with_every_update() {
    let overview = Running::start();
    for server in ["app-1", "app-2"] {
        overview.beat(&heartbeat(server, "service", 1));
    }
    let ask = |cursor: &str| serde_json::to_value(overview.poll(&[], cursor)).unwrap();
    let cursor = |news: &Value| news["cursor"].as_str().unwrap().to_owned();
    let first = cursor(&ask(""));
    let forged = [("authorization", "Bearer forged"), ("content-type", "application/json")];
    let body = heartbeat("app-1", "service", 2).to_string();
    let refused = overview.send("POST", "/api/v1/heartbeats", &forged, body.as_bytes());
    assert_eq!(refused.status, 401);
    let update = wait_until("the rejection to be shown", DEFAULT_TIMEOUT, || {
        let update = ask(&first);
        update["change"]["rejected"].is_array().then_some(update)
    });
    assert_eq!(update["change"]["rejected"][0]["server"], "app-1", "{update}");
    overview.beat(&heartbeat("app-2", "service", 2));
    let next = ask(&cursor(&update));
    assert_eq!(next["change"]["heartbeats"][0]["server"], "app-2", "{next}");
    assert!(next["change"]["rejected"].is_null(), "sent before: {next}");
    let elsewhere = ask(&first);
    assert_eq!(elsewhere["change"]["rejected"][0]["server"], "app-1", "a reader that was away");
}
