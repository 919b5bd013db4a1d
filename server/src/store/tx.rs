//! A transaction whose connection is thrown away unless it ends well.
//!
//! `SQLite` rolls some failed transactions back by itself (a full disk's, for one); a connection that
//! does not know of it would refuse every transaction after. A new connection knows nothing wrong.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool};

use super::StoreError;
use super::examine::Damage;

/// A transaction under way.
#[derive(Debug)]
pub(super) struct Tx {
    connection: PoolConnection<Sqlite>,
    under_way: bool,
    damage: Arc<Damage>,
}

impl Tx {
    /// Begins one, as `how` says. If it does not end well, the file is suspected of damage.
    pub(super) async fn begin(
        pool: &SqlitePool,
        how: &'static str,
        damage: &Arc<Damage>,
    ) -> Result<Self, StoreError> {
        let connection = pool.acquire().await?;
        let mut tx = Self { connection, under_way: false, damage: Arc::clone(damage) };
        sqlx::query(how).execute(&mut *tx).await?;
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
        sqlx::query(how).execute(&mut *self).await?;
        self.under_way = false;
        Ok(())
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        if self.under_way {
            self.connection.close_on_drop();
            self.damage.suspect();
        }
    }
}

impl Deref for Tx {
    type Target = SqliteConnection;
    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}
