//! What an event says, and what names it.

use crate::cluster::component_key::{ComponentKey, Role};
use crate::cluster::digest;
use crate::cluster::health::{Pulse, Stability};
use crate::cluster::keys::{KeyCheck, KeyKind};
use crate::cluster::server_name::ServerName;
use crate::cluster::settings::SettingValue;
use crate::cluster::time::{Span, Timestamp};

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: Timestamp,
    /// `None` if it is about the cluster.
    pub subject: Option<ComponentKey>,
    pub what: Happening,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// `silence`: what made it late or stale. `lasted`: how long the former pulse did, unless that was alive, and how much of that
    /// time nobody observed.
    Pulse {
        from: Pulse,
        to: Pulse,
        why: PulseCause,
        silence: Option<LongSilence>,
        lasted: Option<Span>,
        blind: Span,
    },
    Stability {
        from: Stability,
        to: Stability,
    },
    /// Its process started, `count` times until `last`. `ran`: the process before the last start.
    Start {
        count: u32,
        last: Timestamp,
        ran: Span,
        stopped_cleanly: bool,
    },
    Version {
        from: String,
        to: String,
    },
    Key {
        kind: KeyKind,
        from: Option<KeyCheck>,
        to: Option<KeyCheck>,
    },
    Address {
        from: String,
        to: String,
    },
    FirstSeen {
        version: String,
    },
    Removed,
    /// It came back after a removal.
    Returned,
    /// Former boots became current again, `count` times: several machines may use the name.
    BootReturned {
        count: u32,
        address: String,
    },
    /// `name`: of the setting on the wire.
    Setting {
        name: &'static str,
        from: SettingValue,
        to: SettingValue,
    },
    ReferenceKey {
        kind: KeyKind,
        from: Option<KeyCheck>,
        to: Option<KeyCheck>,
    },
    /// Nobody could observe for so long.
    Blind {
        lasted: Span,
    },
    /// The clock was set forward by so much, or back if it is negative.
    Clock {
        by: Span,
    },
}

/// A silence that became longer than its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongSilence {
    /// The last heartbeat before it.
    pub since: Timestamp,
    pub limit: Span,
}

/// Why a pulse turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PulseCause {
    Heartbeat,
    Start,
    Silence,
    Goodbye,
    /// An admin changed a setting.
    Settings,
    /// A blind period ended.
    Observed,
}

impl PulseCause {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Heartbeat => "heartbeat",
            Self::Start => "start",
            Self::Silence => "silence",
            Self::Goodbye => "goodbye",
            Self::Settings => "settings",
            Self::Observed => "observed",
        }
    }
}

/// What kind of event it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    Pulse,
    Stability,
    Start,
    Version,
    Key,
    Address,
    FirstSeen,
    Removed,
    Returned,
    Settings,
    ReferenceKey,
    Blind,
    Clock,
}

impl EventKind {
    pub const ALL: [Self; 13] = [
        Self::Pulse,
        Self::Stability,
        Self::Start,
        Self::Version,
        Self::Key,
        Self::Address,
        Self::FirstSeen,
        Self::Removed,
        Self::Returned,
        Self::Settings,
        Self::ReferenceKey,
        Self::Blind,
        Self::Clock,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pulse => "pulse",
            Self::Stability => "stability",
            Self::Start => "start",
            Self::Version => "version",
            Self::Key => "key",
            Self::Address => "address",
            Self::FirstSeen => "first_seen",
            Self::Removed => "removed",
            Self::Returned => "returned",
            Self::Settings => "settings",
            Self::ReferenceKey => "reference_key",
            Self::Blind => "blind",
            Self::Clock => "clock",
        }
    }

    /// From the word on the wire.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl Event {
    /// Whether it is about this server, and about a component with this role, if they are given.
    pub fn is_about(&self, server: Option<&ServerName>, role: Option<Role>) -> bool {
        let subject = self.subject.as_ref();
        let is_of_server = |name: &ServerName| subject.is_some_and(|one| one.server == *name);
        let has_role = |role: Role| subject.is_some_and(|one| one.role == role);
        server.is_none_or(is_of_server) && role.is_none_or(has_role)
    }

    pub fn kind(&self) -> EventKind {
        match self.what {
            Happening::Pulse { .. } => EventKind::Pulse,
            Happening::Stability { .. } => EventKind::Stability,
            Happening::Start { .. } => EventKind::Start,
            Happening::Version { .. } => EventKind::Version,
            Happening::Key { .. } => EventKind::Key,
            Happening::Address { .. } => EventKind::Address,
            Happening::FirstSeen { .. } => EventKind::FirstSeen,
            Happening::Removed => EventKind::Removed,
            Happening::Returned | Happening::BootReturned { .. } => EventKind::Returned,
            Happening::Setting { .. } => EventKind::Settings,
            Happening::ReferenceKey { .. } => EventKind::ReferenceKey,
            Happening::Blind { .. } => EventKind::Blind,
            Happening::Clock { .. } => EventKind::Clock,
        }
    }

    /// The same for everybody who computes it: its moment and a digest of what it is about.
    pub fn id(&self) -> EventId {
        let detail = match &self.what {
            Happening::Setting { name, .. } => name,
            Happening::Key { kind, .. } | Happening::ReferenceKey { kind, .. } => kind.as_str(),
            Happening::Pulse { to, .. } => to.as_str(),
            Happening::BootReturned { .. } => "boot",
            Happening::Stability { .. }
            | Happening::Start { .. }
            | Happening::Version { .. }
            | Happening::Address { .. }
            | Happening::FirstSeen { .. }
            | Happening::Removed
            | Happening::Returned
            | Happening::Blind { .. }
            | Happening::Clock { .. } => "",
        };
        let (server, role) = self.subject.as_ref().map_or((String::new(), ""), |subject| {
            (subject.server.folded(), subject.role.as_str())
        });
        let parts = [role, detail, &server];
        EventId { at: self.at, digest: digest(self.kind(), &parts) }
    }
}

/// Names an event. Ids are in the order of time, and of one moment in the order of [`EventKind::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventId {
    at: Timestamp,
    digest: u64,
}

impl EventId {
    /// From its text.
    pub fn parse(text: &str) -> Option<Self> {
        let (at, digest) = text.split_once('-')?;
        let digest = u64::from_str_radix(digest, 16).ok()?;
        Some(Self { at: Timestamp(at.parse().ok()?), digest })
    }

    /// The moment of its event.
    pub const fn at(self) -> Timestamp {
        self.at
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:016x}", self.at.0, self.digest)
    }
}

/// The kind in the first byte, and then the digest of the parts.
fn digest(kind: EventKind, parts: &[&str]) -> u64 {
    (kind as u64) << 56 | digest::digest(parts) >> 8
}
