//! How soon does a page show a change of a service, and what do permanent connections of services and readers
//! cost?

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use testkit::{Overview, Process, connect, wait_until_ok, with_field};

use super::{Figure, LARGE_CLUSTER_SERVERS, browser, send_heartbeats_from_all};
use crate::test_server::{self, heartbeat};
use crate::workspace::{self, Profile};

/// The port of the first service; the others use the next ones.
const FIRST_PORT: usize = 20_000;
const IDLE_DURATION: Duration = Duration::from_secs(30);
/// Clients that read the event stream.
const READERS: usize = 2_000;
const STREAM_SERVERS: usize = 100;
/// Changes that are sent over the stream.
const CHANGES: usize = 5;
/// Longer than two cores need until all services are connected.
const CONNECT_TIMEOUT: Duration = Duration::from_mins(3);

pub(super) fn measure() -> Result<Vec<Figure>> {
    let mut figures = measure_services()?;
    figures.extend(measure_readers()?);
    Ok(figures)
}

/// Starts the agents, each as a process.
fn start_agents(overview: &Overview) -> Vec<Process> {
    let program = workspace::server_binary(Profile::Release);
    let start = |number: usize| {
        let port = (FIRST_PORT + number).to_string();
        overview.start_agent(
            &program,
            &server_name(number),
            &["--ip", "127.0.0.1", "--messenger-port", &port],
        )
    };
    (1..=LARGE_CLUSTER_SERVERS).map(start).collect()
}

fn server_name(number: usize) -> String {
    format!("server-{number}")
}

fn measure_services() -> Result<Vec<Figure>> {
    let overview = test_server::start(Profile::Release);
    let agents = start_agents(&overview);
    wait_until_ok("all services to be connected", CONNECT_TIMEOUT, || {
        let picture = overview.picture().to_string();
        let connected = picture.matches("\"state\":\"connected\"").count();
        if connected == LARGE_CLUSTER_SERVERS { Ok(()) } else { Err(connected) }
    });
    // Until the changes that their connecting caused have been sent.
    thread::sleep(Duration::from_secs(5));
    let before = overview.serve.cpu_time();
    thread::sleep(IDLE_DURATION);
    let spent = overview.serve.cpu_time().saturating_sub(before).as_secs_f64();
    let share = spent / IDLE_DURATION.as_secs_f64() * 100.0;
    let how =
        format!("over {} s, including heartbeats every 30 s; limit 3", IDLE_DURATION.as_secs());
    let mut figures =
        vec![Figure::new("1,000 connected services, idle", share, "% of a core", how)];
    // The script stops the agents by these process ids.
    let process_ids =
        (1..).zip(&agents).map(|(number, agent)| format!("{}={}", server_name(number), agent.id()));
    let environment = [("AGENTS", process_ids.collect::<Vec<_>>().join(" "))];
    figures.extend(browser::run_script("bench-latency.mjs", &overview, &environment)?);
    Ok(figures)
}

fn measure_readers() -> Result<Vec<Figure>> {
    let overview = test_server::start(Profile::Release);
    send_heartbeats_from_all(&overview, STREAM_SERVERS, 1)?;
    let cursor = test_server::read_cursor(&overview)?;
    let before = overview.serve.memory_kb();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(Reader::open(&overview, &cursor)?);
    }
    let after = overview.serve.memory_kb();
    let mut waits = Vec::new();
    for change in 1..=CHANGES {
        let version = format!("2026.3.{change}");
        let beat =
            with_field(heartbeat(1, "service", change as u64 + 1), "version", json!(version));
        let received: Result<Vec<Duration>> = thread::scope(|scope| {
            let version = &version;
            let threads: Vec<_> = readers
                .iter_mut()
                .map(|reader| {
                    let builder = thread::Builder::new().stack_size(64 << 10);
                    builder.spawn_scoped(scope, move || reader.wait_for(version))
                })
                .collect::<std::io::Result<_>>()?;
            // Until all readers wait for it.
            thread::sleep(Duration::from_millis(500));
            let since = Instant::now();
            test_server::send_heartbeats(&overview, &beat)?;
            threads
                .into_iter()
                .map(|thread| match thread.join() {
                    Ok(at) => Ok(at?.saturating_duration_since(since)),
                    Err(_) => anyhow::bail!("a reader ended"),
                })
                .collect()
        });
        waits.extend(received?);
    }
    waits.sort_unstable();
    let p99 =
        waits.get(waits.len() * 99 / 100).context("no reader received a change")?.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "kilobytes")]
    let each = after.saturating_sub(before) as f64 / READERS as f64;
    let how = format!("{CHANGES} changes, 99th percentile of the readers; limit 400");
    Ok(vec![
        Figure::new("2,000 readers of the stream: memory", each, "kB each", "limit 20"),
        Figure::new("a change reaches all of them", p99 * 1_000.0, "ms", how),
    ])
}

/// A client that reads the event stream.
struct Reader(BufReader<TcpStream>);

impl Reader {
    /// Opens the stream at a cursor and reads the first event.
    fn open(overview: &Overview, cursor: &str) -> Result<Self> {
        let mut stream = connect(&overview.address())?;
        let path = format!("/api/v1/stream?cursor={cursor}");
        let request = overview.request(("GET", &path, true), &[], "");
        stream.write_all(request.as_bytes())?;
        let mut reader = Self(BufReader::with_capacity(1 << 10, stream));
        reader.wait_for("event: update")?;
        Ok(reader)
    }

    /// Reads until a line contains this text. Returns when it was read.
    fn wait_for(&mut self, what: &str) -> Result<Instant> {
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
