//! What is in the picture, and which changes has a reader not seen yet? No locks and no database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use app::cluster::{
    Change, ComponentKey, HeartbeatUpdate, Incident, IncidentId, ServerName, Snapshot, Timestamp,
    Upkeep, incidents,
};

use crate::store::{Commit, CommitId, History};

/// For readers that have not seen them yet.
const MAX_REMOVED_REMEMBERED: usize = 10_000;

/// Which commit last changed a component's facts, and its last heartbeat.
#[derive(Clone, Copy, Debug)]
struct Versions {
    facts: i64,
    heartbeat: i64,
}

#[derive(Debug)]
pub(super) struct Picture {
    pub(super) snapshot: Snapshot,
    /// How many servers are in the snapshot.
    pub(super) servers: usize,
    /// The commit that was applied last.
    pub(super) commit: CommitId,
    /// The commits that readers' cursors may have.
    history: History,
    /// Readers with an older cursor get the whole picture.
    oldest_commit: i64,
    versions: BTreeMap<ComponentKey, Versions>,
    /// The same, ordered by commit, so that a reader's cost depends on the number of changes.
    by_commit: BTreeSet<(i64, ComponentKey)>,
    removed: BTreeMap<ComponentKey, i64>,
    settings_at: i64,
    references_at: i64,
    blind_periods_at: i64,
    rejections_at: i64,
    /// Which commit last changed each incident.
    incidents_at: BTreeMap<IncidentId, i64>,
    /// When the database could last be read and written.
    pub(super) readable_at: Timestamp,
    /// Counts changes that have no commit number, such as going blind. Part of every cursor.
    pub(super) generation: u64,
    /// The generation in which the upkeep last changed.
    upkeep_generation: u64,
}

impl Picture {
    pub(super) fn new(snapshot: Snapshot, at: CommitId, now: Timestamp) -> Self {
        let commit = at.number;
        Self {
            servers: snapshot.count_servers(),
            snapshot,
            commit: at,
            history: History::starting_at(at),
            oldest_commit: commit,
            versions: BTreeMap::new(),
            by_commit: BTreeSet::new(),
            removed: BTreeMap::new(),
            settings_at: commit,
            references_at: commit,
            blind_periods_at: commit,
            rejections_at: commit,
            incidents_at: BTreeMap::new(),
            readable_at: now,
            generation: 0,
            upkeep_generation: 0,
        }
    }

    /// Replaces everything that is in the database; what is in memory only stays.
    pub(super) fn replace_snapshot(&mut self, snapshot: Snapshot, at: CommitId, now: Timestamp) {
        let (max_servers, upkeep) =
            (self.snapshot.max_servers, std::mem::take(&mut self.snapshot.upkeep));
        let (generation, upkeep_generation) = (self.generation, self.upkeep_generation);
        let snapshot = Snapshot { max_servers, upkeep, ..snapshot };
        *self = Self { generation, upkeep_generation, ..Self::new(snapshot, at, now) };
    }

    /// The time for which this picture can be judged. A process that was suspended has missed heartbeats since it last
    /// read the database, and must not call their servers silent. So its time stops at the greatest age of the mark,
    /// until it has read again and recorded a blind period if it was that long. While the database's clock is being set
    /// back, the time is the last one that was read.
    pub(super) fn judgement_time(&self, now: Timestamp) -> Timestamp {
        if self.snapshot.blind_since.is_some() {
            return now;
        }
        let max_age = self.snapshot.settings.max_mark_age();
        now.clamp(self.readable_at, self.readable_at + max_age)
    }

    /// Whether the changes since this commit are known.
    pub(super) fn has_commit(&self, commit: CommitId) -> bool {
        self.oldest_commit <= commit.number && self.history.has(commit)
    }

    pub(super) fn note_readable(&mut self, at: Timestamp) {
        self.readable_at = self.readable_at.max(at);
        self.snapshot.outage = None;
        if self.snapshot.blind_since.take().is_some() {
            self.generation += 1;
        }
    }

