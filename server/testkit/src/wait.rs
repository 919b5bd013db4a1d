//! Waiting for something that must happen, never without a deadline.

use std::fmt::Display;
use std::thread;
use std::time::{Duration, Instant};

/// Longer than a busy machine needs for anything that takes no waiting.
pub const SOON: Duration = Duration::from_secs(20);

/// How long to wait between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Looks again until there is something; fails with what it waited for.
#[track_caller]
pub fn wait_until<T>(what: &str, within: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    wait_until_ok(what, within, || look().ok_or("nothing"))
}

/// Looks again until it is as wanted; fails with what it waited for and what it saw last.
#[track_caller]
pub fn wait_until_ok<T, Seen: Display>(
    what: &str,
    within: Duration,
    look: impl FnMut() -> Result<T, Seen>,
) -> T {
    try_until_ok(what, within, look).unwrap_or_else(|error| panic!("{error}"))
}

/// The same, for who has more to say of it.
pub fn try_until_ok<T, Seen: Display>(
    what: &str,
    within: Duration,
    mut look: impl FnMut() -> Result<T, Seen>,
) -> Result<T, String> {
    let since = Instant::now();
    loop {
        match look() {
            Ok(found) => return Ok(found),
            Err(seen) if since.elapsed() >= within => {
                return Err(format!("waited {within:?} in vain for {what}; seen last: {seen}"));
            }
            Err(_) => thread::sleep(PAUSE),
        }
    }
}
