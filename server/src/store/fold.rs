//! What does a batch of heartbeats change?

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use app::cluster::receive::{self, Arrival, Stored};
use app::cluster::{BlindPeriod, Component, ComponentKey, Heartbeat, HeartbeatUpdate, Role};

use crate::store::commit::Receipt;
use crate::store::component_row::{self, Upsert};
use crate::store::error::StoreError;
use crate::store::write_tx::WriteTx;
use crate::store::{rejections, rows};

/// Applies a batch to the stored components, in order, and writes those that changed.
pub(super) async fn fold_heartbeats(
    change: &mut WriteTx,
    batch: &[Heartbeat],
) -> Result<Vec<Receipt>, StoreError> {
    let keys: Vec<ComponentKey> = batch.iter().map(Heartbeat::key).collect();
    let mut stored = component_row::stored(&mut change.tx, &keys).await?;
    let blind_periods = blind_periods_of_gaps(change, stored.values()).await?;
    let settings = change.cluster.settings;
    let arrival = Arrival {
        at: change.at,
        settings: &settings,
        blind_periods: &blind_periods,
        ends_probe_failure: false,
    };
    let mut failing_probes = failing_probes(change).await?;
    let mut answered_probes = Vec::new();
    let before = stored.clone();
    let receipts = batch
        .iter()
        .map(|heartbeat| {
            let key = heartbeat.key();
            let ends_probe_failure = !heartbeat.leaving && failing_probes.contains(&key);
            let known = stored.get(&key);
            match receive::receive(known, heartbeat, &Arrival { ends_probe_failure, ..arrival }) {
                Some(next) => {
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
    Ok(receipts)
}

/// The components whose probes fail. Asks the database only if there may be some.
async fn failing_probes(change: &mut WriteTx) -> Result<BTreeSet<ComponentKey>, StoreError> {
    if change.at < change.cluster.probes_fail_until {
        rejections::failing_probes(&mut change.tx, change.at).await
    } else {
        Ok(BTreeSet::new())
    }
}

/// The blind periods, if one of these components was silent for so long that they matter.
async fn blind_periods_of_gaps(
    change: &mut WriteTx,
    stored: impl Iterator<Item = &Stored>,
) -> Result<Vec<BlindPeriod>, StoreError> {
    let (at, settings) = (change.at, change.cluster.settings);
    let mut components = stored.filter_map(|stored| match stored {
        Stored::Present(component) => Some(component),
        Stored::Removed(_) => None,
    });
    let may_be_gap = |known: &Arc<Component>| {
        let longest = match known.role {
            Role::Service => known.told_interval.times(2),
            Role::Web => known.stale_limit(&settings),
        };
        at - known.last_heartbeat > longest
    };
    if components.any(may_be_gap) {
        rows::blind_periods(&mut change.tx).await
    } else {
        Ok(Vec::new())
    }
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
