//! What does the row of a component say that its past needs? Far less than the row has.

use app::cluster::history::Current;
use app::cluster::{Span, Timestamp};

use crate::store::StoreError;
use crate::store::packed::{Columns as _, Packed, PackedRow};
use crate::store::statement::sql_with_json_rows;
use crate::store::tx::Tx;

/// Of each component in `$3` that is not removed what the past needs of its row. `$4`: also its last starts and gaps.
///
/// A left join, because a component without its last heartbeat is damage and must not be skipped.
macro_rules! select_current {
    ($ids:literal) => {
        concat!(
            "with given as materialized (select cast(value ->> 0 as bigint) as id from ",
            $ids,
            ")
             select string_agg(r.id || $1 || c.first_seen || $1
                 || coalesce(cast(h.received_at as text), '') || $1
                 || coalesce(cast(h.interval_ms as text), '') || $1 || c.stopped || $1
                 || coalesce(cast(c.came_back_at as text), '') || $1
                 || case when $4 then cast(c.interruptions as text) else '' end, $2)
             from given
             join recorded_components r on r.id = given.id
             join components c on c.server_key = r.server_key and c.role = r.role
             left join last_heartbeats h on h.server_key = c.server_key and h.role = c.role
             where c.removed_at is null"
        )
    };
}

const SELECT_CURRENT: [&str; 2] = [
    select_current!("json_each($3)"),
    select_current!("json_array_elements($3::json) as given (value)"),
];

/// Reads it of each of these components that is not removed. `ids`: a JSON array of arrays of one id.
pub(super) async fn read(
    tx: &mut Tx,
    ids: &str,
    with_interruptions: bool,
) -> Result<Packed, StoreError> {
    let select = sql_with_json_rows(tx, SELECT_CURRENT).bind(ids).bind(with_interruptions);
    Packed::read(select, tx).await
}

/// The id of each component in the table of records, and what its row says.
pub(super) fn parse(rows: &Packed) -> impl Iterator<Item = Result<(i64, Current), StoreError>> {
    rows.rows().map(|row| parse_row(&row))
}

fn parse_row(row: &PackedRow<'_, 7>) -> Result<(i64, Current), StoreError> {
    let number = |place| {
        row.number(place)?
            .ok_or(StoreError::UnreadableValue("component without its last heartbeat"))
    };
    let current = Current {
        first_seen: Timestamp(number(1)?),
        last_heartbeat: Timestamp(number(2)?),
        told_interval: Span(number(3)?),
        stopped: row.flag(4)?,
        came_back: row.number(5)?.map(Timestamp),
        interruptions: row.text(6)?.map(serde_json::from_str).transpose()?.unwrap_or_default(),
    };
    Ok((number(0)?, current))
}
