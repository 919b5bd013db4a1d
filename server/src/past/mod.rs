//! What was, at a moment or over a span? The history is read in one transaction, a part of the components at a time, and
//! judged away from the threads that answer requests.

mod events;

use std::collections::BTreeSet;
use std::sync::Arc;

use app::cluster::history::{
    ClusterHistory, ComponentHistory, Interval, Observations, StaleCounts, Timeouts,
};
use app::cluster::{ServerName, Snapshot, Span, Timestamp};
use tokio::sync::{Semaphore, mpsc};

use self::events::Windows;
pub(crate) use self::events::{EventFilter, EventQuery, FoundEvents, Side};
use crate::live::LiveState;
use crate::store::task::run_to_end;
use crate::store::{HistoryQuery, StoreError};
use crate::telemetry::log_limit::LogLimit;

/// So many questions are worked on at a time: each reads a part of the database and keeps a core busy.
const MAX_AT_ONCE: usize = 2;
/// So far before a moment its events are known from what is read of the moment.
const NEAR: Span = Span::minutes(60);

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

/// A moment, and where the events next to it are.
#[derive(Clone, Debug)]
pub(crate) struct NearMoment {
    pub(crate) snapshot: Snapshot,
    /// The moment of the last event before it.
    pub(crate) earlier: Option<Timestamp>,
    /// The moment of the first event after it.
    pub(crate) later: Option<Timestamp>,
}

/// What some parts of a history say of a moment.
struct Near {
    begins: Timestamp,
    snapshot: Option<Snapshot>,
    earlier: Option<Timestamp>,
    later: Option<Timestamp>,
    /// Before this moment no event after the moment is missing.
    known_until: Timestamp,
}

impl Near {
    fn new(now: Timestamp) -> Self {
        let (begins, known_until) = (Timestamp::default(), now);
        Self { begins, snapshot: None, earlier: None, later: None, known_until }
    }
}

fn add_part(known: &mut Option<Snapshot>, next: Snapshot) {
    match known {
        Some(known) => known.add_part(next),
        None => *known = Some(next),
    }
}

