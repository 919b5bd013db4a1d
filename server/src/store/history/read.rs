//! What does the history say of a span of time? It is read within one transaction, a part of the components at a time.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use app::cluster::history::{ClusterHistory, ComponentHistory, ComponentRecord, STABILITY_SPAN};
use app::cluster::{ComponentKey, ServerName, Span, Timestamp};
use serde_json::json;
use tokio::sync::mpsc;

use crate::store::history::{RECORD_SPAN, current, earlier};
use crate::store::packed::{Columns as _, Packed, PackedRow};
use crate::store::statement::{sql, sql_with_json_rows};
use crate::store::task::run_blocking;
use crate::store::tx::Tx;
use crate::store::{Store, StoreError, rows};

/// A part has at most so many components and one server more, so that it is read and judged in far less than the five seconds
/// after which PostgreSQL ends a transaction.
const MAX_COMPONENTS_PER_PART: usize = 250;
/// So many records or those of one server: about 10 MB.
const MAX_RECORDS_PER_PART: i64 = 20_000;

/// Of all components if `$3` is null, else of these servers, packed.
macro_rules! select_components {
    ($servers:literal) => {
        concat!(
            "select string_agg(id || $1 || server || $1 || role || $1
                 || coalesce(cast(complete_since as text), '') || $1 || record_count, $2)
             from recorded_components
             where $3 is null or server_key in (select value ->> 0 from ",
            $servers,
            ")"
        )
    };
}

const SELECT_COMPONENTS: [&str; 2] = [
    select_components!("json_each($3)"),
    select_components!("json_array_elements($3::json) as given (value)"),
];

/// The columns of a record, packed.
macro_rules! packed_record {
    () => {
        "string_agg(h.component || $1 || h.commit_no || $1 || h.at || $1 || coalesce(h.state, '') || $1 || h.changes, $2)"
    };
}

pub(super) use packed_record;

/// The last record with a state before `$4`, of each component in `$3`. `$history` is the table of records as `h`.
macro_rules! select_states {
    ($ids:literal, $history:literal) => {
        concat!(
            "with given as materialized (select cast(value ->> 0 as bigint) as id from ",
            $ids,
            "), last_states as materialized (
                 select c.id,
                     (select h.at from ",
            $history,
            "
                      where h.component = c.id and h.at < $4 and h.state is not null
                      order by h.at desc limit 1) as at
                 from given c)
             select ",
            packed_record!(),
            " from last_states c join component_history h on h.component = c.id and h.at = c.at
             where h.state is not null"
        )
    };
}

/// SQLite would not choose the index of states by itself.
const SELECT_STATES: [&str; 2] = [
    select_states!("json_each($3)", "component_history h indexed by component_states"),
    select_states!("json_array_elements($3::json) as given (value)", "component_history h"),
];

/// The records from `$4` until `$5`, and the next two, of each component in `$3`.
macro_rules! select_span {
    ($ids:literal) => {
        concat!(
            "with given as materialized (select cast(value ->> 0 as bigint) as id from ",
            $ids,
            "), spans as materialized (
                 select c.id,
                     coalesce((select h.at from component_history h
                               where h.component = c.id and h.at > $5
                               order by h.at, h.commit_no limit 1 offset 1), 9223372036854775807) as until_at
                 from given c)
             select ",
            packed_record!(),
            " from spans c join component_history h
                 on h.component = c.id and h.at >= $4 and h.at <= c.until_at"
        )
    };
}

const SELECT_SPAN: [&str; 2] =
    [select_span!("json_each($3)"), select_span!("json_array_elements($3::json) as given (value)")];

/// Which part of the history is read: a span or, if it begins when it ends, a moment.
#[derive(Clone, Debug)]
pub struct HistoryQuery {
    pub from: Timestamp,
    pub until: Timestamp,
    /// Of all servers, if `None`.
    pub servers: Option<Vec<ServerName>>,
}

impl HistoryQuery {
    fn is_moment(&self) -> bool {
        self.from == self.until
    }

    /// The first moment of which records are read.
    fn since(&self) -> Timestamp {
        self.from - STABILITY_SPAN
    }

    /// No component has many more records in the span than one a minute.
    fn max_records(&self) -> i64 {
        (self.until - self.since()).0 / RECORD_SPAN.0
    }
}

/// What is recorded of a component, and its id in the table of records.
pub(super) type ById = HashMap<i64, (ComponentKey, ComponentHistory)>;

