//! Connections that belong to one server which takes writes, and to nobody else.

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Executor, PgPool, Postgres, Row as _};
use tokio::sync::watch;

use crate::clock::Stopwatch;
use crate::store::StoreError;
use crate::store::postgres::CONNECTION_TIMEOUT;
use crate::store::sql::with_timeout;

/// One writes, one listens, the others read.
const MAX_CONNECTIONS: u32 = 5;
/// A web server that stops in the middle must not keep the others from writing. Set once connected, as
/// `PgBouncer` takes no `options` at the start.
const SET_TIMEOUTS: &str = "set statement_timeout = '5s'; set lock_timeout = '4s'; \
     set idle_in_transaction_session_timeout = '5s'";
/// How often two connections are compared: other clients of a pooler may come between.
const COMPARISONS: usize = 10;

/// When all connections were last ended, if ever: those that are older are not used again.
#[derive(Debug)]
pub(super) struct PoolReset(watch::Sender<Option<Stopwatch>>);

impl Default for PoolReset {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl PoolReset {
    /// No connection that is open now is used again.
    pub(super) fn trigger(&self) {
        self.0.send_replace(Some(Stopwatch::start()));
    }

    /// Changes whenever all connections are ended.
    pub(super) fn subscribe(&self) -> watch::Receiver<Option<Stopwatch>> {
        self.0.subscribe()
    }
}

/// Connections to the database, opened when they are needed.
pub(super) fn pool(options: PgConnectOptions, pool_reset: &Arc<PoolReset>) -> PgPool {
    let options = options
        .application_name("cluster-overview")
        // Another one that PgBouncer refuses; nothing here is a floating-point number.
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
            let ended = *pool_reset.0.borrow();
            let is_good = ended.is_none_or(|ended| metadata.age < ended.elapsed());
            Box::pin(async move { Ok(is_good) })
        })
        .connect_lazy_with(options)
}

/// Fails unless the server takes writes, and connections stay with it from one transaction to the next.
pub(super) async fn check(pool: &PgPool) -> Result<(), StoreError> {
    let mut one = with_timeout(pool.acquire()).await?;
    check_writable(&mut *one).await?;
    // A pooler has room for two, or can do no harm.
    if let Ok(mut other) = with_timeout(pool.acquire()).await {
        check_session_pooling(&mut one, &mut other).await?;
    }
    Ok(())
}

/// Fails if a pooler lends two of its clients the same process of the server, or one of them another than
/// before. If it does so between transactions, one of the two happens whichever of its idle connections it
/// takes first: the one used last (then both get the same) or the one used first (then one gets several).
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
    let asked = connection.fetch_one(sqlx::raw_sql("select pg_backend_pid()"));
    Ok(with_timeout(asked).await?.try_get(0)?)
}

/// Fails if this connection's server is a standby, or was set not to take writes.
pub(super) async fn check_writable<'c>(
    connection: impl Executor<'c, Database = Postgres>,
) -> Result<(), StoreError> {
    let question = "select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on'";
    let answer = with_timeout(connection.fetch_one(sqlx::raw_sql(question))).await?;
    if answer.try_get(0)? { Err(StoreError::Standby) } else { Ok(()) }
}
