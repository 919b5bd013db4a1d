//! The timeline of the demo: which faults each second of a round has.

use std::ops::Range;

use app::cluster::HintId::{
    self, BalancingThin, CameBack, ClockSkew, DuplicateName, EveryoneSilent, FailoverThin,
    KeyMismatch, KeyMissing, MachineKeyMismatch, MessengerUnreachable, NotReportedYet,
    OverviewBlind, ServersFull, ServiceLate, ServiceStale, ServiceStopped, TimersTight,
    VersionSkew, WebIdle, WebStale, WebStopped,
};
use app::cluster::MessengerFailure::{self, Connecting, Refused};
use app::cluster::Role::{self, Service, Web};
use app::cluster::{Heartbeat, Settings, Span};

use crate::demo::servers;

pub(super) const ROUND_SECONDS: u32 = 110;

/// The settings without faults: the shortest timers without a hint, and the shortest web timeout.
pub(super) const BASE_SETTINGS: Settings = Settings {
    load_balancing: true,
    automatic_failover: true,
    heartbeat_interval_s: 2,
    stale_timeout_s: 6,
    web_window_s: 60,
};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It sends no heartbeats, except the first one after a start.
    Silent,
    /// It is stopped, and started at the end.
    Stopped,
    /// It was started with another encryption key.
    OtherKey,
    /// It was started without an encryption key.
    NoKey,
    /// It was started with the machine key, which products up to 5.3 have.
    MachineKey,
    OtherMachineKey,
    Version(&'static str),
    ClockAhead(Span),
    /// A second machine uses its name.
    SecondMachine,
    /// Its messenger cannot be reached.
    Messenger(MessengerFailure),
    /// An admin removes it, although it may be running.
    Removed,
    /// The cluster's stale timeout, in seconds.
    StaleTimeout(u32),
    /// The greatest number of servers that the overview accepts.
    MaxServers(usize),
    /// The probe of a server fails that has not sent a heartbeat yet.
    NewServerUnhealthy,
    /// The overview cannot write to its database.
    DatabaseUnavailable,
}

use Fault::{
    ClockAhead, DatabaseUnavailable, MachineKey, MaxServers, Messenger, NewServerUnhealthy, NoKey,
    OtherKey, OtherMachineKey, Removed, SecondMachine, Silent, StaleTimeout, Stopped, Version,
};

/// A part of a round that has a fault.
#[derive(Debug)]
struct Scene {
    at: Range<u32>,
    /// The components with the fault; none if it concerns the whole cluster.
    components: &'static [(&'static str, Role)],
    fault: Fault,
    /// The hints that it shows.
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers and for the tests"))]
    shows: &'static [HintId],
}

const fn scene(
    at: Range<u32>,
    components: &'static [(&'static str, Role)],
    fault: Fault,
    shows: &'static [HintId],
) -> Scene {
    Scene { at, components, fault, shows }
}

/// In the order in which they show their hints.
static SCENES: &[Scene] = &[
    // Until 6: no faults.
    //
    // 13 to 36: nothing changes. One service is stale (late before), one is stopped, one server has another key, one
    // an older version.
    scene(6..36, &[("app-5", Service)], Silent, &[ServiceLate, ServiceStale]),
    scene(7..76, &[("app-6", Service)], Stopped, &[ServiceStopped]),
    scene(8..36, &[("web-3", Web), ("web-3", Service)], OtherKey, &[KeyMismatch]),
    scene(8..36, &[("web-2", Web), ("web-2", Service)], Version("2026.1.4"), &[VersionSkew]),
    // 38 to 50: small problems. The longer timeout keeps a late service from becoming stale.
    scene(37..51, &[], StaleTimeout(20), &[]),
    scene(38..49, &[("app-4", Service)], Silent, &[ServiceLate]),
    scene(38..50, &[("web-2", Service)], ClockAhead(Span::seconds(7)), &[ClockSkew]),
    scene(38..50, &[("app-5", Service)], NoKey, &[KeyMissing]),
    scene(38..50, &[("web-3", Service)], Messenger(Refused), &[MessengerUnreachable]),
    scene(38..50, &[("web-2", Web)], MachineKey, &[]),
    scene(40..50, &[("web-3", Web)], OtherMachineKey, &[MachineKeyMismatch]),
    // 58 to 76: the web servers receive no requests, then the network fails. The web timeout of 60 s makes the first
    // scene begin with the round.
    scene(52..76, &[("web-2", Web)], Stopped, &[WebStopped]),
    scene(0..76, &[("web-1", Web), ("app-6", Web)], Silent, &[WebIdle, WebStale]),
    scene(
        64..76,
        &[("web-1", Service), ("web-2", Service), ("app-4", Service), ("app-5", Service)],
        Silent,
        &[EveryoneSilent, FailoverThin, BalancingThin],
    ),
    // 80 to 86: the overview's own problem: no status is known.
    scene(80..86, &[], DatabaseUnavailable, &[OverviewBlind]),
    // 88 to 107: problems of the configuration.
    scene(88..98, &[], StaleTimeout(5), &[TimersTight]),
    scene(88..98, &[], MaxServers(6), &[ServersFull]),
    scene(99..106, &[], NewServerUnhealthy, &[NotReportedYet]),
    scene(88..105, &[("web-2", Service)], Removed, &[CameBack]),
    scene(89..107, &[("app-5", Service)], SecondMachine, &[DuplicateName]),
    // A duplicate name is shown for ten minutes. A removal while nothing is sent with this name ends it at once.
    scene(107..110, &[("app-5", Service)], Silent, &[]),
    scene(109..110, &[("app-5", Service)], Removed, &[]),
];

