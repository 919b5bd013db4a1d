//! Under a long mixed load, does the overview answer all the time, without growing in memory and descriptors?

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use testkit::{Overview, Senders, agent, send};

use super::hang_ups::{Requests, hang_up};
use super::{PartReport, Plan, Target, wait_for_accepted_heartbeat};

const SENDERS: usize = 40;
const SENDERS_PAUSE: Duration = Duration::from_millis(200);
const READERS: usize = 4;
const READERS_PAUSE: Duration = Duration::from_millis(100);
const READ_PATHS: [&str; 5] = ["/", "/api/v1/overview", "/metrics", "/readyz", "/healthz"];
/// The growth that is allowed from the first quarter of the run to the last.
const MAX_GROWTH_KB: u64 = 20_000;
const MAX_GROWTH_DESCRIPTORS: usize = 50;

/// A line of the table.
struct Sample {
    at: Duration,
    memory_kb: u64,
    descriptors: usize,
    cpu_time: Duration,
    heartbeats: u64,
    reads: u64,
}

pub(super) fn run(overview: &mut Overview, _: &mut Target, plan: &Plan) -> Result<PartReport> {
    let overview = &*overview;
    let servers = (0..SENDERS).map(|number| format!("busy-{number}"));
    let senders = Senders::start(&overview.url("/api/v1/heartbeats"), servers, SENDERS_PAUSE, 1);
    let (stop, reads) = (AtomicBool::new(false), AtomicU64::new(0));
    let requests = Requests::for_overview(overview)?;
    let samples = thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| read_repeatedly(overview, &stop, &reads));
        }
        scope.spawn(|| hang_up_on_all(overview, &requests, &stop));
        let samples = take_samples(overview, &senders, &reads, plan);
        stop.store(true, Ordering::Relaxed);
        samples
    })?;
    drop(senders);
    check_growth(&samples)?;
    wait_for_accepted_heartbeat(overview, "the load")?;
    let last = samples.last().map_or(0, |sample| sample.heartbeats);
    let sentence = format!("{} s, {last} heartbeats acknowledged", plan.load.as_secs());
    Ok(PartReport { sentence, table: format_table(&samples) })
}

/// Reads all paths in turn.
fn read_repeatedly(overview: &Overview, stop: &AtomicBool, reads: &AtomicU64) {
    let agent = agent();
    for path in READ_PATHS.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let answered = send(&agent, "GET", &overview.url(path), &[], &[]);
        if answered.is_ok_and(|answer| answer.status == 200) {
            reads.fetch_add(1, Ordering::Relaxed);
        }
        thread::sleep(READERS_PAUSE);
    }
}

/// Sends every request and never waits for a response.
fn hang_up_on_all(overview: &Overview, requests: &Requests, stop: &AtomicBool) {
    let address = overview.address();
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        // If the overview no longer listens, the senders and readers report it.
        let _ = hang_up(&address, requests.for_client(number));
        thread::sleep(READERS_PAUSE);
    }
}

/// Takes samples until the time is over. Fails if nothing was answered between two samples.
fn take_samples(
    overview: &Overview,
    senders: &Senders,
    reads: &AtomicU64,
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
            cpu_time: overview.serve.cpu_time(),
            heartbeats: senders.count(),
            reads: reads.load(Ordering::Relaxed),
        };
        let before = samples.last().map_or((0, 0), |last| (last.heartbeats, last.reads));
        let at = sample.at.as_secs();
        ensure!(
            sample.heartbeats > before.0,
            "no heartbeat was accepted in the {:?} before {at} s",
            plan.sample
        );
        ensure!(
            sample.reads > before.1,
            "no read was answered in the {:?} before {at} s",
            plan.sample
        );
        samples.push(sample);
    }
    Ok(samples)
}

fn check_growth(samples: &[Sample]) -> Result<()> {
    let quarter = samples.len().div_ceil(4);
    let maximum = |part: &[Sample]| {
        let memory = part.iter().map(|sample| sample.memory_kb).max().unwrap_or_default();
        (memory, part.iter().map(|sample| sample.descriptors).max().unwrap_or_default())
    };
    let (first, last) =
        (maximum(&samples[..quarter]), maximum(&samples[samples.len() - quarter..]));
    ensure!(
        last.0 <= first.0 + MAX_GROWTH_KB && last.1 <= first.1 + MAX_GROWTH_DESCRIPTORS,
        "the process grew: {} kB and {} descriptors in the first quarter, {} kB and {} in the last\n{}",
        first.0,
        first.1,
        last.0,
        last.1,
        format_table(samples)
    );
    Ok(())
}

fn format_table(samples: &[Sample]) -> String {
    let mut table =
        "     s   memory kB  descriptors   CPU time s  heartbeats     reads\n".to_owned();
    for sample in samples {
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "{:>6}{:>12}{:>13}{:>13.1}{:>12}{:>10}",
            sample.at.as_secs(),
            sample.memory_kb,
            sample.descriptors,
            sample.cpu_time.as_secs_f64(),
            sample.heartbeats,
            sample.reads
        );
    }
    table
}
