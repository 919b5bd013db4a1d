//! A cluster that is observed over time, with what is recorded of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use cluster_overview_app::cluster::history::{ClusterHistory, ComponentRecord, Current};
use cluster_overview_app::cluster::receive::{Arrival, Stored, receive};
use cluster_overview_app::cluster::{
    BlindPeriod, Boots, ComponentKey, Heartbeat, Role, Settings, Snapshot, Span, Timestamp,
    Tombstone,
};

use proptest::prelude::*;

use super::{NOON, address, boot, heartbeat, reporting};

/// What happens next, after so many milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) after: i64,
    pub(crate) what: What,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    /// A heartbeat of this component.
    Heartbeat {
        component: usize,
        kind: Kind,
    },
    Removal {
        component: usize,
    },
    Settings {
        interval_s: u32,
        more_s: u32,
    },
    /// Nobody could observe until now, for the time since the last step.
    Blind,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Continued,
    Started,
    Returned,
    Leaving,
    /// With another version.
    Upgraded,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        12 => Just(Kind::Continued),
        2 => Just(Kind::Started),
        1 => Just(Kind::Returned),
        1 => Just(Kind::Leaving),
        1 => Just(Kind::Upgraded),
    ];
    let what = prop_oneof![
        30 => (0_usize..4, kind).prop_map(|(component, kind)| What::Heartbeat { component, kind }),
        1 => (0_usize..4).prop_map(|component| What::Removal { component }),
        2 => (1_u32..40, 0_u32..300).prop_map(|(interval_s, more_s)| What::Settings { interval_s, more_s }),
        2 => Just(What::Blind),
    ];
    let after = prop_oneof![3 => 1_i64..2_000, 6 => 2_000_i64..40_000, 2 => 40_000_i64..600_000];
    (after, what).prop_map(|(after, what)| Step { after, what })
}

/// The settings after a change to them.
pub(crate) fn settings(interval_s: u32, more_s: u32) -> Settings {
    Settings {
        heartbeat_interval_s: interval_s,
        stale_timeout_s: 2 * interval_s + more_s,
        web_window_s: 60 + 2 * interval_s + more_s,
        ..Settings::default()
    }
}

/// The moment between two others at this part of the way.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "a random moment")]
pub(crate) fn moment_between(from: Timestamp, until: Timestamp, part: f64) -> Timestamp {
    from + Span(((until - from).0 as f64 * part) as i64)
}

/// A cluster whose every state is kept, and what is recorded of it.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) now: Timestamp,
    pub(crate) snapshot: Snapshot,
    tombstones: BTreeMap<ComponentKey, Tombstone>,
    /// The state after each step.
    states: Vec<(Timestamp, Snapshot)>,
    pub(crate) history: ClusterHistory,
    processes: Processes,
}

/// Makes the heartbeats of processes. Each has a higher sequence than all before.
#[derive(Debug)]
pub(crate) struct Processes {
    boots: u8,
    sequence: i64,
}

pub(crate) const COMPONENTS: [(&str, Role); 4] = [
    ("app-1", Role::Service),
    ("app-2", Role::Service),
    ("app-1", Role::Web),
    ("web-1", Role::Web),
];

impl Cluster {
    pub(crate) fn new() -> Self {
        let snapshot = Snapshot { changed_at: NOON, ..Snapshot::default() };
        let settings = vec![(NOON, snapshot.settings)];
        Self {
            now: NOON,
            states: vec![(NOON, snapshot.clone())],
            snapshot,
            tombstones: BTreeMap::new(),
            history: ClusterHistory { begins: NOON, settings, ..ClusterHistory::default() },
            processes: Processes::new(),
        }
    }

    pub(crate) fn take(&mut self, Step { after, what }: Step) {
        let before = self.now;
        self.now = self.now + Span(after);
        match what {
            What::Heartbeat { component, kind } => self.receive(component, kind),
            What::Removal { component } => self.remove(component),
            What::Settings { interval_s, more_s } => {
                self.snapshot.settings = settings(interval_s, more_s);
                self.history.settings.push((self.now, self.snapshot.settings));
            }
            What::Blind if self.now - before > Span::seconds(5) => {
                let period = BlindPeriod { start: before, end: self.now, clock_set: false };
                self.snapshot.blind_periods.push(period);
                self.history.blind_periods.push(period);
            }
            What::Blind => {}
        }
        self.states.push((self.now, self.snapshot.clone()));
    }

