//! What does the store do? It holds all SQL. Each change is one transaction with the time of the database's clock,
//! and returns a [`Commit`] for the live picture.

mod access;
mod access_change;
mod access_rows;
mod address;
pub mod admin;
mod audit;
#[cfg(test)]
mod cancellation;
mod changes;
mod channels;
mod commit;
mod commit_token;
mod component_row;
mod deliveries;
mod error;
mod fold;
mod history;
mod incidents;
mod leadership;
mod messenger_status;
mod packed;
mod people;
mod postgres;
mod rejections;
mod rows;
mod schema;
mod sqlite;
mod statement;
pub(crate) mod task;
mod tx;
mod write_tx;

pub(crate) use self::address::without_password;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::cluster::{DiskSpace, Span, Timestamp};

use crate::auth::secret::SecretHash;
pub(crate) use crate::store::access::TOKEN_RETENTION;
pub use crate::store::access_change::AccessChange;
use crate::store::changes::TxFuture;
pub use crate::store::channels::{ChannelState, Pause};
pub use crate::store::commit::{AuthChanges, Commit, LoadedState, Receipt, ReceiveOutcome};
pub use crate::store::commit_token::CommitId;
pub(crate) use crate::store::commit_token::History;
pub use crate::store::deliveries::{ChannelCondition, Delivery, DeliveryOutcome, ToldChannel};
pub use crate::store::error::StoreError;
pub use crate::store::history::{HistoryQuery, ImportedPast, KEEP_HISTORY};
pub use crate::store::incidents::{IncidentQuery, IncidentRecord};
pub use crate::store::messenger_status::MessengerReport;
pub(crate) use crate::store::postgres::ChangeListener;
use crate::store::postgres::PostgresStore;
use crate::store::rows::ClusterRow;
use crate::store::sqlite::SqliteStore;
use crate::store::task::run_to_end;
use crate::store::tx::Tx;
use crate::telemetry::deliveries::DeliveryMetrics;
use crate::telemetry::primitives::{DURATION_BOUNDS_S, Histogram};

/// The database of one cluster.
///
/// All its work runs in a task of its own ([`run_to_end`]): a change is never interrupted because its caller goes
/// away.
#[derive(Debug)]
pub struct Store {
    database: Database,
    sync_point: Mutex<SyncPoint>,
    /// How long changes took, from their beginning to their commit.
    durations: Histogram,
    delivery_metrics: DeliveryMetrics,
    /// Whether the database could not be read or written since the last commit.
    was_blind: AtomicBool,
    /// How long the history is kept.
    keep_history: Span,
}

#[derive(Debug)]
enum Database {
    /// A file that only this process opens, except for commands.
    Sqlite(Box<SqliteStore>),
    /// A server that several web servers share.
    Postgres(Box<PostgresStore>),
}

/// Up to where this process has read the database.
#[derive(Clone, Debug)]
struct SyncPoint {
    /// Part of every cursor: a cursor of another database is not valid here.
    database_id: String,
    /// The last commit that was read; `None` before the first one.
    commit: Option<CommitId>,
}

/// Which commit is the database's latest one: enough to see whether others have written.
#[derive(Debug)]
struct LatestCommit {
    database_id: String,
    commit: CommitId,
}

const SELECT_LATEST_COMMIT: &str = "select database_id, commit_no, commit_token from cluster";

impl LatestCommit {
    fn from_row((database_id, number, token): (String, i64, i64)) -> Self {
        Self { database_id, commit: CommitId { number, token } }
    }
}

impl Store {
    /// Opens the database at `sqlite:PATH`, and creates the file if it does not exist; or at
    /// `postgres://USER@HOST/DATABASE`, which may be unreachable for now. Applies the migrations.
    pub async fn open(address: &str) -> Result<Arc<Self>, StoreError> {
        Self::open_keeping(address, KEEP_HISTORY).await
    }

