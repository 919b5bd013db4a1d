//! When is a connection used again after a transaction? Only if the transaction has ended as it should.
//!
//! Between `begin` and the answer to `commit` or `rollback` a caller may go away at any await, and then the state of
//! the connection is unknown. Such a connection is closed instead of going back to the pool. `SQLite` also rolls
//! back some failed transactions itself (if the disk is full, for example), and a connection to a PostgreSQL server
//! that has disappeared hangs. A new connection has none of these problems.

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{PgPool, Postgres, Sqlite, SqlitePool};

use crate::store::StoreError;
use crate::store::sqlite::integrity::Damage;
use crate::store::statement::{sql, with_timeout};
use crate::telemetry::primitives::Counter;

/// More than any pool has connections.
const MAX_ATTEMPTS: u32 = 8;

#[derive(Debug)]
pub(super) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

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

#[derive(Debug)]
pub(super) struct Tx {
    connection: Connection,
    state: TxState,
    /// The SQLite file, which is checked for damage if this transaction fails.
    damage: Option<Arc<Damage>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TxState {
    /// `begin` was sent and not answered yet.
    Beginning,
    Open,
    /// No transaction is open, so the connection can be used again.
    Idle,
}

impl Tx {
    /// Begins a transaction with this statement. A connection that is still inside an earlier transaction is closed,
    /// counted in `replaced_connections`, logged, and replaced by another one.
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
                // If the file is locked, the connection can be used again; if PostgreSQL does not answer, or
                // the connection is still inside another transaction, it cannot.
                if tx.is_sqlite() && !error.is_still_in_transaction() {
                    tx.state = TxState::Idle;
                }
                Err(error)
            }
        }
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.end("commit").await
    }

    pub(super) async fn rollback(self) -> Result<(), StoreError> {
        self.end("rollback").await
    }

    async fn end(mut self, statement: &'static str) -> Result<(), StoreError> {
        sql(statement).execute(&mut self).await?;
        self.state = TxState::Idle;
        Ok(())
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Returns the connection to the pool inside the transaction, which must never happen outside of a test.
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
