//! What do ten thousand agents cost?

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Figure;
use super::load::Connection;
use crate::overview::{Overview, heartbeat};
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
    let overview = Overview::start(Profile::Release)?;
    let (share, memory) = watched(&overview)?;
    // An agent that beats less often than every 5 s closes its connection.
    let how = format!("every 10 s, a connection for each heartbeat, {} s", WATCHED.as_secs());
    Ok(vec![
        Figure::of("10,000 agents: processor", share, "% of one", format!("{how}; limit 10")),
        Figure::of("10,000 agents: memory", memory, "MB", format!("{how}; limit 64")),
    ])
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
        let (before, measured) = (overview.used()?, Instant::now());
        thread::sleep((since + WATCHED).saturating_duration_since(measured));
        let after = overview.used()?;
        let spent = after.processor.saturating_sub(before.processor).as_secs_f64();
        let share = spent / measured.elapsed().as_secs_f64() * 100.0;
        for player in players {
            player.join().unwrap_or(Ok(()))?;
        }
        #[expect(clippy::cast_precision_loss, reason = "kilobytes")]
        let memory = after.memory_kb as f64 / 1_000.0;
        Ok((share, memory))
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
        let beat = heartbeat(
            first + agent + 1,
            "service",
            "2026.2.1",
            &"9f".repeat(32),
            u64::from(turn) / PLAYED as u64,
        );
        Connection::to(&overview.address)?.ask(&overview.heartbeats(&beat, "1.1"))?;
    }
    Ok(())
}
