//! How does the store use an SQLite file, which one process owns?

mod checkpoint;
mod file;
pub(super) mod integrity;
mod lock;
pub(super) mod rows;
mod wal;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use app::cluster::DiskSpace;
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
/// Advice for a file from before the first release.
const NEW_FILE: &str =
    "start with a new file: move this one away, or name another one with --database";
/// How long a command waits for the owner to apply the migrations.
const SCHEMA_TIMEOUT: Duration = Duration::from_secs(5);
const SCHEMA_POLL_INTERVAL: Duration = Duration::from_millis(20);
const MAX_READERS: u32 = 2;
/// Only this process has connections, so it waits for its own transactions, which may take long on a slow disk.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);

/// An `SQLite` file, and the clock of the process that owns it.
#[derive(Debug)]
pub(super) struct SqliteStore {
    /// Only one connection.
    writer: SqlitePool,
    /// In WAL mode readers never block the writer.
    readers: SqlitePool,
    /// Only one connection, which reads the whole file to find damage.
    checker: SqlitePool,
    pub(super) replaced_connections: Counter,
    pub(super) clock: Clock,
    file: DatabaseFile,
    /// The path of the write-ahead log.
    log: PathBuf,
    damage: Arc<Damage>,
    _lock: Lock,
}

/// The path of an `sqlite:` address.
pub(super) fn path(address: &str) -> Option<PathBuf> {
    let path = address.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    (!path.is_empty() && !path.starts_with(':')).then(|| PathBuf::from(path))
}

/// The file next to the database in which `serve` keeps the join token.
pub(super) fn join_token_file(database: &Path) -> PathBuf {
    with_suffix(database, ".join-token")
}

/// Fails if this process lacks access to the database or the files next to it. The error names all of them.
pub(super) fn check_owner(path: &Path) -> Result<(), StoreError> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let others = SQLITE_SUFFIXES.iter().chain([&LOCK_SUFFIX]).map(|end| with_suffix(&real, end));
    let files = std::iter::once(real.clone()).chain(others);
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
        // `SQLite` creates its log next to the file itself, not next to a symbolic link.
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
        // Readers do not stay open: after a failed write the writer must open the file again, and SQLite closes it
        // only when no connection uses it.
        let readers = |connections| {
            pool(connections)
                .after_release(|_, _| Box::pin(async { Ok(false) }))
                .connect_lazy_with(connection(path).read_only(true))
        };
        let (readers, checker) = (readers(MAX_READERS), readers(1));
        let (damage, replaced_connections) = (Arc::default(), Counter::default());
        let mut tx = begin(&writer, "begin immediate", &damage, &replaced_connections).await?;
        insert_cluster_row(&mut tx, &new_id(), clock::wall()).await?;
        let cluster = cluster_row(&mut tx, None).await?;
        tx.commit().await?;
        let clock = Clock::starting(cluster.mark_at);
        let file = DatabaseFile::new(path, lock.database)?;
        let log = checkpoint::wal_path(&real);
        let store = Self {
            writer,
            readers,
            checker,
            replaced_connections,
            clock,
            file,
            log,
            damage,
            _lock: lock,
        };
        Ok((store, cluster))
    }

    pub(super) fn disk_space(&self) -> Option<DiskSpace> {
        self.file.disk_space()
    }

    pub(super) async fn begin_write(&self) -> Result<Tx, StoreError> {
        self.file.check()?;
        self.check_if_suspected().await;
        self.damage.check()?;
        begin(&self.writer, "begin immediate", &self.damage, &self.replaced_connections).await
    }

    pub(super) async fn begin_read(&self) -> Result<Tx, StoreError> {
        self.file.check()?;
        self.check_if_suspected().await;
        self.damage.check()?;
        begin(&self.readers, "begin", &self.damage, &self.replaced_connections).await
    }

    pub(super) async fn read_latest_commit(&self) -> Result<LatestCommit, StoreError> {
        self.file.check()?;
        self.damage.check()?;
        Ok(LatestCommit::from_row(
            sqlx::query_as(SELECT_LATEST_COMMIT).fetch_one(&self.writer).await?,
        ))
    }
}

/// Opens the file without owning it, while another process may own it.
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
    // An owner that has just started may still be creating the schema and the cluster's row.
    while !(has_schema(&pool).await? && has_cluster_row(&pool).await?) {
        if since.elapsed() > SCHEMA_TIMEOUT {
            return Err(StoreError::SchemaTooOld);
        }
        tokio::time::sleep(SCHEMA_POLL_INTERVAL).await;
    }
    Ok(pool)
}

/// Whether the file has the schema of this program. Fails if migrations cannot lead there.
async fn has_schema(pool: &SqlitePool) -> Result<bool, StoreError> {
    let mut connection = pool.acquire().await?;
    let exists = "select count(*) from sqlite_schema where name = $1";
    let exists = sqlx::query_scalar::<_, i64>(exists).bind(MIGRATIONS_TABLE);
    if exists.fetch_one(&mut *connection).await? == 0 {
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

/// The options that all connections to a file have in common.
fn connection(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
}
