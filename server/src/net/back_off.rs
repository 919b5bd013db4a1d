//! How long to wait before the next attempt.

use std::time::Duration;

const MIN_BACK_OFF: Duration = Duration::from_millis(250);

/// Exponential back-off with full jitter: a random time up to a limit that doubles with each failure, at most `max`.
pub(crate) fn back_off(failures: u32, max: Duration) -> Duration {
    let limit = (MIN_BACK_OFF * 2_u32.saturating_pow(failures.min(10))).min(max);
    let mut random = [0; 4];
    // Without random numbers it waits as long as it may.
    let share = match getrandom::fill(&mut random) {
        Ok(()) => f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    };
    limit.mul_f64(share).max(MIN_BACK_OFF.min(max))
}
