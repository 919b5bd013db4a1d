//! Moments in queries.

use app::cluster::{FieldError, Span, Timestamp};

use crate::http::query::optional;

/// What is wrong with a text that is no moment.
const NOT_A_MOMENT: &str =
    "must be a day (2026-11-28) or a time of RFC 3339 (2026-11-28T03:12:00Z)";
const DAY: Span = Span::minutes(24 * 60);

/// The first moment of a span: a time of RFC 3339, or the beginning of a day in UTC. An error is added to `errors`.
pub(crate) fn first(
    field: &str,
    text: Option<&str>,
    errors: &mut Vec<FieldError>,
) -> Option<Timestamp> {
    read(field, text, Span::ZERO, errors)
}

/// The first moment after a span: a time of RFC 3339, or the end of a day in UTC.
pub(crate) fn last(
    field: &str,
    text: Option<&str>,
    errors: &mut Vec<FieldError>,
) -> Option<Timestamp> {
    read(field, text, DAY, errors)
}

/// A time of RFC 3339.
///
/// # Errors
/// The text is none.
pub(crate) fn exact(field: &str, text: &str) -> Result<Timestamp, FieldError> {
    let moment = text.parse::<jiff::Timestamp>().map(|moment| Timestamp(moment.as_millisecond()));
    moment.map_err(|_| {
        FieldError::new(field, "must be a time of RFC 3339, such as 2026-11-23T03:12:00Z")
    })
}

fn read(
    field: &str,
    text: Option<&str>,
    after: Span,
    errors: &mut Vec<FieldError>,
) -> Option<Timestamp> {
    optional(field, text, |text| parse(text, after), NOT_A_MOMENT, errors)
}

/// A time of RFC 3339; or a day in UTC, to whose beginning `after` is added.
fn parse(text: &str, after: Span) -> Option<Timestamp> {
    if let Ok(day) = text.parse::<jiff::civil::Date>()
        && text.len() == "2026-11-28".len()
    {
        let start = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        return Some(Timestamp(start.as_millisecond()) + after);
    }
    let moment = text.parse::<jiff::Timestamp>().ok()?;
    Some(Timestamp(moment.as_millisecond()))
}
