//! An overview that agents know by a name, and what becomes of them when that cannot be looked up.

use std::time::Duration;

use testkit::DEFAULT_TIMEOUT;

use crate::cluster::{Cluster, service};

const PORT: u16 = 33_237;
/// Within so much an agent has sent two more heartbeats, or tried again.
const TWO_INTERVALS: Duration = Duration::from_secs(90);

#[test]
fn an_agent_reports_its_real_address_and_needs_no_look_up_once_it_has_reached_the_overview() {
    let cluster = Cluster::of(&[("web-1", "10.9.0.1"), ("db-1", "10.9.0.2")], None);
    let _serve = cluster.serve("web-1");
    cluster.name("");
    let mut agent = cluster.agent("db-1", "db-1", "overview.test", PORT);
    agent.wait_for_line("that the name is unknown", DEFAULT_TIMEOUT, |line| {
        line.contains("cannot reach").then_some(())
    });
    cluster.name("10.9.0.1 overview.test\n");
    let picture = cluster.wait_for_picture("web-1", TWO_INTERVALS, |picture| {
        service(picture, "db-1")["pulse"] == "alive"
    });
    assert_eq!(service(&picture, "db-1")["ip"], "10.9.0.2", "{picture:#}");
    cluster.name("");
    let mut last = service(&picture, "db-1")["last_heartbeat"].clone();
    for _ in 0..2 {
        let picture = cluster.wait_for_picture("web-1", TWO_INTERVALS, |picture| {
            service(picture, "db-1")["last_heartbeat"] != last
        });
        last = service(&picture, "db-1")["last_heartbeat"].clone();
        assert_eq!(service(&picture, "db-1")["ip"], "10.9.0.2", "{picture:#}");
    }
}
