//! What does a write transaction do, from its begin to its commit?

use std::collections::BTreeSet;
use std::sync::Arc;

use app::cluster::observation::BLIND_PERIOD_RETENTION;
use app::cluster::receive::Stored;
use app::cluster::{
    BlindPeriod, Component, ComponentKey, HeartbeatUpdate, IncidentChange, KeyCheck, KeyKind,
    ReferenceKeys, ServerName, Settings, Span, Timestamp,
};

use crate::auth::audit::AuditEntry;
use crate::clock::Stopwatch;
use crate::store::component_row::Upsert;
use crate::store::history::{ClusterChange, NewRecords};
use crate::store::postgres::PostgresStore;
use crate::store::rows::{self, ClusterRow, Section};
use crate::store::sqlite::SqliteStore;
use crate::store::tx::Tx;
use crate::store::{AuthChanges, Commit, CommitId, Store, StoreError};
use crate::store::{access_rows, audit, component_row, incidents, rejections};

/// A transaction that changes something, and what it has changed so far.
pub(super) struct WriteTx {
    pub(super) tx: Tx,
    pub(super) cluster: ClusterRow,
    /// The time of the change, by the database's clock.
    pub(super) at: Timestamp,
    pub(super) pending: Commit,
    pub(super) stopwatch: Stopwatch,
    /// It changes accounts, sessions or tokens.
    pub(super) changes_access: bool,
    /// Readers must get a new commit, even if `pending` is empty.
    pub(super) visible: bool,
    /// It moves all stored times.
    moves_all_times: bool,
}

impl WriteTx {
    /// Begins one on SQLite, by the clock of the process that owns the file.
    pub(super) async fn begin_on_sqlite(
        sqlite: &SqliteStore,
        store: &Store,
    ) -> Result<Self, StoreError> {
        let stopwatch = Stopwatch::start();
        let mut tx = sqlite.begin_write().await?;
        let cluster = rows::cluster_row(&mut tx, store.synced_number()).await?;
        let at = sqlite.clock.now();
        let mut change = Self::new(tx, cluster, at, stopwatch, store).await?;
        // What another process wrote to the file counts as written when it is noticed.
        change.visible |= change.pending.earlier.as_ref().is_some_and(|commit| !commit.is_empty());
        change.record_gap().await?;
        Ok(change)
    }

    /// Begins one on PostgreSQL, by the server's clock. A jump of that clock changes no verdict: forward it becomes a
    /// blind period, backward all times move back. The first web server that notices it writes it, and the others
    /// see by the sum of all jumps that this was done.
    pub(super) async fn begin_on_postgres(
        postgres: &PostgresStore,
        store: &Store,
    ) -> Result<Self, StoreError> {
        let stopwatch = Stopwatch::start();
        let mut tx = postgres.begin_write().await?;
        let cluster = rows::lock_cluster_row(&mut tx, store.synced_number()).await?;
        let clock = cluster.clock.ok_or(StoreError::UnreadableValue("clock"))?;
        let since_mark = clock - cluster.mark_at;
        // After a restore, the sum of the jumps cannot be compared with the one that was read before.
        let jumped = postgres
            .clock
            .jumped(clock, cluster.jumps)
            .filter(|_| !store.has_other_history(&cluster));
        // A process that has just started can see only by the last mark that the clock was set back.
        let jumped = jumped.or_else(|| (since_mark < Span(-1_000)).then_some(since_mark));
        let jumps = cluster.jumps + jumped.unwrap_or(Span::ZERO);
        let at = clock.max(cluster.mark_at);
        let mut change = Self::new(tx, cluster, at, stopwatch, store).await?;
        if let Some(by) = jumped {
            change.record_clock_jump(by, clock - by).await?;
            change.at = if by < Span::ZERO { clock } else { at };
            change.include_snapshot().await?;
            rows::set_clock_jumps(&mut change.tx, jumps).await?;
            tracing::warn!(
                by_ms = by.0,
                "the clock of the PostgreSQL server was set; verdicts do not change with it"
            );
        }
        if jumped.is_none_or(|by| by < Span::ZERO) {
            change.record_gap().await?;
        }
        postgres.clock.read(clock, jumps);
        Ok(change)
    }