    /// Opens it, and keeps the history for this long.
    pub async fn open_keeping(address: &str, keep_history: Span) -> Result<Arc<Self>, StoreError> {
        let (database, sync_point) = if postgres::is_address(address) {
            let postgres = PostgresStore::new(address)?;
            let sync_point = SyncPoint { database_id: postgres.name().to_owned(), commit: None };
            (Database::Postgres(Box::new(postgres)), sync_point)
        } else {
            let path = Self::path(address)
                .ok_or_else(|| StoreError::InvalidAddress(without_password(address)))?;
            let (sqlite, cluster) = SqliteStore::open(path).await?;
            let sync_point =
                SyncPoint { database_id: cluster.database_id, commit: Some(cluster.commit) };
            (Database::Sqlite(Box::new(sqlite)), sync_point)
        };
        Ok(Arc::new(Self {
            database,
            sync_point: Mutex::new(sync_point),
            durations: Histogram::new(DURATION_BOUNDS_S),
            delivery_metrics: DeliveryMetrics::default(),
            was_blind: AtomicBool::new(false),
            keep_history,
        }))
    }

    /// The file of an `sqlite:` address.
    pub fn path(address: &str) -> Option<PathBuf> {
        sqlite::path(address)
    }

    /// The file next to this database in which `serve` keeps the join token.
    pub fn join_token_file(database: &Path) -> PathBuf {
        sqlite::join_token_file(database)
    }

    /// Fails if this process lacks access to files of this database.
    pub fn check_owner(address: &str) -> Result<(), StoreError> {
        Self::path(address).map_or(Ok(()), |path| sqlite::check_owner(&path))
    }

    /// Identifies the cluster's database, also while it cannot be reached.
    pub fn name(&self) -> String {
        match &self.database {
            Database::Sqlite(_) => self.database_id(),
            Database::Postgres(postgres) => SecretHash::new(postgres.name()).to_hex(),
        }
    }

    /// Identifies the database in cursors.
    pub fn database_id(&self) -> String {
        self.sync_point().database_id.clone()
    }

