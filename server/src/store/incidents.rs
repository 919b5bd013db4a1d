//! How are incidents read and written? They are in the database so that a restart, or another web server that goes on, neither
//! repeats nor forgets one.

use std::sync::Arc;

use app::cluster::incident::MAX_REST;
use app::cluster::{
    Acknowledgement, Hint, HintId, Incident, IncidentChange, IncidentId, Role, ServerName,
    Severity, Timestamp,
};
use serde_json::json;

use crate::auth::audit::AuditEntry;
use crate::store::audit::like_pattern;
use crate::store::statement::{Row, Statement, sql, sql_with_json_rows, with_json_rows};
use crate::store::task::run_to_end;
use crate::store::tx::Tx;
use crate::store::{Commit, Store, StoreError};

/// The columns of an incident, in the order of [`parse`].
macro_rules! select_incidents {
    ($where:literal) => {
        concat!(
            "select id, hint, severity, worst, server, role, began_at, turned_at, ended_at, turns,
                 replaced_by, acknowledged_by, acknowledged_at, acknowledgement, advice, advised_at
             from incidents ",
            $where
        )
    };
}

const SELECT_BY_IDS: [&str; 2] = with_json_rows!(
    "select id, hint, severity, worst, server, role, began_at, turned_at, ended_at, turns,
         replaced_by, acknowledged_by, acknowledged_at, acknowledgement, advice, advised_at
     from incidents where id in (select value ->> 0 from ",
    ") order by id"
);

/// An acknowledgement is not judged: it stays as it is. So does the advice, unless there is another one.
const UPSERT: [&str; 2] = with_json_rows!(
    "insert into incidents (id, hint, severity, worst, server, role, began_at, turned_at, ended_at,
         turns, replaced_by, advice, advised_at, changed_no)
     select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
         cast(value ->> 6 as bigint), cast(value ->> 7 as bigint), cast(value ->> 8 as bigint),
         cast(value ->> 9 as bigint), value ->> 10, value ->> 11,
         cast(value ->> 12 as bigint), $2
     from ",
    " where true
     on conflict (id) do update set
         hint = excluded.hint, severity = excluded.severity, worst = excluded.worst,
         advised_at = excluded.advised_at, turned_at = excluded.turned_at, ended_at = excluded.ended_at, turns = excluded.turns,
         replaced_by = excluded.replaced_by, advice = coalesce(excluded.advice, incidents.advice),
         changed_no = excluded.changed_no"
);

/// Which incidents are wanted.
#[derive(Clone, Debug, Default)]
pub struct IncidentQuery {
    /// Only those that are open, or only those that ended.
    pub open: Option<bool>,
    /// Only those that are, or that were at their worst, so urgent.
    pub severity: Option<Severity>,
    /// Only those about a server whose name contains this text, in upper or lower case.
    pub server: Option<String>,
    /// Only those that began before this one, or at the same moment with a smaller id; none if there is no such incident.
    pub before: Option<IncidentId>,
    pub limit: u32,
}

/// An incident, and what was last advised when it was first due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentRecord {
    pub incident: Incident,
    pub hint: Option<Hint>,
}

impl Store {
    /// Writes what changed about incidents, unless others have changed some meanwhile: `None`.
    pub async fn write_incidents(
        self: &Arc<Self>,
        changed: Vec<IncidentChange>,
    ) -> Result<Option<Commit>, StoreError> {
        let store = Arc::clone(self);
        run_to_end(async move {
            let mut change = store.change().await?;
            if change.has_other_incidents() {
                return change.tx.rollback().await.map(|()| None);
            }
            change.write_incidents(changed).await?;
            store.commit(change).await.map(Some)
        })
        .await
    }

    /// Writes that somebody takes care of an open incident, or with `None` that nobody does any more. Returns the incident as it
    /// is then; `None` if it is not open.
    pub async fn acknowledge_incident(
        self: &Arc<Self>,
        id: &IncidentId,
        by: Option<(String, String)>,
        entry: &AuditEntry,
    ) -> Result<Option<(Arc<Incident>, Commit)>, StoreError> {
        let (store, id, entry) = (Arc::clone(self), id.clone(), entry.clone());
        run_to_end(async move {
            let mut change = store.change().await?;
            let known = by_id(&mut change.tx, &id).await?.map(|known| known.incident);
            let Some(known) = known.filter(Incident::is_open) else {
                return change.tx.rollback().await.map(|()| None);
            };
            let at = change.at;
            let acknowledged = by.map(|(by, note)| Acknowledgement { by, at, note });
            let commit = change.commit_no();
            acknowledge(&mut change.tx, &id, acknowledged.as_ref(), commit).await?;
            let next = Arc::new(Incident { acknowledged, ..known });
            change.pending.incidents = vec![Arc::clone(&next)];
            change.record(&entry).await?;
            let commit = store.commit(change).await?;
            Ok(Some((next, commit)))
        })
        .await
    }

