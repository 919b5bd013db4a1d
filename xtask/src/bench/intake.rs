//! How many heartbeats per second are committed, on either database?

use anyhow::Result;
use serde_json::Value;
use testkit::{Overview, Postgres};

use super::load::{CLIENTS, LoadResult, run_load};
use super::{Figure, median};
use crate::test_server::{self, heartbeat};
use crate::workspace::Profile;

/// The median round counts.
const ROUNDS: usize = 3;
/// Each client sends the heartbeats of its share of these servers in turn.
const SERVERS: usize = 10_000;
const HEARTBEATS_PER_ARRAY: usize = 100;

/// Heartbeats committed one per request and in arrays, compared with requests that need no database.
pub(super) fn measure(postgres: &Postgres) -> Result<Vec<Figure>> {
    let (mut figures, file) = measure_database("SQLite", &test_server::start(Profile::Release))?;
    let database = postgres.address("postgres");
    let (more, server) = measure_database(
        "PostgreSQL",
        &test_server::start_on_database(&database, Profile::Release),
    )?;
    figures.extend(more);
    let how = "one heartbeat a request, the two above; limit 80";
    figures.push(Figure::new("PostgreSQL, relative to SQLite", server / file * 100.0, "%", how));
    Ok(figures)
}

fn measure_database(name: &str, overview: &Overview) -> Result<(Vec<Figure>, f64)> {
    let constant = overview.request(("GET", "/healthz", true), &[], "");
    let address = overview.address();
    let beat = |client: usize, turn: u64, round: usize| {
        let part = SERVERS / CLIENTS;
        let number = client * part + usize::try_from(turn).unwrap_or_default() % part;
        let sequence = (round as u64) << 32 | turn;
        heartbeat(number, "service", sequence)
    };
    let (mut singles, mut arrays, mut constants) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        constants.push(run_load(&address, |_, _| constant.clone())?);
        singles.push(run_load(&address, |client, turn| {
            test_server::heartbeats_request(overview, &beat(client, turn, 2 * round))
        })?);
        arrays.push(run_load(&address, |client, turn| {
            let first = turn * HEARTBEATS_PER_ARRAY as u64;
            let turns = first..first + HEARTBEATS_PER_ARRAY as u64;
            let beats = turns.map(|turn| beat(client, turn, 2 * round + 1)).collect();
            test_server::heartbeats_request(overview, &Value::Array(beats))
        })?);
    }
    let rate = |rounds: &[LoadResult]| median(rounds.iter().map(|round| round.rate).collect());
    let p99 = median(singles.iter().map(|round| round.p99).collect());
    let (single, constant) = (rate(&singles), rate(&constants));
    #[expect(clippy::cast_precision_loss, reason = "a count of heartbeats")]
    let array = rate(&arrays) * HEARTBEATS_PER_ARRAY as f64;
    let how = format!("{CLIENTS} clients, {SERVERS} servers, median of {ROUNDS} rounds of 3 s");
    let figure = |what: &str, value, unit, how: String| {
        Figure::new(format!("{name}: {what}"), value, unit, how)
    };
    let figures = vec![
        figure("durable heartbeats", single, "1/s", how.clone()),
        figure("99th percentile of the wait", p99, "ms", "the same; limit 100".into()),
        figure(
            "a constant (/healthz)",
            constant,
            "1/s",
            "the same clients, in alternating rounds".into(),
        ),
        figure("relative to the constant", single / constant * 100.0, "%", "limit 40".into()),
        figure("in arrays of 100", array, "1/s", how),
        figure("arrays, relative to single ones", array / single, "x", "limit 4".into()),
    ];
    Ok((figures, single))
}
