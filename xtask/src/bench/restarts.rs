//! How soon is an overview ready again that was ended without a word?

use std::time::Instant;

use anyhow::Result;

use super::{AT_ONCE, Figure, MANY, middle};
use crate::overview::{Overview, heartbeat};
use crate::workspace::Profile;

/// How often it is killed.
const KILLS: usize = 20;

/// From the start of the process to the first good answer of `/readyz`, which comes after a write.
pub(super) fn restarts() -> Result<Vec<Figure>> {
    let mut overview = Overview::start(Profile::Release)?;
    let mut times = Vec::new();
    for kill in 0..KILLS {
        // So that each leaves a log behind that the next has to take in.
        everyone_beats(&overview, kill as u64)?;
        overview.kill();
        let since = Instant::now();
        overview.start_again(Profile::Release)?;
        while !overview.is_ready() {}
        times.push(since.elapsed().as_secs_f64() * 1_000.0);
    }
    let worst = times.iter().copied().fold(0.0, f64::max);
    let how = format!("{MANY} servers; from the process's start to /readyz; middle of {KILLS}");
    Ok(vec![
        Figure {
            what: "ready again after kill -9".into(),
            value: middle(times),
            unit: "ms".into(),
            how,
        },
        Figure {
            what: "the same at worst".into(),
            value: worst,
            unit: "ms".into(),
            how: "the slowest of these".into(),
        },
    ])
}

fn everyone_beats(overview: &Overview, sequence: u64) -> Result<()> {
    let key = "9f".repeat(32);
    let numbers: Vec<usize> = (1..=MANY).collect();
    for part in numbers.chunks(AT_ONCE) {
        let both = |number: &usize| {
            ["web", "service"].map(|role| heartbeat(*number, role, "2026.2.1", &key, sequence))
        };
        let beats: Vec<String> = part.iter().flat_map(both).collect();
        overview.beat(&format!("[{}]", beats.join(",")))?;
    }
    Ok(())
}
