//! The last starts of a component's process, and the last gaps between its heartbeats.

use serde::{Deserialize, Serialize};

use super::observation::{BlindPeriod, last_before};
use super::time::{Span, Timestamp};

/// How many starts, and how many gaps, are kept of a component.
pub const MAX_INTERRUPTIONS: usize = 10;

/// A start of a component's process, after the first one that was ever known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// Its first heartbeat.
    pub at: Timestamp,
    /// How long the process before it sent heartbeats.
    pub ran: Span,
    /// How long nothing was heard before it.
    #[serde(default)]
    pub silence: Span,
    /// Whether the process before it said that it was stopping.
    #[serde(default)]
    pub stopped_cleanly: bool,
    /// Whether it runs another version than the process before it.
    #[serde(default)]
    pub new_version: bool,
}

/// A time without heartbeats of a process that did not restart. A service's is longer than twice its interval, as the response
/// to the first of the two heartbeats said. A web component's is longer than its stale limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The last heartbeat before it.
    pub start: Timestamp,
    /// The first heartbeat after it.
    pub end: Timestamp,
}

impl Gap {
    pub fn length(self) -> Span {
        self.end - self.start
    }

    /// Whether it says something about a service. It does not if the overview was blind during it, or until less than
    /// `grace` before it: so long after a blind period nobody is late.
    pub fn counts(self, told_interval: Span, grace: Span, blind_periods: &[BlindPeriod]) -> bool {
        let last = last_before(self.end + Span::TICK, blind_periods);
        let touches = last.is_some_and(|period| period.end + grace >= self.start);
        self.length() > told_interval.times(2) && !touches
    }
}

/// The last starts and the last gaps of a component, oldest first, at most [`MAX_INTERRUPTIONS`] of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interruptions {
    #[serde(default)]
    pub starts: Vec<Start>,
    #[serde(default)]
    pub gaps: Vec<Gap>,
}

impl Interruptions {
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty() && self.gaps.is_empty()
    }

    pub(super) fn add_start(&mut self, start: Start) {
        push_bounded(&mut self.starts, start);
    }

    pub(super) fn add_gap(&mut self, gap: Gap) {
        push_bounded(&mut self.gaps, gap);
    }
}

fn push_bounded<T>(kept: &mut Vec<T>, next: T) {
    if kept.len() >= MAX_INTERRUPTIONS {
        kept.remove(0);
    }
    kept.push(next);
}
