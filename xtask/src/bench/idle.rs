//! How much slower are heartbeats while one client keeps nearly all connections open?

use anyhow::Result;
use testkit::Overview;

use super::load::{CLIENTS, Connection, run_load};
use super::{Figure, median};
use crate::test_server::{self, heartbeat};
use crate::workspace::Profile;

/// Nearly all the connections that a server accepts.
const IDLE_CONNECTIONS: usize = 16_000;
/// Rounds without and with idle connections; the median counts.
const ROUNDS: usize = 3;

pub(super) fn measure() -> Result<Vec<Figure>> {
    let overview = test_server::start(Profile::Release);
    let constant = overview.request(("GET", "/healthz", true), &[], "");
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        without.push(heartbeats_per_second(&overview, 2 * round)?);
        let idle: Result<Vec<Connection>> = (0..IDLE_CONNECTIONS)
            .map(|_| {
                let mut connection = Connection::open(&overview.address())?;
                connection.exchange(&constant)?;
                Ok(connection)
            })
            .collect();
        let idle = idle?;
        with.push(heartbeats_per_second(&overview, 2 * round + 1)?);
        drop(idle);
    }
    let (without, with) = (median(without), median(with));
    let how =
        format!("{CLIENTS} clients, one heartbeat a request, median of {ROUNDS} rounds of 3 s");
    let ratio = "of the line above; limit 50";
    Ok(vec![
        Figure::new("heartbeats without idle connections", without, "1/s", how),
        Figure::new(
            format!("heartbeats with {IDLE_CONNECTIONS} idle connections"),
            with / without * 100.0,
            "%",
            ratio,
        ),
    ])
}

fn heartbeats_per_second(overview: &Overview, round: usize) -> Result<f64> {
    let answered = run_load(&overview.address(), |client, turn| {
        let sequence = (round as u64) << 32 | turn;
        test_server::heartbeats_request(overview, &heartbeat(client, "service", sequence))
    })?;
    Ok(answered.rate)
}
