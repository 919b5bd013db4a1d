//! What do ten thousand agents cost?

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;
use testkit::Overview;

use super::Figure;
use super::load::{CLIENTS, Connection};
use crate::overview::{self, heartbeat};
use crate::workspace::Profile;

/// How many beat.
const AGENTS: usize = 10_000;
/// How often each does.
const INTERVAL: Duration = Duration::from_secs(10);
/// How long they are watched.
const WATCHED: Duration = Duration::from_mins(1);
/// How many of them one thread plays.
const PLAYED: usize = 1_250;

pub(super) fn figures() -> Result<Vec<Figure>> {
    let mut overview = overview::start(Profile::Release);
    let (share, closed) = watched(&overview)?;
    let kept = kept(&overview)?;
    let back = returned(&mut overview)?;
    // An agent that beats less often than every 5 s closes its connection.
    let how = format!("every 10 s, a connection for each heartbeat, {} s", WATCHED.as_secs());
    let all = "all beat at once, each over a connection of its own";
    Ok(vec![
        Figure::of("10,000 agents: processor", share, "% of one", format!("{how}; limit 10")),
        Figure::of("10,000 agents: memory", closed, "MB", format!("{how}; limit 64")),
        Figure::of("with their connections kept", kept, "MB", "one heartbeat each; limit 256"),
        Figure::of("all acknowledged after a restart", back, "s", format!("{all}; limit 3")),
    ])
}

/// The memory that the agents cost while each keeps its connection.
fn kept(overview: &Overview) -> Result<f64> {
    let connections = all_at_once(overview, 1_000)?;
    let memory = memory(overview);
    drop(connections);
    Ok(memory)
}

/// How long after its start a process has acknowledged a heartbeat of each agent, when all come at
/// once.
fn returned(overview: &mut Overview) -> Result<f64> {
    overview.kill();
    let since = Instant::now();
    overview.start_again();
    all_at_once(overview, 2_000)?;
    Ok(since.elapsed().as_secs_f64())
}

/// Each agent beats over a connection of its own.
fn all_at_once(overview: &Overview, sequence: u64) -> Result<Vec<Connection>> {
    let next = AtomicUsize::new(0);
    let play = || -> Result<Vec<Connection>> {
        let mut connections = Vec::new();
        loop {
            let agent = next.fetch_add(1, Ordering::Relaxed);
            if agent >= AGENTS {
                return Ok(connections);
            }
            let mut connection = Connection::to(&overview.address())?;
            connection.ask(&overview::heartbeats(overview, &beat(agent, sequence)))?;
            connections.push(connection);
        }
    };
    let connections: Result<Vec<Vec<Connection>>> = thread::scope(|scope| {
        let players: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(play)).collect();
        players.into_iter().map(|player| player.join().unwrap_or(Ok(Vec::new()))).collect()
    });
    Ok(connections?.into_iter().flatten().collect())
}

/// What an agent says.
fn beat(agent: usize, sequence: u64) -> Value {
    heartbeat(agent + 1, "service", sequence)
}

fn memory(overview: &Overview) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "kilobytes")]
    let kilobytes = overview.serve.memory_kb() as f64;
    kilobytes / 1_000.0
}

/// The share of a processor and the memory that the agents cost once all are there.
fn watched(overview: &Overview) -> Result<(f64, f64)> {
    let since = Instant::now();
    thread::scope(|scope| {
        let players: Vec<_> = (0..AGENTS / PLAYED)
            .map(|player| scope.spawn(move || play(overview, player * PLAYED, since)))
            .collect();
        // The first round is their arrival.
        thread::sleep(INTERVAL);
        let (before, measured) = (overview.serve.cpu_time(), Instant::now());
        thread::sleep((since + WATCHED).saturating_duration_since(measured));
        let spent = overview.serve.cpu_time().saturating_sub(before).as_secs_f64();
        let share = spent / measured.elapsed().as_secs_f64() * 100.0;
        for player in players {
            player.join().unwrap_or(Ok(()))?;
        }
        Ok((share, memory(overview)))
    })
}

/// Plays some agents, each at its moment of every interval.
fn play(overview: &Overview, first: usize, since: Instant) -> Result<()> {
    let pause = INTERVAL / u32::try_from(PLAYED)?;
    for turn in 0_u32.. {
        let due = since + pause * turn;
        if due > since + WATCHED {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let agent = turn as usize % PLAYED;
        let beat = beat(first + agent, u64::from(turn) / PLAYED as u64);
        Connection::to(&overview.address())?.ask(&overview::heartbeats(overview, &beat))?;
    }
    Ok(())
}
