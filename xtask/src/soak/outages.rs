//! The database is taken away and given back: senders are told to come back meanwhile, and afterwards
//! heartbeats are taken again and none is missing.

use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow};
use testkit::{DEFAULT_TIMEOUT, Overview, Senders, agent, send_heartbeat, try_until_ok};

use super::kills::has_everything;
use super::{Held, Plan, SURVIVOR, Target, next_sequence, takes_heartbeats};

/// Servers that go on beating.
const SENDERS: usize = 8;
/// How long each waits after an answer.
const SENDERS_PAUSE: Duration = Duration::from_millis(20);

pub(super) fn run(overview: &mut Overview, target: &mut Target, plan: &Plan) -> Result<Held> {
    let servers = (0..SENDERS).map(|number| format!("deprived-{number}"));
    let senders = Senders::start(&overview.url("/api/v1/heartbeats"), servers, SENDERS_PAUSE, 1);
    for outage in 1..=plan.outages {
        takes_heartbeats(overview, "a database that was given back")?;
        lock_exclusively(overview, target)?;
        is_refused(overview).map_err(|error| error.context(format!("outage {outage}")))?;
        thread::sleep(plan.outage);
        release(overview, target)?;
        takes_heartbeats(overview, &format!("outage {outage}"))?;
        has_everything(overview, &senders)
            .map_err(|error| error.context(format!("after outage {outage}")))?;
    }
    let count = senders.count();
    Ok(format!("{} outages, {count} acknowledged heartbeats, none is missing", plan.outages).into())
}

fn lock_exclusively(overview: &Overview, target: &mut Target) -> Result<()> {
    match target {
        Target::File => std::fs::rename(overview.database(), elsewhere(overview))?,
        Target::Server(postgres) => postgres.stop(),
    }
    Ok(())
}

fn release(overview: &Overview, target: &mut Target) -> Result<()> {
    match target {
        Target::File => std::fs::rename(elsewhere(overview), overview.database())?,
        Target::Server(postgres) => postgres.start_again(&[]),
    }
    Ok(())
}

fn elsewhere(overview: &Overview) -> std::path::PathBuf {
    overview.folder.join("elsewhere")
}

/// A heartbeat without a database is answered 503, and never 200 once it is.
fn is_refused(overview: &Overview) -> Result<()> {
    let url = overview.url("/api/v1/heartbeats");
    let refused =
        try_until_ok("a heartbeat without a database to be refused", DEFAULT_TIMEOUT, || {
            match send_heartbeat(&agent(), &url, SURVIVOR, next_sequence()) {
                Some((503, _)) => Ok(()),
                told => Err(format!("{told:?}")),
            }
        });
    refused.map_err(|error| anyhow!(error))
}
