//! The overview for a terminal, and the exit code that it means.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use super::this_server::warn_if_everybody_reads;
use super::{Failure, args};
use crate::agent::api_client::Client;
use crate::auth::secret::read_secret;
use crate::http::api::dto::{Component, Health, Hint, Overview};
use crate::store::without_password;
use crate::telemetry::outside_text::{answer_line, json_for_terminal};

/// The exit code when the cluster's health is unknown.
const UNKNOWN: u8 = 3;
/// How many hints a line names.
const MAX_LINE_HINTS: usize = 3;

fn exit_code(health: Health) -> u8 {
    match health {
        Health::Ok => 0,
        Health::Warning => 1,
        Health::Error => 2,
        Health::Unknown => UNKNOWN,
    }
}

/// The overview in one line, as monitoring plug-ins print it: what is wrong, then the counts after a bar.
fn line(overview: &Overview<'_>) -> String {
    let state = match overview.health {
        Health::Ok => "OK",
        Health::Warning => "WARNING",
        Health::Error => "CRITICAL",
        Health::Unknown => "UNKNOWN",
    };
    let counts = &overview.counts;
    let titles: Vec<&str> = overview.hints.items().iter().map(|hint| hint.title.as_str()).collect();
    let summary = match titles.as_slice() {
        [] => format!("{} servers are in sync", counts.servers),
        few if few.len() <= MAX_LINE_HINTS => few.join("; "),
        many => {
            let (named, rest) = many.split_at(MAX_LINE_HINTS);
            format!("{}; and {} more", named.join("; "), rest.len())
        }
    };
    let figures = format!(
        "servers={} alive={} late={} stale={} stopped={} unknown={}",
        counts.servers, counts.alive, counts.late, counts.stale, counts.stopped, counts.unknown
    );
    plug_in_line(&format!("{state} - {summary}"), &figures)
}

/// One line that says why the overview cannot be asked.
fn unknown(why: &str) -> String {
    plug_in_line(&format!("UNKNOWN - {why}"), "")
}

/// One line with the only bar between its text and its figures.
fn plug_in_line(text: &str, figures: &str) -> String {
    let text = answer_line(text).replace('|', "/");
    if figures.is_empty() { format!("{text}\n") } else { format!("{text} | {figures}\n") }
}

/// The overview as lines of text: servers and components, then the hints.
fn text(overview: &Overview<'_>) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write_overview(&mut out, overview);
    out
}

fn write_overview(out: &mut String, overview: &Overview<'_>) -> std::fmt::Result {
    writeln!(out, "health {} as of {}", word(overview.health), answer_line(&overview.as_of))?;
    for server in overview.servers.items() {
        let ip = server.ip.as_deref().unwrap_or("-");
        let (name, ip) = (answer_line(&server.name), answer_line(ip));
        writeln!(out, "\n{name}  {}  {ip}", word(server.health))?;
        for component in &server.components {
            write_component(out, component)?;
        }
    }
    overview.hints.items().iter().try_for_each(|hint| write_hint(out, hint))
}

fn write_component(out: &mut String, component: &Component) -> std::fmt::Result {
    let wrong_key = match component.key_digits {
        None => "missing",
        Some(_) => "decryption failure",
    };
    writeln!(
        out,
        "  {:<8} {:<8} {:<20} version {:<8} key {:<19} {}",
        word(component.role),
        word(component.pulse),
        answer_line(&component.version),
        verdict(component.version_in_sync, "differs"),
        verdict(component.key_in_sync, wrong_key),
        answer_line(&component.why),
    )
}

fn write_hint(out: &mut String, hint: &Hint) -> std::fmt::Result {
    writeln!(out, "\n{}: {}", word(hint.severity), answer_line(&hint.title))?;
    writeln!(out, "  {}", answer_line(&hint.evidence))?;
    for (index, step) in hint.steps.iter().enumerate() {
        writeln!(out, "  {}. {}", index + 1, answer_line(step))?;
    }
    match &hint.avoid {
        Some(avoid) => writeln!(out, "  Avoid: {}", answer_line(avoid)),
        None => Ok(()),
    }
}

/// An enumeration's word on the wire.
fn word(case: impl Serialize) -> String {
    let word = serde_json::to_value(case).unwrap_or_default();
    word.as_str().unwrap_or("-").to_owned()
}

/// Whether something is in sync, if that is known.
fn verdict(in_sync: Option<bool>, differs: &'static str) -> &'static str {
    match in_sync {
        Some(true) => "in sync",
        Some(false) => differs,
        None => "-",
    }
}

/// Prints the state of the cluster; the exit code says it too.
pub(super) fn run(options: &args::Status) -> ExitCode {
    match print(options) {
        Ok(health) => ExitCode::from(exit_code(health)),
        Err(error) if options.line => {
            // A monitoring system reads standard output only.
            let _ = std::io::stdout().write_all(unknown(&error.to_string()).as_bytes());
            ExitCode::from(UNKNOWN)
        }
        Err(error) => {
            eprintln!("cluster-overview: {error}");
            ExitCode::from(UNKNOWN)
        }
    }
}

fn print(options: &args::Status) -> Result<Health, Failure> {
    let answer = get(options)?;
    let json = options.json.then(|| json_for_terminal(&format!("{answer:#}\n")));
    let overview: Overview<'_> = serde_json::from_value(answer).map_err(|error| {
        let why = answer_line(&error.to_string());
        let url = without_password(&options.overview);
        format!("the answer of {url} is not an overview that this version can read: {why}")
    })?;
    let output =
        json.unwrap_or_else(|| if options.line { line(&overview) } else { text(&overview) });
    // If nobody reads the output, the exit code still says it.
    let _ = std::io::stdout().write_all(output.as_bytes());
    Ok(overview.health)
}

fn get(options: &args::Status) -> Result<Value, Failure> {
    if let Some(path) = options.token_file.as_deref().filter(|_| !options.line) {
        warn_if_everybody_reads(path, "the token");
    }
    let token = options.token_file.as_deref().map(read_secret).transpose()?;
    let client = Client::new(&options.overview, options.ca_file.as_deref())?;
    Ok(client.get("/api/v1/overview", token.as_deref())?)
}
