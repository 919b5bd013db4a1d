//! The side panel: the details of a server, or the confirmation of a command.

use crate::cluster::hints::Arg;
use crate::cluster::interruptions::MAX_INTERRUPTIONS;
use crate::cluster::preview::KeyChangePreview;
use crate::cluster::reference_keys::KeyLookupError;
use crate::cluster::{
    Component, ComponentStatus, Hint, KeyCheck, KeyKind, Messenger, ReferenceKey, Role, ServerName,
    ServerStatus, Span, Start, Timestamp,
};
use crate::i18n::{HintText, MessageKey};
use crate::page::hints::model::DialogLink;
use crate::page::route::dialog::Dialog;
use crate::page::status_style::{self, StatusStyle};
use crate::page::view_context::ViewContext;
use crate::protocol::Command;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panel {
    pub(crate) title: String,
    /// The health of the server that it is about.
    pub(crate) style: Option<StatusStyle>,
    pub(crate) paragraphs: Vec<String>,
    /// What is wrong with the server, and what to do.
    pub(crate) advice: Vec<Advice>,
    pub(crate) sections: Vec<Section>,
    /// Links to further dialogs.
    pub(crate) actions: Vec<DialogLink>,
    pub(crate) confirmation: Option<Confirmation>,
    /// Why the last command was rejected.
    pub(crate) error: Option<String>,
}

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

/// A form that sends one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Confirmation {
    /// The route that the form is posted to, below the base path.
    pub(crate) action: &'static str,
    /// Its hidden fields.
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) button: String,
    /// Has a red button, and can be cancelled.
    pub(crate) is_destructive: bool,
    /// What has to be typed first.
    pub(crate) typed: Option<TypedConfirmation>,
    /// The same command, for a hydrated page.
    pub(crate) command: Command,
}

/// Digits that are typed before a command that would do much harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TypedConfirmation {
    pub(crate) label: String,
    pub(crate) digits: String,
}

/// `hints` are those of the whole cluster.
pub(crate) fn panel(context: &ViewContext<'_>, hints: &[Hint]) -> Option<Panel> {
    match &context.route.dialog {
        Dialog::None | Dialog::Settings(_) => None,
        Dialog::Details(server) => Some(context.details(server, hints)),
        Dialog::Removal { server, role, again } => Some(context.removal(server, *role, *again)),
        Dialog::AcceptKey { kind, digits } => Some(context.key_acceptance(*kind, digits)),
    }
}

