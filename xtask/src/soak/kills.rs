//! After each of many `kill -9` under load, is every acknowledged heartbeat still there?

use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use testkit::{Overview, Senders, find_lost_heartbeat};

use super::{PartReport, Plan, Target, random_duration_up_to, wait_for_accepted_heartbeat};

/// Servers that send the next heartbeat as soon as the last one is answered.
const SENDERS: usize = 8;
const MAX_TIME_BETWEEN_KILLS: Duration = Duration::from_millis(500);

pub(super) fn run(overview: &mut Overview, _: &mut Target, plan: &Plan) -> Result<PartReport> {
    let servers = (0..SENDERS).map(|number| format!("killed-{number}"));
    let senders = Senders::start(&overview.url("/api/v1/heartbeats"), servers, Duration::ZERO, 1);
    for kill in 1..=plan.kills {
        thread::sleep(random_duration_up_to(MAX_TIME_BETWEEN_KILLS));
        overview.kill_and_restart();
        check_nothing_is_lost(overview, &senders)
            .map_err(|error| error.context(format!("after kill {kill}")))?;
        wait_for_accepted_heartbeat(overview, &format!("kill {kill}"))?;
    }
    let count = senders.count();
    ensure!(count > 0, "no heartbeat was acknowledged between the kills");
    Ok(format!("{} kills, {count} acknowledged heartbeats, none lost", plan.kills).into())
}

/// Fails if an acknowledged heartbeat is missing in the picture.
pub(super) fn check_nothing_is_lost(overview: &Overview, senders: &Senders) -> Result<()> {
    // In this order: what is acknowledged after the picture was read may be missing in it.
    let acknowledged = senders.acknowledged();
    find_lost_heartbeat(&acknowledged, &overview.picture())
        .map_or(Ok(()), |lost| Err(anyhow!(lost)))
}
