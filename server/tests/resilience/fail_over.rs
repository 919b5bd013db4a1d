//! A standby takes over while connections to the former primary stay open.

use std::time::{Duration, Instant};

use testkit::{Balancer, Overview, Postgres, SOON, wait_until_ok};

/// How soon after the switch writes are accepted again.
const RECOVERY: Duration = Duration::from_secs(10);

/// How many connections listen at a server: their last statement is `LISTEN`, or the check that they send when
/// there is no news.
const LISTENING: &str = "select count(*) from pg_stat_activity \
     where application_name = 'cluster-overview' \
     and (query ilike 'listen %' or query like 'select pg_is_in_recovery()%')";

#[test]
fn old_connections_to_a_demoted_server_are_left_for_the_one_that_takes_writes() {
    let demoted = Postgres::start();
    let promoted = demoted.standby();
    let network = Balancer::before(vec![demoted.port]);
    let address = format!("postgres://overview@127.0.0.1:{}/postgres", network.port);
    let servers = [Overview::start_on(&address), Overview::start_on(&address)];
    assert_eq!(servers[0].beat("living", 1).0, 200);
    servers[1].picture_when(|picture| picture["counts"]["servers"] == 1);
    promoted.take_over_from(&demoted);
    network.hand_new_ones_to(vec![promoted.port]);
    let since = Instant::now();
    for (server, sequence) in servers.iter().zip(2..) {
        wait_until_ok("heartbeats to be taken", RECOVERY, || {
            match server.beat("living", sequence).0 {
                200 => Ok(()),
                status => Err(status),
            }
        });
    }
    assert!(since.elapsed() < RECOVERY, "it took {:?}", since.elapsed());
    // Both web servers show a heartbeat of either, and each listens on a connection to the new primary.
    assert_eq!(servers[0].beat("another", 1).0, 200);
    for server in &servers {
        server.picture_when(|picture| picture["counts"]["servers"] == 2);
    }
    wait_until_ok("both to listen at the promoted server", SOON, || {
        match (promoted.ask(LISTENING).as_str(), demoted.ask(LISTENING).as_str()) {
            ("2", "0") => Ok(()),
            (new, old) => Err(format!("{new} at the promoted server, {old} at the demoted one")),
        }
    });
    let left = "select count(*) from pg_stat_activity where application_name = 'cluster-overview'";
    wait_until_ok("the demoted server to be left", SOON, || {
        let left = demoted.ask(left);
        if left == "0" { Ok(()) } else { Err(left) }
    });
}
