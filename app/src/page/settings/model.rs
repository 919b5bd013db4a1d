//! The configuration's form: what stands in it, what is wrong with it, and what it would do.

use crate::cluster::hints::Arg;
use crate::cluster::{SETTINGS, Setting, SettingError, Settings};
use crate::page::route::dialog::Dialog;
use crate::page::settings::draft::Draft;
use crate::page::view_context::ViewContext;

/// The form at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    /// What was typed.
    pub(crate) draft: Draft,
    /// The settings it means, if it means any.
    pub(crate) settings: Option<Settings>,
    /// Its fields, in the order of [`SETTINGS`].
    pub(crate) fields: Vec<Entry>,
    /// What would follow at once, a sentence each.
    pub(crate) effects: Vec<String>,
    /// Why the last attempt to save it was refused.
    pub(crate) refused: Option<String>,
}

/// One field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its name in the contract.
    pub(crate) name: &'static str,
    /// Its name for people.
    pub(crate) label: &'static str,
    /// What it means and what may stand in it; `None` for a switch.
    pub(crate) help: Option<String>,
    /// What does not fit.
    pub(crate) error: Option<String>,
    /// What fits but is unwise.
    pub(crate) warning: Option<String>,
}

pub(crate) fn form(context: &ViewContext<'_>) -> Option<Form> {
    let Dialog::Settings(typed) = &context.route.dialog else { return None };
    let today = &context.snapshot.settings;
    let draft = typed.as_ref().map_or_else(|| Draft::of(today), |typed| typed.rebase_onto(today));
    let read = draft.settings();
    let errors: &[SettingError] = read.as_ref().err().map_or(&[], Vec::as_slice);
    let fields = SETTINGS.iter().map(|setting| {
        let error = errors.iter().find(|error| error.field == setting.name);
        entry(context, setting, error, read.as_ref().ok())
    });
    let fields = fields.collect();
    let settings = read.ok();
    let effects = match &settings {
        Some(settings) if settings != today => {
            let mut said = context.words.effects(context.snapshot, settings, context.now);
            if said.is_empty() {
                said.push(context.words.say("configure.none", &[]));
            }
            said
        }
        _ => Vec::new(),
    };
    let refused = context.command_error();
    Some(Form { draft, settings, fields, effects, refused })
}

fn entry(
    context: &ViewContext<'_>,
    setting: &Setting,
    error: Option<&SettingError>,
    settings: Option<&Settings>,
) -> Entry {
    let say = |part: &str, args: &[(&'static str, Arg)]| {
        context.words.say(&format!("settings.{}.{part}", setting.key), args)
    };
    let unwise = settings.is_some_and(|settings| setting.is_unwise(settings));
    Entry {
        name: setting.name,
        label: context.words.label(&format!("settings.{}.label", setting.key)),
        help: setting.range.map(|range| {
            say("help", &[("min", Arg::Span(range.min)), ("max", Arg::Span(range.max))])
        }),
        error: error.map(|error| error.why.in_words(context.words)),
        warning: unwise.then(|| say("unwise", &[])),
    }
}
