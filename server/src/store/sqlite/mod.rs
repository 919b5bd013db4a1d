//! The database as a file that one process owns.

mod checkpoint;
mod file;
pub(super) mod integrity;
mod lock;
pub(super) mod rows;
mod wal;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::{Migrate as _, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::clock::{self, Clock, Stopwatch};
use crate::files::owner::{Inaccessible, InaccessiblePath};
use crate::store::rows::{ClusterRow, cluster_row, insert_cluster_row};
use crate::store::schema::{self, MIGRATIONS_TABLE};
use crate::store::sqlite::file::DatabaseFile;
use crate::store::sqlite::integrity::Damage;
use crate::store::sqlite::lock::{LOCK_SUFFIX, Lock, SQLITE_SUFFIXES, with_suffix};
use crate::store::tx::{Pool, Tx};
use crate::store::{LatestCommit, SELECT_LATEST_COMMIT, StoreError, new_id};
use crate::telemetry::primitives::Counter;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/sqlite");
/// What to do about a file that cannot be used any more.
const NEW_FILE: &str =
    "start with a new file: move this one away, or name another one with --database";
/// How long a command waits for the owner to bring the schema up to date, and how often it looks.
const SCHEMA_TIMEOUT: Duration = Duration::from_secs(5);
const SCHEMA_POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How many connections read a file at once.
const MAX_READERS: u32 = 2;
/// How long to wait for a connection to a file. Nobody else has one: what is waited for are our own
/// transactions, and a slow disk is not a lost one.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);

/// An `SQLite` file, and the clock of the process that owns it.
#[derive(Debug)]
pub(super) struct SqliteStore {
    /// The one connection that writes.
    writer: SqlitePool,
    /// What reads beside it, and never keeps it waiting.
    readers: SqlitePool,
    pub(super) replaced_connections: Counter,
    pub(super) clock: Clock,
    file: DatabaseFile,
    /// Where its write-ahead log lies.
    log: PathBuf,
    damage: Arc<Damage>,
    /// Held as long as the store lives.
    _lock: Lock,
}

/// The file behind an address, if it is one of ours.
pub(super) fn path(address: &str) -> Option<PathBuf> {
    let path = address.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    (!path.is_empty() && !path.starts_with(':')).then(|| PathBuf::from(path))
}

/// The file beside a database in which `serve` keeps the join token.
pub(super) fn join_token_file(database: &Path) -> PathBuf {
    with_suffix(database, ".join-token")
}

/// Fails if this process may not use the database, or what lies beside it: all of it is named at once.
pub(super) fn check_owner(path: &Path) -> Result<(), StoreError> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let beside = SQLITE_SUFFIXES.iter().chain([&LOCK_SUFFIX]).map(|end| with_suffix(&real, end));
    let files = std::iter::once(real.clone()).chain(beside);
    let mut files: Vec<InaccessiblePath> =
        files.filter_map(|file| InaccessiblePath::file(&file, true)).collect();
    files.extend(InaccessiblePath::file(&join_token_file(path), false));
    let folder = real.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = InaccessiblePath::folder(folder.unwrap_or(Path::new(".")));
    if files.is_empty() && folder.is_none() {
        return Ok(());
    }
    let inaccessible = Inaccessible { files, folder };
    Err(StoreError::NoAccess { path: path.to_owned(), inaccessible })
}

impl SqliteStore {
    /// Opens the file, creating it if there is none, and brings its schema up to date.
    pub(super) async fn open(path: PathBuf) -> Result<(Self, ClusterRow), StoreError> {
        check_owner(&path)?;
        let lock = Lock::acquire(&path)?;
        let opened = Self::open_locked(&path, lock).await;
        opened.map_err(|error| StoreError::Open { path, source: Box::new(error) })
    }

