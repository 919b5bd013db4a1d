//! The records of a cluster, and what they say of one moment.

use std::collections::BTreeMap;

use super::component_history::ComponentHistory;
use crate::cluster::component_key::ComponentKey;
use crate::cluster::observation::{BLIND_PERIOD_RETENTION, BlindPeriod, blind_at};
use crate::cluster::reference_keys::ReferenceKeys;
use crate::cluster::settings::Settings;
use crate::cluster::snapshot::{Snapshot, Unrecorded};
use crate::cluster::time::{Span, Timestamp};

/// What was recorded about a cluster, as far as a span of time needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterHistory {
    /// Nothing is known before it.
    pub begins: Timestamp,
    /// The settings from each of these moments on, in order.
    pub settings: Vec<(Timestamp, Settings)>,
    /// The reference keys from each of these moments on, in order.
    pub references: Vec<(Timestamp, ReferenceKeys)>,
    /// When the clock was set back, and by which negative span. All times before have been moved.
    pub clock_steps: Vec<(Timestamp, Span)>,
    /// In order, not overlapping.
    pub blind_periods: Vec<BlindPeriod>,
    pub components: BTreeMap<ComponentKey, ComponentHistory>,
}

impl Snapshot {
    /// Adds what another part of the history says of the same moment, about other components.
    pub fn add_part(&mut self, part: Self) {
        self.changed_at = self.changed_at.max(part.changed_at);
        self.components.extend(part.components);
        if let (Some(known), Some(next)) = (&mut self.unrecorded, part.unrecorded) {
            known.forgotten.extend(next.forgotten);
            known.heard.extend(next.heard);
        }
    }
}

impl ClusterHistory {
    /// The settings in force at a moment.
    pub fn settings_at(&self, moment: Timestamp) -> Settings {
        in_force(&self.settings, moment).copied().unwrap_or_default()
    }

    /// The blind period in which a moment lies.
    pub fn blind_period_at(&self, moment: Timestamp) -> Option<BlindPeriod> {
        blind_at(moment, &self.blind_periods)
    }

    /// The facts of the cluster as they stood at a moment, as far as they are recorded: without messengers, rejected
    /// heartbeats, clocks, and what the overview itself needs.
    pub fn snapshot(&self, moment: Timestamp) -> Snapshot {
        let (mut components, mut unrecorded) = (BTreeMap::new(), Unrecorded::default());
        for (key, history) in &self.components {
            let Some(component) = history.component_at(key, moment, self) else { continue };
            if let Some(since) = history.complete_since.filter(|since| moment < *since) {
                unrecorded.forgotten.insert(key.clone(), since);
            }
            if history.silence_at(moment).is_none() {
                unrecorded.heard.insert(key.clone());
            }
            components.insert(key.clone(), component.into());
        }
        Snapshot {
            settings: self.settings_at(moment),
            references: in_force(&self.references, moment).copied().unwrap_or_default(),
            blind_periods: self
                .blind_periods
                .iter()
                .copied()
                .filter(|period| period.end <= moment)
                .filter(|period| moment - period.end <= BLIND_PERIOD_RETENTION)
                .collect(),
            blind_since: self.blind_period_at(moment).map(|period| period.start),
            changed_at: self.last_change(moment),
            components,
            unrecorded: Some(unrecorded),
            ..Snapshot::default()
        }
    }

    /// The moment of the last change of a fact up to `moment`.
    fn last_change(&self, moment: Timestamp) -> Timestamp {
        let settings = self.settings.iter().map(|(at, _)| *at);
        let references = self.references.iter().map(|(at, _)| *at);
        let periods = self.blind_periods.iter().map(|period| period.end);
        let records = self.components.values().flat_map(ComponentHistory::moments_of_change);
        let changes = settings.chain(references).chain(periods).chain(records);
        changes.filter(|at| *at <= moment).max().unwrap_or(self.begins)
    }
}

/// What is in force at a moment, of values that are each in force from a moment on, in order.
pub(super) fn in_force<T>(values: &[(Timestamp, T)], moment: Timestamp) -> Option<&T> {
    values.get(place_in_force(values, moment)?).map(|(_, value)| value)
}

/// The place of what is in force at a moment; `None` before the first.
pub(super) fn place_in_force<T>(values: &[(Timestamp, T)], moment: Timestamp) -> Option<usize> {
    values.partition_point(|(since, _)| *since <= moment).checked_sub(1)
}
