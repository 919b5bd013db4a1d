//! How soon is it on the screen what a service says, and what do services and readers cost that are
//! connected all the time?

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use testkit::{Overview, Process, connect, wait_until_ok, with_field};

use super::{Figure, MANY, browser, everyone_beats};
use crate::overview::{self, heartbeat};
use crate::workspace::{self, Profile};

/// The port of the first service; the others' follow.
const FIRST_PORT: usize = 20_000;
/// How long the connected services are left in peace.
const IDLE: Duration = Duration::from_secs(30);
/// How many read the stream.
const READERS: usize = 2_000;
/// The servers that they read of.
const FEW: usize = 100;
/// How many changes they are told.
const CHANGES: usize = 5;
/// Longer than two processors need to have them all there.
const ALL_THERE: Duration = Duration::from_mins(3);

pub(super) fn figures() -> Result<Vec<Figure>> {
    let mut figures = services()?;
    figures.extend(readers()?);
    Ok(figures)
}

/// Starts agents, each a process of its own.
fn start_agents(overview: &Overview) -> Vec<Process> {
    let program = workspace::server_binary(Profile::Release);
    let start = |number: usize| {
        let port = (FIRST_PORT + number).to_string();
        overview.start_agent(
            &program,
            &server(number),
            &["--ip", "127.0.0.1", "--messenger-port", &port],
        )
    };
    (1..=MANY).map(start).collect()
}

fn server(number: usize) -> String {
    format!("server-{number}")
}

fn services() -> Result<Vec<Figure>> {
    let overview = overview::start(Profile::Release);
    let agents = start_agents(&overview);
    wait_until_ok("all services to be connected", ALL_THERE, || {
        let picture = overview.picture().to_string();
        let connected = picture.matches("\"state\":\"connected\"").count();
        if connected == MANY { Ok(()) } else { Err(connected) }
    });
    // What was told of all of them is over.
    thread::sleep(Duration::from_secs(5));
    let before = overview.serve.cpu_time();
    thread::sleep(IDLE);
    let spent = overview.serve.cpu_time().saturating_sub(before).as_secs_f64();
    let share = spent / IDLE.as_secs_f64() * 100.0;
    let how = format!("over {} s, heartbeats every 30 s among them; limit 3", IDLE.as_secs());
    let mut figures = vec![Figure::of("1,000 connected services, idle", share, "% of one", how)];
    // Servers and processes, for who ends them.
    let named =
        (1..).zip(&agents).map(|(number, agent)| format!("{}={}", server(number), agent.id()));
    let told = [("AGENTS", named.collect::<Vec<_>>().join(" "))];
    figures.extend(browser::figures("bench-latency.mjs", &overview, &told)?);
    Ok(figures)
}

fn readers() -> Result<Vec<Figure>> {
    let overview = overview::start(Profile::Release);
    everyone_beats(&overview, FEW, 1)?;
    let cursor = overview::cursor(&overview)?;
    let before = overview.serve.memory_kb();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(Reader::from(&overview, &cursor)?);
    }
    let after = overview.serve.memory_kb();
    let mut waits = Vec::new();
    for change in 1..=CHANGES {
        let version = format!("2026.3.{change}");
        let beat =
            with_field(heartbeat(1, "service", change as u64 + 1), "version", json!(version));
        let told: Result<Vec<Duration>> = thread::scope(|scope| {
            let version = &version;
            let told: Vec<_> = readers
                .iter_mut()
                .map(|reader| {
                    let heard = thread::Builder::new().stack_size(64 << 10);
                    heard.spawn_scoped(scope, move || reader.hears(version))
                })
                .collect::<std::io::Result<_>>()?;
            // Who listens has begun to.
            thread::sleep(Duration::from_millis(500));
            let since = Instant::now();
            overview::beat(&overview, &beat)?;
            told.into_iter()
                .map(|heard| match heard.join() {
                    Ok(at) => Ok(at?.saturating_duration_since(since)),
                    Err(_) => anyhow::bail!("a reader ended"),
                })
                .collect()
        });
        waits.extend(told?);
    }
    waits.sort_unstable();
    let p99 = waits.get(waits.len() * 99 / 100).context("nobody reads")?.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "kilobytes")]
    let each = after.saturating_sub(before) as f64 / READERS as f64;
    let how = format!("{CHANGES} changes, 99 of 100 readers; limit 400");
    Ok(vec![
        Figure::of("2,000 readers of the stream: memory", each, "kB each", "limit 20"),
        Figure::of("a change reaches all of them", p99 * 1_000.0, "ms", how),
    ])
}

/// One who reads the stream.
struct Reader(BufReader<TcpStream>);

impl Reader {
    /// Reads from a place, and has been greeted.
    fn from(overview: &Overview, cursor: &str) -> Result<Self> {
        let mut stream = connect(&overview.address())?;
        let path = format!("/api/v1/stream?cursor={cursor}");
        let ask = overview.request(("GET", &path, true), &[], "");
        stream.write_all(ask.as_bytes())?;
        let mut reader = Self(BufReader::with_capacity(1 << 10, stream));
        reader.hears("event: update")?;
        Ok(reader)
    }

    /// Reads until something is told; when that was.
    fn hears(&mut self, what: &str) -> Result<Instant> {
        let mut line = String::new();
        loop {
            line.clear();
            ensure!(self.0.read_line(&mut line)? > 0, "the stream ended");
            if line.contains(what) {
                return Ok(Instant::now());
            }
        }
    }
}
