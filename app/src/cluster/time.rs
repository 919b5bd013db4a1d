//! Which moments and spans there are: whole milliseconds, in the database, on the wire and in wasm.

use std::fmt;
use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// A moment: milliseconds since 1970-01-01T00:00:00Z by the database's clock.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// A length of time in milliseconds; negative where a clock ran backwards.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Span(pub i64);

impl Timestamp {
    /// Later than every moment.
    pub const MAX: Self = Self(i64::MAX);
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The smallest step this program knows: a boundary belongs to the better state, so the worse
    /// one begins a tick later.
    pub const TICK: Self = Self(1);

    /// A span of whole seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// A span of whole minutes.
    pub const fn minutes(minutes: i64) -> Self {
        Self::seconds(minutes.saturating_mul(60))
    }

    /// A span as people write it: `30`, `30 s`, `5 min`, `5 minutes`, `1 h 30 min`, `2 Tage`, `1 y`. A unit may be cut short; a number
    /// without one counts seconds. Anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut rest = text.trim();
        let mut seconds: i64 = 0;
        if rest.is_empty() {
            return None;
        }
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let number: i64 = rest[..end].parse().ok()?;
            let after = rest[end..].trim_start();
            let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
            let size = match &after[..end] {
                "" if after.is_empty() && seconds == 0 => 1,
                "" => return None,
                unit => size_of_unit(&unit.to_ascii_lowercase())?,
            };
            seconds = seconds.checked_add(number.checked_mul(size)?)?;
            rest = after[end..].trim_start();
        }
        Some(Self::seconds(seconds))
    }

    /// This span to the second, as people write it and [`Self::parse`] reads it: `5 min`, `24 h`, `90061 s`.
    pub fn exact(self) -> String {
        if self == Self::minutes(24 * 60) {
            return "24 h".to_owned();
        }
        let text = self.to_string();
        if Self::parse(&text) == Some(self) { text } else { format!("{} s", self.0 / 1_000) }
    }

    /// To the nearest second, as people read it: the ends of a state are often a tick off. Less than a second stays as it is.
    #[must_use]
    pub const fn to_nearest_second(self) -> Self {
        if self.0 < 1_000 { self } else { Self((self.0 + 500) / 1_000 * 1_000) }
    }

    /// This span `factor` times.
    #[must_use]
    pub const fn times(self, factor: i64) -> Self {
        Self(self.0.saturating_mul(factor))
    }

    /// Half of this span, rounded down.
    #[must_use]
    pub const fn half(self) -> Self {
        Self(self.0 / 2)
    }
}

/// The seconds of a unit, in full or cut short, in English or German.
fn size_of_unit(unit: &str) -> Option<i64> {
    const UNITS: [(&str, i64); 10] = [
        ("seconds", 1),
        ("sekunden", 1),
        ("minutes", 60),
        ("minuten", 60),
        ("hours", 3_600),
        ("stunden", 3_600),
        ("days", 86_400),
        ("tage", 86_400),
        // Without leap days, so that ten years are 3,650 days.
        ("years", 31_536_000),
        ("jahre", 31_536_000),
    ];
    let known = UNITS.iter().find(|(name, _)| name.starts_with(unit));
    known.map(|(_, seconds)| *seconds)
}

impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Sub for Timestamp {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// A moment taken apart in the proleptic Gregorian calendar, UTC.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    milli: i64,
}

impl Civil {
    /// Days to date after Howard Hinnant's `civil_from_days`: eras of 400 years that begin in March.
    fn from_timestamp(moment: Timestamp) -> Self {
        let days = moment.0.div_euclid(86_400_000);
        let within = moment.0.rem_euclid(86_400_000);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * march_month + 2) / 5 + 1,
            hour: within / 3_600_000,
            minute: within / 60_000 % 60,
            second: within / 1_000 % 60,
            milli: within % 1_000,
        }
    }
}

