//! The records of a component, and what they say of one moment.

use std::sync::Arc;

use super::cluster_history::ClusterHistory;
use super::record::{ArrivalKind, ComponentRecord, RecordedState, Silence};
use super::timeline::Interval;
use crate::cluster::boot::{Address, Boot, BootMatch, Boots};
use crate::cluster::component::{Component, ComponentFacts};
use crate::cluster::component_key::{ComponentKey, Role};
use crate::cluster::interruptions::{Gap, Interruptions};
use crate::cluster::observation;
use crate::cluster::pulse::LastHeartbeat;
use crate::cluster::time::{Span, Timestamp};

/// What was recorded of a component, and what is known of it now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ComponentHistory {
    /// What happened before it is not known, because records were deleted; `None` if all are there.
    pub complete_since: Option<Timestamp>,
    /// In order.
    pub records: Vec<ComponentRecord>,
    /// `None` if it is removed.
    pub current: Option<Current>,
}

/// What the past needs to know of a component that is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    pub first_seen: Timestamp,
    pub last_heartbeat: Timestamp,
    /// Until the next heartbeat, as the response to the last one said.
    pub told_interval: Span,
    /// The last heartbeat said that the process was stopping.
    pub stopped: bool,
    /// When it returned with the boot it had been removed with.
    pub came_back: Option<Timestamp>,
    /// Only a moment needs them: read for a span there are none.
    pub interruptions: Interruptions,
}

impl From<&Component> for Current {
    fn from(component: &Component) -> Self {
        Self {
            first_seen: component.first_seen,
            last_heartbeat: component.last_heartbeat,
            told_interval: component.told_interval,
            stopped: component.stopped,
            came_back: component.came_back,
            interruptions: component.interruptions.clone(),
        }
    }
}

/// A change of what was known of a component.
#[derive(Clone, Copy, Debug)]
pub(super) enum StateChange<'a> {
    /// `arrival`: how it came, if it was not there before.
    Present {
        facts: &'a Arc<ComponentFacts>,
        arrival: Option<ArrivalKind>,
    },
    Removed,
}

/// A time in which a component was there.
#[derive(Clone, Copy, Debug)]
struct Presence<'a> {
    facts: &'a Arc<ComponentFacts>,
    first_seen: Timestamp,
    came_back: Option<Timestamp>,
    /// Its boots are known from then on: a component that comes back after a removal still has those from before.
    boots_since: Timestamp,
}

impl ComponentHistory {
    /// The moments at which something about it changed.
    pub(super) fn moments_of_change(&self) -> impl Iterator<Item = Timestamp> {
        self.records.iter().flat_map(|record| [record.at, record.until])
    }

    /// Its silences, in order, with the one that goes on.
    pub(super) fn silences(&self) -> impl Iterator<Item = Silence> {
        let recorded = self.records.iter().flat_map(|record| record.silences.iter().copied());
        recorded.chain(self.current.as_ref().map(|component| Silence {
            start: component.last_heartbeat,
            end: Timestamp::MAX,
            interval: component.told_interval,
            stopped: component.stopped,
        }))
    }

    /// Its silences that lie in a span at least in part, in order.
    pub(super) fn silences_in(&self, span: Interval) -> Vec<Silence> {
        let silences = self.silences();
        silences.filter(|one| one.start < span.until && span.from < one.end).collect()
    }

    /// Each change of its state, in order. Of several within a minute there is the first, and at the end of the minute what
    /// became of it in the end.
    pub(super) fn state_changes(&self) -> Vec<(Timestamp, StateChange<'_>)> {
        let mut changes = Vec::new();
        let with_state =
            self.records.iter().filter_map(|record| Some((record, record.state.as_ref()?)));
        let next = with_state.clone().skip(1).map(|(record, _)| Some(record.state_at));
        for ((record, state), next) in with_state.zip(next.chain([None])) {
            match state {
                RecordedState::Removed => changes.push((record.state_at, StateChange::Removed)),
                RecordedState::Present { facts, arrival } => {
                    let present = |facts, arrival| StateChange::Present { facts, arrival };
                    let first = record.first_facts.as_ref().unwrap_or(facts);
                    changes.push((record.state_at, present(first, *arrival)));
                    if record.first_facts.is_some() {
                        let end = record.last_moment();
                        let settled = next.map_or(end, |next| next.min(end));
                        changes.push((settled, present(facts, None)));
                    }
                }
            }
        }
        // The record of its arrival may be deleted, but it says itself when it came.
        if let (Some((first, StateChange::Present { .. })), Some(current)) =
            (changes.first_mut(), &self.current)
        {
            *first = current.first_seen.min(*first);
        }
        changes
    }

    /// From each of these moments on, whether it was there.
    pub(super) fn presence(&self) -> Vec<(Timestamp, bool)> {
        let mut turns: Vec<(Timestamp, bool)> = Vec::new();
        for (at, change) in self.state_changes() {
            let is_there = matches!(change, StateChange::Present { .. });
            if turns.last().map(|(_, before)| *before) != Some(is_there) {
                turns.push((at, is_there));
            }
        }
        turns
    }

