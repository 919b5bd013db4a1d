//! How does the store use a PostgreSQL database, which several web servers share?

pub(super) mod rows;
mod session;

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use app::cluster::DatabaseOutage;
use sqlx::migrate::Migrator;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgListener};
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::sync::{Mutex, watch};

use crate::clock::{RemoteClock, Stopwatch};
use crate::store::postgres::session::PoolReset;
use crate::store::rows::insert_cluster_row;
use crate::store::schema;
use crate::store::statement::{sql, with_timeout};
use crate::store::tx::{Pool, Tx};
use crate::store::{LatestCommit, StoreError, new_id};
use crate::telemetry::primitives::Counter;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/postgres");
/// Advice for a database from before the first release.
const NEW_SCHEMA: &str = "start with a new schema: name a new, empty database with --database";
/// The `NOTIFY` channel by which web servers tell each other that there is a new commit.
const CHANGES_CHANNEL: &str = "cluster_overview";
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the listening connection is checked while there are no notifications.
const LISTENER_CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Also checks one of the settings of `session`: without it, a pooler uses the connection for other clients too.
const SELECT_LATEST_COMMIT_AND_SESSION: &str = "select database_id, commit_no, commit_token, \
     current_setting('idle_in_transaction_session_timeout') = '5s' from cluster";
/// Inside a transaction that has read or written something, a plain `begin` only warns; `not deferrable` makes it fail.
const BEGIN_WRITE: &str = "begin not deferrable";
/// The key of the advisory lock: the letters of "overview".
const HOUSEKEEPING_LOCK: i64 = 0x6f76_6572_7669_6577;
/// Held by the connection of the web server that leads.
const LEADER_LOCK: i64 = 0x6f76_6c65_6164_6572;

/// A PostgreSQL database.
#[derive(Debug)]
pub(super) struct PostgresStore {
    pool: PgPool,
    pool_reset: Arc<PoolReset>,
    pub(super) replaced_connections: Counter,
    pub(super) clock: RemoteClock,
    /// Known before the database was reached.
    name: String,
    /// Whether the server was checked and the migrations were applied.
    ready: Mutex<bool>,
}

pub(super) fn is_address(address: &str) -> bool {
    ["postgres://", "postgresql://"].iter().any(|scheme| address.starts_with(scheme))
}

