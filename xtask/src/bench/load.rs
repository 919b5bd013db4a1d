//! How many requests a second does a server answer, and how long does one wait?

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// How many clients ask at once, each over one connection that it keeps.
pub(super) const CLIENTS: usize = 64;
/// How long each round of a load takes.
const ROUND: Duration = Duration::from_secs(3);

/// What came of a load.
pub(super) struct Answered {
    /// Requests a second.
    pub(super) rate: f64,
    /// Milliseconds that 99 of 100 did not wait longer than.
    pub(super) p99: f64,
}

/// Clients that each ask again as soon as they are answered: what client and turn ask.
pub(super) fn load(
    address: &str,
    request: impl Fn(usize, u64) -> String + Sync,
) -> Result<Answered> {
    let since = Instant::now();
    let waits: Result<Vec<Vec<Duration>>> = thread::scope(|scope| {
        let clients: Vec<_> = (1..=CLIENTS)
            .map(|client| {
                let request = &request;
                scope.spawn(move || ask_on(address, |turn| request(client, turn), since))
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap_or(Ok(Vec::new()))).collect()
    });
    let mut waits: Vec<Duration> = waits?.into_iter().flatten().collect();
    waits.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let rate = waits.len() as f64 / since.elapsed().as_secs_f64();
    let p99 = waits.get(waits.len() * 99 / 100).copied().unwrap_or_default();
    Ok(Answered { rate, p99: p99.as_secs_f64() * 1_000.0 })
}

fn ask_on(address: &str, request: impl Fn(u64) -> String, since: Instant) -> Result<Vec<Duration>> {
    let mut connection = Connection::to(address)?;
    let mut waits = Vec::new();
    while since.elapsed() < ROUND {
        let asked = Instant::now();
        connection.ask(&request(waits.len() as u64 + 1))?;
        waits.push(asked.elapsed());
    }
    Ok(waits)
}

/// A connection that is kept.
pub(super) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(super) fn to(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Asks, and reads one good answer to its end.
    pub(super) fn ask(&mut self, request: &str) -> Result<()> {
        self.0.get_mut().write_all(request.as_bytes())?;
        read_answer(&mut self.0)
    }
}

fn read_answer(answers: &mut impl BufRead) -> Result<()> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    let good = line.contains(" 200 ") || line.contains(" 304 ");
    anyhow::ensure!(good, "the server answered {line:?}");
    let mut length = 0;
    loop {
        line.clear();
        answers.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().context("an answer of no length")?;
        }
    }
    std::io::copy(&mut answers.take(length), &mut std::io::sink())?;
    Ok(())
}
