//! How soon is an overview ready again that was ended without a word?

use anyhow::Result;

use super::{Figure, MANY, everyone_beats, middle};
use crate::overview;
use crate::workspace::Profile;

/// How often it is killed.
const KILLS: usize = 20;

/// From the start of the process to the first good answer of `/readyz`, which comes after a write.
pub(super) fn figures() -> Result<Vec<Figure>> {
    let mut overview = overview::start(Profile::Release);
    let mut times = Vec::new();
    for kill in 0..KILLS {
        // So that each leaves a log behind that the next has to take in.
        everyone_beats(&overview, MANY, kill as u64 + 1)?;
        times.push(overview.kill_and_restart().as_secs_f64() * 1_000.0);
    }
    let worst = times.iter().copied().fold(0.0, f64::max);
    let how = format!("{MANY} servers; from the process's start to /readyz; middle of {KILLS}");
    Ok(vec![
        Figure::of("ready again after kill -9", middle(times), "ms", how),
        Figure::of("the same at worst", worst, "ms", "the slowest of these; limit 500"),
    ])
}