    /// Whether other web servers write to it too.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.database, Database::Postgres(_))
    }

    /// How long changes took, from their beginning to their commit.
    pub(crate) fn durations(&self) -> &Histogram {
        &self.durations
    }

    /// What became of the messages to channels that this process sent.
    pub(crate) fn delivery_metrics(&self) -> &DeliveryMetrics {
        &self.delivery_metrics
    }

    /// How often a connection was found inside an earlier transaction, and replaced.
    pub(crate) fn replaced_connections(&self) -> u64 {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.replaced_connections.get(),
            Database::Postgres(postgres) => postgres.replaced_connections.get(),
        }
    }

    /// The current time by the database's clock.
    pub fn now(&self) -> Timestamp {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.clock.now(),
            Database::Postgres(postgres) => postgres.clock.now(),
        }
    }

    pub async fn load(self: &Arc<Self>) -> Result<LoadedState, StoreError> {
        let everything = self.read(|tx| {
            Box::pin(async move {
                let cluster = rows::cluster_row(tx, None).await?;
                let snapshot = rows::snapshot(tx, &cluster).await?;
                Ok((cluster, snapshot, access_rows::auth_cache(tx).await?))
            })
        });
        let (cluster, snapshot, auth_cache) = everything.await?;
        self.set_sync_point(&cluster, cluster.commit);
        Ok(LoadedState { snapshot, auth_cache, commit: cluster.commit })
    }

    /// Whether another process has written since this one last read.
    pub async fn is_behind(self: &Arc<Self>) -> Result<bool, StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            let known = store.sync_point().clone();
            let standing = match &store.database {
                Database::Sqlite(sqlite) => sqlite.read_latest_commit().await?,
                Database::Postgres(postgres) => postgres.read_latest_commit().await?,
            };
            Ok(known.database_id != standing.database_id || known.commit != Some(standing.commit))
        })
        .await
    }

    /// Reads what others have written since this process last read. Its time is the last mark: whether there is a gap
    /// after it is only known after the next write. If the database was restored or replaced, a commit is written,
    /// so that every web server sees when it was noticed.
    pub async fn catch_up(self: &Arc<Self>) -> Result<Commit, StoreError> {
        let store = Arc::clone(self);
        let caught_up = self.read(move |tx| {
            Box::pin(async move {
                let cluster = rows::cluster_row(tx, store.synced_number()).await?;
                if store.has_other_history(&cluster) {
                    return Ok(None);
                }
                let since = store.synced_commit_in(&cluster);
                let commit = write_tx::changes_since(tx, &cluster, since, cluster.mark_at).await?;
                Ok(Some((cluster, commit)))
            })
        });
        let Some((cluster, commit)) = caught_up.await? else { return self.renew_mark().await };
        self.set_sync_point(&cluster, cluster.commit);
        let (id, at) = (cluster.commit, cluster.mark_at);
        Ok(commit.unwrap_or(Commit { id, at, ..Commit::default() }))
    }

    /// Listens to notifications of other web servers. `None` on SQLite, where there are none.
    pub(crate) async fn listen(self: &Arc<Self>) -> Result<Option<ChangeListener>, StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            match &store.database {
                Database::Sqlite(_) => Ok(None),
                Database::Postgres(postgres) => postgres.listen().await.map(Some),
            }
        })
        .await
    }

    /// The disk of the SQLite file. `None` if that cannot be found out, and for PostgreSQL.
    pub(crate) fn disk_space(&self) -> Option<DiskSpace> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.disk_space(),
            Database::Postgres(_) => None,
        }
    }

    /// The size of SQLite's write-ahead log.
    pub(crate) fn log_bytes(&self) -> u64 {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.log_bytes(),
            Database::Postgres(_) => 0,
        }
    }

    /// Keeps SQLite's write-ahead log short until the process ends.
    pub async fn run_checkpoints(&self) {
        if let Database::Sqlite(sqlite) = &self.database {
            sqlite.run_checkpoints().await;
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.close().await,
            Database::Postgres(postgres) => postgres.close().await,
        }
    }

    /// Checks an SQLite file for damage again and again until it is damaged or the process ends. PostgreSQL reports
    /// damage itself.
    pub async fn run_integrity_checks(&self) {
        if let Database::Sqlite(sqlite) = &self.database {
            sqlite.run_integrity_checks().await;
        }
    }

    fn sync_point(&self) -> MutexGuard<'_, SyncPoint> {
        self.sync_point.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn synced_number(&self) -> Option<i64> {
        self.sync_point().commit.map(|commit| commit.number)
    }

    /// The last commit that this process has read, if the database still has it. `cluster` must have been selected
    /// with its number.
    fn synced_commit_in(&self, cluster: &ClusterRow) -> Option<CommitId> {
        let known = self.sync_point();
        known
            .commit
            .filter(|commit| known.database_id == cluster.database_id && cluster.has(*commit))
    }

    /// Whether the database is not a later state of the one that was read: it was restored or replaced.
    fn has_other_history(&self, cluster: &ClusterRow) -> bool {
        self.synced_number().is_some() && self.synced_commit_in(cluster).is_none()
    }

    /// Makes the next transaction a new commit, because readers must see that the outage is over.
    pub(crate) fn note_blindness(&self) {
        self.was_blind.store(true, Ordering::Relaxed);
    }

    fn was_blind(&self) -> bool {
        self.was_blind.load(Ordering::Relaxed)
    }

    fn set_sync_point(&self, cluster: &ClusterRow, commit: CommitId) {
        let database_id = cluster.database_id.clone();
        *self.sync_point() = SyncPoint { database_id, commit: Some(commit) };
    }

    /// Reads within one transaction: everything is of the same commit.
    async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Tx) -> TxFuture<'_, T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            let mut tx = store.begin_read().await?;
            let found = work(&mut tx).await;
            let found = store.note_failure(found).await?;
            tx.rollback().await?;
            Ok(found)
        })
        .await
    }

    /// Of what no reader of the picture sees.
    async fn begin_write(&self) -> Result<Tx, StoreError> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.begin_write().await,
            Database::Postgres(postgres) => postgres.begin_write().await,
        }
    }

    async fn begin_read(&self) -> Result<Tx, StoreError> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.begin_read().await,
            Database::Postgres(postgres) => postgres.begin_read().await,
        }
    }
}

/// A random id for a new database: 64 bits.
fn new_id() -> String {
    let mut id = uuid::Uuid::new_v4().simple().to_string();
    id.truncate(16);
    id
}
