//! How steady a component is: from the last starts and the last gaps that its row keeps.

use super::component_key::Role;
use super::health::{Health, Stability};
use super::interruptions::{Gap, Interruptions, Start};
use super::settings::Settings;
use super::time::{Span, Timestamp};

/// Starts this close together are a restart loop, whatever ended the processes.
const ANY_START: Rule = Rule { within: Span::minutes(10), quiet: Span::minutes(10) };
/// The same of starts after which no process said that it was stopping.
const START_AFTER_CRASH: Rule = Rule { within: Span::minutes(30), quiet: Span::minutes(15) };
/// How many starts a restart loop has at least.
const MIN_STARTS: usize = 3;
/// From so many starts on a restart loop is an error.
const MIN_STARTS_OF_ERROR: usize = 5;

/// How many gaps within [`GAPS_WITHIN`] make a service flap.
const MIN_GAPS: usize = 5;
const GAPS_WITHIN: Span = Span::minutes(24 * 60);
/// A service flaps until this long after its last gap, or this many intervals if that is longer.
const FLAPS_FOR: Span = Span::minutes(60);
const FLAPS_FOR_INTERVALS: i64 = 20;

/// A series of starts that follow each other closely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartLoop {
    /// How many starts it has so far, as far as they are kept.
    pub starts: usize,
    /// How many of them followed a process that did not say that it was stopping.
    pub crashes: usize,
    /// Its first start.
    pub since: Timestamp,
    /// Its last start.
    pub last: Timestamp,
    /// The longest time that a process of it ran.
    pub longest: Span,
    /// Whether it began with another version, which all its starts have.
    pub new_version: bool,
}

/// Gaps that make a service flap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flapping {
    pub gaps: usize,
    pub last: Gap,
    pub longest: Span,
}

/// When starts are a loop: three of them within a span, until none has come for another.
struct Rule {
    within: Span,
    quiet: Span,
}

impl Rule {
    /// The place of the first start of the loop that lasts at `now`. `starts` in order.
    fn first(&self, starts: &[Timestamp], now: Timestamp) -> Option<usize> {
        let mut first = None;
        for (place, start) in starts.iter().enumerate() {
            let before = place.checked_sub(1).and_then(|before| starts.get(before));
            if before.is_some_and(|before| *start - *before > self.quiet) {
                first = None;
            }
            let third = place.checked_sub(MIN_STARTS - 1);
            let is_close = |third: &usize| {
                starts.get(*third).is_some_and(|third| *start - *third <= self.within)
            };
            first = first.or(third.filter(is_close));
        }
        first.filter(|_| starts.last().is_some_and(|last| now - *last <= self.quiet))
    }

    /// When the loop that these starts make ends, if no other follows.
    fn until(&self, starts: &[Timestamp]) -> Option<Timestamp> {
        let last = *starts.last()?;
        self.first(starts, last).map(|_| last + self.quiet + Span::TICK)
    }
}

impl Interruptions {
    /// The verdict at `now`, and what it means for the component's health.
    pub fn stability(
        &self,
        role: Role,
        settings: &Settings,
        now: Timestamp,
    ) -> (Stability, Health) {
        if let Some(found) = self.restart_loop(now) {
            let is_error = found.starts >= MIN_STARTS_OF_ERROR;
            return (Stability::Restarting, if is_error { Health::Error } else { Health::Warning });
        }
        if role == Role::Service && self.flapping(settings, now).is_some() {
            return (Stability::Flapping, Health::Warning);
        }
        (Stability::Steady, Health::Ok)
    }

    /// The restart loop at `now`: three starts within 10 min, until 10 min pass without one; or three after a crash within
    /// 30 min, until 15 min pass without one. If both hold, the one with more starts.
    pub fn restart_loop(&self, now: Timestamp) -> Option<RestartLoop> {
        if self.starts.len() < MIN_STARTS {
            return None;
        }
        let crashes: Vec<Start> =
            self.starts.iter().copied().filter(|start| !start.stopped_cleanly).collect();
        let found = |rule: &Rule, starts: &[Start]| {
            let moments: Vec<Timestamp> = starts.iter().map(|start| start.at).collect();
            rule.first(&moments, now).and_then(|first| RestartLoop::new(starts.get(first..)?))
        };
        let any = found(&ANY_START, &self.starts);
        let after_crash = found(&START_AFTER_CRASH, &crashes);
        any.into_iter().chain(after_crash).max_by_key(|one| one.starts)
    }

    /// Whether a service flaps at `now`: five gaps within 24 h, the last of them within an hour or 20 intervals.
    pub fn flapping(&self, settings: &Settings, now: Timestamp) -> Option<Flapping> {
        let last = *self.gaps.last()?;
        let recent = self.gaps.iter().filter(|gap| now - gap.end <= GAPS_WITHIN);
        let longest = recent.clone().map(|gap| gap.length()).max()?;
        let gaps = recent.count();
        let flaps = gaps >= MIN_GAPS && now - last.end <= flaps_for(settings);
        flaps.then_some(Flapping { gaps, last, longest })
    }

    /// Every moment at which time alone may change the verdict.
    pub(super) fn each_turn(&self, settings: &Settings, turn: &mut dyn FnMut(Timestamp)) {
        if self.starts.len() >= MIN_STARTS {
            let all: Vec<Timestamp> = self.starts.iter().map(|start| start.at).collect();
            let crashes = self.starts.iter().filter(|start| !start.stopped_cleanly);
            let crashes: Vec<Timestamp> = crashes.map(|start| start.at).collect();
            ANY_START.until(&all).into_iter().for_each(&mut *turn);
            START_AFTER_CRASH.until(&crashes).into_iter().for_each(&mut *turn);
        }
        if let (Some(fifth), Some(last)) = (
            self.gaps.len().checked_sub(MIN_GAPS).and_then(|at| self.gaps.get(at)),
            self.gaps.last(),
        ) {
            // Gaps before the fifth last change the count that a hint names.
            for gap in self.gaps.iter().take_while(|gap| gap.end <= fifth.end) {
                turn(gap.end + GAPS_WITHIN + Span::TICK);
            }
            turn(last.end + flaps_for(settings) + Span::TICK);
        }
    }
}

impl RestartLoop {
    fn new(starts: &[Start]) -> Option<Self> {
        let (first, last) = (starts.first()?, starts.last()?);
        let ran = |start: &Start| start.ran;
        Some(Self {
            starts: starts.len(),
            crashes: starts.iter().filter(|start| !start.stopped_cleanly).count(),
            since: first.at,
            last: last.at,
            // The process before the first start may have run for a year: it is no part of the loop.
            longest: starts.iter().skip(1).map(ran).max()?,
            new_version: first.new_version && !starts.iter().skip(1).any(|start| start.new_version),
        })
    }
}

fn flaps_for(settings: &Settings) -> Span {
    FLAPS_FOR.max(settings.interval().times(FLAPS_FOR_INTERVALS))
}