    async fn new(
        mut tx: Tx,
        cluster: ClusterRow,
        at: Timestamp,
        stopwatch: Stopwatch,
        store: &Store,
    ) -> Result<Self, StoreError> {
        let known = store.synced_commit_in(&cluster);
        let earlier = changes_since(&mut tx, &cluster, known, at).await?.map(Box::new);
        let pending = Commit { earlier, at, ..Commit::default() };
        let has_other_history = store.has_other_history(&cluster);
        if has_other_history {
            tracing::warn!(
                "the database does not contain the last known commit: it was restored from a backup, or a standby without the last changes took over; everything was read again"
            );
        }
        // In both cases readers have an outdated picture.
        let visible = has_other_history || store.was_blind();
        Ok(Self {
            tx,
            cluster,
            at,
            pending,
            stopwatch,
            changes_access: false,
            visible,
            moves_all_times: false,
        })
    }

    /// The number of this change, if it becomes a commit.
    pub(super) fn commit_no(&self) -> i64 {
        self.cluster.commit.number + 1
    }

    /// Records a blind period if no web server wrote for that long.
    async fn record_gap(&mut self) -> Result<(), StoreError> {
        if self.is_gap(self.at) {
            self.add_blind_period(BlindPeriod {
                start: self.cluster.mark_at,
                end: self.at,
                clock_set: false,
            })
            .await?;
        }
        Ok(())
    }

    /// Whether the time since the last mark is so long that no web server can have been running.
    fn is_gap(&self, until: Timestamp) -> bool {
        let ClusterRow { mark_at, settings, .. } = self.cluster;
        until - mark_at > settings.max_mark_gap()
    }

    /// The clock was set by `by` at the time `from`: forward, records a blind period of that length; backward, moves
    /// all times back.
    pub(super) async fn record_clock_jump(
        &mut self,
        by: Span,
        from: Timestamp,
    ) -> Result<(), StoreError> {
        if by > Span::ZERO {
            let mark_at = self.cluster.mark_at;
            let was_blind = self.is_gap(from);
            let start = if was_blind { mark_at } else { from.max(mark_at) };
            let period = BlindPeriod { start, end: from + by, clock_set: !was_blind };
            return self.add_blind_period(period).await;
        }
        self.moves_all_times = true;
        let cluster = &mut self.cluster;
        for time in
            [&mut cluster.mark_at, &mut cluster.settings_changed_at, &mut cluster.history_begins_at]
        {
            *time = *time + by;
        }
        rows::shift_all(&mut self.tx, by).await?;
        let change = ClusterChange { clock_set: Some(by), ..ClusterChange::default() };
        let commit = self.commit_no();
        change.write(&mut self.tx, from + by, commit).await
    }

    pub(super) async fn add_blind_period(&mut self, period: BlindPeriod) -> Result<(), StoreError> {
        rows::add_blind_period(&mut self.tx, period).await?;
        let since = self.at.max(period.end) - BLIND_PERIOD_RETENTION;
        self.pending.blind_periods = Some(rows::blind_periods(&mut self.tx, since).await?);
        Ok(())
    }

    /// Makes the commit carry the whole snapshot, because all times moved.
    pub(super) async fn include_snapshot(&mut self) -> Result<(), StoreError> {
        let snapshot = rows::snapshot(&mut self.tx, &self.cluster).await?;
        self.pending.snapshot = Some(Box::new(snapshot));
        self.changes_access = true;
        Ok(())
    }

