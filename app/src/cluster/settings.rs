//! What an admin may set for the cluster, and in which ranges.
//!
//! To add a setting: a field of [`Settings`] with its default, a [`SettingId`], and a line in [`SETTINGS`] with its
//! accessor and its range. The form, the API and the database follow from that; the compiler asks for its sentences in
//! `i18n/sentences/settings.rs`.

use serde::{Deserialize, Serialize};

use super::time::Span;

/// The cluster's settings. All durations are whole seconds. In the database they are one JSON object, so a field that
/// is not there has its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Requests are distributed over several web components.
    pub load_balancing: bool,
    /// Another service takes over when one goes stale.
    pub automatic_failover: bool,
    /// How often a service sends a heartbeat; 1 s to 1 h.
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

/// A setting, apart from its value.
#[derive(Debug)]
pub struct Setting {
    /// On the wire, in forms and in addresses.
    pub name: &'static str,
    pub id: SettingId,
    /// Which values it may have; `None` for a switch.
    pub range: Option<Range>,
    field: fn(&mut Settings) -> Field<'_>,
}

/// Which setting it is: what is said about it is chosen by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingId {
    LoadBalancing,
    AutomaticFailover,
    StaleTimeout,
    HeartbeatInterval,
    WebWindow,
}

/// The durations that a setting may be.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    pub min: Span,
    pub max: Span,
    /// It must also be at least this many heartbeat intervals.
    min_intervals: i64,
    /// What is shorter is legal, and unwise.
    wise_from: Span,
}

/// Where the value of a setting is.
enum Field<'a> {
    Switch(&'a mut bool),
    Seconds(&'a mut u32),
}

/// The value of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingValue {
    Switch(bool),
    Seconds(u32),
}

/// Every setting, in the order of the form.
pub static SETTINGS: [Setting; 5] = [
    Setting {
        name: "load_balancing",
        id: SettingId::LoadBalancing,
        range: None,
        field: |settings| Field::Switch(&mut settings.load_balancing),
    },
    Setting {
        name: "automatic_failover",
        id: SettingId::AutomaticFailover,
        range: None,
        field: |settings| Field::Switch(&mut settings.automatic_failover),
    },
    Setting {
        name: "stale_timeout_s",
        id: SettingId::StaleTimeout,
        range: Some(Range {
            min: Span::seconds(2),
            max: Span::minutes(24 * 60),
            min_intervals: 2,
            wise_from: Span::minutes(5),
        }),
        field: |settings| Field::Seconds(&mut settings.stale_timeout_s),
    },
    Setting {
        name: "heartbeat_interval_s",
        id: SettingId::HeartbeatInterval,
        range: Some(Range {
            min: Span::seconds(1),
            max: Span::minutes(60),
            min_intervals: 0,
            wise_from: Span::seconds(30),
        }),
        field: |settings| Field::Seconds(&mut settings.heartbeat_interval_s),
    },
    Setting {
        name: "web_window_s",
        id: SettingId::WebWindow,
        range: Some(Range {
            min: Span::minutes(1),
            max: Span::minutes(30 * 24 * 60),
            min_intervals: 2,
            wise_from: Span::ZERO,
        }),
        field: |settings| Field::Seconds(&mut settings.web_window_s),
    },
];

impl Setting {
    /// Its value among these settings.
    pub fn get(&self, settings: &Settings) -> SettingValue {
        let mut settings = *settings;
        match (self.field)(&mut settings) {
            Field::Switch(on) => SettingValue::Switch(*on),
            Field::Seconds(seconds) => SettingValue::Seconds(*seconds),
        }
    }

    /// Gives it a value of its own kind; a value of the other kind changes nothing.
    pub fn set(&self, settings: &mut Settings, value: SettingValue) {
        match ((self.field)(settings), value) {
            (Field::Switch(on), SettingValue::Switch(new)) => *on = new,
            (Field::Seconds(seconds), SettingValue::Seconds(new)) => *seconds = new,
            (Field::Switch(_), SettingValue::Seconds(_))
            | (Field::Seconds(_), SettingValue::Switch(_)) => {}
        }
    }

    /// Whether its value is legal but so short that a brief interruption looks like an outage.
    pub fn is_unwise(&self, settings: &Settings) -> bool {
        match (self.get(settings), self.range) {
            (SettingValue::Seconds(seconds), Some(range)) => {
                Span::seconds(seconds.into()) < range.wise_from
            }
            (SettingValue::Switch(_) | SettingValue::Seconds(_), _) => false,
        }
    }

    /// What is wrong with its value.
    fn check(&self, settings: &Settings) -> Option<SettingError> {
        let (SettingValue::Seconds(seconds), Some(range)) = (self.get(settings), self.range) else {
            return None;
        };
        let given = Span::seconds(seconds.into());
        let Range { min, max, min_intervals, .. } = range;
        let twice = settings.interval().times(min_intervals);
        let why = if !(min..=max).contains(&given) {
            SettingErrorKind::OutOfRange { min, max, given }
        } else if given < twice {
            SettingErrorKind::TooShort { twice, given }
        } else {
            return None;
        };
        Some(SettingError { field: self.name, why })
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
    OutOfRange { min: Span, max: Span, given: Span },
    /// It is less than twice the heartbeat interval.
    TooShort {
        /// Twice the interval.
        twice: Span,
        /// What it is.
        given: Span,
    },
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

    /// How long after a mark servers are still judged by what is known: twice the mark's period. The overview itself
    /// may have stood still if it is older, and heartbeats that were sent to it meanwhile are not received yet.
    pub fn max_mark_age(&self) -> Span {
        self.mark_period().times(2)
    }

    /// A longer time between two marks is a blind period: max(5 s, twice the mark's period).
    pub fn max_mark_gap(&self) -> Span {
        self.max_mark_age().max(Span::seconds(5))
    }

    /// What is wrong with each setting that is out of its range, in the order of [`SETTINGS`].
    pub fn check(&self) -> Vec<SettingError> {
        SETTINGS.iter().filter_map(|setting| setting.check(self)).collect()
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
