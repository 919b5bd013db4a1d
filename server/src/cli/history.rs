//! The command `history`: prints what happened, or the status of the cluster at a past moment.

use std::fmt::Write as _;
use std::io::Write as _;

use app::cluster::{Span, Timestamp};
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
    let complete_since = loop {
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
            None => break page.complete_since,
        }
    };
    if options.json {
        return Ok(as_json(&Value::Array(answers)));
    }
    if lines.is_empty() {
        return Ok(nothing_happened(options.since, from, &complete_since));
    }
    lines.reverse();
    Ok(lines.concat())
}

/// Also says since when that is known, if the record begins within the span.
fn nothing_happened(since: Span, from: Timestamp, complete_since: &str) -> String {
    let begins = complete_since.parse::<jiff::Timestamp>().map(|at| Timestamp(at.as_millisecond()));
    let begins = begins.ok().filter(|begins| *begins > from);
    let limit = begins.map(|begins| format!(" Nothing is recorded before {}.", begins.rfc3339()));
    format!("Nothing happened in the last {since}.{}\n", limit.unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_happened_it_says_since_when_that_is_recorded() {
        let from = Timestamp(1_795_348_800_000);
        let says = |complete_since: Timestamp| {
            nothing_happened(Span::minutes(60), from, &complete_since.rfc3339())
        };
        assert_eq!(says(from), "Nothing happened in the last 1 h.\n");
        assert_eq!(
            says(from + Span::minutes(30)),
            "Nothing happened in the last 1 h. Nothing is recorded before 2026-11-22T12:30:00.000Z.\n"
        );
    }
}