    /// Incidents, the latest first.
    pub async fn incidents(
        self: &Arc<Self>,
        query: &IncidentQuery,
    ) -> Result<Vec<IncidentRecord>, StoreError> {
        let query = query.clone();
        self.read(move |tx| Box::pin(async move { find(tx, &query).await })).await
    }

    pub async fn incident(
        self: &Arc<Self>,
        id: &IncidentId,
    ) -> Result<Option<IncidentRecord>, StoreError> {
        let id = id.clone();
        self.read(move |tx| Box::pin(async move { by_id(tx, &id).await })).await
    }

    /// These incidents, with what was advised.
    pub async fn incident_records(
        self: &Arc<Self>,
        ids: Vec<IncidentId>,
    ) -> Result<Vec<IncidentRecord>, StoreError> {
        self.read(move |tx| Box::pin(async move { by_ids(tx, &ids).await })).await
    }
}

/// The incidents that are open, and those that may still go on, ordered by id.
pub(super) async fn live(tx: &mut Tx, now: Timestamp) -> Result<Vec<Arc<Incident>>, StoreError> {
    let select = sql(select_incidents!("where ended_at is null or ended_at >= $1"));
    let mut found = shared(select.bind((now - MAX_REST).0), tx).await?;
    found.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(found)
}

pub(super) async fn changed_since(
    tx: &mut Tx,
    commit: i64,
) -> Result<Vec<Arc<Incident>>, StoreError> {
    shared(sql(select_incidents!("where changed_no > $1")).bind(commit), tx).await
}

/// The latest first.
pub(super) async fn find(
    tx: &mut Tx,
    query: &IncidentQuery,
) -> Result<Vec<IncidentRecord>, StoreError> {
    let select = sql(select_incidents!(
        "where ($1 = 'any' or ($1 = 'open') = (ended_at is null))
             and ($2 = '' or case when ended_at is null then severity else worst end = $2)
             and ($3 = '' or lower(server) like $3 escape '\\')
             and ($4 = '' or (began_at, id) < (select began_at, id from incidents where id = $4))
         order by began_at desc, id desc limit $5"
    ));
    let before = query.before.as_ref().map_or("", IncidentId::as_str);
    let state = query.open.map_or("any", |open| if open { "open" } else { "ended" });
    let server = query.server.as_deref().map(like_pattern).unwrap_or_default();
    let select = select.bind(state).bind(query.severity.map_or("", Severity::as_str));
    let select = select.bind(server).bind(before).bind(query.limit);
    select.rows(tx).await?.iter().map(record).collect()
}

pub(super) async fn by_id(
    tx: &mut Tx,
    id: &IncidentId,
) -> Result<Option<IncidentRecord>, StoreError> {
    let select = sql(select_incidents!("where id = $1")).bind(id.as_str());
    select.rows(tx).await?.first().map(record).transpose()
}

pub(super) async fn by_ids(
    tx: &mut Tx,
    ids: &[IncidentId],
) -> Result<Vec<IncidentRecord>, StoreError> {
    let rows: Vec<_> = ids.iter().map(|id| json!([id])).collect();
    let select = sql_with_json_rows(tx, SELECT_BY_IDS).bind(json!(rows).to_string());
    select.rows(tx).await?.iter().map(record).collect()
}

/// Those that are open or may go on, and those whose end the channel has not been told; ordered by id.
pub(super) async fn of_channel(
    tx: &mut Tx,
    channel: &str,
    now: Timestamp,
) -> Result<Vec<Arc<Incident>>, StoreError> {
    let select = sql(select_incidents!(
        "where ended_at is null or ended_at >= $1
             or id in (select incident from told where channel = $2 and not ended)"
    ));
    let select = select.bind((now - MAX_REST).0).bind(channel);
    let mut found = shared(select, tx).await?;
    found.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(found)
}