    /// Writes components, and updates the reference keys by what they report.
    pub(super) async fn write(&mut self, batch: Vec<Upsert>) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let commit = self.commit_no();
        component_row::upsert(&mut self.tx, &batch, commit).await?;
        self.learn_references(&batch).await?;
        for Upsert { component, facts } in batch {
            if facts {
                self.pending.components.push(component);
            } else {
                self.pending.heartbeats.push(HeartbeatUpdate::from_component(&component));
            }
        }
        Ok(())
    }

    /// Deletes the failing probes of these components, and all rejected heartbeats of these servers.
    pub(super) async fn end_rejections(
        &mut self,
        probed: &[ComponentKey],
        servers: &[ServerName],
    ) -> Result<(), StoreError> {
        if rejections::delete(&mut self.tx, probed, servers).await? {
            self.pending.rejected = Some(rejections::all(&mut self.tx).await?);
        }
        Ok(())
    }

    /// Whether others changed incidents since the picture that the caller has, or all times have moved.
    pub(super) fn has_other_incidents(&self) -> bool {
        if self.moves_all_times {
            return true;
        }
        let earlier = self.pending.earlier.as_ref();
        earlier.is_some_and(|earlier| earlier.snapshot.is_some() || !earlier.incidents.is_empty())
    }

    /// Writes incidents that began, went on or ended.
    pub(super) async fn write_incidents(
        &mut self,
        changed: Vec<IncidentChange>,
    ) -> Result<(), StoreError> {
        let commit = self.commit_no();
        incidents::upsert(&mut self.tx, &changed, commit).await?;
        let changed = changed.into_iter().map(|change| Arc::new(change.incident));
        self.pending.incidents = changed.collect();
        Ok(())
    }

    /// Writes an audit entry.
    pub(super) async fn record(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        let commit = self.commit_no();
        self.changes_access |= audit::record(&mut self.tx, entry, self.at, commit).await?;
        Ok(())
    }

    /// Updates the reference keys that are not agreed on yet by what was just reported. Components that report the
    /// same check as before cannot change them.
    async fn learn_references(&mut self, changed: &[Upsert]) -> Result<(), StoreError> {
        let changed: Vec<&Component> =
            changed.iter().filter(|write| write.facts).map(|write| &*write.component).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let known = rows::references(&mut self.tx).await?;
        let open =
            KeyKind::ALL.into_iter().filter(|kind| !known.get(*kind).is_some_and(|k| k.agreed));
        let checks: BTreeSet<KeyCheck> =
            open.flat_map(|kind| changed.iter().filter_map(move |one| one.check(kind))).collect();
        if checks.is_empty() {
            return Ok(());
        }
        let others = component_row::components_reporting(&mut self.tx, &checks).await?;
        let mut learned = known;
        for component in changed {
            learned.learn(component, others.iter());
        }
        if learned == known { Ok(()) } else { self.set_references(learned).await }
    }

    pub(super) async fn set_settings(&mut self, settings: Settings) -> Result<(), StoreError> {
        if settings != self.cluster.settings {
            rows::set_settings(&mut self.tx, &settings, self.at).await?;
            let change = ClusterChange { settings: Some(&settings), ..ClusterChange::default() };
            let (at, commit) = (self.at, self.commit_no());
            change.write(&mut self.tx, at, commit).await?;
        }
        self.pending.settings = Some(settings);
        Ok(())
    }

    pub(super) async fn set_references(
        &mut self,
        references: ReferenceKeys,
    ) -> Result<(), StoreError> {
        let (at, commit) = (self.at, self.commit_no());
        rows::set_references(&mut self.tx, &references, at, commit).await?;
        self.pending.references = Some(references);
        Ok(())
    }

    /// Adds to the history what a transaction records of components.
    pub(super) async fn write_history(&mut self, records: NewRecords) -> Result<(), StoreError> {
        let (at, commit) = (self.at, self.commit_no());
        records.write(&mut self.tx, at, commit).await
    }

    /// Commits. What readers can see gets a commit number; with `notify`, other web servers are notified of what is
    /// urgent.
    pub(super) async fn commit(self, notify: bool) -> Result<(ClusterRow, Commit), StoreError> {
        let visible = self.visible || !self.pending.is_empty();
        let before = self.cluster.commit;
        let commit = if visible || self.changes_access { before.next() } else { before };
        let Self { mut tx, cluster, at, mut pending, changes_access, moves_all_times, .. } = self;
        if changes_access {
            pending.auth_cache = Some(if pending.snapshot.is_some() {
                AuthChanges::Whole(Box::new(access_rows::auth_cache(&mut tx).await?))
            } else {
                AuthChanges::Changes(access_rows::changes_since(&mut tx, before.number).await?)
            });
        }
        pending.id = commit;
        pending.at = at;
        let changes_facts = self.visible || pending.changes_facts();
        pending.changed_at = if changes_facts { at } else { cluster.changed_at };
        if let Some(snapshot) = &mut pending.snapshot {
            snapshot.changed_at = at;
        }
        let parts = [
            (Section::Settings, pending.settings.is_some()),
            (Section::ReferenceKeys, pending.references.is_some()),
            (Section::BlindPeriods, pending.blind_periods.is_some()),
            (Section::Rejections, pending.rejected.is_some()),
            (Section::Incidents, !pending.incidents.is_empty()),
            (Section::AuthCache, changes_access),
            (Section::Everything, moves_all_times),
        ];
        let touched: Vec<Section> =
            parts.into_iter().filter(|(_, touched)| *touched).map(|(part, _)| part).collect();
        rows::update_cluster_row(&mut tx, at, pending.changed_at, commit, &touched).await?;
        if notify && pending.is_urgent() {
            PostgresStore::notify(&mut tx).await?;
        }
        tx.commit().await?;
        Ok((cluster, pending))
    }
}

