//! The overview for a terminal, and the exit code it means.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use serde_json::Value;

use super::this_server::warn_if_everybody_reads;
use super::{Failure, args};
use crate::agent::api_client::Client;
use crate::auth::secret::read_secret;
use crate::telemetry::outside_text::{answer_line, json_for_terminal};

/// The exit code when nothing can be known.
const UNKNOWN: u8 = 3;

/// 0 ok, 1 warning, 2 error, 3 unknown.
fn exit_code(overview: &Value) -> u8 {
    match overview["health"].as_str() {
        Some("ok") => 0,
        Some("warning") => 1,
        Some("error") => 2,
        _ => UNKNOWN,
    }
}

/// The overview in one line, as monitoring plug-ins say it: what is wrong, then the counts after a bar.
fn line(overview: &Value) -> String {
    let state = match exit_code(overview) {
        0 => "OK",
        1 => "WARNING",
        2 => "CRITICAL",
        _ => "UNKNOWN",
    };
    let counts = &overview["counts"];
    let titles: Vec<&str> =
        list(&overview["hints"]).iter().filter_map(|hint| hint["title"].as_str()).collect();
    let told = match titles.as_slice() {
        [] => format!("{} servers are in sync", count(&counts["servers"])),
        few if few.len() <= LISTED => few.join("; "),
        many => format!("{}; and {} more", many[..LISTED].join("; "), many.len() - LISTED),
    };
    let figures: Vec<String> =
        COUNTS.iter().map(|name| format!("{name}={}", count(&counts[*name]))).collect();
    one(&format!("{state} - {told}"), &figures.join(" "))
}

/// That the overview cannot be asked, in one line.
fn unknown(why: &str) -> String {
    one(&format!("UNKNOWN - {why}"), "")
}

/// How many hints a line names.
const LISTED: usize = 3;
/// Which counts follow them.
const COUNTS: [&str; 6] = ["servers", "alive", "late", "stale", "stopped", "unknown"];

/// One line: a bar divides what is said from the figures, and stands nowhere else.
fn one(said: &str, figures: &str) -> String {
    let said = answer_line(said).replace('|', "/");
    if figures.is_empty() { format!("{said}\n") } else { format!("{said} | {figures}\n") }
}

/// The overview as lines of text: servers and components, then the hints.
fn text(overview: &Value) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_all(&mut out, overview);
    out
}

fn write_all(out: &mut String, overview: &Value) -> std::fmt::Result {
    // Whatever answers at that address wrote it, and perhaps it is no overview.
    let word = |value: &Value| answer_line(value.as_str().unwrap_or("-"));
    writeln!(out, "health {} as of {}", word(&overview["health"]), word(&overview["as_of"]))?;
    for server in list(&overview["servers"]) {
        writeln!(
            out,
            "\n{}  {}  {}",
            word(&server["name"]),
            word(&server["health"]),
            word(&server["ip"])
        )?;
        for component in list(&server["components"]) {
            writeln!(
                out,
                "  {:<8} {:<8} {:<20} version {:<8} key {:<19} {}",
                word(&component["role"]),
                word(&component["pulse"]),
                word(&component["version"]),
                sync(&component["version_in_sync"], "in sync", "differs"),
                sync(
                    &component["key_in_sync"],
                    "in sync",
                    if component["key_digits"].is_null() {
                        "missing"
                    } else {
                        "decryption failure"
                    }
                ),
                word(&component["why"]),
            )?;
        }
    }
    for hint in list(&overview["hints"]) {
        writeln!(out, "\n{}: {}", word(&hint["severity"]), word(&hint["title"]))?;
        writeln!(out, "  {}", word(&hint["evidence"]))?;
        for (place, step) in list(&hint["steps"]).iter().enumerate() {
            writeln!(out, "  {}. {}", place + 1, word(step))?;
        }
        if let Some(avoid) = hint["avoid"].as_str() {
            writeln!(out, "  Avoid: {}", answer_line(avoid))?;
        }
    }
    Ok(())
}

/// The overview as JSON, for programs and for people at a terminal.
fn json(overview: &Value) -> String {
    json_for_terminal(&format!("{overview:#}\n"))
}

/// A number, or `null` where there is none.
fn count(value: &Value) -> String {
    value.as_u64().map_or_else(|| "null".to_owned(), |count| count.to_string())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn sync(value: &Value, yes: &'static str, no: &'static str) -> &'static str {
    match value.as_bool() {
        Some(true) => yes,
        Some(false) => no,
        None => "-",
    }
}

/// Prints the state of the cluster; the exit code says it too.
pub(super) fn run(options: &args::Status) -> ExitCode {
    let asked = || -> Result<serde_json::Value, Failure> {
        if let Some(path) = options.token_file.as_deref().filter(|_| !options.line) {
            warn_if_everybody_reads(path, "the token");
        }
        let token = options.token_file.as_deref().map(read_secret).transpose()?;
        Ok(Client::new(&options.overview, options.ca_file.as_deref())?
            .get("/api/v1/overview", token.as_deref())?)
    };
    match asked() {
        Ok(overview) => {
            let said = match options {
                args::Status { json: true, .. } => json(&overview),
                args::Status { line: true, .. } => line(&overview),
                args::Status { .. } => text(&overview),
            };
            // A reader that has gone needs no answer; the exit code still tells.
            let _ = std::io::stdout().write_all(said.as_bytes());
            ExitCode::from(exit_code(&overview))
        }
        Err(error) if options.line => {
            // Whoever runs a plug-in reads its output alone.
            let _ = std::io::stdout().write_all(unknown(&error.to_string()).as_bytes());
            ExitCode::from(UNKNOWN)
        }
        Err(error) => {
            eprintln!("cluster-overview: {error}");
            ExitCode::from(UNKNOWN)
        }
    }
}
