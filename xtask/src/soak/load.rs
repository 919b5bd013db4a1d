//! A mixed load for a long time: it is never blind, and what it takes of the machine does not grow.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use testkit::{Overview, Senders, agent, send};

use super::hang_ups::{Requests, hang_up};
use super::{Held, Plan, Target, takes_heartbeats};

/// Servers that beat.
const SENDERS: usize = 40;
/// How long each waits after an answer.
const SENDERS_PAUSE: Duration = Duration::from_millis(200);
/// Who looks.
const READERS: usize = 4;
/// How long each waits after an answer.
const READERS_PAUSE: Duration = Duration::from_millis(100);
/// What they look at.
const LOOKED_AT: [&str; 5] = ["/", "/api/v1/overview", "/metrics", "/readyz", "/healthz"];
/// What the memory may grow by from the first quarter to the last.
const GROWTH_KB: u64 = 20_000;
/// What the open descriptors may grow by.
const GROWTH_DESCRIPTORS: usize = 50;

/// One line of the table.
struct Sample {
    at: Duration,
    memory_kb: u64,
    descriptors: usize,
    processor: Duration,
    heartbeats: u64,
    looks: u64,
}

pub(super) fn run(overview: &mut Overview, _: &mut Target, plan: &Plan) -> Result<Held> {
    let overview = &*overview;
    let servers = (0..SENDERS).map(|number| format!("busy-{number}"));
    let senders = Senders::start(&overview.url("/api/v1/heartbeats"), servers, SENDERS_PAUSE, 1);
    let (stop, looks) = (AtomicBool::new(false), AtomicU64::new(0));
    let requests = Requests::to(overview)?;
    let samples = thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| look(overview, &stop, &looks));
        }
        scope.spawn(|| hang_up_on_all(overview, &requests, &stop));
        let samples = sample(overview, &senders, &looks, plan);
        stop.store(true, Ordering::Relaxed);
        samples
    })?;
    drop(senders);
    does_not_grow(&samples)?;
    takes_heartbeats(overview, "the load")?;
    let last = samples.last().map_or(0, |sample| sample.heartbeats);
    let sentence = format!("{} s, {last} heartbeats acknowledged", plan.load.as_secs());
    Ok(Held { sentence, table: table(&samples) })
}

/// Somebody who looks at everything in turn.
fn look(overview: &Overview, stop: &AtomicBool, looks: &AtomicU64) {
    let agent = agent();
    for path in LOOKED_AT.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let answered = send(&agent, "GET", &overview.url(path), &[], &[]);
        if answered.is_ok_and(|answer| answer.status == 200) {
            looks.fetch_add(1, Ordering::Relaxed);
        }
        thread::sleep(READERS_PAUSE);
    }
}

/// Somebody who asks for everything and never waits for an answer.
fn hang_up_on_all(overview: &Overview, requests: &Requests, stop: &AtomicBool) {
    let address = overview.address();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        // That nobody listens any more is seen by the others.
        let _ = hang_up(&address, requests.of_client(number));
        thread::sleep(READERS_PAUSE);
    }
}

/// Writes down what it takes until the time is over; fails once a whole sample brought nothing.
fn sample(
    overview: &Overview,
    senders: &Senders,
    looks: &AtomicU64,
    plan: &Plan,
) -> Result<Vec<Sample>> {
    let since = Instant::now();
    let mut samples: Vec<Sample> = Vec::new();
    while since.elapsed() < plan.load {
        thread::sleep(plan.sample);
        let sample = Sample {
            at: since.elapsed(),
            memory_kb: overview.serve.memory_kb(),
            descriptors: overview.serve.open_descriptors(),
            processor: overview.serve.cpu_time(),
            heartbeats: senders.count(),
            looks: looks.load(Ordering::Relaxed),
        };
        let before = samples.last().map_or((0, 0), |last| (last.heartbeats, last.looks));
        let at = sample.at.as_secs();
        ensure!(
            sample.heartbeats > before.0,
            "no heartbeat was taken in the {:?} before {at} s",
            plan.sample
        );
        ensure!(
            sample.looks > before.1,
            "nobody was answered in the {:?} before {at} s",
            plan.sample
        );
        samples.push(sample);
    }
    Ok(samples)
}

fn does_not_grow(samples: &[Sample]) -> Result<()> {
    let quarter = samples.len().div_ceil(4);
    let most = |part: &[Sample]| {
        let memory = part.iter().map(|sample| sample.memory_kb).max().unwrap_or_default();
        (memory, part.iter().map(|sample| sample.descriptors).max().unwrap_or_default())
    };
    let (first, last) = (most(&samples[..quarter]), most(&samples[samples.len() - quarter..]));
    ensure!(
        last.0 <= first.0 + GROWTH_KB && last.1 <= first.1 + GROWTH_DESCRIPTORS,
        "it grew: {} kB and {} descriptors in the first quarter, {} kB and {} in the last\n{}",
        first.0,
        first.1,
        last.0,
        last.1,
        table(samples)
    );
    Ok(())
}

fn table(samples: &[Sample]) -> String {
    let mut table =
        "     s   memory kB  descriptors  processor s  heartbeats   answers\n".to_owned();
    for sample in samples {
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "{:>6}{:>12}{:>13}{:>13.1}{:>12}{:>10}",
            sample.at.as_secs(),
            sample.memory_kb,
            sample.descriptors,
            sample.processor.as_secs_f64(),
            sample.heartbeats,
            sample.looks
        );
    }
    table
}
