//! How are components read, written, and turned into tombstones?

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use app::cluster::Skew;
use app::cluster::receive::Stored;
use app::cluster::{
    Boots, Component, ComponentFacts, ComponentKey, KeyCheck, Role, ServerName, Span, Timestamp,
    Tombstone,
};
use serde_json::json;

use crate::store::packed::Columns as _;
use crate::store::statement::{Row, sql};
use crate::store::tx::{Connection, Tx};
use crate::store::{StoreError, postgres, sqlite};

/// Selects from `components` (c) and `last_heartbeats` (h); `$rest` begins with `where`.
///
/// A left join, because a component without its last heartbeat is damage and must not be skipped.
macro_rules! select_components {
    ($rest:literal) => {
        concat!(
            "select c.server, c.role, cast(c.facts as text), c.stopped, cast(c.boots as text),
                 c.first_seen, c.came_back_at, cast(c.messengers as text), c.removed_at,
                 c.changed_no, cast(c.interruptions as text), h.sequence, h.received_at, h.interval_ms, h.skew_last_ms,
                 h.skew_before_ms
             from components c
             left join last_heartbeats h on h.server_key = c.server_key and h.role = c.role ",
            $rest
        )
    };
}
pub(super) use select_components;

pub(super) fn component(row: &Row) -> Result<Component, StoreError> {
    let unreadable = StoreError::UnreadableValue;
    let number = |place| {
        row.number(place)?
            .ok_or(StoreError::UnreadableValue("component without its last heartbeat"))
    };
    let text = |place| row.text(place)?.ok_or(StoreError::UnreadableValue("component"));
    let (server, role) = (text(0)?, text(1)?);
    let facts: ComponentFacts = serde_json::from_str(text(2)?)?;
    if facts.ip.ip().is_none() {
        return Err(unreadable("address"));
    }
    let mut boots: Boots = serde_json::from_str(text(4)?)?;
    boots.current.sequence = number(11)?;
    let skew_before = row.number(15)?.map(Span);
    let skew_last = row.number(14)?.map(Span);
    Ok(Component {
        server: ServerName::parse(server).map_err(|_| unreadable("server's name"))?,
        role: Role::parse(role).ok_or(unreadable("role"))?,
        facts: Arc::new(facts),
        stopped: row.flag(3)?,
        boots,
        interruptions: serde_json::from_str(text(10)?)?,
        first_seen: Timestamp(number(5)?),
        last_heartbeat: Timestamp(number(12)?),
        told_interval: Span(number(13)?),
        skew: skew_last.map(|last| Skew { last, before: skew_before }),
        came_back: row.number(6)?.map(Timestamp),
        messengers: serde_json::from_str(text(7)?)?,
    })
}

fn stored_in(row: &Row) -> Result<Stored, StoreError> {
    let component = component(row)?;
    Ok(match row.get::<Option<i64>>(8)? {
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
    let rows = sql(select_components!("where c.removed_at is null")).rows(tx).await?;
    rows.iter().map(component).collect()
}

pub(super) async fn components_reporting(
    tx: &mut Tx,
    checks: &BTreeSet<KeyCheck>,
) -> Result<Vec<Component>, StoreError> {
    let text = match tx.connection() {
        Connection::Sqlite(_) => sqlite::rows::SELECT_REPORTING,
        Connection::Postgres(_) => postgres::rows::SELECT_REPORTING,
    };
    let rows = sql(text).bind(json!(checks).to_string()).rows(tx).await?;
    rows.iter().map(component).collect()
}

/// A component that was written after a commit.
pub(super) struct ChangedRow {
    pub(super) stored: Stored,
    /// Whether more than its last heartbeat changed.
    pub(super) facts: bool,
}

pub(super) async fn changed_since(tx: &mut Tx, commit: i64) -> Result<Vec<ChangedRow>, StoreError> {
    let rows = sql(select_components!("where h.changed_no > $1")).bind(commit).rows(tx).await?;
    let parse =
        |row: &Row| Ok(ChangedRow { stored: stored_in(row)?, facts: row.get::<i64>(9)? > commit });
    rows.iter().map(parse).collect()
}

/// The components and tombstones with these keys.
pub(super) async fn stored(
    tx: &mut Tx,
    keys: &[ComponentKey],
) -> Result<HashMap<ComponentKey, Stored>, StoreError> {
    let rows = match tx.connection() {
        Connection::Sqlite(_) => sqlite::rows::select_by_keys(tx, keys).await?,
        Connection::Postgres(postgres) => postgres::rows::select_by_keys(postgres, keys).await?,
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

pub(super) struct Upsert {
    pub(super) component: Arc<Component>,
    /// Whether more than its last heartbeat changes.
    pub(super) facts: bool,
}

/// Inserts or updates these components: one statement for all last heartbeats, and one for the components of which
/// more changes. The batch must be ordered by key and have each key once.
pub(super) async fn upsert(tx: &mut Tx, batch: &[Upsert], commit: i64) -> Result<(), StoreError> {
    let components = batch.iter().map(|write| &*write.component);
    let changed: Vec<&Component> =
        batch.iter().filter(|w| w.facts).map(|w| &*w.component).collect();
    let all: Vec<&Component> = components.collect();
    match tx.connection() {
        Connection::Sqlite(_) => {
            if !changed.is_empty() {
                sqlite::rows::upsert_components(tx, &changed, commit).await?;
            }
            sqlite::rows::upsert_heartbeats(tx, &all, commit).await
        }
        Connection::Postgres(postgres) => {
            if !changed.is_empty() {
                postgres::rows::upsert_components(postgres, &changed, commit).await?;
            }
            postgres::rows::upsert_heartbeats(postgres, &all, commit).await
        }
    }
}

/// Turns components into tombstones.
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
