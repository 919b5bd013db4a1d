//! How fast is it? Each figure stands beside a limit measured in the same run.

mod browser;
mod restarts;

use std::io::{BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::overview::{Overview, cluster, heartbeat};
use crate::workspace::Profile;

/// How many clients ask at once, each over one connection that it keeps.
const CLIENTS: usize = 64;
/// How long each round of a load takes.
const ROUND: Duration = Duration::from_secs(3);
/// How many rounds: the middle one counts.
const ROUNDS: usize = 3;
/// The servers of a large cluster.
const MANY: usize = 1_000;
/// How many heartbeats one request carries at most.
const AT_ONCE: usize = 500;

/// One line of the table.
struct Figure {
    what: String,
    value: f64,
    unit: String,
    how: String,
}

/// Measures the release build and prints a table.
pub(crate) fn run() -> Result<()> {
    let mut figures = intake()?;
    let overview = Overview::start(Profile::Release)?;
    everyone_joins(&overview)?;
    figures.extend(large_cluster(&overview)?);
    figures.extend(browser::figures(&overview)?);
    drop(overview);
    figures.extend(restarts::restarts()?);
    println!("\n  {:<44}{:>10}  {:<12}how", "what", "value", "unit");
    for Figure { what, value, unit, how } in figures {
        println!("  {what:<44}{value:>10.1}  {unit:<12}{how}");
    }
    Ok(())
}

/// Durable heartbeats beside the same server answering a constant, in turns.
fn intake() -> Result<Vec<Figure>> {
    let overview = Overview::start(Profile::Release)?;
    let constant = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", overview.address);
    let (mut beats, mut constants) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        constants.push(load(&overview.address, |_, _| constant.clone())?);
        beats.push(load(&overview.address, |client, turn| {
            let sequence = (round as u64) << 32 | turn;
            let key = "9f".repeat(32);
            let beat = heartbeat(client, "service", "2026.2.1", &key, sequence);
            overview.heartbeats(&beat, "1.1")
        })?);
    }
    let (beats, constants) = (middle(beats), middle(constants));
    let how =
        format!("{CLIENTS} clients, one heartbeat a request, middle of {ROUNDS} rounds of 3 s");
    Ok(vec![
        Figure { what: "durable heartbeats".into(), value: beats, unit: "1/s".into(), how },
        Figure {
            what: "a constant (/healthz)".into(),
            value: constants,
            unit: "1/s".into(),
            how: "the same clients, in turns with them".into(),
        },
        Figure {
            what: "heartbeats beside the constant".into(),
            value: beats / constants * 100.0,
            unit: "%".into(),
            how: "the two above".into(),
        },
    ])
}

/// Makes an overview that of a large cluster.
fn everyone_joins(overview: &Overview) -> Result<()> {
    let all = cluster(MANY);
    let beats: Vec<&str> = all.trim_matches(['[', ']']).split("},{\"server\"").collect();
    for part in beats.chunks(AT_ONCE) {
        let mut body = part.join("},{\"server\"");
        if !body.starts_with('{') {
            body.insert_str(0, "{\"server\"");
        }
        if !body.ends_with('}') {
            body.push('}');
        }
        overview.beat(&format!("[{body}]"))?;
    }
    Ok(())
}

/// What a cluster of a thousand costs the server.
fn large_cluster(overview: &Overview) -> Result<Vec<Figure>> {
    let timed = |path: &str| -> Result<(f64, u64)> {
        let mut times = Vec::new();
        let mut length = 0;
        for _ in 0..15 {
            let since = Instant::now();
            length = overview.length(path)?;
            times.push(since.elapsed().as_secs_f64() * 1_000.0);
        }
        Ok((middle(times), length))
    };
    let (page, page_length) = timed("/")?;
    let (api, api_length) = timed("/api/v1/overview")?;
    let how = |length: u64| format!("{MANY} servers, {length} bytes of brotli, middle of 15");
    Ok(vec![
        Figure {
            what: "the page, first 200 rows".into(),
            value: page,
            unit: "ms".into(),
            how: how(page_length),
        },
        Figure {
            what: "/api/v1/overview".into(),
            value: api,
            unit: "ms".into(),
            how: how(api_length),
        },
    ])
}

/// Requests a second, of clients that each ask again as soon as they are answered.
fn load(address: &str, request: impl Fn(usize, u64) -> String + Sync) -> Result<f64> {
    let since = Instant::now();
    let answered: Result<Vec<u64>> = thread::scope(|scope| {
        let clients: Vec<_> = (1..=CLIENTS)
            .map(|client| {
                let request = &request;
                scope.spawn(move || ask_on(address, |turn| request(client, turn), since))
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap_or(Ok(0))).collect()
    });
    let answered: u64 = answered?.into_iter().sum();
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let rate = answered as f64 / since.elapsed().as_secs_f64();
    Ok(rate)
}

fn ask_on(address: &str, request: impl Fn(u64) -> String, since: Instant) -> Result<u64> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut answered = 0;
    while since.elapsed() < ROUND {
        answered += 1;
        stream.write_all(request(answered).as_bytes())?;
        read_answer(&mut answers)?;
    }
    Ok(answered)
}

/// Reads one good answer to its end.
fn read_answer(answers: &mut impl std::io::BufRead) -> Result<()> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    anyhow::ensure!(line.contains(" 200 "), "the server answered {line:?}");
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

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
