//! Which events are looked for, and where first?

use std::cmp::Reverse;
use std::sync::Arc;

use app::cluster::history::{ClusterHistory, ComponentHistory, Event, EventId, Interval};
use app::cluster::{ComponentKey, ServerName, Span, Timestamp};

/// Events are looked for so far back at first, and four times as far each time that there are too few.
const FIRST_WINDOW: Span = Span::minutes(24 * 60);

/// Which events are wanted.
#[derive(Clone)]
pub(crate) struct EventQuery {
    pub(crate) span: Interval,
    /// Only events of this server.
    pub(crate) server: Option<ServerName>,
    /// Which of these.
    pub(crate) filter: EventFilter,
    /// Only events before this one.
    pub(crate) before: Option<EventId>,
    pub(crate) limit: usize,
}

pub(crate) type EventFilter = Arc<dyn Fn(&Event) -> bool + Send + Sync>;

impl EventQuery {
    fn wants(&self, event: &Event) -> bool {
        let is_before = self.before.is_none_or(|before| event.id() < before);
        is_before && event.is_about(self.server.as_ref(), None) && (self.filter)(event)
    }
}

/// Events, newest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct FoundEvents {
    /// The beginning of the record.
    pub(crate) begins: Timestamp,
    /// From this moment on all are there. It is later than the beginning if records of the server were deleted.
    pub(crate) complete_since: Timestamp,
    pub(crate) events: Vec<Event>,
    /// Whether there are earlier ones.
    pub(crate) has_more: bool,
    /// Each part of a history repeats the events of the cluster.
    has_cluster_events: bool,
}

impl FoundEvents {
    /// None yet in a record that begins then.
    pub(super) fn none_since(begins: Timestamp) -> Self {
        Self { begins, complete_since: begins, ..Self::default() }
    }

    /// Adds the events of a span from a part of the history: those that the query wants, and of them only the first ones from
    /// this side.
    pub(crate) fn add(
        &mut self,
        query: &EventQuery,
        span: Interval,
        first: Side,
        part: &ClusterHistory,
    ) {
        self.begins = part.begins;
        let of_server = |(key, component): (&ComponentKey, &ComponentHistory)| {
            let is_asked = query.server.as_ref() == Some(&key.server);
            component.complete_since.filter(|_| is_asked)
        };
        let trimmed = part.components.iter().filter_map(of_server);
        self.complete_since = trimmed.fold(self.complete_since.max(part.begins), Timestamp::max);
        let mut windows = Windows::new(span, first);
        loop {
            windows.rest = self.open_part(windows.rest, query.limit, first);
            let Some(window) = windows.next() else { break };
            let is_known = |event: &Event| self.has_cluster_events && event.subject.is_none();
            let new = part.events(window).into_iter();
            self.events.extend(new.filter(|event| !is_known(event) && query.wants(event)));
            self.cut(query.limit, first);
        }
        self.has_cluster_events = true;
    }

    /// The part of a span in which an event can still be one of the first ones.
    pub(super) fn open_part(&self, span: Interval, limit: usize, first: Side) -> Interval {
        if !self.has_more || self.events.len() < limit {
            return span;
        }
        match first {
            Side::Newest => {
                let last = self.events.last().map_or(span.from, |event| event.at);
                Interval { from: span.from.max(last), ..span }
            }
            Side::Oldest => {
                let last = self.events.first().map_or(span.until, |event| event.at + Span::TICK);
                Interval { until: span.until.min(last), ..span }
            }
        }
    }

    /// Adds what was found in the next span.
    pub(super) fn extend(&mut self, next: Self, limit: usize, first: Side) {
        self.events.extend(next.events);
        self.has_more |= next.has_more;
        (self.begins, self.complete_since) = (next.begins, next.complete_since);
        self.cut(limit, first);
    }

    /// Keeps so many from this side.
    fn cut(&mut self, limit: usize, first: Side) {
        self.events.sort_by_cached_key(|event| Reverse(event.id()));
        let too_many = self.events.len().saturating_sub(limit);
        self.has_more |= too_many > 0;
        match first {
            Side::Newest => self.events.truncate(limit),
            Side::Oldest => drop(self.events.drain(..too_many)),
        }
    }
}

/// From which side of a span events are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Newest,
    Oldest,
}

/// The windows of a span that are looked through one after the other, each four times as long as the one before.
pub(super) struct Windows {
    rest: Interval,
    first: Side,
    length: Span,
}

impl Windows {
    pub(super) fn new(span: Interval, first: Side) -> Self {
        Self { rest: span, first, length: FIRST_WINDOW }
    }

    /// Nothing earlier needs to be looked through.
    pub(super) fn begin_at(&mut self, at: Timestamp) {
        self.rest.from = self.rest.from.max(at);
    }
}

impl Iterator for Windows {
    type Item = Interval;

    fn next(&mut self) -> Option<Interval> {
        let Interval { from, until } = self.rest;
        if from >= until {
            return None;
        }
        let window = match self.first {
            Side::Newest => Interval { from: from.max(until - self.length), until },
            Side::Oldest => Interval { from, until: until.min(from + self.length) },
        };
        match self.first {
            Side::Newest => self.rest.until = window.from,
            Side::Oldest => self.rest.from = window.until,
        }
        self.length = self.length.times(4);
        Some(window)
    }
}
