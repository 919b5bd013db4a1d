//! A standby takes over while connections to the former primary stay open.

use std::time::{Duration, Instant};

use testkit::{Balancer, DEFAULT_TIMEOUT, Overview, Postgres, wait_until_ok};

/// How soon after the switch writes are accepted again.
const RECOVERED_WITHIN: Duration = Duration::from_secs(10);

/// How many connections wait at a server: those that listen, of which the last statement is `LISTEN` or the check that they send
/// when there is no news; and the one of the web server that leads, which sends the same check.
const WAITING: &str = "select count(*) from pg_stat_activity \
     where application_name = 'cluster-overview' \
     and (query ilike 'listen %' or query like 'select pg_is_in_recovery()%')";

#[test]
fn old_connections_to_a_demoted_server_are_left_for_the_one_that_takes_writes() {
    let demoted = Postgres::start();
    let promoted = demoted.start_standby();
    let network = Balancer::start(vec![demoted.port]);
    let address = format!("postgres://overview@127.0.0.1:{}/postgres", network.port);
    let servers = [Overview::start_on(&address), Overview::start_on(&address)];
    assert_eq!(servers[0].send_heartbeat("living", 1).0, 200);
    servers[1].wait_for_picture(|picture| picture["counts"]["servers"] == 1);
    promoted.promote(&demoted);
    network.set_targets(vec![promoted.port]);
    let since = Instant::now();
    for (server, sequence) in servers.iter().zip(2..) {
        wait_until_ok("heartbeats to be accepted", RECOVERED_WITHIN, || {
            match server.send_heartbeat("living", sequence).0 {
                200 => Ok(()),
                status => Err(status),
            }
        });
    }
    assert!(since.elapsed() < RECOVERED_WITHIN, "it took {:?}", since.elapsed());
    // Both web servers show a heartbeat of either, each listens on a connection to the new primary, and one of them leads.
    assert_eq!(servers[0].send_heartbeat("another", 1).0, 200);
    for server in &servers {
        server.wait_for_picture(|picture| picture["counts"]["servers"] == 2);
    }
    wait_until_ok(
        "both to listen, and one to lead, at the promoted server",
        DEFAULT_TIMEOUT,
        || match (promoted.query(WAITING).as_str(), demoted.query(WAITING).as_str()) {
            ("3", "0") => Ok(()),
            (new, old) => Err(format!("{new} at the promoted server, {old} at the demoted one")),
        },
    );
    let left = "select count(*) from pg_stat_activity where application_name = 'cluster-overview'";
    wait_until_ok("connections to the demoted server to be closed", DEFAULT_TIMEOUT, || {
        let left = demoted.query(left);
        if left == "0" { Ok(()) } else { Err(left) }
    });
}
