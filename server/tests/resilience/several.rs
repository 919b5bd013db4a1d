//! Three web servers on one PostgreSQL behind a load balancer, one of them killed again and again: what was
//! acknowledged is stored, no reader goes back in time or lags by more than a poll, and no verdict is wrong.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use app::cluster::{Pulse, Snapshot};
use app::packed::unpack;
use app::protocol::OverviewDelta;
use serde_json::json;
use testkit::{Balancer, Fault, Overview, agent, postgres, send, send_heartbeat, wait_until_ok};

/// Servers that each send heartbeats as fast as they are answered.
const LIVING: usize = 6;
/// Pages that poll.
const READERS: usize = 3;
/// How often a page polls, with the shortest timers.
const POLL: Duration = Duration::from_millis(500);
/// As [`Overview::hurry`] sets it.
const STALE_TIMEOUT: Duration = Duration::from_secs(3);

/// How often to kill: 10 times, or as often as `CLUSTER_OVERVIEW_KILLS` says.
fn kills() -> u32 {
    std::env::var("CLUSTER_OVERVIEW_KILLS").map_or(10, |kills| kills.parse().unwrap())
}

/// The last acknowledged sequence of each server.
type Acknowledged = Arc<Mutex<BTreeMap<String, u64>>>;

fn send_heartbeats(
    port: u16,
    server: String,
    until: Arc<AtomicBool>,
    last_acknowledged: Acknowledged,
) {
    let url = format!("http://127.0.0.1:{port}/api/v1/heartbeats");
    let mut sequence = 0;
    while !until.load(Ordering::Relaxed) {
        sequence += 1;
        // A connection of its own, so that each heartbeat goes to another web server.
        if let Some((200, Some(_))) = send_heartbeat(&agent(), &url, &server, sequence) {
            last_acknowledged.lock().unwrap().insert(server.clone(), sequence);
        } else {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A page: its snapshot, and what had been acknowledged at its last two polls.
struct Page {
    url: String,
    snapshot: Snapshot,
    cursor: String,
    polls: u32,
    /// The acknowledged sequences, and when they were read.
    acknowledged: (Instant, BTreeMap<String, u64>),
}

impl Page {
    fn open(port: u16) -> Self {
        let url = format!("http://127.0.0.1:{port}/fn/overview");
        let snapshot = Snapshot::default();
        Self {
            url,
            snapshot,
            cursor: String::new(),
            polls: 0,
            acknowledged: (Instant::now(), BTreeMap::new()),
        }
    }

    /// Polls once. A failed poll is ignored.
    fn poll(&mut self, last_acknowledged: &Acknowledged) {
        let asked_at = Instant::now();
        let acknowledged = last_acknowledged.lock().unwrap().clone();
        let body = json!({"cursor": self.cursor}).to_string();
        let headers = [("content-type", "application/json")];
        let Ok(answer) = send(&agent(), "POST", &self.url, &headers, body.as_bytes()) else {
            return;
        };
        if answer.status != 200 {
            return;
        }
        let news: OverviewDelta = unpack(answer.body.as_str().unwrap()).unwrap();
        let before = self.sequences();
        if let Some(change) = news.change {
            self.snapshot.apply(change);
        }
        self.cursor = news.cursor;
        let now = self.sequences();
        for (server, sequence) in &before {
            let seen = now.get(server).copied().unwrap_or_default();
            assert!(seen >= *sequence, "{server} went from {sequence} back to {seen}");
        }
        // What had been acknowledged one poll ago is visible by now.
        let (since, before) = &self.acknowledged;
        if asked_at - *since >= POLL {
            for (server, sequence) in before {
                let seen = now.get(server).copied().unwrap_or_default();
                let lags = format!("{server}: {sequence} acknowledged a poll ago, {seen} seen");
                assert!(seen >= *sequence, "{lags}");
            }
            self.acknowledged = (asked_at, acknowledged);
        }
        let overview = self.snapshot.overview(news.now);
        for status in overview.components() {
            let server = status.component.server.as_str();
            let is_right = match status.pulse {
                Pulse::Stale => !server.starts_with("living"),
                Pulse::Alive | Pulse::Late | Pulse::Stopped | Pulse::Unknown => true,
            };
            assert!(is_right, "{server} sends heartbeats and is {:?}", status.pulse);
        }
        self.polls += 1;
    }

    fn sequences(&self) -> BTreeMap<String, u64> {
        let sequences = self.snapshot.components.values().map(|component| {
            let sequence = u64::try_from(component.boots.current.sequence).unwrap();
            (component.server.to_string(), sequence)
        });
        sequences.collect()
    }
}

fn read(port: u16, until: &AtomicBool, last_acknowledged: &Acknowledged) -> u32 {
    let mut page = Page::open(port);
    while !until.load(Ordering::Relaxed) {
        page.poll(last_acknowledged);
        thread::sleep(POLL);
    }
    page.polls
}

#[test]
fn no_acknowledged_heartbeat_is_lost_and_no_reader_misled_while_one_of_three_is_killed_again_and_again()
 {
    let database = tokio::runtime::Runtime::new().unwrap().block_on(postgres().create_database());
    let mut servers: Vec<Overview> = (0..3).map(|_| Overview::start_on(&database)).collect();
    servers[0].use_short_timers();
    let balancer = Balancer::start(servers.iter().map(|server| server.port).collect());
    let port = balancer.port;
    let last_acknowledged = Acknowledged::default();
    let until = Arc::new(AtomicBool::new(false));
    servers[0].send_heartbeat("dead", 1);
    let dead_since = Instant::now();
    let living: Vec<JoinHandle<()>> = (0..LIVING)
        .map(|number| {
            let (until, last_acknowledged) = (Arc::clone(&until), Arc::clone(&last_acknowledged));
            thread::spawn(move || {
                send_heartbeats(port, format!("living-{number}"), until, last_acknowledged);
            })
        })
        .collect();
    let readers: Vec<JoinHandle<u32>> = (0..READERS)
        .map(|_| {
            let (until, last_acknowledged) = (Arc::clone(&until), Arc::clone(&last_acknowledged));
            thread::spawn(move || read(port, &until, &last_acknowledged))
        })
        .collect();
    for _ in 0..kills() {
        let mut random = [0; 3];
        getrandom::fill(&mut random).unwrap();
        let [which, low, high] = random;
        thread::sleep(Duration::from_millis(20 + u64::from(u16::from_le_bytes([low, high]) % 980)));
        servers[usize::from(which) % 3].kill_and_restart();
    }
    let certain = 2 * STALE_TIMEOUT + Duration::from_secs(1);
    thread::sleep(certain.saturating_sub(dead_since.elapsed()));
    until.store(true, Ordering::Relaxed);
    for thread in living {
        thread.join().unwrap();
    }
    let polls: Vec<u32> = readers.into_iter().map(|reader| reader.join().unwrap()).collect();
    assert!(polls.iter().all(|polls| *polls > 5), "every reader polled: {polls:?}");
    // Each of the three has everything, and all have the same.
    let last_acknowledged = last_acknowledged.lock().unwrap().clone();
    let read_server = |server: &Overview| {
        let picture = server.wait_for_picture(|picture| picture["counts"]["stale"] == 1);
        assert!(server.is_ready());
        let mut page = Page::open(server.port);
        page.poll(&Acknowledged::default());
        (picture, page.sequences())
    };
    let results: Vec<_> = servers.iter().map(read_server).collect();
    for (_, sequences) in &results {
        for (server, sequence) in &last_acknowledged {
            assert!(sequences.get(server) >= Some(sequence), "{server}: {sequence} is missing");
        }
        assert_eq!(*sequences, results[0].1);
    }
    let blind_periods = |(picture, _): &(serde_json::Value, _)| picture["blind_periods"].clone();
    assert!(
        results.iter().all(|one| blind_periods(one) == blind_periods(&results[0])),
        "the same blind periods"
    );
}

#[test]
fn a_slow_network_makes_no_server_late_and_no_reader_lose_anything() {
    let database = tokio::runtime::Runtime::new().unwrap().block_on(postgres().create_database());
    let servers: Vec<Overview> = (0..2).map(|_| Overview::start_on(&database)).collect();
    let balancer = Balancer::start(servers.iter().map(|server| server.port).collect());
    let last_acknowledged = Acknowledged::default();
    let mut page = Page::open(balancer.port);
    balancer.set_fault(Fault::Delay(Duration::from_millis(50)));
    let url = format!("http://127.0.0.1:{}/api/v1/heartbeats", balancer.port);
    for sequence in 1..20 {
        assert_eq!(send_heartbeat(&agent(), &url, "living-1", sequence).unwrap().0, 200);
        last_acknowledged.lock().unwrap().insert("living-1".to_owned(), sequence);
        page.poll(&last_acknowledged);
    }
    balancer.set_fault(Fault::Drop);
    assert!(send_heartbeat(&agent(), &url, "living-1", 20).is_none(), "nothing comes through");
    balancer.set_fault(Fault::None);
    assert_eq!(send_heartbeat(&agent(), &url, "living-1", 20).unwrap().0, 200);
    wait_until_ok("the last heartbeat to be seen", 2 * POLL, || {
        page.poll(&last_acknowledged);
        let seen = page.sequences()["living-1"];
        if seen == 20 { Ok(()) } else { Err(seen) }
    });
}
