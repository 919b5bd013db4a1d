//! Are the messengers of hundreds of services connected, and again after all restart at once?

use std::time::Duration;

use serde_json::Value;
use testkit::Process;

use crate::cluster::Cluster;

const SERVICES: u16 = 500;
const FIRST_PORT: u16 = 20_000;
/// Longer than two cores need to start and connect all services.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(90);

fn start_all(cluster: &Cluster) -> Vec<Process> {
    let start = |number: u16| {
        cluster.start_agent("farm", &format!("node-{number}"), "10.9.0.1", FIRST_PORT + number)
    };
    (1..=SERVICES).map(start).collect()
}

fn count_connected(picture: &Value) -> usize {
    let servers = picture["servers"].as_array().unwrap().iter();
    let components = servers.flat_map(|server| server["components"].as_array().unwrap());
    components.filter(|component| component["messenger"]["state"] == "connected").count()
}

#[test]
fn five_hundred_services_that_restart_at_once_are_all_connected_again_and_none_is_stale() {
    let cluster = Cluster::new(&[("web-1", "10.9.0.1"), ("farm", "10.9.0.2")], None);
    let _serve = cluster.start_serve("web-1");
    let mut services = start_all(&cluster);
    let all = |picture: &Value| count_connected(picture) == usize::from(SERVICES);
    cluster.wait_for_picture("web-1", CONNECT_TIMEOUT, all);
    for service in &mut services {
        service.kill();
    }
    cluster.wait_for_picture("web-1", Duration::from_secs(10), |picture| {
        count_connected(picture) == 0
    });
    drop(services);
    let _services = start_all(&cluster);
    let picture = cluster.wait_for_picture("web-1", CONNECT_TIMEOUT, all);
    assert_eq!(picture["counts"]["stale"], 0, "{:#}", picture["counts"]);
}
