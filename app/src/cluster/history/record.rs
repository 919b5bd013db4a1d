//! What is recorded when a component changes: what its row says afterwards, and the silences that ended.
//!
//! A heartbeat that changes nothing and ends no silence records nothing. Whatever happens to a component within one minute
//! shares one record, so that a process that crashes every second costs a record a minute.

use std::cmp::Reverse;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cluster::boot::Address;
use crate::cluster::component::{Component, ComponentFacts};
use crate::cluster::component_key::{ComponentKey, Role};
use crate::cluster::interruptions::Start;
use crate::cluster::observation::{BlindPeriod, silence};
use crate::cluster::pulse::LastHeartbeat;
use crate::cluster::time::{Span, Timestamp};

/// What happens within so long of the first change shares its record, if it is the same minute.
const MINUTE_MS: i64 = 60_000;
/// How many silences a record keeps, the longest.
const MAX_SILENCES: usize = 20;
/// How many of its first starts a record keeps: with as many a restart loop begins, at a moment that later ones do not move.
const FIRST_STARTS: usize = 3;
/// How many of its last starts it keeps: as many as a component's row.
const LAST_STARTS: usize = 10;
/// Of the returns it keeps the first, and so many of the last: as many as make a duplicate name.
const LAST_RETURNS: usize = 3;
/// A web component's silence is recorded from this part of the web window on.
pub const PART_OF_WEB_WINDOW: i64 = 24;

/// What happened to one component within a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentRecord {
    pub key: ComponentKey,
    /// The first moment at which something happened.
    pub at: Timestamp,
    /// The last one.
    pub until: Timestamp,
    /// What is known of it from [`Self::state_at`] on, if that changed: after the last change.
    pub state: Option<RecordedState>,
    /// When the state first changed.
    pub state_at: Timestamp,
    /// How often it did.
    pub states: u32,
    /// What it reported after the first change, if that is not what it reports after the last.
    pub first_facts: Option<Arc<ComponentFacts>>,
    /// The silences that ended, in order.
    pub silences: Vec<Silence>,
    /// The first and the last starts of its process, in order.
    pub starts: Vec<Start>,
    /// How many there were.
    pub start_count: u32,
    /// The first and the last returns to a former boot, in order.
    pub returns: Vec<Return>,
    /// How many there were.
    pub return_count: u32,
}

/// What was known of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordedState {
    /// It reported this.
    Present {
        facts: Arc<ComponentFacts>,
        /// How it came, if it was not there before.
        arrival: Option<ArrivalKind>,
    },
    /// It was removed.
    Removed,
}

impl RecordedState {
    /// What it reported; `None` if it was removed.
    pub(super) fn facts(&self) -> Option<&Arc<ComponentFacts>> {
        match self {
            Self::Present { facts, .. } => Some(facts),
            Self::Removed => None,
        }
    }
}

/// How a component came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArrivalKind {
    /// For the first time, or as a new process after a removal.
    New,
    /// With the boot it had been removed with.
    Back,
}

/// A time without heartbeats that is long enough to matter under any setting, or that began with a clean stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Silence {
    /// The last heartbeat before it.
    pub start: Timestamp,
    /// The first heartbeat after it, or the removal.
    pub end: Timestamp,
    /// The interval that the answer to the heartbeat before it named.
    pub interval: Span,
    /// The heartbeat before it said that the process was stopping.
    pub stopped: bool,
}

impl Silence {
    /// The heartbeat before it, of a component with this role.
    pub(super) fn last_heartbeat(self, role: Role) -> LastHeartbeat {
        let Self { start, interval, stopped, .. } = self;
        LastHeartbeat { role, at: start, interval, stopped }
    }
}

/// The last of these silences, which are in order, that has begun at a moment.
pub(super) fn last_begun(silences: &[Silence], moment: Timestamp) -> Option<Silence> {
    let begun = silences.partition_point(|silence| silence.start <= moment);
    silences.split_at(begun).0.last().copied()
}

/// A former boot that is current again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Return {
    pub at: Timestamp,
    pub ip: Address,
}

