//! What opens beside the page: all about a server, or a question before something is done.

use std::collections::BTreeSet;

use super::{Action, Scene};
use crate::api::Command;
use crate::cluster::effect::Acceptance;
use crate::cluster::hints::Arg;
use crate::cluster::keys::Unnamed;
use crate::cluster::{
    ComponentStatus, KeyKind, Messenger, MessengerFailure, Reference, Role, ServerName,
    ServerStatus, Span, Timestamp,
};
use crate::page::look::{self, Look};
use crate::page::place::{Open, Place};
use crate::words;

/// What is open beside the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct Panel {
    /// Its heading.
    pub(in crate::page) title: String,
    /// How well what it is about is.
    pub(in crate::page) look: Option<Look>,
    /// What it says.
    pub(in crate::page) paragraphs: Vec<String>,
    /// The facts it lists.
    pub(in crate::page) sections: Vec<Section>,
    /// What can be done from here.
    pub(in crate::page) actions: Vec<Action>,
    /// The question it asks.
    pub(in crate::page) ask: Option<Ask>,
    /// Why the last answer was refused.
    pub(in crate::page) refused: Option<String>,
}

/// Facts under a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct Section {
    /// The heading.
    pub(in crate::page) heading: &'static str,
    /// The facts.
    pub(in crate::page) items: Vec<Item>,
    /// What can be done about it.
    pub(in crate::page) action: Option<Action>,
}

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct Item {
    /// What it is.
    pub(in crate::page) label: &'static str,
    /// How it is judged, if it is.
    pub(in crate::page) look: Option<Look>,
    /// What it says.
    pub(in crate::page) text: String,
    /// The moment it is about: its age is shown and ticks.
    pub(in crate::page) moment: Option<Timestamp>,
}

/// A question, as a form asks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct Ask {
    /// Where the form goes, below the base.
    pub(in crate::page) action: &'static str,
    /// What the form carries.
    pub(in crate::page) carries: Vec<(&'static str, String)>,
    /// What its button says.
    pub(in crate::page) button: String,
    /// Whether it is a question indeed: one that can be cancelled, and whose answer is felt.
    pub(in crate::page) grave: bool,
    /// What is done if it is pressed.
    pub(in crate::page) command: Command,
}

pub(super) fn panel(scene: &Scene<'_>) -> Option<Panel> {
    match &scene.place.open {
        Open::Nothing | Open::Configuration(_) => None,
        Open::Details(server) => Some(scene.details(server)),
        Open::Removal { server, role, again } => Some(scene.removal(server, *role, *again)),
        Open::Acceptance { kind, digits } => Some(scene.acceptance(*kind, digits)),
    }
}

/// Why the last wish was refused.
pub(super) fn refused(place: &Place) -> Option<String> {
    let said = words::say(&format!("refusal.{}", place.refused.as_ref()?), &[]);
    (!said.is_empty()).then_some(said)
}

