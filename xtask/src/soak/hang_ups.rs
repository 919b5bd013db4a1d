//! Clients that hang up at any moment, on every route: the overview never stays blind for it.

use std::io::Write as _;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use testkit::{Overview, Process, TOKEN, connect, heartbeat};

use super::{Held, Plan, Target, random_up_to, takes_heartbeats};

/// How long a client stays at most.
const PATIENCE: Duration = Duration::from_millis(3);
/// How many clients come at a time.
const CLIENTS_AT_ONCE: usize = 16;
/// After each of so many rounds the overview must take a heartbeat.
const ROUNDS: usize = 10;
/// How many processes keep the disk busy.
const DISK_WRITERS: usize = 3;
/// A server that comes and goes.
const SERVER: &str = "hung-up";

/// What is no part of the API's description.
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

/// What writes to the database whenever it is asked.
const WRITING: [(&str, &str); 3] =
    [("GET", "/readyz"), ("PUT", "/api/v1/settings"), ("POST", "/api/v1/heartbeats")];

/// What only agents ask, with the join token.
const OF_AGENTS: [&str; 3] = ["/api/v1/heartbeats", "/api/v1/enrolments", "/api/v1/probe-failures"];

pub(super) fn run(overview: &mut Overview, _: &mut Target, plan: &Plan) -> Result<Held> {
    let requests = Requests::to(overview)?;
    rounds(overview, &requests, plan.hang_ups, "a quiet disk")?;
    let writers: Vec<Process> = (0..DISK_WRITERS).map(|number| write(overview, number)).collect();
    rounds(overview, &requests, plan.hang_ups, "a busy disk")?;
    drop(writers);
    takes_heartbeats(overview, "the disk was quiet again")?;
    let (clients, routes) = (2 * plan.hang_ups, requests.all.len());
    Ok(format!(
        "{clients} clients hung up on {routes} routes, half of them while the disk was busy"
    )
    .into())
}

/// Writes 64 MB again and again, each time until they are on the disk.
fn write(overview: &Overview, number: usize) -> Process {
    let file = overview.folder.join(format!("ballast-{number}"));
    let mut shell = Command::new("sh");
    let script =
        "while kill -0 $PPID; do dd if=/dev/zero of=\"$FILE\" bs=1M count=64 conv=fsync; done";
    shell.args(["-c", script]).env("FILE", file);
    Process::start(&mut shell, &overview.folder, "disk writer")
}

fn rounds(overview: &Overview, requests: &Requests, clients: usize, disk: &str) -> Result<()> {
    for round in 1..=ROUNDS {
        let clients = clients / ROUNDS;
        let first = round * clients;
        let address = overview.address();
        thread::scope(|scope| -> Result<()> {
            let callers: Vec<_> = (0..CLIENTS_AT_ONCE)
                .map(|caller| {
                    let address = &address;
                    let numbers = (first + caller..first + clients).step_by(CLIENTS_AT_ONCE);
                    scope.spawn(move || -> Result<()> {
                        numbers
                            .map(|number| requests.of_client(number))
                            .try_for_each(|request| hang_up(address, request))
                    })
                })
                .collect();
            for caller in callers {
                caller.join().unwrap_or(Ok(()))?;
            }
            Ok(())
        })?;
        let after = format!("{clients} clients hung up in round {round}, with {disk}");
        takes_heartbeats(overview, &after)?;
    }
    Ok(())
}

/// A client that does not wait for its answer.
pub(super) fn hang_up(address: &str, request: &str) -> Result<()> {
    let mut stream = connect(address).context("a client cannot connect")?;
    // It may have had enough before all was sent.
    let _ = stream.write_all(request.as_bytes());
    thread::sleep(random_up_to(PATIENCE));
    Ok(())
}

/// What is asked.
pub(super) struct Requests {
    /// One for each route.
    all: Vec<String>,
    /// Those that write to the database whenever they are asked.
    writing: Vec<String>,
}

impl Requests {
    /// For each route of the overview.
    pub(super) fn to(overview: &Overview) -> Result<Self> {
        let document = overview.get("/api/v1/openapi.json").body;
        let paths = document["paths"].as_object().context("the API's description has no paths")?;
        let describe_token = paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(move |(method, _)| (method.to_uppercase(), path.clone()))
        });
        let pages = PAGES.map(|(method, path)| (method.to_owned(), path.to_owned()));
        let all =
            describe_token.chain(pages).map(|(method, path)| request(overview, &method, &path));
        let writing = WRITING.map(|(method, path)| request(overview, method, path));
        Ok(Self { all: all.collect(), writing: writing.into() })
    }

    /// What a client asks: every second one writes.
    pub(super) fn of_client(&self, number: usize) -> &str {
        let requests = if number.is_multiple_of(2) { &self.writing } else { &self.all };
        &requests[number / 2 % requests.len()]
    }
}

fn request(overview: &Overview, method: &str, path: &str) -> String {
    let bearer = format!("Bearer {TOKEN}");
    let named = path.replace("{server}", SERVER).replace("{role}", "service");
    let named = named.replace("{kind}", "product").replace("{id}", "0");
    let body = if method == "GET" { String::new() } else { body(path).to_string() };
    // Without sign-in only what agents do needs a token.
    let proof = [("Authorization", bearer.as_str())];
    let headers = if OF_AGENTS.contains(&path) { &proof[..] } else { &[] };
    overview.request((method, &named, true), headers, &body)
}

/// What a route takes; nothing good where a change would be of no use here.
fn body(path: &str) -> Value {
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
