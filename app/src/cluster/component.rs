//! What is known about a component: facts, never verdicts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::boot::{Address, Boots};
use super::component_key::{ComponentKey, Role};
use super::interruptions::Interruptions;
use super::keys::{KeyCheck, KeyKind};
use super::messenger::Messenger;
use super::server_name::ServerName;
use super::time::{Span, Timestamp};

/// How long the hint about a return after a removal is shown: one hour.
pub const CAME_BACK_FOR: Span = Span::minutes(60);

/// An operating system: its name and its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// `Debian GNU/Linux`
    pub name: String,
    /// `12`
    pub version: String,
}

/// Who sends a component's heartbeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The component itself, over HTTP or the messenger.
    #[default]
    Node,
    /// An agent that probes a product which cannot be changed.
    Probe,
    /// The overview about itself, with a product's version. A node of the same name replaces it.
    Own,
    /// The overview about itself, without a product: shown, but not compared with others.
    Observer,
}

impl Source {
    /// Whether the overview reports about itself.
    pub const fn is_own(self) -> bool {
        match self {
            Self::Own | Self::Observer => true,
            Self::Node | Self::Probe => false,
        }
    }
}

/// How far a node's clock was off in its last two heartbeats; positive if it is ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skew {
    /// In the last heartbeat.
    pub last: Span,
    /// In the one before, if that had a time.
    pub before: Option<Span>,
}

impl Skew {
    /// The skew both heartbeats agree on: the smaller amount, with its sign; zero if they disagree
    /// on the direction or there was only one.
    pub fn steady(self) -> Span {
        match self.before {
            Some(before) if (before.0 < 0) == (self.last.0 < 0) => {
                if before.0.abs() < self.last.0.abs() { before } else { self.last }
            }
            _ => Span::ZERO,
        }
    }
}

/// What a component reports about itself, and who reports it: the same in a heartbeat, in the store and on the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComponentFacts {
    /// A label on the screen, at most 100 characters.
    #[serde(default)]
    pub product: Option<String>,
    /// The software version, 1 to 100 characters.
    pub version: String,
    pub os: Os,
    /// The address that it reports.
    pub ip: Address,
    #[serde(default)]
    pub key_check: Option<KeyCheck>,
    /// Of products up to 5.3.
    #[serde(default)]
    pub machine_key_check: Option<KeyCheck>,
    /// The port on which its messenger listens.
    #[serde(default)]
    pub messenger_port: Option<u16>,
    #[serde(default)]
    pub source: Source,
}

/// All that the store knows of one component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// The server it runs on, as first reported.
    pub server: ServerName,
    pub role: Role,
    /// Shared between its states, because nearly every heartbeat leaves them unchanged.
    pub facts: Arc<ComponentFacts>,
    /// Its last heartbeat said `leaving`.
    pub stopped: bool,
    pub boots: Boots,
    /// The moment of its first heartbeat, or of the first one after a removal.
    pub first_seen: Timestamp,
    pub last_heartbeat: Timestamp,
    /// The heartbeat interval that the response to its last heartbeat named.
    pub told_interval: Span,
    #[serde(default)]
    pub skew: Option<Skew>,
    #[serde(default)]
    pub interruptions: Interruptions,
    /// When it came back under the boot it had been removed with.
    #[serde(default)]
    pub came_back: Option<Timestamp>,
    /// The state of its messenger as each web server sees it, by the web server's name.
    #[serde(default)]
    pub messengers: Vec<Arc<Messenger>>,
}

impl Component {
    /// The check it reports for this key. A service has no machine key.
    pub fn check(&self, kind: KeyKind) -> Option<KeyCheck> {
        match kind {
            KeyKind::Encryption => self.facts.key_check,
            KeyKind::Machine => self.facts.machine_key_check.filter(|_| self.role == Role::Web),
        }
    }

    /// The first heartbeat of the process that sends heartbeats now, as far as it is known.
    pub fn started_at(&self) -> Timestamp {
        self.interruptions.starts.last().map_or(self.first_seen, |start| start.at)
    }

    /// Its key.
    pub fn key(&self) -> ComponentKey {
        ComponentKey { server: self.server.clone(), role: self.role }
    }

    /// Whether the overview reports this row about itself without a product's version: shown and
    /// counted, but never compared.
    pub fn is_observer(&self) -> bool {
        self.facts.source == Source::Observer
    }
}

/// What a removal leaves behind: enough to tell a late heartbeat from a new one. Kept 31 days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// Which component was removed.
    pub key: ComponentKey,
    /// Its starts, as they were.
    pub boots: Boots,
    /// Its last heartbeat before the removal.
    pub last_heartbeat: Timestamp,
    /// Who spoke for it.
    pub source: Source,
}
