//! Reads and writes queries of URLs.

use std::borrow::Cow;

use app::cluster::FieldError;
use axum::extract::rejection::QueryRejection;
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::http::problem::Problem;

/// What must be encoded in a value: everything except the unreserved characters of RFC 3986.
const ENCODED_IN_VALUE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What neither a query nor a path can contain.
const ENCODED_IN_QUERY: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\\');

/// The first value of a parameter.
pub(crate) fn value<'a>(query: Option<&'a str>, name: &str) -> Option<Cow<'a, str>> {
    let mut pairs = form_urlencoded::parse(query?.as_bytes());
    pairs.find_map(|(known, value)| (known == name).then_some(value))
}

/// All values of a parameter, in order.
pub(crate) fn values<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = Cow<'a, str>> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    pairs.filter_map(move |(known, value)| (known == name).then_some(value))
}

/// Whether a parameter is `true`.
pub(crate) fn is_true(query: Option<&str>, name: &str) -> bool {
    value(query, name).is_some_and(|value| value == "true")
}

/// Encodes a text as the value of a parameter.
pub(crate) fn encode_value(text: &str) -> String {
    utf8_percent_encode(text, ENCODED_IN_VALUE).to_string()
}

/// Encodes only what a query or a path cannot contain.
pub(crate) fn encode_unsafe(text: &str) -> String {
    utf8_percent_encode(text, ENCODED_IN_QUERY).to_string()
}

/// How many entries an answer has if the query does not say.
const DEFAULT_LIMIT: u32 = 100;
pub(crate) const MAX_LIMIT: u32 = 1_000;

/// A parameter that may be absent. If it cannot be parsed, an error that says what it must be is added to `errors`.
pub(crate) fn optional<T>(
    field: &str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Option<T>,
    wanted: &str,
    errors: &mut Vec<FieldError>,
) -> Option<T> {
    let parsed = parse(text?);
    if parsed.is_none() {
        errors.push(FieldError::new(field, wanted));
    }
    parsed
}

/// The parameter `limit`: how many entries an answer has.
pub(crate) fn limit(text: Option<&str>, errors: &mut Vec<FieldError>) -> u32 {
    let parse = |text: &str| text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    let limit = optional("limit", text, parse, &format!("must be 1 to {MAX_LIMIT}"), errors);
    limit.unwrap_or(DEFAULT_LIMIT)
}

/// A query that cannot be read at all.
pub(crate) fn unreadable(rejection: QueryRejection) -> Problem {
    Problem::fields(vec![FieldError::new("query", rejection.to_string())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_and_decoded() {
        let query = Some("force=false&a=%C3%A4+b&force=true&flag");
        assert_eq!(value(query, "a").as_deref(), Some("ä b"));
        assert!(!is_true(query, "force"), "the first one counts");
        assert_eq!(value(query, "flag").as_deref(), Some(""));
        assert_eq!((value(query, "b"), value(None, "a")), (None, None));
    }

    #[test]
    fn characters_that_a_url_cannot_contain_are_encoded() {
        assert_eq!(encode_value("a b&c=ä/~"), "a%20b%26c%3D%C3%A4%2F~");
        assert_eq!(encode_unsafe("lang=de&q=%20ä\\\"#"), "lang=de&q=%20%C3%A4%5C%22%23");
    }
}
