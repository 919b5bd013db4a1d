//! How a service behaved when it was dialled, and so when it is dialled again.

use std::time::Duration;

use crate::clock::Stopwatch;
use crate::net::back_off::back_off;

/// The longest wait between two attempts.
const MAX_WAIT: Duration = Duration::from_mins(1);
/// A connection that ends sooner counts as a failure.
const MIN_GOOD_CONNECTION: Duration = Duration::from_secs(10);

/// How a service behaved when it was dialled. Who hangs up soon, or starts anew again and again, is dialled
/// ever more seldom.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub(super) failures: u32,
    pub(super) state: LineState,
    /// How long to wait since the last dial or connection was over.
    pause: Option<(Stopwatch, Duration)>,
}

/// What was under way with a service when it was last looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum LineState {
    #[default]
    Idle,
    Dialling,
    Connected(Stopwatch),
}

impl Record {
    /// The dial or the connection is over, if there was one.
    pub(super) fn over(&mut self) {
        match std::mem::take(&mut self.state) {
            LineState::Idle => return,
            LineState::Connected(since) if since.elapsed() >= MIN_GOOD_CONNECTION => {
                self.failures = 0;
            }
            LineState::Dialling | LineState::Connected(_) => self.failures += 1,
        }
        self.pause = Some((Stopwatch::start(), back_off(self.failures, MAX_WAIT)));
    }

    /// How long to wait before it is dialled.
    pub(super) fn wait(&self) -> Duration {
        self.pause.map_or(Duration::ZERO, |(since, pause)| pause.saturating_sub(since.elapsed()))
    }
}
