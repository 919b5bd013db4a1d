//! What interrupted a component before the records that are read? Its row keeps the last starts and gaps, however old they
//! are, so those of a past moment can be older than a day too.

use std::collections::HashSet;

use app::cluster::history::{ComponentHistory, ComponentRecord, RecordedState, Silence};
use app::cluster::interruptions::MAX_INTERRUPTIONS;
use app::cluster::{ComponentKey, Gap, Span, Start, Timestamp};
use serde_json::json;

use crate::store::StoreError;
use crate::store::history::RECORD_SPAN;
use crate::store::history::read::{ById, packed_record, records};
use crate::store::packed::Packed;
use crate::store::statement::sql_with_json_rows;
use crate::store::tx::Tx;

/// The last 25 records before `$4` of each component in `$3`, packed. The primary key finds them.
macro_rules! select_earlier {
    ($ids:literal) => {
        concat!(
            "with given as materialized (select cast(value ->> 0 as bigint) as id from ",
            $ids,
            "), earlier as materialized (
                 select c.id,
                     coalesce((select h.at from component_history h
                               where h.component = c.id and h.at < $4
                               order by h.at desc, h.commit_no desc limit 1 offset 24), -9223372036854775807) as from_at
                 from given c)
             select ",
            packed_record!(),
            " from earlier c join component_history h
                 on h.component = c.id and h.at >= c.from_at and h.at < $4"
        )
    };
}

const SELECT_EARLIER: [&str; 2] = [
    select_earlier!("json_each($3)"),
    select_earlier!("json_array_elements($3::json) as given (value)"),
];

/// Adds the last starts and gaps up to `moment` that are in no record since `since`: those that the component's row still has,
/// and, if it has newer ones instead or is not there any more, those of the last records.
pub(super) async fn add_interruptions(
    tx: &mut Tx,
    found: &mut ById,
    since: Timestamp,
    moment: Timestamp,
) -> Result<(), StoreError> {
    let incomplete = found.iter().filter(|(_, (_, history))| lacks_records(history, since, moment));
    let ids: Vec<_> = incomplete.map(|(id, _)| json!([id])).collect();
    if !ids.is_empty() {
        let select = sql_with_json_rows(tx, SELECT_EARLIER).bind(json!(ids).to_string());
        let packed = Packed::read(select.bind(since.0), tx).await?;
        for (id, earlier) in records(found, packed.rows())? {
            if let Some((_, history)) = found.get_mut(&id) {
                // The last record with a state was read before.
                history.records.retain(|record| !earlier.contains(record));
                history.records.splice(0..0, earlier);
            }
        }
    }
    for (key, history) in found.values_mut() {
        add_from_row(key, history, since, moment);
        history.records.sort_by_key(|record| record.at);
    }
    Ok(())
}

/// Whether its row does not say what interrupted it before `since`.
fn lacks_records(history: &ComponentHistory, since: Timestamp, moment: Timestamp) -> bool {
    let states = history.records.iter().filter(|record| record.at < since);
    let last_state = states.filter_map(|record| record.state.as_ref()).next_back();
    if !matches!(last_state, Some(RecordedState::Present { .. })) {
        return false;
    }
    let Some(row) = history.current.as_ref().filter(|row| row.first_seen <= moment) else {
        return true;
    };
    let read = history.records.iter().filter(|record| record.at <= moment);
    let (starts, silences) = read.fold((0, 0), |(starts, silences), record| {
        (starts + record.starts.len(), silences + record.silences.len())
    });
    // A full row has lost one for each that came after the moment.
    let is_replaced = |count: usize, last: Option<Timestamp>| {
        count >= MAX_INTERRUPTIONS && last.is_some_and(|last| last > moment)
    };
    let row = &row.interruptions;
    let has_lost_starts = is_replaced(row.starts.len(), row.starts.last().map(|start| start.at));
    let has_lost_gaps = is_replaced(row.gaps.len(), row.gaps.last().map(|gap| gap.end));
    has_lost_starts && starts < MAX_INTERRUPTIONS || has_lost_gaps && silences < MAX_INTERRUPTIONS
}

/// Adds what the component's row says of the time before `since`, as records.
fn add_from_row(
    key: &ComponentKey,
    history: &mut ComponentHistory,
    since: Timestamp,
    moment: Timestamp,
) {
    let Some(row) = history.current.as_ref().filter(|row| row.first_seen <= moment) else {
        return;
    };
    // What is in a record is at most so much later than the record.
    let until = moment.min(since + RECORD_SPAN);
    let records = &history.records;
    let starts: HashSet<Timestamp> =
        records.iter().flat_map(|record| record.starts.iter().map(|start| start.at)).collect();
    let silences: HashSet<Timestamp> =
        records.iter().flat_map(|record| record.silences.iter().map(|one| one.end)).collect();
    let is_new = |known: &HashSet<Timestamp>, at| at <= until && !known.contains(&at);
    let of_starts = row.interruptions.starts.iter().filter(|start| is_new(&starts, start.at));
    let of_gaps = row.interruptions.gaps.iter().filter(|gap| is_new(&silences, gap.end));
    let of_starts = of_starts.map(|start| start_record(key, *start));
    let added: Vec<_> = of_starts.chain(of_gaps.map(|gap| gap_record(key, *gap))).collect();
    history.records.extend(added);
}

fn start_record(key: &ComponentKey, start: Start) -> ComponentRecord {
    ComponentRecord {
        starts: vec![start],
        start_count: 1,
        ..ComponentRecord::empty(key.clone(), start.at)
    }
}

fn gap_record(key: &ComponentKey, gap: Gap) -> ComponentRecord {
    // It was judged when it ended. The row does not keep the interval by which it was.
    let silence = Silence { start: gap.start, end: gap.end, interval: Span::ZERO, stopped: false };
    ComponentRecord { silences: vec![silence], ..ComponentRecord::empty(key.clone(), gap.end) }
}
