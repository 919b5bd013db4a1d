//! The settings: their summary, and the form with its errors and a preview of what the change would do.

use crate::cluster::hints::Arg;
use crate::cluster::{SETTINGS, Setting, SettingError, Settings, Span};
use crate::i18n;
use crate::page::route::dialog::Dialog;
use crate::page::settings::draft::Draft;
use crate::page::view_context::ViewContext;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SummaryItem {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) detail: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) draft: Draft,
    /// `None` if a field is invalid.
    pub(crate) settings: Option<Settings>,
    /// In the order of [`SETTINGS`].
    pub(crate) fields: Vec<FormField>,
    /// What saving would change at once, a sentence for each.
    pub(crate) effects: Vec<String>,
    /// Why the last attempt to save was rejected.
    pub(crate) error: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormField {
    /// Its name in the API.
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// Its meaning and range; `None` for a checkbox.
    pub(crate) help: Option<String>,
    pub(crate) error: Option<String>,
    /// A valid value that is not recommended.
    pub(crate) warning: Option<String>,
}

pub(crate) fn form(context: &ViewContext<'_>) -> Option<Form> {
    let Dialog::Settings(typed) = &context.route.dialog else { return None };
    let current = &context.snapshot.settings;
    let draft = typed
        .as_ref()
        .map_or_else(|| Draft::from_settings(current), |typed| typed.rebase_onto(current));
    let parsed = draft.settings();
    let errors: &[SettingError] = parsed.as_ref().err().map_or(&[], Vec::as_slice);
    let fields = SETTINGS.iter().map(|setting| {
        let error = errors.iter().find(|error| error.field == setting.name);
        form_field(context, setting, error, parsed.as_ref().ok())
    });
    let fields = fields.collect();
    let settings = parsed.ok();
    let effects = match &settings {
        Some(settings) if settings != current => {
            let mut effects = context.words.effects(context.snapshot, settings, context.now);
            if effects.is_empty() {
                effects.push(context.words.say("configure.none", &[]));
            }
            effects
        }
        _ => Vec::new(),
    };
    let error = context.command_error();
    Some(Form { draft, settings, fields, effects, error })
}

fn form_field(
    context: &ViewContext<'_>,
    setting: &Setting,
    error: Option<&SettingError>,
    settings: Option<&Settings>,
) -> FormField {
    let say = |part: &str, args: &[(&'static str, Arg)]| {
        context.words.say(&format!("settings.{}.{part}", setting.key), args)
    };
    let unwise = settings.is_some_and(|settings| setting.is_unwise(settings));
    FormField {
        name: setting.name,
        label: context.words.label(&format!("settings.{}.label", setting.key)),
        help: setting.range.map(|range| {
            say("help", &[("min", Arg::Span(range.min)), ("max", Arg::Span(range.max))])
        }),
        error: error.map(|error| error.why.in_words(context.words)),
        warning: unwise.then(|| say("unwise", &[])),
    }
}

pub(crate) fn summary(context: &ViewContext<'_>) -> Vec<SummaryItem> {
    let ViewContext { snapshot, overview, words, .. } = *context;
    let settings = &snapshot.settings;
    let counts = &overview.counts;
    let on = |on: bool| words.label(if on { "fact.on" } else { "fact.off" }).to_owned();
    let compared: usize = overview
        .servers
        .iter()
        .filter(|server| {
            server.components.iter().any(|c| !c.component.is_observer() && !c.component.stopped)
        })
        .count();
    let reference = overview
        .reference_version
        .as_ref()
        .and_then(|reference| overview.versions.iter().find(|count| count.version == *reference));
    let item = |key, value, detail| SummaryItem { label: words.label(key), value, detail };
    let span = |key, span: String| words.say(key, &[("span", Arg::Text(span))]);
    let number = |name, number| (name, Arg::Number(number));
    vec![
        item(
            "fact.servers",
            i18n::number(counts.servers),
            words.say(
                "fact.components",
                &[number("web", counts.web), number("service", counts.service)],
            ),
        ),
        item("settings.balancing.label", on(settings.load_balancing), String::new()),
        item(
            "settings.failover.label",
            on(settings.automatic_failover),
            span("fact.stale-after", settings.stale_timeout().to_string()),
        ),
        item(
            "fact.heartbeat",
            span("fact.every", settings.interval().to_string()),
            span("fact.web-window", format_web_window(settings.web_window())),
        ),
        match reference {
            Some(count) => {
                let args = [number("count", count.servers), number("total", compared)];
                item("fact.software", count.version.clone(), words.say("fact.software.on", &args))
            }
            None => item("fact.software", "–".to_owned(), String::new()),
        },
    ]
}

/// The form accepts `24 h` and not `1 d`.
fn format_web_window(span: Span) -> String {
    if span == Span::minutes(24 * 60) { "24 h".to_owned() } else { span.to_string() }
}
