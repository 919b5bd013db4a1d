//! The row of a component: read, written, and turned into a tombstone.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use app::cluster::Skew;
use app::cluster::receive::Stored;
use app::cluster::{
    Component, ComponentFacts, ComponentKey, KeyCheck, Os, Role, ServerName, Span, Timestamp,
    Tombstone,
};
use serde_json::json;

use crate::store::sql::{Row, sql};
use crate::store::tx::{Connection, Tx};
use crate::store::{StoreError, postgres, sqlite};

/// The columns of a component. Ends before the `where`.
macro_rules! select_components {
    ($rest:literal) => {
        concat!(
            "select server, role, product, version, os_name, os_version, ip, key_check,
                 machine_key_check, messenger_port, stopped, boots, first_seen, last_heartbeat,
                 told_interval, skew_last, skew_before, reporter, came_back, messenger,
                 removed_at, facts_no
             from components ",
            $rest
        )
    };
}
pub(super) use select_components;

pub(super) fn key_check(digits: &str, what: &'static str) -> Result<KeyCheck, StoreError> {
    KeyCheck::parse(digits).ok_or(StoreError::Unreadable(what))
}

/// Reads a component's row.
pub(super) fn component(row: &Row) -> Result<Component, StoreError> {
    let unreadable = StoreError::Unreadable;
    let moment = |place| Ok::<_, StoreError>(row.get::<Option<i64>>(place)?.map(Timestamp));
    let check = |place| {
        let digits: Option<&str> = row.get(place)?;
        digits.map(|digits| key_check(digits, "key check")).transpose()
    };
    let server: &str = row.get(0)?;
    let role: &str = row.get(1)?;
    let ip: &str = row.get(6)?;
    let port: Option<i64> = row.get(9)?;
    let messenger: Option<&str> = row.get(19)?;
    let skew = row.get::<Option<i64>>(15)?.map(|last| {
        Ok::<_, StoreError>(Skew {
            last: Span(last),
            before: row.get::<Option<i64>>(16)?.map(Span),
        })
    });
    Ok(Component {
        server: ServerName::parse(server).map_err(|_| unreadable("server's name"))?,
        role: Role::parse(role).ok_or(unreadable("role"))?,
        facts: Arc::new(ComponentFacts {
            product: row.get(2)?,
            version: row.get(3)?,
            os: Os { name: row.get(4)?, version: row.get(5)? },
            ip: ip.parse::<IpAddr>().map_err(|_| unreadable("address"))?.into(),
            key_check: check(7)?,
            machine_key_check: check(8)?,
            messenger_port: port
                .map(u16::try_from)
                .transpose()
                .map_err(|_| unreadable("messenger's port"))?,
            source: serde_json::from_value(json!(row.get::<&str>(17)?))?,
        }),
        stopped: row.get(10)?,
        boots: serde_json::from_str(row.get(11)?)?,
        first_seen: Timestamp(row.get(12)?),
        last_heartbeat: Timestamp(row.get(13)?),
        told_interval: Span(row.get(14)?),
        skew: skew.transpose()?,
        came_back: moment(18)?,
        messengers: messenger.map(serde_json::from_str).transpose()?.unwrap_or_default(),
    })
}

/// Reads a component's row, or the tombstone it has become.
fn stored_in(row: &Row) -> Result<Stored, StoreError> {
    let component = component(row)?;
    Ok(match row.get::<Option<i64>>(20)? {
        None => Stored::Present(Arc::new(component)),
        Some(_) => Stored::Removed(Tombstone {
            key: component.key(),
            boots: component.boots,
            last_heartbeat: component.last_heartbeat,
            source: component.facts.source,
        }),
    })
}

pub(super) async fn all_components(tx: &mut Tx) -> Result<Vec<Component>, StoreError> {
    let rows = sql(select_components!("where removed_at is null")).rows(tx).await?;
    rows.iter().map(component).collect()
}

/// The components that report one of these checks.
pub(super) async fn reporting(
    tx: &mut Tx,
    checks: &BTreeSet<KeyCheck>,
) -> Result<Vec<Component>, StoreError> {
    let text = match tx.connection() {
        Connection::Sqlite(_) => sqlite::rows::REPORTING,
        Connection::Postgres(_) => postgres::rows::REPORTING,
    };
    let rows = sql(text).bind(json!(checks).to_string()).rows(tx).await?;
    rows.iter().map(component).collect()
}

/// What others have written of one component.
pub(super) struct ChangedRow {
    pub(super) stored: Stored,
    /// More than its time.
    pub(super) facts: bool,
}

/// The components of which anything changed after a commit.
pub(super) async fn changed_since(tx: &mut Tx, commit: i64) -> Result<Vec<ChangedRow>, StoreError> {
    let rows = sql(select_components!("where beat_no > $1")).bind(commit).rows(tx).await?;
    let seen =
        |row: &Row| Ok(ChangedRow { stored: stored_in(row)?, facts: row.get::<i64>(21)? > commit });
    rows.iter().map(seen).collect()
}

/// What is stored under these keys, tombstones included.
pub(super) async fn stored(
    tx: &mut Tx,
    keys: &[ComponentKey],
) -> Result<HashMap<ComponentKey, Stored>, StoreError> {
    let rows = match tx.connection() {
        Connection::Sqlite(_) => sqlite::rows::of_keys(tx, keys).await?,
        Connection::Postgres(postgres) => postgres::rows::of_keys(postgres, keys).await?,
    };
    let mut found = HashMap::with_capacity(rows.len());
    for row in &rows {
        let stored = stored_in(row)?;
        let key = match &stored {
            Stored::Present(component) => component.key(),
            Stored::Removed(tombstone) => tombstone.key.clone(),
        };
        found.insert(key, stored);
    }
    Ok(found)
}

/// A component to be written.
pub(super) struct Upsert {
    pub(super) component: Arc<Component>,
    /// Whether more than its time changes.
    pub(super) facts: bool,
}

/// Writes these components, each over what stood under its key: one statement for the batch. No key
/// stands in it twice, and they are ordered by key.
pub(super) async fn upsert(tx: &mut Tx, batch: &[Upsert], commit: i64) -> Result<(), StoreError> {
    match tx.connection() {
        Connection::Sqlite(_) => sqlite::rows::upsert(tx, batch, commit).await,
        Connection::Postgres(postgres) => postgres::rows::upsert(postgres, batch, commit).await,
    }
}

/// Removes components: each becomes a tombstone.
pub(super) async fn remove(
    tx: &mut Tx,
    keys: &[ComponentKey],
    at: Timestamp,
    commit: i64,
) -> Result<(), StoreError> {
    match tx.connection() {
        Connection::Sqlite(_) => sqlite::rows::remove(tx, keys, at, commit).await,
        Connection::Postgres(postgres) => postgres::rows::remove(postgres, keys, at, commit).await,
    }
}
