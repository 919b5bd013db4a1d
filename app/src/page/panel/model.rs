//! What the side panel shows: the details of a server, or a question before a command.

use crate::cluster::hints::Arg;
use crate::cluster::preview::KeyChangePreview;
use crate::cluster::reference_keys::KeyLookupError;
use crate::cluster::{
    ComponentStatus, KeyKind, Messenger, MessengerFailure, ReferenceKey, Role, ServerName,
    ServerStatus, Span, Timestamp,
};
use crate::page::route::dialog::Dialog;
use crate::page::hints::model::DialogLink;
use crate::page::status_style::{self, StatusStyle};
use crate::page::view_context::ViewContext;
use crate::protocol::Command;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panel {
    pub(crate) title: String,
    /// How well what it is about is.
    pub(crate) style: Option<StatusStyle>,
    pub(crate) paragraphs: Vec<String>,
    /// The facts it lists.
    pub(crate) sections: Vec<Section>,
    /// What can be done from here.
    pub(crate) actions: Vec<DialogLink>,
    pub(crate) ask: Option<Confirmation>,
    /// Why the last answer was refused.
    pub(crate) refused: Option<String>,
}

/// Facts under a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) heading: &'static str,
    pub(crate) items: Vec<Item>,
    /// What can be done about it.
    pub(crate) action: Option<DialogLink>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) label: &'static str,
    /// How it is judged, if it is.
    pub(crate) style: Option<StatusStyle>,
    pub(crate) text: String,
    /// The moment it is about: its age is shown and ticks.
    pub(crate) moment: Option<Timestamp>,
}

/// A question, as a form asks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Confirmation {
    /// Where the form goes, below the base.
    pub(crate) action: &'static str,
    /// What the form carries.
    pub(crate) carries: Vec<(&'static str, String)>,
    /// What its button says.
    pub(crate) button: String,
    /// Whether it is a question indeed: one that can be cancelled, and whose answer is felt.
    pub(crate) grave: bool,
    /// What is done if it is pressed.
    pub(crate) command: Command,
}

pub(crate) fn panel(context: &ViewContext<'_>) -> Option<Panel> {
    match &context.route.dialog {
        Dialog::None | Dialog::Settings(_) => None,
        Dialog::Details(server) => Some(context.details(server)),
        Dialog::Removal { server, role, again } => Some(context.removal(server, *role, *again)),
        Dialog::AcceptKey { kind, digits } => Some(context.acceptance(*kind, digits)),
    }
}

