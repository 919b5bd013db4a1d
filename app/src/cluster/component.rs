//! What is known about a component: facts, never verdicts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::boot::{Address, Boots};
use super::component_key::{ComponentKey, Role};
use super::keys::{KeyCheck, KeyKind};
use super::messenger::Messenger;
use super::server_name::ServerName;
use super::time::{Span, Timestamp};

/// How long a return after a removal is spoken of: one hour.
pub const CAME_BACK_FOR: Span = Span::minutes(60);

/// An operating system: its name and its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// `Debian GNU/Linux`
    pub name: String,
    /// `12`
    pub version: String,
}

/// Who speaks for a component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A node, over the wire.
    #[default]
    Node,
    /// An agent, of a product that cannot be changed and answers its probes.
    Probe,
    /// The overview of itself, bearing a product's version. Steps aside for a node of its name.
    Own,
    /// The overview of itself, without a product: shown, but not compared with others.
    Observer,
}

impl Source {
    /// Whether it is the overview that speaks of itself.
    pub const fn is_own(self) -> bool {
        match self {
            Self::Own | Self::Observer => true,
            Self::Node | Self::Probe => false,
        }
    }
}

/// How far a node's clock was off in its last two heartbeats; positive where it runs ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skew {
    /// In the last heartbeat.
    pub last: Span,
    /// In the one before, if that told its time.
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

/// All that the store knows of one component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// The server it runs on, as first reported.
    pub server: ServerName,
    /// Its role there.
    pub role: Role,
    /// A label on the screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The software version.
    pub version: String,
    /// The operating system.
    pub os: Os,
    /// Its address.
    pub ip: Address,
    /// The check of its encryption key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_check: Option<KeyCheck>,
    /// The check of its machine key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_key_check: Option<KeyCheck>,
    /// Where its messenger listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messenger_port: Option<u16>,
    /// Its last heartbeat said `leaving`.
    pub stopped: bool,
    /// Its starts.
    pub boots: Boots,
    /// When it was first heard of, or first again after a removal.
    pub first_seen: Timestamp,
    /// When it was last heard of.
    pub last_heartbeat: Timestamp,
    /// The heartbeat interval it was told then.
    pub told_interval: Span,
    /// How far its clock is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew: Option<Skew>,
    /// Who speaks for it.
    #[serde(default)]
    pub source: Source,
    /// When it came back under the boot it had been removed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_back: Option<Timestamp>,
    /// How each web server finds its messenger, by the web server's name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messengers: Vec<Arc<Messenger>>,
}

impl Component {
    /// The check it reports for this key. A service has no machine key.
    pub fn check(&self, kind: KeyKind) -> Option<KeyCheck> {
        match kind {
            KeyKind::Encryption => self.key_check,
            KeyKind::Machine => self.machine_key_check.filter(|_| self.role == Role::Web),
        }
    }

    /// What names it.
    pub fn key(&self) -> ComponentKey {
        ComponentKey { server: self.server.clone(), role: self.role }
    }

    /// Whether this is a row the overview reports of itself without a product's version: shown and
    /// counted, but never compared.
    pub fn is_observer(&self) -> bool {
        self.source == Source::Observer
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
