//! One component in the past: the processes that it had, one after the other, and when they sent heartbeats.

use std::net::IpAddr;

use app::cluster::{BlindPeriod, Role, Span, Timestamp};

use crate::demo::servers::{FORMER_VERSION, SimServer};

/// Heartbeats arrive up to so much later than they are due.
const MAX_DELAY_MS: i64 = 400;

#[derive(Debug)]
pub(super) struct Life {
    pub(super) server: &'static SimServer,
    pub(super) role: Role,
    /// In order.
    pub(super) runs: Vec<Run>,
    /// Heartbeats that are sent between these times are lost.
    lost: Vec<(Timestamp, Timestamp)>,
}

/// One process of a component.
#[derive(Clone, Debug)]
pub(super) struct Run {
    from: Timestamp,
    until: Timestamp,
    /// Whether it says at its end that it is stopping.
    stops: bool,
    pub(super) version: &'static str,
    pub(super) ip: IpAddr,
}

/// How a process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Stop,
    Crash,
}

/// A heartbeat that arrives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beat {
    pub(super) at: Timestamp,
    pub(super) run: usize,
    pub(super) leaving: bool,
}

impl Life {
    /// A component that starts at `from`, and runs until the past ends.
    pub(super) fn new(
        server: &'static SimServer,
        role: Role,
        [from, until]: [Timestamp; 2],
    ) -> Self {
        let run = Run { from, until, stops: false, version: FORMER_VERSION, ip: server.ip };
        Self { server, role, runs: vec![run], lost: Vec::new() }
    }

    /// Its last process ends at `at`, and another one starts after `pause`. Returns that one.
    pub(super) fn restart(&mut self, at: Timestamp, end: End, pause: Span) -> Option<&mut Run> {
        let last = self.runs.last_mut()?;
        let next = Run { from: at + pause, ..last.clone() };
        (last.until, last.stops) = (at, end == End::Stop);
        self.runs.push(next);
        self.runs.last_mut()
    }

    /// Its last process stops for good.
    pub(super) fn stop(&mut self, at: Timestamp) {
        if let Some(last) = self.runs.last_mut() {
            (last.until, last.stops) = (at, true);
        }
    }

    /// Its heartbeats are lost from `from` on, for so long.
    pub(super) fn lose(&mut self, from: Timestamp, length: Span) {
        self.lost.push((from, from + length));
    }

    /// The heartbeats that arrive.
    pub(super) fn beats(
        &self,
        interval: Span,
        blind_periods: &[BlindPeriod],
    ) -> impl Iterator<Item = Beat> {
        let sent = self.runs.iter().enumerate().flat_map(move |(run, process)| {
            let regular = process.regular_beats(interval);
            let last = process.stops.then_some((process.until, true));
            let sent = regular.map(|at| (at, false)).chain(last);
            sent.map(move |(at, leaving)| Beat { at, run, leaving })
        });
        sent.filter(|beat| {
            let is_lost = self.lost.iter().any(|(from, until)| *from < beat.at && beat.at < *until);
            let is_seen = |period: &BlindPeriod| beat.at <= period.start || period.end < beat.at;
            !is_lost && blind_periods.iter().all(is_seen)
        })
    }
}

impl Run {
    /// The times of its heartbeats: when it starts, and once in each interval.
    fn regular_beats(&self, interval: Span) -> impl Iterator<Item = Timestamp> {
        let Self { from, until, .. } = *self;
        let later = (1..).map(move |number| from + interval.times(number) + delay(from, number));
        std::iter::once(from).chain(later.take_while(move |at| *at < until))
    }
}

/// Always the same for the same heartbeat.
fn delay(from: Timestamp, number: i64) -> Span {
    /// Spreads neighbouring numbers evenly.
    const FACTOR: i64 = 0x1E37_79B9_7F4A_7C15;
    let mixed = from.0.wrapping_add(number).wrapping_mul(FACTOR) >> 32;
    Span(mixed.rem_euclid(MAX_DELAY_MS))
}
