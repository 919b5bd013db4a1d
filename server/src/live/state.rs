//! What the picture in memory holds, and what each reader has not seen yet: no locks, no database.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use app::cluster::{Change, ComponentKey, HeartbeatUpdate, ServerName, Snapshot, Timestamp};

use crate::store::{Commit, CommitId, History};

/// How many removals are remembered for readers that have not heard of them.
const MAX_REMOVED_REMEMBERED: usize = 10_000;

/// Which commit last changed a component: everything about it, and its time alone.
#[derive(Clone, Copy, Debug)]
struct Versions {
    facts: i64,
    beat: i64,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) snapshot: Snapshot,
    /// How many servers are in it.
    pub(super) servers: usize,
    /// The commit the snapshot stands at.
    pub(super) commit: CommitId,
    /// The commits before it that readers may stand at.
    history: History,
    /// Readers from before this commit get the whole picture.
    floor: i64,
    versions: BTreeMap<ComponentKey, Versions>,
    /// The same in the order of the commits: a reader costs what changed, not what there is.
    by_commit: BTreeSet<(i64, ComponentKey)>,
    removed: BTreeMap<ComponentKey, i64>,
    settings_at: i64,
    references_at: i64,
    blind_periods_at: i64,
    /// The last moment the database was read and written.
    pub(super) sight: Timestamp,
    /// How often something came or went that is in no commit, as outage is: part of every cursor.
    pub(super) generation: u64,
    /// What that was when the refused heartbeats last changed.
    rejected_at: u64,
}

impl State {
    pub(super) fn starting_at(snapshot: Snapshot, at: CommitId, now: Timestamp) -> Self {
        let commit = at.number;
        Self {
            servers: snapshot.count_servers(),
            snapshot,
            commit: at,
            history: History::starting_at(at),
            floor: commit,
            versions: BTreeMap::new(),
            by_commit: BTreeSet::new(),
            removed: BTreeMap::new(),
            settings_at: commit,
            references_at: commit,
            blind_periods_at: commit,
            sight: now,
            generation: 0,
            rejected_at: 0,
        }
    }

    /// Starts again from everything the database has; what is known in memory alone stays.
    pub(super) fn replace_snapshot(&mut self, snapshot: Snapshot, at: CommitId, now: Timestamp) {
        let rejected = std::mem::take(&mut self.snapshot.rejected);
        let max_servers = self.snapshot.max_servers;
        let generation = self.generation;
        *self = Self { generation, ..Self::starting_at(snapshot, at, now) };
        self.snapshot.rejected = rejected;
        self.snapshot.max_servers = max_servers;
        self.note_rejected_changed();
    }

    /// The moment for which this picture can be judged. A process that slept has seen nothing since it
    /// last reached the database, and must call nobody silent for it: after the shortest gap that is a
    /// blind period its time stands still, until it has read again and written the period down. While
    /// the database's clock is being set back, it is still the last moment that was read.
    pub(super) fn moment_at(&self, now: Timestamp) -> Timestamp {
        if self.snapshot.blind_since.is_some() {
            return now;
        }
        let watched = self.snapshot.settings.mark_period().times(2);
        now.clamp(self.sight, self.sight + watched)
    }

    /// Whether what changed since this commit can be told.
    pub(super) fn has(&self, commit: CommitId) -> bool {
        self.floor <= commit.number && self.history.has(commit)
    }

    pub(super) fn note_readable(&mut self, at: Timestamp) {
        self.sight = self.sight.max(at);
        self.snapshot.outage = None;
        if self.snapshot.blind_since.take().is_some() {
            self.generation += 1;
        }
    }

