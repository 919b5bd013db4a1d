//! Floods by who has no right to anything: afterwards the process is as small as before.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use testkit::{Overview, connect, exchange, try_until_ok};

use super::{Held, Plan, Target, random, takes_heartbeats};

/// What the memory may differ by before and after a flood.
const SAME_MEMORY_KB: u64 = 20_000;
/// Within so long what a flood needed is given back.
const GIVEN_BACK_TIMEOUT: Duration = Duration::from_secs(10);
/// How many clients ask at a time.
const CLIENTS_AT_ONCE: usize = 64;
/// A name that just fits into a request.
const LONG_NAME_BYTES: usize = 1_900_000;
/// As long as a body may be.
const BODY_BYTES: usize = 2 << 20;
/// So many of them at a time.
const BODIES_AT_ONCE: usize = 200;
/// How long idle connections are held.
const IDLE: Duration = Duration::from_secs(1);

pub(super) fn run(overview: &mut Overview, _: &mut Target, plan: &Plan) -> Result<Held> {
    let overview = &*overview;
    let outcomes = [
        flood(overview, "sign-ins with long names", plan.sign_ins, |times| {
            at_once(times, |number| sign_in(overview, number))
        }),
        flood(overview, "refused bodies of 2 MiB", plan.bodies, |times| {
            let full = times / BODIES_AT_ONCE;
            (0..full).try_for_each(|_| refused_bodies(overview, BODIES_AT_ONCE))?;
            refused_bodies(overview, times % BODIES_AT_ONCE)
        }),
        flood(overview, "idle connections", plan.idle_connections, |times| idle(overview, times)),
        flood(overview, "unknown tokens", plan.unknown_tokens, |times| {
            at_once(times, |_| unknown_token(overview))
        }),
    ];
    let (held, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    let failed: Vec<String> =
        failed.into_iter().filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    ensure!(failed.is_empty(), "{}", failed.join("; "));
    let held: Vec<String> = held.into_iter().flatten().collect();
    Ok(held.join(", ").into())
}

/// Floods the overview, a tenth as much beforehand, so that what is made once is there.
fn flood(
    overview: &Overview,
    what: &str,
    times: usize,
    of: impl Fn(usize) -> Result<()>,
) -> Result<String> {
    of(times / 10)?;
    let before = overview.serve.memory_kb();
    of(times)?;
    let is_same = try_until_ok("its memory to be given back", GIVEN_BACK_TIMEOUT, || {
        let after = overview.serve.memory_kb();
        let told = format!("{before} kB before and {after} kB after");
        if after <= before + SAME_MEMORY_KB { Ok(told) } else { Err(told) }
    });
    let told = is_same.map_err(|error| anyhow!("{times} {what}: {error}"))?;
    takes_heartbeats(overview, what)?;
    Ok(format!("{times} {what}: {told}"))
}

/// So many times, by many at once.
fn at_once(times: usize, ask: impl Fn(usize) -> Result<()> + Sync) -> Result<()> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= times {
                return Ok(());
            }
            ask(number)?;
        }
    };
    thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS_AT_ONCE).map(|_| scope.spawn(work)).collect();
        clients.into_iter().try_for_each(|client| client.join().unwrap_or(Ok(())))
    })
}

fn idle(overview: &Overview, times: usize) -> Result<()> {
    let open: std::io::Result<Vec<_>> = (0..times).map(|_| connect(&overview.address())).collect();
    thread::sleep(IDLE);
    open.map(drop).context("a connection could not be opened")
}

fn sign_in(overview: &Overview, number: usize) -> Result<()> {
    let body = format!("name={number}{}&password=wrong", "n".repeat(LONG_NAME_BYTES));
    let head = format!(
        "POST /sign-in HTTP/1.0\r\nHost: {0}\r\nOrigin: http://{0}\r\nContent-Length: {1}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n",
        overview.address(),
        body.len()
    );
    is_refused(overview, &(head + &body))
}

/// Bodies with a token that nobody knows; all but the last byte of each is there before any is whole.
fn refused_bodies(overview: &Overview, times: usize) -> Result<()> {
    let proof = [("Authorization", "Bearer unknown")];
    let body = " ".repeat(BODY_BYTES);
    let request = overview.request(("POST", "/api/v1/heartbeats", false), &proof, &body);
    let (most, last) = request.as_bytes().split_at(request.len() - 1);
    let mut open = Vec::new();
    for _ in 0..times {
        let mut stream = connect(&overview.address())?;
        // It may have had enough before all was sent.
        let _ = stream.write_all(most);
        open.push(stream);
    }
    for mut stream in open {
        let mut answer = Vec::new();
        let _ = stream.write_all(last).and_then(|()| stream.read_to_end(&mut answer));
        is_no(&answer)?;
    }
    Ok(())
}

fn unknown_token(overview: &Overview) -> Result<()> {
    let bearer = format!("Bearer unknown-{:x}", random());
    let proof = [("Authorization", bearer.as_str())];
    is_refused(overview, &overview.request(("GET", "/api/v1/overview", false), &proof, ""))
}

/// Who asks gets nothing: an answer that says no, or a connection closed in the middle.
fn is_refused(overview: &Overview, request: &str) -> Result<()> {
    match exchange(&overview.address(), request.as_bytes()) {
        Ok(answer) => is_no(&answer),
        // It had enough before all was sent. That it still listens is seen afterwards.
        Err(_) => Ok(()),
    }
}

fn is_no(answer: &[u8]) -> Result<()> {
    let text = String::from_utf8_lossy(answer);
    let line = text.lines().next().unwrap_or_default();
    let status: u16 = line.split(' ').nth(1).unwrap_or_default().parse().unwrap_or_default();
    ensure!(line.is_empty() || status >= 400, "a stranger was answered {line:?}");
    Ok(())
}
