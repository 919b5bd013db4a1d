//! What can be wrong in the demo, and what it changes in a heartbeat.

use app::cluster::{Heartbeat, MessengerFailure, RejectionReason, Role, Span};

use crate::demo::servers;

/// How often a process of a restart loop starts, in seconds.
const CRASH_INTERVAL: u32 = 3;
/// How often a flapping service sends a heartbeat, in seconds: late every time, but not stale.
const FLAPPING_INTERVAL: u32 = 5;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing: a temporary server is there.
    Present,
    /// It sends no heartbeats.
    Silent,
    /// It is stopped, and started at the end.
    Stopped,
    /// Its process ends and starts again and again.
    Crashing,
    /// Most of its heartbeats do not arrive.
    Flapping,
    /// Its heartbeats are rejected, because its token is no longer valid.
    TokenRevoked,
    /// Its agent sends no heartbeats, because the product does not answer the probe.
    ProbeFails,
    /// It uses another encryption key.
    OtherKey,
    /// It has no encryption key.
    NoKey,
    /// It has the machine key, as products up to 5.3 do.
    MachineKey,
    OtherMachineKey,
    /// It was started with this version, and is started with the right one at the end.
    Version(&'static str),
    ClockAhead(Span),
    /// A second machine uses its name.
    SecondMachine,
    /// Its messenger cannot be reached.
    Messenger(MessengerFailure),
    /// An admin removes it although it is running. It is started again at the end.
    Removed,
    /// The cluster's stale timeout, in seconds.
    StaleTimeout(u32),
    /// The cluster's web window, in seconds.
    WebWindow(u32),
    /// The greatest number of servers that the overview accepts.
    MaxServers(usize),
    /// The overview's certificate and a token expire soon, and its disk is nearly full.
    UpkeepDue,
    /// The overview cannot write to its database.
    DatabaseUnavailable,
}

use Fault::{
    ClockAhead, Crashing, DatabaseUnavailable, Flapping, MachineKey, MaxServers, Messenger, NoKey,
    OtherKey, OtherMachineKey, Present, ProbeFails, Removed, SecondMachine, Silent, StaleTimeout,
    Stopped, TokenRevoked, UpkeepDue, Version, WebWindow,
};

impl Fault {
    pub(super) fn begins_with_restart(self) -> bool {
        matches!(self, Version(_))
    }

    pub(super) fn ends_with_restart(self) -> bool {
        matches!(self, Version(_) | Stopped | Removed)
    }

    /// Whether its process starts again in this second, while the fault lasts.
    pub(super) fn restarts_at(self, second: u32) -> bool {
        self == Crashing && second.is_multiple_of(CRASH_INTERVAL)
    }

    /// Whether no heartbeats arrive, apart from those of [`Self::is_heard_at`].
    pub(super) fn is_silent(self) -> bool {
        matches!(self, Silent | Stopped | Flapping | TokenRevoked | ProbeFails)
    }

    /// Whether a heartbeat arrives in this second all the same.
    pub(super) fn is_heard_at(self, second: u32) -> bool {
        self == Flapping && second.is_multiple_of(FLAPPING_INTERVAL)
    }

    /// Why the overview receives no heartbeats, as far as it is told.
    pub(super) fn rejection(self, role: Role) -> Option<RejectionReason> {
        if self == ProbeFails {
            let reason = "503 Service Unavailable: the database is being upgraded".to_owned();
            return Some(RejectionReason::Probe { role, reason });
        }
        (self == TokenRevoked).then_some(RejectionReason::Revoked)
    }

    pub(super) fn apply_to(self, heartbeat: &mut Heartbeat) {
        match self {
            OtherKey => heartbeat.facts.key_check = Some(servers::other_key()),
            NoKey => heartbeat.facts.key_check = None,
            MachineKey => heartbeat.facts.machine_key_check = Some(servers::machine_key()),
            OtherMachineKey => heartbeat.facts.machine_key_check = Some(servers::other_key()),
            Version(version) => version.clone_into(&mut heartbeat.facts.version),
            ClockAhead(by) => heartbeat.sent_at = heartbeat.sent_at.map(|sent| sent + by),
            Present | Silent | Stopped | Crashing | Flapping | TokenRevoked | ProbeFails
            | SecondMachine | Messenger(_) | Removed | StaleTimeout(_) | WebWindow(_)
            | MaxServers(_) | UpkeepDue | DatabaseUnavailable => {}
        }
    }
}
