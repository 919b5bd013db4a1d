//! What time it is: the only reader of the wall clock and of elapsed time.

#![allow(clippy::disallowed_methods, reason = "this is the one place that may read a clock")]

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use app::cluster::{Span, Timestamp};

/// A difference to the wall clock up to this is no jump.
const TOLERATED: Span = Span::seconds(2);
/// How long the difference must stand before the clock follows.
const PATIENCE: Duration = Duration::from_mins(1);

/// The wall clock as it is, for a node's `sent_at` and for the first anchor.
pub fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// The clock of the one process that owns an `SQLite` file: anchored to the wall clock, monotonic
/// from then on.
#[derive(Debug)]
pub struct Clock(Mutex<Anchor>);

#[derive(Debug)]
struct Anchor {
    moment: Timestamp,
    at: Instant,
    /// Since when this clock and the wall clock have differed.
    astray: Option<Instant>,
}

impl Anchor {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.at.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.moment + Span(elapsed)
    }
}

impl Clock {
    /// A clock that begins at the wall clock's time, but never before `earliest` (the last moment a
    /// former process wrote).
    pub fn starting(earliest: Timestamp) -> Self {
        let moment = wall().max(earliest);
        Self(Mutex::new(Anchor { moment, at: Instant::now(), astray: None }))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.anchor().now()
    }

    /// By how much this clock should jump to be right again: only after it has differed from the
    /// wall clock by more than two seconds for a minute. The caller makes the jump harmless in the
    /// store and then calls [`Clock::jump`].
    pub fn jump_due(&self) -> Option<Span> {
        let mut anchor = self.anchor();
        let off = wall() - anchor.now();
        if off.0.abs() <= TOLERATED.0 {
            anchor.astray = None;
            return None;
        }
        let since = *anchor.astray.get_or_insert_with(Instant::now);
        (since.elapsed() >= PATIENCE).then_some(off)
    }

    /// Jumps.
    pub fn jump(&self, by: Span) {
        let mut anchor = self.anchor();
        anchor.moment = anchor.moment + by;
        anchor.astray = None;
    }

    fn anchor(&self) -> std::sync::MutexGuard<'_, Anchor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A difference between a server's clock and this process's own elapsed time up to this is no jump.
const TOLERATED_REMOTE: Span = Span::seconds(1);

/// The clock of a database server, as this process last read it.
#[derive(Debug, Default)]
pub struct RemoteClock(Mutex<Option<Reading>>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    moment: Timestamp,
    at: Instant,
    /// By how much the clock had been set by then, all in all.
    jumps: Span,
}

impl Reading {
    fn now(self) -> Timestamp {
        let elapsed = i64::try_from(self.at.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.moment + Span(elapsed)
    }
}

impl RemoteClock {
    /// Now, by the clock's last reading and the time since; before the first, this machine's own.
    pub fn now(&self) -> Timestamp {
        self.reading().map_or_else(wall, Reading::now)
    }

    /// By how much the clock was set since the last reading, beyond the `jumps` that are known by
    /// now: `None` while it runs as this process's own elapsed time does.
    pub fn jumped(&self, moment: Timestamp, jumps: Span) -> Option<Span> {
        let last = self.reading()?;
        let jumped = (moment - last.now()) - (jumps - last.jumps);
        (jumped.0.abs() > TOLERATED_REMOTE.0).then_some(jumped)
    }

    /// The clock was read.
    pub fn read(&self, moment: Timestamp, jumps: Span) {
        let reading = Reading { moment, at: Instant::now(), jumps };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
    }

    fn reading(&self) -> Option<Reading> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
