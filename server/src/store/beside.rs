//! How a command reaches the database beside the process that owns it: without its lock, its mark or
//! its clock.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use app::cluster::effect::Acceptance;
use app::cluster::keys::Unnamed;
use app::cluster::{KeyCheck, KeyKind, ServerName, Timestamp};
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;

use super::{Grant, Store, StoreError, Tx, access, connection, rows};
use crate::access::audit::{Action, Actor, Entry};
use crate::access::keyring::Keyring;

/// How long to wait for the owner's transactions: each takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// A database that another process may own. What is written here raises the commit number, by which
/// the owner notices.
#[derive(Debug)]
pub struct Beside(SqlitePool);

/// Why no key was accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The digits name no check.
    #[error("{}", in_words(*.kind, .digits, .why))]
    Unnamed {
        /// Which key was meant.
        kind: KeyKind,
        /// The digits given.
        digits: String,
        /// Why they name none.
        why: Unnamed,
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
    pub differing: BTreeSet<ServerName>,
}

impl Beside {
    /// Opens the database at `sqlite:PATH`, which must exist.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        let path = Store::path(address).ok_or_else(|| StoreError::Address(address.to_owned()))?;
        if !path.exists() {
            return Err(StoreError::Absent(path));
        }
        let options = connection(&path).busy_timeout(PATIENCE);
        Ok(Self(SqlitePoolOptions::new().max_connections(1).connect_with(options).await?))
    }

    /// Makes the one reported check that begins with `digits` the cluster's reference.
    pub async fn accept_key(&self, kind: KeyKind, digits: &str) -> Result<Accepted, AcceptError> {
        let mut tx = self.begin("begin immediate").await?;
        let components = rows::all_components(&mut tx).await?;
        let check = kind.named(digits, components.iter()).map_err(|why| AcceptError::Unnamed {
            kind,
            digits: digits.to_owned(),
            why,
        })?;
        let mut references = rows::references(&mut tx).await?;
        let before = references;
        references.accept(kind, check);
        let already = references == before;
        if !already {
            rows::set_references(&mut tx, &references).await?;
            let entry = Entry::done(&Actor::command(), Action::AcceptKey, check.short());
            let at = Self::now(&mut tx).await?;
            access::record(&mut tx, &entry, at).await?;
            rows::close_beside(&mut tx).await?;
            tx.commit().await?;
        }
        let Acceptance { wrong, .. } = Acceptance::of(kind, check, components.iter());
        Ok(Accepted { check, already, differing: wrong })
    }

    /// Changes who may ask for what, all of it or nothing, and writes it down; false if one of the
    /// changes found nothing to change.
    pub async fn grant(&self, grants: &[Grant], entry: &Entry) -> Result<bool, StoreError> {
        let mut tx = self.begin("begin immediate").await?;
        let at = Self::now(&mut tx).await?;
        for grant in grants {
            if !access::grant(&mut tx, grant, at).await? {
                return tx.rollback().await.map(|()| false);
            }
        }
        access::record(&mut tx, entry, at).await?;
        rows::close_beside(&mut tx).await?;
        tx.commit().await.map(|()| true)
    }

    /// Who may ask for what.
    pub async fn keyring(&self) -> Result<Keyring, StoreError> {
        let mut tx = self.begin("begin").await?;
        let keyring = access::keyring(&mut tx).await?;
        tx.rollback().await?;
        Ok(keyring)
    }

    /// The moment for what is written here: the owner's clock may be ahead of this process's.
    async fn now(tx: &mut Tx) -> Result<Timestamp, StoreError> {
        Ok(crate::clock::wall().max(rows::head(tx).await?.mark_at))
    }

    /// Takes the database away from its owner, who can write nothing until it is given back. There is
    /// no use for it but to show, or to test, how an overview fares without its database.
    pub async fn take_away(&self) -> Result<Away, StoreError> {
        Ok(Away(self.begin("begin exclusive").await?))
    }

    async fn begin(&self, how: &'static str) -> Result<Tx, StoreError> {
        Tx::begin(&self.0, how, &Arc::default()).await
    }
}

/// Somebody else's hold on a database: it ends with this value at the latest.
#[derive(Debug)]
pub struct Away(Tx);

impl Away {
    /// Gives the database back, as it was.
    pub async fn give_back(self) -> Result<(), StoreError> {
        self.0.rollback().await
    }
}

fn in_words(kind: KeyKind, digits: &str, why: &Unnamed) -> String {
    let kind = kind.as_str();
    match why {
        Unnamed::Several => {
            format!("two reported {kind} keys begin with {digits}; give more of the digits")
        }
        Unnamed::Nobody { reported } if reported.is_empty() => {
            format!("no server reports the {kind} key {digits}, or any other")
        }
        Unnamed::Nobody { reported } => {
            let reported: Vec<String> = reported.iter().map(KeyCheck::short).collect();
            format!("no server reports the {kind} key {digits}; reported: {}", reported.join(", "))
        }
    }
}