impl Timestamp {
    /// `2026-11-22T12:00:00.000Z`: RFC 3339, UTC, with milliseconds.
    pub fn rfc3339(self) -> String {
        let c = Civil::from_timestamp(self);
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            c.year, c.month, c.day, c.hour, c.minute, c.second, c.milli
        )
    }

    /// `12:00:03Z`, for a sentence about today.
    pub fn clock(self) -> String {
        let c = Civil::from_timestamp(self);
        format!("{:02}:{:02}:{:02}Z", c.hour, c.minute, c.second)
    }

    /// `2026-11-22 12:00:03Z`, for a sentence about any day.
    pub fn date_and_clock(self) -> String {
        let c = Civil::from_timestamp(self);
        format!("{:04}-{:02}-{:02} {}", c.year, c.month, c.day, self.clock())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl fmt::Display for Span {
    /// `6 min 12 s`, `2 h 5 min`, `3 d 4 h`, `250 ms`: the two largest units, as people say it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.max(0);
        if ms < 1_000 {
            return if ms == 0 { f.write_str("0 s") } else { write!(f, "{ms} ms") };
        }
        let seconds = ms / 1_000;
        let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
        let first = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(3);
        let (size, name) = units[first];
        write!(f, "{} {name}", seconds / size)?;
        if let Some((next, name)) = units.get(first + 1) {
            let rest = seconds % size / next;
            if rest > 0 {
                write!(f, " {rest} {name}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_rfc_3339_with_milliseconds() {
        assert_eq!(Timestamp(0).rfc3339(), "1970-01-01T00:00:00.000Z");
        assert_eq!(Timestamp(1_795_348_800_007).rfc3339(), "2026-11-22T12:00:00.007Z");
        assert_eq!(Timestamp(951_827_696_789).rfc3339(), "2000-02-29T12:34:56.789Z");
        assert_eq!(Timestamp(-1).rfc3339(), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn a_span_is_read_as_people_write_it() {
        let read = |text: &str| Span::parse(text).map(|span| span.0 / 1_000);
        for (text, seconds) in [
            ("30", 30),
            (" 30 s ", 30),
            ("5min", 300),
            ("5 m", 300),
            ("1 h 30 min", 5_400),
            ("24 h", 86_400),
            ("5 minutes", 300),
            ("1 Stunde 30 Minuten", 5_400),
            ("1 day", 86_400),
            ("2 d", 172_800),
            ("10y", 315_360_000),
            ("1 year 2 days", 31_708_800),
            ("2 Jahre", 63_072_000),
            ("0", 0),
        ] {
            assert_eq!(read(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            " ",
            "soon",
            "-5",
            "1.5",
            "5 weeks",
            "5 months",
            "1 h 30",
            "999999999999 y",
            "99999999999999999999",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_span_to_the_second_is_read_as_it_was_written() {
        for (seconds, text) in [
            (0, "0 s"),
            (90, "1 min 30 s"),
            (300, "5 min"),
            (86_400, "24 h"),
            (172_800, "2 d"),
            (90_061, "90061 s"),
        ] {
            assert_eq!(Span::seconds(seconds).exact(), text);
            assert_eq!(Span::parse(text), Some(Span::seconds(seconds)));
        }
    }

    #[test]
    fn a_span_that_is_a_tick_off_is_said_in_whole_seconds() {
        let said = |ms: i64| Span(ms).to_nearest_second().to_string();
        assert_eq!([299_999, 300_001, 250, 1_499].map(said), ["5 min", "5 min", "250 ms", "1 s"]);
    }

    #[test]
    fn a_span_is_said_in_its_two_largest_units() {
        let said = |ms: i64| Span(ms).to_string();
        assert_eq!(said(0), "0 s");
        assert_eq!(said(250), "250 ms");
        assert_eq!(said(59_999), "59 s");
        assert_eq!(said(372_000), "6 min 12 s");
        assert_eq!(said(300_000), "5 min");
        assert_eq!(said(86_400_000), "1 d");
        assert_eq!(said(7_500_000), "2 h 5 min");
    }
}