impl Store {
    /// What is recorded about a span, so that every moment in it can be judged as it was: the records of a day before it and until
    /// its end, the last one with a state before those, and the next two of each component, because a silence at the end of the
    /// span is in the record of the heartbeat that ended it. Of a moment also the last starts and gaps before those.
    pub async fn history(
        self: &Arc<Self>,
        query: HistoryQuery,
    ) -> Result<ClusterHistory, StoreError> {
        let (parts, mut received) = mpsc::channel::<ClusterHistory>(1);
        let join = async {
            let mut whole = received.recv().await.unwrap_or_default();
            while let Some(part) = received.recv().await {
                whole.components.extend(part.components);
            }
            whole
        };
        let (read, whole) = tokio::join!(self.read_history(query, parts), join);
        read.map(|()| whole)
    }

    /// All servers of which something is recorded.
    pub async fn recorded_servers(self: &Arc<Self>) -> Result<BTreeSet<ServerName>, StoreError> {
        self.read(|tx| Box::pin(async move { servers(tx).await })).await
    }

    /// The same in parts: each is the history of some of the components, in their order, and all are of the same commit. There is
    /// at least one part, and the components of a server are in the same one. Ends early if nobody receives them any more.
    pub(crate) async fn read_history(
        self: &Arc<Self>,
        query: HistoryQuery,
        parts: mpsc::Sender<ClusterHistory>,
    ) -> Result<(), StoreError> {
        self.read(move |tx| Box::pin(async move { read_parts(tx, &query, &parts).await })).await
    }
}

async fn servers(tx: &mut Tx) -> Result<BTreeSet<ServerName>, StoreError> {
    let select = sql("select id, server, role from recorded_components");
    let rows = select.rows(tx).await?;
    rows.iter().map(|row| Ok(super::key(row)?.server)).collect()
}

async fn read_parts(
    tx: &mut Tx,
    query: &HistoryQuery,
    parts: &mpsc::Sender<ClusterHistory>,
) -> Result<(), StoreError> {
    let mut cluster = ClusterHistory {
        begins: rows::cluster_row(tx, None).await?.history_begins_at,
        blind_periods: rows::blind_periods(tx, Timestamp(i64::MIN)).await?,
        ..ClusterHistory::default()
    };
    add_cluster_changes(&mut cluster, tx, query).await?;
    let mut recorded = recorded_components(tx, query, cluster.begins).await?.into_iter().peekable();
    let mut next_rows = async |tx: &mut Tx| {
        let part = next_part(&mut recorded, query.max_records());
        let rows = PartRows::read(tx, query, part).await?;
        Ok::<_, StoreError>((run_blocking(|| rows.parse()), recorded.peek().is_some()))
    };
    let (mut parsed, mut has_more) = next_rows(tx).await?;
    loop {
        // While one part is parsed, the next one is read.
        let next = if has_more { Some(next_rows(tx).await?) } else { None };
        let mut found = parsed.await?;
        if query.is_moment() {
            earlier::add_interruptions(tx, &mut found, query.since(), query.until).await?;
        }
        let components = found.into_values().collect();
        let is_received =
            parts.send(ClusterHistory { components, ..cluster.clone() }).await.is_ok();
        match next.filter(|_| is_received) {
            Some(next) => (parsed, has_more) = next,
            None => return Ok(()),
        }
    }
}

async fn add_cluster_changes(
    found: &mut ClusterHistory,
    tx: &mut Tx,
    query: &HistoryQuery,
) -> Result<(), StoreError> {
    let since = query.since();
    let select = sql("select at, settings, reference_keys, clock_set_ms from cluster_history
         where at <= $1 order by at, commit_no");
    // What happened after a moment belongs to the next event.
    let until = if query.is_moment() { Timestamp::MAX } else { query.until };
    for row in select.bind(until.0).rows(tx).await? {
        let at = Timestamp(row.get(0)?);
        if let Some(settings) = row.get::<Option<&str>>(1)? {
            found.settings.push((at, serde_json::from_str(settings)?));
        }
        if let Some(references) = row.get::<Option<&str>>(2)? {
            found.references.push((at, serde_json::from_str(references)?));
        }
        if let Some(by) = row.get::<Option<i64>>(3)?.filter(|_| at >= since) {
            found.clock_steps.push((at, Span(by)));
        }
    }
    // A gap is judged by the settings of its time.
    if !query.is_moment() {
        keep_from(since, &mut found.settings);
    }
    keep_from(since, &mut found.references);
    Ok(())
}

/// Drops all that was replaced before `since`.
fn keep_from<T>(since: Timestamp, changes: &mut Vec<(Timestamp, T)>) {
    let replaced = changes.partition_point(|(at, _)| *at <= since).saturating_sub(1);
    changes.drain(..replaced);
}

/// A component of which there is history.
struct RecordedComponent {
    id: i64,
    key: ComponentKey,
    complete_since: Option<Timestamp>,
    record_count: i64,
}

/// In the order of their keys.
async fn recorded_components(
    tx: &mut Tx,
    query: &HistoryQuery,
    begins: Timestamp,
) -> Result<Vec<RecordedComponent>, StoreError> {
    let servers = query.servers.as_ref().map(|servers| {
        let names = servers.iter().map(|server| json!([server.folded()]));
        json!(names.collect::<Vec<_>>()).to_string()
    });
    let select = sql_with_json_rows(tx, SELECT_COMPONENTS).bind(servers);
    let parse = |row: PackedRow<'_, 5>| {
        let unreadable = StoreError::UnreadableValue("recorded component");
        let (Some(id), Some(record_count)) = (row.number(0)?, row.number(4)?) else {
            return Err(unreadable);
        };
        let complete_since = row.number(3)?.map(Timestamp).filter(|since| *since > begins);
        Ok(RecordedComponent { id, key: super::key(&row)?, complete_since, record_count })
    };
    let packed = Packed::read(select, tx).await?;
    let mut found = packed.rows().map(parse).collect::<Result<Vec<_>, StoreError>>()?;
    found.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    Ok(found)
}