impl ComponentRecord {
    /// What a heartbeat that made `after` of `before` records, if anything. `before`: the component with the same key, if it
    /// was not removed. `min_web_window`: the shortest web window in force since its last heartbeat.
    pub fn of_heartbeat(
        before: Option<&Component>,
        after: &Component,
        min_web_window: Span,
        blind_periods: &[BlindPeriod],
    ) -> Option<Self> {
        let at = after.last_heartbeat;
        let mut record = Self::empty(after.key(), at);
        // A row of the overview about itself that another process replaces begins anew.
        let known = before.filter(|known| known.first_seen == after.first_seen);
        let arrival = match (known, after.came_back) {
            (Some(_), _) => None,
            (None, Some(_)) => Some(ArrivalKind::Back),
            (None, None) => Some(ArrivalKind::New),
        };
        if known.is_none_or(|known| known.facts != after.facts) {
            let facts = Arc::clone(&after.facts);
            record.state = Some(RecordedState::Present { facts, arrival });
            record.states = 1;
        }
        if let Some(known) = before {
            record.silences.extend(ended_silence(known, at, min_web_window, blind_periods));
        }
        if let Some(known) = known {
            // Two starts of one moment may be equal: then there are more of them.
            let starts = &after.interruptions.starts;
            let is_new = *starts != known.interruptions.starts;
            record.starts.extend(starts.last().filter(|_| is_new));
        }
        let returns = &after.boots.returns;
        if returns.last() == Some(&at) && known.is_none_or(|known| known.boots.returns != *returns)
        {
            record.returns.push(Return { at, ip: after.facts.ip.clone() });
        }
        record.start_count = u32::from(!record.starts.is_empty());
        record.return_count = u32::from(!record.returns.is_empty());
        record.says_something().then_some(record)
    }

    /// What a removal at `at` records.
    pub fn of_removal(
        removed: &Component,
        at: Timestamp,
        min_web_window: Span,
        blind_periods: &[BlindPeriod],
    ) -> Self {
        let silence = ended_silence(removed, at, min_web_window, blind_periods);
        Self {
            state: Some(RecordedState::Removed),
            states: 1,
            silences: silence.into_iter().collect(),
            ..Self::empty(removed.key(), at)
        }
    }

    /// Nothing that happened at a moment.
    pub fn empty(key: ComponentKey, at: Timestamp) -> Self {
        Self {
            key,
            at,
            until: at,
            state: None,
            state_at: at,
            states: 0,
            first_facts: None,
            silences: Vec::new(),
            starts: Vec::new(),
            start_count: 0,
            returns: Vec::new(),
            return_count: 0,
        }
    }

    fn says_something(&self) -> bool {
        self.state.is_some()
            || [self.silences.len(), self.starts.len(), self.returns.len()] != [0; 3]
    }

    /// Whether several things share it. Such records go first when a component has too many.
    pub fn is_shared(&self) -> bool {
        let counts = [self.states, self.start_count, self.return_count];
        self.silences.len() > 1 || counts.iter().any(|count| *count > 1)
    }

    /// Adds what happened next, if that shares this record: in the same minute, unless the component came or went.
    ///
    /// # Errors
    /// Gives `next` back if it needs a record of its own.
    pub fn add(&mut self, next: Self) -> Result<(), Box<Self>> {
        let minute = |record: &Self| record.at.0.div_euclid(MINUTE_MS);
        let is_of_another = self.key != next.key || minute(self) != minute(&next);
        if is_of_another || self.comes_or_goes() || next.comes_or_goes() {
            return Err(Box::new(next));
        }
        self.until = next.until;
        if let Some(state) = next.state {
            self.add_state(state, next.state_at);
        }
        self.states += next.states;
        self.silences.extend(next.silences);
        while self.silences.len() > MAX_SILENCES {
            let lengths = self.silences.iter().enumerate();
            let shortest =
                lengths.min_by_key(|(place, one)| (one.end - one.start, Reverse(*place)));
            let Some((place, _)) = shortest else { break };
            self.silences.remove(place);
        }
        self.starts.extend(next.starts);
        keep_first_and_last(&mut self.starts, FIRST_STARTS, LAST_STARTS);
        self.start_count += next.start_count;
        self.returns.extend(next.returns);
        keep_first_and_last(&mut self.returns, 1, LAST_RETURNS);
        self.return_count += next.return_count;
        Ok(())
    }

    fn add_state(&mut self, next: RecordedState, at: Timestamp) {
        let before = self.state.as_ref().and_then(RecordedState::facts);
        // What it reported at the very moment at which it reports something else is not kept.
        let before = before.filter(|_| at > self.state_at).cloned();
        let first = self.first_facts.take().or(before);
        if self.state.is_none() {
            self.state_at = at;
        }
        self.first_facts = first.filter(|first| next.facts() != Some(first));
        self.state = Some(next);
    }

    /// The last moment of the minute of this record.
    pub(super) fn last_moment(&self) -> Timestamp {
        Timestamp((self.at.0.div_euclid(MINUTE_MS) + 1) * MINUTE_MS) - Span::TICK
    }

