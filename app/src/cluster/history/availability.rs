//! For how much of a span was something up?

use std::collections::BTreeMap;

use super::cluster_history::ClusterHistory;
use super::component_history::ComponentHistory;
use super::record::{Silence, last_begun};
use super::timeline::{Interval, PastState, Segment};
use crate::cluster::component_key::Role;
use crate::cluster::health::Pulse;
use crate::cluster::server_name::ServerName;
use crate::cluster::time::{Span, Timestamp};

/// What was observed of something at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Observed {
    Up,
    /// Stale, or, of a server and of the cluster, also stopped. A silence that became stale is down from its last heartbeat on.
    Down,
    /// Of a component: down after a clean stop.
    Stopped,
    /// Nobody could observe.
    Blind,
    /// It was not there, or its records were deleted.
    Unknown,
}

/// A time in which the same was observed: its first moment, and what.
pub type Observation = (Timestamp, Observed);

/// For how long what was observed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Availability {
    pub up: Span,
    pub down: Span,
    pub blind: Span,
    pub unknown: Span,
}

impl Availability {
    /// Hundredths of a percent of the observed time, cut, so that 10,000 means that nothing was down. `None` if less than a
    /// hundredth of the whole was observed.
    pub fn hundredths(self) -> Option<i64> {
        let observed = self.up.0 + self.down.0;
        let whole = observed + self.blind.0 + self.unknown.0;
        if observed == 0 || i128::from(observed) * 100 < i128::from(whole) {
            return None;
        }
        let cut = i128::from(self.up.0) * 10_000 / i128::from(observed);
        i64::try_from(cut).ok()
    }

    fn add(&mut self, observed: Observed, length: Span) {
        let sum = match observed {
            Observed::Up => &mut self.up,
            Observed::Down | Observed::Stopped => &mut self.down,
            Observed::Blind => &mut self.blind,
            Observed::Unknown => &mut self.unknown,
        };
        *sum = *sum + length;
    }

    /// Of observations in a span, in order. What was before the first is unknown.
    pub fn of(observations: &[Observation], span: Interval) -> Self {
        let mut sum = Self::default();
        let begin = observations.first().map_or(span.until, |(first, _)| *first);
        sum.add(Observed::Unknown, begin - span.from);
        for (place, (from, observed)) in observations.iter().enumerate() {
            let until = observations.get(place + 1).map_or(span.until, |(next, _)| *next);
            sum.add(*observed, until - *from);
        }
        sum
    }
}

/// What a cluster can be available for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClusterAim {
    /// At least one service was up.
    AnyService,
    /// At least one web component was up.
    AnyWeb,
    /// No server was down.
    All,
}

impl ClusterAim {
    pub const ALL: [Self; 3] = [Self::AnyService, Self::AnyWeb, Self::All];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AnyService => "any_service",
            Self::AnyWeb => "any_web",
            Self::All => "all",
        }
    }

    /// What was observed of a cluster, from what was observed of several parts of it.
    pub fn of_parts<'a>(self, parts: impl Iterator<Item = &'a [Observation]>) -> Vec<Observation> {
        combine(parts, if self == Self::All { WORST_FIRST } else { BEST_FIRST })
    }
}

/// What was observed of each component of a cluster over a span.
#[derive(Clone, Debug)]
pub struct Observations {
    pub span: Interval,
    /// In the order of the components.
    pub components: Vec<(ServerName, Role, Vec<Observation>)>,
}

impl ClusterHistory {
    /// What was observed over a span, as it is known at `now`: whether a silence at its end became stale may show only later.
    pub fn observations(&self, span: Interval, now: Timestamp) -> Observations {
        let components = self.components.iter().map(|(key, component)| {
            let silences = component.silences_in(span);
            let last = silences.last().map_or(span.until, |last| last.end.min(now));
            let judged = Interval { until: last.max(span.until), ..span };
            let segments = self.timeline(key.role, component, judged);
            (key.server.clone(), key.role, observed(&segments, &silences, span))
        });
        Observations { span, components: components.collect() }
    }

    /// The states of a component over a span that ends now, and what was observed of it.
    pub fn timeline_and_observations(
        &self,
        role: Role,
        component: &ComponentHistory,
        span: Interval,
    ) -> (Vec<Segment>, Vec<Observation>) {
        let segments = self.timeline(role, component, span);
        let observed = observed(&segments, &component.silences_in(span), span);
        (segments, observed)
    }
}

/// What was observed over a span. `segments`: until now, or until the last silence of the span ended.
fn observed(segments: &[Segment], silences: &[Silence], span: Interval) -> Vec<Observation> {
    let mut observed: Vec<Observation> = Vec::new();
    for segment in segments {
        let what = match segment.state {
            PastState::Absent | PastState::Forgotten => Observed::Unknown,
            PastState::Pulse(Pulse::Unknown) => Observed::Blind,
            PastState::Pulse(Pulse::Alive | Pulse::Late) => Observed::Up,
            PastState::Pulse(Pulse::Stale) => {
                mark_down(&mut observed, silences, *segment, span);
                Observed::Down
            }
            PastState::Pulse(Pulse::Stopped) => Observed::Stopped,
        };
        push(&mut observed, (segment.from, what));
    }
    observed.truncate(observed.partition_point(|(from, _)| *from < span.until));
    observed
}

fn push(observed: &mut Vec<Observation>, next: Observation) {
    if observed.last().is_none_or(|(_, before)| *before != next.1) {
        observed.push(next);
    }
}

