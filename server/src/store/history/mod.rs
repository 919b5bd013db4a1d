//! How is the history written, imported, deleted and read? What is in a record is decided in `app::cluster::history`.

mod current;
mod earlier;
mod import;
mod prune;
mod read;
mod write;

use app::cluster::history::{ComponentRecord, RecordedState};
use app::cluster::{ComponentKey, Role, ServerName, Span, Timestamp};

pub use self::import::ImportedPast;
pub use self::read::HistoryQuery;
pub(super) use self::write::{ClusterChange, NewRecords, min_web_window_since};
use crate::store::StoreError;
use crate::store::packed::Columns;
use crate::store::statement::sql;
use crate::store::tx::Tx;

/// The default of `--keep-history`.
pub const KEEP_HISTORY: Span = Span::minutes(400 * 24 * 60);
/// The time that one record covers.
const RECORD_SPAN: Span = Span::minutes(1);
/// More rows than this are not moved by one statement, because PostgreSQL must answer within a few seconds.
const MAX_ROWS_PER_SHIFT: i64 = 20_000;

/// Reads a record of this component from the columns time, state and changes, which begin at `first`.
fn record(
    key: ComponentKey,
    row: &impl Columns,
    first: usize,
) -> Result<ComponentRecord, StoreError> {
    let at = row.number(first)?.ok_or(StoreError::UnreadableValue("record's time"))?;
    let state: Option<RecordedState> =
        row.text(first + 1)?.map(serde_json::from_str).transpose()?;
    let changes = row.text(first + 2)?.unwrap_or_default();
    Ok(ComponentRecord::from_json(key, Timestamp(at), state, changes)?)
}

/// Reads a component's key from a row that begins with id, name and role.
fn key(row: &impl Columns) -> Result<ComponentKey, StoreError> {
    let server = ServerName::parse(row.text(1)?.unwrap_or_default());
    let server = server.map_err(|_| StoreError::UnreadableValue("server's name"))?;
    let role = row.text(2)?.and_then(Role::parse).ok_or(StoreError::UnreadableValue("role"))?;
    Ok(ComponentKey { server, role })
}

/// Moves all times of the history by `by`, after the clock was set back.
pub(super) async fn shift(tx: &mut Tx, by: Span) -> Result<(), StoreError> {
    for shift in [
        "update recorded_components set complete_since = complete_since + $1",
        // Negated until all are moved, because a new time could equal the old one of another row.
        "update cluster_history set at = -(at + $1)",
    ] {
        sql(shift).bind(by.0).execute(tx).await?;
    }
    sql("update cluster_history set at = -at").execute(tx).await?;
    let components = sql("select id, record_count from recorded_components order by id");
    let mut rows = 0;
    let mut first = 0;
    let mut last = 0;
    for row in components.rows(tx).await? {
        last = row.get(0)?;
        rows += row.get::<i64>(1)?;
        if rows >= MAX_ROWS_PER_SHIFT {
            shift_components(tx, by, [first, last]).await?;
            (rows, first) = (0, last + 1);
        }
    }
    shift_components(tx, by, [first, last]).await
}

async fn shift_components(
    tx: &mut Tx,
    by: Span,
    [first, last]: [i64; 2],
) -> Result<(), StoreError> {
    let shift = sql("update component_history set at = at + $1 where component between $2 and $3");
    shift.bind(by.0).bind(first).bind(last).execute(tx).await.map(drop)
}
