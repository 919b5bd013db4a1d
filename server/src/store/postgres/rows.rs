//! Which statements are PostgreSQL's own? A batch is bound as one array for each column.

use app::cluster::{Component, ComponentKey, Timestamp};
use sqlx::{PgConnection, Postgres, pool::PoolConnection};

use crate::store::StoreError;
use crate::store::component_row::select_components;
use crate::store::rejections::{delete_rejections, upsert_rejections};
use crate::store::rows::{select_cluster, update_cluster};
use crate::store::statement::{Row, with_timeout};

pub(in crate::store) const INSERT_CLUSTER: &str =
    "insert into cluster (id, database_id, commit_no, changed_at, mark_at, history_begins_at,
         clock_jumps, settings)
     values (1, $1, 0, $2, $2, $2, 0, $3)
     on conflict do nothing";

pub(in crate::store) const SELECT_CLUSTER: &str = select_cluster!(
    "",
    "4096",
    "(extract(epoch from clock_timestamp()) * 1000)::bigint, clock_jumps",
    "cluster"
);

/// The clock is read after the row is locked: before, it would be the time at which the wait for the lock began.
pub(in crate::store) const SELECT_CLUSTER_FOR_UPDATE: &str = select_cluster!(
    "with locked as materialized (select * from cluster for update) ",
    "4096",
    "(extract(epoch from clock_timestamp()) * 1000)::bigint, clock_jumps",
    "locked"
);

/// A new commit replaces the one 4,096 before it in `commits`.
pub(in crate::store) const UPDATE_CLUSTER: &str = update_cluster!(
    "with remembered as (
         insert into commits (slot, commit_no, token)
         select $3 % 4096, $3, $9 from cluster where commit_no < $3
         on conflict (slot) do update set commit_no = excluded.commit_no, token = excluded.token) "
);

/// `$1` is a JSON array of checks.
pub(in crate::store) const SELECT_REPORTING: &str = select_components!(
    "where c.removed_at is null
         and (c.facts ->> 'key_check' in (select json_array_elements_text($1::json))
             or c.facts ->> 'machine_key_check' in (select json_array_elements_text($1::json)))"
);

pub(in crate::store) const UPSERT_REJECTIONS: &str =
    upsert_rejections!("json_array_elements($1::json) as run (value)");

pub(in crate::store) const DELETE_REJECTIONS: &str = delete_rejections!(
    "select value ->> 0, value ->> 1 from json_array_elements($1::json) as probe (value)",
    "select json_array_elements_text($2::json)"
);