    fn receive(&mut self, component: usize, kind: Kind) {
        let (server, role) = COMPONENTS[component];
        let key = heartbeat(server, role).key();
        let known = self.snapshot.components.get(&key).cloned();
        let stored = match &known {
            Some(known) => Some(Stored::Present(Arc::clone(known))),
            None => self.tombstones.get(&key).cloned().map(Stored::Removed),
        };
        let boots = known.as_deref().map(|known| &known.boots);
        let beat = self.processes.heartbeat(component, boots, kind);
        let arrival = Arrival {
            at: self.now,
            settings: &self.snapshot.settings,
            blind_periods: &self.snapshot.blind_periods,
            ends_probe_failure: false,
        };
        let Some(next) = receive(stored.as_ref(), &beat, &arrival) else { return };
        let min_web_window =
            self.min_web_window(known.as_deref().map(|known| known.last_heartbeat));
        let record = ComponentRecord::of_heartbeat(
            known.as_deref(),
            &next,
            min_web_window,
            &self.snapshot.blind_periods,
        );
        self.record(&key, record);
        self.snapshot.insert(Arc::new(next));
    }

    fn remove(&mut self, component: usize) {
        let (server, role) = COMPONENTS[component];
        let key = heartbeat(server, role).key();
        let Some(removed) = self.snapshot.components.remove(&key) else { return };
        let min_web_window = self.min_web_window(Some(removed.last_heartbeat));
        let blind_periods = &self.snapshot.blind_periods;
        let record = ComponentRecord::of_removal(&removed, self.now, min_web_window, blind_periods);
        self.record(&key, Some(record));
        let tombstone = Tombstone {
            key: key.clone(),
            boots: removed.boots.clone(),
            last_heartbeat: removed.last_heartbeat,
            source: removed.facts.source,
        };
        self.tombstones.insert(key, tombstone);
    }

    fn record(&mut self, key: &ComponentKey, record: Option<ComponentRecord>) {
        let history = self.history.components.entry(key.clone()).or_default();
        let Some(record) = record else { return };
        let record = as_stored(&record);
        match history.records.last_mut() {
            Some(last) => {
                if let Err(own) = last.add(record) {
                    history.records.push(*own);
                }
            }
            None => history.records.push(record),
        }
    }

    /// Since a component's last heartbeat.
    fn min_web_window(&self, since: Option<Timestamp>) -> Span {
        let settings = &self.history.settings;
        let first = settings
            .partition_point(|(at, _)| since.is_none_or(|since| *at <= since))
            .saturating_sub(1);
        settings[first..].iter().map(|(_, settings)| settings.web_window()).min().unwrap()
    }

    /// The state at a moment, as somebody knew it who saw every heartbeat.
    pub(crate) fn known_at(&self, moment: Timestamp) -> &Snapshot {
        let next = self.states.partition_point(|(at, _)| *at <= moment);
        &self.states[next - 1].1
    }

    /// Now that everything is recorded.
    pub(crate) fn finish(mut self) -> Self {
        for (key, history) in &mut self.history.components {
            history.current =
                self.snapshot.components.get(key).map(|known| Current::from(&**known));
        }
        self
    }
}

impl Processes {
    pub(crate) fn new() -> Self {
        Self { boots: 1, sequence: 1 }
    }

    /// A heartbeat of one of [`COMPONENTS`]. `boots`: those that are known of it.
    pub(crate) fn heartbeat(
        &mut self,
        component: usize,
        boots: Option<&Boots>,
        kind: Kind,
    ) -> Heartbeat {
        let (server, role) = COMPONENTS[component];
        self.sequence += 1;
        let sequence = self.sequence;
        let current = boots.map_or_else(|| boot(1), |boots| boots.current.id.clone());
        let former = boots.and_then(|boots| boots.former.first()).map(|former| former.id.clone());
        let sequences = Heartbeat { sequence, ..heartbeat(server, role) };
        match kind {
            Kind::Continued => Heartbeat { boot_id: current, ..sequences },
            Kind::Leaving => Heartbeat { boot_id: current, leaving: true, ..sequences },
            Kind::Returned => {
                let beat = Heartbeat { boot_id: former.unwrap_or(current), ..sequences };
                reporting(beat, |facts| facts.ip = address(9))
            }
            Kind::Started | Kind::Upgraded => {
                self.boots = self.boots.wrapping_add(1);
                let beat = Heartbeat { boot_id: boot(self.boots), ..sequences };
                let version = format!("2027.{}", self.boots);
                reporting(beat, |facts| {
                    if matches!(kind, Kind::Upgraded) {
                        facts.version = version;
                    }
                })
            }
        }
    }
}

/// The record after a round through the database's form.
fn as_stored(record: &ComponentRecord) -> ComponentRecord {
    let state = record.state.as_ref().map(|state| serde_json::to_string(state).unwrap());
    let state = state.map(|state: String| serde_json::from_str(&state).unwrap());
    let changes = record.changes_as_json().unwrap();
    let read = ComponentRecord::from_json(record.key.clone(), record.at, state, &changes).unwrap();
    assert_eq!(&read, record);
    read
}