impl Scene<'_> {
    fn opened(&self, title: String) -> Panel {
        Panel {
            title,
            look: None,
            paragraphs: Vec::new(),
            sections: Vec::new(),
            actions: Vec::new(),
            ask: None,
            refused: refused(self.place),
        }
    }

    fn server(&self, name: &ServerName) -> Option<&ServerStatus> {
        self.overview.servers.iter().find(|server| server.name == *name)
    }

    fn gone(&self, name: &ServerName, title: String) -> Panel {
        let args = [("server", Arg::Text(name.to_string()))];
        Panel { paragraphs: vec![words::say("ask.gone", &args)], ..self.opened(title) }
    }

    fn details(&self, name: &ServerName) -> Panel {
        let Some(server) = self.server(name) else { return self.gone(name, name.to_string()) };
        let look = look::health(server.health);
        let mut sections = Vec::new();
        if let Some(latest) = server.latest() {
            let os = format!("{} {}", latest.os.name, latest.os.version);
            let first = server.components.iter().map(|s| s.component.first_seen).min();
            let items = vec![
                item("State", look.word.to_owned()).looking(Some(look)),
                item("Address", latest.ip.to_string()),
                item("Operating system", os),
                item("First seen", String::new()).at(first),
                item("Last seen", String::new()).at(Some(latest.last_heartbeat)),
            ];
            sections.push(Section { heading: "Server", items, action: None });
        }
        sections.extend(server.components.iter().map(|status| self.component(status)));
        let dialled = server.components.iter().any(|status| status.messenger.is_some());
        let server = server.name.clone();
        let whole = Open::Removal { server: server.clone(), role: None, again: false };
        let actions = vec![Action::opening("Remove server", &whole)];
        let ask = dialled.then(|| reconnection(server));
        Panel { look: Some(look), sections, actions, ask, ..self.opened(name.to_string()) }
    }

    fn component(&self, status: &ComponentStatus) -> Section {
        let facts = &status.component;
        let pulse = look::pulse(status.pulse, facts.role);
        let version = status.version.map(look::version);
        let key = status.key.map(look::key);
        let mut items = vec![
            item("Heartbeat", pulse.word.to_owned())
                .looking(Some(pulse))
                .at(Some(facts.last_heartbeat)),
            item("Why", words::why(status, self.snapshot) + "."),
            item("Version", followed(&facts.version, version)).looking(version),
        ];
        items.extend(facts.product.clone().map(|product| item("Product", product)));
        let digits = facts.key_check.map_or_else(|| "none".to_owned(), |check| check.short());
        items.push(item("Encryption key", followed(&digits, key)).looking(key));
        if let Some(check) = facts.machine_key_check {
            let look = status.machine_key.map(look::machine_key);
            items.push(item("Machine key", followed(&check.short(), look)).looking(look));
        }
        items.extend([
            item("Address", facts.ip.to_string()),
            item("First seen", String::new()).at(Some(facts.first_seen)),
            item("Told to beat", format!("every {}", facts.told_interval)),
            item("Clock", clock(facts.skew.map(|skew| skew.last))),
            item("Boot", facts.boots.current.id.clone()),
        ]);
        if let Some(messenger) = &status.messenger {
            items.push(messenger_item(messenger));
        }
        let (heading, remove) = match facts.role {
            Role::Web => ("Web component", "Remove web component"),
            Role::Service => ("Service", "Remove service"),
        };
        let server = facts.server.clone();
        let removal = Open::Removal { server, role: Some(facts.role), again: false };
        Section { heading, items, action: Some(Action::opening(remove, &removal)) }
    }

    fn removal(&self, name: &ServerName, role: Option<Role>, again: bool) -> Panel {
        let what = role.map_or("server", Role::as_str);
        let args = [("server", Arg::Text(name.to_string()))];
        let title = words::say(&format!("ask.remove.{what}"), &args);
        let Some(removal) = self.snapshot.removing(name, role, self.now) else {
            return self.gone(name, title);
        };
        let again = again && removal.live;
        let mut paragraphs = Vec::new();
        if again {
            paragraphs.push(words::say("ask.remove.again", &args));
        } else {
            paragraphs.push(words::say("ask.remove.body", &args));
            if removal.live {
                paragraphs.push(words::say("ask.remove.live", &args));
            }
        }
        let mut carries = vec![("server", name.to_string())];
        carries.extend(role.map(|role| ("role", role.as_str().to_owned())));
        carries.extend(again.then(|| ("force", "true".to_owned())));
        let ask = Ask {
            action: "removal",
            carries,
            button: if again { "Remove all the same" } else { "Remove" }.to_owned(),
            grave: true,
            command: Command::Remove { server: name.clone(), role, force: again },
        };
        Panel { paragraphs, ask: Some(ask), ..self.opened(title) }
    }

    fn acceptance(&self, kind: KeyKind, digits: &str) -> Panel {
        let of_kind = |key: &str| format!("{key}.{}", kind.as_str());
        let key = [("key", Arg::Text(digits.to_owned()))];
        let opened = self.opened(words::say(&of_kind("ask.accept"), &key));
        let reference = self.snapshot.references.of(kind);
        let components = || self.snapshot.components.values().map(AsRef::as_ref);
        let check = match kind.named(digits, components()) {
            Ok(check) => check,
            Err(unnamed) => {
                let word = match unnamed {
                    Unnamed::Nobody { .. } => "refusal.absent",
                    Unnamed::Several => "refusal.ambiguous",
                };
                return Panel { paragraphs: vec![words::say(word, &[])], ..opened };
            }
        };
        if reference.is_some_and(|known: Reference| known.check == check) {
            return Panel { paragraphs: vec![words::say("ask.accept.already", &[])], ..opened };
        }
        let would = Acceptance::of(kind, check, components());
        let wrong = if would.wrong.is_empty() {
            words::say("ask.accept.wrong.nobody", &[])
        } else {
            let args = [("servers", all(&would.wrong))];
            words::say(&of_kind("ask.accept.wrong"), &args)
        };
        let right = words::say("ask.accept.right", &[("servers", all(&would.right))]);
        let mut paragraphs = vec![wrong, right];
        paragraphs.extend(reference.map(|known| {
            words::say("ask.accept.body", &[("reference", Arg::Text(known.check.short()))])
        }));
        let ask = Ask {
            action: "acceptance",
            carries: vec![("kind", kind.as_str().to_owned()), ("key_check", digits.to_owned())],
            button: format!("Accept {digits}"),
            grave: true,
            command: Command::Accept { kind, digits: digits.to_owned() },
        };
        Panel { paragraphs, ask: Some(ask), ..opened }
    }
}

/// Every name, however many: who answers the question must know them.
fn all(servers: &BTreeSet<ServerName>) -> Arg {
    let names: Vec<&str> = servers.iter().map(ServerName::as_str).collect();
    Arg::Text(names.join(", "))
}

fn item(label: &'static str, text: String) -> Item {
    Item { label, look: None, text, moment: None }
}

impl Item {
    fn looking(self, look: Option<Look>) -> Self {
        Self { look, ..self }
    }

    fn at(self, moment: Option<Timestamp>) -> Self {
        Self { moment, ..self }
    }
}

/// A value and the verdict on it.
fn followed(value: &str, look: Option<Look>) -> String {
    look.map_or_else(
        || value.to_owned(),
        |look| format!("{value}, {}", look.word.to_ascii_lowercase()),
    )
}

fn clock(off: Option<Span>) -> String {
    match off {
        None => "not told".to_owned(),
        Some(off) if off.0.abs() < 1_000 => "right to the second".to_owned(),
        Some(off) => {
            let side = if off > Span::ZERO { "ahead" } else { "behind" };
            format!("{} {side}", Span(off.0.abs()))
        }
    }
}

fn reconnection(server: ServerName) -> Ask {
    Ask {
        action: "reconnection",
        carries: vec![("server", server.to_string())],
        button: "Reconnect messenger".to_owned(),
        grave: false,
        command: Command::Reconnect { server },
    }
}

fn messenger_item(messenger: &Messenger) -> Item {
    let look = look::messenger(messenger);
    let port = format!("port {}, seen by {}", messenger.port, messenger.seen_by);
    let text = match messenger.failure {
        None | Some(MessengerFailure::Connecting | MessengerFailure::Lost) => {
            format!("{}, {port}", look.word)
        }
        Some(failure) => format!("{}: {}, {port}", look.word, failure.in_words()),
    };
    item("Messenger", text).looking(Some(look)).at(Some(messenger.since))
}