    pub(super) fn apply_commit(&mut self, commit: Commit) {
        let number = commit.id.number;
        if number >= self.commit.number {
            self.commit = commit.id;
        }
        for skipped in commit.skipped.iter().chain([&commit.id]) {
            self.history.add(*skipped);
        }
        self.snapshot.changed_at = self.snapshot.changed_at.max(commit.changed_at);
        if commit.is_empty() {
            return;
        }
        for component in &commit.components {
            let key = component.key();
            self.removed.remove(&key);
            self.note_version(key, |_| Versions { facts: number, heartbeat: number });
        }
        for heartbeat in &commit.heartbeats {
            let oldest_commit = self.oldest_commit;
            self.note_version(heartbeat.key(), |versions| Versions {
                facts: versions.map_or(oldest_commit, |versions| versions.facts),
                heartbeat: number,
            });
        }
        for key in &commit.removed {
            if let Some(versions) = self.versions.remove(key) {
                self.by_commit.remove(&(versions.heartbeat, key.clone()));
            }
            self.removed.insert(key.clone(), number);
        }
        if self.removed.len() > MAX_REMOVED_REMEMBERED {
            // Readers that have not seen them yet get the whole picture.
            self.oldest_commit = number;
            self.removed.clear();
        }
        if commit.settings.is_some() {
            self.settings_at = number;
        }
        if commit.references.is_some() {
            self.references_at = number;
        }
        if commit.blind_periods.is_some() {
            self.blind_periods_at = number;
        }
        if commit.rejected.is_some() {
            self.rejections_at = number;
        }
        self.note_commit_of_incidents(&commit.incidents);
        let facts = commit.components.iter().map(|component| &component.server);
        let touched: BTreeSet<ServerName> =
            facts.chain(commit.removed.iter().map(|key| &key.server)).cloned().collect();
        let count = |snapshot: &Snapshot| {
            touched.iter().filter(|server| snapshot.has_server(server)).count()
        };
        self.servers -= count(&self.snapshot);
        self.snapshot.apply(Change {
            blind_since: self.snapshot.blind_since,
            outage: self.snapshot.outage,
            max_servers: self.snapshot.max_servers,
            upkeep: None,
            rejected: commit.rejected,
            changed_at: self.snapshot.changed_at,
            whole: false,
            settings: commit.settings,
            references: commit.references,
            blind_periods: commit.blind_periods,
            incidents: commit.incidents,
            components: commit.components,
            heartbeats: commit.heartbeats,
            removed: commit.removed,
        });
        self.servers += count(&self.snapshot);
        if self.incidents_at.len() > self.snapshot.incidents.len() {
            let known = &self.snapshot.incidents;
            self.incidents_at.retain(|id, _| incidents::find(known, id.as_str()).is_some());
        }
    }

    /// Puts incidents in that were written after the snapshot of the same commit was read.
    pub(super) fn note_incidents(&mut self, incidents: Vec<Arc<Incident>>) {
        self.note_commit_of_incidents(&incidents);
        self.snapshot.note_incidents(incidents);
    }

    fn note_commit_of_incidents(&mut self, incidents: &[Arc<Incident>]) {
        let number = self.commit.number;
        let ids = incidents.iter().map(|incident| incident.id.clone());
        self.incidents_at.extend(ids.map(|id| (id, number)));
    }

    /// Returns whether it differs from before.
    pub(super) fn set_upkeep(&mut self, upkeep: Upkeep, now: Timestamp) -> bool {
        let changed = self.snapshot.upkeep != upkeep;
        if changed {
            self.snapshot.upkeep = upkeep;
            self.snapshot.changed_at = self.snapshot.changed_at.max(now);
            self.generation += 1;
            self.upkeep_generation = self.generation;
        }
        changed
    }

    fn note_version(&mut self, key: ComponentKey, next: impl FnOnce(Option<Versions>) -> Versions) {
        let before = self.versions.get(&key).copied();
        if let Some(before) = before {
            self.by_commit.remove(&(before.heartbeat, key.clone()));
        }
        let next = next(before);
        self.by_commit.insert((next.heartbeat, key.clone()));
        self.versions.insert(key, next);
    }

    pub(super) fn change_since(&self, since: i64, generation: Option<u64>) -> Change {
        let snapshot = &self.snapshot;
        let mut change = Change {
            blind_since: snapshot.blind_since,
            outage: snapshot.outage,
            max_servers: snapshot.max_servers,
            upkeep: generation
                .is_none_or(|generation| generation < self.upkeep_generation)
                .then(|| snapshot.upkeep.clone()),
            rejected: (self.rejections_at > since).then(|| snapshot.rejected.clone()),
            changed_at: snapshot.changed_at,
            settings: (self.settings_at > since).then_some(snapshot.settings),
            references: (self.references_at > since).then_some(snapshot.references),
            blind_periods: (self.blind_periods_at > since).then(|| snapshot.blind_periods.clone()),
            ..Change::default()
        };
        let changed_later = |incident: &&Arc<Incident>| {
            self.incidents_at.get(&incident.id).is_some_and(|at| *at > since)
        };
        change.incidents = snapshot.incidents.iter().filter(changed_later).cloned().collect();
        let later = self.by_commit.iter().rev().take_while(|(commit, _)| *commit > since);
        for (_, key) in later {
            let Some(component) = snapshot.components.get(key) else { continue };
            if self.versions.get(key).is_some_and(|versions| versions.facts > since) {
                change.components.push(Arc::clone(component));
            } else {
                change.heartbeats.push(HeartbeatUpdate::from_component(component));
            }
        }
        change.removed = self
            .removed
            .iter()
            .filter(|(_, at)| **at > since)
            .map(|(key, _)| key.clone())
            .collect();
        change
    }
}
