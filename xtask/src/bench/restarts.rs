//! How soon is an overview ready again after `kill -9`?

use anyhow::Result;

use super::{Figure, LARGE_CLUSTER_SERVERS, median, send_heartbeats_from_all};
use crate::test_server;
use crate::workspace::Profile;

const KILLS: usize = 20;

/// Measures from the start of the process to the first successful `/readyz`, which includes a database write.
pub(super) fn measure() -> Result<Vec<Figure>> {
    let mut overview = test_server::start(Profile::Release);
    let mut times = Vec::new();
    for kill in 0..KILLS {
        // Leaves a write-ahead log that the next start has to recover.
        send_heartbeats_from_all(&overview, LARGE_CLUSTER_SERVERS, kill as u64 + 1)?;
        times.push(overview.kill_and_restart().as_secs_f64() * 1_000.0);
    }
    let worst = times.iter().copied().fold(0.0, f64::max);
    let how = format!(
        "{LARGE_CLUSTER_SERVERS} servers; from the process's start to /readyz; median of {KILLS}"
    );
    Ok(vec![
        Figure::new("ready again after kill -9", median(times), "ms", how),
        Figure::new("the same, slowest", worst, "ms", "the slowest of these; limit 500"),
    ])
}