    async fn open_locked(path: &Path, lock: Lock) -> Result<(Self, ClusterRow), StoreError> {
        // `SQLite` keeps its log beside the file itself, wherever a symbolic link to it lies.
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        // One that was just made has nothing to lose.
        if std::fs::metadata(&real).is_ok_and(|found| found.len() > 0) {
            integrity::check_before_open(&real).await?;
        }
        let options = connection(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("journal_size_limit", checkpoint::MAX_LOG_BYTES.to_string())
            .busy_timeout(Duration::from_secs(2));
        let pool = |connections| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(CONNECTION_TIMEOUT)
        };
        let writer = pool(1).connect_with(options).await?;
        schema::update(&mut *writer.acquire().await?, &MIGRATIONS, NEW_FILE).await?;
        // None stays open: SQLite closes a file only when no connection reads it, and after a failed write
        // the writer must open it anew.
        let readers = pool(MAX_READERS)
            .after_release(|_, _| Box::pin(async { Ok(false) }))
            .connect_lazy_with(connection(path).read_only(true));
        let (damage, replaced_connections) = (Arc::default(), Counter::default());
        let mut tx = begin(&writer, "begin immediate", &damage, &replaced_connections).await?;
        insert_cluster_row(&mut tx, &new_id(), clock::wall()).await?;
        let cluster = cluster_row(&mut tx, None).await?;
        tx.commit().await?;
        let clock = Clock::starting(cluster.mark_at);
        let file = DatabaseFile::new(path, lock.database)?;
        let log = checkpoint::wal_path(&real);
        let store =
            Self { writer, readers, replaced_connections, clock, file, log, damage, _lock: lock };
        Ok((store, cluster))
    }

    /// Begins to write.
    pub(super) async fn begin_write(&self) -> Result<Tx, StoreError> {
        self.file.check()?;
        self.check_if_suspected().await;
        self.damage.check()?;
        begin(&self.writer, "begin immediate", &self.damage, &self.replaced_connections).await
    }

    /// Begins to read.
    pub(super) async fn begin_read(&self) -> Result<Tx, StoreError> {
        self.file.check()?;
        self.check_if_suspected().await;
        self.damage.check()?;
        begin(&self.readers, "begin", &self.damage, &self.replaced_connections).await
    }

    /// The database's id and its last commit, whoever made it: all that a glance reads.
    pub(super) async fn read_latest_commit(&self) -> Result<LatestCommit, StoreError> {
        self.file.check()?;
        self.damage.check()?;
        Ok(LatestCommit::from_row(
            sqlx::query_as(SELECT_LATEST_COMMIT).fetch_one(&self.writer).await?,
        ))
    }
}

/// Opens the file beside the process that owns it.
pub(super) async fn open_unowned(
    path: &Path,
    busy_timeout: Duration,
) -> Result<SqlitePool, StoreError> {
    if !path.exists() {
        return Err(StoreError::NotFound(path.to_owned()));
    }
    check_owner(path)?;
    let options = connection(path).busy_timeout(busy_timeout);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    let since = Stopwatch::start();
    // The owner that has just started may still be creating the schema, and the cluster's row after it.
    while !(has_schema(&pool).await? && has_cluster_row(&pool).await?) {
        if since.elapsed() > SCHEMA_TIMEOUT {
            return Err(StoreError::SchemaTooOld);
        }
        tokio::time::sleep(SCHEMA_POLL_INTERVAL).await;
    }
    Ok(pool)
}

/// Whether the file has the schema of this program; fails if it has one that `serve` cannot bring up to date.
async fn has_schema(pool: &SqlitePool) -> Result<bool, StoreError> {
    let mut connection = pool.acquire().await?;
    let made = "select count(*) from sqlite_schema where name = $1";
    let made = sqlx::query_scalar::<_, i64>(made).bind(MIGRATIONS_TABLE);
    if made.fetch_one(&mut *connection).await? == 0 {
        return Ok(false);
    }
    let applied = connection.list_applied_migrations(MIGRATIONS_TABLE).await;
    let applied = applied.map_err(StoreError::Migrate)?;
    if schema::is_before_first_release(&MIGRATIONS, &applied) {
        return Err(StoreError::BeforeFirstRelease(NEW_FILE));
    }
    let found = applied.iter().map(|migration| migration.version).max().unwrap_or_default();
    let wanted = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    if found > wanted { Err(StoreError::SchemaTooNew) } else { Ok(found == wanted) }
}

async fn has_cluster_row(pool: &SqlitePool) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar("select exists (select 1 from cluster)").fetch_one(pool).await?)
}

pub(super) async fn begin(
    pool: &SqlitePool,
    statement: &'static str,
    damage: &Arc<Damage>,
    replaced_connections: &Counter,
) -> Result<Tx, StoreError> {
    Tx::begin(Pool::Sqlite(pool), statement, Some(damage), replaced_connections).await
}

/// What every connection to a file has in common.
fn connection(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
}
