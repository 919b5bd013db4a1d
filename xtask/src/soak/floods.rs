//! After floods of requests without permission, does the process use as little memory as before?

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use testkit::{Overview, connect, exchange, try_until_ok};

use super::{PartReport, Plan, Target, random, wait_for_accepted_heartbeat};

/// How much more memory the process may use after a flood.
const MEMORY_TOLERANCE_KB: u64 = 20_000;
const MEMORY_RELEASE_TIMEOUT: Duration = Duration::from_secs(10);
const PARALLEL_CLIENTS: usize = 64;
/// Just below the largest body that a sign-in may have.
const LONG_NAME_BYTES: usize = 1_900_000;
const BODY_BYTES: usize = 2 << 20;
const PARALLEL_BODIES: usize = 200;
const IDLE_DURATION: Duration = Duration::from_secs(1);

pub(super) fn run(overview: &mut Overview, _: &mut Target, plan: &Plan) -> Result<PartReport> {
    let overview = &*overview;
    let outcomes = [
        flood(overview, "sign-ins with long names", plan.sign_ins, |times| {
            run_in_parallel(times, |number| fail_sign_in(overview, number))
        }),
        flood(overview, "rejected bodies of 2 MiB", plan.bodies, |times| {
            let full = times / PARALLEL_BODIES;
            (0..full).try_for_each(|_| send_rejected_bodies(overview, PARALLEL_BODIES))?;
            send_rejected_bodies(overview, times % PARALLEL_BODIES)
        }),
        flood(overview, "idle connections", plan.idle_connections, |times| {
            hold_idle_connections(overview, times)
        }),
        flood(overview, "unknown tokens", plan.unknown_tokens, |times| {
            run_in_parallel(times, |_| send_unknown_token(overview))
        }),
    ];
    let (passed, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    let failed: Vec<String> =
        failed.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    ensure!(failed.is_empty(), "{}", failed.join("; "));
    let passed: Vec<String> = passed.into_iter().flatten().collect();
    Ok(passed.join(", ").into())
}

/// Floods the overview. A tenth as much runs first, so that memory that is allocated once does not count.
fn flood(
    overview: &Overview,
    what: &str,
    times: usize,
    run: impl Fn(usize) -> Result<()>,
) -> Result<String> {
    run(times / 10)?;
    let before = overview.serve.memory_kb();
    run(times)?;
    let is_same = try_until_ok("its memory to be released", MEMORY_RELEASE_TIMEOUT, || {
        let after = overview.serve.memory_kb();
        let figures = format!("{before} kB before and {after} kB after");
        if after <= before + MEMORY_TOLERANCE_KB { Ok(figures) } else { Err(figures) }
    });
    let figures = is_same.map_err(|error| anyhow!("{times} {what}: {error}"))?;
    wait_for_accepted_heartbeat(overview, what)?;
    Ok(format!("{times} {what}: {figures}"))
}

/// Distributes the calls over parallel clients.
fn run_in_parallel(times: usize, send: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= times {
                return Ok(());
            }
            send(number)?;
        }
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..PARALLEL_CLIENTS).map(|_| scope.spawn(work)).collect();
        clients.into_iter().try_for_each(|client| client.join().unwrap_or(Ok(())))
    })
}

fn hold_idle_connections(overview: &Overview, times: usize) -> Result<()> {
    let open: std::io::Result<Vec<_>> = (0..times).map(|_| connect(&overview.address())).collect();
    thread::sleep(IDLE_DURATION);
    open.map(drop).context("a connection could not be opened")
}

fn fail_sign_in(overview: &Overview, number: usize) -> Result<()> {
    let body = format!("name={number}{}&password=wrong", "n".repeat(LONG_NAME_BYTES));
    let head = format!(
        "POST /sign-in HTTP/1.0\r\nHost: {0}\r\nOrigin: http://{0}\r\nContent-Length: {1}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n",
        overview.address(),
        body.len()
    );
    expect_rejection(overview, &(head + &body))
}

/// Sends bodies with an unknown token. All but the last byte of each is sent before any is complete.
fn send_rejected_bodies(overview: &Overview, times: usize) -> Result<()> {
    let headers = [("Authorization", "Bearer unknown")];
    let body = " ".repeat(BODY_BYTES);
    let request = overview.request(("POST", "/api/v1/heartbeats", false), &headers, &body);
    let (all_but_last, last) = request.as_bytes().split_at(request.len() - 1);
    let mut open = Vec::new();
    for _ in 0..times {
        let mut stream = connect(&overview.address())?;
        // The overview may close the connection before everything is sent.
        let _ = stream.write_all(all_but_last);
        open.push(stream);
    }
    for mut stream in open {
        let mut answer = Vec::new();
        let _ = stream.write_all(last).and_then(|()| stream.read_to_end(&mut answer));
        check_is_rejection(&answer)?;
    }
    Ok(())
}

fn send_unknown_token(overview: &Overview) -> Result<()> {
    let bearer = format!("Bearer unknown-{:x}", random());
    let headers = [("Authorization", bearer.as_str())];
    expect_rejection(overview, &overview.request(("GET", "/api/v1/overview", false), &headers, ""))
}

/// Sends a request that must be rejected, or whose connection is closed.
fn expect_rejection(overview: &Overview, request: &str) -> Result<()> {
    match exchange(&overview.address(), request.as_bytes()) {
        Ok(answer) => check_is_rejection(&answer),
        // Closed before everything was sent. Whether it still accepts requests is checked after the flood.
        Err(_) => Ok(()),
    }
}

fn check_is_rejection(answer: &[u8]) -> Result<()> {
    let text = String::from_utf8_lossy(answer);
    let line = text.lines().next().unwrap_or_default();
    let status: u16 = line.split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default();
    ensure!(line.is_empty() || status >= 400, "a request without permission was answered {line:?}");
    Ok(())
}