impl PostgresStore {
    /// Connects to `postgres://USER@HOST/DATABASE` only when it is first used.
    pub(super) fn new(address: &str) -> Result<Self, StoreError> {
        // An invalid address may contain a password, so it is not repeated.
        let options = PgConnectOptions::from_str(address)
            .map_err(|_| StoreError::InvalidAddress("postgres://…".to_owned()))?;
        let name = options.get_database().unwrap_or(options.get_username()).to_owned();
        let pool_reset = Arc::<PoolReset>::default();
        let pool = session::pool(options, &pool_reset);
        Ok(Self {
            pool,
            pool_reset,
            replaced_connections: Counter::default(),
            clock: RemoteClock::default(),
            name,
            ready: Mutex::new(false),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Closes all connections. One that hangs is closed when the process ends.
    pub(super) async fn close(&self) {
        let _ = tokio::time::timeout(CONNECTION_TIMEOUT, self.pool.close()).await;
    }

    pub(super) async fn begin_write(&self) -> Result<Tx, StoreError> {
        self.ensure_ready().await?;
        self.begin_with(BEGIN_WRITE).await
    }

    /// Repeatable read: everything is of the same commit.
    pub(super) async fn begin_read(&self) -> Result<Tx, StoreError> {
        self.ensure_ready().await?;
        self.begin_with("begin isolation level repeatable read read only not deferrable").await
    }

    async fn begin_with(&self, statement: &'static str) -> Result<Tx, StoreError> {
        Tx::begin(Pool::Postgres(&self.pool), statement, None, &self.replaced_connections).await
    }

    pub(super) async fn read_latest_commit(&self) -> Result<LatestCommit, StoreError> {
        self.ensure_ready().await?;
        let standing = sqlx::query_as(SELECT_LATEST_COMMIT_AND_SESSION).fetch_one(&self.pool);
        let (id, number, token, is_own): (String, i64, i64, bool) = with_timeout(standing).await?;
        if !is_own {
            return Err(StoreError::TransactionPooling);
        }
        Ok(LatestCommit::from_row((id, number, token)))
    }

    /// Checks the server and applies the migrations, once. Several web servers wait for each other.
    async fn ensure_ready(&self) -> Result<(), StoreError> {
        let mut ready = self.ready.lock().await;
        if !*ready {
            session::check_server(&self.pool).await?;
            Box::pin(self.update_schema()).await?;
            let mut tx = self.begin_with(BEGIN_WRITE).await?;
            let clock = "select (extract(epoch from clock_timestamp()) * 1000)::bigint";
            let now = app::cluster::Timestamp(sql(clock).row(&mut tx).await?.get(0)?);
            insert_cluster_row(&mut tx, &new_id(), now).await?;
            tx.commit().await?;
            *ready = true;
        }
        Ok(())
    }

    async fn update_schema(&self) -> Result<(), StoreError> {
        let mut connection = with_timeout(self.pool.acquire()).await?;
        let updated = schema::update(&mut *connection, &MIGRATIONS, NEW_SCHEMA).await;
        if updated.is_err() {
            // It may still hold the lock of the migrations, for which other web servers wait.
            connection.close_on_drop();
        }
        updated
    }

    /// Checks the server again before its next use if the error suggests it: there may be another database without
    /// tables at this address, the server may have become a standby, or a pooler may be in between now.
    pub(super) async fn note_failure(&self, error: &StoreError) {
        let is_without_tables = matches!(error, StoreError::Database(sqlx::Error::Database(error))
            // undefined_table
            if error.code().as_deref() == Some("42P01"));
        let outage = error.outage();
        if is_without_tables || matches!(outage, DatabaseOutage::ReadOnly | DatabaseOutage::Pooled)
        {
            *self.ready.lock().await = false;
        }
        if outage == DatabaseOutage::ReadOnly {
            self.pool_reset.trigger();
        }
    }

    /// Begins to delete expired rows, unless another web server is doing so.
    pub(super) async fn try_begin_housekeeping(&self) -> Result<Option<Tx>, StoreError> {
        let mut tx = self.begin_write().await?;
        let lock = sql("select pg_try_advisory_xact_lock($1)").bind(HOUSEKEEPING_LOCK);
        if lock.row(&mut tx).await?.get(0)? {
            return Ok(Some(tx));
        }
        tx.rollback().await.map(|()| None)
    }

    /// The connection that holds the lock of the web server that leads, unless another one has it.
    pub(super) async fn try_to_lead(&self) -> Result<Option<PoolConnection<Postgres>>, StoreError> {
        let mut session = with_timeout(self.pool.acquire()).await?;
        let lock = sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(LEADER_LOCK);
        let leads: Result<bool, StoreError> =
            with_timeout(lock.fetch_one(&mut *session)).await.map_err(StoreError::from);
        // The lock is the connection's: back in the pool, it would keep it. Only one that surely has none goes back.
        if !matches!(leads, Ok(false)) {
            session.close_on_drop();
        }
        Ok(leads?.then_some(session))
    }

    /// Fails if the disk has no room for a few batches. Writes nothing that stays. Any other error is ignored: the next
    /// write reports it.
    pub(super) async fn check_disk_space(&self) -> Result<(), StoreError> {
        let Ok(mut tx) = self.begin_with(BEGIN_WRITE).await else { return Ok(()) };
        // About 5 MB that cannot be compressed.
        let fill = "create temporary table room as \
             select md5(number::text) one, md5((-number)::text) other \
             from generate_series(1, 50000) number";
        let filled = sql(fill).rows(&mut tx).await;
        let _ = tx.rollback().await;
        match filled {
            Err(error) if error.outage() == DatabaseOutage::Full => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Notifies the other web servers when this transaction commits.
    pub(super) async fn notify(tx: &mut Tx) -> Result<(), StoreError> {
        sql("select pg_notify($1, '')").bind(CHANGES_CHANNEL).rows(tx).await.map(drop)
    }

    pub(super) async fn listen(&self) -> Result<ChangeListener, StoreError> {
        let pool_resets = self.pool_reset.subscribe();
        let mut listener = with_timeout(PgListener::connect_with(&self.pool)).await?;
        session::check_writable(&mut listener).await?;
        with_timeout(listener.listen(CHANGES_CHANNEL)).await?;
        Ok(ChangeListener { listener, pool_resets })
    }
}

/// Waits until the server does not answer on this connection any more, or is a standby.
pub(super) async fn wait_until_broken(connection: &mut PgConnection) {
    while session::check_writable(&mut *connection).await.is_ok() {
        tokio::time::sleep(LISTENER_CHECK_INTERVAL).await;
    }
}

/// A connection that receives the notifications of other web servers.
#[derive(Debug)]
pub(crate) struct ChangeListener {
    listener: PgListener,
    pool_resets: watch::Receiver<Option<Stopwatch>>,
}

impl ChangeListener {
    /// Waits for a notification; several at once count as one. Fails if the server of this connection has become
    /// read-only.
    pub(crate) async fn wait_for_change(&mut self) -> Result<(), StoreError> {
        loop {
            tokio::select! {
                heard = self.listener.recv() => { heard?; break }
                _ = self.pool_resets.changed() => return Err(StoreError::Standby),
                () = tokio::time::sleep(LISTENER_CHECK_INTERVAL) => {}
            }
            session::check_writable(&mut self.listener).await?;
        }
        while self.listener.next_buffered().is_some() {}
        Ok(())
    }
}
