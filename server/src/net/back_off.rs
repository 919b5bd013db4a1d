//! How long to wait before trying again?

use std::time::Duration;

/// The shortest wait after a failure.
const LEAST_WAIT: Duration = Duration::from_millis(250);

/// Full jitter: anything up to a limit that doubles with each failure, but never longer than
/// `longest`.
pub(crate) fn back_off(failures: u32, longest: Duration) -> Duration {
    let limit = (LEAST_WAIT * 2_u32.saturating_pow(failures.min(10))).min(longest);
    let mut random = [0; 4];
    // Without randomness the longest wait is taken.
    let share = match getrandom::fill(&mut random) {
        Ok(()) => f64::from(u32::from_le_bytes(random)) / f64::from(u32::MAX),
        Err(_) => 1.0,
    };
    limit.mul_f64(share).max(LEAST_WAIT.min(longest))
}
