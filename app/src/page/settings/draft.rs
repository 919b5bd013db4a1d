//! What was typed into the configuration's form, and what settings it means.

use crate::cluster::{SettingError, SettingErrorKind, Settings, Span};
use crate::page::route::written;

/// The form as it stands, right or wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Whether load balancing is ticked.
    pub load_balancing: bool,
    /// Whether automatic failover is ticked.
    pub automatic_failover: bool,
    /// The heartbeat interval, as typed.
    pub heartbeat_interval: String,
    /// The stale timeout, as typed.
    pub stale_timeout: String,
    /// The web window, as typed.
    pub web_window: String,
    /// The settings the form began with: where a field still says them, nobody touched it.
    pub began: Option<Settings>,
}

impl Draft {
    /// The form that says these settings.
    pub fn of(settings: &Settings) -> Self {
        Self {
            load_balancing: settings.load_balancing,
            automatic_failover: settings.automatic_failover,
            heartbeat_interval: in_words(settings.interval()),
            stale_timeout: in_words(settings.stale_timeout()),
            web_window: in_words(settings.web_window()),
            began: Some(*settings),
        }
    }

    /// The same over today's settings: what another admin saved meanwhile stands in every field that
    /// was not touched here, so that saving this does not undo it.
    #[must_use]
    pub fn over(&self, today: &Settings) -> Self {
        let Some(began) = self.began.filter(|began| began != today) else { return self.clone() };
        let (was, is) = (Self::of(&began), Self::of(today));
        let text = |of: fn(&Self) -> &String| {
            if of(self) == of(&was) { of(&is).clone() } else { of(self).clone() }
        };
        let tick = |of: fn(&Self) -> bool| if of(self) == of(&was) { of(&is) } else { of(self) };
        Self {
            load_balancing: tick(|draft| draft.load_balancing),
            automatic_failover: tick(|draft| draft.automatic_failover),
            heartbeat_interval: text(|draft| &draft.heartbeat_interval),
            stale_timeout: text(|draft| &draft.stale_timeout),
            web_window: text(|draft| &draft.web_window),
            began: is.began,
        }
    }

    /// The form as a browser sends it; `None` if none of it is there. A box that is not ticked is
    /// not sent.
    pub fn from_pairs(pairs: &[(String, String)]) -> Option<Self> {
        let get = |name: &str| {
            pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        let text = |name: &str| get(name).unwrap_or_default();
        let names = ["heartbeat_interval_s", "stale_timeout_s", "web_window_s"];
        names.iter().any(|name| get(name).is_some()).then(|| Self {
            load_balancing: get("load_balancing").is_some(),
            automatic_failover: get("automatic_failover").is_some(),
            heartbeat_interval: text(names[0]),
            stale_timeout: text(names[1]),
            web_window: text(names[2]),
            began: get("began").and_then(|text| read_began(&text)),
        })
    }

    /// The form as a browser would send it.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let ticked = |name, ticked: bool| ticked.then(|| (name, "on".to_owned()));
        let mut pairs: Vec<_> = ticked("load_balancing", self.load_balancing).into_iter().collect();
        pairs.extend(ticked("automatic_failover", self.automatic_failover));
        pairs.push(("heartbeat_interval_s", self.heartbeat_interval.clone()));
        pairs.push(("stale_timeout_s", self.stale_timeout.clone()));
        pairs.push(("web_window_s", self.web_window.clone()));
        pairs
    }

    /// The settings the form began with, as it carries them along.
    pub fn carried(&self) -> Option<(&'static str, String)> {
        let began = self.began?;
        let Settings { load_balancing, automatic_failover, .. } = began;
        let numbers = [
            u32::from(load_balancing),
            u32::from(automatic_failover),
            began.heartbeat_interval_s,
            began.stale_timeout_s,
            began.web_window_s,
        ];
        Some(("began", numbers.map(|number| number.to_string()).join("-")))
    }

