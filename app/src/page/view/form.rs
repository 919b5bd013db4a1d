//! The configuration's form: what stands in it, what is wrong with it, and what it would do.

use super::Scene;
use crate::cluster::hints::Arg;
use crate::cluster::{SettingError, Settings, Span};
use crate::page::draft::Draft;
use crate::page::place::Open;

/// The form at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct Form {
    /// What was typed.
    pub(in crate::page) draft: Draft,
    /// The settings it means, if it means any.
    pub(in crate::page) settings: Option<Settings>,
    /// The fields with a length of time.
    pub(in crate::page) entries: [Entry; 3],
    /// What would follow at once, a sentence each.
    pub(in crate::page) effects: Vec<String>,
    /// Why the last attempt to save it was refused.
    pub(in crate::page) refused: Option<String>,
}

/// One field with a length of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct Entry {
    /// Its name in the contract.
    pub(in crate::page) name: &'static str,
    /// Its name for people.
    pub(in crate::page) label: &'static str,
    /// What it means and what may stand in it.
    pub(in crate::page) help: String,
    /// What does not fit.
    pub(in crate::page) error: Option<String>,
    /// What fits but is unwise.
    pub(in crate::page) warning: Option<String>,
}

pub(super) fn form(scene: &Scene<'_>) -> Option<Form> {
    let Open::Configuration(typed) = &scene.place.open else { return None };
    let today = &scene.snapshot.settings;
    let draft = typed.as_ref().map_or_else(|| Draft::of(today), |typed| typed.over(today));
    let read = draft.settings();
    let errors: &[SettingError] = read.as_ref().err().map_or(&[], Vec::as_slice);
    let entry = |name, label, help: &str, (least, most): (Span, Span)| Entry {
        name,
        label: scene.words.label(label),
        help: scene.words.say(help, &[("least", Arg::Span(least)), ("most", Arg::Span(most))]),
        error: errors
            .iter()
            .find(|error| error.field == name)
            .map(|error| error.why.in_words(scene.words)),
        warning: None,
    };
    let mut entries = [
        entry(
            "stale_timeout_s",
            "configure.timeout.label",
            "configure.timeout",
            Settings::STALE_TIMEOUTS,
        ),
        entry(
            "heartbeat_interval_s",
            "configure.interval.label",
            "configure.interval",
            Settings::INTERVALS,
        ),
        entry("web_window_s", "configure.window.label", "configure.window", Settings::WEB_WINDOWS),
    ];
    let settings = read.ok();
    if let Some(settings) = &settings {
        let warn = |tight: bool, key: &str| tight.then(|| scene.words.say(key, &[]));
        entries[0].warning = warn(settings.has_tight_timeout(), "configure.tight.timeout");
        entries[1].warning = warn(settings.has_tight_interval(), "configure.tight.interval");
    }
    let effects = match &settings {
        Some(settings) if settings != today => {
            let mut said = scene.words.effects(scene.snapshot, settings, scene.now);
            if said.is_empty() {
                said.push(scene.words.say("configure.none", &[]));
            }
            said
        }
        _ => Vec::new(),
    };
    let refused = super::panel::refused(scene);
    Some(Form { draft, settings, entries, effects, refused })
}
