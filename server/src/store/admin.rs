//! How does a command use the database while `serve` runs? Without the owner's lock, mark or clock.

use std::sync::Arc;
use std::time::Duration;

use app::cluster::preview::KeyChangePreview;
use app::cluster::reference_keys::KeyLookupError;
use app::cluster::{KeyCheck, KeyKind, ServerName, Timestamp};
use sqlx::SqlitePool;

use crate::auth::audit::{Action, Actor, AuditEntry};
use crate::auth::cache::AuthCache;
use crate::store::postgres::{self, PostgresStore};
use crate::store::rows::{ClusterRow, Section};
use crate::store::tx::Tx;
use crate::store::{AccessChange, StoreError, access, rows, sqlite};
use crate::store::{access_rows, audit, component_row};
use crate::telemetry::primitives::Counter;

/// Each transaction of the owner takes milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A database that other processes may have open. Each change raises the commit number, by which they notice it.
#[derive(Debug)]
pub struct AdminStore(Database);

#[derive(Debug)]
enum Database {
    /// A file that `serve` may own.
    Sqlite(SqlitePool),
    Postgres(PostgresStore),
}

#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    #[error("{}", describe_lookup_error(*.kind, .digits, .why))]
    KeyLookupError { kind: KeyKind, digits: String, why: KeyLookupError },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The result of accepting a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The check that all others are compared with.
    pub check: KeyCheck,
    /// It was the agreed reference key before; nothing was written.
    pub already: bool,
    /// The servers with another key, by name.
    pub differing: Vec<ServerName>,
}

impl AdminStore {
    /// Opens the database at `sqlite:PATH`, which must exist, or at `postgres://USER@HOST/DATABASE`.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        if postgres::is_address(address) {
            return Ok(Self(Database::Postgres(PostgresStore::new(address)?)));
        }
        let path = sqlite::path(address)
            .ok_or_else(|| StoreError::InvalidAddress(super::without_password(address)))?;
        Ok(Self(Database::Sqlite(sqlite::open_unowned(&path, BUSY_TIMEOUT).await?)))
    }

    /// Makes the reported check that begins with `digits` the cluster's reference key.
    pub async fn accept_key(&self, kind: KeyKind, digits: &str) -> Result<Accepted, AcceptError> {
        let AdminTx { mut tx, cluster, at } = self.begin().await?;
        let components = component_row::all_components(&mut tx).await?;
        let check = kind
            .find_by_prefix(digits, components.iter())
            .map_err(|why| AcceptError::KeyLookupError { kind, digits: digits.to_owned(), why })?;
        let mut references = rows::references(&mut tx).await?;
        let before = references;
        references.accept(kind, check);
        let already = references == before;
        if !already {
            let commit = cluster.commit.number + 1;
            rows::set_references(&mut tx, &references, at, commit).await?;
            let entry = AuditEntry::done(&Actor::command(), Action::AcceptKey, check.short());
            audit::record(&mut tx, &entry, at, commit).await?;
            self.commit(AdminTx { tx, cluster, at }, Section::ReferenceKeys).await?;
        }
        let KeyChangePreview { wrong, .. } =
            KeyChangePreview::compute(kind, check, components.iter());
        Ok(Accepted { check, already, differing: wrong })
    }

    /// Makes all these changes of accounts, sessions and tokens or none, with an audit entry. False if one of them
    /// found nothing to change.
    pub async fn change_access(
        &self,
        changes: &[AccessChange],
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let AdminTx { mut tx, cluster, at } = self.begin().await?;
        for change in changes {
            if !access::change_access(&mut tx, change, at, cluster.commit.number + 1).await? {
                return tx.rollback().await.map(|()| false);
            }
        }
        audit::record(&mut tx, entry, at, cluster.commit.number + 1).await?;
        self.commit(AdminTx { tx, cluster, at }, Section::AuthCache).await.map(|()| true)
    }

    pub async fn auth_cache(&self) -> Result<AuthCache, StoreError> {
        let mut tx = match &self.0 {
            Database::Sqlite(pool) => begin(pool, "begin").await?,
            Database::Postgres(postgres) => postgres.begin_read().await?,
        };
        let auth_cache = access_rows::auth_cache(&mut tx).await?;
        tx.rollback().await?;
        Ok(auth_cache)
    }

    /// Locks the database, so that nobody else can write until the lock is released. Only for the demo and for tests,
    /// which show what an overview does without its database.
    pub async fn lock_exclusively(&self) -> Result<ExclusiveLock, StoreError> {
        Ok(ExclusiveLock(match &self.0 {
            Database::Sqlite(pool) => begin(pool, "begin exclusive").await?,
            Database::Postgres(_) => self.begin().await?.tx,
        }))
    }

    async fn begin(&self) -> Result<AdminTx, StoreError> {
        let mut tx = match &self.0 {
            Database::Sqlite(pool) => begin(pool, "begin immediate").await?,
            Database::Postgres(postgres) => postgres.begin_write().await?,
        };
        let cluster = rows::lock_cluster_row(&mut tx, None).await?;
        // The clock of a file's owner may be ahead of this process's.
        let at = cluster.clock.unwrap_or_else(crate::clock::wall).max(cluster.mark_at);
        Ok(AdminTx { tx, cluster, at })
    }

    /// Commits with a new commit number. The mark stays, because a command does not check for heartbeats. The owner of
    /// an SQLite file sets the time of the last change by its own clock.
    async fn commit(&self, change: AdminTx, touched: Section) -> Result<(), StoreError> {
        let AdminTx { mut tx, cluster, at } = change;
        let ClusterRow { mark_at, changed_at, commit, .. } = cluster;
        let is_visible =
            touched == Section::ReferenceKeys && matches!(self.0, Database::Postgres(_));
        let changed_at = if is_visible { at } else { changed_at };
        rows::update_cluster_row(&mut tx, mark_at, changed_at, commit.next(), &[touched]).await?;
        if let Database::Postgres(_) = self.0 {
            PostgresStore::notify(&mut tx).await?;
        }
        tx.commit().await
    }
}

/// Begins on a file that another process may own. Only the owner checks it for damage.
async fn begin(pool: &SqlitePool, statement: &'static str) -> Result<Tx, StoreError> {
    sqlite::begin(pool, statement, &Arc::default(), &Counter::default()).await
}

struct AdminTx {
    tx: Tx,
    cluster: ClusterRow,
    at: Timestamp,
}

/// Released when it is dropped, at the latest.
#[derive(Debug)]
pub struct ExclusiveLock(Tx);

impl ExclusiveLock {
    pub async fn release(self) -> Result<(), StoreError> {
        self.0.rollback().await
    }
}

fn describe_lookup_error(kind: KeyKind, digits: &str, why: &KeyLookupError) -> String {
    let kind = kind.as_str();
    match why {
        KeyLookupError::Ambiguous => {
            format!("two reported {kind} keys begin with {digits}; give more of the digits")
        }
        KeyLookupError::Unknown { reported } if reported.is_empty() => {
            format!("no server reports the {kind} key {digits}, or any other")
        }
        KeyLookupError::Unknown { reported } => {
            let reported: Vec<String> = reported.iter().map(KeyCheck::short).collect();
            format!("no server reports the {kind} key {digits}; reported: {}", reported.join(", "))
        }
    }
}