    /// All of it in one word, to tell whether it was changed.
    pub fn shape(&self) -> String {
        written(self.pairs())
    }

    /// The settings it means.
    ///
    /// # Errors
    /// One entry per field that cannot be read or is out of its range.
    pub fn settings(&self) -> Result<Settings, Vec<SettingError>> {
        let mut unreadable = Vec::new();
        let mut seconds = |field: &'static str, typed: &str| {
            let read = Span::parse(typed).and_then(|span| u32::try_from(span.0 / 1_000).ok());
            if read.is_none() {
                unreadable.push(SettingError { field, why: SettingErrorKind::NotADuration });
            }
            read.unwrap_or_default()
        };
        let settings = Settings {
            load_balancing: self.load_balancing,
            automatic_failover: self.automatic_failover,
            heartbeat_interval_s: seconds("heartbeat_interval_s", &self.heartbeat_interval),
            stale_timeout_s: seconds("stale_timeout_s", &self.stale_timeout),
            web_window_s: seconds("web_window_s", &self.web_window),
        };
        let mut errors = settings.check();
        errors.retain(|error| unreadable.iter().all(|known| known.field != error.field));
        errors.extend(unreadable);
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }
}

fn read_began(text: &str) -> Option<Settings> {
    let mut numbers = text.split('-').map(|number| number.parse::<u32>().ok());
    let mut next = || numbers.next().flatten();
    Some(Settings {
        load_balancing: next()? == 1,
        automatic_failover: next()? == 1,
        heartbeat_interval_s: next()?,
        stale_timeout_s: next()?,
        web_window_s: next()?,
    })
}

/// A span as it stands in the form: in words where they say it to the second.
fn in_words(span: Span) -> String {
    if span == Span::minutes(24 * 60) {
        return "24 h".to_owned();
    }
    let words = span.to_string();
    if Span::parse(&words) == Some(span) { words } else { format!("{} s", span.0 / 1_000) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_the_settings_it_was_made_of() {
        for settings in [
            Settings::default(),
            Settings { stale_timeout_s: 86_399, web_window_s: 2_592_000, ..Settings::default() },
            Settings { load_balancing: true, automatic_failover: true, ..Settings::default() },
        ] {
            assert_eq!(Draft::of(&settings).settings(), Ok(settings));
        }
        assert_eq!(Draft::of(&Settings::default()).web_window, "24 h");
        assert_eq!(Draft::of(&Settings::default()).stale_timeout, "5 min");
    }

    #[test]
    fn what_another_admin_saved_meanwhile_stands_where_nothing_was_typed() {
        let began = Settings::default();
        let typed = Draft { stale_timeout: "10 min".into(), ..Draft::of(&began) };
        let today = Settings { load_balancing: true, web_window_s: 7_200, ..began };
        let merged = typed.over(&today).settings().unwrap();
        assert_eq!(merged, Settings { stale_timeout_s: 600, ..today });
        assert_eq!(typed.over(&began), typed);
    }

    #[test]
    fn a_form_carries_what_it_began_with() {
        let settings = Settings { automatic_failover: true, ..Settings::default() };
        let draft = Draft::of(&settings);
        let pairs = draft.pairs().into_iter().chain(draft.carried());
        let pairs: Vec<_> = pairs.map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(Draft::from_pairs(&pairs), Some(draft));
    }

    #[test]
    fn each_field_that_cannot_be_read_or_does_not_fit_is_named_once() {
        let wrong = Draft {
            heartbeat_interval: "soon".into(),
            stale_timeout: "1 s".into(),
            web_window: String::new(),
            ..Draft::default()
        };
        let mut named: Vec<_> =
            wrong.settings().unwrap_err().into_iter().map(|error| error.field).collect();
        named.sort_unstable();
        assert_eq!(named, ["heartbeat_interval_s", "stale_timeout_s", "web_window_s"]);
    }
}
