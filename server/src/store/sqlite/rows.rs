//! Facts in an `SQLite` file: its JSON functions take a batch as one text.

use app::cluster::{ComponentKey, KeyCheck, Timestamp};
use serde_json::json;
use sqlx::SqliteConnection;

use crate::store::StoreError;
use crate::store::component_row::{Upsert, component, select_components};
use crate::store::rows::{close_cluster, select_head};
use crate::store::sql::{Row, sql};
use crate::store::tx::Tx;

/// The cluster's row. The clock is this process's, not the file's.
pub(in crate::store) const HEAD: &str = select_head!("", "256", "null, 0", "cluster");

/// Ends a change. A trigger remembers a new commit.
pub(in crate::store) const CLOSE: &str = close_cluster!("");

/// `$1` is a list of checks.
pub(in crate::store) const REPORTING: &str = select_components!(
    "where removed_at is null and (key_check in (select value from json_each($1))
         or machine_key_check in (select value from json_each($1)))"
);

/// `$1` is by how much.
pub(in crate::store) const SHIFT_MESSENGERS: &str = "update components set messenger =
    (select json_group_array(json_set(value, '$.since', (value ->> '$.since') + $1))
     from json_each(messenger))
    where messenger is not null";

/// Reads every row there is, tombstones included, and fails if one cannot be read.
pub(in crate::store) async fn read_all(
    connection: &mut SqliteConnection,
) -> Result<(), StoreError> {
    let rows = sqlx::query(select_components!("")).fetch_all(connection).await?;
    rows.into_iter().try_for_each(|row| component(&Row::Sqlite(row)).map(drop))
}

/// Keys as the text that the statements below read.
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
    let remove = sql("update components set removed_at = $2, facts_no = $3, beat_no = $3
         where removed_at is null and (server_key, role) in
             (select value ->> 'server', value ->> 'role' from json_each($1))");
    remove.bind(as_json(keys)).bind(at.0).bind(commit).execute(tx).await.map(drop)
}

pub(in crate::store) async fn of_keys(
    tx: &mut Tx,
    keys: &[ComponentKey],
) -> Result<Vec<Row>, StoreError> {
    let find = sql(select_components!(
        "where (server_key, role) in
             (select value ->> 'server', value ->> 'role' from json_each($1))"
    ));
    find.bind(as_json(keys)).rows(tx).await
}

pub(in crate::store) async fn upsert(
    tx: &mut Tx,
    batch: &[Upsert],
    commit: i64,
) -> Result<(), StoreError> {
    // Lists, not objects: SQLite finds the fifth of a list sooner than one by its name.
    let row = |Upsert { component, facts }: &Upsert| {
        let skew = component.skew;
        let os = &component.facts.os;
        let optional = |check: Option<KeyCheck>| check.map(|check| check.digits());
        json!([
            component.server.folded(),
            component.role,
            component.server.as_str(),
            component.facts.product,
            component.facts.version,
            os.name,
            os.version,
            component.facts.ip,
            optional(component.facts.key_check),
            optional(component.facts.machine_key_check),
            component.facts.messenger_port,
            component.stopped,
            component.boots,
            component.first_seen,
            component.last_heartbeat,
            component.told_interval,
            skew.map(|skew| skew.last),
            skew.and_then(|skew| skew.before),
            component.facts.source,
            component.came_back,
            (!component.messengers.is_empty()).then_some(&component.messengers),
            if *facts { commit } else { 0 },
        ])
    };
    let batch: Vec<_> = batch.iter().map(row).collect();
    // `where true`: without it SQLite takes `on` for the beginning of a join.
    let write = sql(
        "insert into components (server_key, role, server, product, version, os_name, os_version,
             ip, key_check, machine_key_check, messenger_port, stopped, boots, first_seen,
             last_heartbeat, told_interval, skew_last, skew_before, reporter, came_back,
             messenger, removed_at, facts_no, beat_no)
         select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
             value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11,
             value ->> 12, value ->> 13, value ->> 14, value ->> 15, value ->> 16, value ->> 17,
             value ->> 18, value ->> 19, value ->> 20, null, value ->> 21, $2
         from json_each($1) where true
         on conflict (server_key, role) do update set
             server = excluded.server, product = excluded.product, version = excluded.version,
             os_name = excluded.os_name, os_version = excluded.os_version, ip = excluded.ip,
             key_check = excluded.key_check, machine_key_check = excluded.machine_key_check,
             messenger_port = excluded.messenger_port, stopped = excluded.stopped,
             boots = excluded.boots, first_seen = excluded.first_seen,
             last_heartbeat = excluded.last_heartbeat, told_interval = excluded.told_interval,
             skew_last = excluded.skew_last, skew_before = excluded.skew_before,
             reporter = excluded.reporter, came_back = excluded.came_back,
             messenger = excluded.messenger, removed_at = null,
             facts_no = max(components.facts_no, excluded.facts_no), beat_no = excluded.beat_no",
    );
    write.bind(json!(batch).to_string()).bind(commit).execute(tx).await.map(drop)
}
