//! The details of a server: what is wrong with it, and what it and its components report.

use crate::cluster::hints::Arg;
use crate::cluster::interruptions::MAX_INTERRUPTIONS;
use crate::cluster::{
    Component, ComponentStatus, Hint, KeyCheck, Messenger, Role, ServerName, ServerStatus, Span,
    Start, Timestamp,
};
use crate::i18n::{HintText, MessageKey};
use crate::page::hints::model::DialogLink;
use crate::page::panel::model::Panel;
use crate::page::route::dialog::Dialog;
use crate::page::status_style::{self, StatusStyle};
use crate::page::view_context::ViewContext;

/// A hint about the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Advice {
    pub(crate) style: StatusStyle,
    pub(crate) text: HintText,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) heading: &'static str,
    pub(crate) items: Vec<Item>,
    /// What is looked at less often.
    pub(crate) more: Vec<Item>,
    pub(crate) action: Option<DialogLink>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) label: &'static str,
    /// `None` if there is no verdict on it.
    pub(crate) style: Option<StatusStyle>,
    pub(crate) text: String,
    /// What a button beside it copies.
    pub(crate) copy: Option<String>,
    /// Its age is shown behind the text and counts up.
    pub(crate) moment: Option<Timestamp>,
}

impl ViewContext<'_> {
    pub(super) fn details(&self, name: &ServerName, hints: &[Hint]) -> Panel {
        let Some(server) = self.find_server(name) else {
            return self.not_found(name, name.to_string());
        };
        let style = status_style::health(server.health);
        let mut sections = Vec::new();
        if let Some(latest) = server.latest() {
            let os = format!("{} {}", latest.facts.os.name, latest.facts.os.version);
            let first = server.components.iter().map(|s| s.component.first_seen).min();
            let items = vec![
                self.item(MessageKey::DetailsStatus, style.label(self.catalog).to_owned())
                    .with_style(Some(style)),
                self.item(MessageKey::DetailsAddress, latest.facts.ip.to_string()).with_copy(),
                self.item(MessageKey::DetailsOs, os),
                self.item(MessageKey::DetailsFirstSeen, String::new()).with_moment(first),
                self.item(MessageKey::DetailsLastSeen, String::new())
                    .with_moment(Some(latest.last_heartbeat)),
            ];
            sections.push(Section {
                heading: self.catalog.text(MessageKey::ColumnServer),
                items,
                more: Vec::new(),
                action: None,
            });
        }
        sections.extend(server.components.iter().map(|status| self.component_section(status)));
        let has_messenger = server.components.iter().any(|status| status.messenger.is_some());
        let server = server.name.clone();
        let remove_server = Dialog::Removal { server: server.clone(), role: None, again: false };
        let actions = vec![DialogLink::opening(
            self.catalog.text(MessageKey::ActionRemoveServer),
            &remove_server,
        )];
        let confirmation = has_messenger.then(|| self.reconnection(server));
        let own = hints.iter().filter(|hint| hint.server.as_ref() == Some(name));
        let advice = own.map(|hint| Advice {
            style: status_style::severity(hint.severity),
            text: self.catalog.hint(hint),
        });
        Panel {
            style: Some(style),
            history_of: Some(name.clone()),
            advice: advice.collect(),
            sections,
            actions,
            confirmation,
            ..self.new_panel(name.to_string())
        }
    }

    fn find_server(&self, name: &ServerName) -> Option<&ServerStatus> {
        self.overview.servers.iter().find(|server| server.name == *name)
    }

    fn component_section(&self, status: &ComponentStatus) -> Section {
        let component = &status.component;
        let pulse = status_style::pulse(status.pulse, component.role);
        let version = status.version.map(status_style::version);
        let key = status.key.map(status_style::key);
        let mut items = vec![
            self.item(MessageKey::ColumnHeartbeat, pulse.label(self.catalog).to_owned())
                .with_style(Some(pulse))
                .with_moment(Some(component.last_heartbeat)),
            self.item(MessageKey::DetailsSince, String::new())
                .with_moment(self.snapshot.pulse_since(status)),
            self.item(MessageKey::DetailsWhy, self.why(status)),
            self.item(MessageKey::DetailsStarted, self.starts(component))
                .with_moment(Some(component.started_at())),
            self.item(
                MessageKey::ColumnVersion,
                self.with_verdict(&component.facts.version, version),
            )
            .with_style(version),
            self.key_item(MessageKey::ColumnEncryptionKey, component.facts.key_check, key),
        ];
        if let Some(check) = component.facts.machine_key_check {
            let style = status.machine_key.map(status_style::machine_key);
            items.push(self.key_item(MessageKey::DetailsMachineKey, Some(check), style));
        }
        if let Some(messenger) = &status.messenger {
            items.push(self.messenger_item(messenger));
        }
        let product = component.facts.product.clone();
        let product = product.map(|product| self.item(MessageKey::DetailsProduct, product));
        let interval = [("span", Arg::Span(component.told_interval))];
        let interval = self.catalog.format(MessageKey::FactsInterval, &interval);
        let offset = self.clock_offset(component.skew.map(|skew| skew.last));
        let more = product.into_iter().chain([
            self.item(MessageKey::DetailsAddress, component.facts.ip.to_string()).with_copy(),
            self.item(MessageKey::DetailsFirstSeen, String::new())
                .with_moment(Some(component.first_seen)),
            self.item(MessageKey::DetailsHeartbeatInterval, interval),
            self.item(MessageKey::DetailsClockOffset, offset),
        ]);
        let (heading, remove) = match component.role {
            Role::Web => (MessageKey::RoleWebComponent, MessageKey::ActionRemoveWeb),
            Role::Service => (MessageKey::RoleServiceComponent, MessageKey::ActionRemoveService),
        };
        let server = component.server.clone();
        let removal = Dialog::Removal { server, role: Some(component.role), again: false };
        let catalog = self.catalog;
        let action = Some(DialogLink::opening(catalog.text(remove), &removal));
        Section { heading: catalog.text(heading), items, more: more.collect(), action }
    }

    /// How often it has started lately, if that was more than once.
    fn starts(&self, component: &Component) -> String {
        let is_recent = |start: &&Start| self.now - start.at < Span::minutes(24 * 60);
        let count = component.interruptions.starts.iter().filter(is_recent).count();
        let key = match count {
            0 | 1 => return String::new(),
            // Earlier ones are not kept.
            MAX_INTERRUPTIONS => MessageKey::DetailsStartsAtLeast,
            _ => MessageKey::DetailsStarts,
        };
        self.catalog.format(key, &[("count", Arg::Number(count))])
    }

    fn item(&self, key: MessageKey, text: String) -> Item {
        Item { label: self.catalog.text(key), style: None, text, copy: None, moment: None }
    }

    fn key_item(
        &self,
        key: MessageKey,
        check: Option<KeyCheck>,
        style: Option<StatusStyle>,
    ) -> Item {
        let digits = check.map(|check| check.short());
        let shown = digits.as_deref();
        let shown = shown.unwrap_or_else(|| self.catalog.text(MessageKey::DetailsNotReported));
        Item {
            copy: digits.clone(),
            ..self.item(key, self.with_verdict(shown, style)).with_style(style)
        }
    }

    fn with_verdict(&self, value: &str, style: Option<StatusStyle>) -> String {
        style.map_or_else(
            || value.to_owned(),
            |style| format!("{value} · {}", style.label(self.catalog)),
        )
    }

    fn why(&self, status: &ComponentStatus) -> String {
        let why = self.catalog.why(status, self.snapshot, self.now);
        self.catalog.format(MessageKey::DetailsWhySentence, &[("why", Arg::Text(why))])
    }

    fn clock_offset(&self, offset: Option<Span>) -> String {
        let key = match offset {
            None => MessageKey::ClockNotReported,
            Some(offset) if offset.0.abs() < 1_000 => MessageKey::ClockExact,
            Some(offset) if offset > Span::ZERO => MessageKey::ClockAhead,
            Some(_) => MessageKey::ClockBehind,
        };
        let offset = Span(offset.unwrap_or_default().0.abs());
        self.catalog.format(key, &[("off", Arg::Span(offset))])
    }

    fn messenger_item(&self, messenger: &Messenger) -> Item {
        let style = status_style::messenger(messenger);
        let mut args = vec![
            ("state", Arg::Text(style.label(self.catalog).to_owned())),
            ("port", Arg::Text(messenger.port.to_string())),
            ("seen_by", Arg::Text(messenger.seen_by.clone())),
        ];
        let failure = messenger.unreachable();
        args.extend(failure.map(|failure| ("reason", Arg::MessengerFailure(failure))));
        let key = match failure {
            Some(_) => MessageKey::DetailsMessengerFailed,
            None => MessageKey::DetailsMessenger,
        };
        let item = self.item(MessageKey::ColumnMessenger, self.catalog.format(key, &args));
        item.with_style(Some(style)).with_moment(Some(messenger.since))
    }
}

impl Item {
    fn with_style(self, style: Option<StatusStyle>) -> Self {
        Self { style, ..self }
    }

    /// Gets a button that copies its whole text.
    fn with_copy(self) -> Self {
        Self { copy: Some(self.text.clone()), ..self }
    }

    fn with_moment(self, moment: Option<Timestamp>) -> Self {
        Self { moment, ..self }
    }
}
