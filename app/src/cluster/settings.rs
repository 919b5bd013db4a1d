//! What an admin may set for the cluster, in which ranges, and what a change would do.

use serde::{Deserialize, Serialize};

use super::facts::ComponentKey;
use super::snapshot::Snapshot;
use super::status::Pulse;
use super::time::{Span, Timestamp};

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

impl Settings {
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
    pub fn check(&self) -> Vec<FieldError> {
        let twice = self.heartbeat_interval_s.saturating_mul(2);
        let ranges = [
            ("heartbeat_interval_s", self.heartbeat_interval_s, 1, 3_600, 0),
            ("stale_timeout_s", self.stale_timeout_s, 2, 86_400, twice),
            ("web_window_s", self.web_window_s, 60, 2_592_000, twice),
        ];
        ranges
            .into_iter()
            .filter_map(|(field, value, least, most, twice)| {
                if !(least..=most).contains(&value) {
                    let message = format!("must be {least} to {most} seconds; it is {value}");
                    Some(FieldError::new(field, message))
                } else if value < twice {
                    let message = format!(
                        "must be at least twice the heartbeat interval, {twice} seconds; it is {value}"
                    );
                    Some(FieldError::new(field, message))
                } else {
                    None
                }
            })
            .collect()
    }

    /// Legal but tighter than is wise: below 30 s of interval or 5 min of stale timeout.
    pub fn is_tight(&self) -> bool {
        self.heartbeat_interval_s < 30 || self.stale_timeout_s < 300
    }

    /// Whose pulse would be worse at once under these settings, and which it would be.
    pub fn effect(&self, today: &Snapshot, now: Timestamp) -> Vec<(ComponentKey, Pulse)> {
        today
            .components
            .iter()
            .filter_map(|(key, component)| {
                let would = component.pulse(self, &today.spells, now);
                (would.severity() > component.pulse(&today.settings, &today.spells, now).severity())
                    .then(|| (key.clone(), would))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(settings: Settings) -> Vec<String> {
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