/// What was written after the commit `known`. `None` if nothing was; the whole snapshot if the database does not
/// have that commit, or all times moved since.
pub(super) async fn changes_since(
    tx: &mut Tx,
    cluster: &ClusterRow,
    known: Option<CommitId>,
    at: Timestamp,
) -> Result<Option<Commit>, StoreError> {
    if known == Some(cluster.commit) {
        return Ok(None);
    }
    let mut commit =
        Commit { id: cluster.commit, at, changed_at: cluster.changed_at, ..Commit::default() };
    let revisions = cluster.revisions;
    let known = known.map(|known| known.number).filter(|known| revisions.everything <= *known);
    let Some(known) = known else {
        commit.snapshot = Some(Box::new(rows::snapshot(tx, cluster).await?));
        commit.auth_cache = Some(AuthChanges::Whole(Box::new(access_rows::auth_cache(tx).await?)));
        return Ok(Some(commit));
    };
    if cluster.commit.number > known + 1 {
        commit.skipped = rows::commits_since(tx, known).await?;
    }
    for row in component_row::changed_since(tx, known).await? {
        match row.stored {
            Stored::Removed(tombstone) => commit.removed.push(tombstone.key),
            Stored::Present(component) if row.facts => commit.components.push(component),
            Stored::Present(component) => {
                commit.heartbeats.push(HeartbeatUpdate::from_component(&component));
            }
        }
    }
    if revisions.settings > known {
        commit.settings = Some(cluster.settings);
    }
    if revisions.references > known {
        commit.references = Some(rows::references(tx).await?);
    }
    if revisions.blind_periods > known {
        let since = at - BLIND_PERIOD_RETENTION;
        commit.blind_periods = Some(rows::blind_periods(tx, since).await?);
    }
    if revisions.rejections > known {
        commit.rejected = Some(rejections::all(tx).await?);
    }
    if revisions.incidents > known {
        commit.incidents = incidents::changed_since(tx, known).await?;
    }
    if revisions.auth_cache > known {
        commit.auth_cache =
            Some(AuthChanges::Changes(access_rows::changes_since(tx, known).await?));
    }
    Ok(Some(commit))
}

#[cfg(test)]
mod tests;