/// Moves the times in JSON by `$1`.
pub(in crate::store) const SHIFT_JSON: &str = "update components set
    messengers = coalesce(
        (select jsonb_agg(jsonb_set(seen, '{since}', to_jsonb((seen ->> 'since')::bigint + $1)) order by place)
         from jsonb_array_elements(messengers) with ordinality as all_seen (seen, place)),
        '[]'),
    boots = boots || jsonb_build_object(
        'current', (boots -> 'current') || jsonb_build_object(
            'returned_at', (boots #>> '{current,returned_at}')::bigint + $1),
        'former', coalesce(
            (select jsonb_agg(boot || jsonb_build_object(
                 'returned_at', (boot ->> 'returned_at')::bigint + $1) order by place)
             from jsonb_array_elements(boots -> 'former') with ordinality as all_former (boot, place)),
            '[]'),
        'returns', coalesce(
            (select jsonb_agg(at::bigint + $1 order by place)
             from jsonb_array_elements_text(boots -> 'returns') with ordinality as all_returns (at, place)),
            '[]')),
    interruptions = jsonb_build_object(
        'starts', coalesce(
            (select jsonb_agg(start || jsonb_build_object('at', (start ->> 'at')::bigint + $1) order by place)
             from jsonb_array_elements(interruptions -> 'starts') with ordinality as all_starts (start, place)),
            '[]'),
        'gaps', coalesce(
            (select jsonb_agg(jsonb_build_object('start', (gap ->> 'start')::bigint + $1,
                                                 'end', (gap ->> 'end')::bigint + $1) order by place)
             from jsonb_array_elements(interruptions -> 'gaps') with ordinality as all_gaps (gap, place)),
            '[]'))";

/// Keys as the two arrays that the statements below unnest.
fn as_arrays(keys: &[ComponentKey]) -> (Vec<String>, Vec<&'static str>) {
    keys.iter().map(|key| (key.server.folded(), key.role.as_str())).unzip()
}

pub(in crate::store) async fn remove(
    connection: &mut PoolConnection<Postgres>,
    keys: &[ComponentKey],
    at: Timestamp,
    commit: i64,
) -> Result<(), StoreError> {
    let (servers, roles) = as_arrays(keys);
    let remove = sqlx::query(
        "with removed as (
             update components set removed_at = $3, changed_no = $4
             where removed_at is null
                 and (server_key, role) in (select * from unnest($1::text[], $2::text[]))
             returning server_key, role)
         update last_heartbeats set changed_no = $4
         where (server_key, role) in (select server_key, role from removed)",
    );
    let remove = remove.bind(servers).bind(roles).bind(at.0).bind(commit);
    with_timeout(remove.execute(&mut **connection)).await?;
    Ok(())
}

pub(in crate::store) async fn select_by_keys(
    connection: &mut PoolConnection<Postgres>,
    keys: &[ComponentKey],
) -> Result<Vec<Row>, StoreError> {
    let (servers, roles) = as_arrays(keys);
    let find = sqlx::query(select_components!(
        "where (c.server_key, c.role) in (select * from unnest($1::text[], $2::text[]))"
    ));
    let find = find.bind(servers).bind(roles);
    let rows = with_timeout(find.fetch_all(&mut **connection)).await?;
    Ok(rows.into_iter().map(Row::Postgres).collect())
}

pub(in crate::store) async fn upsert_components(
    connection: &mut PgConnection,
    batch: &[&Component],
    commit: i64,
) -> Result<(), StoreError> {
    let write = sqlx::query(
        "insert into components (server_key, role, server, facts, stopped, boots, interruptions,
             first_seen, came_back_at, messengers, changed_no)
         select server_key, role, server, facts::jsonb, stopped, boots::jsonb, interruptions::jsonb,
             first_seen, came_back_at, messengers::jsonb, $11
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[],
             $7::text[], $8::bigint[], $9::bigint[], $10::text[]) as batch
             (server_key, role, server, facts, stopped, boots, interruptions, first_seen,
              came_back_at, messengers)
         on conflict (server_key, role) do update set
             server = excluded.server, facts = excluded.facts, stopped = excluded.stopped,
             boots = excluded.boots, interruptions = excluded.interruptions,
             first_seen = excluded.first_seen, came_back_at = excluded.came_back_at, messengers = excluded.messengers,
             removed_at = null, changed_no = excluded.changed_no",
    );
    let write = write
        .bind(column(batch, |c| c.server.folded()))
        .bind(column(batch, |c| c.role.as_str()))
        .bind(column(batch, |c| c.server.to_string()))
        .bind(json_column(batch, |c| serde_json::to_string(&*c.facts))?)
        .bind(column(batch, |c| c.stopped))
        .bind(json_column(batch, |c| serde_json::to_string(&c.boots))?)
        .bind(json_column(batch, |c| serde_json::to_string(&c.interruptions))?)
        .bind(column(batch, |c| c.first_seen.0))
        .bind(column(batch, |c| c.came_back.map(|at| at.0)))
        .bind(json_column(batch, |c| serde_json::to_string(&c.messengers))?)
        .bind(commit);
    with_timeout(write.execute(connection)).await?;
    Ok(())
}

pub(in crate::store) async fn upsert_heartbeats(
    connection: &mut PgConnection,
    batch: &[&Component],
    commit: i64,
) -> Result<(), StoreError> {
    let write = sqlx::query(
        "insert into last_heartbeats (server_key, role, sequence, received_at, interval_ms,
             skew_last_ms, skew_before_ms, changed_no)
         select *, $8 from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[],
             $6::bigint[], $7::bigint[])
         on conflict (server_key, role) do update set
             sequence = excluded.sequence, received_at = excluded.received_at,
             interval_ms = excluded.interval_ms, skew_last_ms = excluded.skew_last_ms,
             skew_before_ms = excluded.skew_before_ms, changed_no = excluded.changed_no",
    );
    let write = write
        .bind(column(batch, |c| c.server.folded()))
        .bind(column(batch, |c| c.role.as_str()))
        .bind(column(batch, |c| c.boots.current.sequence))
        .bind(column(batch, |c| c.last_heartbeat.0))
        .bind(column(batch, |c| c.told_interval.0))
        .bind(column(batch, |c| c.skew.map(|skew| skew.last.0)))
        .bind(column(batch, |c| c.skew.and_then(|skew| skew.before).map(|before| before.0)))
        .bind(commit);
    with_timeout(write.execute(connection)).await?;
    Ok(())
}

/// One value of each component, as the array that a statement unnests.
fn column<T>(batch: &[&Component], value: impl Fn(&Component) -> T) -> Vec<T> {
    batch.iter().map(|component| value(component)).collect()
}

fn json_column(
    batch: &[&Component],
    text: impl Fn(&Component) -> Result<String, serde_json::Error>,
) -> Result<Vec<String>, serde_json::Error> {
    batch.iter().map(|component| text(component)).collect()
}
