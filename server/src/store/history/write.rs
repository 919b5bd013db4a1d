//! What does a transaction add to the history?

use std::collections::{BTreeMap, HashMap, btree_map};

use app::cluster::history::{ComponentHistory, ComponentRecord, RecordedState};
use app::cluster::{ComponentKey, ReferenceKeys, Settings, Span, Timestamp};
use serde_json::json;

use crate::store::StoreError;
use crate::store::statement::{Row, sql, sql_with_json_rows, with_json_rows};
use crate::store::tx::Tx;

/// Of an imported past, because PostgreSQL must answer within a few seconds.
pub(super) const MAX_ROWS_PER_STATEMENT: usize = 2_000;

const SELECT_SINCE: [&str; 2] = with_json_rows!(
    "select c.id, c.server, c.role, h.commit_no, h.at, h.state, h.changes
     from recorded_components c join component_history h on h.component = c.id
     where (c.server_key, c.role) in (select value ->> 0, value ->> 1 from ",
    ") and h.at > $2 order by h.at, h.commit_no"
);

const COUNT_NEW: [&str; 2] = with_json_rows!(
    "insert into recorded_components (server_key, role, server, record_count)
     select value ->> 0, value ->> 1, value ->> 2, cast(value ->> 3 as bigint) from ",
    " where true
     on conflict (server_key, role) do update set
         server = excluded.server,
         record_count = recorded_components.record_count + excluded.record_count
     returning id, server_key, role"
);

const UPSERT: [&str; 2] = with_json_rows!(
    "insert into component_history (component, at, commit_no, state, changes, is_shared)
     select cast(value ->> 0 as bigint), cast(value ->> 1 as bigint), cast(value ->> 2 as bigint),
         value ->> 3, value ->> 4, cast(value ->> 5 as boolean) from ",
    " where true
     on conflict (component, at, commit_no) do update set
         state = excluded.state, changes = excluded.changes, is_shared = excluded.is_shared"
);

/// What one transaction records of components: one record for each.
#[derive(Debug, Default)]
pub(in crate::store) struct NewRecords(BTreeMap<ComponentKey, ComponentRecord>);

impl NewRecords {
    /// Adds what a heartbeat of this transaction, or a removal, records.
    pub(in crate::store) fn add(&mut self, next: ComponentRecord) {
        match self.0.entry(next.key.clone()) {
            btree_map::Entry::Vacant(vacant) => drop(vacant.insert(next)),
            btree_map::Entry::Occupied(mut known) => join(known.get_mut(), next),
        }
    }

    /// Writes them: into the rows of what happened just before, or as new rows.
    pub(in crate::store) async fn write(
        self,
        tx: &mut Tx,
        at: Timestamp,
        commit: i64,
    ) -> Result<(), StoreError> {
        if self.0.is_empty() {
            return Ok(());
        }
        // What shares a record happens within a minute.
        let mut earlier = last_records(tx, self.0.keys(), at - Span::minutes(1)).await?;
        let (mut rows, mut new) = (Vec::new(), Vec::new());
        for (key, record) in self.0 {
            let Some(mut last) = earlier.remove(&key) else {
                new.push(record);
                continue;
            };
            match last.record.add(record) {
                Ok(()) => rows.push(last.as_json()?),
                Err(separate) => new.push(*separate),
            }
        }
        if !new.is_empty() {
            let counts: Vec<_> = new.iter().map(|record| (&record.key, 1)).collect();
            let ids = count_new(tx, &counts).await?;
            for record in new {
                let id = ids.of(&record.key)?;
                rows.push(RecordRow { id, commit, record }.as_json()?);
            }
        }
        upsert(tx, &rows).await
    }
}

/// Writes all records of components that have none yet. Those of one component have different commit numbers, like those of
/// several transactions.
pub(super) async fn write_all(
    tx: &mut Tx,
    components: &BTreeMap<ComponentKey, ComponentHistory>,
) -> Result<(), StoreError> {
    let counts = components.iter().map(|(key, component)| (key, component.records.len()));
    let ids = count_new(tx, &counts.collect::<Vec<_>>()).await?;
    let mut rows = Vec::new();
    for (key, component) in components {
        let id = ids.of(key)?;
        // The last one has the number of a new database. It has written no commits yet.
        for (commit, record) in (0..).zip(component.records.iter().rev()) {
            rows.push(RecordRow { id, commit: -commit, record: record.clone() }.as_json()?);
            if rows.len() >= MAX_ROWS_PER_STATEMENT {
                upsert(tx, &std::mem::take(&mut rows)).await?;
            }
        }
    }
    upsert(tx, &rows).await
}

async fn upsert(tx: &mut Tx, rows: &[serde_json::Value]) -> Result<(), StoreError> {
    let write = sql_with_json_rows(tx, UPSERT).bind(json!(rows).to_string());
    write.execute(tx).await.map(drop)
}

/// Adds what the same component does at the same moment. Also an arrival shares the record then.
fn join(record: &mut ComponentRecord, mut next: ComponentRecord) {
    let arrival_in = |state: &mut Option<RecordedState>| match state {
        Some(RecordedState::Present { arrival, .. }) => arrival.take(),
        Some(RecordedState::Removed) | None => None,
    };
    let first = arrival_in(&mut record.state);
    let came = arrival_in(&mut next.state).or(first);
    if let Err(separate) = record.add(next) {
        *record = *separate;
    }
    if let Some(RecordedState::Present { arrival, .. }) = &mut record.state {
        *arrival = came;
    }
}

/// A record and its place in the table.
struct RecordRow {
    id: i64,
    commit: i64,
    record: ComponentRecord,
}

impl RecordRow {
    fn parse(row: &Row) -> Result<Self, StoreError> {
        let record = super::record(super::key(row)?, row, 4)?;
        Ok(Self { id: row.get(0)?, commit: row.get(3)?, record })
    }

    fn as_json(&self) -> Result<serde_json::Value, StoreError> {
        let Self { id, commit, record } = self;
        let state = record.state.as_ref().map(serde_json::to_string).transpose()?;
        Ok(json!([id, record.at, commit, state, record.changes_as_json()?, record.is_shared()]))
    }
}

/// The last record of each of these components after `since`.
async fn last_records(
    tx: &mut Tx,
    keys: impl Iterator<Item = &ComponentKey>,
    since: Timestamp,
) -> Result<HashMap<ComponentKey, RecordRow>, StoreError> {
    let keys: Vec<_> = keys.map(|key| json!([key.server.folded(), key.role])).collect();
    let select = sql_with_json_rows(tx, SELECT_SINCE).bind(json!(keys).to_string()).bind(since.0);
    let mut last = HashMap::new();
    for row in select.rows(tx).await? {
        let found = RecordRow::parse(&row)?;
        last.insert(found.record.key.clone(), found);
    }
    Ok(last)
}

/// The ids of components, by server and role.
struct Ids(HashMap<(String, String), i64>);

impl Ids {
    fn of(&self, key: &ComponentKey) -> Result<i64, StoreError> {
        let id = self.0.get(&(key.server.folded(), key.role.as_str().to_owned())).copied();
        id.ok_or(StoreError::UnreadableValue("recorded component"))
    }
}

/// Counts so many more records of each of these components, and returns the components' ids.
async fn count_new(tx: &mut Tx, new: &[(&ComponentKey, usize)]) -> Result<Ids, StoreError> {
    let row = |(key, count): &(&ComponentKey, usize)| {
        json!([key.server.folded(), key.role, key.server.as_str(), count])
    };
    let new: Vec<_> = new.iter().map(row).collect();
    let count = sql_with_json_rows(tx, COUNT_NEW).bind(json!(new).to_string());
    let rows = count.rows(tx).await?;
    let id = |row: &Row| Ok(((row.get(1)?, row.get(2)?), row.get(0)?));
    rows.iter().map(id).collect::<Result<_, StoreError>>().map(Ids)
}

/// What changed for all components.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::store) struct ClusterChange<'a> {
    pub(in crate::store) settings: Option<&'a Settings>,
    pub(in crate::store) references: Option<&'a ReferenceKeys>,
    /// The clock was set back, by this negative span.
    pub(in crate::store) clock_set: Option<Span>,
}

