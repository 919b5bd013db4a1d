//! How are rejected heartbeats and failing probes read and written? They are in the database so that every web server
//! shows the same.

use std::collections::BTreeSet;
use std::net::IpAddr;

use app::cluster::reject::{MAX_REJECTED, MAX_UNREPORTED};
use app::cluster::{ComponentKey, RejectedHeartbeat, Role, ServerName, Timestamp};
use serde_json::json;

use crate::store::StoreError;
use crate::store::statement::{Row, sql};
use crate::store::tx::{Connection, Tx};
use crate::store::{postgres, sqlite};

/// Of rejections; `$rows` selects the elements of the JSON array `$1` as `value`.
macro_rules! upsert_rejections {
    ($rows:literal) => {
        concat!(
            "insert into rejections (server_key, probed, server, reason, address, since_at, until_at)
             select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4,
                 cast(value ->> 5 as bigint), cast(value ->> 6 as bigint)
             from ", $rows, " where true
             on conflict (server_key, probed) do update set
                 server = excluded.server, reason = excluded.reason, address = excluded.address,
                 since_at = excluded.since_at, until_at = excluded.until_at"
        )
    };
}
pub(super) use upsert_rejections;

/// Of rejections: `$probed` selects pairs of server and role from `$1`, `$servers` servers from `$2`.
macro_rules! delete_rejections {
    ($probed:literal, $servers:literal) => {
        concat!(
            "delete from rejections where (server_key, probed) in (",
            $probed,
            ")
             or server_key in (",
            $servers,
            ")"
        )
    };
}
pub(super) use delete_rejections;

/// In the order of a snapshot.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<RejectedHeartbeat>, StoreError> {
    let select = sql("select server, reason, address, since_at, until_at from rejections");
    let rows = select.rows(tx).await?;
    let mut all = rows.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    all.sort_by(|one, other| one.key().cmp(&other.key()));
    Ok(all)
}

fn parse(row: &Row) -> Result<RejectedHeartbeat, StoreError> {
    let address = row.get::<Option<&str>>(2)?;
    let address = address.map(str::parse::<IpAddr>).transpose();
    Ok(RejectedHeartbeat {
        server: server_name(row, 0)?,
        why: row.json(1)?,
        from: address.map_err(|_| StoreError::UnreadableValue("address"))?.map(Into::into),
        since: Timestamp(row.get(3)?),
        until: Timestamp(row.get(4)?),
    })
}

fn server_name(row: &Row, place: usize) -> Result<ServerName, StoreError> {
    let name: &str = row.get(place)?;
    ServerName::parse(name).map_err(|_| StoreError::UnreadableValue("server's name"))
}

/// Writes these runs in place of the ones before them, and deletes those that are over at `now`. Beyond the limits the
/// oldest stay.
pub(super) async fn write(
    tx: &mut Tx,
    runs: &[RejectedHeartbeat],
    now: Timestamp,
) -> Result<(), StoreError> {
    let text = match tx.connection() {
        Connection::Sqlite(_) => sqlite::rows::UPSERT_REJECTIONS,
        Connection::Postgres(_) => postgres::rows::UPSERT_REJECTIONS,
    };
    let row = |run: &RejectedHeartbeat| {
        json!([
            run.server.folded(),
            run.why.probed().map_or("", Role::as_str),
            run.server.as_str(),
            json!(run.why).to_string(),
            run.from.as_ref().map(ToString::to_string),
            run.since,
            run.until,
        ])
    };
    let batch: Vec<_> = runs.iter().map(row).collect();
    sql(text).bind(json!(batch).to_string()).execute(tx).await?;
    sql("delete from rejections where until_at <= $1").bind(now.0).execute(tx).await?;
    for (newest, max) in [
        // Without an upper limit SQLite allows no offset.
        (
            "delete from rejections where (server_key, probed) in
                 (select server_key, probed from rejections r
                  where not exists (select 1 from components c
                                    where c.server_key = r.server_key and c.removed_at is null)
                  order by since_at, server_key, probed limit 1000000 offset $1)",
            MAX_UNREPORTED,
        ),
        (
            "delete from rejections where (server_key, probed) in
                 (select server_key, probed from rejections
                  order by since_at, server_key, probed limit 1000000 offset $1)",
            MAX_REJECTED,
        ),
    ] {
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        sql(newest).bind(max).execute(tx).await?;
    }
    note_last_probe_failure(tx).await
}

/// The components whose probes fail at `now`.
pub(super) async fn failing_probes(
    tx: &mut Tx,
    now: Timestamp,
) -> Result<BTreeSet<ComponentKey>, StoreError> {
    let select = sql("select server, probed from rejections where probed <> '' and until_at > $1");
    let key = |row: &Row| {
        let role = Role::parse(row.get(1)?).ok_or(StoreError::UnreadableValue("role"))?;
        Ok(ComponentKey { server: server_name(row, 0)?, role })
    };
    select.bind(now.0).rows(tx).await?.iter().map(key).collect()
}

/// Deletes the failing probes of these components, and everything about these servers. Returns whether there was any.
pub(super) async fn delete(
    tx: &mut Tx,
    probed: &[ComponentKey],
    servers: &[ServerName],
) -> Result<bool, StoreError> {
    let text = match tx.connection() {
        Connection::Sqlite(_) => sqlite::rows::DELETE_REJECTIONS,
        Connection::Postgres(_) => postgres::rows::DELETE_REJECTIONS,
    };
    let probed: Vec<_> = probed.iter().map(|key| json!([key.server.folded(), key.role])).collect();
    let servers: Vec<String> = servers.iter().map(ServerName::folded).collect();
    let delete = sql(text).bind(json!(probed).to_string()).bind(json!(servers).to_string());
    let found = delete.execute(tx).await? > 0;
    if found {
        note_last_probe_failure(tx).await?;
    }
    Ok(found)
}

/// Notes in the cluster's row until when a heartbeat may end a probe's failure, so that others need not ask.
async fn note_last_probe_failure(tx: &mut Tx) -> Result<(), StoreError> {
    let note = sql("update cluster set probes_fail_until =
             (select coalesce(max(until_at), 0) from rejections where probed <> '')");
    note.execute(tx).await.map(drop)
}
