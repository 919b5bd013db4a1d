//! The configuration's form: what stands in it, what is wrong with it, and what it would do.

use crate::cluster::hints::Arg;
use crate::cluster::{SettingError, Settings, Span};
use crate::page::model::Scene;
use crate::page::route::Open;
use crate::page::settings::draft::Draft;

/// The form at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// What was typed.
    pub(crate) draft: Draft,
    /// The settings it means, if it means any.
    pub(crate) settings: Option<Settings>,
    /// The fields with a length of time.
    pub(crate) entries: [Entry; 3],
    /// What would follow at once, a sentence each.
    pub(crate) effects: Vec<String>,
    /// Why the last attempt to save it was refused.
    pub(crate) refused: Option<String>,
}

/// One field with a length of time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its name in the contract.
    pub(crate) name: &'static str,
    /// Its name for people.
    pub(crate) label: &'static str,
    /// What it means and what may stand in it.
    pub(crate) help: String,
    /// What does not fit.
    pub(crate) error: Option<String>,
    /// What fits but is unwise.
    pub(crate) warning: Option<String>,
}

pub(crate) fn form(scene: &Scene<'_>) -> Option<Form> {
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
    let refused = crate::page::panel::model::refused(scene);
    Some(Form { draft, settings, entries, effects, refused })
}