/// The faults of a component in this second.
pub(super) fn faults(server: &str, role: Role, second: u32) -> Vec<Fault> {
    SCENES
        .iter()
        .filter(|scene| scene.at.contains(&second) && scene.components.contains(&(server, role)))
        .map(|scene| scene.fault)
        .collect()
}

/// The faults of the whole cluster in this second.
fn cluster_faults(second: u32) -> impl Iterator<Item = Fault> {
    SCENES
        .iter()
        .filter(move |scene| scene.at.contains(&second) && scene.components.is_empty())
        .map(|scene| scene.fault)
}

pub(super) fn settings(second: u32) -> Settings {
    let timeout = cluster_faults(second)
        .find_map(|fault| if let StaleTimeout(seconds) = fault { Some(seconds) } else { None });
    Settings { stale_timeout_s: timeout.unwrap_or(BASE_SETTINGS.stale_timeout_s), ..BASE_SETTINGS }
}

pub(super) fn max_servers(second: u32) -> usize {
    let fewer = cluster_faults(second)
        .find_map(|fault| if let MaxServers(most) = fault { Some(most) } else { None });
    fewer.unwrap_or(crate::site::MAX_SERVERS)
}

pub(super) fn new_server_is_unhealthy(second: u32) -> bool {
    cluster_faults(second).any(|fault| fault == NewServerUnhealthy)
}

pub(super) fn database_is_unavailable(second: u32) -> bool {
    cluster_faults(second).any(|fault| fault == DatabaseUnavailable)
}

/// Whether an admin removes a component in this second: only in the first second of the scene.
pub(super) fn is_removed(server: &str, role: Role, second: u32) -> bool {
    SCENES.iter().any(|scene| {
        scene.at.start == second
            && scene.fault == Removed
            && scene.components.contains(&(server, role))
    })
}

/// Why a service's messenger cannot be reached in this second. A silent service has no messenger either.
pub(super) fn messenger(server: &str, second: u32) -> Option<MessengerFailure> {
    faults(server, Service, second).into_iter().find_map(|fault| {
        if let Messenger(failure) = fault {
            return Some(failure);
        }
        fault.is_silent().then_some(Connecting)
    })
}

impl Fault {
    /// A new key or version needs a restart.
    pub(super) fn begins_with_restart(self) -> bool {
        matches!(self, OtherKey | NoKey | MachineKey | OtherMachineKey | Version(_))
    }

    pub(super) fn ends_with_restart(self) -> bool {
        self.begins_with_restart() || matches!(self, Stopped | Removed)
    }

    pub(super) fn is_silent(self) -> bool {
        matches!(self, Silent | Stopped)
    }

    pub(super) fn apply_to(self, heartbeat: &mut Heartbeat) {
        match self {
            OtherKey => heartbeat.facts.key_check = Some(servers::other_key()),
            NoKey => heartbeat.facts.key_check = None,
            MachineKey => heartbeat.facts.machine_key_check = Some(servers::machine_key()),
            OtherMachineKey => heartbeat.facts.machine_key_check = Some(servers::other_key()),
            Version(version) => version.clone_into(&mut heartbeat.facts.version),
            ClockAhead(by) => heartbeat.sent_at = heartbeat.sent_at.map(|sent| sent + by),
            Silent | Stopped | SecondMachine | Messenger(_) | Removed | StaleTimeout(_)
            | MaxServers(_) | NewServerUnhealthy | DatabaseUnavailable => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hint_has_a_scene() {
        for hint in HintId::ALL {
            let shown = SCENES.iter().any(|scene| scene.shows.contains(hint));
            assert!(shown, "{}", hint.as_str());
        }
    }

    #[test]
    fn every_scene_is_within_a_round_and_names_components_that_exist() {
        for scene in SCENES {
            assert!(scene.at.start < scene.at.end && scene.at.end <= ROUND_SECONDS, "{scene:?}");
            for (server, role) in scene.components {
                let exists = |known: &&servers::SimServer| {
                    known.server == *server && known.roles.contains(role)
                };
                assert!(servers::SERVERS.iter().any(|known| exists(&known)), "{scene:?}");
            }
        }
    }

    #[test]
    fn the_settings_of_every_second_are_valid() {
        for second in 0..ROUND_SECONDS {
            assert_eq!(settings(second).check(), []);
        }
    }
}
