//! How facts lie in the tables: each statement once, `SQLite`'s JSON functions between rows and types.

use std::collections::HashMap;
use std::sync::Arc;

use app::cluster::boots::Stored;
use app::cluster::{
    Component, ComponentKey, KeyCheck, KeyKind, Reference, References, Settings, Snapshot, Span,
    Spell, Timestamp, Tombstone,
};
use serde_json::json;
use sqlx::{Row as _, SqliteConnection, SqlitePool};

use super::{StoreError, Tx, server_key};

/// The one row about the cluster itself.
pub(super) struct Head {
    pub(super) commit_no: i64,
    pub(super) changed_at: Timestamp,
    pub(super) mark_at: Timestamp,
    pub(super) settings: Settings,
}

/// Whose database this is and when it was written last.
pub(super) struct Mark {
    pub(super) database_id: String,
    pub(super) at: Timestamp,
    pub(super) commit_no: i64,
}

/// Reads the cluster's row, writing it first in a new database.
pub(super) async fn first_row(pool: &SqlitePool) -> Result<Mark, StoreError> {
    let defaults = Settings::default();
    let now = crate::clock::wall();
    sqlx::query(
        "insert into cluster (id, database_id, commit_no, changed_at, mark_at, load_balancing,
             automatic_failover, heartbeat_interval_s, stale_timeout_s, web_window_s)
         values (1, lower(hex(randomblob(8))), 0, $1, $1, $2, $3, $4, $5, $6)
         on conflict do nothing",
    )
    .bind(now.0)
    .bind(defaults.load_balancing)
    .bind(defaults.automatic_failover)
    .bind(defaults.heartbeat_interval_s)
    .bind(defaults.stale_timeout_s)
    .bind(defaults.web_window_s)
    .execute(pool)
    .await?;
    let row =
        sqlx::query("select database_id, mark_at, commit_no from cluster").fetch_one(pool).await?;
    Ok(Mark {
        database_id: row.try_get(0)?,
        at: Timestamp(row.try_get(1)?),
        commit_no: row.try_get(2)?,
    })
}

/// The number of the last commit, whoever made it.
pub(super) async fn commit_no(pool: &SqlitePool) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar("select commit_no from cluster").fetch_one(pool).await?)
}

pub(super) async fn head(tx: &mut Tx) -> Result<Head, StoreError> {
    let row = sqlx::query(
        "select commit_no, changed_at, mark_at, load_balancing, automatic_failover,
             heartbeat_interval_s, stale_timeout_s, web_window_s
         from cluster",
    )
    .fetch_one(&mut **tx)
    .await?;
    Ok(Head {
        commit_no: row.try_get(0)?,
        changed_at: Timestamp(row.try_get(1)?),
        mark_at: Timestamp(row.try_get(2)?),
        settings: Settings {
            load_balancing: row.try_get(3)?,
            automatic_failover: row.try_get(4)?,
            heartbeat_interval_s: row.try_get(5)?,
            stale_timeout_s: row.try_get(6)?,
            web_window_s: row.try_get(7)?,
        },
    })
}

/// All facts.
pub(super) async fn snapshot(tx: &mut Tx) -> Result<Snapshot, StoreError> {
    let Head { settings, changed_at, .. } = head(tx).await?;
    let components = all_components(tx).await?;
    Ok(Snapshot {
        settings,
        references: references(tx).await?,
        spells: spells(tx).await?,
        // They are told from memory.
        refusals: Vec::new(),
        blind_since: None,
        blindness: None,
        changed_at,
        components: components.into_iter().map(|c| (c.key(), Arc::new(c))).collect(),
    })
}

