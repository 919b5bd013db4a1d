//! What does the history say of a span of time? It is read within one transaction.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use app::cluster::history::{ClusterHistory, ComponentHistory};
use app::cluster::receive::Stored;
use app::cluster::{Component, ComponentKey, Role, ServerName, Span, Timestamp};
use serde_json::json;

use crate::store::history::earlier;
use crate::store::statement::{Row, sql, sql_with_json_rows, with_json_rows};
use crate::store::tx::Tx;
use crate::store::{Store, StoreError, component_row, rows};

/// The records of this span before a moment say how stable a component was at it.
const STABILITY_SPAN: Span = Span::minutes(24 * 60);

/// Of all components if `$1` is null, else of these servers.
const SELECT_COMPONENTS: [&str; 2] = with_json_rows!(
    "select id, server, role, complete_since from recorded_components
     where $1 is null or server_key in (select value ->> 0 from ",
    ")"
);

/// The last record with a state before `$2`, of each component. `$history` is the table of records as `h`.
macro_rules! select_states {
    ($history:literal, $servers:literal) => {
        concat!(
            "with last_states as materialized (
                 select c.id,
                     (select h.at from ",
            $history,
            "
                      where h.component = c.id and h.at < $2 and h.state is not null
                      order by h.at desc limit 1) as at
                 from recorded_components c
                 where $1 is null or c.server_key in (select value ->> 0 from ",
            $servers,
            "))
             select c.id, h.at, h.state, h.changes
             from last_states c join component_history h on h.component = c.id and h.at = c.at
             where h.state is not null
             order by c.id, h.commit_no"
        )
    };
}

/// SQLite would not choose the index of states by itself.
const SELECT_STATES: [&str; 2] = [
    select_states!("component_history h indexed by component_states", "json_each($1)"),
    select_states!("component_history h", "json_array_elements($1::json) as given (value)"),
];

/// The records from `$2` until `$3`, and the next two, of each component.
const SELECT_SPAN: [&str; 2] = with_json_rows!(
    "with spans as materialized (
         select c.id,
             coalesce((select h.at from component_history h
                       where h.component = c.id and h.at > $3
                       order by h.at, h.commit_no limit 1 offset 1), 9223372036854775807) as until_at
         from recorded_components c
         where $1 is null or c.server_key in (select value ->> 0 from ",
    "))
     select c.id, h.at, h.state, h.changes
     from spans c join component_history h
         on h.component = c.id and h.at >= $2 and h.at <= c.until_at
     order by c.id, h.at, h.commit_no"
);

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
        self.read(move |tx| Box::pin(async move { history(tx, &query).await })).await
    }
}

async fn history(tx: &mut Tx, query: &HistoryQuery) -> Result<ClusterHistory, StoreError> {
    let cluster = rows::cluster_row(tx, None).await?;
    let begins = cluster.history_begins_at;
    let since = query.from - STABILITY_SPAN;
    let mut found = ClusterHistory {
        begins,
        settings: Vec::new(),
        references: Vec::new(),
        clock_steps: Vec::new(),
        blind_periods: rows::blind_periods(tx, Timestamp(i64::MIN)).await?,
        components: BTreeMap::new(),
    };
    add_cluster_changes(&mut found, tx, since, query).await?;
    found.components = components(tx, query, since, begins).await?;
    Ok(found)
}

async fn add_cluster_changes(
    found: &mut ClusterHistory,
    tx: &mut Tx,
    since: Timestamp,
    query: &HistoryQuery,
) -> Result<(), StoreError> {
    let select = sql("select at, settings, reference_keys, clock_set_ms from cluster_history
         where at <= $1 order by at, commit_no");
    for row in select.bind(query.until.0).rows(tx).await? {
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

async fn components(
    tx: &mut Tx,
    query: &HistoryQuery,
    since: Timestamp,
    begins: Timestamp,
) -> Result<BTreeMap<ComponentKey, ComponentHistory>, StoreError> {
    let servers = query.servers.as_ref().map(|servers| {
        let names = servers.iter().map(|server| json!([server.folded()]));
        json!(names.collect::<Vec<_>>()).to_string()
    });
    let mut found = ById::new();
    for row in sql_with_json_rows(tx, SELECT_COMPONENTS).bind(servers.clone()).rows(tx).await? {
        let complete_since = row.get::<Option<i64>>(3)?.map(Timestamp);
        let component = ComponentHistory {
            complete_since: complete_since.filter(|since| *since > begins),
            ..ComponentHistory::default()
        };
        found.insert(row.get::<i64>(0)?, (super::key(&row)?, component));
    }
    let states = sql_with_json_rows(tx, SELECT_STATES).bind(servers.clone()).bind(since.0);
    add_records(&mut found, &states.rows(tx).await?)?;
    let span = sql_with_json_rows(tx, SELECT_SPAN).bind(servers).bind(since.0);
    add_records(&mut found, &span.bind(query.until.0).rows(tx).await?)?;
    let current = current(tx, query.servers.as_deref()).await?;
    let mut current: HashMap<ComponentKey, Arc<Component>> =
        current.into_iter().map(|component| (component.key(), component)).collect();
    for (key, component) in found.values_mut() {
        component.current = current.remove(key);
    }
    if query.is_moment() {
        earlier::add_interruptions(tx, &mut found, since, query.until).await?;
    }
    Ok(found.into_values().collect())
}

fn add_records(found: &mut ById, rows: &[Row]) -> Result<(), StoreError> {
    for row in rows {
        if let Some((key, component)) = found.get_mut(&row.get::<i64>(0)?) {
            component.records.push(super::record(key.clone(), row, 1)?);
        }
    }
    Ok(())
}

/// The components that are not removed.
async fn current(
    tx: &mut Tx,
    servers: Option<&[ServerName]>,
) -> Result<Vec<Arc<Component>>, StoreError> {
    let Some(servers) = servers else {
        return Ok(component_row::all_components(tx).await?.into_iter().map(Arc::new).collect());
    };
    let of_server = |server: &ServerName| {
        [Role::Web, Role::Service].map(|role| ComponentKey { server: server.clone(), role })
    };
    let keys: Vec<ComponentKey> = servers.iter().flat_map(of_server).collect();
    let stored = component_row::stored(tx, &keys).await?;
    Ok(stored.values().filter_map(Stored::present).cloned().collect())
}
