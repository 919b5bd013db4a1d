//! Arbitrary heartbeats and bodies, for the parser for ten seconds and for a running
//! overview for five, or for as many as `CLUSTER_OVERVIEW_FUZZ_SECONDS` says. Nothing panics, every
//! rejection names a field, and what is rejected is not stored.

use arbtest::arbitrary::{Arbitrary as _, Result, Unstructured};
use cluster_overview::ingest::heartbeat_json;
use serde_json::{Map, Value, json};

use crate::harness::{Running, heartbeat};

/// In milliseconds.
fn budget(seconds: u64) -> u64 {
    let chosen = std::env::var("CLUSTER_OVERVIEW_FUZZ_SECONDS");
    chosen.map_or(seconds, |seconds| seconds.parse().unwrap()) * 1_000
}

/// Texts that have a meaning somewhere, and some that often cause errors.
const WORDS: &[&str] = &[
    "",
    " ",
    ".",
    "..",
    "a/b",
    "web",
    "service",
    "WEB",
    "web-1",
    "10.0.0.1",
    "::1",
    "::ffff:1.2.3.4",
    "2026-11-22T12:00:00.000Z",
    "0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11",
    "\u{202e}evil",
    "a\nb",
    "\0",
    "9223372036854775807",
    "ÿ",
    "𝔘𝔫𝔦",
    "<script>",
    "{server}",
    "'; drop table components; --",
];

const FIELDS: &[&str] = &[
    "server",
    "role",
    "product",
    "version",
    "os",
    "ip",
    "boot_id",
    "sequence",
    "sent_at",
    "key_check",
    "machine_key_check",
    "messenger_port",
    "leaving",
    "reporter",
    "unknown",
];

fn any_value(u: &mut Unstructured<'_>, depth: u8) -> Result<Value> {
    Ok(match u.int_in_range(0..=if depth == 0 { 6 } else { 8 })? {
        0 => Value::Null,
        1 => json!(bool::arbitrary(u)?),
        2 => json!(i64::arbitrary(u)?),
        3 => json!(f64::arbitrary(u)?),
        4 => json!(*u.choose(WORDS)?),
        5 => json!(String::arbitrary(u)?),
        6 => json!("x".repeat(u.int_in_range(0..=300)?)),
        7 => {
            let length = u.int_in_range(0..=4)?;
            let list: Result<Vec<Value>> = (0..length).map(|_| any_value(u, depth - 1)).collect();
            Value::Array(list?)
        }
        _ => {
            let mut object = Map::new();
            for _ in 0..u.int_in_range(0..=4)? {
                object.insert((*u.choose(FIELDS)?).to_owned(), any_value(u, depth - 1)?);
            }
            Value::Object(object)
        }
    })
}

/// A valid heartbeat with some fields replaced by any value, or any value at all.
fn any_heartbeat(u: &mut Unstructured<'_>) -> Result<Value> {
    if u.ratio(1, 8)? {
        return any_value(u, 3);
    }
    let mut beat = heartbeat("web-1", "service", 1);
    for _ in 0..u.int_in_range(0..=3)? {
        beat[*u.choose(FIELDS)?] = any_value(u, 2)?;
    }
    Ok(beat)
}

#[test]
fn the_parser_accepts_a_heartbeat_unchanged_or_names_what_is_wrong() {
    arbtest::arbtest(|u| {
        let value = any_heartbeat(u)?;
        match heartbeat_json::parse_heartbeat(&value) {
            Ok(taken) => {
                assert_eq!(value["server"], json!(taken.server), "nothing is guessed");
                assert_eq!(value["version"], json!(taken.facts.version));
                assert_eq!(value["sequence"], json!(taken.sequence));
            }
            Err(errors) => {
                assert!(!errors.is_empty(), "refused without a word: {value}");
                for error in errors {
                    assert!(!error.message.is_empty(), "{value}");
                    let name = error.field.split('.').next().unwrap();
                    assert!(name.is_empty() || FIELDS.contains(&name), "{name} in {value}");
                }
            }
        }
        Ok(())
    })
    .budget_ms(budget(10));
}

#[test]
fn a_running_overview_answers_any_input_and_stores_only_what_it_accepted() {
    let overview = Running::start();
    arbtest::arbtest(|u| {
        let body = match u.int_in_range(0..=4)? {
            0 => Vec::<u8>::arbitrary(u)?,
            1 => any_value(u, 3)?.to_string().into_bytes(),
            2 => json!([any_heartbeat(u)?, any_heartbeat(u)?]).to_string().into_bytes(),
            _ => any_heartbeat(u)?.to_string().into_bytes(),
        };
        let before = overview.overview()["counts"]["servers"].clone();
        let answer = overview.beat_raw(&body);
        let said = String::from_utf8_lossy(&body);
        match answer.status {
            200 => {}
            400 | 413 | 422 => {
                assert!(!answer.body["detail"].as_str().unwrap_or_default().is_empty(), "{said}");
                assert_eq!(overview.overview()["counts"]["servers"], before, "{said}");
            }
            other => panic!("{other} for {said}"),
        }
        Ok(())
    })
    .budget_ms(budget(5));
}