/// Ends a change: the mark is now, and if anybody can see what changed, so is the commit.
pub(super) async fn close(
    tx: &mut Tx,
    at: Timestamp,
    commit: i64,
    visible: bool,
) -> Result<(), StoreError> {
    sqlx::query(
        "update cluster set mark_at = $1, commit_no = $2,
             changed_at = case when $3 then $1 else changed_at end",
    )
    .bind(at.0)
    .bind(commit)
    .bind(visible)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Ends a change made beside the owner of the database: its mark and its clock are not ours to move.
pub(super) async fn close_beside(tx: &mut Tx) -> Result<(), StoreError> {
    sqlx::query("update cluster set commit_no = commit_no + 1").execute(&mut **tx).await?;
    Ok(())
}

pub(super) async fn set_settings(tx: &mut Tx, settings: &Settings) -> Result<(), StoreError> {
    sqlx::query(
        "update cluster set load_balancing = $1, automatic_failover = $2,
             heartbeat_interval_s = $3, stale_timeout_s = $4, web_window_s = $5",
    )
    .bind(settings.load_balancing)
    .bind(settings.automatic_failover)
    .bind(settings.heartbeat_interval_s)
    .bind(settings.stale_timeout_s)
    .bind(settings.web_window_s)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A component as the core's own JSON, from its columns. Ends before the `where`.
macro_rules! select_component {
    ($rest:literal) => {
        concat!(
            "select removed_at, json_object(
                'server', server, 'role', role, 'product', product, 'version', version,
                'os', json_object('name', os_name, 'version', os_version), 'ip', ip,
                'key_check', key_check, 'machine_key_check', machine_key_check,
                'messenger_port', messenger_port,
                'stopped', json(case when stopped then 'true' else 'false' end),
                'boots', json(boots), 'first_seen', first_seen,
                'last_heartbeat', last_heartbeat, 'told_interval', told_interval,
                'skew', json(case when skew_last is not null
                    then json_object('last', skew_last, 'before', skew_before) end),
                'reporter', reporter, 'came_back', came_back, 'messenger', json(messenger))
             from components ",
            $rest
        )
    };
}

pub(super) async fn all_components(tx: &mut Tx) -> Result<Vec<Component>, StoreError> {
    let rows =
        sqlx::query(select_component!("where removed_at is null")).fetch_all(&mut **tx).await?;
    rows.iter().map(|row| Ok(serde_json::from_str(row.try_get(1)?)?)).collect()
}

/// Reads every row there is, tombstones included, and fails if one cannot be read.
pub(super) async fn read_all(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let rows = sqlx::query(select_component!("")).fetch_all(&mut *connection).await?;
    for row in rows {
        let _: Component = serde_json::from_str(row.try_get(1)?)?;
    }
    Ok(())
}

/// What is stored under these keys, tombstones included.
pub(super) async fn stored(
    tx: &mut Tx,
    keys: impl Iterator<Item = ComponentKey>,
) -> Result<HashMap<ComponentKey, Stored>, StoreError> {
    let keys = json_keys(keys);
    let rows = sqlx::query(select_component!(
        "where (server_key, role) in
             (select value ->> 'server', value ->> 'role' from json_each($1))"
    ))
    .bind(keys)
    .fetch_all(&mut **tx)
    .await?;
    let mut stored = HashMap::with_capacity(rows.len());
    for row in rows {
        let component: Component = serde_json::from_str(row.try_get(1)?)?;
        let key = component.key();
        let removed: Option<i64> = row.try_get(0)?;
        let row = match removed {
            None => Stored::Present(Arc::new(component)),
            Some(_) => Stored::Removed(Tombstone {
                key: key.clone(),
                boots: component.boots,
                last_heartbeat: component.last_heartbeat,
                reporter: component.reporter,
            }),
        };
        stored.insert(key, row);
    }
    Ok(stored)
}

fn json_keys(keys: impl Iterator<Item = ComponentKey>) -> String {
    let keys: Vec<_> =
        keys.map(|key| json!({"server": server_key(&key.server), "role": key.role})).collect();
    json!(keys).to_string()
}

/// Writes these components, each over what stood under its key: one statement for the batch.
pub(super) async fn upsert(tx: &mut Tx, components: &[Arc<Component>]) -> Result<(), StoreError> {
    let batch: Vec<_> = components
        .iter()
        .map(|component| json!({"key": server_key(&component.server), "row": component}))
        .collect();
    sqlx::query(
        "insert or replace into components (server_key, role, server, product, version, os_name,
             os_version, ip, key_check, machine_key_check, messenger_port, stopped, boots,
             first_seen, last_heartbeat, told_interval, skew_last, skew_before, reporter,
             came_back, messenger, removed_at)
         select value ->> 'key', value ->> '$.row.role', value ->> '$.row.server',
             value ->> '$.row.product', value ->> '$.row.version', value ->> '$.row.os.name',
             value ->> '$.row.os.version', value ->> '$.row.ip', value ->> '$.row.key_check',
             value ->> '$.row.machine_key_check', value ->> '$.row.messenger_port',
             value ->> '$.row.stopped', value ->> '$.row.boots', value ->> '$.row.first_seen',
             value ->> '$.row.last_heartbeat', value ->> '$.row.told_interval',
             value ->> '$.row.skew.last', value ->> '$.row.skew.before',
             value ->> '$.row.reporter', value ->> '$.row.came_back',
             value -> '$.row.messenger', null
         from json_each($1)",
    )
    .bind(json!(batch).to_string())
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn remove(
    tx: &mut Tx,
    keys: &[ComponentKey],
    at: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "update components set removed_at = $2
         where removed_at is null and (server_key, role) in
             (select value ->> 'server', value ->> 'role' from json_each($1))",
    )
    .bind(json_keys(keys.iter().cloned()))
    .bind(at.0)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

pub(super) async fn references(tx: &mut Tx) -> Result<References, StoreError> {
    let rows = sqlx::query("select kind, key_check, agreed from reference_keys")
        .fetch_all(&mut **tx)
        .await?;
    let mut references = References::default();
    for row in rows {
        let (kind, digits): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        let reference = KeyCheck::parse(digits)
            .map(|check| Ok::<_, sqlx::Error>(Reference { check, agreed: row.try_get(2)? }))
            .transpose()?;
        if kind == KeyKind::Encryption.as_str() {
            references.encryption = reference;
        } else {
            references.machine = reference;
        }
    }
    Ok(references)
}

pub(super) async fn set_references(tx: &mut Tx, references: &References) -> Result<(), StoreError> {
    for kind in KeyKind::ALL {
        let Some(reference) = references.of(kind) else { continue };
        sqlx::query(
            "insert or replace into reference_keys (kind, key_check, agreed) values ($1, $2, $3)",
        )
        .bind(kind.as_str())
        .bind(reference.check.digits())
        .bind(reference.agreed)
        .execute(&mut **tx)
        .await?;
    }
    Ok(())
}

pub(super) async fn spells(tx: &mut Tx) -> Result<Vec<Spell>, StoreError> {
    let rows = sqlx::query("select start_at, end_at from spells order by start_at")
        .fetch_all(&mut **tx)
        .await?;
    rows.iter()
        .map(|row| Ok(Spell { start: Timestamp(row.try_get(0)?), end: Timestamp(row.try_get(1)?) }))
        .collect()
}

pub(super) async fn add_spell(tx: &mut Tx, spell: Spell) -> Result<(), StoreError> {
    sqlx::query(
        "insert into spells (start_at, end_at) values ($1, $2)
         on conflict (start_at) do update set end_at = max(end_at, excluded.end_at)",
    )
    .bind(spell.start.0)
    .bind(spell.end.0)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Forgets tombstones and spells that ended before these moments.
pub(super) async fn forget(
    tx: &mut Tx,
    tombstones: Timestamp,
    spells: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("delete from components where removed_at < $1")
        .bind(tombstones.0)
        .execute(&mut **tx)
        .await?;
    sqlx::query("delete from spells where end_at < $1").bind(spells.0).execute(&mut **tx).await?;
    Ok(())
}

/// Moves every stamp by `by`: the clock was set back, and every silence stays as long as it was.
pub(super) async fn shift_all(tx: &mut Tx, by: Span) -> Result<(), StoreError> {
    sqlx::query(
        "update components set first_seen = first_seen + $1, last_heartbeat = last_heartbeat + $1,
             came_back = came_back + $1, removed_at = removed_at + $1,
             messenger = json_set(messenger, '$.since', (messenger ->> '$.since') + $1)",
    )
    .bind(by.0)
    .execute(&mut **tx)
    .await?;
    // What ends so long after it began ends as long after; what ends on a given day ends that day.
    sqlx::query("update sessions set begun_at = begun_at + $1, acted_at = acted_at + $1")
        .bind(by.0)
        .execute(&mut **tx)
        .await?;
    // In two steps: while they move, a start could meet another's old place.
    sqlx::query("update spells set start_at = -(start_at + $1), end_at = end_at + $1")
        .bind(by.0)
        .execute(&mut **tx)
        .await?;
    sqlx::query("update spells set start_at = -start_at").execute(&mut **tx).await?;
    Ok(())
}
