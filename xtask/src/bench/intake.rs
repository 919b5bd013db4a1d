//! How many heartbeats a second are made durable, on either database?

use anyhow::Result;
use serde_json::Value;
use testkit::{Overview, Postgres};

use super::load::{Answered, CLIENTS, load};
use super::{Figure, middle};
use crate::overview::{self, heartbeat};
use crate::workspace::Profile;

/// How many rounds: the middle one counts.
const ROUNDS: usize = 3;
/// Whose heartbeats come: each client beats for its part of them in turn.
const SERVERS: usize = 10_000;
/// Heartbeats of one array.
const ARRAY: usize = 100;

/// Durable heartbeats, one a request and in arrays, beside the same server answering a constant.
pub(super) fn figures(postgres: &Postgres) -> Result<Vec<Figure>> {
    let (mut figures, file) = on("SQLite", &overview::start(Profile::Release))?;
    let database = postgres.address("postgres");
    let (more, server) = on("PostgreSQL", &overview::start_on(&database, Profile::Release))?;
    figures.extend(more);
    let how = "one heartbeat a request, the two above; limit 80";
    figures.push(Figure::of("PostgreSQL beside SQLite", server / file * 100.0, "%", how));
    Ok(figures)
}

fn on(name: &str, overview: &Overview) -> Result<(Vec<Figure>, f64)> {
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
        constants.push(load(&address, |_, _| constant.clone())?);
        singles.push(load(&address, |client, turn| {
            overview::heartbeats(overview, &beat(client, turn, 2 * round))
        })?);
        arrays.push(load(&address, |client, turn| {
            let first = turn * ARRAY as u64;
            let turns = first..first + ARRAY as u64;
            let beats = turns.map(|turn| beat(client, turn, 2 * round + 1)).collect();
            overview::heartbeats(overview, &Value::Array(beats))
        })?);
    }
    let rate = |rounds: &[Answered]| middle(rounds.iter().map(|round| round.rate).collect());
    let p99 = middle(singles.iter().map(|round| round.p99).collect());
    let (single, constant) = (rate(&singles), rate(&constants));
    #[expect(clippy::cast_precision_loss, reason = "a count of heartbeats")]
    let array = rate(&arrays) * ARRAY as f64;
    let how = format!("{CLIENTS} clients, {SERVERS} servers, middle of {ROUNDS} rounds of 3 s");
    let figure = |what: &str, value, unit, how: String| {
        Figure::of(format!("{name}: {what}"), value, unit, how)
    };
    let figures = vec![
        figure("durable heartbeats", single, "1/s", how.clone()),
        figure("99 of 100 wait at most", p99, "ms", "the same; limit 100".into()),
        figure("a constant (/healthz)", constant, "1/s", "the same clients, in turns".into()),
        figure("beside the constant", single / constant * 100.0, "%", "limit 40".into()),
        figure("in arrays of 100", array, "1/s", how),
        figure("arrays beside single ones", array / single, "x", "limit 4".into()),
    ];
    Ok((figures, single))
}
