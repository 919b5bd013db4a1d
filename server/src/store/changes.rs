//! How is each change written? In one transaction, whose result is a `Commit` for the live picture.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use app::cluster::observation::BLIND_PERIOD_RETENTION;
use app::cluster::receive::Stored;
use app::cluster::{
    BlindPeriod, ComponentKey, Heartbeat, KeyCheck, KeyKind, RejectedHeartbeat, ServerName,
    Settings, Span, Timestamp,
};

use crate::auth::audit::{AuditEntry, AuditQuery, AuditRecord};
use crate::auth::secret::SecretHash;
use crate::store::access_change::AccessChange;
use crate::store::commit::{Commit, ReceiveOutcome};
use crate::store::component_row::Upsert;
use crate::store::error::StoreError;
use crate::store::fold::{self, fold_heartbeats};
use crate::store::messenger_status::MessengerReport;
use crate::store::sqlite::SqliteStore;
use crate::store::task::run_to_end;
use crate::store::write_tx::WriteTx;
use crate::store::{Database, Store};
use crate::store::{
    access, access_rows, audit, channels, component_row, incidents, rejections, rows,
};

pub(super) const MAX_ROWS_PER_DELETE: u32 = 1_000;
const MAX_USES_PER_TRANSACTION: usize = 1_000;
/// As long as a tombstone exists, a late heartbeat of the removed component is not mistaken for a new one.
const TOMBSTONE_RETENTION: Span = Span::minutes(31 * 24 * 60);

/// The future of work inside a transaction.
pub(super) type TxFuture<'t, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 't>>;

impl Store {
    /// Writes a batch of heartbeats, in order: all of it or nothing.
    pub async fn receive(
        self: &Arc<Self>,
        batch: impl Into<Arc<[Heartbeat]>>,
    ) -> Result<ReceiveOutcome, StoreError> {
        let batch: Arc<[Heartbeat]> = batch.into();
        let received = self.write(move |change| {
            Box::pin(async move {
                let receipts = fold_heartbeats(change, &batch).await?;
                Ok((receipts, change.at, change.cluster.settings.interval()))
            })
        });
        let ((receipts, at, interval), commit) = received.await?;
        Ok(ReceiveOutcome { receipts, at, interval, commit })
    }

    pub async fn set_settings(
        self: &Arc<Self>,
        settings: Settings,
        entry: &AuditEntry,
    ) -> Result<Commit, StoreError> {
        let entry = entry.clone();
        let written = self.write(move |change| {
            Box::pin(async move {
                change.set_settings(settings).await?;
                change.record(&entry).await
            })
        });
        written.await.map(|((), commit)| commit)
    }

    /// Removes these components; each leaves a tombstone. The credentials of the servers in `whole`, which are
    /// removed with all their components, are revoked.
    pub async fn remove(
        self: &Arc<Self>,
        keys: &[ComponentKey],
        whole: &[ServerName],
        entry: Option<&AuditEntry>,
    ) -> Result<Commit, StoreError> {
        let (keys, whole, entry) = (keys.to_vec(), whole.to_vec(), entry.cloned());
        let written = self.write(move |change| {
            Box::pin(async move {
                let (at, commit) = (change.at, change.commit_no());
                fold::record_removal(change, &keys).await?;
                component_row::remove(&mut change.tx, &keys, at, commit).await?;
                change.end_rejections(&keys, &whole).await?;
                change.pending.removed = keys;
                change.changes_access |=
                    access::revoke_credentials(&mut change.tx, &whole, at, commit).await?;
                match &entry {
                    Some(entry) => change.record(entry).await,
                    None => Ok(()),
                }
            })
        });
        written.await.map(|((), commit)| commit)
    }

    /// Writes runs of rejected heartbeats and failing probes.
    pub async fn write_rejections(
        self: &Arc<Self>,
        runs: Vec<RejectedHeartbeat>,
    ) -> Result<Commit, StoreError> {
        let written = self.write(move |change| {
            Box::pin(async move {
                rejections::write(&mut change.tx, &runs, change.at).await?;
                change.pending.rejected = Some(rejections::all(&mut change.tx).await?);
                Ok(())
            })
        });
        written.await.map(|((), commit)| commit)
    }

    /// The blind periods that end after `since`, in order: those of a snapshot, and earlier ones.
    pub(crate) async fn blind_periods(
        self: &Arc<Self>,
        since: Timestamp,
    ) -> Result<Vec<BlindPeriod>, StoreError> {
        self.read(move |tx| Box::pin(async move { rows::blind_periods(tx, since).await })).await
    }