/// The next components that are read together, each with at most `max_records` records.
fn next_part(
    recorded: &mut std::iter::Peekable<impl Iterator<Item = RecordedComponent>>,
    max_records: i64,
) -> Vec<RecordedComponent> {
    let mut part: Vec<RecordedComponent> = Vec::new();
    let mut records = 0;
    while let Some(next) = recorded.next_if(|next| {
        let is_of_same_server = part.last().is_some_and(|last| last.key.server == next.key.server);
        is_of_same_server || part.len() < MAX_COMPONENTS_PER_PART && records < MAX_RECORDS_PER_PART
    }) {
        records += next.record_count.min(max_records);
        part.push(next);
    }
    part
}

/// What was read of some components, not parsed yet.
struct PartRows {
    part: Vec<RecordedComponent>,
    current: Packed,
    states: Packed,
    span: Packed,
}

impl PartRows {
    async fn read(
        tx: &mut Tx,
        query: &HistoryQuery,
        part: Vec<RecordedComponent>,
    ) -> Result<Self, StoreError> {
        let since = query.since();
        let ids: Vec<_> = part.iter().map(|component| json!([component.id])).collect();
        let ids = json!(ids).to_string();
        let current = current::read(tx, &ids, query.is_moment()).await?;
        let states = sql_with_json_rows(tx, SELECT_STATES).bind(&ids).bind(since.0);
        let states = Packed::read(states, tx).await?;
        let span = sql_with_json_rows(tx, SELECT_SPAN).bind(ids).bind(since.0).bind(query.until.0);
        let span = Packed::read(span, tx).await?;
        Ok(Self { part, current, states, span })
    }

    fn parse(self) -> Result<ById, StoreError> {
        let Self { part, current, states, span } = self;
        let mut found: ById = part
            .into_iter()
            .map(|RecordedComponent { id, key, complete_since, .. }| {
                (id, (key, ComponentHistory { complete_since, ..ComponentHistory::default() }))
            })
            .collect();
        for row in current::parse(&current) {
            let (id, current) = row?;
            if let Some((_, component)) = found.get_mut(&id) {
                component.current = Some(current);
            }
        }
        for (id, records) in records(&found, states.rows().chain(span.rows()))? {
            if let Some((_, component)) = found.get_mut(&id) {
                component.records = records;
            }
        }
        Ok(found)
    }
}

/// The records of each component, in order; the rows come in any order.
pub(super) fn records<'a>(
    found: &ById,
    rows: impl Iterator<Item = PackedRow<'a, 5>>,
) -> Result<Vec<(i64, Vec<ComponentRecord>)>, StoreError> {
    let in_order = |row: PackedRow<'a, 5>| {
        let number = |place| row.number(place)?.ok_or(StoreError::UnreadableValue("record"));
        let (id, commit, at) = (number(0)?, number(1)?, number(2)?);
        Ok(((id, at, commit), row))
    };
    let mut rows = rows.map(in_order).collect::<Result<Vec<_>, StoreError>>()?;
    // Rows are small, and a stable sort is fast if they are nearly in order; records are neither.
    rows.sort_by_key(|(order, _)| *order);
    let of_components = rows.chunk_by(|((one, ..), _), ((other, ..), _)| one == other);
    let parse = |rows: &[((i64, i64, i64), PackedRow<'a, 5>)]| {
        let ((id, ..), _) = rows.first()?;
        let (key, _) = found.get(id)?;
        let records = rows.iter().map(|(_, row)| super::record(key.clone(), row, 2));
        Some(records.collect::<Result<Vec<_>, _>>().map(|records| (*id, records)))
    };
    of_components.filter_map(parse).collect()
}
