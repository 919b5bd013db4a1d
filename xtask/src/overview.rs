//! How is a server of ours started for measuring, and asked?

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use testkit::{Overview, Serve, TOKEN, exchange, with_field};

use crate::workspace::{self, Profile};

/// Starts one on a file of its own, that reports nothing of itself. It dials the services of this machine
/// also after a restart, when it does not know any more that their heartbeats came from here.
pub(crate) fn start(profile: Profile) -> Overview {
    Serve::with_options(&["--dial-loopback", "all"])
        .program(workspace::server_binary(profile))
        .start()
}

/// The same, on the database at this address.
pub(crate) fn start_on(database: &str, profile: Profile) -> Overview {
    Serve::default().program(workspace::server_binary(profile)).database(database).start()
}

/// Posts heartbeats, and fails unless they are taken.
pub(crate) fn beat(overview: &Overview, heartbeats: &Value) -> Result<()> {
    let answer = overview.post_heartbeats(heartbeats);
    ensure!(answer.status == 200, "heartbeats were answered {}: {}", answer.status, answer.body);
    Ok(())
}

/// The request that posts heartbeats, over a connection that is kept.
pub(crate) fn heartbeats(overview: &Overview, body: &Value) -> String {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("Authorization", bearer.as_str())];
    overview.request(("POST", "/api/v1/heartbeats", true), &headers, &body.to_string())
}

/// What a page has that asks for the first time, and where it is.
pub(crate) fn cursor(overview: &Overview) -> Result<String> {
    let answer = overview.json("POST", "/fn/overview", &json!({"cursor": ""})).body;
    Ok(answer["cursor"].as_str().context("no cursor")?.to_owned())
}

/// The request of a page that has everything up to a cursor, over a connection that is kept.
pub(crate) fn since(overview: &Overview, cursor: &str) -> String {
    overview.request(("POST", "/fn/overview", true), &[], &json!({"cursor": cursor}).to_string())
}

/// The length of an answer's body as it is sent, compressed.
pub(crate) fn length(overview: &Overview, path: &str) -> Result<u64> {
    let request = overview.request(("GET", path, false), &[("Accept-Encoding", "br")], "");
    let answer = exchange(&overview.address(), request.as_bytes())?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.context("the answer has no body")?;
    let headers = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    ensure!(headers.contains("content-encoding: br"), "it came uncompressed: {headers}");
    Ok((answer.len() - end - 4) as u64)
}

/// What the components of so many servers say, one server in ten with another key, one of another
/// version.
pub(crate) fn cluster(servers: impl IntoIterator<Item = usize>, sequence: u64) -> Value {
    let both = |number: usize| {
        let key = if number % 10 == 2 { "07" } else { "9f" }.repeat(32);
        let version = if number % 10 == 4 { "2026.1.9" } else { "2026.2.1" };
        ["web", "service"].map(|role| {
            let beat = with_field(heartbeat(number, role, sequence), "version", json!(version));
            with_field(beat, "key_check", json!(key))
        })
    };
    Value::Array(servers.into_iter().flat_map(both).collect())
}

/// One heartbeat of a server's component.
pub(crate) fn heartbeat(number: usize, role: &str, sequence: u64) -> Value {
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
    let beat = testkit::heartbeat(&format!("server-{number}"), role, sequence);
    let beat = with_field(beat, "ip", json!(format!("10.0.{}.{}", number / 250, number % 250)));
    with_field(beat, "boot_id", json!(format!("{number:08x}-3c0a-4d5e-9f7e-3d1b9f0c2a11")))
}