/// What was up since the last heartbeat before a stale segment was down already.
fn mark_down(
    observed: &mut Vec<Observation>,
    silences: &[Silence],
    stale: Segment,
    span: Interval,
) {
    let Some(silence) = last_begun(silences, stale.from) else { return };
    let start = silence.start.max(span.from);
    let first = observed.partition_point(|(from, _)| *from <= start).saturating_sub(1);
    for (from, what) in observed.split_off(first) {
        if what == Observed::Up {
            if from < start {
                push(observed, (from, Observed::Up));
            }
            push(observed, (from.max(start), Observed::Down));
        } else {
            push(observed, (from, what));
        }
    }
}

impl Observations {
    /// Of each server: down while one of its components is, up while one is and none is down. A stale web component beside a
    /// service that is up does not make its server down: nobody asks it for anything.
    pub fn by_server(&self) -> BTreeMap<&ServerName, Vec<Observation>> {
        let servers = self.components.chunk_by(|(a, ..), (b, ..)| a == b);
        let of_server = |components: &'_ [(ServerName, Role, Vec<Observation>)]| {
            let observed = components.iter().map(|(_, role, observed)| (*role, &**observed));
            combine_roles(&observed.collect::<Vec<_>>(), |parts| {
                let service = parts.iter().find(|(role, _)| *role == Role::Service);
                let is_up = service.is_some_and(|(_, what)| *what == Observed::Up);
                let is_idle =
                    |role: Role, what| role == Role::Web && what == Observed::Down && is_up;
                let parts = parts.iter().filter(|(role, what)| !is_idle(*role, *what));
                first_of(WORST_FIRST, parts.map(|(_, what)| *what))
            })
        };
        servers
            .filter_map(|components| Some((&components.first()?.0, of_server(components))))
            .collect()
    }

    /// Of the cluster.
    pub fn of_cluster(&self, aim: ClusterAim) -> Vec<Observation> {
        let any = |wanted: Role| {
            let components = self.components.iter().filter(|(_, role, _)| *role == wanted);
            aim.of_parts(components.map(|(.., observed)| &**observed))
        };
        match aim {
            ClusterAim::AnyService => any(Role::Service),
            ClusterAim::AnyWeb => any(Role::Web),
            ClusterAim::All => aim.of_parts(self.by_server().values().map(Vec::as_slice)),
        }
    }
}

/// What several are together: the first of these that one of them is, otherwise unknown.
type Ranks = [Observed; 3];

const WORST_FIRST: Ranks = [Observed::Down, Observed::Up, Observed::Blind];
const BEST_FIRST: Ranks = [Observed::Up, Observed::Down, Observed::Blind];

fn rank(ranks: Ranks, what: Observed) -> Option<usize> {
    let what = if what == Observed::Stopped { Observed::Down } else { what };
    ranks.iter().position(|one| *one == what)
}

fn first_of(ranks: Ranks, parts: impl Iterator<Item = Observed>) -> Observed {
    let first = parts.filter_map(|what| rank(ranks, what)).min();
    first.and_then(|first| ranks.get(first).copied()).unwrap_or(Observed::Unknown)
}

/// What several are together over time: at each turn only what turned is looked at, because there may be thousands.
fn combine<'a>(parts: impl Iterator<Item = &'a [Observation]>, ranks: Ranks) -> Vec<Observation> {
    let mut turns: Vec<(Timestamp, Option<usize>, Option<usize>)> = Vec::new();
    for observed in parts {
        let mut before = None;
        for (at, what) in observed {
            let now = rank(ranks, *what);
            turns.push((*at, before, now));
            before = now;
        }
    }
    turns.sort_by_key(|(at, ..)| *at);
    let mut counts = [0_usize; 3];
    let mut observed: Vec<Observation> = Vec::new();
    for same in turns.chunk_by(|(a, ..), (b, ..)| a == b) {
        let Some((at, ..)) = same.first() else { continue };
        for (_, _, now) in same {
            if let Some(count) = now.and_then(|now| counts.get_mut(now)) {
                *count += 1;
            }
        }
        for (_, before, _) in same {
            if let Some(count) = before.and_then(|before| counts.get_mut(before)) {
                *count -= 1;
            }
        }
        let first = ranks.into_iter().zip(counts).find(|(_, count)| *count > 0);
        push(&mut observed, (*at, first.map_or(Observed::Unknown, |(what, _)| what)));
    }
    observed
}

/// What follows for a server from what its components are at the same time.
fn combine_roles(
    parts: &[(Role, &[Observation])],
    judge: impl Fn(&[(Role, Observed)]) -> Observed,
) -> Vec<Observation> {
    let mut turns: Vec<(Timestamp, usize, Observed)> = parts
        .iter()
        .enumerate()
        .flat_map(|(part, (_, observed))| observed.iter().map(move |(at, what)| (*at, part, *what)))
        .collect();
    turns.sort_by_key(|(at, ..)| *at);
    let mut now: Vec<(Role, Observed)> =
        parts.iter().map(|(role, _)| (*role, Observed::Unknown)).collect();
    let mut observed: Vec<Observation> = Vec::new();
    for same in turns.chunk_by(|(a, ..), (b, ..)| a == b) {
        let Some((at, ..)) = same.first() else { continue };
        for (_, part, what) in same {
            if let Some((_, of_part)) = now.get_mut(*part) {
                *of_part = *what;
            }
        }
        push(&mut observed, (*at, judge(&now)));
    }
    observed
}