    pub(super) fn apply_commit(&mut self, news: Commit) {
        let commit = news.commit.number;
        if commit >= self.commit.number {
            self.commit = news.commit;
        }
        for passed in news.passed.iter().chain([&news.commit]) {
            self.history.add(*passed);
        }
        self.snapshot.changed_at = self.snapshot.changed_at.max(news.changed_at);
        if news.is_empty() {
            return;
        }
        for component in &news.components {
            let key = component.key();
            self.removed.remove(&key);
            self.note_version(key, |_| Versions { facts: commit, beat: commit });
        }
        for beat in &news.heartbeats {
            let floor = self.floor;
            self.note_version(beat.key(), |versions| Versions {
                facts: versions.map_or(floor, |versions| versions.facts),
                beat: commit,
            });
        }
        for key in &news.removed {
            if let Some(versions) = self.versions.remove(key) {
                self.by_commit.remove(&(versions.beat, key.clone()));
            }
            self.removed.insert(key.clone(), commit);
        }
        if self.removed.len() > MAX_REMOVED_REMEMBERED {
            // Whoever has not heard of them by now gets the whole picture.
            self.floor = commit;
            self.removed.clear();
        }
        if news.settings.is_some() {
            self.settings_at = commit;
        }
        if news.references.is_some() {
            self.references_at = commit;
        }
        if news.blind_periods.is_some() {
            self.blind_periods_at = commit;
        }
        let facts = news.components.iter().map(|component| &component.server);
        let touched: BTreeSet<ServerName> =
            facts.chain(news.removed.iter().map(|key| &key.server)).cloned().collect();
        let count = |snapshot: &Snapshot| {
            touched.iter().filter(|server| snapshot.has_server(server)).count()
        };
        self.servers -= count(&self.snapshot);
        self.snapshot.apply(Change {
            blind_since: self.snapshot.blind_since,
            outage: self.snapshot.outage,
            max_servers: self.snapshot.max_servers,
            rejected: None,
            changed_at: self.snapshot.changed_at,
            whole: false,
            settings: news.settings,
            references: news.references,
            blind_periods: news.blind_periods,
            components: news.components,
            heartbeats: news.heartbeats,
            removed: news.removed,
        });
        self.servers += count(&self.snapshot);
    }

    /// Whoever heartbeats again answers its probes, and who was removed is not asked; whether that was in doubt.
    pub(super) fn note_answered_probes(&mut self, news: &Commit) -> bool {
        if self.snapshot.rejected.is_empty() {
            return false;
        }
        let facts = news.components.iter().map(|component| component.key());
        let heard = facts.chain(news.heartbeats.iter().map(HeartbeatUpdate::key));
        let heard = heard.chain(news.removed.iter().cloned());
        // Each is asked: several may have been in doubt.
        let answered = heard.filter(|key| self.snapshot.answered(key, news.at)).count();
        if answered > 0 {
            self.note_rejected_changed();
        }
        answered > 0
    }

    pub(super) fn note_rejected_changed(&mut self) {
        self.generation += 1;
        self.rejected_at = self.generation;
    }

    /// A commit changed a component.
    fn note_version(&mut self, key: ComponentKey, next: impl FnOnce(Option<Versions>) -> Versions) {
        let before = self.versions.get(&key).copied();
        if let Some(before) = before {
            self.by_commit.remove(&(before.beat, key.clone()));
        }
        let next = next(before);
        self.by_commit.insert((next.beat, key.clone()));
        self.versions.insert(key, next);
    }

    pub(super) fn change_since(&self, since: i64, generation: Option<u64>) -> Change {
        let snapshot = &self.snapshot;
        let mut change = Change {
            blind_since: snapshot.blind_since,
            outage: snapshot.outage,
            max_servers: snapshot.max_servers,
            rejected: generation
                .is_none_or(|generation| generation < self.rejected_at)
                .then(|| snapshot.rejected.clone()),
            changed_at: snapshot.changed_at,
            settings: (self.settings_at > since).then_some(snapshot.settings),
            references: (self.references_at > since).then_some(snapshot.references),
            blind_periods: (self.blind_periods_at > since).then(|| snapshot.blind_periods.clone()),
            ..Change::default()
        };
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