    /// The component as it stood at a moment; `None` if it was not there.
    pub(super) fn component_at(
        &self,
        key: &ComponentKey,
        moment: Timestamp,
        cluster: &ClusterHistory,
    ) -> Option<Component> {
        let Presence { facts, first_seen, came_back, boots_since } = self.presence_at(moment)?;
        let last = self.last_heartbeat_at(key.role, moment, cluster);
        let boots = self.boots_at(moment, boots_since, facts);
        let interruptions = self.interruptions_at(key.role, moment, first_seen, cluster);
        let has_changed_boot = |since: Timestamp| {
            let started = interruptions.starts.last().is_some_and(|start| start.at > since);
            started || boots.returns.last().is_some_and(|at| *at > since)
        };
        Some(Component {
            server: key.server.clone(),
            role: key.role,
            facts: Arc::clone(facts),
            stopped: last.stopped,
            first_seen,
            last_heartbeat: last.at,
            told_interval: last.interval,
            skew: None,
            came_back: came_back.filter(|since| !has_changed_boot(*since)),
            messengers: Vec::new(),
            boots,
            interruptions,
        })
    }

    fn presence_at(&self, moment: Timestamp) -> Option<Presence<'_>> {
        let mut presence: Option<Presence<'_>> = None;
        let mut boots_since = None;
        for (at, change) in self.state_changes() {
            if at > moment {
                break;
            }
            presence = match (change, presence) {
                (StateChange::Removed, _) => None,
                (StateChange::Present { facts, arrival: None }, Some(known)) => {
                    Some(Presence { facts, ..known })
                }
                (StateChange::Present { facts, arrival }, _) => {
                    let is_back = arrival == Some(ArrivalKind::Back);
                    boots_since = boots_since.filter(|_| is_back).or(Some(at));
                    let boots_since = boots_since.unwrap_or(at);
                    let came_back = is_back.then_some(at);
                    Some(Presence { facts, first_seen: at, came_back, boots_since })
                }
            };
        }
        // The record of its arrival may be deleted, but it says itself when it came.
        let current = self.current.as_ref().filter(|current| current.first_seen <= moment);
        if let (Some(known), Some(current)) = (&mut presence, current) {
            known.first_seen = current.first_seen;
            known.came_back = known.came_back.or(current.came_back);
        }
        presence
    }

    /// The silence in which a moment lies, if that is recorded or goes on.
    pub(super) fn silence_at(&self, moment: Timestamp) -> Option<Silence> {
        self.silences().find(|silence| silence.start <= moment && moment < silence.end)
    }

    /// The last heartbeat before a moment that matters to a pulse: without a recorded silence it was heard so recently that
    /// only alive fits, and the moment itself stands for that.
    pub(super) fn last_heartbeat_at(
        &self,
        role: Role,
        moment: Timestamp,
        cluster: &ClusterHistory,
    ) -> LastHeartbeat {
        let silence = self.silence_at(moment).unwrap_or(Silence {
            start: moment,
            end: moment,
            interval: cluster.settings_at(moment).interval(),
            stopped: false,
        });
        silence.last_heartbeat(role)
    }

    /// The starts and gaps up to a moment that its row kept then, since it was first seen.
    fn interruptions_at(
        &self,
        role: Role,
        moment: Timestamp,
        first_seen: Timestamp,
        cluster: &ClusterHistory,
    ) -> Interruptions {
        let mut interruptions = Interruptions::default();
        let known = |at: Timestamp| first_seen < at && at <= moment;
        for record in &self.records {
            add_interruptions(&mut interruptions, record, role, cluster, &known);
        }
        interruptions
    }

    /// The boots as far as their returns are recorded: a boot goes by its address.
    fn boots_at(&self, moment: Timestamp, since: Timestamp, facts: &ComponentFacts) -> Boots {
        let boot = |ip: &Address| Boot {
            id: ip.to_string(),
            sequence: 0,
            ip: ip.clone(),
            returned_at: None,
        };
        let returns = self.records.iter().flat_map(|record| &record.returns);
        let known = returns.filter(|back| since < back.at && back.at <= moment);
        known.fold(Boots::first(boot(&facts.ip)), |boots, back| {
            boots.after(boot(&back.ip), BootMatch::Returned, back.at)
        })
    }
}

/// Adds the starts and gaps of a record at moments that are `known`.
pub(super) fn add_interruptions(
    interruptions: &mut Interruptions,
    record: &ComponentRecord,
    role: Role,
    cluster: &ClusterHistory,
    known: &dyn Fn(Timestamp) -> bool,
) {
    for start in record.starts.iter().filter(|start| known(start.at)) {
        interruptions.add_start(*start);
    }
    for silence in record.silences.iter().filter(|silence| known(silence.end)) {
        let ends_in_start = record.starts.iter().any(|start| start.at == silence.end);
        if !silence.stopped && !ends_in_start && is_gap(*silence, role, cluster) {
            interruptions.add_gap(Gap { start: silence.start, end: silence.end });
        }
    }
}

/// Whether a silence that ended was a gap, by the settings of that moment.
fn is_gap(silence: Silence, role: Role, cluster: &ClusterHistory) -> bool {
    let Silence { start, end, interval, .. } = silence;
    let settings = cluster.settings_at(end);
    let known = cluster.blind_periods.partition_point(|period| period.end <= end);
    let (blind_periods, _) = cluster.blind_periods.split_at(known);
    let last = silence.last_heartbeat(role);
    match role {
        Role::Service => {
            Gap { start, end }.counts(interval, last.late_limit(&settings), blind_periods)
        }
        Role::Web => observation::silence(start, end, blind_periods) > last.stale_limit(&settings),
    }
}
