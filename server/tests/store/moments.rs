//! Does a past moment have the starts and gaps that the page showed then, however old they were?

use std::collections::BTreeMap;

use app::cluster::history::{ClusterHistory, ComponentRecord};
use app::cluster::receive::{Arrival, Stored, receive};
use app::cluster::{Component, Interruptions, ReferenceKeys, Timestamp, Tombstone};
use cluster_overview::store::{HistoryQuery, ImportedPast};

use super::*;
use crate::history::{DAY_MS, with_boot};

/// What is recorded while heartbeats arrive.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) past: ImportedPast,
    stored: BTreeMap<ComponentKey, Stored>,
}

impl Recorder {
    pub(crate) fn begin(begins: Timestamp) -> Self {
        let settings = vec![(begins, Settings::default())];
        let references = vec![(begins, ReferenceKeys::default())];
        let history = ClusterHistory { begins, settings, references, ..ClusterHistory::default() };
        let past = ImportedPast { history, ..ImportedPast::default() };
        Self { past, stored: BTreeMap::new() }
    }

    fn record(&mut self, record: ComponentRecord) {
        let history = self.past.history.components.entry(record.key.clone()).or_default();
        let separate = match history.records.last_mut() {
            Some(last) => last.add(record).err().map(|separate| *separate),
            None => Some(record),
        };
        history.records.extend(separate);
    }

    /// Returns the component as it is afterwards.
    pub(crate) fn beat(&mut self, at: Timestamp, heartbeat: &Heartbeat) -> Arc<Component> {
        let key = heartbeat.key();
        let stored = self.stored.get(&key);
        let settings = Settings::default();
        let arrival =
            Arrival { at, settings: &settings, blind_periods: &[], ends_probe_failure: false };
        let next = Arc::new(receive(stored, heartbeat, &arrival).unwrap());
        let known = stored.and_then(Stored::present).map(|known| &**known);
        let record = ComponentRecord::of_heartbeat(known, &next, settings.web_window(), &[]);
        self.stored.insert(key.clone(), Stored::Present(next.clone()));
        if let Some(record) = record {
            self.record(record);
        }
        self.past.history.components.entry(key).or_default();
        next
    }

    pub(crate) fn remove(&mut self, at: Timestamp, key: &ComponentKey) {
        let Some(component) = self.stored[key].present().cloned() else { panic!("it is there") };
        let web_window = Settings::default().web_window();
        self.record(ComponentRecord::of_removal(&component, at, web_window, &[]));
        let tombstone = Tombstone {
            key: key.clone(),
            boots: component.boots.clone(),
            last_heartbeat: component.last_heartbeat,
            source: component.facts.source,
        };
        self.stored.insert(key.clone(), Stored::Removed(tombstone));
        self.past.removed.push((component, at));
    }

    /// Until now each component that is there reports in time, which records nothing.
    fn go_on_quietly(&mut self, now: Timestamp) {
        for component in self.stored.values().filter_map(Stored::present) {
            let mut component = Component::clone(component);
            component.last_heartbeat = now + Span::seconds(-5);
            self.past.present.push(Arc::new(component));
        }
    }
}

fn days_before(now: Timestamp, tenths: i64) -> Timestamp {
    now + Span(-DAY_MS / 10 * tenths)
}

async fn at(store: &Arc<Store>, moment: Timestamp) -> BTreeMap<ComponentKey, Arc<Component>> {
    let query = HistoryQuery { from: moment, until: moment, servers: None };
    store.history(query).await.unwrap().snapshot(moment).components
}

#[tokio::test]
async fn a_component_that_started_ten_days_ago_and_was_quiet_since_started_then_and_is_alive_since_then()
 {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let now = store.now();
        let mut recorder = Recorder::begin(days_before(now, 300));
        recorder.beat(days_before(now, 200), &with_boot(1, beat("a", Role::Service, 1)));
        recorder.beat(days_before(now, 190), &with_boot(1, beat("a", Role::Service, 2)));
        recorder.beat(days_before(now, 100), &with_boot(2, beat("a", Role::Service, 1)));
        recorder.go_on_quietly(now);
        store.import_past(recorder.past).await.unwrap();
        let living = store.load().await.unwrap().snapshot;
        let row = &living.components[&key("a", Role::Service)];
        let past = &at(&store, store.now()).await[&key("a", Role::Service)];
        assert_eq!(past.interruptions, row.interruptions);
        assert_eq!((past.interruptions.starts.len(), past.interruptions.gaps.len()), (1, 1));
        assert_eq!(past.started_at(), days_before(now, 100));
        let since = |component: &Component| {
            component.pulse_since(app::cluster::Pulse::Alive, &living.settings, &[])
        };
        assert_eq!(since(past), Some(days_before(now, 100)));
        assert_eq!(since(past), since(row));
    }
}

#[tokio::test]
async fn every_past_moment_has_the_last_ten_starts_and_gaps_of_then_also_if_more_have_come_or_all_is_removed()
 {
    for database in databases().await {
        let store = Store::open(&database.address()).await.unwrap();
        let now = store.now();
        let mut recorder = Recorder::begin(days_before(now, 600));
        let mut rows: Vec<(Timestamp, ComponentKey, Interruptions)> = Vec::new();
        // Two processes in turn for 50 days: every second heartbeat is a start, and every second one ends a gap.
        for number in 0..30_i64 {
            let moment = days_before(now, 560 - 17 * number);
            for server in ["stays", "removed", "returned"] {
                let boot = usize::try_from(number / 2).unwrap();
                let heartbeat = with_boot(boot, beat(server, Role::Service, number + 1));
                let row = recorder.beat(moment, &heartbeat);
                rows.push((moment, row.key(), row.interruptions.clone()));
            }
        }
        for server in ["removed", "returned"] {
            recorder.remove(days_before(now, 30), &key(server, Role::Service));
        }
        let returned = with_boot(99, beat("returned", Role::Service, 1));
        let row = recorder.beat(days_before(now, 20), &returned);
        rows.push((days_before(now, 20), row.key(), row.interruptions.clone()));
        recorder.go_on_quietly(now);
        recorder.past.removed.retain(|(component, _)| component.server.as_str() == "removed");
        store.import_past(recorder.past).await.unwrap();
        for (moment, key, interruptions) in rows {
            let found = &at(&store, moment).await[&key].interruptions;
            assert_eq!(*found, interruptions, "{key:?} at {}", (now - moment).0 / DAY_MS);
        }
        assert_eq!(at(&store, days_before(now, 25)).await.len(), 1);
    }
}
