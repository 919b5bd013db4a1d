//! The history of an overview that is killed again and again while processes start: every start is in it once, nothing
//! else is, and each absence of the overview is a blind period.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::{Overview, TOKEN, agent, bearer_headers, heartbeat, send, with_field};

/// Servers whose processes start again as soon as a start is acknowledged.
const SERVERS: [&str; 4] = ["app-1", "app-2", "app-3", "app-4"];
/// After so many kills one is followed by a long absence.
const KILLS_PER_ABSENCE: u32 = 20;
/// Longer than the longest time between two marks, 5 s.
const ABSENCE: Duration = Duration::from_secs(6);

/// How often to kill: 50 times, or as often as `CLUSTER_OVERVIEW_KILLS` says.
fn kills() -> u32 {
    std::env::var("CLUSTER_OVERVIEW_KILLS").map_or(50, |kills| kills.parse().unwrap())
}

/// How many starts of each server were acknowledged.
type Starts = Arc<Mutex<BTreeMap<&'static str, u64>>>;

/// Starts one process after the other. Each sends its first heartbeat until that is acknowledged, as an agent does.
fn start_processes(url: &str, server: &'static str, stop: &AtomicBool, starts: &Starts) {
    let agent = agent();
    let mut headers = bearer_headers(TOKEN);
    headers.push(("content-type", "application/json"));
    for process in 1.. {
        let boot = format!("{process:08x}-3c0a-4d5e-9f7e-3d1b9f0c2a11");
        let first = with_field(heartbeat(server, "service", 1), "boot_id", json!(boot)).to_string();
        let is_acknowledged = || {
            send(&agent, "POST", url, &headers, first.as_bytes())
                .is_ok_and(|answer| answer.status == 200)
        };
        while !is_acknowledged() {
            thread::sleep(Duration::from_millis(5));
        }
        starts.lock().unwrap().insert(server, process);
        if stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// All events, newest first, read in pages.
pub(crate) fn read_events(overview: &Overview) -> Vec<Value> {
    let mut before = String::new();
    let mut events = Vec::new();
    loop {
        let page = overview.get(&format!("/api/v1/events?limit=100{before}"));
        assert_eq!(page.status, 200, "{}", page.body);
        events.extend(page.body["events"].as_array().unwrap().iter().cloned());
        match page.body["next_before"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => return events,
        }
    }
}

fn ids(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["id"].as_str().unwrap()).collect()
}

pub(crate) fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["kind"] == kind).collect()
}

fn moment(event: &Value) -> Timestamp {
    event["at"].as_str().unwrap().parse().unwrap()
}

/// When the time that an event is about began and ended.
pub(crate) fn interval(event: &Value) -> (Timestamp, Timestamp) {
    let from = moment(event);
    (from, from + SignedDuration::from_secs(event["lasted_s"].as_i64().unwrap()))
}

#[test]
fn killed_fifty_times_while_processes_start_the_overview_loses_no_event_and_invents_none() {
    let mut overview = Overview::start();
    // An absence of up to 5 s is no blind period. Within that nothing is stale with these timers.
    overview.configure(1, 10, 60);
    let (stop, starts) = (Arc::new(AtomicBool::new(false)), Starts::default());
    let url = overview.url("/api/v1/heartbeats");
    let senders: Vec<JoinHandle<()>> = SERVERS
        .map(|server| {
            let (url, stop, starts) = (url.clone(), Arc::clone(&stop), Arc::clone(&starts));
            thread::spawn(move || start_processes(&url, server, &stop, &starts))
        })
        .into();
    let mut absences = Vec::new();
    let mut seen: Vec<Value> = Vec::new();
    for kill in 1..=kills() {
        let mut random = [0; 2];
        getrandom::fill(&mut random).unwrap();
        thread::sleep(Duration::from_millis(20 + u64::from(u16::from_le_bytes(random) % 180)));
        let killed_at = Timestamp::now();
        overview.kill();
        let is_long = kill % KILLS_PER_ABSENCE == 1;
        if is_long {
            thread::sleep(ABSENCE);
        }
        let started_at = Timestamp::now();
        overview.start_again();
        absences.push((killed_at, started_at, Timestamp::now(), is_long));
        if is_long {
            seen = read_events(&overview);
        }
    }
    stop.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.join().unwrap();
    }
    let events = read_events(&overview);
    check_starts(&events, &starts.lock().unwrap());
    check_blind_periods(&events, &absences);
    check_order(&events);
    check_ids(&events, &seen);
    overview.kill_and_restart();
    assert_eq!(read_events(&overview), events, "a restart changes nothing");
}

/// The first start of a server is its arrival.
fn check_starts(events: &[Value], acknowledged: &BTreeMap<&str, u64>) {
    for server in SERVERS {
        let of_server: Vec<Value> =
            events.iter().filter(|event| event["server"] == server).cloned().collect();
        let arrivals = of_kind(&of_server, "first_seen").len();
        let starts = of_kind(&of_server, "start");
        let started: u64 = starts.iter().map(|event| event["count"].as_u64().unwrap()).sum();
        assert_eq!((arrivals, started), (1, acknowledged[server] - 1), "{server}: {of_server:#?}");
        for turn in of_kind(&of_server, "pulse") {
            assert!(
                turn["to"] != "stale" && turn["to"] != "stopped",
                "it was never silent: {turn}"
            );
        }
        let others = of_server.iter().filter(|event| {
            !["first_seen", "start", "stability", "pulse"]
                .contains(&event["kind"].as_str().unwrap())
        });
        assert_eq!(others.collect::<Vec<_>>(), Vec::<&Value>::new());
    }
}

/// Each long absence is a blind period, and each blind period is in an absence. `absences`: the kill, the new process and
/// when that was ready, and whether the absence was long.
fn check_blind_periods(events: &[Value], absences: &[(Timestamp, Timestamp, Timestamp, bool)]) {
    let periods: Vec<_> = of_kind(events, "blind").into_iter().map(interval).collect();
    for (killed_at, started_at, _, _) in absences.iter().filter(|absence| absence.3) {
        // Seconds are cut.
        let covers = |(from, until): &(Timestamp, Timestamp)| {
            from <= killed_at && *started_at <= *until + SignedDuration::from_secs(1)
        };
        assert_eq!(
            periods.iter().filter(|period| covers(period)).count(),
            1,
            "nobody observed from {killed_at} to {started_at}: {periods:?}"
        );
    }
    for (from, until) in &periods {
        let is_in = absences
            .iter()
            .any(|(killed_at, _, ready_at, _)| from <= ready_at && killed_at <= until);
        assert!(is_in, "somebody observed from {from} to {until}");
    }
}

/// Their moments are in order, and no two have one id.
pub(crate) fn check_order(events: &[Value]) {
    assert!(events.windows(2).all(|pair| moment(&pair[0]) >= moment(&pair[1])), "{events:#?}");
    let mut different = ids(events);
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), events.len(), "{events:#?}");
}

/// What was read before is there still, with the same ids.
fn check_ids(events: &[Value], seen: &[Value]) {
    let all = ids(events);
    for id in ids(seen) {
        assert!(all.contains(&id), "{id} is gone: {events:#?}");
    }
}
