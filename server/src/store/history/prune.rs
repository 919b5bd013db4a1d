//! Which part of the history is deleted? What is too old, and the rows of a component that has too many.
//!
//! The rows are found in a transaction that only reads, so that heartbeats do not wait for the search. Then they are
//! deleted by their keys.

use std::collections::BTreeMap;

use app::cluster::observation::BLIND_PERIOD_RETENTION;
use app::cluster::{Span, Timestamp};
use serde_json::{Value, json};

use crate::store::changes::MAX_ROWS_PER_DELETE;
use crate::store::history::RECORD_SPAN;
use crate::store::statement::{Row, sql, sql_with_json_rows, with_json_rows};
use crate::store::tx::Tx;
use crate::store::{Database, Store, StoreError, rows};

/// More rows of one component are not kept.
const MAX_RECORDS: i64 = 10_000;
/// So many rows are searched for at a time.
const MAX_ROWS_PER_SEARCH: i64 = 5_000;
/// So many are deleted in one transaction, because heartbeats wait for it.
const MAX_ROWS_PER_WRITE: usize = 200;
/// Rows of the last two minutes stay: until its minute is over, a heartbeat may still add to a row that was found.
const RECENT: Span = Span::minutes(2);
/// What is too old is searched for once in so long.
const SEARCH_INTERVAL: Span = Span::minutes(60);

/// Of each component what is older than `$1`, except for the last row with a state: it says what was known at `$1`. If it says
/// that the component was removed, nothing needs to be known.
const SELECT_EXPIRED: &str = "with last_states as materialized (
         select c.id,
             (select h.at from component_history h
              where h.component = c.id and h.at < $1 and h.state is not null
              order by h.at desc, h.commit_no desc limit 1) as at,
             (select h.state from component_history h
              where h.component = c.id and h.at < $1 and h.state is not null
              order by h.at desc, h.commit_no desc limit 1) as state
         from recorded_components c)
     select h.component, h.at, h.commit_no
     from last_states s join component_history h on h.component = s.id and h.at < $1
     where h.at < s.at or h.state is null or s.state = '\"removed\"'
     limit $2";

