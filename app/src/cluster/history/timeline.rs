//! The pulse of a component over a span of time, judged at every moment by the settings and blind periods of that moment.

use super::cluster_history::{ClusterHistory, in_force, place_in_force};
use super::component_history::ComponentHistory;
use super::record::{Silence, last_begun};
use crate::cluster::component_key::Role;
use crate::cluster::health::Pulse;
use crate::cluster::observation::{self, BlindPeriod, blind_at, exceeds_at, late_at};
use crate::cluster::settings::Settings;
use crate::cluster::time::{Span, Timestamp};

/// How a component was, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PastState {
    /// It was not there: not seen yet, or removed.
    Absent,
    /// Not known, because its records were deleted.
    Forgotten,
    Pulse(Pulse),
}

/// A time in which a state did not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    pub state: PastState,
}

impl Segment {
    pub fn length(self) -> Span {
        self.until - self.from
    }
}

/// A span of time: from its first moment to the first one after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Interval {
    pub fn length(self) -> Span {
        self.until - self.from
    }

    pub fn contains(self, moment: Timestamp) -> bool {
        self.from <= moment && moment < self.until
    }
}

impl ClusterHistory {
    /// The states of a component over a span, in order, without holes.
    pub fn timeline(
        &self,
        role: Role,
        component: &ComponentHistory,
        span: Interval,
    ) -> Vec<Segment> {
        self.timeline_under(&self.settings, role, component, span)
    }

    /// The same, as other settings would have judged it.
    pub(super) fn timeline_under(
        &self,
        settings: &[(Timestamp, Settings)],
        role: Role,
        component: &ComponentHistory,
        span: Interval,
    ) -> Vec<Segment> {
        let silences = component.silences_in(span);
        let past = Past {
            role,
            settings,
            blind_periods: &self.blind_periods,
            complete_since: component.complete_since.unwrap_or(self.begins).max(self.begins),
            presence: component.presence(),
            silences,
        };
        past.segments(span)
    }
}

/// What the states of one component are made of.
struct Past<'a> {
    role: Role,
    settings: &'a [(Timestamp, Settings)],
    blind_periods: &'a [BlindPeriod],
    complete_since: Timestamp,
    presence: Vec<(Timestamp, bool)>,
    /// In order, not overlapping.
    silences: Vec<Silence>,
}

impl Past<'_> {
    fn segments(&self, span: Interval) -> Vec<Segment> {
        let mut turns = self.turns(span);
        turns.push(span.from);
        turns.retain(|turn| span.contains(*turn));
        turns.sort_unstable();
        turns.dedup();
        let mut segments: Vec<Segment> = Vec::new();
        for (place, from) in turns.iter().enumerate() {
            let until = turns.get(place + 1).copied().unwrap_or(span.until);
            let state = self.state_at(*from);
            match segments.last_mut().filter(|last| last.state == state) {
                Some(last) => last.until = until,
                None => segments.push(Segment { from: *from, until, state }),
            }
        }
        segments
    }

    /// Every moment at which the state may turn.
    fn turns(&self, span: Interval) -> Vec<Timestamp> {
        let mut turns: Vec<Timestamp> = self.presence.iter().map(|(at, _)| *at).collect();
        turns.push(self.complete_since);
        let periods = observation::after(span.from, self.blind_periods).iter();
        for period in periods.take_while(|period| period.start < span.until) {
            turns.extend([period.start + Span::TICK, period.end]);
        }
        for silence in &self.silences {
            turns.extend([silence.start, silence.end]);
            let end = silence.end.min(span.until);
            let since = self.in_force_at(silence.start);
            for (place, (begins, settings)) in self.settings.iter().enumerate().skip(since) {
                if *begins >= end && place > since {
                    break;
                }
                let last = silence.last_heartbeat(self.role);
                let stale_at = exceeds_at(last.at, last.stale_limit(settings), self.blind_periods);
                turns.extend([*begins, stale_at]);
                if self.role == Role::Service {
                    let limit = last.late_limit(settings);
                    turns.push(late_at(last.at, limit, self.blind_periods));
                }
            }
        }
        turns
    }

    /// The place of the settings in force at a moment.
    fn in_force_at(&self, moment: Timestamp) -> usize {
        place_in_force(self.settings, moment).unwrap_or_default()
    }

    fn state_at(&self, moment: Timestamp) -> PastState {
        if !in_force(&self.presence, moment).copied().unwrap_or_default() {
            return PastState::Absent;
        }
        if moment < self.complete_since {
            return PastState::Forgotten;
        }
        if blind_at(moment, self.blind_periods).is_some() {
            return PastState::Pulse(Pulse::Unknown);
        }
        let silence = last_begun(&self.silences, moment);
        let pulse = match silence.filter(|silence| moment < silence.end) {
            None => Pulse::Alive,
            Some(silence) => {
                let settings =
                    self.settings.get(self.in_force_at(moment)).map(|(_, settings)| *settings);
                let last = silence.last_heartbeat(self.role);
                last.pulse(&settings.unwrap_or_default(), self.blind_periods, moment)
            }
        };
        PastState::Pulse(pulse)
    }
}
