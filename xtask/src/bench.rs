//! How fast is the release build? Most figures are compared with a limit or with another figure of the same run.

mod agents;
mod browser;
mod history;
mod idle;
mod intake;
mod large;
mod load;
mod messenger;
mod polls;
mod restarts;
mod trouble;

use anyhow::{Context as _, Result};
use testkit::{Overview, Postgres};

use crate::test_server;
use crate::workspace::Profile;

const LARGE_CLUSTER_SERVERS: usize = 1_000;
const BROWSER_SERVERS: [usize; 3] = [100, LARGE_CLUSTER_SERVERS, 5_000];
const MAX_HEARTBEATS_PER_REQUEST: usize = 500;

/// A line of the table.
struct Figure {
    what: String,
    value: f64,
    unit: String,
    how: String,
}

impl Figure {
    fn new(what: impl Into<String>, value: f64, unit: &str, how: impl Into<String>) -> Self {
        Self { what: what.into(), value, unit: unit.to_owned(), how: how.into() }
    }
}

pub(crate) const PARTS: [&str; 9] =
    ["intake", "polls", "agents", "idle", "large", "history", "messenger", "restarts", "trouble"];

/// Measures the named parts, or all if none is named, and prints a table.
pub(crate) fn run(parts: &[&str]) -> Result<()> {
    let wanted = |part| parts.is_empty() || parts.contains(&part);
    let mut figures = Vec::new();
    if wanted("intake") {
        figures.extend(intake::measure(&Postgres::start())?);
    }
    if wanted("polls") {
        figures.extend(polls::measure()?);
    }
    if wanted("agents") {
        figures.extend(agents::measure()?);
    }
    if wanted("idle") {
        figures.extend(idle::measure()?);
    }
    if wanted("large") {
        let overview = test_server::start(Profile::Release);
        send_heartbeats_from_all(&overview, LARGE_CLUSTER_SERVERS, 1)?;
        figures.extend(large::measure(&overview)?);
        for servers in BROWSER_SERVERS {
            let overview = test_server::start(Profile::Release);
            send_heartbeats_from_all(&overview, servers, 1)?;
            let servers = [("SERVERS", servers.to_string())];
            figures.extend(browser::run_script("bench-page.mjs", &overview, &servers)?);
        }
    }
    if wanted("history") {
        figures.extend(history::measure()?);
    }
    if wanted("messenger") {
        figures.extend(messenger::measure()?);
    }
    if wanted("restarts") {
        figures.extend(restarts::measure()?);
    }
    if wanted("trouble") {
        figures.extend(trouble::measure()?);
    }
    println!("\n  {:<44}{:>10}  {:<12}how", "what", "value", "unit");
    for Figure { what, value, unit, how } in figures {
        println!("  {what:<44}{value:>10.1}  {unit:<12}{how}");
    }
    Ok(())
}

/// Parses a line of a program that measures: `what`, `value`, `unit` and `how`, separated by tabs.
fn parse_figure(program: &str, line: &str) -> Result<Figure> {
    let context = || format!("{program} printed {line:?}, which is not a figure");
    let mut parts = line.splitn(4, '\t').map(str::to_owned);
    let mut next = || parts.next().with_context(context);
    let (what, value, unit, how) = (next()?, next()?, next()?, next()?);
    Ok(Figure { what, value: value.parse().with_context(context)?, unit, how })
}

/// Sends a heartbeat for both components of each server.
fn send_heartbeats_from_all(overview: &Overview, servers: usize, sequence: u64) -> Result<()> {
    let numbers: Vec<usize> = (1..=servers).collect();
    for part in numbers.chunks(MAX_HEARTBEATS_PER_REQUEST) {
        test_server::send_heartbeats(
            overview,
            &test_server::cluster_heartbeats(part.iter().copied(), sequence),
        )?;
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
