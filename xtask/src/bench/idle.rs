//! How much slower are heartbeats while one client holds nearly all connections?

use anyhow::Result;
use testkit::Overview;

use super::load::{CLIENTS, Connection, load};
use super::{Figure, middle};
use crate::overview::{self, heartbeat};
use crate::workspace::Profile;

/// Connections that are kept and send nothing more: nearly all that a server accepts.
const IDLE: usize = 16_000;
/// How many rounds without them and with them: the middle one counts.
const ROUNDS: usize = 3;

pub(super) fn figures() -> Result<Vec<Figure>> {
    let overview = overview::start(Profile::Release);
    let constant = overview.request(("GET", "/healthz", true), &[], "");
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        without.push(heartbeats_a_second(&overview, 2 * round)?);
        let idle: Result<Vec<Connection>> = (0..IDLE)
            .map(|_| {
                let mut connection = Connection::to(&overview.address())?;
                connection.ask(&constant)?;
                Ok(connection)
            })
            .collect();
        let idle = idle?;
        with.push(heartbeats_a_second(&overview, 2 * round + 1)?);
        drop(idle);
    }
    let (without, with) = (middle(without), middle(with));
    let how =
        format!("{CLIENTS} clients, one heartbeat a request, middle of {ROUNDS} rounds of 3 s");
    let ratio = "of the line above; limit 50";
    Ok(vec![
        Figure::of("heartbeats without idle connections", without, "1/s", how),
        Figure::of(
            format!("heartbeats beside {IDLE} idle connections"),
            with / without * 100.0,
            "%",
            ratio,
        ),
    ])
}

fn heartbeats_a_second(overview: &Overview, round: usize) -> Result<f64> {
    let answered = load(&overview.address(), |client, turn| {
        let sequence = (round as u64) << 32 | turn;
        overview::heartbeats(overview, &heartbeat(client, "service", sequence))
    })?;
    Ok(answered.rate)
}
