//! How a command reaches the database beside the process that owns it: without its lock, its mark or
//! its clock.

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

/// How long to wait for the owner's transactions: each takes milliseconds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A database that other processes may have open. What is written here raises the commit number, by
/// which they notice.
#[derive(Debug)]
pub struct AdminStore(Database);

#[derive(Debug)]
enum Database {
    /// A file, and perhaps a process that owns it.
    Sqlite(SqlitePool),
    Postgres(PostgresStore),
}

/// Why no key was accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The digits name no check.
    #[error("{}", in_words(*.kind, .digits, .why))]
    KeyLookupError {
        /// Which key was meant.
        kind: KeyKind,
        /// The digits given.
        digits: String,
        /// Why they name none.
        why: KeyLookupError,
    },
    /// The database does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of accepting a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The check all others are now held against.
    pub check: KeyCheck,
    /// An admin or two servers had settled on it before: nothing was written.
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

    /// Makes the one reported check that begins with `digits` the cluster's reference.
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
            rows::set_references(&mut tx, &references).await?;
            let entry = AuditEntry::done(&Actor::command(), Action::AcceptKey, check.short());
            audit::record(&mut tx, &entry, at, cluster.commit.number + 1).await?;
            self.close(AdminTx { tx, cluster, at }, Section::ReferenceKeys).await?;
        }
        let KeyChangePreview { wrong, .. } =
            KeyChangePreview::compute(kind, check, components.iter());
        Ok(Accepted { check, already, differing: wrong })
    }

    /// Changes who may ask for what, all of it or nothing, and writes it down; false if one of the
    /// changes found nothing to change.
    pub async fn change_access(
        &self,
        grants: &[AccessChange],
        entry: &AuditEntry,
    ) -> Result<bool, StoreError> {
        let AdminTx { mut tx, cluster, at } = self.begin().await?;
        for grant in grants {
            if !access::change_access(&mut tx, grant, at, cluster.commit.number + 1).await? {
                return tx.rollback().await.map(|()| false);
            }
        }
        audit::record(&mut tx, entry, at, cluster.commit.number + 1).await?;
        self.close(AdminTx { tx, cluster, at }, Section::AuthCache).await.map(|()| true)
    }

    /// Who may ask for what.
    pub async fn auth_cache(&self) -> Result<AuthCache, StoreError> {
        let mut tx = match &self.0 {
            Database::Sqlite(pool) => begin(pool, "begin").await?,
            Database::Postgres(postgres) => postgres.begin_read().await?,
        };
        let auth_cache = access_rows::auth_cache(&mut tx).await?;
        tx.rollback().await?;
        Ok(auth_cache)
    }

    /// Takes the database away from all others, who can write nothing until it is given back. There is
    /// no use for it but to show, or to test, how an overview fares without its database.
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

    /// Raises the commit number. The mark is not moved, for nobody watched; and when a fact changed,
    /// a file's owner says by its own clock.
    async fn close(&self, change: AdminTx, touched: Section) -> Result<(), StoreError> {
        let AdminTx { mut tx, cluster, at } = change;
        let ClusterRow { mark_at, changed_at, commit, .. } = cluster;
        let seen = touched == Section::ReferenceKeys && matches!(self.0, Database::Postgres(_));
        let changed_at = if seen { at } else { changed_at };
        rows::update_cluster_row(&mut tx, mark_at, changed_at, commit.next(), &[touched]).await?;
        if let Database::Postgres(_) = self.0 {
            PostgresStore::notify(&mut tx).await?;
        }
        tx.commit().await
    }
}

/// Begins on a file that another process may own: what is wrong with it is for the owner to find.
async fn begin(pool: &SqlitePool, statement: &'static str) -> Result<Tx, StoreError> {
    sqlite::begin(pool, statement, &Arc::default(), &Counter::default()).await
}

/// Something under way.
struct AdminTx {
    tx: Tx,
    cluster: ClusterRow,
    at: Timestamp,
}

/// Somebody else's hold on a database: it ends with this value at the latest.
#[derive(Debug)]
pub struct ExclusiveLock(Tx);

impl ExclusiveLock {
    /// Gives the database back, as it was.
    pub async fn release(self) -> Result<(), StoreError> {
        self.0.rollback().await
    }
}

fn in_words(kind: KeyKind, digits: &str, why: &KeyLookupError) -> String {
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
