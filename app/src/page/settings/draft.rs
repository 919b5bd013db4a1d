//! What was typed into the settings form, and the settings that it means.

use crate::cluster::{
    SETTINGS, Setting, SettingError, SettingErrorKind, SettingValue, Settings, Span,
};
use crate::page::route::query::to_query;

/// What a browser sends for a checked checkbox. For one that is not checked it sends nothing.
pub(crate) const CHECKED: &str = "on";

/// The values of the form, valid or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    pub typed: [String; SETTINGS.len()],
    /// The settings when the form was opened: a field that still has them was not edited.
    pub base: Option<Settings>,
}

impl Draft {
    pub fn from_settings(settings: &Settings) -> Self {
        let typed = SETTINGS.each_ref().map(|setting| format_value(setting.get(settings)));
        Self { typed, base: Some(*settings) }
    }

    /// The draft on top of the current settings: fields that were not edited take the values that another admin
    /// has saved meanwhile, so that saving this form does not undo them.
    #[must_use]
    pub fn rebase_onto(&self, current: &Settings) -> Self {
        let Some(base) = self.base.filter(|base| base != current) else { return self.clone() };
        let (was, mut next) = (Self::from_settings(&base), Self::from_settings(current));
        for ((next, typed), was) in next.typed.iter_mut().zip(&self.typed).zip(&was.typed) {
            if typed != was {
                next.clone_from(typed);
            }
        }
        next
    }

    /// Reads the form as a browser sends it; `None` if the query has no field of it.
    pub fn from_pairs(pairs: &[(String, String)]) -> Option<Self> {
        let get = |name: &str| {
            pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        // A checkbox that is not checked is not sent, so only the other fields show that there is a form.
        let is_sent = |setting: &Setting| setting.range.is_some() && get(setting.name).is_some();
        SETTINGS.iter().any(is_sent).then(|| Self {
            typed: SETTINGS.each_ref().map(|setting| get(setting.name).unwrap_or_default()),
            base: get("began").and_then(|text| read_base(&text)),
        })
    }

    /// The form as a browser sends it.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let fields = SETTINGS.iter().zip(&self.typed);
        let sent = fields.filter(|(setting, typed)| setting.range.is_some() || !typed.is_empty());
        sent.map(|(setting, typed)| (setting.name, typed.clone())).collect()
    }

    /// A hidden field with the settings when the form was opened.
    pub fn base_field(&self) -> Option<(&'static str, String)> {
        let base = self.base?;
        let numbers = SETTINGS.each_ref().map(|setting| match setting.get(&base) {
            SettingValue::Switch(on) => u32::from(on).to_string(),
            SettingValue::Seconds(seconds) => seconds.to_string(),
        });
        Some(("began", numbers.join("-")))
    }

    /// Changes with every edit.
    pub fn fingerprint(&self) -> String {
        to_query(self.pairs())
    }

    /// The settings it means.
    ///
    /// # Errors
    /// One entry per field that cannot be read or is out of its range.
    pub fn settings(&self) -> Result<Settings, Vec<SettingError>> {
        let mut settings = Settings::default();
        let mut errors = Vec::new();
        for (setting, typed) in SETTINGS.iter().zip(&self.typed) {
            if setting.range.is_none() {
                setting.set(&mut settings, SettingValue::Switch(!typed.is_empty()));
                continue;
            }
            let seconds = Span::parse(typed).and_then(|span| u32::try_from(span.0 / 1_000).ok());
            if seconds.is_none() {
                let why = SettingErrorKind::NotADuration;
                errors.push(SettingError { field: setting.name, why });
            }
            setting.set(&mut settings, SettingValue::Seconds(seconds.unwrap_or_default()));
        }
        let is_readable =
            |error: &SettingError| errors.iter().all(|known| known.field != error.field);
        let out_of_range: Vec<_> = settings.check().into_iter().filter(is_readable).collect();
        errors.extend(out_of_range);
        if errors.is_empty() { Ok(settings) } else { Err(errors) }
    }
}

fn read_base(text: &str) -> Option<Settings> {
    let mut base = Settings::default();
    let mut numbers = text.split('-');
    for setting in &SETTINGS {
        let number = numbers.next()?.parse().ok()?;
        let value = match setting.get(&base) {
            SettingValue::Switch(_) => SettingValue::Switch(number == 1),
            SettingValue::Seconds(_) => SettingValue::Seconds(number),
        };
        setting.set(&mut base, value);
    }
    Some(base)
}

fn format_value(value: SettingValue) -> String {
    match value {
        SettingValue::Switch(on) => if on { CHECKED } else { "" }.to_owned(),
        SettingValue::Seconds(seconds) => Span::seconds(seconds.into()).exact(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(mut draft: Draft, name: &str, text: &str) -> Draft {
        let place = SETTINGS.iter().position(|setting| setting.name == name).unwrap();
        draft.typed[place] = text.to_owned();
        draft
    }

    #[test]
    fn a_form_says_the_settings_it_was_made_of() {
        for settings in [
            Settings::default(),
            Settings { stale_timeout_s: 86_399, web_window_s: 2_592_000, ..Settings::default() },
            Settings { load_balancing: true, automatic_failover: true, ..Settings::default() },
        ] {
            assert_eq!(Draft::from_settings(&settings).settings(), Ok(settings));
        }
        assert_eq!(
            Draft::from_settings(&Settings::default()).typed,
            ["", "", "5 min", "30 s", "24 h"]
        );
    }

    #[test]
    fn what_another_admin_saved_meanwhile_stands_where_nothing_was_typed() {
        let began = Settings::default();
        let typed = typed(Draft::from_settings(&began), "stale_timeout_s", "10 min");
        let current = Settings { load_balancing: true, web_window_s: 7_200, ..began };
        let merged = typed.rebase_onto(&current).settings().unwrap();
        assert_eq!(merged, Settings { stale_timeout_s: 600, ..current });
        assert_eq!(typed.rebase_onto(&began), typed);
    }

    #[test]
    fn a_form_carries_what_it_began_with() {
        let settings = Settings { automatic_failover: true, ..Settings::default() };
        let draft = Draft::from_settings(&settings);
        let pairs = draft.pairs().into_iter().chain(draft.base_field());
        let pairs: Vec<_> = pairs.map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(Draft::from_pairs(&pairs), Some(draft));
    }

    #[test]
    fn each_field_that_cannot_be_read_or_does_not_fit_is_named_once() {
        let wrong = typed(Draft::default(), "heartbeat_interval_s", "soon");
        let wrong = typed(wrong, "stale_timeout_s", "1 s");
        let mut named: Vec<_> =
            wrong.settings().unwrap_err().into_iter().map(|error| error.field).collect();
        named.sort_unstable();
        assert_eq!(named, ["heartbeat_interval_s", "stale_timeout_s", "web_window_s"]);
    }
}
