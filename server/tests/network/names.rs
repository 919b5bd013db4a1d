//! Does an agent keep reporting when the overview's name cannot be resolved?

use std::time::Duration;

use testkit::DEFAULT_TIMEOUT;

use crate::cluster::{Cluster, find_service};

const PORT: u16 = 33_237;
/// An agent sends two more heartbeats, or retries, within this time.
const TWO_INTERVALS: Duration = Duration::from_secs(90);

#[test]
fn an_agent_reports_its_real_address_and_needs_no_name_server_once_it_has_reached_the_overview() {
    let cluster = Cluster::new(&[("web-1", "10.9.0.1"), ("db-1", "10.9.0.2")], None);
    let _serve = cluster.start_serve("web-1");
    cluster.set_hosts_file("");
    let mut agent = cluster.start_agent("db-1", "db-1", "overview.test", PORT);
    agent.wait_for_line("the error about the unknown name", DEFAULT_TIMEOUT, |line| {
        line.contains("cannot reach").then_some(())
    });
    cluster.set_hosts_file("10.9.0.1 overview.test\n");
    let picture = cluster.wait_for_picture("web-1", TWO_INTERVALS, |picture| {
        find_service(picture, "db-1")["pulse"] == "alive"
    });
    assert_eq!(find_service(&picture, "db-1")["ip"], "10.9.0.2", "{picture:#}");
    cluster.set_hosts_file("");
    let mut last = find_service(&picture, "db-1")["last_heartbeat"].clone();
    for _ in 0..2 {
        let picture = cluster.wait_for_picture("web-1", TWO_INTERVALS, |picture| {
            find_service(picture, "db-1")["last_heartbeat"] != last
        });
        last = find_service(&picture, "db-1")["last_heartbeat"].clone();
        assert_eq!(find_service(&picture, "db-1")["ip"], "10.9.0.2", "{picture:#}");
    }
}