    /// Deletes the blind periods that end after `since`.
    pub(crate) async fn delete_blind_periods(
        self: &Arc<Self>,
        since: Timestamp,
    ) -> Result<Commit, StoreError> {
        let written = self.write(move |change| {
            Box::pin(async move {
                rows::delete_blind_periods(&mut change.tx, since).await?;
                let kept = rows::blind_periods(&mut change.tx, change.at - BLIND_PERIOD_RETENTION);
                change.pending.blind_periods = Some(kept.await?);
                Ok(())
            })
        });
        written.await.map(|((), commit)| commit)
    }

    /// Makes all these changes of accounts, sessions and tokens or none, with an audit entry. `None` if one of them
    /// found nothing to change.
    pub async fn change_access(
        self: &Arc<Self>,
        changes: &[AccessChange],
        entry: Option<&AuditEntry>,
    ) -> Result<Option<Commit>, StoreError> {
        let (store, changes, entry) = (Arc::clone(self), changes.to_vec(), entry.cloned());
        run_to_end(async move {
            let mut change = store.change().await?;
            for access_change in &changes {
                let commit = change.commit_no();
                if !access::change_access(&mut change.tx, access_change, change.at, commit).await? {
                    return change.tx.rollback().await.map(|()| None);
                }
            }
            change.changes_access = true;
            if let Some(entry) = &entry {
                change.record(entry).await?;
            }
            store.commit(change).await.map(Some)
        })
        .await
    }

    /// Writes an audit entry about something that was rejected.
    pub async fn record(self: &Arc<Self>, entry: &AuditEntry) -> Result<Commit, StoreError> {
        let entry = entry.clone();
        let written =
            self.write(move |change| Box::pin(async move { change.record(&entry).await }));
        written.await.map(|((), commit)| commit)
    }

    /// Audit entries, newest first.
    pub async fn audit(
        self: &Arc<Self>,
        query: &AuditQuery,
    ) -> Result<Vec<AuditRecord>, StoreError> {
        let query = query.clone();
        self.read(move |tx| Box::pin(async move { audit::audit(tx, &query).await })).await
    }

    /// Writes in which state the web server `seen_by` finds the messengers of services. A report changes nothing if
    /// the state is the same as before, or if the component does not exist or announces no messenger.
    pub async fn note_messengers(
        self: &Arc<Self>,
        reports: &[MessengerReport],
        seen_by: &str,
    ) -> Result<Commit, StoreError> {
        let (reports, seen_by) = (reports.to_vec(), seen_by.to_owned());
        let written = self.write(move |change| {
            Box::pin(async move { write_messenger_reports(change, &reports, &seen_by).await })
        });
        written.await.map(|((), commit)| commit)
    }

    /// Makes this check the reference key: all others are compared with it.
    pub async fn accept_key(
        self: &Arc<Self>,
        kind: KeyKind,
        check: KeyCheck,
        entry: &AuditEntry,
    ) -> Result<Commit, StoreError> {
        let entry = entry.clone();
        let written = self.write(move |change| {
            Box::pin(async move {
                let known = rows::references(&mut change.tx).await?;
                let mut references = known;
                references.accept(kind, check);
                if references == known {
                    change.pending.references = Some(references);
                } else {
                    change.set_references(references).await?;
                }
                change.record(&entry).await
            })
        });
        written.await.map(|((), commit)| commit)
    }

