//! Verdicts, and how bad each of them is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::component::Component;
use super::component_key::Role;
use super::finding::{Finding, HintId, Severity};

use super::messenger::Messenger;
use super::server_name::ServerName;
use super::time::Timestamp;

/// How a component's heartbeat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pulse {
    /// Its heartbeats arrive in time.
    Alive,
    /// A service silent for more than twice the interval.
    Late,
    /// Silent for longer than its limit.
    Stale,
    /// Its last heartbeat said that it was stopping.
    Stopped,
    /// The observer is blind.
    Unknown,
}

impl Pulse {
    /// Every pulse, best first.
    pub const ALL: [Self; 5] = [Self::Alive, Self::Late, Self::Stale, Self::Stopped, Self::Unknown];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Late => "late",
            Self::Stale => "stale",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
        }
    }

    /// How far this pulse is from alive: whether a change makes it worse.
    pub const fn severity(self) -> u8 {
        match self {
            Self::Alive => 0,
            Self::Late => 1,
            Self::Stale | Self::Stopped | Self::Unknown => 2,
        }
    }

    /// Whether heartbeats arrive, even late.
    pub const fn is_heard(self) -> bool {
        matches!(self, Self::Alive | Self::Late)
    }

    /// What this pulse means for the health of a component with this role.
    pub const fn health(self, role: Role) -> Health {
        match (self, role) {
            // A process that was stopped is a matter of a hint, once it has been for long.
            (Self::Alive | Self::Stopped, _) => Health::Ok,
            (Self::Unknown, _) => Health::Unknown,
            (Self::Late, _) | (Self::Stale, Role::Web) => Health::Warning,
            (Self::Stale, Role::Service) => Health::Error,
        }
    }
}

/// How steady a component is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Stability {
    #[default]
    Steady,
    /// A service whose heartbeats stop and come back, again and again.
    Flapping,
    /// Its process starts again and again.
    Restarting,
}

impl Stability {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Flapping => "flapping",
            Self::Restarting => "restarting",
        }
    }
}

/// How well something is; the order of the cases is the order of the rule.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Well.
    #[default]
    Ok,
    /// It cannot be checked.
    Unknown,
    /// Needs attention.
    Warning,
    /// Needs attention now.
    Error,
}

impl Health {
    /// What a hint of this severity means for the health of its subject.
    pub(super) const fn of_hint(severity: Severity) -> Self {
        match severity {
            Severity::Error => Self::Error,
            Severity::Warning => Self::Warning,
            Severity::Info => Self::Ok,
        }
    }

    /// Every health, worst first, as a list of trouble is read.
    pub const WORST_FIRST: [Self; 4] = [Self::Error, Self::Warning, Self::Unknown, Self::Ok];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// How a component's version compares with the reference version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VersionCheck {
    /// It is the reference version, or one of equal order.
    InSync,
    /// It is older.
    Behind,
    /// It is newer.
    Ahead,
}

/// How a component's key compares with the reference key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyVerdict {
    /// It is the reference key.
    InSync,
    /// It is another: what others encrypt cannot be read there.
    Mismatch,
    /// It reports none while others report one.
    Missing,
}

/// One component with its verdicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentStatus {
    /// The facts.
    pub component: Arc<Component>,
    /// Its heartbeat.
    pub pulse: Pulse,
    pub stability: Stability,
    /// The worst of all its verdicts and hints.
    pub health: Health,
    /// The hint that makes its health worse than its verdicts do.
    pub raised_by: Option<HintId>,
    /// Its version; `None` where not judged.
    pub version: Option<VersionCheck>,
    /// Its encryption key; `None` where not judged.
    pub key: Option<KeyVerdict>,
    /// Its machine key; `None` where not judged.
    pub machine_key: Option<KeyVerdict>,
    /// Alive or Late, or an idle web component.
    pub live: bool,
    /// Its messenger as the worst off of the web servers that are still there finds it; `None` where
    /// none has dialled it, or it has stopped.
    pub messenger: Option<Arc<Messenger>>,
}

/// One server with its components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerStatus {
    /// Its name, as first reported.
    pub name: ServerName,
    /// The worst of its components.
    pub health: Health,
    /// Web before service.
    pub components: Vec<ComponentStatus>,
}

impl ServerStatus {
    /// The component heard of last: whose word on system and address counts for the server.
    pub fn latest(&self) -> Option<&Component> {
        self.components
            .iter()
            .map(|status| status.component.as_ref())
            .max_by_key(|component| component.last_heartbeat)
    }
}

/// How many there are of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Servers.
    pub servers: usize,
    /// Web components.
    pub web: usize,
    /// Services.
    pub service: usize,
    /// Components alive.
    pub alive: usize,
    /// Components late.
    pub late: usize,
    /// Components stale.
    pub stale: usize,
    /// Components stopped.
    pub stopped: usize,
    /// Components that cannot be checked.
    pub unknown: usize,
}

/// How widely one version runs, versions of equal order counted together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionCount {
    /// The version, in the spelling that most live components report.
    pub version: String,
    /// Components that run it, the stopped ones left out.
    pub components: usize,
    /// Servers with such a component.
    pub servers: usize,
}

/// The whole picture with verdicts, at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// The moment of the last change of a fact or verdict.
    pub as_of: Timestamp,
    /// When time alone may change a verdict next.
    pub next_turn: Option<Timestamp>,
    /// Since when nothing can be checked.
    pub blind_since: Option<Timestamp>,
    /// The worst of all servers, and of what is said about the cluster as a whole.
    pub health: Health,
    /// Totals.
    pub counts: Counts,
    /// The version most live components run; of equally common ones the newest.
    pub reference_version: Option<String>,
    /// Versions in use, newest first.
    pub versions: Vec<VersionCount>,
    /// Servers by name.
    pub servers: Vec<ServerStatus>,
    /// Which hints are due, and about whom, the most urgent first.
    pub findings: Vec<Finding>,
}

impl Overview {
    /// Every component, by server and role.
    pub fn components(&self) -> impl Iterator<Item = &ComponentStatus> + Clone {
        self.servers.iter().flat_map(|server| &server.components)
    }

    /// The components that are compared with one another: all but the observer's own.
    pub fn compared(&self) -> impl Iterator<Item = &ComponentStatus> + Clone {
        self.components().filter(|status| !status.component.is_observer())
    }
}
