//! Is the connection to a service's messenger detected as lost, reported, and restored?

use std::time::Duration;

use serde_json::json;
use testkit::{DEFAULT_TIMEOUT, postgres};

use crate::cluster::{Cluster, find_service};

const PORT: u16 = 33_237;
/// A peer that disappears without closing its connection must be detected within this time.
const LOSS_DETECTION_LIMIT: Duration = Duration::from_secs(15);
const CONNECTED: (&str, Option<&str>) = ("connected", None);

/// An overview on `web-1` at 10.9.0.1, and a host for a service at 10.9.0.2.
fn one_overview_and_one_service() -> Cluster {
    Cluster::new(&[("web-1", "10.9.0.1"), ("db-1", "10.9.0.2")], None)
}

#[test]
fn a_port_that_a_firewall_closes_is_reported_with_its_reason_and_reconnected_once_it_is_open() {
    let cluster = one_overview_and_one_service();
    let _serve = cluster.start_serve("web-1");
    let _agent = cluster.start_agent("db-1", "db-1", "10.9.0.1", PORT);
    cluster.wait_for_messenger("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
    for (verdict, reason) in [("drop", "timed_out"), ("reject with tcp reset", "refused")] {
        cluster.network.set_firewall("db-1", &format!("tcp dport {PORT} {verdict}"));
        let unreachable = ("unreachable", Some(reason));
        let (messenger, service) = cluster.wait_for_messenger(
            "web-1",
            "db-1",
            LOSS_DETECTION_LIMIT + DEFAULT_TIMEOUT,
            unreachable,
        );
        assert_eq!((&messenger["port"], &messenger["seen_by"]), (&json!(PORT), &json!("web-1")));
        assert_eq!(service["pulse"], "alive", "heartbeats do not need the messenger: {service:#}");
        assert_eq!(
            service["health"], "ok",
            "the messenger does not affect the health: {service:#}"
        );
        cluster.network.set_firewall("db-1", "");
        cluster.wait_for_messenger(
            "web-1",
            "db-1",
            LOSS_DETECTION_LIMIT + DEFAULT_TIMEOUT,
            CONNECTED,
        );
    }
}

#[test]
fn a_host_that_loses_its_network_is_disconnected_within_fifteen_seconds_but_not_stale() {
    let cluster = one_overview_and_one_service();
    let _serve = cluster.start_serve("web-1");
    let _agent = cluster.start_agent("db-1", "db-1", "10.9.0.1", PORT);
    cluster.wait_for_messenger("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
    cluster.network.disconnect("db-1");
    let lost = |picture: &serde_json::Value| {
        find_service(picture, "db-1")["messenger"]["state"] != json!("connected")
    };
    let picture = cluster.wait_for_picture("web-1", LOSS_DETECTION_LIMIT, lost);
    assert_eq!(
        find_service(&picture, "db-1")["pulse"],
        "alive",
        "its heartbeat is not late yet: {picture:#}"
    );
    cluster.network.connect("db-1");
    cluster.wait_for_messenger("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
}

#[test]
fn a_service_whose_address_changes_reports_the_new_one_and_is_connected_there() {
    let cluster = one_overview_and_one_service();
    let _serve = cluster.start_serve("web-1");
    let _agent = cluster.start_agent("db-1", "db-1", "10.9.0.1", PORT);
    cluster.wait_for_messenger("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
    // In this order: an address that was added to another is deleted with it.
    cluster.network.run_script("ip -n db-1 addr del 10.9.0.2/24 dev eth0");
    cluster.network.run_script("ip -n db-1 addr add 10.9.0.77/24 dev eth0");
    // An agent checks its address every 5 s, so it does not wait for its next heartbeat. The former connection can be
    // detected as lost only after 12 s of silence.
    cluster.wait_for_picture("web-1", DEFAULT_TIMEOUT * 2, |picture| {
        let found = find_service(picture, "db-1");
        found["ip"] == "10.9.0.77" && found["messenger"]["state"] == "connected"
    });
}

#[test]
fn an_overview_that_starts_again_dials_all_services_itself() {
    let cluster = one_overview_and_one_service();
    let mut serve = cluster.start_serve("web-1");
    let mut agent = cluster.start_agent("db-1", "db-1", "10.9.0.1", PORT);
    cluster.wait_for_messenger("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
    serve.kill();
    agent.kill();
    serve = cluster.start_serve("web-1");
    let refused = ("unreachable", Some("refused"));
    cluster.wait_for_messenger("web-1", "db-1", DEFAULT_TIMEOUT, refused);
    serve.kill();
    agent = cluster.start_agent("db-1", "db-1", "10.9.0.1", PORT);
    serve = cluster.start_serve("web-1");
    cluster.wait_for_messenger("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
    serve.kill();
    agent.kill();
}

#[test]
fn every_page_names_the_web_server_that_cannot_reach_a_service() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(postgres().create_database());
    let hosts = [("web-1", "10.9.0.1"), ("web-2", "10.9.0.2"), ("db-1", "10.9.0.3")];
    let cluster = Cluster::new(&hosts, Some(database));
    let _first = cluster.start_serve("web-1");
    let mut second = cluster.start_serve("web-2");
    let _agent = cluster.start_agent("db-1", "db-1", "10.9.0.1", PORT);
    cluster.wait_for_messenger("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
    let closed = "ip saddr 10.9.0.2 tcp dport 33237 reject with tcp reset";
    cluster.network.set_firewall("db-1", closed);
    let refused = ("unreachable", Some("refused"));
    let reports = ["web-1", "web-2"].map(|host| {
        let picture =
            cluster.wait_for_picture(host, LOSS_DETECTION_LIMIT + DEFAULT_TIMEOUT, |picture| {
                let messenger = &find_service(picture, "db-1")["messenger"];
                (messenger["state"].as_str(), messenger["reason"].as_str())
                    == (Some(refused.0), refused.1)
            });
        let hint =
            picture["hints"].as_array().unwrap().iter().find(|hint| hint["server"] == "db-1");
        let evidence = hint.unwrap()["evidence"].as_str().unwrap().to_owned();
        (find_service(&picture, "db-1")["messenger"].clone(), evidence)
    });
    assert_eq!(reports[0], reports[1], "all pages show the same");
    assert_eq!(reports[0].0["seen_by"], "web-2");
    assert!(reports[0].1.contains("web-2"), "{}", reports[0].1);
    // The report of a stopped web server no longer counts.
    second.terminate();
    cluster.wait_for_messenger("web-1", "db-1", DEFAULT_TIMEOUT, CONNECTED);
}

#[test]
fn web_servers_dial_each_others_services_and_detect_one_that_is_killed_at_once() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(postgres().create_database());
    let hosts = [("web-1", "10.9.0.1"), ("web-2", "10.9.0.2")];
    let cluster = Cluster::new(&hosts, Some(database));
    let _first = cluster.start_serve_reporting("web-1", "web,service");
    let mut second = cluster.start_serve_reporting("web-2", "web,service");
    for (service, seen_by) in [("web-1", "web-2"), ("web-2", "web-1")] {
        let (messenger, _) =
            cluster.wait_for_messenger("web-1", service, DEFAULT_TIMEOUT, CONNECTED);
        assert_eq!(messenger["seen_by"], seen_by, "no web server dials itself");
        assert_eq!(messenger["port"], 33_237);
    }
    second.kill();
    let limit = Duration::from_secs(2);
    let picture = cluster.wait_for_picture("web-1", limit, |picture| {
        find_service(picture, "web-2")["messenger"]["state"] != "connected"
    });
    assert_eq!(find_service(&picture, "web-2")["pulse"], "alive", "it is not stale for that");
}
