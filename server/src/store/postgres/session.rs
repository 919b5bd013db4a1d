//! Is a connection one to a writable server, and not shared with other clients by a pooler?

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Executor, PgPool, Postgres, Row as _};
use tokio::sync::watch;

use crate::clock::Stopwatch;
use crate::store::StoreError;
use crate::store::postgres::CONNECTION_TIMEOUT;
use crate::store::statement::with_timeout;

/// One writes, one listens, one shows that this web server leads, the others read.
const MAX_CONNECTIONS: u32 = 6;
/// A web server that is suspended in a transaction must not block the others. Set after connecting, because
/// `PgBouncer` rejects `options` at the start.
const SET_TIMEOUTS: &str = "set statement_timeout = '5s'; set lock_timeout = '4s'; \
     set idle_in_transaction_session_timeout = '5s'";
/// How often two connections are compared, because other clients of a pooler may interfere.
const COMPARISONS: usize = 10;

/// When all connections were last discarded, if ever: older ones are not used again.
#[derive(Debug)]
pub(super) struct PoolReset(watch::Sender<Option<Stopwatch>>);

impl Default for PoolReset {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl PoolReset {
    /// Discards all connections that are open now.
    pub(super) fn trigger(&self) {
        self.0.send_replace(Some(Stopwatch::start()));
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Stopwatch>> {
        self.0.subscribe()
    }
}

pub(super) fn pool(options: PgConnectOptions, pool_reset: &Arc<PoolReset>) -> PgPool {
    let options = options
        .application_name("cluster-overview")
        // PgBouncer rejects this one too; the schema has no floating-point numbers.
        .extra_float_digits(None)
        .disable_statement_logging();
    let pool_reset = Arc::clone(pool_reset);
    PgPoolOptions::new()
        .max_connections(MAX_CONNECTIONS)
        .acquire_timeout(CONNECTION_TIMEOUT)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(SET_TIMEOUTS).await.map(drop) })
        })
        .before_acquire(move |_, metadata| {
            let reset = *pool_reset.0.borrow();
            let is_newer = reset.is_none_or(|reset| metadata.age < reset.elapsed());
            Box::pin(async move { Ok(is_newer) })
        })
        .connect_lazy_with(options)
}

/// Fails if the server is read-only, or a pooler gives each transaction another connection.
pub(super) async fn check_server(pool: &PgPool) -> Result<(), StoreError> {
    let mut one = with_timeout(pool.acquire()).await?;
    check_writable(&mut *one).await?;
    // If there is no second connection, a pooler with only one cannot mix up sessions.
    if let Ok(mut other) = with_timeout(pool.acquire()).await {
        check_session_pooling(&mut one, &mut other).await?;
    }
    Ok(())
}

/// Fails if both connections have the same server process, or one has another than before. A pooler that assigns
/// connections per transaction causes one of the two: if it prefers the connection that was used last, both get the
/// same one; if it prefers the one that was idle for longest, one gets several.
async fn check_session_pooling(
    one: &mut PoolConnection<Postgres>,
    other: &mut PoolConnection<Postgres>,
) -> Result<(), StoreError> {
    let process = backend_pid(one).await?;
    for _ in 0..COMPARISONS {
        let is_kept = backend_pid(one).await? == process;
        if !is_kept || backend_pid(other).await? == process {
            return Err(StoreError::TransactionPooling);
        }
    }
    Ok(())
}

async fn backend_pid(connection: &mut PoolConnection<Postgres>) -> Result<i32, StoreError> {
    let query = connection.fetch_one(sqlx::raw_sql("select pg_backend_pid()"));
    Ok(with_timeout(query).await?.try_get(0)?)
}

/// Fails if the server is a standby, or set to be read-only.
pub(super) async fn check_writable<'c>(
    connection: impl Executor<'c, Database = Postgres>,
) -> Result<(), StoreError> {
    let question = "select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on'";
    let answer = with_timeout(connection.fetch_one(sqlx::raw_sql(question))).await?;
    if answer.try_get(0)? { Err(StoreError::Standby) } else { Ok(()) }
}
