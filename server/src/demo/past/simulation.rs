//! What is recorded of the past: its heartbeats are received one after the other, by the functions that the store uses.

use std::collections::BTreeMap;
use std::sync::Arc;

use app::cluster::history::{ClusterHistory, ComponentRecord};
use app::cluster::receive::{Arrival, Stored, receive};
use app::cluster::{
    Component, ComponentKey, Heartbeat, ReferenceKeys, ServerName, Settings, Timestamp, Tombstone,
};

use crate::auth::audit::{Action, Actor, AuditEntry, AuthMethod};
use crate::commands::describe_changes;
use crate::demo::past::life::{Beat, Life};
use crate::demo::past::plan::{Act, Plan};
use crate::demo::servers::SimServer;
use crate::store::ImportedPast;

/// Who administers the cluster.
const ADMIN: &str = "alice";

/// Receives all heartbeats of a plan.
///
/// # Errors
/// What is wrong with the name of a server.
pub(super) fn run(plan: Plan) -> Result<ImportedPast, String> {
    let Plan { begins, settings, lives, blind_periods, acts } = plan;
    // It is the same all the time.
    let interval = settings.interval();
    let mut senders = lives.iter().zip(0..).map(Sender::new).collect::<Result<Vec<_>, _>>()?;
    let mut beats: Vec<(usize, Beat)> = lives
        .iter()
        .enumerate()
        .flat_map(|(place, life)| {
            life.beats(interval, &blind_periods).map(move |beat| (place, beat))
        })
        .collect();
    beats.sort_by_key(|(_, beat)| beat.at);
    let mut blind_periods = blind_periods.into_iter().peekable();
    let mut acts = acts.into_iter().peekable();
    let mut simulation = Simulation::new(begins, settings);
    for (place, beat) in beats {
        while let Some(period) = blind_periods.next_if(|period| period.end <= beat.at) {
            simulation.past.history.blind_periods.push(period);
        }
        while let Some((at, act)) = acts.next_if(|(at, _)| *at <= beat.at) {
            simulation.act(at, &act)?;
        }
        if let Some(sender) = senders.get_mut(place) {
            simulation.receive(beat.at, sender.next(beat));
        }
    }
    Ok(simulation.finish())
}

/// The heartbeats of one component.
struct Sender<'a> {
    life: &'a Life,
    /// Its number among all of them.
    place: u64,
    /// The process that sends now.
    run: Option<usize>,
    heartbeat: Heartbeat,
}

impl<'a> Sender<'a> {
    fn new((life, place): (&'a Life, u64)) -> Result<Self, String> {
        let name = ServerName::parse(life.server.name)?;
        Ok(Self { life, place, run: None, heartbeat: life.server.heartbeat(name, life.role) })
    }

    fn next(&mut self, beat: Beat) -> &Heartbeat {
        let heartbeat = &mut self.heartbeat;
        if self.run.replace(beat.run) != Some(beat.run)
            && let Some(run) = self.life.runs.get(beat.run)
        {
            heartbeat.boot_id = boot_id(self.place, beat.run);
            heartbeat.sequence = 0;
            run.version.clone_into(&mut heartbeat.facts.version);
            heartbeat.facts.ip = run.ip.into();
        }
        heartbeat.sequence += 1;
        heartbeat.sent_at = Some(beat.at);
        heartbeat.leaving = beat.leaving;
        heartbeat
    }
}

/// Always the same for the same process of the same component.
fn boot_id(place: u64, run: usize) -> String {
    let number = (u128::from(place) << 64) | u128::try_from(run).unwrap_or_default();
    uuid::Builder::from_random_bytes(number.to_be_bytes()).into_uuid().hyphenated().to_string()
}

/// What is known at a moment, and what is recorded until then.
struct Simulation {
    settings: Settings,
    references: ReferenceKeys,
    stored: BTreeMap<ComponentKey, Stored>,
    past: ImportedPast,
}

impl Simulation {
    fn new(begins: Timestamp, settings: Settings) -> Self {
        let references = ReferenceKeys::default();
        let history = ClusterHistory {
            begins,
            settings: vec![(begins, settings)],
            references: vec![(begins, references)],
            ..ClusterHistory::default()
        };
        let past = ImportedPast { history, ..ImportedPast::default() };
        Self { settings, references, stored: BTreeMap::new(), past }
    }

    fn receive(&mut self, at: Timestamp, heartbeat: &Heartbeat) {
        let key = heartbeat.key();
        let stored = self.stored.get(&key);
        let blind_periods = &self.past.history.blind_periods;
        let settings = &self.settings;
        let arrival = Arrival { at, settings, blind_periods, ends_probe_failure: false };
        let Some(next) = receive(stored, heartbeat, &arrival).map(Arc::new) else { return };
        let known = stored.and_then(Stored::present).map(|known| &**known);
        // The web window is the same all the time.
        let web_window = self.settings.web_window();
        let record = ComponentRecord::of_heartbeat(known, &next, web_window, blind_periods);
        let reports_anew = record.as_ref().is_some_and(|record| record.state.is_some());
        self.stored.insert(key, Stored::Present(Arc::clone(&next)));
        if let Some(record) = record {
            self.record(record);
        }
        if reports_anew {
            self.learn_references(&next);
        }
    }

    fn record(&mut self, record: ComponentRecord) {
        let records =
            &mut self.past.history.components.entry(record.key.clone()).or_default().records;
        let separate = match records.last_mut() {
            Some(last) => last.add(record).err().map(|separate| *separate),
            None => Some(record),
        };
        records.extend(separate);
    }

    fn learn_references(&mut self, component: &Component) {
        let mut learned = self.references;
        let others = self.stored.values().filter_map(Stored::present).map(|other| &**other);
        learned.learn(component, others);
        if learned != self.references {
            self.references = learned;
            self.past.history.references.push((component.last_heartbeat, learned));
        }
    }

    fn act(&mut self, at: Timestamp, act: &Act) -> Result<(), String> {
        match act {
            Act::Configure(settings) => self.configure(at, *settings),
            Act::Remove(server) => self.remove(at, server)?,
        }
        Ok(())
    }

    fn configure(&mut self, at: Timestamp, settings: Settings) {
        let changes = describe_changes(&self.settings, &settings);
        self.past.audit.push((at, AuditEntry::done(&admin(), Action::Configure, changes)));
        self.past.history.settings.push((at, settings));
        self.settings = settings;
    }

    fn remove(&mut self, at: Timestamp, server: &SimServer) -> Result<(), String> {
        let name = ServerName::parse(server.name)?;
        self.past.audit.push((at, AuditEntry::done(&admin(), Action::Remove, server.name)));
        for role in server.roles {
            let key = ComponentKey { server: name.clone(), role: *role };
            let Some(component) = self.stored.get(&key).and_then(Stored::present).cloned() else {
                continue;
            };
            let blind_periods = &self.past.history.blind_periods;
            let web_window = self.settings.web_window();
            self.record(ComponentRecord::of_removal(&component, at, web_window, blind_periods));
            let tombstone = Tombstone {
                key: key.clone(),
                boots: component.boots.clone(),
                last_heartbeat: component.last_heartbeat,
                source: component.facts.source,
            };
            self.stored.insert(key, Stored::Removed(tombstone));
            self.past.removed.push((component, at));
        }
        Ok(())
    }

    fn finish(self) -> ImportedPast {
        let Self { stored, mut past, .. } = self;
        past.present = stored.values().filter_map(Stored::present).cloned().collect();
        past
    }
}

fn admin() -> Actor {
    Actor { name: ADMIN.to_owned(), auth_method: AuthMethod::Session, ..Actor::command() }
}