const DELETE: [&str; 2] = with_json_rows!(
    "delete from component_history where (component, at, commit_no) in
         (select cast(value ->> 0 as bigint), cast(value ->> 1 as bigint), cast(value ->> 2 as bigint)
          from ",
    ") returning component"
);

const SUBTRACT_DELETED: [&str; 2] = with_json_rows!(
    "update recorded_components set record_count = record_count - deleted.records
     from (select cast(value ->> 0 as bigint) as id, cast(value ->> 1 as bigint) as records from ",
    ") as deleted
     where recorded_components.id = deleted.id"
);

/// What is too old besides the records of components.
const DELETE_EXPIRED: [&str; 2] = [
    "delete from blind_periods where start_at in
         (select start_at from blind_periods where end_at < $1 limit $2)",
    // The last settings and the last keys before `$1` were in force at `$1`.
    "delete from cluster_history where (at, commit_no) in
         (select at, commit_no from cluster_history
          where at < $1
              and (settings is null or at <
                   (select max(at) from cluster_history where at < $1 and settings is not null))
              and (reference_keys is null or at <
                   (select max(at) from cluster_history where at < $1 and reference_keys is not null))
          limit $2)",
];

/// The rows of a component that has too many.
struct Excess {
    /// Component, time and commit number of each row.
    rows: Vec<Value>,
    component: i64,
    /// From when on all of its rows are there.
    complete_since: Timestamp,
}

impl Store {
    /// Deletes what is too old, and what is too much, in small transactions.
    pub(in crate::store) async fn prune_history(&self) -> Result<(), StoreError> {
        let cutoff = self.now() - self.keep_history;
        let mut tx = self.begin_read().await?;
        let begins = rows::cluster_row(&mut tx, None).await?.history_begins_at;
        tx.rollback().await?;
        if cutoff - begins > SEARCH_INTERVAL {
            while self.prune_expired(cutoff).await? {}
        }
        while self.prune_excess().await? {}
        Ok(())
    }

    /// Returns whether there may be more.
    async fn prune_expired(&self, cutoff: Timestamp) -> Result<bool, StoreError> {
        let (mut tx, now) = self.begin_pruning().await?;
        let begin = sql("update cluster set history_begins_at = $1 where history_begins_at < $1");
        begin.bind(cutoff.0).execute(&mut tx).await?;
        // Silences of today are judged by the blind periods, however short the history is.
        let of_silences = cutoff.min(now - BLIND_PERIOD_RETENTION);
        let mut more = false;
        for (delete, cutoff) in DELETE_EXPIRED.into_iter().zip([of_silences, cutoff]) {
            let delete = sql(delete).bind(cutoff.0).bind(MAX_ROWS_PER_DELETE);
            more |= delete.execute(&mut tx).await? >= u64::from(MAX_ROWS_PER_DELETE);
        }
        tx.commit().await?;
        let mut tx = self.begin_read().await?;
        let found = expired(&mut tx, cutoff).await?;
        tx.rollback().await?;
        for rows in found.chunks(MAX_ROWS_PER_WRITE) {
            let (mut tx, _) = self.begin_pruning().await?;
            delete_rows(&mut tx, rows).await?;
            tx.commit().await?;
        }
        if !found.is_empty() {
            let (mut tx, _) = self.begin_pruning().await?;
            let forget = sql("delete from recorded_components where record_count <= 0");
            forget.execute(&mut tx).await?;
            tx.commit().await?;
        }
        let is_full = i64::try_from(found.len()).is_ok_and(|rows| rows >= MAX_ROWS_PER_SEARCH);
        Ok(more || is_full)
    }

    /// Returns whether there may be more.
    async fn prune_excess(&self) -> Result<bool, StoreError> {
        let mut tx = self.begin_read().await?;
        let found = excess(&mut tx, self.now() - RECENT).await?;
        tx.rollback().await?;
        let Some(found) = found else { return Ok(false) };
        for rows in found.rows.chunks(MAX_ROWS_PER_WRITE) {
            let (mut tx, _) = self.begin_pruning().await?;
            let trimmed = sql("update recorded_components set complete_since =
                     case when complete_since > $2 then complete_since else $2 end
                 where id = $1");
            let trimmed = trimmed.bind(found.component).bind(found.complete_since.0);
            trimmed.execute(&mut tx).await?;
            delete_rows(&mut tx, rows).await?;
            tx.commit().await?;
        }
        Ok(true)
    }

    /// Begins a transaction that writes, and returns the last mark.
    async fn begin_pruning(&self) -> Result<(Tx, Timestamp), StoreError> {
        let mut tx = match &self.database {
            Database::Sqlite(sqlite) => sqlite.begin_write().await?,
            Database::Postgres(postgres) => postgres.begin_write().await?,
        };
        // Whoever writes history locks this row first.
        let now = rows::lock_cluster_row(&mut tx, None).await?.mark_at;
        Ok((tx, now))
    }
}

/// The keys of rows that are too old.
async fn expired(tx: &mut Tx, cutoff: Timestamp) -> Result<Vec<Value>, StoreError> {
    let select = sql(SELECT_EXPIRED).bind(cutoff.0).bind(MAX_ROWS_PER_SEARCH);
    let key = |row: &Row| {
        let (component, at, commit): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(json!([component, at, commit]))
    };
    select.rows(tx).await?.iter().map(key).collect()
}

/// The rows that one component has too many: the shared ones, then the oldest, but never its last state. Only rows before
/// `until` are chosen.
async fn excess(tx: &mut Tx, until: Timestamp) -> Result<Option<Excess>, StoreError> {
    let largest = sql("select id, record_count from recorded_components
         where record_count > $1 order by id limit 1");
    let Some(largest) = largest.bind(MAX_RECORDS).rows(tx).await?.into_iter().next() else {
        return Ok(None);
    };
    let (id, count): (i64, i64) = (largest.get(0)?, largest.get(1)?);
    let last_state = sql("select at, commit_no from component_history
         where component = $1 and state is not null order by at desc, commit_no desc limit 1");
    let last_state = last_state.bind(id).rows(tx).await?.into_iter().next();
    let (last_at, last_commit): (i64, i64) = match &last_state {
        Some(row) => (row.get(0)?, row.get(1)?),
        None => (0, 0),
    };
    let select = sql("select at, commit_no, state is not null from component_history
         where component = $1 and not (at = $2 and commit_no = $3) and at < $4
         order by is_shared desc, at, commit_no limit $5");
    let select = select.bind(id).bind(last_at).bind(last_commit).bind(until.0);
    let max = (count - MAX_RECORDS).min(MAX_ROWS_PER_SEARCH);
    let (mut rows, mut last_deleted, mut last_deleted_state) = (Vec::new(), 0_i64, None);
    for row in select.bind(max).rows(tx).await? {
        let (at, commit): (i64, i64) = (row.get(0)?, row.get(1)?);
        rows.push(json!([id, at, commit]));
        last_deleted = last_deleted.max(at);
        if row.get::<bool>(2)? {
            last_deleted_state = last_deleted_state.max(Some(at));
        }
    }
    let mut complete_since = Timestamp(last_deleted) + RECORD_SPAN;
    if let Some(state) = last_deleted_state {
        let next = sql("select coalesce(min(at), 0) from component_history
             where component = $1 and at > $2 and state is not null");
        let next = next.bind(id).bind(state).row(tx).await?;
        complete_since = complete_since.max(Timestamp(next.get(0)?));
    }
    Ok((!rows.is_empty()).then_some(Excess { rows, component: id, complete_since }))
}

/// Deletes rows by their keys.
async fn delete_rows(tx: &mut Tx, rows: &[Value]) -> Result<(), StoreError> {
    let mut deleted = BTreeMap::<i64, i64>::new();
    let delete = sql_with_json_rows(tx, DELETE).bind(json!(rows).to_string());
    for row in delete.rows(tx).await? {
        *deleted.entry(row.get(0)?).or_default() += 1;
    }
    let deleted: Vec<_> = deleted.iter().map(|(id, rows)| json!([id, rows])).collect();
    let subtract = sql_with_json_rows(tx, SUBTRACT_DELETED).bind(json!(deleted).to_string());
    subtract.execute(tx).await.map(drop)
}
