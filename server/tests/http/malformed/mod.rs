//! Whatever is wrong with a request: each bad field is named, the status is the contract's, and nothing
//! is stored.

mod acts;
mod bodies;
mod fields;

use serde_json::Value;

use crate::harness::{Answer, Running, heartbeat};

/// A field, what stands in it, and what must be said of it.
pub(super) type Row = (&'static str, Value, String);

/// Values of a field for which the same must be said.
pub(super) fn each<const N: usize>(
    field: &'static str,
    values: [Value; N],
    said: &str,
) -> Vec<Row> {
    values.into_iter().map(|value| (field, value, said.to_owned())).collect()
}

/// The heartbeat with one field otherwise, also one within `os`.
pub(super) fn set(mut beat: Value, field: &str, value: Value) -> Value {
    match field.split_once('.') {
        Some((outer, inner)) => beat[outer][inner] = value,
        None => beat[field] = value,
    }
    beat
}

/// What is named, in order, each with what is said of it.
pub(super) fn named(answer: &Answer) -> Vec<(&str, &str)> {
    let errors = answer.body["errors"].as_array();
    let errors = errors.unwrap_or_else(|| panic!("{} {}", answer.status, answer.body));
    errors
        .iter()
        .map(|error| (error["field"].as_str().unwrap(), error["message"].as_str().unwrap()))
        .collect()
}

/// An overview that knows one server, and the picture that must not move.
pub(super) fn with_one() -> (Running, Value) {
    let overview = Running::start();
    assert_eq!(overview.beat(&heartbeat("web-1", "web", 1)).status, 200);
    let picture = overview.overview();
    (overview, picture)
}
