//! What does a batch of heartbeats change, and what does it, or a removal, add to the history?

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use app::cluster::history::ComponentRecord;
use app::cluster::history::record::PART_OF_WEB_WINDOW;
use app::cluster::receive::{self, Arrival, Stored};
use app::cluster::{BlindPeriod, Component, ComponentKey, Heartbeat, HeartbeatUpdate, Role, Span};

use crate::store::commit::Receipt;
use crate::store::component_row::{self, Upsert};
use crate::store::error::StoreError;
use crate::store::history::{NewRecords, min_web_window_since};
use crate::store::write_tx::WriteTx;
use crate::store::{rejections, rows};

/// Applies a batch to the stored components, in order, and writes those that changed.
pub(super) async fn fold_heartbeats(
    change: &mut WriteTx,
    batch: &[Heartbeat],
) -> Result<Vec<Receipt>, StoreError> {
    let keys: Vec<ComponentKey> = batch.iter().map(Heartbeat::key).collect();
    let mut stored = component_row::stored(&mut change.tx, &keys).await?;
    let Rules { min_web_window, blind_periods } = rules(change, &present(&stored)).await?;
    let settings = change.cluster.settings;
    let arrival = Arrival {
        at: change.at,
        settings: &settings,
        blind_periods: &blind_periods,
        ends_probe_failure: false,
    };
    let mut failing_probes = failing_probes(change).await?;
    let mut answered_probes = Vec::new();
    let mut records = NewRecords::default();
    let before = stored.clone();
    let receipts = batch
        .iter()
        .map(|heartbeat| {
            let key = heartbeat.key();
            let ends_probe_failure = !heartbeat.leaving && failing_probes.contains(&key);
            let known = stored.get(&key);
            match receive::receive(known, heartbeat, &Arrival { ends_probe_failure, ..arrival }) {
                Some(next) => {
                    let known = known.and_then(Stored::present).map(Arc::as_ref);
                    let record =
                        ComponentRecord::of_heartbeat(known, &next, min_web_window, &blind_periods);
                    if let Some(record) = record {
                        records.add(record);
                    }
                    answered_probes.extend(failing_probes.take(&key));
                    stored.insert(next.key(), Stored::Present(Arc::new(next)));
                    Receipt { applied: true, received_at: change.at }
                }
                None => Receipt {
                    applied: false,
                    received_at: known.map_or(change.at, Stored::last_heartbeat),
                },
            }
        })
        .collect();
    if !answered_probes.is_empty() {
        change.end_rejections(&answered_probes, &[]).await?;
    }
    change.write(differences(&before, &stored)).await?;
    change.write_history(records).await?;
    Ok(receipts)
}

/// Adds the removal of these components to the history, before they are removed.
pub(super) async fn record_removal(
    change: &mut WriteTx,
    keys: &[ComponentKey],
) -> Result<(), StoreError> {
    let stored = component_row::stored(&mut change.tx, keys).await?;
    let removed = present(&stored);
    let Rules { min_web_window, blind_periods } = rules(change, &removed).await?;
    let mut records = NewRecords::default();
    for component in removed {
        records.add(ComponentRecord::of_removal(
            component,
            change.at,
            min_web_window,
            &blind_periods,
        ));
    }
    change.write_history(records).await
}

/// Those that are not removed.
fn present(stored: &HashMap<ComponentKey, Stored>) -> Vec<&Component> {
    stored.values().filter_map(Stored::present).map(Arc::as_ref).collect()
}

/// The components whose probes fail. Asks the database only if there may be some.
async fn failing_probes(change: &mut WriteTx) -> Result<BTreeSet<ComponentKey>, StoreError> {
    if change.at < change.cluster.probes_fail_until {
        rejections::failing_probes(&mut change.tx, change.at).await
    } else {
        Ok(BTreeSet::new())
    }
}

/// By what it is judged which silences ended.
struct Rules {
    /// The shortest web window that was in force since the last heartbeat of any of the components.
    min_web_window: Span,
    /// Those that matter for the components.
    blind_periods: Vec<BlindPeriod>,
}

/// Asks the database only if one of these components was silent for so long that it matters.
async fn rules(change: &mut WriteTx, components: &[&Component]) -> Result<Rules, StoreError> {
    let (at, settings) = (change.at, change.cluster.settings);
    let earliest = |is_concerned: &dyn Fn(&Component) -> bool| {
        let concerned = components.iter().filter(|known| is_concerned(known));
        concerned.map(|known| known.last_heartbeat).min()
    };
    let is_silent_since_change = |known: &Component| {
        known.role == Role::Web
            && known.last_heartbeat < change.cluster.settings_changed_at
            && at - known.last_heartbeat > known.told_interval.times(2)
    };
    let mut min_web_window = settings.web_window();
    if let Some(since) = earliest(&is_silent_since_change)
        && let Some(shortest) = min_web_window_since(&mut change.tx, since).await?
    {
        min_web_window = min_web_window.min(shortest);
    }
    let may_be_gap = |known: &Component| {
        let longest = match known.role {
            Role::Service => known.told_interval.times(2),
            Role::Web => {
                let part = Span(min_web_window.0 / PART_OF_WEB_WINDOW);
                known.told_interval.times(2).max(part).min(known.stale_limit(&settings))
            }
        };
        at - known.last_heartbeat > longest
    };
    let blind_periods = match earliest(&may_be_gap) {
        // A gap does not count until some time after a blind period either.
        Some(since) => {
            let grace = components.iter().map(|known| known.late_limit(&settings)).max();
            let since = since - grace.unwrap_or_default();
            rows::blind_periods(&mut change.tx, since).await?
        }
        None => Vec::new(),
    };
    Ok(Rules { min_web_window, blind_periods })
}

/// The components that changed, in the order of their keys.
fn differences(
    before: &HashMap<ComponentKey, Stored>,
    after: &HashMap<ComponentKey, Stored>,
) -> Vec<Upsert> {
    let mut changed: Vec<Upsert> = after
        .iter()
        .filter_map(|(key, stored)| {
            let known = before.get(key);
            let Stored::Present(component) = stored else { return None };
            let facts = match known {
                _ if known == Some(stored) => return None,
                Some(Stored::Present(old)) => !HeartbeatUpdate::is_only_difference(old, component),
                Some(Stored::Removed(_)) | None => true,
            };
            Some(Upsert { component: Arc::clone(component), facts })
        })
        .collect();
    changed.sort_by_key(|write| write.component.key());
    changed
}
