//! `kill -9` at any moment, under load: whatever was acknowledged is there, whoever lives is not
//! called dead, whoever is dead is not called alive.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::Connection as _;

use crate::process::{Overview, agent, beat};

/// Servers under load, each beating as fast as it is answered.
const LIVING: usize = 8;
/// As [`Overview::hurry`] sets it.
const STALE_TIMEOUT: Duration = Duration::from_secs(3);

/// How often to kill: 10 times, or as often as `CLUSTER_OVERVIEW_KILLS` says.
fn kills() -> u32 {
    std::env::var("CLUSTER_OVERVIEW_KILLS").map_or(10, |kills| kills.parse().unwrap())
}

/// The last heartbeat of each server that was answered: when the overview says it came.
type Acknowledged = Arc<Mutex<BTreeMap<String, String>>>;

/// A server that beats without pause, whatever becomes of the overview.
fn live(url: String, server: String, until: Arc<AtomicBool>, acknowledged: Acknowledged) {
    let agent = agent();
    let mut sequence = 0;
    while !until.load(Ordering::Relaxed) {
        sequence += 1;
        match beat(&agent, &url, &server, sequence) {
            Some((200, Some(at))) => drop(acknowledged.lock().unwrap().insert(server.clone(), at)),
            // Nobody is there; a real agent waits longer.
            _ => thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Everybody's last acknowledged heartbeat is in the picture, and nobody's pulse is wrong.
fn check(overview: &Overview, acknowledged: &Acknowledged, dead_since: Instant) {
    // What was acknowledged before this look must be in what is seen by it.
    let acknowledged = acknowledged.lock().unwrap().clone();
    let picture = overview.picture();
    let found: BTreeMap<&str, &Value> = picture["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|server| (server["name"].as_str().unwrap(), &server["components"][0]))
        .collect();
    for (server, at) in &acknowledged {
        let shown = found.get(server.as_str());
        let shown = shown.unwrap_or_else(|| panic!("{server} was acknowledged and is not there"));
        let last = shown["last_heartbeat"].as_str().unwrap();
        assert!(last >= at.as_str(), "{server}: acknowledged at {at}, the picture says {last}");
        if server.starts_with("living") {
            assert_eq!(shown["pulse"], "alive", "{server} beats on: {shown:#}");
        }
    }
    if let Some(dead) = found.get("dead") {
        // Spells lengthen its time: it is dead for certain after twice its timeout.
        if dead_since.elapsed() > 2 * STALE_TIMEOUT {
            assert_eq!(dead["pulse"], "stale", "it fell silent long ago: {dead:#}");
        }
    }
}

#[test]
fn no_acknowledged_heartbeat_is_lost_and_no_verdict_wrong_however_often_the_overview_is_killed() {
    let mut overview = Overview::start();
    overview.hurry();
    let url = overview.url("/api/v1/heartbeats");
    let acknowledged = Acknowledged::default();
    let until = Arc::new(AtomicBool::new(false));
    let (_, at) = overview.beat("dead", 1);
    let dead_since = Instant::now();
    acknowledged.lock().unwrap().insert("dead".to_owned(), at.unwrap());
    let living: Vec<_> = (0..LIVING)
        .map(|number| {
            let (url, until) = (url.clone(), Arc::clone(&until));
            let acknowledged = Arc::clone(&acknowledged);
            thread::spawn(move || live(url, format!("living-{number}"), until, acknowledged))
        })
        .collect();
    // Said, not asserted: a busy machine delays a new process for longer than all that it has to do.
    // `cargo xtask bench` measures it on one that is not.
    let mut until_ready = Vec::new();
    for _ in 0..kills() {
        let mut random = [0; 2];
        getrandom::fill(&mut random).unwrap();
        thread::sleep(Duration::from_millis(20 + u64::from(u16::from_le_bytes(random) % 480)));
        until_ready.push(overview.kill());
        check(&overview, &acknowledged, dead_since);
    }
    while dead_since.elapsed() < 2 * STALE_TIMEOUT + Duration::from_secs(1) {
        thread::sleep(Duration::from_millis(100));
    }
    check(&overview, &acknowledged, dead_since);
    until.store(true, Ordering::Relaxed);
    for thread in living {
        thread.join().unwrap();
    }
    overview.serve.kill().unwrap();
    overview.serve.wait().unwrap();
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
