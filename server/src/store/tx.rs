//! A transaction whose connection is thrown away unless it ends well.
//!
//! From the moment a connection is asked to begin until it has said that the transaction is over, its
//! state is unknown: a caller may go away at any await in between. Such a connection never goes back to
//! the pool. `SQLite` also rolls some failed transactions back by itself (a full disk's, for one), and a
//! connection to a PostgreSQL that is gone hangs. A new connection has none of these problems.

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres, Sqlite, SqlitePool};

use crate::store::StoreError;
use crate::store::sql::{sql, with_timeout};
use crate::store::sqlite::integrity::Damage;
use crate::telemetry::primitives::Counter;

/// How many connections are tried: more than any pool has.
const MAX_ATTEMPTS: u32 = 8;

/// A connection to either database.
#[derive(Debug)]
pub(super) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// Where connections come from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pool<'p> {
    Sqlite(&'p SqlitePool),
    Postgres(&'p PgPool),
}

impl Pool<'_> {
    async fn acquire(self) -> Result<Connection, StoreError> {
        Ok(match self {
            Self::Sqlite(pool) => Connection::Sqlite(pool.acquire().await?),
            Self::Postgres(pool) => Connection::Postgres(with_timeout(pool.acquire()).await?),
        })
    }
}

/// A transaction under way.
#[derive(Debug)]
pub(super) struct Tx {
    connection: Connection,
    state: TxState,
    /// The file that is suspected of damage if this does not end well.
    damage: Option<Arc<Damage>>,
}

/// What is known of a transaction's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TxState {
    /// It was asked to begin, and has not answered.
    Beginning,
    /// The transaction is open.
    Open,
    /// No transaction is open: the connection can be used again.
    Idle,
}

impl Tx {
    /// Begins one, as `how` says. A connection that is still inside an earlier transaction is closed,
    /// counted in `replaced_connections` and logged, and another one takes its place.
    pub(super) async fn begin(
        pool: Pool<'_>,
        statement: &'static str,
        damage: Option<&Arc<Damage>>,
        replaced_connections: &Counter,
    ) -> Result<Self, StoreError> {
        let mut attempts = 1;
        loop {
            match Self::begin_on(pool.acquire().await?, statement, damage.cloned()).await {
                Err(error) if error.is_still_in_transaction() && attempts < MAX_ATTEMPTS => {
                    replaced_connections.add(1);
                    tracing::error!(
                        %error,
                        "a database connection was still inside an earlier transaction; that transaction was rolled back, and the connection replaced"
                    );
                    attempts += 1;
                }
                begun => return begun,
            }
        }
    }

    async fn begin_on(
        connection: Connection,
        statement: &'static str,
        damage: Option<Arc<Damage>>,
    ) -> Result<Self, StoreError> {
        let mut tx = Self { connection, state: TxState::Beginning, damage };
        match sql(statement).execute(&mut tx).await {
            Ok(_) => {
                tx.state = TxState::Open;
                Ok(tx)
            }
            Err(error) => {
                // A locked file refuses to begin, and its connection stays good. A server that does
                // not answer, or a connection inside another transaction, is given up.
                if tx.is_sqlite() && !error.is_still_in_transaction() {
                    tx.state = TxState::Idle;
                }
                Err(error)
            }
        }
    }

    /// Makes what was written last.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.end("commit").await
    }

    /// Forgets what was written.
    pub(super) async fn rollback(self) -> Result<(), StoreError> {
        self.end("rollback").await
    }

    async fn end(mut self, statement: &'static str) -> Result<(), StoreError> {
        sql(statement).execute(&mut self).await?;
        self.state = TxState::Idle;
        Ok(())
    }

    /// What its statements run on.
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Gives the connection back as it is, inside the transaction: what must never happen.
    #[cfg(test)]
    pub(super) fn leave_open(mut self) {
        self.state = TxState::Idle;
    }

    fn is_sqlite(&self) -> bool {
        matches!(self.connection, Connection::Sqlite(_))
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if self.state == TxState::Idle {
            return;
        }
        match &mut self.connection {
            Connection::Sqlite(sqlite) => sqlite.close_on_drop(),
            Connection::Postgres(postgres) => postgres.close_on_drop(),
        }
        if self.state == TxState::Open
            && let Some(damage) = &self.damage
        {
            damage.suspect();
        }
    }
}
