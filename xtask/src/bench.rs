//! How fast is it? Each figure stands beside a limit measured in the same run.

mod agents;
mod browser;
mod idle;
mod intake;
mod large;
mod load;
mod messenger;
mod polls;
mod restarts;
mod trouble;

use anyhow::Result;
use testkit::{Overview, Postgres};

use crate::overview;
use crate::workspace::Profile;

/// The servers of a large cluster.
const MANY: usize = 1_000;
/// The servers of the largest cluster that a browser is shown.
const MOST_ROWS: usize = 5_000;
/// How many heartbeats one request carries at most.
const AT_ONCE: usize = 500;

/// One line of the table.
struct Figure {
    what: String,
    value: f64,
    unit: String,
    how: String,
}

impl Figure {
    fn of(what: impl Into<String>, value: f64, unit: &str, how: impl Into<String>) -> Self {
        Self { what: what.into(), value, unit: unit.to_owned(), how: how.into() }
    }
}

/// The parts of the table.
pub(crate) const PARTS: [&str; 8] =
    ["intake", "polls", "agents", "idle", "large", "messenger", "restarts", "trouble"];

/// Measures the release build and prints a table of these parts, or of all.
pub(crate) fn run(parts: &[&str]) -> Result<()> {
    let wanted = |part| parts.is_empty() || parts.contains(&part);
    let mut figures = Vec::new();
    if wanted("intake") {
        figures.extend(intake::figures(&Postgres::start())?);
    }
    if wanted("polls") {
        figures.extend(polls::figures()?);
    }
    if wanted("agents") {
        figures.extend(agents::figures()?);
    }
    if wanted("idle") {
        figures.extend(idle::figures()?);
    }
    if wanted("large") {
        let overview = overview::start(Profile::Release);
        everyone_beats(&overview, MANY, 1)?;
        figures.extend(large::figures(&overview)?);
        let thousand = [("SERVERS", MANY.to_string())];
        figures.extend(browser::figures("bench-page.mjs", &overview, &thousand)?);
        drop(overview);
        let overview = overview::start(Profile::Release);
        everyone_beats(&overview, MOST_ROWS, 1)?;
        let rows = [("SERVERS", MOST_ROWS.to_string())];
        figures.extend(browser::figures("bench-page.mjs", &overview, &rows)?);
    }
    if wanted("messenger") {
        figures.extend(messenger::figures()?);
    }
    if wanted("restarts") {
        figures.extend(restarts::figures()?);
    }
    if wanted("trouble") {
        figures.extend(trouble::figures()?);
    }
    println!("\n  {:<44}{:>10}  {:<12}how", "what", "value", "unit");
    for Figure { what, value, unit, how } in figures {
        println!("  {what:<44}{value:>10.1}  {unit:<12}{how}");
    }
    Ok(())
}

/// Both components of so many servers beat.
fn everyone_beats(overview: &Overview, servers: usize, sequence: u64) -> Result<()> {
    let numbers: Vec<usize> = (1..=servers).collect();
    for part in numbers.chunks(AT_ONCE) {
        overview::beat(overview, &overview::cluster(part.iter().copied(), sequence))?;
    }
    Ok(())
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
