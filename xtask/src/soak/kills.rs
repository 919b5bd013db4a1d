//! `kill -9` again and again under load: nothing that was acknowledged is missing.

use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use testkit::{Overview, Senders, find_lost_heartbeat};

use super::{Held, Plan, Target, random_up_to, takes_heartbeats};

/// Servers that beat as fast as they are answered.
const SENDERS: usize = 8;
/// How long it runs between two kills, at most.
const LIFETIME: Duration = Duration::from_millis(500);

pub(super) fn run(overview: &mut Overview, _: &mut Target, plan: &Plan) -> Result<Held> {
    let servers = (0..SENDERS).map(|number| format!("killed-{number}"));
    let senders = Senders::start(&overview.url("/api/v1/heartbeats"), servers, Duration::ZERO, 1);
    for kill in 1..=plan.kills {
        thread::sleep(random_up_to(LIFETIME));
        overview.kill_and_restart();
        has_everything(overview, &senders)
            .map_err(|error| error.context(format!("after kill {kill}")))?;
        takes_heartbeats(overview, &format!("kill {kill}"))?;
    }
    let count = senders.count();
    ensure!(count > 0, "no heartbeat was acknowledged between the kills");
    Ok(format!("{} kills, {count} acknowledged heartbeats, none is missing", plan.kills).into())
}

/// The picture has all that has been acknowledged so far.
pub(super) fn has_everything(overview: &Overview, senders: &Senders) -> Result<()> {
    // What was acknowledged before this look must be in what is seen by it.
    let acknowledged = senders.acknowledged();
    find_lost_heartbeat(&acknowledged, &overview.picture())
        .map_or(Ok(()), |lost| Err(anyhow!(lost)))
}
