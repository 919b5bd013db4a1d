//! The command `history`: prints what happened, or the status of the cluster at a past moment.

use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::Value;

use super::status::{get, text};
use super::this_server::warn_if_world_readable;
use super::{Failure, args};
use crate::http::api::dto::{EventPage, HistoryEvent, Overview};
use crate::http::query::encode_value;
use crate::store::without_password;
use crate::telemetry::outside_text::{answer_line, json_for_terminal};

/// So many events are asked for at a time.
const PAGE_LENGTH: usize = 1_000;

pub(super) fn run(options: &args::History) -> Result<(), Failure> {
    if let Some(path) = options.read.token_file.as_deref() {
        warn_if_world_readable(path, "the token");
    }
    let output = match &options.at {
        Some(at) => status_at(options, at)?,
        None => events(options)?,
    };
    // Whoever reads it may have read enough.
    let _ = std::io::stdout().write_all(output.as_bytes());
    Ok(())
}

fn status_at(options: &args::History, at: &str) -> Result<String, Failure> {
    let answer = get(&options.read, &format!("/api/v1/overview?at={}", encode_value(at)))?;
    if options.json {
        return Ok(as_json(&answer));
    }
    let overview: Overview<'_> = read(answer, options)?;
    Ok(text(&overview))
}

/// A line for each event, the oldest first.
fn events(options: &args::History) -> Result<String, Failure> {
    let from = crate::clock::wall() - options.since;
    let server =
        options.server.as_deref().map(|server| format!("&server={}", encode_value(server)));
    let query = format!("from={}{}", from.rfc3339(), server.unwrap_or_default());
    let mut before = String::new();
    let (mut lines, mut answers) = (Vec::new(), Vec::new());
    loop {
        let path = format!("/api/v1/events?limit={PAGE_LENGTH}&{query}{before}");
        let answer = get(&options.read, &path)?;
        if options.json {
            let events = answer.get("events").and_then(Value::as_array);
            answers.extend(events.cloned().unwrap_or_default());
        }
        let page: EventPage = read(answer, options)?;
        lines.extend(page.events.iter().map(line));
        match page.next_before {
            Some(next) => before = format!("&before={}", encode_value(&next)),
            None => break,
        }
    }
    if options.json {
        return Ok(as_json(&Value::Array(answers)));
    }
    if lines.is_empty() {
        return Ok(format!("Nothing happened in the last {}.\n", options.since));
    }
    lines.reverse();
    Ok(lines.concat())
}

fn line(event: &HistoryEvent) -> String {
    let mut line = answer_line(&event.at);
    if let Some(server) = &event.server {
        // Writing to a string cannot fail.
        let _ = write!(line, "  {}", answer_line(server));
    }
    if let Some(role) = event.role {
        let _ = write!(line, " {}", app::cluster::Role::from(role).as_str());
    }
    let _ = writeln!(line, "  {}", answer_line(&event.text));
    line
}

fn as_json(answer: &Value) -> String {
    json_for_terminal(&format!("{answer:#}\n"))
}

fn read<T: serde::de::DeserializeOwned>(
    answer: Value,
    options: &args::History,
) -> Result<T, Failure> {
    serde_json::from_value(answer).map_err(|error| {
        let why = answer_line(&error.to_string());
        let url = without_password(&options.read.overview);
        format!("the answer of {url} is nothing that this version can read: {why}").into()
    })
}
