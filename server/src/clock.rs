//! The wall clock and elapsed time. Nothing else reads them.

#![allow(clippy::disallowed_methods, reason = "the one place that reads a clock")]

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use app::cluster::{Span, Timestamp};

/// A smaller difference between [`Clock`] and the wall clock is no jump.
const MIN_JUMP: Span = Span::seconds(2);
/// How long the difference must last before the clock follows.
const JUMP_DELAY: Duration = Duration::from_mins(1);

/// The time of the wall clock, which may jump.
pub fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Measures elapsed time.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// The clock of the one process that uses an SQLite file: it starts at the time of the wall clock, and is monotonic from then on.
#[derive(Debug)]
pub struct Clock(Mutex<Anchor>);

#[derive(Debug)]
struct Anchor {
    moment: Timestamp,
    at: Instant,
    /// Since when this clock and the wall clock have differed.
    differs_since: Option<Instant>,
}

impl Anchor {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.at.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.moment + Span(elapsed)
    }
}

impl Clock {
    /// Starts at the wall clock's time, but never before `earliest`: the last moment that an earlier process wrote.
    pub fn starting(earliest: Timestamp) -> Self {
        let moment = wall().max(earliest);
        Self(Mutex::new(Anchor { moment, at: Instant::now(), differs_since: None }))
    }

    pub fn now(&self) -> Timestamp {
        self.anchor().now()
    }

    /// By how much this clock should jump, once it has differed from the wall clock for [`JUMP_DELAY`]. The caller first adjusts
    /// the times in the store, and then calls [`Clock::jump`].
    pub fn jump_due(&self) -> Option<Span> {
        let mut anchor = self.anchor();
        let off = wall() - anchor.now();
        if off.0.abs() <= MIN_JUMP.0 {
            anchor.differs_since = None;
            return None;
        }
        let since = *anchor.differs_since.get_or_insert_with(Instant::now);
        (since.elapsed() >= JUMP_DELAY).then_some(off)
    }

    pub fn jump(&self, by: Span) {
        let mut anchor = self.anchor();
        anchor.moment = anchor.moment + by;
        anchor.differs_since = None;
    }

    fn anchor(&self) -> std::sync::MutexGuard<'_, Anchor> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A smaller difference between the database server's clock and this process's elapsed time is no jump.
const MIN_REMOTE_JUMP: Span = Span::seconds(1);

/// The clock of a database server: its last reading, plus the time since.
#[derive(Debug, Default)]
pub struct RemoteClock(Mutex<Option<Reading>>);

#[derive(Clone, Copy, Debug)]
struct Reading {
    moment: Timestamp,
    at: Instant,
    /// By how much the clock had been set until then, in total.
    jumps: Span,
}

impl Reading {
    fn now(self) -> Timestamp {
        let elapsed = i64::try_from(self.at.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.moment + Span(elapsed)
    }
}

impl RemoteClock {
    /// Before the first reading it is this machine's wall clock.
    pub fn now(&self) -> Timestamp {
        self.reading().map_or_else(wall, Reading::now)
    }

    /// By how much the clock was set since the last reading, in addition to the known `jumps`. `None`: it was not set.
    pub fn jumped(&self, moment: Timestamp, jumps: Span) -> Option<Span> {
        let last = self.reading()?;
        let jumped = (moment - last.now()) - (jumps - last.jumps);
        (jumped.0.abs() > MIN_REMOTE_JUMP.0).then_some(jumped)
    }

    /// Stores a reading.
    pub fn read(&self, moment: Timestamp, jumps: Span) {
        let reading = Reading { moment, at: Instant::now(), jumps };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading);
    }

    fn reading(&self) -> Option<Reading> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
