//! What was, at a moment or over a span? The history is read in one transaction, and judged away from the threads that answer
//! requests.

use std::sync::Arc;

use app::cluster::history::{
    ClusterHistory, Event, EventId, Interval, Observations, StaleCounts, Timeouts,
};
use app::cluster::{ServerName, Snapshot, Span, Timestamp};
use tokio::sync::Semaphore;

use crate::live::LiveState;
use crate::store::task::run_to_end;
use crate::store::{HistoryQuery, StoreError};
use crate::telemetry::log_limit::LogLimit;

/// So many questions are worked on at a time: each reads a part of the database and keeps a core busy.
const MAX_AT_ONCE: usize = 2;
/// Events are looked for so far back at first, and four times as far each time that there are too few.
const FIRST_WINDOW: Span = Span::minutes(24 * 60);

/// Answers questions about the past.
#[derive(Debug)]
pub(crate) struct Past {
    live: Arc<LiveState>,
    slots: Arc<Semaphore>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PastError {
    /// The moment is later than now.
    Future,
    /// Nothing is recorded before this moment.
    BeforeRecord { begins: Timestamp },
    /// The database cannot be read.
    Unreadable,
}

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

    /// The events of a span that are wanted, newest first.
    fn choose(&self, history: &ClusterHistory, span: Interval) -> Vec<Event> {
        let mut events = history.events(span);
        events.retain(|event| self.wants(event));
        events
    }

    /// The answer from a history of the whole span.
    pub(crate) fn find(&self, history: &ClusterHistory) -> FoundEvents {
        FoundEvents::new(history.begins, self.choose(history, self.span), self.limit)
    }
}

/// Events, newest first.
#[derive(Clone, Debug)]
pub(crate) struct FoundEvents {
    /// The beginning of the record.
    pub(crate) begins: Timestamp,
    pub(crate) events: Vec<Event>,
    /// Whether there are earlier ones.
    pub(crate) has_more: bool,
}

impl FoundEvents {
    fn new(begins: Timestamp, mut events: Vec<Event>, limit: usize) -> Self {
        let has_more = events.len() > limit;
        events.truncate(limit);
        Self { begins, events, has_more }
    }
}

/// How two pairs of timeouts would have judged a span.
#[derive(Clone, Debug)]
pub(crate) struct Rehearsal {
    pub(crate) span: Interval,
    pub(crate) current: (Timeouts, StaleCounts),
    pub(crate) proposed: (Timeouts, StaleCounts),
}

/// Why timeouts cannot be rehearsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RehearsalError {
    Past(PastError),
    /// Silences of web components are recorded only from this length on.
    WebWindow {
        min: Span,
    },
}

impl Past {
    pub(crate) fn new(live: Arc<LiveState>) -> Self {
        Self { live, slots: Arc::new(Semaphore::new(MAX_AT_ONCE)) }
    }

    /// The facts as they stood at a moment.
    pub(crate) async fn snapshot(&self, at: Timestamp) -> Result<Snapshot, PastError> {
        if at > self.live.now() {
            return Err(PastError::Future);
        }
        let snapshot = self.ask(Interval { from: at, until: at }, None, move |history| {
            (at >= history.begins).then(|| history.snapshot(at)).ok_or(history.begins)
        });
        snapshot.await?.map_err(|begins| PastError::BeforeRecord { begins })
    }

    /// The moments of the last event before a moment and of the first one after it.
    pub(crate) async fn neighbours(
        &self,
        at: Timestamp,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>), PastError> {
        let query = |span| EventQuery {
            span,
            server: None,
            filter: Arc::new(|_| true),
            before: None,
            limit: 1,
        };
        let before = Interval { from: Timestamp::default(), until: at };
        let earlier = self.events(query(before)).await?.events.first().map(|event| event.at);
        let (now, mut window) = (self.live.now(), FIRST_WINDOW);
        let mut from = at + Span::TICK;
        while from < now {
            let span = Interval { from, until: now.min(from + window) };
            let events = self.ask(span, None, move |history| history.events(span)).await?;
            if let Some(later) = events.last() {
                return Ok((earlier, Some(later.at)));
            }
            (from, window) = (span.until, window.times(4));
        }
        Ok((earlier, None))
    }

    pub(crate) async fn events(&self, query: EventQuery) -> Result<FoundEvents, PastError> {
        let servers = query.server.clone().map(|server| vec![server]);
        let (mut begins, mut events) = (query.span.from, Vec::new());
        let mut until = query.span.until;
        if let Some(before) = query.before {
            until = until.min(before.at() + Span::TICK);
        }
        let mut window = FIRST_WINDOW;
        let mut from = query.span.from;
        while until > from {
            let span = Interval { from: from.max(until - window), until };
            let wanted = query.clone();
            let answer = self.ask(span, servers.clone(), move |history| {
                (history.begins, wanted.choose(history, span))
            });
            let (record, found) = answer.await?;
            events.extend(found);
            (begins, from) = (record, from.max(record));
            if events.len() > query.limit {
                break;
            }
            (until, window) = (span.from, window.times(4));
        }
        Ok(FoundEvents::new(begins, events, query.limit))
    }

    /// What was observed over a span; what was before the record is unknown.
    pub(crate) async fn observations(
        &self,
        span: Interval,
    ) -> Result<(Timestamp, Observations), PastError> {
        let now = self.live.now();
        let answer = self.ask(span, None, move |history| {
            let is_recorded = history.begins < span.until;
            (history.begins, is_recorded.then(|| history.observations(span, now)))
        });
        let (begins, observations) = answer.await?;
        Ok((begins, observations.ok_or(PastError::BeforeRecord { begins })?))
    }

    /// What timeouts would have called stale over the days before now.
    pub(crate) async fn rehearse(
        &self,
        proposed: Timeouts,
        length: Span,
    ) -> Result<Rehearsal, RehearsalError> {
        let until = self.live.now();
        let span = Interval { from: until - length, until };
        let current = Timeouts::from(self.live.snapshot().settings);
        let answer = self.ask(span, None, move |history| {
            let span = Interval { from: span.from.max(history.begins), ..span };
            let min = history.min_web_window(span);
            let is_other = proposed.web_window_s != current.web_window_s;
            if is_other && Span::seconds(proposed.web_window_s.into()) < min {
                return Err(RehearsalError::WebWindow { min });
            }
            let judged = |timeouts| (timeouts, history.rehearse(timeouts, span));
            Ok(Rehearsal { span, current: judged(current), proposed: judged(proposed) })
        });
        answer.await.map_err(RehearsalError::Past)?
    }

    /// Reads the history of a span and judges it.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        span: Interval,
        servers: Option<Vec<ServerName>>,
        judge: impl FnOnce(&ClusterHistory) -> T + Send + 'static,
    ) -> Result<T, PastError> {
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.map_err(|_| PastError::Unreadable)?;
        let query = HistoryQuery { from: span.from, until: span.until, servers };
        let store = Arc::clone(self.live.store());
        // It keeps its slot until it is done, even if its client has gone.
        run_to_end(async move {
            let history = store.history(query).await.map_err(|error| unreadable(&error))?;
            let judged = tokio::task::spawn_blocking(move || judge(&history)).await;
            drop(slot);
            judged.map_err(|_| PastError::Unreadable)
        })
        .await
    }
}

fn unreadable(error: &StoreError) -> PastError {
    static READ_ERRORS: LogLimit = LogLimit::new();
    if let Some(left_out) = READ_ERRORS.check() {
        tracing::error!(%error, left_out, "cannot read the history");
    }
    PastError::Unreadable
}
