//! When the database disappears and returns, are heartbeats rejected in between, accepted again after, and is none
//! lost?

use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use testkit::{DEFAULT_TIMEOUT, Overview, Senders, agent, send_heartbeat, try_until_ok};

use super::kills::check_nothing_is_lost;
use super::{PROBE_SERVER, PartReport, Plan, Target, next_sequence, wait_for_accepted_heartbeat};

const SENDERS: usize = 8;
const SENDERS_PAUSE: Duration = Duration::from_millis(20);

pub(super) fn run(overview: &mut Overview, target: &mut Target, plan: &Plan) -> Result<PartReport> {
    let servers = (0..SENDERS).map(|number| format!("deprived-{number}"));
    let senders = Senders::start(&overview.url("/api/v1/heartbeats"), servers, SENDERS_PAUSE, 1);
    for outage in 1..=plan.outages {
        wait_for_accepted_heartbeat(overview, "the last outage")?;
        take_database_away(overview, target)?;
        expect_503(overview).map_err(|error| error.context(format!("outage {outage}")))?;
        thread::sleep(plan.outage);
        give_database_back(overview, target)?;
        wait_for_accepted_heartbeat(overview, &format!("outage {outage}"))?;
        check_nothing_is_lost(overview, &senders)
            .map_err(|error| error.context(format!("after outage {outage}")))?;
    }
    let count = senders.count();
    Ok(format!("{} outages, {count} acknowledged heartbeats, none lost", plan.outages).into())
}

fn take_database_away(overview: &Overview, target: &mut Target) -> Result<()> {
    match target {
        Target::File => std::fs::rename(overview.database(), moved_file(overview))?,
        Target::Server(postgres) => postgres.stop(),
    }
    Ok(())
}

fn give_database_back(overview: &Overview, target: &mut Target) -> Result<()> {
    match target {
        Target::File => std::fs::rename(moved_file(overview), overview.database())?,
        Target::Server(postgres) => postgres.start_again(&[]),
    }
    Ok(())
}

fn moved_file(overview: &Overview) -> std::path::PathBuf {
    overview.folder.join("elsewhere")
}

/// Waits until a heartbeat is answered 503.
fn expect_503(overview: &Overview) -> Result<()> {
    let url = overview.url("/api/v1/heartbeats");
    let rejected =
        try_until_ok("a heartbeat without a database to be answered 503", DEFAULT_TIMEOUT, || {
            match send_heartbeat(&agent(), &url, PROBE_SERVER, next_sequence()) {
                Some((503, _)) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
    rejected.map_err(|error| anyhow!(error))
}