    /// Renews the mark, so that a time in which the overview was running does not become a blind period. The
    /// clock of an SQLite database follows the wall clock here, if that was set.
    pub async fn renew_mark(self: &Arc<Self>) -> Result<Commit, StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move { store.write_mark().await }).await
    }

    /// Renews the mark after an outage of the database, once its disk has room for heartbeats. A PostgreSQL server
    /// whose disk is full still accepts what fits into the free space of its files, as a mark does. If that ended
    /// the blind period, servers whose heartbeats do not fit would be called silent.
    pub async fn renew_mark_after_outage(self: &Arc<Self>) -> Result<Commit, StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            if let Database::Postgres(postgres) = &store.database {
                postgres.check_disk_space().await?;
            }
            store.write_mark().await
        })
        .await
    }

    pub(super) async fn write_mark(&self) -> Result<Commit, StoreError> {
        if let Database::Sqlite(sqlite) = &self.database
            && let Some(jump) = sqlite.clock.jump_due()
        {
            return self.jump_clock(sqlite, jump).await;
        }
        let change = self.change().await?;
        self.commit(change).await
    }

    /// Deletes expired rows, unless another web server is doing so: in small transactions, so that heartbeats do not
    /// wait for long. Expired rows authenticate nobody, so readers are not notified.
    pub async fn run_housekeeping(self: &Arc<Self>) -> Result<(), StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            while store.delete_some_expired().await? {}
            store.prune_history().await
        })
        .await
    }

    /// Deletes some expired rows of each kind. Returns whether there may be more.
    async fn delete_some_expired(&self) -> Result<bool, StoreError> {
        let tx = match &self.database {
            Database::Sqlite(sqlite) => Some(sqlite.begin_write().await?),
            Database::Postgres(postgres) => postgres.try_begin_housekeeping().await?,
        };
        let Some(mut tx) = tx else { return Ok(false) };
        let at = self.now();
        let tombstones = at - TOMBSTONE_RETENTION;
        let more_facts = rows::delete_tombstones(&mut tx, tombstones, MAX_ROWS_PER_DELETE).await?;
        let more_access = audit::delete_expired(&mut tx, at, MAX_ROWS_PER_DELETE).await?;
        let ended = at - self.keep_history;
        let more_incidents = incidents::delete_expired(&mut tx, ended, MAX_ROWS_PER_DELETE).await?;
        let more_messages = channels::delete_expired(&mut tx, at, MAX_ROWS_PER_DELETE).await?;
        tx.commit().await?;
        Ok(more_facts || more_access || more_incidents || more_messages)
    }

    /// Writes when tokens were last used, and reads which ones were used since `since` at any web server. Not a
    /// commit: no reader is notified.
    pub async fn record_token_uses(
        self: &Arc<Self>,
        uses: Vec<(String, Timestamp)>,
        since: Timestamp,
    ) -> Result<Vec<(SecretHash, Timestamp)>, StoreError> {
        let store = Arc::clone(self);
        let written = run_to_end(async move {
            for chunk in uses.chunks(MAX_USES_PER_TRANSACTION) {
                let mut tx = store.begin_write().await?;
                access_rows::record_token_uses(&mut tx, chunk).await?;
                tx.commit().await?;
            }
            Ok::<_, StoreError>(())
        });
        written.await?;
        self.read(move |tx| Box::pin(async move { access_rows::token_uses_since(tx, since).await }))
            .await
    }

    /// Moves the clock of an SQLite database by `by` without changing any verdict: a jump forward becomes a blind
    /// period of its length, a jump backward moves all times back. The old picture must not be judged by the new
    /// clock: until the commit is applied, the time of the last one is used.
    async fn jump_clock(&self, sqlite: &SqliteStore, by: Span) -> Result<Commit, StoreError> {
        let mut change = self.change().await?;
        let from = change.at;
        change.record_clock_jump(by, from).await?;
        change.at = from + by;
        change.include_snapshot().await?;
        let commit = self.commit(change).await?;
        sqlite.clock.jump(by);
        tracing::warn!(by_ms = by.0, "the system clock was set; verdicts do not change with it");
        Ok(commit)
    }

    pub(super) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut WriteTx) -> TxFuture<'_, T> + Send + 'static,
    ) -> Result<(T, Commit), StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            let mut change = store.change().await?;
            let done = work(&mut change).await?;
            Ok((done, store.commit(change).await?))
        })
        .await
    }

    /// Begins a change: reads what others wrote, and records a gap since the last mark as a blind period.
    pub(super) async fn change(&self) -> Result<WriteTx, StoreError> {
        let begun = match &self.database {
            Database::Sqlite(sqlite) => Box::pin(WriteTx::begin_on_sqlite(sqlite, self)).await,
            Database::Postgres(postgres) => {
                Box::pin(WriteTx::begin_on_postgres(postgres, self)).await
            }
        };
        self.note_failure(begun).await
    }

    pub(super) async fn commit(&self, change: WriteTx) -> Result<Commit, StoreError> {
        let stopwatch = change.stopwatch;
        let (cluster, commit) = Box::pin(change.commit(self.is_shared())).await?;
        self.durations.observe(stopwatch.elapsed().as_secs_f64());
        self.set_sync_point(&cluster, commit.id);
        self.was_blind.store(false, Ordering::Relaxed);
        Ok(commit)
    }

    /// Lets the PostgreSQL store react to an error, and passes the result on.
    pub(super) async fn note_failure<T>(
        &self,
        result: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let (Err(error), Database::Postgres(postgres)) = (&result, &self.database) {
            postgres.note_failure(error).await;
        }
        result
    }
}

async fn write_messenger_reports(
    change: &mut WriteTx,
    reports: &[MessengerReport],
    seen_by: &str,
) -> Result<(), StoreError> {
    let keys: Vec<ComponentKey> = reports.iter().map(|seen| seen.key.clone()).collect();
    let stored = component_row::stored(&mut change.tx, &keys).await?;
    let mut next: BTreeMap<&ComponentKey, Upsert> = BTreeMap::new();
    for report in reports {
        if let Some(component) = stored.get(&report.key).and_then(Stored::present)
            && let Some(component) = report.apply_to(component, seen_by, change.at)
        {
            let component = Arc::new(component);
            next.insert(&report.key, Upsert { component, facts: true });
        }
    }
    change.write(next.into_values().collect()).await
}