impl ViewContext<'_> {
    fn opened(&self, title: String) -> Panel {
        Panel {
            title,
            style: None,
            paragraphs: Vec::new(),
            sections: Vec::new(),
            actions: Vec::new(),
            ask: None,
            refused: self.command_error(),
        }
    }

    fn server(&self, name: &ServerName) -> Option<&ServerStatus> {
        self.overview.servers.iter().find(|server| server.name == *name)
    }

    fn gone(&self, name: &ServerName, title: String) -> Panel {
        let args = [("server", Arg::Text(name.to_string()))];
        Panel { paragraphs: vec![self.words.say("ask.gone", &args)], ..self.opened(title) }
    }

    fn details(&self, name: &ServerName) -> Panel {
        let Some(server) = self.server(name) else { return self.gone(name, name.to_string()) };
        let style = status_style::health(server.health);
        let mut sections = Vec::new();
        if let Some(latest) = server.latest() {
            let os = format!("{} {}", latest.facts.os.name, latest.facts.os.version);
            let first = server.components.iter().map(|s| s.component.first_seen).min();
            let items = vec![
                self.item("item.state", style.word(self.words).to_owned()).styled(Some(style)),
                self.item("item.address", latest.facts.ip.to_string()),
                self.item("item.os", os),
                self.item("item.first-seen", String::new()).at(first),
                self.item("item.last-seen", String::new()).at(Some(latest.last_heartbeat)),
            ];
            sections.push(Section {
                heading: self.words.label("column.server"),
                items,
                action: None,
            });
        }
        sections.extend(server.components.iter().map(|status| self.component(status)));
        let dialled = server.components.iter().any(|status| status.messenger.is_some());
        let server = server.name.clone();
        let whole = Dialog::Removal { server: server.clone(), role: None, again: false };
        let actions =
            vec![DialogLink::with_dialog(self.words.label("action.remove.server"), &whole)];
        let ask = dialled.then(|| self.reconnection(server));
        Panel { style: Some(style), sections, actions, ask, ..self.opened(name.to_string()) }
    }

    fn component(&self, status: &ComponentStatus) -> Section {
        let component = &status.component;
        let pulse = status_style::pulse(status.pulse, component.role);
        let version = status.version.map(status_style::version);
        let key = status.key.map(status_style::key);
        let mut items = vec![
            self.item("column.heartbeat", pulse.word(self.words).to_owned())
                .styled(Some(pulse))
                .at(Some(component.last_heartbeat)),
            self.item("item.why", self.words.why(status, self.snapshot) + "."),
            self.item("column.version", self.followed(&component.facts.version, version))
                .styled(version),
        ];
        items.extend(
            component.facts.product.clone().map(|product| self.item("item.product", product)),
        );
        let digits = component
            .facts
            .key_check
            .map_or_else(|| self.words.label("item.none").to_owned(), |check| check.short());
        items.push(self.item("column.encryption-key", self.followed(&digits, key)).styled(key));
        if let Some(check) = component.facts.machine_key_check {
            let style = status.machine_key.map(status_style::machine_key);
            items.push(
                self.item("item.machine-key", self.followed(&check.short(), style)).styled(style),
            );
        }
        items.extend([
            self.item("item.address", component.facts.ip.to_string()),
            self.item("item.first-seen", String::new()).at(Some(component.first_seen)),
            self.item(
                "item.told",
                self.words.say("fact.every", &[("span", Arg::Span(component.told_interval))]),
            ),
            self.item("item.clock", self.clock(component.skew.map(|skew| skew.last))),
            self.item("item.boot", component.boots.current.id.clone()),
        ]);
        if let Some(messenger) = &status.messenger {
            items.push(self.messenger_item(messenger));
        }
        let (heading, remove) = match component.role {
            Role::Web => ("role.component.web", "action.remove.web"),
            Role::Service => ("role.component.service", "action.remove.service"),
        };
        let server = component.server.clone();
        let removal = Dialog::Removal { server, role: Some(component.role), again: false };
        let words = self.words;
        let action = Some(DialogLink::with_dialog(words.label(remove), &removal));
        Section { heading: words.label(heading), items, action }
    }

    fn removal(&self, name: &ServerName, role: Option<Role>, again: bool) -> Panel {
        let what = role.map_or("server", Role::as_str);
        let args = [("server", Arg::Text(name.to_string()))];
        let title = self.words.say(&format!("ask.remove.{what}"), &args);
        let Some(removal) = self.snapshot.removing(name, role, self.now) else {
            return self.gone(name, title);
        };
        let again = again && removal.live;
        let mut paragraphs = Vec::new();
        if again {
            paragraphs.push(self.words.say("ask.remove.again", &args));
        } else {
            paragraphs.push(self.words.say("ask.remove.body", &args));
            if removal.live {
                paragraphs.push(self.words.say("ask.remove.live", &args));
            }
        }
        let mut carries = vec![("server", name.to_string())];
        carries.extend(role.map(|role| ("role", role.as_str().to_owned())));
        carries.extend(again.then(|| ("force", "true".to_owned())));
        let ask = Confirmation {
            action: "removal",
            carries,
            button: self
                .words
                .label(if again { "action.remove.again" } else { "action.remove.now" })
                .to_owned(),
            grave: true,
            command: Command::Remove { server: name.clone(), role, force: again },
        };
        Panel { paragraphs, ask: Some(ask), ..self.opened(title) }
    }

    fn acceptance(&self, kind: KeyKind, digits: &str) -> Panel {
        let of_kind = |key: &str| format!("{key}.{}", kind.as_str());
        let key = [("key", Arg::Text(digits.to_owned()))];
        let opened = self.opened(self.words.say(&of_kind("ask.accept"), &key));
        let reference = self.snapshot.references.get(kind);
        let components = || self.snapshot.components.values().map(AsRef::as_ref);
        let check = match kind.find_by_prefix(digits, components()) {
            Ok(check) => check,
            Err(unnamed) => {
                let word = match unnamed {
                    KeyLookupError::Unknown { .. } => "refusal.absent",
                    KeyLookupError::Ambiguous => "refusal.ambiguous",
                };
                return Panel { paragraphs: vec![self.words.say(word, &[])], ..opened };
            }
        };
        if reference.is_some_and(|known: ReferenceKey| known.check == check) {
            return Panel { paragraphs: vec![self.words.say("ask.accept.already", &[])], ..opened };
        }
        let would = KeyChangePreview::compute(kind, check, components());
        let wrong = if would.wrong.is_empty() {
            self.words.say("ask.accept.wrong.nobody", &[])
        } else {
            let args = [("servers", all(&would.wrong))];
            self.words.say(&of_kind("ask.accept.wrong"), &args)
        };
        let right = self.words.say("ask.accept.right", &[("servers", all(&would.right))]);
        let mut paragraphs = vec![wrong, right];
        paragraphs.extend(reference.map(|known| {
            self.words.say("ask.accept.body", &[("reference", Arg::Text(known.check.short()))])
        }));
        let ask = Confirmation {
            action: "acceptance",
            carries: vec![("kind", kind.as_str().to_owned()), ("key_check", digits.to_owned())],
            button: self.words.say("action.accept", &key),
            grave: true,
            command: Command::Accept { kind, digits: digits.to_owned() },
        };
        Panel { paragraphs, ask: Some(ask), ..opened }
    }

    fn item(&self, key: &str, text: String) -> Item {
        Item { label: self.words.label(key), style: None, text, moment: None }
    }

    /// A value and the verdict on it.
    fn followed(&self, value: &str, style: Option<StatusStyle>) -> String {
        style.map_or_else(
            || value.to_owned(),
            |style| format!("{value} · {}", style.word(self.words)),
        )
    }

    fn clock(&self, off: Option<Span>) -> String {
        let key = match off {
            None => "clock.untold",
            Some(off) if off.0.abs() < 1_000 => "clock.right",
            Some(off) if off > Span::ZERO => "clock.ahead",
            Some(_) => "clock.behind",
        };
        let off = Span(off.unwrap_or_default().0.abs());
        self.words.say(key, &[("off", Arg::Span(off))])
    }

    fn reconnection(&self, server: ServerName) -> Confirmation {
        Confirmation {
            action: "reconnection",
            carries: vec![("server", server.to_string())],
            button: self.words.label("action.reconnect.messenger").to_owned(),
            grave: false,
            command: Command::Reconnect { server },
        }
    }

    fn messenger_item(&self, messenger: &Messenger) -> Item {
        let style = status_style::messenger(messenger);
        let args = [
            ("state", Arg::Text(style.word(self.words).to_owned())),
            ("port", Arg::Text(messenger.port.to_string())),
            ("seen_by", Arg::Text(messenger.seen_by.clone())),
            ("reason", Arg::Word(messenger.unreachable().map_or("", MessengerFailure::key))),
        ];
        let failed = messenger.unreachable().is_some();
        let key = if failed { "item.messenger.failed" } else { "item.messenger.port" };
        let item = self.item("column.messenger", self.words.say(key, &args));
        item.styled(Some(style)).at(Some(messenger.since))
    }
}

/// Every name, however many: who answers the question must know them.
fn all(servers: &[ServerName]) -> Arg {
    let names: Vec<&str> = servers.iter().map(ServerName::as_str).collect();
    Arg::Text(names.join(", "))
}

impl Item {
    fn styled(self, style: Option<StatusStyle>) -> Self {
        Self { style, ..self }
    }

    fn at(self, moment: Option<Timestamp>) -> Self {
        Self { moment, ..self }
    }
}