    /// Whether the component came or went: all that was known of it before no longer counts.
    pub(super) fn comes_or_goes(&self) -> bool {
        match &self.state {
            Some(RecordedState::Removed) => true,
            Some(RecordedState::Present { arrival, .. }) => arrival.is_some(),
            None => false,
        }
    }

    /// Everything but the key, the moment and the state, in short: times as milliseconds after [`Self::at`].
    ///
    /// # Errors
    /// Never: every value has a form in JSON.
    pub fn changes_as_json(&self) -> Result<String, serde_json::Error> {
        let after = |moment: Timestamp| (moment - self.at).0;
        let silence =
            |one: &Silence| (after(one.start), after(one.end), one.interval.0, one.stopped);
        let start = |one: &Start| {
            let Start { at, ran, silence, stopped_cleanly, new_version } = *one;
            (after(at), ran.0, silence.0, stopped_cleanly, new_version)
        };
        serde_json::to_string(&Changes {
            until: after(self.until),
            state: (after(self.state_at), self.states),
            first_facts: self.first_facts.clone(),
            silences: self.silences.iter().map(silence).collect(),
            starts: self.starts.iter().map(start).collect(),
            start_count: self.start_count,
            returns: self.returns.iter().map(|one| (after(one.at), one.ip.clone())).collect(),
            return_count: self.return_count,
        })
    }

    /// Reads a record as [`Self::changes_as_json`] wrote it.
    ///
    /// # Errors
    /// The text is nothing that it writes.
    pub fn from_json(
        key: ComponentKey,
        at: Timestamp,
        state: Option<RecordedState>,
        changes: &str,
    ) -> Result<Self, serde_json::Error> {
        let read: Changes = serde_json::from_str(changes)?;
        let Changes { until, state: (state_at, states), silences, starts, returns, .. } = read;
        let first_facts = read.first_facts;
        let after = |ms: i64| at + Span(ms);
        let silence = |(start, end, interval, stopped)| Silence {
            start: after(start),
            end: after(end),
            interval: Span(interval),
            stopped,
        };
        let start = |(start, ran, silence, stopped_cleanly, new_version)| Start {
            at: after(start),
            ran: Span(ran),
            silence: Span(silence),
            stopped_cleanly,
            new_version,
        };
        Ok(Self {
            key,
            at,
            until: after(until),
            state,
            state_at: after(state_at),
            states,
            first_facts,
            silences: silences.into_iter().map(silence).collect(),
            starts: starts.into_iter().map(start).collect(),
            start_count: read.start_count,
            returns: returns.into_iter().map(|(ms, ip)| Return { at: after(ms), ip }).collect(),
            return_count: read.return_count,
        })
    }
}

/// The form of a record in the database: what is nothing is left out, and all times are milliseconds after the record's own.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Changes {
    #[serde(skip_serializing_if = "is_default")]
    until: i64,
    /// When the state first changed, and how often.
    #[serde(skip_serializing_if = "is_default")]
    state: (i64, u32),
    #[serde(skip_serializing_if = "is_default")]
    first_facts: Option<Arc<ComponentFacts>>,
    /// Start, end, heartbeat interval, whether it began with a clean stop.
    #[serde(skip_serializing_if = "is_default")]
    silences: Vec<(i64, i64, i64, bool)>,
    /// Moment, how long the process before it ran, silence before it, whether that began with a clean stop, another version.
    #[serde(skip_serializing_if = "is_default")]
    starts: Vec<(i64, i64, i64, bool, bool)>,
    #[serde(skip_serializing_if = "is_default")]
    start_count: u32,
    #[serde(skip_serializing_if = "is_default")]
    returns: Vec<(i64, Address)>,
    #[serde(skip_serializing_if = "is_default")]
    return_count: u32,
}

fn keep_first_and_last<T>(kept: &mut Vec<T>, first: usize, last: usize) {
    if let Some(excess) = kept.len().checked_sub(first + last) {
        kept.drain(first..first + excess);
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The silence of a component that ends at `end`, if it is to be recorded: within twice its heartbeat interval no pulse
/// can turn, whatever the settings are. Of a web component, which reports only on requests, also a part of the web window is
/// too short to matter.
fn ended_silence(
    known: &Component,
    end: Timestamp,
    min_web_window: Span,
    blind_periods: &[BlindPeriod],
) -> Option<Silence> {
    let (start, interval, stopped) = (known.last_heartbeat, known.told_interval, known.stopped);
    let limit = match known.role {
        Role::Service => interval.times(2),
        Role::Web => interval.times(2).max(Span(min_web_window.0 / PART_OF_WEB_WINDOW)),
    };
    let is_long = silence(start, end, blind_periods) > limit;
    (end > start && (stopped || is_long)).then_some(Silence { start, end, interval, stopped })
}
