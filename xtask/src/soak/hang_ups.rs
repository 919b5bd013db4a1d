//! Does the overview still accept heartbeats after clients hang up at any moment, on every route?

use std::io::Write as _;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use testkit::{Overview, Process, TOKEN, connect, heartbeat};

use super::{PartReport, Plan, Target, random_duration_up_to, wait_for_accepted_heartbeat};

const MAX_CLIENT_LIFETIME: Duration = Duration::from_millis(3);
const PARALLEL_CLIENTS: usize = 16;
/// After each round the overview must accept a heartbeat.
const ROUNDS: usize = 10;
/// Processes that keep the disk busy.
const DISK_WRITERS: usize = 3;
const SERVER: &str = "hung-up";

/// The routes that the `OpenAPI` document does not contain.
const PAGES: [(&str, &str); 17] = [
    ("GET", "/"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("GET", "/embed"),
    ("GET", "/embed.js"),
    ("POST", "/fn/overview"),
    ("POST", "/fn/act"),
    ("POST", "/settings"),
    ("POST", "/removal"),
    ("POST", "/acceptance"),
    ("POST", "/reconnection"),
    ("GET", "/access"),
    ("GET", "/audit"),
    ("POST", "/access/tokens"),
    ("POST", "/access/revocation"),
    ("GET", "/nowhere"),
];

/// The routes that write to the database on every request.
const DATABASE_WRITES: [(&str, &str); 3] =
    [("GET", "/readyz"), ("PUT", "/api/v1/settings"), ("POST", "/api/v1/heartbeats")];

/// The routes that agents use with the join token.
const AGENT_ROUTES: [&str; 3] =
    ["/api/v1/heartbeats", "/api/v1/enrolments", "/api/v1/probe-failures"];

pub(super) fn run(overview: &mut Overview, _: &mut Target, plan: &Plan) -> Result<PartReport> {
    let requests = Requests::for_overview(overview)?;
    run_rounds(overview, &requests, plan.hang_ups, "a quiet disk")?;
    let writers: Vec<Process> =
        (0..DISK_WRITERS).map(|number| start_disk_writer(overview, number)).collect();
    run_rounds(overview, &requests, plan.hang_ups, "a busy disk")?;
    drop(writers);
    wait_for_accepted_heartbeat(overview, "the disk was quiet again")?;
    let (clients, routes) = (2 * plan.hang_ups, requests.all.len());
    Ok(format!("{clients} clients hung up on {routes} routes, half of them with a busy disk")
        .into())
}

/// Writes 64 MB to the disk again and again, each time with fsync.
fn start_disk_writer(overview: &Overview, number: usize) -> Process {
    let file = overview.folder.join(format!("ballast-{number}"));
    let mut shell = Command::new("sh");
    let script =
        "while kill -0 $PPID; do dd if=/dev/zero of=\"$FILE\" bs=1M count=64 conv=fsync; done";
    shell.args(["-c", script]).env("FILE", file);
    Process::start(&mut shell, &overview.folder, "disk writer")
}

fn run_rounds(overview: &Overview, requests: &Requests, clients: usize, disk: &str) -> Result<()> {
    for round in 1..=ROUNDS {
        let clients = clients / ROUNDS;
        let first = round * clients;
        let address = overview.address();
        thread::scope(|scope| -> Result<()> {
            let threads: Vec<_> = (0..PARALLEL_CLIENTS)
                .map(|thread| {
                    let address = &address;
                    let numbers = (first + thread..first + clients).step_by(PARALLEL_CLIENTS);
                    scope.spawn(move || -> Result<()> {
                        numbers
                            .map(|number| requests.for_client(number))
                            .try_for_each(|request| hang_up(address, request))
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap_or(Ok(()))?;
            }
            Ok(())
        })?;
        let after = format!("{clients} clients hung up in round {round}, with {disk}");
        wait_for_accepted_heartbeat(overview, &after)?;
    }
    Ok(())
}

/// Sends a request and closes the connection without reading the response.
pub(super) fn hang_up(address: &str, request: &str) -> Result<()> {
    let mut stream = connect(address).context("a client cannot connect")?;
    // The overview may close the connection before everything is sent.
    let _ = stream.write_all(request.as_bytes());
    thread::sleep(random_duration_up_to(MAX_CLIENT_LIFETIME));
    Ok(())
}

/// The requests that clients send.
pub(super) struct Requests {
    /// One for each route.
    all: Vec<String>,
    /// Those that write to the database.
    writing: Vec<String>,
}

impl Requests {
    pub(super) fn for_overview(overview: &Overview) -> Result<Self> {
        let document = overview.get("/api/v1/openapi.json").body;
        let paths = document["paths"].as_object().context("the OpenAPI document has no paths")?;
        let api_routes = paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(move |(method, _)| (method.to_uppercase(), path.clone()))
        });
        let pages = PAGES.map(|(method, path)| (method.to_owned(), path.to_owned()));
        let all =
            api_routes.chain(pages).map(|(method, path)| request_text(overview, &method, &path));
        let writing = DATABASE_WRITES.map(|(method, path)| request_text(overview, method, path));
        Ok(Self { all: all.collect(), writing: writing.into() })
    }

    /// The request of a client. Every second one writes to the database.
    pub(super) fn for_client(&self, number: usize) -> &str {
        let requests = if number.is_multiple_of(2) { &self.writing } else { &self.all };
        &requests[number / 2 % requests.len()]
    }
}

fn request_text(overview: &Overview, method: &str, template: &str) -> String {
    let bearer = format!("Bearer {TOKEN}");
    let path = template.replace("{server}", SERVER).replace("{role}", "service");
    let path = path.replace("{kind}", "product").replace("{id}", "0");
    let body = if method == "GET" { String::new() } else { sample_body(template).to_string() };
    // Without sign-in only the routes of agents need a token.
    let agent_headers = [("Authorization", bearer.as_str())];
    let headers = if AGENT_ROUTES.contains(&template) { &agent_headers[..] } else { &[] };
    overview.request((method, &path, true), headers, &body)
}

/// A valid body, or an empty object where a change is not needed.
fn sample_body(path: &str) -> Value {
    match path {
        "/api/v1/heartbeats" => heartbeat(SERVER, "service", 1),
        "/api/v1/enrolments" => json!({"server": SERVER}),
        "/api/v1/tokens" => json!({"role": "viewer", "name": SERVER}),
        "/api/v1/settings" => json!({
            "load_balancing": false, "automatic_failover": false, "heartbeat_interval_s": 30,
            "stale_timeout_s": 300, "web_window_s": 86_400
        }),
        "/fn/overview" => json!({"cursor": ""}),
        _ => json!({}),
    }
}
