//! A transaction whose connection is thrown away unless it ends well.
//!
//! `SQLite` rolls some failed transactions back by itself (a full disk's, for one), and a connection to
//! a PostgreSQL that is gone hangs; neither is put back among the good ones. A new connection knows
//! nothing wrong.

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{Postgres, Sqlite};

use super::StoreError;
use super::sql::sql;
use super::sqlite::examine::Damage;

/// A connection to either database.
#[derive(Debug)]
pub(super) enum Connection {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// A transaction under way.
#[derive(Debug)]
pub(super) struct Tx {
    connection: Connection,
    under_way: bool,
    /// The file that is suspected of damage if this does not end well.
    damage: Option<Arc<Damage>>,
}

impl Tx {
    /// Begins one, as `how` says.
    pub(super) async fn begin(
        connection: Connection,
        how: &'static str,
        damage: Option<Arc<Damage>>,
    ) -> Result<Self, StoreError> {
        // A file that does not let itself be locked is not at fault; a server that does not answer is.
        let under_way = matches!(connection, Connection::Postgres(_));
        let mut tx = Self { connection, under_way, damage };
        sql(how).execute(&mut tx).await?;
        tx.under_way = true;
        Ok(tx)
    }

    /// Makes what was written last.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.end("commit").await
    }

    /// Forgets what was written.
    pub(super) async fn rollback(self) -> Result<(), StoreError> {
        self.end("rollback").await
    }

    async fn end(mut self, how: &'static str) -> Result<(), StoreError> {
        sql(how).execute(&mut self).await?;
        self.under_way = false;
        Ok(())
    }

    /// What its statements run on.
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if !self.under_way {
            return;
        }
        match &mut self.connection {
            Connection::Sqlite(sqlite) => sqlite.close_on_drop(),
            Connection::Postgres(postgres) => postgres.close_on_drop(),
        }
        if let Some(damage) = &self.damage {
            damage.suspect();
        }
    }
}
