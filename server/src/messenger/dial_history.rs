//! When a service may be dialled again: the back-off after failures.

use std::time::Duration;

use crate::clock::Stopwatch;
use crate::net::back_off::back_off;

const MAX_WAIT: Duration = Duration::from_mins(1);
/// A connection that ends sooner counts as a failure.
const MIN_GOOD_CONNECTION: Duration = Duration::from_secs(10);

/// The dials of one service so far. It survives new connections, so that a service cannot avoid the back-off by
/// closing connections or by restarting.
#[derive(Debug, Default)]
pub(super) struct DialHistory {
    pub(super) failures: u32,
    pub(super) state: DialState,
    /// When the last dial or connection ended, and how long to wait since then.
    pause: Option<(Stopwatch, Duration)>,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) enum DialState {
    #[default]
    Idle,
    Dialling,
    Connected(Stopwatch),
}

impl DialHistory {
    /// Ends the current dial or connection, if there is one.
    pub(super) fn end(&mut self) {
        match std::mem::take(&mut self.state) {
            DialState::Idle => return,
            DialState::Connected(since) if since.elapsed() >= MIN_GOOD_CONNECTION => {
                self.failures = 0;
            }
            DialState::Dialling | DialState::Connected(_) => self.failures += 1,
        }
        self.pause = Some((Stopwatch::start(), back_off(self.failures, MAX_WAIT)));
    }

    /// How long to wait before the next dial.
    pub(super) fn wait(&self) -> Duration {
        self.pause.map_or(Duration::ZERO, |(since, pause)| pause.saturating_sub(since.elapsed()))
    }
}
