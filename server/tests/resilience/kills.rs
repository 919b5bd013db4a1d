//! `kill -9` at any moment, under load: what was acknowledged is stored, no live server is
//! stale, and no dead one alive.

use std::thread;
use std::time::{Duration, Instant};

use sqlx::Connection as _;
use testkit::{Acknowledged, Overview, Senders, find_lost_heartbeat};

/// Servers under load, each beating as fast as it is answered.
const LIVING: usize = 8;
/// As [`Overview::hurry`] sets it.
const STALE_TIMEOUT: Duration = Duration::from_secs(3);

/// How often to kill: 10 times, or as often as `CLUSTER_OVERVIEW_KILLS` says.
pub(crate) fn kills() -> u32 {
    std::env::var("CLUSTER_OVERVIEW_KILLS").map_or(10, |kills| kills.parse().unwrap())
}

/// Checks that the last acknowledged heartbeat of each server is in the overview, and that no pulse is wrong.
fn check_overview(overview: &Overview, acknowledged: &Acknowledged, dead_since: Instant) {
    // What was acknowledged before this request must be in its response.
    let picture = overview.picture();
    assert_eq!(find_lost_heartbeat(acknowledged, &picture), None);
    for server in picture["servers"].as_array().unwrap() {
        let (name, shown) = (server["name"].as_str().unwrap(), &server["components"][0]);
        if name.starts_with("living") {
            assert_eq!(shown["pulse"], "alive", "{name} sends heartbeats: {shown:#}");
        }
        // Blind periods lengthen the time, so it is stale for certain after twice the timeout.
        if name == "dead" && dead_since.elapsed() > 2 * STALE_TIMEOUT {
            assert_eq!(shown["pulse"], "stale", "its heartbeats stopped long ago: {shown:#}");
        }
    }
}

#[test]
fn no_acknowledged_heartbeat_is_lost_and_no_verdict_wrong_while_the_overview_is_killed_again_and_again()
 {
    let mut overview = Overview::start();
    overview.use_short_timers();
    let url = overview.url("/api/v1/heartbeats");
    let (_, at) = overview.send_heartbeat("dead", 1);
    let dead_since = Instant::now();
    let living = (0..LIVING).map(|number| format!("living-{number}"));
    let senders = Senders::start(&url, living, Duration::ZERO, 1);
    let acknowledged = || {
        let mut acknowledged = senders.acknowledged();
        acknowledged.extend(at.clone().map(|at| ("dead".to_owned(), at)));
        acknowledged
    };
    // Printed, not asserted: on a busy machine the start of a process is delayed at random.
    // `cargo xtask bench` measures it on one that is not.
    let mut until_ready = Vec::new();
    for _ in 0..kills() {
        let mut random = [0; 2];
        getrandom::fill(&mut random).unwrap();
        thread::sleep(Duration::from_millis(20 + u64::from(u16::from_le_bytes(random) % 480)));
        until_ready.push(overview.kill_and_restart());
        check_overview(&overview, &acknowledged(), dead_since);
    }
    let certain = 2 * STALE_TIMEOUT + Duration::from_secs(1);
    thread::sleep(certain.saturating_sub(dead_since.elapsed()));
    check_overview(&overview, &acknowledged(), dead_since);
    drop(senders);
    overview.kill();
    assert_eq!(integrity(&overview.folder.join("overview.db")), "ok");
    until_ready.sort_unstable();
    let (middle, slowest) = (until_ready[until_ready.len() / 2], until_ready.last().unwrap());
    println!("killed {} times; ready again after {middle:?}, {slowest:?} at the latest", kills());
}

fn integrity(database: &std::path::Path) -> String {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query_scalar("pragma integrity_check").fetch_one(&mut connection).await.unwrap()
    })
}
