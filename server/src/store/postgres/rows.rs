//! Facts in PostgreSQL: a batch is a list for each column.

use app::cluster::{Component, ComponentKey, Timestamp};
use sqlx::{PgConnection, Postgres, pool::PoolConnection};

use crate::store::StoreError;
use crate::store::component_row::{Upsert, select_components};
use crate::store::rows::{close_cluster, select_head};
use crate::store::sql::{Row, in_time};

/// Writes the cluster's row unless there is one.
pub(in crate::store) const FIRST_ROW: &str =
    "insert into cluster (id, database_id, commit_no, changed_at, mark_at, clock_jumps,
         load_balancing, automatic_failover, heartbeat_interval_s, stale_timeout_s, web_window_s)
     values (1, $1, 0, $2, $2, 0, $3, $4, $5, $6, $7)
     on conflict do nothing";

/// The cluster's row, and what time it is.
pub(in crate::store) const HEAD: &str = select_head!(
    "",
    "4096",
    "(extract(epoch from clock_timestamp()) * 1000)::bigint, clock_jumps",
    "cluster"
);

/// The same, locked until the transaction ends. The clock is read once the lock is held: before, it
/// would be the time at which the waiting began.
pub(in crate::store) const HEAD_FOR_UPDATE: &str = select_head!(
    "with locked as materialized (select * from cluster for update) ",
    "4096",
    "(extract(epoch from clock_timestamp()) * 1000)::bigint, clock_jumps",
    "locked"
);

/// Ends a change. A new commit takes the place of the one 4,096 before it.
pub(in crate::store) const CLOSE: &str = close_cluster!(
    "with remembered as (
         insert into commits (slot, commit_no, token)
         select $3 % 4096, $3, $9 from cluster where commit_no < $3
         on conflict (slot) do update set commit_no = excluded.commit_no, token = excluded.token) "
);

/// `$1` is a list of checks.
pub(in crate::store) const REPORTING: &str = select_components!(
    "where removed_at is null
         and (key_check in (select json_array_elements_text($1::json))
             or machine_key_check in (select json_array_elements_text($1::json)))"
);

/// `$1` is by how much.
pub(in crate::store) const SHIFT_MESSENGERS: &str = "update components set messenger =
    (select jsonb_agg(
         jsonb_set(seen, '{since}', to_jsonb((seen ->> 'since')::bigint + $1)) order by place)::text
     from jsonb_array_elements(messenger::jsonb) with ordinality as all_seen (seen, place))
    where messenger is not null";

/// Keys as the two lists that the statements below read.
fn as_lists(keys: &[ComponentKey]) -> (Vec<String>, Vec<&'static str>) {
    keys.iter().map(|key| (key.server.folded(), key.role.as_str())).unzip()
}

pub(in crate::store) async fn remove(
    connection: &mut PoolConnection<Postgres>,
    keys: &[ComponentKey],
    at: Timestamp,
    commit: i64,
) -> Result<(), StoreError> {
    let (servers, roles) = as_lists(keys);
    let remove = sqlx::query(
        "update components set removed_at = $3, facts_no = $4, beat_no = $4
         where removed_at is null
             and (server_key, role) in (select * from unnest($1::text[], $2::text[]))",
    );
    let remove = remove.bind(servers).bind(roles).bind(at.0).bind(commit);
    in_time(remove.execute(&mut **connection)).await?;
    Ok(())
}

pub(in crate::store) async fn of_keys(
    connection: &mut PoolConnection<Postgres>,
    keys: &[ComponentKey],
) -> Result<Vec<Row>, StoreError> {
    let (servers, roles) = as_lists(keys);
    let find = sqlx::query(select_components!(
        "where (server_key, role) in (select * from unnest($1::text[], $2::text[]))"
    ));
    let find = find.bind(servers).bind(roles);
    let rows = in_time(find.fetch_all(&mut **connection)).await?;
    Ok(rows.into_iter().map(Row::Postgres).collect())
}

pub(in crate::store) async fn upsert(
    connection: &mut PgConnection,
    batch: &[Upsert],
    commit: i64,
) -> Result<(), StoreError> {
    let all = |of: fn(&Component) -> String| -> Vec<String> {
        batch.iter().map(|write| of(&write.component)).collect()
    };
    let texts = |of: fn(&Component) -> Option<String>| -> Vec<Option<String>> {
        batch.iter().map(|write| of(&write.component)).collect()
    };
    let numbers = |of: fn(&Component) -> Option<i64>| -> Vec<Option<i64>> {
        batch.iter().map(|write| of(&write.component)).collect()
    };
    let json = |of: fn(&Component) -> Result<Option<String>, serde_json::Error>| {
        batch.iter().map(|write| of(&write.component)).collect::<Result<Vec<_>, _>>()
    };
    let flags: Vec<bool> = batch.iter().map(|write| write.component.stopped).collect();
    let facts: Vec<i64> = batch.iter().map(|w| if w.facts { commit } else { 0 }).collect();
    let write = sqlx::query(
        "insert into components (server_key, role, server, product, version, os_name, os_version,
             ip, key_check, machine_key_check, messenger_port, stopped, boots, first_seen,
             last_heartbeat, told_interval, skew_last, skew_before, reporter, came_back,
             messenger, facts_no, beat_no)
         select *, $23 from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
             $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::bigint[],
             $12::boolean[], $13::text[], $14::bigint[], $15::bigint[], $16::bigint[],
             $17::bigint[], $18::bigint[], $19::text[], $20::bigint[], $21::text[],
             $22::bigint[])
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
             facts_no = greatest(components.facts_no, excluded.facts_no),
             beat_no = excluded.beat_no",
    );
    let write = write
        .bind(all(|c| c.server.folded()))
        .bind(all(|c| c.role.as_str().to_owned()))
        .bind(all(|c| c.server.to_string()))
        .bind(texts(|c| c.facts.product.clone()))
        .bind(all(|c| c.facts.version.clone()))
        .bind(all(|c| c.facts.os.name.clone()))
        .bind(all(|c| c.facts.os.version.clone()))
        .bind(all(|c| c.facts.ip.to_string()))
        .bind(texts(|c| c.facts.key_check.map(|check| check.digits())))
        .bind(texts(|c| c.facts.machine_key_check.map(|check| check.digits())))
        .bind(numbers(|c| c.facts.messenger_port.map(i64::from)))
        .bind(flags)
        .bind(json(|c| serde_json::to_string(&c.boots).map(Some))?)
        .bind(numbers(|c| Some(c.first_seen.0)))
        .bind(numbers(|c| Some(c.last_heartbeat.0)))
        .bind(numbers(|c| Some(c.told_interval.0)))
        .bind(numbers(|c| c.skew.map(|skew| skew.last.0)))
        .bind(numbers(|c| c.skew.and_then(|skew| skew.before).map(|before| before.0)))
        .bind(json(|c| word(c.facts.source).map(Some))?)
        .bind(numbers(|c| c.came_back.map(|back| back.0)))
        .bind(json(|c| some(&c.messengers).map(serde_json::to_string).transpose())?)
        .bind(facts)
        .bind(commit);
    in_time(write.execute(connection)).await?;
    Ok(())
}

/// A list, unless it is empty.
fn some<T>(list: &[T]) -> Option<&[T]> {
    (!list.is_empty()).then_some(list)
}

/// The word of an enum without data, as serde has it.
fn word(of: impl serde::Serialize) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_value(of)?.as_str().unwrap_or_default().to_owned())
}