impl ClusterChange<'_> {
    pub(in crate::store) async fn write(
        self,
        tx: &mut Tx,
        at: Timestamp,
        commit: i64,
    ) -> Result<(), StoreError> {
        let write = sql("insert into cluster_history
                 (at, commit_no, settings, reference_keys, clock_set_ms) values ($1, $2, $3, $4, $5)
             on conflict (at, commit_no) do update set
                 settings = coalesce(excluded.settings, cluster_history.settings),
                 reference_keys = coalesce(excluded.reference_keys, cluster_history.reference_keys),
                 clock_set_ms = coalesce(excluded.clock_set_ms, cluster_history.clock_set_ms)");
        let write = write
            .bind(at.0)
            .bind(commit)
            .bind(self.settings.map(serde_json::to_string).transpose()?)
            .bind(self.references.map(serde_json::to_string).transpose()?)
            .bind(self.clock_set.map(|by| by.0));
        write.execute(tx).await.map(drop)
    }
}

/// The shortest web window that was in force since then, if the history says so.
pub(in crate::store) async fn min_web_window_since(
    tx: &mut Tx,
    since: Timestamp,
) -> Result<Option<Span>, StoreError> {
    let select = sql("select settings from cluster_history
         where settings is not null and at >= coalesce(
             (select max(at) from cluster_history where settings is not null and at <= $1), $1)");
    let mut shortest: Option<Span> = None;
    for row in select.bind(since.0).rows(tx).await? {
        let window = row.json::<Settings>(0)?.web_window();
        shortest = Some(shortest.map_or(window, |known| known.min(window)));
    }
    Ok(shortest)
}