impl ViewContext<'_> {
    fn new_panel(&self, title: String) -> Panel {
        Panel {
            title,
            style: None,
            paragraphs: Vec::new(),
            advice: Vec::new(),
            sections: Vec::new(),
            actions: Vec::new(),
            confirmation: None,
            error: self.error_in_dialog(),
        }
    }

    fn find_server(&self, name: &ServerName) -> Option<&ServerStatus> {
        self.overview.servers.iter().find(|server| server.name == *name)
    }

    fn not_found(&self, name: &ServerName, title: String) -> Panel {
        let args = [("server", Arg::Text(name.to_string()))];
        Panel {
            paragraphs: vec![self.catalog.format(MessageKey::ConfirmServerNotFound, &args)],
            ..self.new_panel(title)
        }
    }

    fn details(&self, name: &ServerName, hints: &[Hint]) -> Panel {
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
            advice: advice.collect(),
            sections,
            actions,
            confirmation,
            ..self.new_panel(name.to_string())
        }
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

    fn removal(&self, name: &ServerName, role: Option<Role>, again: bool) -> Panel {
        let args = [("server", Arg::Text(name.to_string()))];
        let title = self.catalog.format(
            match role {
                None => MessageKey::ConfirmRemoveServer,
                Some(Role::Web) => MessageKey::ConfirmRemoveWeb,
                Some(Role::Service) => MessageKey::ConfirmRemoveService,
            },
            &args,
        );
        let Some(removal) = self.snapshot.removing(name, role, self.now) else {
            return self.not_found(name, title);
        };
        let again = again && removal.live;
        let mut paragraphs = Vec::new();
        if again {
            paragraphs.push(self.catalog.format(MessageKey::ConfirmRemoveAnyway, &args));
        } else {
            paragraphs.push(self.catalog.format(MessageKey::ConfirmRemoveEffect, &args));
            if removal.live {
                paragraphs.push(self.catalog.format(MessageKey::ConfirmRemoveRunning, &args));
            }
        }
        let mut fields = vec![("server", name.to_string())];
        fields.extend(role.map(|role| ("role", role.as_str().to_owned())));
        fields.extend(again.then(|| ("force", "true".to_owned())));
        let confirmation = Confirmation {
            action: "removal",
            fields,
            button: self
                .catalog
                .text(if again {
                    MessageKey::ActionRemoveAnyway
                } else {
                    MessageKey::ActionRemoveNow
                })
                .to_owned(),
            is_destructive: true,
            typed: None,
            command: Command::Remove { server: name.clone(), role, force: again },
        };
        Panel { paragraphs, confirmation: Some(confirmation), ..self.new_panel(title) }
    }

    fn key_acceptance(&self, kind: KeyKind, digits: &str) -> Panel {
        let (question, mismatch) = match kind {
            KeyKind::Encryption => (
                MessageKey::ConfirmAcceptEncryptionKey,
                MessageKey::ConfirmAcceptMismatchEncryption,
            ),
            KeyKind::Machine => {
                (MessageKey::ConfirmAcceptMachineKey, MessageKey::ConfirmAcceptMismatchMachine)
            }
        };
        let key = [("key", Arg::Text(digits.to_owned()))];
        let new_panel = self.new_panel(self.catalog.format(question, &key));
        let reference = self.snapshot.references.get(kind);
        let components = || self.snapshot.components.values().map(AsRef::as_ref);
        let check = match kind.find_by_prefix(digits, components()) {
            Ok(check) => check,
            Err(failure) => {
                let word = match failure {
                    KeyLookupError::Unknown { .. } => MessageKey::CommandErrorNotFound,
                    KeyLookupError::Ambiguous => MessageKey::CommandErrorAmbiguous,
                };
                return Panel { paragraphs: vec![self.catalog.format(word, &[])], ..new_panel };
            }
        };
        if reference.is_some_and(|known: ReferenceKey| known.check == check) {
            return Panel {
                paragraphs: vec![self.catalog.format(MessageKey::ConfirmAcceptAlready, &[])],
                ..new_panel
            };
        }
        let preview = KeyChangePreview::compute(kind, check, components());
        let wrong = if preview.wrong.is_empty() {
            self.catalog.format(MessageKey::ConfirmAcceptNoMismatch, &[])
        } else {
            let args = [("servers", list_names(&preview.wrong))];
            self.catalog.format(mismatch, &args)
        };
        let right = self
            .catalog
            .format(MessageKey::ConfirmAcceptMatch, &[("servers", list_names(&preview.right))]);
        let mut paragraphs = vec![wrong, right];
        paragraphs.extend(reference.map(|known| {
            self.catalog.format(
                MessageKey::ConfirmAcceptWarning,
                &[("reference", Arg::Text(known.check.short()))],
            )
        }));
        let confirmation = Confirmation {
            action: "acceptance",
            fields: vec![("kind", kind.as_str().to_owned()), ("key_check", digits.to_owned())],
            button: self.catalog.format(MessageKey::ActionAccept, &key),
            is_destructive: true,
            typed: (preview.wrong.len() > preview.right.len()).then(|| TypedConfirmation {
                label: self
                    .catalog
                    .format(MessageKey::ConfirmAcceptDigits, &[("key", Arg::Text(check.short()))]),
                digits: check.short(),
            }),
            command: Command::Accept { kind, digits: digits.to_owned() },
        };
        Panel { paragraphs, confirmation: Some(confirmation), ..new_panel }
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

    fn reconnection(&self, server: ServerName) -> Confirmation {
        Confirmation {
            action: "reconnection",
            fields: vec![("server", server.to_string())],
            button: self.catalog.text(MessageKey::ActionReconnectMessenger).to_owned(),
            is_destructive: false,
            typed: None,
            command: Command::Reconnect { server },
        }
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

/// All names, even if there are many: the user confirms exactly these.
fn list_names(servers: &[ServerName]) -> Arg {
    let names: Vec<&str> = servers.iter().map(ServerName::as_str).collect();
    Arg::Text(names.join(", "))
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
