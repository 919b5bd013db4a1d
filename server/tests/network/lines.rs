//! The line to one service: what becomes of it, and what is said of that.

use std::time::Duration;

use serde_json::json;
use testkit::{DEFAULT_TIMEOUT, postgres};

use crate::cluster::{Cluster, service};

const PORT: u16 = 33_237;
/// Within so much a peer is missed that is gone without a word.
const MISSED: Duration = Duration::from_secs(15);
const CONNECTED: (&str, Option<&str>) = ("connected", None);

/// An overview on `web-1` at 10.9.0.1, and a host for a service at 10.9.0.2.
fn small() -> Cluster {
    Cluster::of(&[("web-1", "10.9.0.1"), ("db-1", "10.9.0.2")], None)
}

#[test]
fn a_port_that_a_firewall_closes_is_told_by_how_it_does_and_found_open_again() {
    let cluster = small();
    let _serve = cluster.serve("web-1");
    let _agent = cluster.agent("db-1", "db-1", "10.9.0.1", PORT);
    cluster.found("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
    for (verdict, reason) in [("drop", "timed_out"), ("reject with tcp reset", "refused")] {
        cluster.world.firewall("db-1", &format!("tcp dport {PORT} {verdict}"));
        let unreachable = ("unreachable", Some(reason));
        let (messenger, found) =
            cluster.found("web-1", "db-1", MISSED + DEFAULT_TIMEOUT, unreachable);
        assert_eq!((&messenger["port"], &messenger["seen_by"]), (&json!(PORT), &json!("web-1")));
        assert_eq!(found["pulse"], "alive", "heartbeats need no messenger: {found:#}");
        assert_eq!(found["health"], "ok", "no health changes for it: {found:#}");
        cluster.world.firewall("db-1", "");
        cluster.found("web-1", "db-1", MISSED + DEFAULT_TIMEOUT, CONNECTED);
    }
}

#[test]
fn a_host_that_is_gone_without_a_word_is_missed_within_fifteen_seconds_and_not_called_stale() {
    let cluster = small();
    let _serve = cluster.serve("web-1");
    let _agent = cluster.agent("db-1", "db-1", "10.9.0.1", PORT);
    cluster.found("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
    cluster.world.unplug("db-1");
    let lost = |picture: &serde_json::Value| {
        service(picture, "db-1")["messenger"]["state"] != json!("connected")
    };
    let picture = cluster.wait_for_picture("web-1", MISSED, lost);
    assert_eq!(service(&picture, "db-1")["pulse"], "alive", "it is not late yet: {picture:#}");
    cluster.world.plug("db-1");
    cluster.found("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
}

#[test]
fn a_service_that_moves_says_so_and_is_found_where_it_is() {
    let cluster = small();
    let _serve = cluster.serve("web-1");
    let _agent = cluster.agent("db-1", "db-1", "10.9.0.1", PORT);
    cluster.found("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
    // In this order: an address added to another goes with it.
    cluster.world.sh("ip -n db-1 addr del 10.9.0.2/24 dev eth0");
    cluster.world.sh("ip -n db-1 addr add 10.9.0.77/24 dev eth0");
    // An agent looks around every 5 s, so long before its next heartbeat is due. The former connection may be missed
    // only after 12 s of silence.
    cluster.wait_for_picture("web-1", DEFAULT_TIMEOUT * 2, |picture| {
        let found = service(picture, "db-1");
        found["ip"] == "10.9.0.77" && found["messenger"]["state"] == "connected"
    });
}

#[test]
fn an_overview_that_starts_again_looks_for_itself() {
    let cluster = small();
    let mut serve = cluster.serve("web-1");
    let mut agent = cluster.agent("db-1", "db-1", "10.9.0.1", PORT);
    cluster.found("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
    serve.kill();
    agent.kill();
    serve = cluster.serve("web-1");
    let refused = ("unreachable", Some("refused"));
    cluster.found("web-1", "db-1", DEFAULT_TIMEOUT, refused);
    serve.kill();
    agent = cluster.agent("db-1", "db-1", "10.9.0.1", PORT);
    serve = cluster.serve("web-1");
    cluster.found("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
    serve.kill();
    agent.kill();
}

#[test]
fn what_one_web_server_cannot_reach_every_page_says_and_who_it_is() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(postgres().create_database());
    let hosts = [("web-1", "10.9.0.1"), ("web-2", "10.9.0.2"), ("db-1", "10.9.0.3")];
    let cluster = Cluster::of(&hosts, Some(database));
    let _first = cluster.serve("web-1");
    let mut second = cluster.serve("web-2");
    let _agent = cluster.agent("db-1", "db-1", "10.9.0.1", PORT);
    cluster.found("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
    let closed = "ip saddr 10.9.0.2 tcp dport 33237 reject with tcp reset";
    cluster.world.firewall("db-1", closed);
    let refused = ("unreachable", Some("refused"));
    let said = ["web-1", "web-2"].map(|host| {
        let picture = cluster.wait_for_picture(host, MISSED + DEFAULT_TIMEOUT, |picture| {
            let messenger = &service(picture, "db-1")["messenger"];
            (messenger["state"].as_str(), messenger["reason"].as_str())
                == (Some(refused.0), refused.1)
        });
        let hint =
            picture["hints"].as_array().unwrap().iter().find(|hint| hint["server"] == "db-1");
        let evidence = hint.unwrap()["evidence"].as_str().unwrap().to_owned();
        (service(&picture, "db-1")["messenger"].clone(), evidence)
    });
    assert_eq!(said[0], said[1], "all pages say the same");
    assert_eq!(said[0].0["seen_by"], "web-2");
    assert!(said[0].1.contains("web-2"), "{}", said[0].1);
    // What is gone has no word any more, as soon as that is known.
    second.terminate();
    cluster.found("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
}

#[test]
fn web_servers_dial_each_others_own_services_and_miss_one_that_dies_at_once() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(postgres().create_database());
    let hosts = [("web-1", "10.9.0.1"), ("web-2", "10.9.0.2")];
    let cluster = Cluster::of(&hosts, Some(database));
    let _first = cluster.serve_reporting("web-1", "web,service");
    let mut second = cluster.serve_reporting("web-2", "web,service");
    for (service, seen_by) in [("web-1", "web-2"), ("web-2", "web-1")] {
        let (messenger, _) = cluster.found("web-1", service, DEFAULT_TIMEOUT, CONNECTED);
        assert_eq!(messenger["seen_by"], seen_by, "nobody dials itself");
        assert_eq!(messenger["port"], 33_237);
    }
    second.kill();
    let missed = Duration::from_secs(2);
    let refused = cluster.wait_for_picture("web-1", missed, |picture| {
        service(picture, "web-2")["messenger"]["state"] != "connected"
    });
    assert_eq!(service(&refused, "web-2")["pulse"], "alive", "and is not called stale for it");
}
