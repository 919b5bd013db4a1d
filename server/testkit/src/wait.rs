//! Waits for something that must happen, always with a deadline.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

/// Longer than a busy machine needs for anything that happens at once.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(20);

const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Polls until there is a value. Panics with what it waited for.
#[track_caller]
pub fn wait_until<T>(what: &str, within: Duration, mut check: impl FnMut() -> Option<T>) -> T {
    wait_until_ok(what, within, || check().ok_or("nothing"))
}

/// Polls until the result is `Ok`. Panics with what it waited for and the last error.
#[track_caller]
pub fn wait_until_ok<T, E: Display>(
    what: &str,
    within: Duration,
    check: impl FnMut() -> Result<T, E>,
) -> T {
    try_until_ok(what, within, check).unwrap_or_else(|error| panic!("{error}"))
}

/// Polls until the result is `Ok`. Returns what it waited for and the last error.
pub fn try_until_ok<T, E: Display>(
    what: &str,
    within: Duration,
    mut check: impl FnMut() -> Result<T, E>,
) -> Result<T, String> {
    let since = Instant::now();
    loop {
        match check() {
            Ok(found) => return Ok(found),
            Err(last) if since.elapsed() >= within => {
                return Err(format!("waited {within:?} in vain for {what}; last seen: {last}"));
            }
            Err(_) => thread::sleep(POLL_INTERVAL),
        }
    }
}
