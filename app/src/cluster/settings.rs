//! What an admin may set for the cluster, in which ranges, and what a change would do.

use serde::{Deserialize, Serialize};

use super::time::Span;

/// The cluster's settings. All durations are whole seconds.
///
/// To add one: a field here, its range in [`Settings::check`], its default below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Requests are spread over several web components.
    pub load_balancing: bool,
    /// Another service takes over when one goes stale.
    pub automatic_failover: bool,
    /// How often a service beats; 1 s to 1 h.
    pub heartbeat_interval_s: u32,
    /// Silence after which a service is stale; 2 s to 24 h, at least twice the interval.
    pub stale_timeout_s: u32,
    /// Silence after which a web component is stale; 1 min to 30 days, at least twice the interval.
    pub web_window_s: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            load_balancing: false,
            automatic_failover: false,
            heartbeat_interval_s: 30,
            stale_timeout_s: 300,
            web_window_s: 86_400,
        }
    }
}

/// One field that does not fit: its name on the wire and what is wrong, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field's name, `os.name` for a nested one.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl FieldError {
    /// An error about `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

/// A setting that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// Its name on the wire.
    pub field: &'static str,
    /// Why it does not fit.
    pub why: SettingErrorKind,
}

/// Why a setting does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingErrorKind {
    /// It is no length of time.
    NotADuration,
    /// It is out of its range.
    OutOfRange {
        /// The least it may be.
        least: Span,
        /// The most it may be.
        most: Span,
        /// What it is.
        given: Span,
    },
    /// It is less than twice the heartbeat interval.
    TooShort {
        /// Twice the interval.
        twice: Span,
        /// What it is.
        given: Span,
    },
}

impl Settings {
    /// How often a service may beat.
    pub const INTERVALS: (Span, Span) = (Span::seconds(1), Span::minutes(60));
    /// After which silence a service may be stale.
    pub const STALE_TIMEOUTS: (Span, Span) = (Span::seconds(2), Span::minutes(24 * 60));
    /// After which silence a web component may be stale.
    pub const WEB_WINDOWS: (Span, Span) = (Span::minutes(1), Span::minutes(30 * 24 * 60));

    /// The heartbeat interval.
    pub fn interval(&self) -> Span {
        Span::seconds(self.heartbeat_interval_s.into())
    }

    /// The stale timeout.
    pub fn stale_timeout(&self) -> Span {
        Span::seconds(self.stale_timeout_s.into())
    }

    /// The web window.
    pub fn web_window(&self) -> Span {
        Span::seconds(self.web_window_s.into())
    }

    /// How often a page asks for news: min(5 s, half the interval), at least 0.5 s.
    pub fn poll_period(&self) -> Span {
        self.interval().half().clamp(Span(500), Span::seconds(5))
    }

    /// How often the observer renews its mark at least: min(10 s, half the interval).
    pub fn mark_period(&self) -> Span {
        self.interval().half().min(Span::seconds(10))
    }

    /// Every field out of its range, or nothing.
    pub fn check(&self) -> Vec<SettingError> {
        let twice = self.interval().times(2);
        let none = Span::ZERO;
        let ranges = [
            ("heartbeat_interval_s", self.interval(), Self::INTERVALS, none),
            ("stale_timeout_s", self.stale_timeout(), Self::STALE_TIMEOUTS, twice),
            ("web_window_s", self.web_window(), Self::WEB_WINDOWS, twice),
        ];
        ranges
            .into_iter()
            .filter_map(|(field, given, (least, most), twice)| {
                let why = if !(least..=most).contains(&given) {
                    SettingErrorKind::OutOfRange { least, most, given }
                } else if given < twice {
                    SettingErrorKind::TooShort { twice, given }
                } else {
                    return None;
                };
                Some(SettingError { field, why })
            })
            .collect()
    }

    /// Legal, but a hiccup of the network looks like a silence: below 30 s.
    pub fn has_tight_interval(&self) -> bool {
        self.interval() < Span::seconds(30)
    }

    /// Legal, but a short pause looks like a death: below 5 min.
    pub fn has_tight_timeout(&self) -> bool {
        self.stale_timeout() < Span::minutes(5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(settings: Settings) -> Vec<&'static str> {
        settings.check().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn the_defaults_and_both_ends_of_every_range_are_accepted() {
        assert!(wrong(Settings::default()).is_empty());
        let least = Settings {
            heartbeat_interval_s: 1,
            stale_timeout_s: 2,
            web_window_s: 60,
            ..Settings::default()
        };
        let most = Settings {
            heartbeat_interval_s: 3_600,
            stale_timeout_s: 86_400,
            web_window_s: 2_592_000,
            ..Settings::default()
        };
        assert!(wrong(least).is_empty());
        assert!(wrong(most).is_empty());
    }

    #[test]
    fn one_beyond_either_end_is_refused_by_name() {
        let base = Settings::default();
        for (settings, field) in [
            (Settings { heartbeat_interval_s: 0, ..base }, "heartbeat_interval_s"),
            (Settings { stale_timeout_s: 86_401, ..base }, "stale_timeout_s"),
            (Settings { stale_timeout_s: 59, ..base }, "stale_timeout_s"),
            (Settings { web_window_s: 59, ..base }, "web_window_s"),
            (Settings { web_window_s: 2_592_001, ..base }, "web_window_s"),
        ] {
            assert_eq!(wrong(settings), [field], "{settings:?}");
        }
        let slow = Settings { heartbeat_interval_s: 3_601, stale_timeout_s: 7_202, ..base };
        assert_eq!(wrong(slow), ["heartbeat_interval_s"]);
    }

    #[test]
    fn both_timeouts_are_at_least_twice_the_interval() {
        let settings = Settings {
            heartbeat_interval_s: 60,
            stale_timeout_s: 119,
            web_window_s: 119,
            ..Settings::default()
        };
        assert_eq!(wrong(settings), ["stale_timeout_s", "web_window_s"]);
        let enough = Settings { stale_timeout_s: 120, web_window_s: 120, ..settings };
        assert!(wrong(enough).is_empty());
    }

    #[test]
    fn a_page_polls_at_half_the_interval_within_half_a_second_and_five() {
        let poll = |interval| {
            Settings { heartbeat_interval_s: interval, ..Settings::default() }.poll_period()
        };
        assert_eq!(poll(1), Span(500));
        assert_eq!(poll(4), Span::seconds(2));
        assert_eq!(poll(3_600), Span::seconds(5));
    }
}
