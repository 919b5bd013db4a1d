//! The settings: their summary, and the form with its errors and a preview of what the change would do.

use crate::cluster::hints::Arg;
use crate::cluster::{KeyVerdict, SETTINGS, ServerStatus, Setting, SettingError, Settings};
use crate::i18n::{self, MessageKey};
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
    /// Saving it would change something.
    pub(crate) is_changed: bool,
    /// Somebody has saved other settings since the form was opened.
    pub(crate) saved_meanwhile: bool,
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
    /// Its meaning, and its range if it has one.
    pub(crate) help: String,
    pub(crate) is_switch: bool,
    pub(crate) error: Option<String>,
    /// A valid value that is not recommended.
    pub(crate) warning: Option<&'static str>,
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
            let mut effects = context.catalog.effects(context.snapshot, settings, context.now);
            if effects.is_empty() {
                effects.push(context.catalog.text(MessageKey::PreviewNoChange).to_owned());
            }
            effects
        }
        _ => Vec::new(),
    };
    let error = context.error_in_dialog();
    let is_changed = settings.is_none_or(|settings| settings != *current);
    let saved_meanwhile =
        typed.as_ref().and_then(|typed| typed.base).is_some_and(|base| base != *current);
    Some(Form { draft, settings, fields, is_changed, saved_meanwhile, effects, error })
}

fn form_field(
    context: &ViewContext<'_>,
    setting: &Setting,
    error: Option<&SettingError>,
    settings: Option<&Settings>,
) -> FormField {
    let unwise = settings.is_some_and(|settings| setting.is_unwise(settings));
    FormField {
        name: setting.name,
        label: context.catalog.setting_label(setting),
        help: context.catalog.setting_help(setting),
        is_switch: setting.range.is_none(),
        error: error.map(|error| context.catalog.setting_error(error.why)),
        warning: context.catalog.setting_warning(setting).filter(|_| unwise),
    }
}

pub(crate) fn summary(context: &ViewContext<'_>) -> Vec<SummaryItem> {
    let ViewContext { snapshot, overview, catalog, .. } = *context;
    let settings = &snapshot.settings;
    let counts = &overview.counts;
    let on = |on: bool| {
        catalog.text(if on { MessageKey::FactsOn } else { MessageKey::FactsOff }).to_owned()
    };
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
    let item = |key, value, detail| SummaryItem { label: catalog.text(key), value, detail };
    let span = |key, span: String| catalog.format(key, &[("span", Arg::Text(span))]);
    let number = |name, number| (name, Arg::Number(number));
    vec![
        item(
            MessageKey::FactsServers,
            i18n::number(counts.servers),
            catalog.format(
                MessageKey::FactsComponents,
                &[number("web", counts.web), number("service", counts.service)],
            ),
        ),
        item(MessageKey::SettingsLoadBalancingLabel, on(settings.load_balancing), String::new()),
        item(
            MessageKey::SettingsAutomaticFailoverLabel,
            on(settings.automatic_failover),
            span(MessageKey::FactsStaleAfter, settings.stale_timeout().exact()),
        ),
        item(
            MessageKey::FactsHeartbeat,
            span(MessageKey::FactsInterval, settings.interval().exact()),
            span(MessageKey::FactsWebWindow, settings.web_window().exact()),
        ),
        match reference {
            Some(count) => {
                let args = [number("count", count.servers), number("total", compared)];
                let is_only = count.servers == compared && overview.versions.len() == 1;
                let on = if is_only { MessageKey::FactsOnAll } else { MessageKey::FactsVersionOn };
                item(MessageKey::FactsVersion, count.version.clone(), catalog.format(on, &args))
            }
            None => item(MessageKey::FactsVersion, "–".to_owned(), String::new()),
        },
        encryption_keys(context, compared),
    ]
}

/// Whether the servers have one key. What was not compared is not in sync.
fn encryption_keys(context: &ViewContext<'_>, compared: usize) -> SummaryItem {
    let catalog = context.catalog;
    let with = |verdict| {
        let has = |server: &&ServerStatus| {
            server.components.iter().any(|status| status.key == Some(verdict))
        };
        context.overview.servers.iter().filter(has).count()
    };
    let (differ, missing) = (with(KeyVerdict::Mismatch), with(KeyVerdict::Missing));
    let (value, detail, count) = match (differ, missing, with(KeyVerdict::InSync)) {
        (0, 0, 0) => (MessageKey::FactsNotChecked, MessageKey::FactsNoKey, 0),
        (0, 0, _) => (MessageKey::StatusInSync, MessageKey::FactsOnAll, compared),
        (0, missing, _) => (MessageKey::StatusKeyMissing, MessageKey::FactsKeysMissing, missing),
        (differ, ..) => (MessageKey::StatusDecryptionFailure, MessageKey::FactsKeysDiffer, differ),
    };
    let args = [("count", Arg::Number(count)), ("total", Arg::Number(compared))];
    SummaryItem {
        label: catalog.text(MessageKey::ColumnEncryptionKey),
        value: catalog.text(value).to_owned(),
        detail: catalog.format(detail, &args),
    }
}
