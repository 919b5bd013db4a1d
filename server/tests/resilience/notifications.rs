//! A real `serve` tells a real receiver: also through kills, outages of the receiver, and with two web servers.

use std::time::Duration;

use serde_json::Value;
use testkit::{Overview, Postgres, ReceivedMessage, Serve, WebhookReceiver, folder, wait_until};

use crate::damage::execute;

/// Half a minute until something is told, a minute until its end is certain, and the time of a slow machine.
const TOLD_WITHIN: Duration = Duration::from_secs(90);
const ENDED_WITHIN: Duration = Duration::from_secs(150);
/// If another message has just gone out.
const AFTER_ANOTHER_MESSAGE: Duration = Duration::from_mins(8);
/// Long before the next try of a message that was tried three times.
const AFTER_A_TEST: Duration = Duration::from_mins(1);

fn environment(channel_file: std::path::PathBuf) -> [(&'static str, String); 1] {
    [("CLUSTER_OVERVIEW_CHANNELS", channel_file.display().to_string())]
}

/// A metric of the channel `ops`. `labels`: the further ones, after a comma.
fn metric(overview: &Overview, name: &str, labels: &str) -> f64 {
    let text = overview.get("/metrics").body;
    let sample = format!("cluster_overview_{name}{{channel=\"ops\"{labels}}} ");
    let value = text.as_str().unwrap().lines().find_map(|line| line.strip_prefix(&sample));
    value.unwrap_or_else(|| panic!("no {sample}: {text}")).parse().unwrap()
}

/// An overview with this receiver and short timers.
fn start(receiver: &WebhookReceiver) -> Overview {
    let folder = folder();
    let environment = environment(receiver.write_channel_file(&folder));
    let overview = Overview::start_in(folder, &environment);
    overview.use_short_timers();
    overview
}

#[test]
fn a_silent_service_is_told_once_and_its_recovery_with_how_long_it_lasted() {
    let receiver = WebhookReceiver::start();
    let overview = start(&receiver);
    overview.send_heartbeat("svc-1", 1);
    let [begun] = &receiver.wait_for(1, TOLD_WITHIN)[..] else { panic!("more than one message") };
    let title = "The service of svc-1 does not respond".to_owned();
    assert_eq!(begun.incidents(), [(title.clone(), "open".to_owned())], "{:#}", begun.body);
    let incident = &begun.body["incidents"][0];
    assert_eq!(
        (&incident["hint"], &incident["severity"]),
        (&"service-stale".into(), &"error".into())
    );
    assert!(incident["lasted_s"].as_i64().unwrap() >= 30, "{incident:#}");
    assert!(!incident["steps"].as_array().unwrap().is_empty(), "{incident:#}");
    assert_eq!(begun.body["more"], 0);
    let mut sequence = 1;
    let messages = wait_until("the recovery", ENDED_WITHIN, || {
        sequence += 1;
        overview.send_heartbeat("svc-1", sequence);
        Some(receiver.received()).filter(|received| received.len() > 1)
    });
    assert_eq!(messages[1].incidents(), [(title, "ended".to_owned())]);
    let ended = &messages[1].body["incidents"][0];
    assert_eq!(ended["id"], incident["id"]);
    assert!(
        ended["lasted_s"].as_i64().unwrap() >= 30 && ended["ended_at"].is_string(),
        "{ended:#}"
    );
    assert_ne!(messages[1].id, begun.id);
}

#[test]
fn a_message_that_kills_interrupt_again_and_again_arrives_with_the_same_id() {
    let receiver = WebhookReceiver::start();
    receiver.answer(WebhookReceiver::SILENT);
    let mut overview = start(&receiver);
    overview.send_heartbeat("svc-1", 1);
    receiver.wait_for(1, TOLD_WITHIN);
    let kills = usize::try_from(super::kills::kills()).unwrap();
    for kill in 1..=kills {
        overview.kill_and_restart();
        receiver.wait_for(1 + kill, TOLD_WITHIN);
    }
    receiver.answer(200);
    overview.kill_and_restart();
    let all = kills + 2;
    let messages = receiver.wait_for(all, TOLD_WITHIN);
    assert!(messages.iter().all(|message| message.id == messages[0].id), "{messages:#?}");
    wait_until("the log to say so", TOLD_WITHIN, || {
        let log = overview.get("/api/v1/channels/ops/deliveries").body;
        let only = &log["deliveries"][0];
        (only["id"] == *messages[0].id && only["outcome"] == "delivered").then_some(())
    });
    overview.kill_and_restart();
    let tested = overview.send("POST", "/api/v1/channels/ops/test", &[], b"");
    assert_eq!(tested.status, 200, "{}", tested.body);
    let messages = receiver.wait_for(all + 1, TOLD_WITHIN);
    assert_eq!(messages[all].body["incidents"][0]["hint"], "test");
    assert_eq!(messages.len(), all + 1, "what was accepted is not sent again");
}

#[test]
fn what_a_receiver_did_not_accept_arrives_late_as_one_message_that_is_true() {
    let receiver = WebhookReceiver::start();
    receiver.answer(503);
    let overview = start(&receiver);
    for server in ["svc-1", "svc-2", "svc-3"] {
        overview.send_heartbeat(server, 1);
    }
    let mut sequence = 1;
    wait_until("three tries", ENDED_WITHIN, || {
        sequence += 1;
        overview.send_heartbeat("svc-2", sequence);
        (receiver.received().len() >= 3).then_some(())
    });
    wait_until("the metrics to say that the channel fails", TOLD_WITHIN, || {
        sequence += 1;
        overview.send_heartbeat("svc-2", sequence);
        (metric(&overview, "channel_failing_seconds", "") > 0.0).then_some(())
    });
    receiver.answer(200);
    let before = receiver.received().len();
    let tested = overview.send("POST", "/api/v1/channels/ops/test", &[], b"");
    assert_eq!(tested.status, 200, "{}", tested.body);
    let messages = receiver.wait_for(before + 2, AFTER_A_TEST);
    assert_eq!(messages[before].body["incidents"][0]["hint"], "test");
    let last = messages.last().unwrap();
    let late = last.body["incidents"].as_array().unwrap();
    assert!(late.iter().all(|incident| incident["late"] == true), "{:#}", last.body);
    let ids: Vec<&Value> = late.iter().map(|incident| &incident["id"]).collect();
    let first: Vec<Value> = messages[0].body["incidents"].as_array().unwrap().clone();
    assert!(first.iter().all(|incident| ids.contains(&&incident["id"])), "{:#}", last.body);
    assert!(messages.iter().take(before).all(|message| message.id == messages[0].id));
    wait_until("the metrics to say that the channel works again", TOLD_WITHIN, || {
        (metric(&overview, "channel_failing_seconds", "") <= 0.0).then_some(())
    });
    let log = overview.get("/api/v1/channels/ops/deliveries").body;
    let log = log["deliveries"].as_array().unwrap();
    for outcome in ["delivered", "merged", "given_up"] {
        let is_it =
            |one: &&Value| one["outcome"] == outcome && one["news"] != serde_json::json!([]);
        let listed = log.iter().filter(is_it).count();
        let counted = metric(&overview, "deliveries_total", &format!(",outcome=\"{outcome}\""));
        assert_eq!(counted.to_string(), listed.to_string(), "{outcome}: {log:#?}");
    }
    assert!(metric(&overview, "deliveries_total", ",outcome=\"delivered\"") >= 1.0);
    let failures = metric(&overview, "delivery_failures_total", "");
    assert_eq!(failures.to_string(), before.to_string());
}

#[test]
fn two_web_servers_tell_once_and_the_other_goes_on_when_the_one_that_tells_is_killed() {
    let receiver = WebhookReceiver::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(testkit::postgres().create_database());
    let folder = folder();
    let environment = environment(receiver.write_channel_file(&folder));
    let start = || Serve::default().database(&database).environment(&environment).start();
    let (mut one, other) = (start(), start());
    one.use_short_timers();
    one.send_heartbeat("svc-1", 1);
    receiver.wait_for(1, TOLD_WITHIN);
    // Whoever is killed before it has written that, tells it again.
    wait_until("the log to say that it was delivered", TOLD_WITHIN, || {
        let log = other.get("/api/v1/channels/ops/deliveries").body;
        (log["deliveries"][0]["outcome"] == "delivered").then_some(())
    });
    one.kill();
    let mut sequence = 1;
    let messages = wait_until("the recovery", ENDED_WITHIN, || {
        sequence += 1;
        other.send_heartbeat("svc-1", sequence);
        Some(receiver.received()).filter(|received| received.len() > 1)
    });
    let states: Vec<Vec<(String, String)>> =
        messages.iter().map(ReceivedMessage::incidents).collect();
    assert_eq!(states[0][0].1, "open");
    assert_eq!(states[1][0].1, "ended");
    assert_eq!(messages.len(), 2, "{messages:#?}");
}

#[test]
fn a_monitor_outside_hears_every_minute_that_the_overview_works_and_at_once_when_it_starts() {
    let monitor = WebhookReceiver::start();
    let address = format!("http://127.0.0.1:{}/ping/secret", monitor.port);
    let environment = [("CLUSTER_OVERVIEW_PING_URL", address)];
    let overview = Overview::start_in(folder(), &environment);
    let asked = wait_until("two requests", ENDED_WITHIN, || {
        Some(monitor.received()).filter(|requests| requests.len() > 1)
    });
    assert!(asked.iter().all(|request| request.line == "POST /ping/secret HTTP/1.1"), "{asked:?}");
    assert!(!overview.log().contains("secret"), "{}", overview.log());
}

/// As if an hour had passed: a restart reads all of this.
const AN_HOUR_LATER: &str = "
    update incidents set began_at = began_at - 3600000, advised_at = advised_at - 3600000,
        turned_at = turned_at - 3600000;
    update channels set created_at = created_at - 3600000,
        last_message_at = last_message_at - 3600000, failing_since = failing_since - 3600000;
    update told set told_at = told_at - 3600000;
    update deliveries set begun_at = begun_at - 3600000, next_try_at = next_try_at - 3600000;
    update last_heartbeats set received_at = received_at - 3600000;";

#[test]
fn a_receiver_that_was_away_for_an_hour_gets_one_late_message_with_all_that_is_true_then() {
    let receiver = WebhookReceiver::start();
    receiver.answer(503);
    let mut overview = start(&receiver);
    overview.send_heartbeat("svc-1", 1);
    receiver.wait_for(1, TOLD_WITHIN);
    wait_until("the failure to be noted", TOLD_WITHIN, || {
        let log = overview.get("/api/v1/channels/ops/deliveries").body;
        (log["deliveries"][0]["tries"] == 1).then_some(())
    });
    overview.kill();
    execute(&overview.database(), AN_HOUR_LATER);
    overview.start_again();
    overview.send_heartbeat("svc-2", 1);
    wait_until("a message about both", TOLD_WITHIN, || {
        let last = receiver.received().pop()?;
        (last.incidents().len() == 2).then_some(())
    });
    receiver.answer(200);
    let before = receiver.received().len();
    let tested = overview.send("POST", "/api/v1/channels/ops/test", &[], b"");
    assert_eq!(tested.status, 200, "{}", tested.body);
    let messages = receiver.wait_for(before + 2, AFTER_A_TEST);
    let incidents = messages[before + 1].body["incidents"].as_array().unwrap();
    let of = |server: &str| {
        let is_it = |incident: &&Value| incident["servers"][0] == server;
        incidents.iter().find(is_it).unwrap_or_else(|| panic!("{server} in {incidents:#?}"))
    };
    let (first, second) = (of("svc-1"), of("svc-2"));
    assert_eq!((&first["state"], &first["late"]), (&"open".into(), &true.into()));
    assert!(first["lasted_s"].as_i64().unwrap() >= 3_600, "{first:#}");
    assert!(second["lasted_s"].as_i64().unwrap() < 600, "{second:#}");
    wait_until("the log to say how it was", TOLD_WITHIN, || {
        let log = overview.get("/api/v1/channels/ops/deliveries").body;
        let outcomes: Vec<&str> = log["deliveries"]
            .as_array()?
            .iter()
            .filter_map(|one| one["outcome"].as_str())
            .collect();
        (outcomes == ["delivered", "delivered", "merged"]).then_some(())
    });
    assert_eq!(receiver.received().len(), before + 2, "one message tells all");
}

#[test]
fn two_web_servers_that_are_blind_tell_so_under_one_id_and_then_for_how_long_they_were() {
    let receiver = WebhookReceiver::start();
    let mut database = Postgres::start();
    let address = format!("postgres://overview@127.0.0.1:{}/postgres", database.port);
    let folder = folder();
    let environment = environment(receiver.write_channel_file(&folder));
    let start = || Serve::default().database(&address).environment(&environment).start();
    let (one, other) = (start(), start());
    one.wait_for_picture(|picture| picture["health"].is_string());
    other.wait_for_picture(|picture| picture["health"].is_string());
    database.stop();
    let blind = receiver.wait_for(2, TOLD_WITHIN);
    assert_eq!(blind[0].id, blind[1].id, "{blind:#?}");
    let title = |message: &ReceivedMessage| message.incidents()[0].clone();
    assert_eq!(title(&blind[0]), title(&blind[1]));
    assert_eq!(title(&blind[0]).1, "open");
    database.start_again(&[]);
    let id = &blind[0].body["incidents"][0]["id"];
    let ended = wait_until("the end of the blindness", AFTER_ANOTHER_MESSAGE, || {
        let so_far = receiver.received();
        let incidents = so_far.iter().filter_map(|message| message.body["incidents"].as_array());
        let is_its_end = |one: &&Value| one["id"] == *id && one["state"] == "ended";
        incidents.flatten().find(is_its_end).cloned()
    });
    let unobserved = ended["blind_s"].as_i64().unwrap();
    assert!(unobserved >= 60 && unobserved == ended["lasted_s"], "{ended:#}");
}
