//! Which statements are SQLite's own? A batch is bound as one JSON text.

use app::cluster::{Component, ComponentKey, Timestamp};
use serde_json::json;
use sqlx::SqliteConnection;

use crate::store::StoreError;
use crate::store::component_row::{component, select_components};
use crate::store::rejections::{delete_rejections, upsert_rejections};
use crate::store::rows::{select_cluster, update_cluster};
use crate::store::statement::{Row, sql};
use crate::store::tx::Tx;

/// The clock columns are empty: the clock is that of the process that owns the file.
pub(in crate::store) const SELECT_CLUSTER: &str = select_cluster!("", "256", "null, 0", "cluster");

/// A trigger adds a new commit to `commits`.
pub(in crate::store) const UPDATE_CLUSTER: &str = update_cluster!("");

/// `$1` is a JSON array of checks.
pub(in crate::store) const SELECT_REPORTING: &str = select_components!(
    "where c.removed_at is null
         and (c.facts ->> 'key_check' in (select value from json_each($1))
             or c.facts ->> 'machine_key_check' in (select value from json_each($1)))"
);

pub(in crate::store) const UPSERT_REJECTIONS: &str = upsert_rejections!("json_each($1)");

pub(in crate::store) const DELETE_REJECTIONS: &str = delete_rejections!(
    "select value ->> 0, value ->> 1 from json_each($1)",
    "select value from json_each($2)"
);

/// Moves the times in JSON by `$1`.
pub(in crate::store) const SHIFT_JSON: &str = "update components set
    messengers = (select json_group_array(json_set(value, '$.since', (value ->> '$.since') + $1))
                  from json_each(messengers)),
    boots = json_set(boots,
        '$.current.returned_at', (boots ->> '$.current.returned_at') + $1,
        '$.former', (select json_group_array(json_set(value, '$.returned_at', (value ->> '$.returned_at') + $1))
                     from json_each(boots, '$.former')),
        '$.returns', (select json_group_array(value + $1) from json_each(boots, '$.returns'))),
    interruptions = json_object(
        'starts', (select json_group_array(json_set(value, '$.at', (value ->> '$.at') + $1))
                   from json_each(interruptions, '$.starts')),
        'gaps', (select json_group_array(json_set(value, '$.start', (value ->> '$.start') + $1,
                                                         '$.end', (value ->> '$.end') + $1))
                 from json_each(interruptions, '$.gaps')))";

/// Fails if a row cannot be read, tombstones included.
pub(in crate::store) async fn read_all(
    connection: &mut SqliteConnection,
) -> Result<(), StoreError> {
    let rows = sqlx::query(select_components!("")).fetch_all(connection).await?;
    rows.into_iter().try_for_each(|row| component(&Row::Sqlite(row)).map(drop))
}

/// Keys as the JSON text that the statements below read.
fn as_json(keys: &[ComponentKey]) -> String {
    let pair = |key: &ComponentKey| json!({"server": key.server.folded(), "role": key.role});
    json!(keys.iter().map(pair).collect::<Vec<_>>()).to_string()
}

pub(in crate::store) async fn remove(
    tx: &mut Tx,
    keys: &[ComponentKey],
    at: Timestamp,
    commit: i64,
) -> Result<(), StoreError> {
    let keys = as_json(keys);
    let touch = sql("update last_heartbeats set changed_no = $2
         where (server_key, role) in
             (select c.server_key, c.role from json_each($1) join components c
              on c.server_key = value ->> 'server' and c.role = value ->> 'role'
              where c.removed_at is null)");
    touch.bind(&keys).bind(commit).execute(tx).await?;
    let remove = sql("update components set removed_at = $2, changed_no = $3
         where removed_at is null and (server_key, role) in
             (select value ->> 'server', value ->> 'role' from json_each($1))");
    remove.bind(keys).bind(at.0).bind(commit).execute(tx).await.map(drop)
}

pub(in crate::store) async fn select_by_keys(
    tx: &mut Tx,
    keys: &[ComponentKey],
) -> Result<Vec<Row>, StoreError> {
    let find = sql(select_components!(
        "where (c.server_key, c.role) in
             (select value ->> 'server', value ->> 'role' from json_each($1))"
    ));
    find.bind(as_json(keys)).rows(tx).await
}

pub(in crate::store) async fn upsert_components(
    tx: &mut Tx,
    batch: &[&Component],
    commit: i64,
) -> Result<(), StoreError> {
    // Arrays, because SQLite finds an element by its index faster than by its name.
    let row = |component: &&Component| {
        json!([
            component.server.folded(),
            component.role,
            component.server.as_str(),
            component.facts,
            component.stopped,
            component.boots,
            component.interruptions,
            component.first_seen,
            component.came_back,
            component.messengers,
        ])
    };
    let batch: Vec<_> = batch.iter().map(row).collect();
    // Without `where true` SQLite parses `on` as part of a join.
    let write = sql("insert into components (server_key, role, server, facts, stopped, boots,
             interruptions, first_seen, came_back_at, messengers, changed_no)
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
             value ->> 6, value ->> 7, value ->> 8, value ->> 9, $2
         from json_each($1) where true
         on conflict (server_key, role) do update set
             server = excluded.server, facts = excluded.facts, stopped = excluded.stopped,
             boots = excluded.boots, interruptions = excluded.interruptions,
             first_seen = excluded.first_seen, came_back_at = excluded.came_back_at, messengers = excluded.messengers,
             removed_at = null, changed_no = excluded.changed_no");
    write.bind(json!(batch).to_string()).bind(commit).execute(tx).await.map(drop)
}

pub(in crate::store) async fn upsert_heartbeats(
    tx: &mut Tx,
    batch: &[&Component],
    commit: i64,
) -> Result<(), StoreError> {
    let row = |component: &&Component| {
        json!([
            component.server.folded(),
            component.role,
            component.boots.current.sequence,
            component.last_heartbeat,
            component.told_interval,
            component.skew.map(|skew| skew.last),
            component.skew.and_then(|skew| skew.before),
        ])
    };
    let batch: Vec<_> = batch.iter().map(row).collect();
    let write = sql("insert into last_heartbeats (server_key, role, sequence, received_at,
             interval_ms, skew_last_ms, skew_before_ms, changed_no)
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
             value ->> 6, $2
         from json_each($1) where true
         on conflict (server_key, role) do update set
             sequence = excluded.sequence, received_at = excluded.received_at,
             interval_ms = excluded.interval_ms, skew_last_ms = excluded.skew_last_ms,
             skew_before_ms = excluded.skew_before_ms, changed_no = excluded.changed_no");
    write.bind(json!(batch).to_string()).bind(commit).execute(tx).await.map(drop)
}
