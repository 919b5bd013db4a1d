//! How much CPU time and memory do ten thousand agents cost the overview?

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;
use testkit::Overview;

use super::Figure;
use super::load::{CLIENTS, Connection};
use crate::test_server::{self, heartbeat};
use crate::workspace::Profile;

const AGENTS: usize = 10_000;
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(10);
const MEASUREMENT_DURATION: Duration = Duration::from_mins(1);
const AGENTS_PER_THREAD: usize = 1_250;

pub(super) fn measure() -> Result<Vec<Figure>> {
    let mut overview = test_server::start(Profile::Release);
    let (share, closed) = measure_load(&overview)?;
    let kept = memory_with_open_connections(&overview)?;
    let back = time_until_all_are_acknowledged(&mut overview)?;
    // An agent with an interval of more than 5 s closes its connection after each heartbeat.
    let how = format!(
        "every 10 s, a new connection for each heartbeat, over {} s",
        MEASUREMENT_DURATION.as_secs()
    );
    let all = "all send at once, each over its own connection";
    Ok(vec![
        Figure::new("10,000 agents: CPU", share, "% of a core", format!("{how}; limit 10")),
        Figure::new("10,000 agents: memory", closed, "MB", format!("{how}; limit 64")),
        Figure::new("with their connections open", kept, "MB", "one heartbeat each; limit 256"),
        Figure::new("all acknowledged after a restart", back, "s", format!("{all}; limit 3")),
    ])
}

/// The overview's memory in MB while each agent keeps its connection open.
fn memory_with_open_connections(overview: &Overview) -> Result<f64> {
    let connections = send_from_all_at_once(overview, 1_000)?;
    let memory = memory_mb(overview);
    drop(connections);
    Ok(memory)
}

/// How many seconds after its start the overview has acknowledged a heartbeat of each agent, when all send at
/// once.
fn time_until_all_are_acknowledged(overview: &mut Overview) -> Result<f64> {
    overview.kill();
    let since = Instant::now();
    overview.start_again();
    send_from_all_at_once(overview, 2_000)?;
    Ok(since.elapsed().as_secs_f64())
}

/// Sends a heartbeat of each agent over its own connection. Returns the open connections.
fn send_from_all_at_once(overview: &Overview, sequence: u64) -> Result<Vec<Connection>> {
    let next = AtomicUsize::new(0);
    let run = || -> Result<Vec<Connection>> {
        let mut connections = Vec::new();
        loop {
            let agent = next.fetch_add(1, Ordering::Relaxed);
            if agent >= AGENTS {
                return Ok(connections);
            }
            let mut connection = Connection::open(&overview.address())?;
            connection.exchange(&test_server::heartbeats_request(
                overview,
                &agent_heartbeat(agent, sequence),
            ))?;
            connections.push(connection);
        }
    };
    let connections: Result<Vec<Vec<Connection>>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Ok(Vec::new()))).collect()
    });
    Ok(connections?.into_iter().flatten().collect())
}

fn agent_heartbeat(agent: usize, sequence: u64) -> Value {
    heartbeat(agent + 1, "service", sequence)
}

fn memory_mb(overview: &Overview) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "kilobytes")]
    let kilobytes = overview.serve.memory_kb() as f64;
    kilobytes / 1_000.0
}

/// The CPU use in percent of a core, and the memory in MB, once all agents have reported.
fn measure_load(overview: &Overview) -> Result<(f64, f64)> {
    let since = Instant::now();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..AGENTS / AGENTS_PER_THREAD)
            .map(|thread| {
                scope.spawn(move || simulate_agents(overview, thread * AGENTS_PER_THREAD, since))
            })
            .collect();
        // In the first round all servers are new, which costs more.
        thread::sleep(HEARTBEAT_INTERVAL);
        let (before, measured) = (overview.serve.cpu_time(), Instant::now());
        thread::sleep((since + MEASUREMENT_DURATION).saturating_duration_since(measured));
        let spent = overview.serve.cpu_time().saturating_sub(before).as_secs_f64();
        let share = spent / measured.elapsed().as_secs_f64() * 100.0;
        for thread in threads {
            thread.join().unwrap_or(Ok(()))?;
        }
        Ok((share, memory_mb(overview)))
    })
}

/// Sends the heartbeats of some agents, spread evenly over each interval.
fn simulate_agents(overview: &Overview, first: usize, since: Instant) -> Result<()> {
    let pause = HEARTBEAT_INTERVAL / u32::try_from(AGENTS_PER_THREAD)?;
    for turn in 0_u32.. {
        let due = since + pause * turn;
        if due > since + MEASUREMENT_DURATION {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let agent = turn as usize % AGENTS_PER_THREAD;
        let beat = agent_heartbeat(first + agent, u64::from(turn) / AGENTS_PER_THREAD as u64);
        Connection::open(&overview.address())?
            .exchange(&test_server::heartbeats_request(overview, &beat))?;
    }
    Ok(())
}
