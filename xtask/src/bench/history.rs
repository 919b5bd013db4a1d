//! What do questions about 30 days of a large cluster cost, and what does deleting old history cost heartbeats?

use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use testkit::{Overview, Postgres};

use super::{Figure, LARGE_CLUSTER_SERVERS, median, parse_figure};
use crate::test_server;
use crate::workspace::{self, Profile};

/// Each server has two components.
const MOST_SERVERS: usize = 10_000;
const ROUNDS: usize = 9;
const TOOL: &str = "large-past";

pub(super) fn measure() -> Result<Vec<Figure>> {
    build_tool()?;
    let [asked, pruned] = [Postgres::start(), Postgres::start()];
    let mut figures = Vec::new();
    let folder = testkit::folder();
    let file = |name: &str| format!("sqlite:{}", folder.join(name).display());
    let databases = [("SQLite", file("large.db")), ("PostgreSQL", asked.address("postgres"))];
    for (name, address) in &databases {
        figures.extend(measure_questions(name, address)?);
    }
    figures.extend(measure_most_components(&file("most.db"))?);
    for (name, address) in [("SQLite", file("old.db")), ("PostgreSQL", pruned.address("postgres"))]
    {
        for line in run_tool(&["prune", &address])?.lines() {
            let figure = parse_figure(TOOL, line)?;
            figures.push(Figure { what: format!("{name}: {}", figure.what), ..figure });
        }
    }
    Ok(figures)
}

fn build_tool() -> Result<()> {
    let arguments = ["build", "--release", "--package", workspace::SERVER, "--example", TOOL];
    let status = workspace::cargo(arguments).status().context("cargo does not start")?;
    ensure!(status.success(), "{TOOL} cannot be built");
    Ok(())
}

fn run_tool(arguments: &[&str]) -> Result<String> {
    let binary = workspace::server_binary(Profile::Release);
    let examples = binary.with_file_name("examples");
    let mut tool = Command::new(examples.join(TOOL));
    let output = tool.args(arguments).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("{TOOL} does not start"))?;
    ensure!(output.status.success(), "{TOOL} ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

/// The pages and the API about 30 days of a thousand servers.
fn measure_questions(database: &str, address: &str) -> Result<Vec<Figure>> {
    let Past { records, moment } = fill(address, LARGE_CLUSTER_SERVERS)?;
    let overview = test_server::start_on_database(address, Profile::Release);
    let questions = [
        ("/history", "/history?span=30d".to_owned(), "limits 100, 30 kB"),
        ("/history of 24 h", "/history".to_owned(), "limits 100, 30 kB"),
        ("/?at=", format!("/?at={moment}"), "limit 150"),
        ("/api/v1/overview?at=", format!("/api/v1/overview?at={moment}"), ""),
        ("/api/v1/events", "/api/v1/events".to_owned(), "the last 100"),
        ("/api/v1/availability", "/api/v1/availability".to_owned(), "of 30 days"),
    ];
    let figure = |(what, path, more): (&str, String, &str)| {
        let (ms, length) = time(&overview, &path)?;
        let how =
            format!("{records} records, {length} bytes of brotli, median of {ROUNDS}; {more}");
        Ok(Figure::new(format!("{database}: {what}"), ms, "ms", how))
    };
    questions.into_iter().map(figure).collect()
}

/// A moment of 20,000 components.
fn measure_most_components(address: &str) -> Result<Vec<Figure>> {
    let Past { records, moment } = fill(address, MOST_SERVERS)?;
    let overview = test_server::start_on_database(address, Profile::Release);
    let path = format!("/api/v1/overview?at={moment}");
    test_server::compressed_length(&overview, &path)?;
    overview.serve.reset_peak_memory();
    let before = overview.serve.memory_kb();
    let (ms, length) = time(&overview, &path)?;
    #[expect(clippy::cast_precision_loss, reason = "kilobytes")]
    let more = overview.serve.peak_memory_kb().saturating_sub(before) as f64 / 1_000.0;
    let how = format!("{MOST_SERVERS} servers, {records} records, {length} bytes of brotli");
    Ok(vec![
        Figure::new("a moment of 20,000 components", ms, "ms", how),
        Figure::new("the same: memory", more, "MB", "the peak while it is judged and rendered"),
    ])
}

/// A database with a past.
struct Past {
    records: u64,
    /// Ten days ago, as an address contains it.
    moment: String,
}

fn fill(address: &str, servers: usize) -> Result<Past> {
    let said = run_tool(&["fill", address, &servers.to_string()])?;
    let parts = said.trim().split_once('\t').context("the tool says records and a moment")?;
    Ok(Past { records: parts.0.parse()?, moment: parts.1.to_owned() })
}

/// The median time in milliseconds, and the length of the body.
fn time(overview: &Overview, path: &str) -> Result<(f64, u64)> {
    let mut times = Vec::new();
    let mut length = 0;
    for _ in 0..ROUNDS {
        let since = Instant::now();
        length = test_server::compressed_length(overview, path)?;
        times.push(since.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok((median(times), length))
}
