//! How many requests per second does a server answer, and how long does a client wait?

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Parallel clients, each with one open connection.
pub(super) const CLIENTS: usize = 64;
const ROUND_DURATION: Duration = Duration::from_secs(3);

pub(super) struct LoadResult {
    /// Requests per second.
    pub(super) rate: f64,
    /// The 99th percentile of the wait, in milliseconds.
    pub(super) p99: f64,
}

/// Runs clients that each send the next request as soon as the last one is answered. `request` gets the numbers of
/// the client and of the request.
pub(super) fn run_load(
    address: &str,
    request: impl Fn(usize, u64) -> String + Sync,
) -> Result<LoadResult> {
    let since = Instant::now();
    let waits: Result<Vec<Vec<Duration>>> = thread::scope(|scope| {
        let clients: Vec<_> = (1..=CLIENTS)
            .map(|client| {
                let request = &request;
                scope.spawn(move || {
                    send_until_the_round_ends(address, |turn| request(client, turn), since)
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap_or(Ok(Vec::new()))).collect()
    });
    let mut waits: Vec<Duration> = waits?.into_iter().flatten().collect();
    waits.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let rate = waits.len() as f64 / since.elapsed().as_secs_f64();
    let p99 = waits.get(waits.len() * 99 / 100).copied().unwrap_or_default();
    Ok(LoadResult { rate, p99: p99.as_secs_f64() * 1_000.0 })
}

fn send_until_the_round_ends(
    address: &str,
    request: impl Fn(u64) -> String,
    since: Instant,
) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(address)?;
    let mut waits = Vec::new();
    while since.elapsed() < ROUND_DURATION {
        let asked = Instant::now();
        connection.exchange(&request(waits.len() as u64 + 1))?;
        waits.push(asked.elapsed());
    }
    Ok(waits)
}

/// An open connection.
pub(super) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(super) fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a request and reads the whole response, which must be successful.
    pub(super) fn exchange(&mut self, request: &str) -> Result<()> {
        self.0.get_mut().write_all(request.as_bytes())?;
        read_response(&mut self.0)
    }
}

fn read_response(responses: &mut impl BufRead) -> Result<()> {
    let mut line = String::new();
    responses.read_line(&mut line)?;
    let good = line.contains(" 200 ") || line.contains(" 304 ");
    anyhow::ensure!(good, "the server answered {line:?}");
    let mut length = 0;
    loop {
        line.clear();
        responses.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().context("a response with an invalid Content-Length")?;
        }
    }
    std::io::copy(&mut responses.take(length), &mut std::io::sink())?;
    Ok(())
}
