//! Malformed requests: each invalid field is named, the status is the documented one, and nothing
//! is stored.

mod acts;
mod bodies;
mod fields;

use serde_json::Value;

use crate::harness::{Answer, Running, heartbeat};

/// A field, its value, and the expected message.
pub(super) type Row = (&'static str, Value, String);

/// Values of a field with the same expected message.
pub(super) fn each<const N: usize>(
    field: &'static str,
    values: [Value; N],
    said: &str,
) -> Vec<Row> {
    values.into_iter().map(|value| (field, value, said.to_owned())).collect()
}

/// The heartbeat with another value of one field, also within `os`.
pub(super) fn set(mut beat: Value, field: &str, value: Value) -> Value {
    match field.split_once('.') {
        Some((outer, inner)) => beat[outer][inner] = value,
        None => beat[field] = value,
    }
    beat
}

/// The named fields in order, each with its message.
pub(super) fn named(answer: &Answer) -> Vec<(&str, &str)> {
    let errors = answer.body["errors"].as_array();
    let errors = errors.unwrap_or_else(|| panic!("{} {}", answer.status, answer.body));
    errors
        .iter()
        .map(|error| (error["field"].as_str().unwrap(), error["message"].as_str().unwrap()))
        .collect()
}

/// An overview with one server, and its state, which must not change.
pub(super) fn with_one() -> (Running, Value) {
    let overview = Running::start();
    assert_eq!(overview.beat(&heartbeat("web-1", "web", 1)).status, 200);
    let picture = overview.overview();
    (overview, picture)
}
