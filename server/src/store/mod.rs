//! Where the facts are kept: all the SQL there is. Every change is one transaction, stamped by the
//! database's clock, and returns the news a reader has to take in.

mod access;
mod access_rows;
mod address;
pub mod admin;
mod audit;
#[cfg(test)]
mod cancellation;
mod changes;
mod commit;
mod commit_token;
mod component_row;
mod error;
mod messenger_status;
mod postgres;
mod rows;
mod schema;
mod sql;
mod sqlite;
pub(crate) mod task;
mod tx;
mod write_tx;

pub(crate) use self::address::without_password;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use app::cluster::Timestamp;

use crate::auth::secret::SecretHash;
pub use crate::store::access::AccessChange;
pub(crate) use crate::store::access::TOKEN_RETENTION;
use crate::store::changes::TxFuture;
pub use crate::store::commit::{AuthChanges, Commit, LoadedState, Receipt, ReceiveOutcome};
pub use crate::store::commit_token::CommitId;
pub(crate) use crate::store::commit_token::History;
pub use crate::store::error::StoreError;
pub use crate::store::messenger_status::MessengerReport;
pub(crate) use crate::store::postgres::ChangeListener;
use crate::store::postgres::PostgresStore;
use crate::store::rows::ClusterRow;
use crate::store::sqlite::SqliteStore;
use crate::store::task::run_to_end;
use crate::store::tx::Tx;
use crate::telemetry::primitives::{DURATION_BOUNDS_S, Histogram};

/// The facts of one cluster.
///
/// Everything it does runs to its end in a task of its own ([`run_to_end`]): a caller that goes away
/// never cuts a change off in the middle.
#[derive(Debug)]
pub struct Store {
    database: Database,
    sync_point: Mutex<SyncPoint>,
    /// How long changes took, from their beginning to their commit.
    durations: Histogram,
    /// Whether the database could not be read or written since the last commit.
    was_blind: AtomicBool,
}

/// Which database it is.
#[derive(Debug)]
enum Database {
    /// A file of this process's own.
    Sqlite(Box<SqliteStore>),
    /// A server that several processes share.
    Postgres(Box<PostgresStore>),
}

/// How much of what was written this process knows.
#[derive(Clone, Debug)]
struct SyncPoint {
    /// Part of every cursor: a cursor of another database means nothing here.
    database_id: String,
    /// All up to this commit; `None` before anything was read.
    commit: Option<CommitId>,
}

/// Where a database stands: what a glance reads.
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
    /// Opens the database at `sqlite:PATH`, creating the file if there is none, or at
    /// `postgres://USER@HOST/DATABASE`, which need not be there yet; brings its schema up to date. The
    /// gap since a process last wrote becomes a period.
    pub async fn open(address: &str) -> Result<Arc<Self>, StoreError> {
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
        let durations = Histogram::new(DURATION_BOUNDS_S);
        let was_blind = AtomicBool::new(false);
        Ok(Arc::new(Self { database, sync_point: Mutex::new(sync_point), durations, was_blind }))
    }

    /// The file behind an address, if it is a file's.
    pub fn path(address: &str) -> Option<PathBuf> {
        sqlite::path(address)
    }

    /// The file beside this database in which `serve` keeps the join token.
    pub fn join_token_file(database: &Path) -> PathBuf {
        sqlite::join_token_file(database)
    }

    /// Fails if this process may not use the files of this database.
    pub fn check_owner(address: &str) -> Result<(), StoreError> {
        Self::path(address).map_or(Ok(()), |path| sqlite::check_owner(&path))
    }

    /// Names the cluster's database, whether it can be reached or not.
    pub fn name(&self) -> String {
        match &self.database {
            Database::Sqlite(_) => self.database_id(),
            Database::Postgres(postgres) => SecretHash::new(postgres.name()).to_hex(),
        }
    }

    /// Names the database in cursors.
    pub fn database_id(&self) -> String {
        self.sync_point().database_id.clone()
    }

    /// Whether other processes write to it too.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.database, Database::Postgres(_))
    }

    /// How long changes took, from their beginning to their commit.
    pub(crate) fn durations(&self) -> &Histogram {
        &self.durations
    }

    /// How often a connection was found inside an earlier transaction, and replaced.
    pub(crate) fn replaced_connections(&self) -> u64 {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.replaced_connections.get(),
            Database::Postgres(postgres) => postgres.replaced_connections.get(),
        }
    }

    /// Now, by the database's clock.
    pub fn now(&self) -> Timestamp {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.clock.now(),
            Database::Postgres(postgres) => postgres.clock.now(),
        }
    }

    /// Everything, and the number of the commit it stands at.
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

    /// Whether another process has written what this one does not know.
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

    /// What others have written since this process last knew. Somebody watched until the mark they left:
    /// whether anybody has since, only a change can tell. Where the database is of another history, a change is made,
    /// so that every web server sees when.
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

    /// What hears other web servers write; `None` where there are none.
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

    /// How long a file's write-ahead log is.
    pub(crate) fn log_bytes(&self) -> u64 {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.log_bytes(),
            Database::Postgres(_) => 0,
        }
    }

    /// Keeps a file's write-ahead log short, for as long as the process lives.
    pub async fn run_checkpoints(&self) {
        if let Database::Sqlite(sqlite) = &self.database {
            sqlite.run_checkpoints().await;
        }
    }

    /// Closes the database: nothing is read or written any more.
    pub async fn close(&self) {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.close().await,
            Database::Postgres(postgres) => postgres.close().await,
        }
    }

    /// Reads a file again and again, for as long as the process lives or until it is damaged. A server
    /// looks after its own.
    pub async fn run_integrity_checks(&self) {
        if let Database::Sqlite(sqlite) = &self.database {
            sqlite.run_integrity_checks().await;
        }
    }

    fn sync_point(&self) -> MutexGuard<'_, SyncPoint> {
        self.sync_point.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the commit up to which this process knows everything, if it knows anything.
    fn synced_number(&self) -> Option<i64> {
        self.sync_point().commit.map(|commit| commit.number)
    }

    /// Up to which commit of this very history this process knows everything; `head` was asked for its number.
    fn synced_commit_in(&self, cluster: &ClusterRow) -> Option<CommitId> {
        let known = self.sync_point();
        known
            .commit
            .filter(|commit| known.database_id == cluster.database_id && cluster.has(*commit))
    }

    /// Whether the database is not a later state of the one that was known.
    fn has_other_history(&self, cluster: &ClusterRow) -> bool {
        self.synced_number().is_some() && self.synced_commit_in(cluster).is_none()
    }

    /// Notes that the database could not be read or written: the next commit is one that readers see, for the
    /// picture has changed twice.
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

    /// Reads within one transaction: everything stands at one commit.
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

    /// Begins to read.
    async fn begin_read(&self) -> Result<Tx, StoreError> {
        match &self.database {
            Database::Sqlite(sqlite) => sqlite.begin_read().await,
            Database::Postgres(postgres) => postgres.begin_read().await,
        }
    }
}

/// A name for a new database: 64 random bits.
fn new_id() -> String {
    let mut id = uuid::Uuid::new_v4().simple().to_string();
    id.truncate(16);
    id
}
