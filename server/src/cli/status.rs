//! The command `status`: prints the overview for a terminal or a monitoring system, with an exit code.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::Value;

use super::this_server::warn_if_world_readable;
use super::{Failure, args};
use crate::agent::api_client::Client;
use crate::auth::secret::read_secret;
use crate::http::api::dto::{Component, Health, Hint, Overview, Stability};
use crate::store::without_password;
use crate::telemetry::outside_text::{answer_line, json_for_terminal};

/// Also where the overview cannot be reached.
const UNKNOWN_EXIT_CODE: u8 = 3;
/// How many hints the one line of a plug-in names.
const MAX_LINE_HINTS: usize = 3;

fn exit_code(health: Health) -> u8 {
    match health {
        Health::Ok => 0,
        Health::Warning => 1,
        Health::Error => 2,
        Health::Unknown => UNKNOWN_EXIT_CODE,
    }
}

/// The overview in one line, in the format of Nagios plug-ins: what is wrong, then the counts after a bar.
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
    let counts = format!(
        "servers={} alive={} late={} stale={} stopped={} unknown={}",
        counts.servers, counts.alive, counts.late, counts.stale, counts.stopped, counts.unknown
    );
    plug_in_line(&format!("{state} - {summary}"), &counts)
}

/// One line that says why there is no overview.
fn unknown_line(why: &str) -> String {
    plug_in_line(&format!("UNKNOWN - {why}"), "")
}

/// The bar separates text and counts, so the text cannot contain one.
fn plug_in_line(text: &str, counts: &str) -> String {
    let text = answer_line(text).replace('|', "/");
    if counts.is_empty() { format!("{text}\n") } else { format!("{text} | {counts}\n") }
}

/// The overview as lines of text: servers and components, then the hints.
pub(super) fn text(overview: &Overview<'_>) -> String {
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
    let other_key = match component.key_digits {
        None => "missing",
        Some(_) => "decryption failure",
    };
    writeln!(
        out,
        "  {:<8} {:<8} {:<20} version {:<8} key {:<19} {}",
        word(component.role),
        state(component),
        answer_line(&component.version),
        verdict(component.version_in_sync, "differs"),
        verdict(component.key_in_sync, other_key),
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

/// Its pulse, and its stability if that is not steady.
fn state(component: &Component) -> String {
    let pulse = word(component.pulse);
    match component.stability {
        Stability::Steady => pulse,
        Stability::Flapping | Stability::Restarting => {
            format!("{pulse}, {}", word(component.stability))
        }
    }
}

/// The word of an enumeration in the API.
fn word(case: impl Serialize) -> String {
    let word = serde_json::to_value(case).unwrap_or_default();
    word.as_str().unwrap_or("-").to_owned()
}

/// `-`: not known.
fn verdict(in_sync: Option<bool>, differs: &'static str) -> &'static str {
    match in_sync {
        Some(true) => "in sync",
        Some(false) => differs,
        None => "-",
    }
}

/// Prints the overview. The exit code is its health.
pub(super) fn run(options: &args::Status) -> ExitCode {
    match print(options) {
        Ok(health) => ExitCode::from(exit_code(health)),
        Err(error) if options.line => {
            // Monitoring systems read only standard output.
            let _ = std::io::stdout().write_all(unknown_line(&error.to_string()).as_bytes());
            ExitCode::from(UNKNOWN_EXIT_CODE)
        }
        Err(error) => {
            eprintln!("cluster-overview: {error}");
            ExitCode::from(UNKNOWN_EXIT_CODE)
        }
    }
}

fn print(options: &args::Status) -> Result<Health, Failure> {
    if let Some(path) = options.read.token_file.as_deref().filter(|_| !options.line) {
        warn_if_world_readable(path, "the token");
    }
    let answer = get(&options.read, "/api/v1/overview")?;
    let json = options.json.then(|| json_for_terminal(&format!("{answer:#}\n")));
    let overview: Overview<'_> = serde_json::from_value(answer).map_err(|error| {
        let why = answer_line(&error.to_string());
        let url = without_password(&options.read.overview);
        format!("the answer of {url} is not an overview that this version can read: {why}")
    })?;
    let output =
        json.unwrap_or_else(|| if options.line { line(&overview) } else { text(&overview) });
    // The exit code is right even if the output cannot be written.
    let _ = std::io::stdout().write_all(output.as_bytes());
    Ok(overview.health)
}

/// Gets a path of the API.
pub(super) fn get(options: &args::ReadOverview, path: &str) -> Result<Value, Failure> {
    let token = options.token_file.as_deref().map(read_secret).transpose()?;
    let client = Client::new(&options.overview, options.ca_file.as_deref())?;
    Ok(client.get(path, token.as_deref())?)
}
