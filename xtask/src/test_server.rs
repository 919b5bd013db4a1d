//! How do benchmarks start a server and send it requests?

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use testkit::{Overview, Serve, TOKEN, exchange, with_field};

use crate::workspace::{self, Profile};

/// Starts an overview on a new database file, without components of its own. It may dial all loopback addresses,
/// because after a restart it no longer knows that the heartbeats came from this machine.
pub(crate) fn start(profile: Profile) -> Overview {
    Serve::with_options(&["--dial-loopback", "all"])
        .program(workspace::server_binary(profile))
        .start()
}

/// Starts an overview on the database at this address.
pub(crate) fn start_on_database(database: &str, profile: Profile) -> Overview {
    Serve::default().program(workspace::server_binary(profile)).database(database).start()
}

/// Sends heartbeats, which must be accepted.
pub(crate) fn send_heartbeats(overview: &Overview, heartbeats: &Value) -> Result<()> {
    let answer = overview.post_heartbeats(heartbeats);
    ensure!(answer.status == 200, "heartbeats were answered {}: {}", answer.status, answer.body);
    Ok(())
}

/// The request that sends heartbeats over a connection that is kept open.
pub(crate) fn heartbeats_request(overview: &Overview, body: &Value) -> String {
    let bearer = format!("Bearer {TOKEN}");
    let headers = [("Authorization", bearer.as_str())];
    overview.request(("POST", "/api/v1/heartbeats", true), &headers, &body.to_string())
}

/// The cursor after the first poll of a page.
pub(crate) fn read_cursor(overview: &Overview) -> Result<String> {
    let answer = overview.json("POST", "/fn/overview", &json!({"cursor": ""})).body;
    // It begins with the number of the format, the length of the cursor and the cursor.
    let mut answer = answer.as_str().unwrap_or_default().chars().skip(1);
    let length = answer.next().context("the response has no cursor")?;
    Ok(answer.take(usize::try_from(u32::from(length) % 0x100)?).collect())
}

/// The request for all changes after a cursor, over a connection that is kept open.
pub(crate) fn changes_request(overview: &Overview, cursor: &str) -> String {
    overview.request(("POST", "/fn/overview", true), &[], &json!({"cursor": cursor}).to_string())
}

/// The length of a response's body, compressed with brotli.
pub(crate) fn compressed_length(overview: &Overview, path: &str) -> Result<u64> {
    let request = overview.request(("GET", path, false), &[("Accept-Encoding", "br")], "");
    let answer = exchange(&overview.address(), request.as_bytes())?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.context("the response has no body")?;
    let headers = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    ensure!(
        headers.contains("content-encoding: br"),
        "the response is not compressed with brotli: {headers}"
    );
    Ok((answer.len() - end - 4) as u64)
}

/// Heartbeats of both components of these servers. One server in ten has another key, and one another version.
pub(crate) fn cluster_heartbeats(servers: impl IntoIterator<Item = usize>, sequence: u64) -> Value {
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

pub(crate) fn heartbeat(number: usize, role: &str, sequence: u64) -> Value {
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
    let beat = testkit::heartbeat(&format!("server-{number}"), role, sequence);
    let beat = with_field(beat, "ip", json!(format!("10.0.{}.{}", number / 250, number % 250)));
    with_field(beat, "boot_id", json!(format!("{number:08x}-3c0a-4d5e-9f7e-3d1b9f0c2a11")))
}
