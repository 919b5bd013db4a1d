//! Connections that belong to one server which takes writes, and to nobody else.

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions as _, Executor, PgPool, Postgres, Row as _};
use tokio::sync::watch;

use crate::clock::Stopwatch;
use crate::store::StoreError;
use crate::store::postgres::PATIENCE;
use crate::store::sql::in_time;

/// One writes, one listens, the others read.
const CONNECTIONS: u32 = 5;
/// A web server that stops in the middle must not keep the others from writing. Set once connected, as
/// `PgBouncer` takes no `options` at the start.
const TIMEOUTS: &str = "set statement_timeout = '5s'; set lock_timeout = '4s'; \
     set idle_in_transaction_session_timeout = '5s'";
/// How often two connections are compared: other clients of a pooler may come between.
const COMPARISONS: usize = 10;

/// When all connections were last ended, if ever: those that are older are not used again.
#[derive(Debug)]
pub(super) struct Trust(watch::Sender<Option<Stopwatch>>);

impl Default for Trust {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Trust {
    /// No connection that is open now is used again.
    pub(super) fn end_all(&self) {
        self.0.send_replace(Some(Stopwatch::start()));
    }

    /// Changes whenever all connections are ended.
    pub(super) fn ended(&self) -> watch::Receiver<Option<Stopwatch>> {
        self.0.subscribe()
    }
}

/// Connections to the database, opened when they are needed.
pub(super) fn pool(options: PgConnectOptions, trust: &Arc<Trust>) -> PgPool {
    let options = options
        .application_name("cluster-overview")
        // Another one that PgBouncer refuses; nothing here is a floating-point number.
        .extra_float_digits(None)
        .disable_statement_logging();
    let trust = Arc::clone(trust);
    PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(TIMEOUTS).await.map(drop) })
        })
        .before_acquire(move |_, metadata| {
            let ended = *trust.0.borrow();
            let is_good = ended.is_none_or(|ended| metadata.age < ended.elapsed());
            Box::pin(async move { Ok(is_good) })
        })
        .connect_lazy_with(options)
}

/// Fails unless the server takes writes, and connections stay with it from one transaction to the next.
pub(super) async fn check(pool: &PgPool) -> Result<(), StoreError> {
    let mut one = in_time(pool.acquire()).await?;
    check_writable(&mut *one).await?;
    // A pooler has room for two, or can do no harm.
    if let Ok(mut other) = in_time(pool.acquire()).await {
        check_own(&mut one, &mut other).await?;
    }
    Ok(())
}

/// Fails if a pooler lends two of its clients the same process of the server, or one of them another than
/// before. If it does so between transactions, one of the two happens whichever of its idle connections it
/// takes first: the one used last (then both get the same) or the one used first (then one gets several).
async fn check_own(
    one: &mut PoolConnection<Postgres>,
    other: &mut PoolConnection<Postgres>,
) -> Result<(), StoreError> {
    let process = process_of(one).await?;
    for _ in 0..COMPARISONS {
        let is_kept = process_of(one).await? == process;
        if !is_kept || process_of(other).await? == process {
            return Err(StoreError::TransactionPooling);
        }
    }
    Ok(())
}

async fn process_of(connection: &mut PoolConnection<Postgres>) -> Result<i32, StoreError> {
    let asked = connection.fetch_one(sqlx::raw_sql("select pg_backend_pid()"));
    Ok(in_time(asked).await?.try_get(0)?)
}

/// Fails if this connection's server is a standby, or was set not to take writes.
pub(super) async fn check_writable<'c>(
    connection: impl Executor<'c, Database = Postgres>,
) -> Result<(), StoreError> {
    let question = "select pg_is_in_recovery() or current_setting('transaction_read_only') = 'on'";
    let answer = in_time(connection.fetch_one(sqlx::raw_sql(question))).await?;
    if answer.try_get(0)? { Err(StoreError::Standby) } else { Ok(()) }
}