/// Until when all is known that happened to these components after a moment of which the history was read: until the second
/// record after it.
fn known_until(part: &ClusterHistory, at: Timestamp) -> Timestamp {
    let second = |component: &ComponentHistory| {
        component.records.iter().filter(|record| record.at > at).nth(1).map(|record| record.at)
    };
    part.components.values().filter_map(second).min().unwrap_or(Timestamp::MAX)
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

    /// All servers of which something is recorded.
    pub(crate) async fn servers(&self) -> Result<BTreeSet<ServerName>, PastError> {
        let servers = self.live.store().recorded_servers().await;
        servers.map_err(|error| unreadable(&error))
    }

    /// The facts as they stood at a moment.
    pub(crate) async fn snapshot(&self, at: Timestamp) -> Result<Snapshot, PastError> {
        if at > self.live.now() {
            return Err(PastError::Future);
        }
        let moment = Interval { from: at, until: at };
        let first = (Timestamp::default(), None::<Snapshot>);
        let folded = self.fold(moment, None, first, move |(begins, known), part| {
            *begins = part.begins;
            if at >= part.begins {
                add_part(known, part.snapshot(at));
            }
        });
        let (begins, snapshot) = folded.await?;
        snapshot.ok_or(PastError::BeforeRecord { begins })
    }

    /// The facts as they stood at a moment, and where the events next to it are. Nearly always one read says all: what is read
    /// of a moment has the hour before it, and of each component what happened next.
    pub(crate) async fn near(&self, at: Timestamp) -> Result<NearMoment, PastError> {
        let now = self.live.now();
        if at > now {
            return Err(PastError::Future);
        }
        let before = Interval { from: at - NEAR, until: at };
        let moment = Interval { from: at, until: at };
        let folded = self.fold(moment, None, Near::new(now), move |near, part| {
            near.begins = part.begins;
            if at < part.begins {
                return;
            }
            add_part(&mut near.snapshot, part.snapshot(at));
            let after = Interval { from: at + Span::TICK, until: known_until(part, at).min(now) };
            near.known_until = near.known_until.min(after.until);
            let last = part.events(before).first().map(|event| event.at);
            near.earlier = near.earlier.max(last);
            let next = part.events(after).last().map(|event| event.at);
            near.later = [near.later, next].into_iter().flatten().min();
        });
        let Near { begins, snapshot, earlier, later, known_until } = folded.await?;
        let snapshot = snapshot.ok_or(PastError::BeforeRecord { begins })?;
        let later = later.filter(|later| *later < known_until);
        let nearest = async |from, until, first| {
            let span = Interval { from, until };
            let filter: EventFilter = Arc::new(|_| true);
            let query = EventQuery { span, server: None, filter, before: None, limit: 1 };
            let found = self.search(query, first, 1).await?;
            Ok::<_, PastError>(found.events.first().map(|event| event.at))
        };
        let earlier = match earlier {
            Some(earlier) => Some(earlier),
            None => nearest(begins, before.from, Side::Newest).await?,
        };
        let later = match later {
            Some(later) => Some(later),
            None => nearest(known_until.max(at + Span::TICK), now, Side::Oldest).await?,
        };
        Ok(NearMoment { snapshot, earlier, later })
    }

    pub(crate) async fn events(&self, query: EventQuery) -> Result<FoundEvents, PastError> {
        // One more says that there are more.
        let enough = query.limit + 1;
        self.search(query, Side::Newest, enough).await
    }

    /// Looks for events from one side of the span until there are `enough`.
    async fn search(
        &self,
        query: EventQuery,
        first: Side,
        enough: usize,
    ) -> Result<FoundEvents, PastError> {
        let servers = query.server.clone().map(|server| vec![server]);
        let mut rest = query.span;
        if let Some(before) = query.before {
            rest.until = rest.until.min(before.at() + Span::TICK);
        }
        let mut found = FoundEvents::none_since(query.span.from);
        let mut windows = Windows::new(rest, first);
        while let Some(window) = windows.next() {
            let wanted = query.clone();
            let step = move |found: &mut FoundEvents, part: &ClusterHistory| {
                found.add(&wanted, window, first, part);
            };
            let next = self.fold(window, servers.clone(), FoundEvents::default(), step).await?;
            found.extend(next, query.limit, first);
            if found.events.len() + usize::from(found.has_more) >= enough {
                break;
            }
            windows.begin_at(found.begins);
        }
        Ok(found)
    }

    /// What was observed over a span; what was before the record is unknown.
    pub(crate) async fn observations(
        &self,
        span: Interval,
    ) -> Result<(Timestamp, Observations), PastError> {
        let now = self.live.now();
        let first = (Timestamp::default(), None::<Observations>);
        let folded = self.fold(span, None, first, move |(begins, known), part| {
            *begins = part.begins;
            if part.begins >= span.until {
                return;
            }
            let next = part.observations(span, now);
            match known {
                Some(known) => known.components.extend(next.components),
                None => *known = Some(next),
            }
        });
        let (begins, observations) = folded.await?;
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
        let is_other = proposed.web_window_s != current.web_window_s;
        let nothing = |timeouts| (timeouts, StaleCounts::new());
        let first = Rehearsal { span, current: nothing(current), proposed: nothing(proposed) };
        let folded = self.fold(span, None, Ok(first), move |rehearsed, part| {
            let Ok(rehearsal) = rehearsed else { return };
            let span = Interval { from: span.from.max(part.begins), ..span };
            let min = part.min_web_window(span);
            if is_other && Span::seconds(proposed.web_window_s.into()) < min {
                *rehearsed = Err(RehearsalError::WebWindow { min });
                return;
            }
            rehearsal.span = span;
            for (timeouts, counts) in [&mut rehearsal.current, &mut rehearsal.proposed] {
                for (server, times) in part.rehearse(*timeouts, span) {
                    *counts.entry(server).or_default() += times;
                }
            }
        });
        folded.await.map_err(RehearsalError::Past)?
    }

    /// Reads the history of a span in parts and folds them: each is the history of some of the components, and while it is judged
    /// the next one is read.
    pub(crate) async fn fold<T: Send + 'static>(
        &self,
        span: Interval,
        servers: Option<Vec<ServerName>>,
        first: T,
        mut step: impl FnMut(&mut T, &ClusterHistory) + Send + 'static,
    ) -> Result<T, PastError> {
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        let slot = slot.map_err(|_| PastError::Unreadable)?;
        let query = HistoryQuery { from: span.from, until: span.until, servers };
        let store = Arc::clone(self.live.store());
        // It keeps its slot until it is done, even if its client has gone.
        run_to_end(async move {
            let (parts, mut received) = mpsc::channel(1);
            let judge = tokio::task::spawn_blocking(move || {
                let mut folded = first;
                while let Some(part) = received.blocking_recv() {
                    step(&mut folded, &part);
                }
                folded
            });
            let read = store.read_history(query, parts).await;
            let judged = judge.await;
            drop(slot);
            read.map_err(|error| unreadable(&error))?;
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

#[cfg(test)]
mod tests;