fn record(row: &Row) -> Result<IncidentRecord, StoreError> {
    // A hint of another version of this program may be unreadable. The incident has its name all the same.
    let hint = row.get::<Option<&str>>(14)?.and_then(|text| Hint::from_kept(text).ok());
    Ok(IncidentRecord { incident: parse(row)?, hint })
}

pub(super) async fn upsert(
    tx: &mut Tx,
    changes: &[IncidentChange],
    commit: i64,
) -> Result<(), StoreError> {
    let row = |IncidentChange { incident, hint }: &IncidentChange| {
        json!([
            incident.id,
            incident.hint.as_str(),
            incident.severity,
            incident.worst,
            incident.server.as_ref().map(ServerName::as_str),
            incident.role,
            incident.began,
            incident.turned,
            incident.ended,
            incident.turns,
            incident.replaced_by.map(HintId::as_str),
            hint.as_ref().map(Hint::keep),
            incident.advised_since,
        ])
    };
    let batch: Vec<_> = changes.iter().map(row).collect();
    let write = sql_with_json_rows(tx, UPSERT).bind(json!(batch).to_string());
    write.bind(commit).execute(tx).await.map(drop)
}

/// Writes that somebody takes care of an incident, or that nobody does any more.
pub(super) async fn acknowledge(
    tx: &mut Tx,
    id: &IncidentId,
    acknowledged: Option<&Acknowledgement>,
    commit: i64,
) -> Result<(), StoreError> {
    let write = sql("update incidents set acknowledged_by = $2, acknowledged_at = $3,
             acknowledgement = $4, changed_no = $5
         where id = $1");
    let write = write
        .bind(id.as_str())
        .bind(acknowledged.map(|by| by.by.as_str()))
        .bind(acknowledged.map(|by| by.at.0))
        .bind(acknowledged.map(|by| by.note.as_str()));
    write.bind(commit).execute(tx).await.map(drop)
}

/// Deletes incidents that ended before this, at most `max`. Returns whether there may be more.
pub(super) async fn delete_expired(
    tx: &mut Tx,
    until: Timestamp,
    max: u32,
) -> Result<bool, StoreError> {
    let delete = sql("delete from incidents where id in
         (select id from incidents where ended_at < $1 limit $2)");
    Ok(delete.bind(until.0).bind(max).execute(tx).await? >= u64::from(max))
}

async fn shared(select: Statement, tx: &mut Tx) -> Result<Vec<Arc<Incident>>, StoreError> {
    select.rows(tx).await?.iter().map(|row| parse(row).map(Arc::new)).collect()
}

fn parse(row: &Row) -> Result<Incident, StoreError> {
    let unreadable = StoreError::UnreadableValue;
    let server: Option<&str> = row.get(4)?;
    let role: Option<&str> = row.get(5)?;
    let hint = |place| -> Result<Option<HintId>, StoreError> {
        let name: Option<&str> = row.get(place)?;
        name.map(|name| HintId::parse(name).ok_or(unreadable("hint"))).transpose()
    };
    let severity = |place| Severity::parse(row.get(place)?).ok_or(unreadable("severity"));
    let acknowledged = match row.get::<Option<String>>(11)? {
        Some(by) => Some(Acknowledgement {
            by,
            at: Timestamp(row.get(12)?),
            note: row.get::<Option<String>>(13)?.unwrap_or_default(),
        }),
        None => None,
    };
    Ok(Incident {
        id: IncidentId::parse(row.get(0)?).ok_or(unreadable("incident's id"))?,
        hint: hint(1)?.ok_or(unreadable("hint"))?,
        severity: severity(2)?,
        advised_since: Timestamp(row.get(15)?),
        worst: severity(3)?,
        server: server
            .map(ServerName::parse)
            .transpose()
            .map_err(|_| unreadable("server's name"))?,
        role: role.map(|role| Role::parse(role).ok_or(unreadable("role"))).transpose()?,
        began: Timestamp(row.get(6)?),
        turned: Timestamp(row.get(7)?),
        ended: row.get::<Option<i64>>(8)?.map(Timestamp),
        turns: u32::try_from(row.get::<i64>(9)?).map_err(|_| unreadable("number of turns"))?,
        replaced_by: hint(10)?,
        acknowledged,
    })
}
