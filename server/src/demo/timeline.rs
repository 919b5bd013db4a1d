//! What happens when: one round of the demo, second by second.

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

/// How many seconds a round takes.
pub(super) const ROUND: u32 = 110;

/// In force unless a scene says otherwise: the shortest timers that are not tight, and the shortest
/// web window there may be.
pub(super) const SETTINGS: Settings = Settings {
    load_balancing: true,
    automatic_failover: true,
    heartbeat_interval_s: 2,
    stale_timeout_s: 6,
    web_window_s: 60,
};

/// What is otherwise than on a good day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing is heard of it; for a web component: nobody asks it anything. A start is still heard.
    Silent,
    /// It says goodbye, and starts anew at the end.
    Stopped,
    /// It was started with another encryption key.
    OtherKey,
    /// It was started without one.
    NoKey,
    /// It was started with the machine key, which products up to 5.3 have.
    MachineKey,
    /// It was started with another machine key.
    OtherMachineKey,
    /// It was started with this version.
    Version(&'static str),
    /// Its clock runs ahead.
    ClockAhead(Span),
    /// A second machine bears its name.
    Twin,
    /// Its messenger cannot be reached.
    Messenger(MessengerFailure),
    /// An admin removes it, though it is running perhaps.
    Removed,
    /// The cluster's stale timeout, in seconds.
    StaleTimeout(u32),
    /// How many servers the overview takes in at most.
    MaxServers(usize),
    /// The agent of a server that has not reported yet says that its probe fails.
    NewServerUnwell,
    /// The overview cannot write its database.
    DatabaseAway,
}

use Fault::{
    ClockAhead, DatabaseAway, MachineKey, MaxServers, Messenger, NewServerUnwell, NoKey, OtherKey,
    OtherMachineKey, Removed, Silent, StaleTimeout, Stopped, Twin, Version,
};

/// A span of a round in which something is otherwise.
#[derive(Debug)]
struct Scene {
    at: Range<u32>,
    /// The components it is about; none where it is about the cluster.
    who: &'static [(&'static str, Role)],
    twist: Fault,
    /// The hints it is for.
    #[cfg_attr(not(test), expect(dead_code, reason = "for the reader, and for the tests below"))]
    shows: &'static [HintId],
}

const fn scene(
    at: Range<u32>,
    who: &'static [(&'static str, Role)],
    twist: Fault,
    shows: &'static [HintId],
) -> Scene {
    Scene { at, who, twist, shows }
}

/// All scenes, in the order in which they show what they are for.
static SCENES: &[Scene] = &[
    // To 6: a whole cluster, everybody alive.
    //
    // 13 to 36: a picture that stands still. One service stale (late before), one stopped, one server
    // with another key, one behind.
    scene(6..36, &[("app-5", Service)], Silent, &[ServiceLate, ServiceStale]),
    scene(7..76, &[("app-6", Service)], Stopped, &[ServiceStopped]),
    scene(8..36, &[("web-3", Web), ("web-3", Service)], OtherKey, &[KeyMismatch]),
    scene(8..36, &[("web-2", Web), ("web-2", Service)], Version("2026.1.4"), &[VersionSkew]),
    // 38 to 50: small troubles. The longer timeout keeps the late one late.
    scene(37..51, &[], StaleTimeout(20), &[]),
    scene(38..49, &[("app-4", Service)], Silent, &[ServiceLate]),
    scene(38..50, &[("web-2", Service)], ClockAhead(Span::seconds(7)), &[ClockSkew]),
    scene(38..50, &[("app-5", Service)], NoKey, &[KeyMissing]),
    scene(38..50, &[("web-3", Service)], Messenger(Refused), &[MessengerUnreachable]),
    scene(38..50, &[("web-2", Web)], MachineKey, &[]),
    scene(40..50, &[("web-3", Web)], OtherMachineKey, &[MachineKeyMismatch]),
    // 58 to 76: the web servers go quiet, then the network goes. The window of 60 s makes the first
    // scene begin with the round.
    scene(52..76, &[("web-2", Web)], Stopped, &[WebStopped]),
    scene(0..76, &[("web-1", Web), ("app-6", Web)], Silent, &[WebIdle, WebStale]),
    scene(
        64..76,
        &[("web-1", Service), ("web-2", Service), ("app-4", Service), ("app-5", Service)],
        Silent,
        &[EveryoneSilent, FailoverThin, BalancingThin],
    ),
    // 80 to 86: the overview's own trouble. Nobody knows how anybody is.
    scene(80..86, &[], DatabaseAway, &[OverviewBlind]),
    // 88 to 107: what people do to it.
    scene(88..98, &[], StaleTimeout(5), &[TimersTight]),
    scene(88..98, &[], MaxServers(6), &[ServersFull]),
    scene(99..106, &[], NewServerUnwell, &[NotReportedYet]),
    scene(88..105, &[("web-2", Service)], Removed, &[CameBack]),
    scene(89..107, &[("app-5", Service)], Twin, &[DuplicateName]),
    // A doubtful name stays so for ten minutes: only while nobody beats under it does a removal, and
    // the next start, make it single again.
    scene(107..110, &[("app-5", Service)], Silent, &[]),
    scene(109..110, &[("app-5", Service)], Removed, &[]),
];

/// What is otherwise with a component in this second.
pub(super) fn twists(server: &str, role: Role, second: u32) -> Vec<Fault> {
    SCENES
        .iter()
        .filter(|scene| scene.at.contains(&second) && scene.who.contains(&(server, role)))
        .map(|scene| scene.twist)
        .collect()
}

/// What is otherwise with the cluster in this second.
fn of_the_cluster(second: u32) -> impl Iterator<Item = Fault> {
    SCENES
        .iter()
        .filter(move |scene| scene.at.contains(&second) && scene.who.is_empty())
        .map(|scene| scene.twist)
}

/// The settings in this second.
pub(super) fn settings(second: u32) -> Settings {
    let timeout = of_the_cluster(second)
        .find_map(|twist| if let StaleTimeout(seconds) = twist { Some(seconds) } else { None });
    Settings { stale_timeout_s: timeout.unwrap_or(SETTINGS.stale_timeout_s), ..SETTINGS }
}

/// How many servers the overview takes in at most in this second.
pub(super) fn max_servers(second: u32) -> usize {
    let fewer = of_the_cluster(second)
        .find_map(|twist| if let MaxServers(most) = twist { Some(most) } else { None });
    fewer.unwrap_or(crate::site::MAX_SERVERS)
}

/// Whether the probe of a server that has not reported yet fails in this second.
pub(super) fn new_server_is_unwell(second: u32) -> bool {
    of_the_cluster(second).any(|twist| twist == NewServerUnwell)
}

/// Whether the overview is without its database in this second.
pub(super) fn database_is_away(second: u32) -> bool {
    of_the_cluster(second).any(|twist| twist == DatabaseAway)
}

/// Whether an admin removes a component in this second: once, when the scene begins.
pub(super) fn is_removed(server: &str, role: Role, second: u32) -> bool {
    SCENES.iter().any(|scene| {
        scene.at.start == second && scene.twist == Removed && scene.who.contains(&(server, role))
    })
}

/// How a service's messenger is in this second: nothing answers where nobody is.
pub(super) fn messenger(server: &str, second: u32) -> Option<MessengerFailure> {
    twists(server, Service, second).into_iter().find_map(|twist| {
        if let Messenger(failure) = twist {
            return Some(failure);
        }
        twist.is_quiet().then_some(Connecting)
    })
}

impl Fault {
    /// Whether it comes and goes with a start of the process: who changes a key or a version restarts.
    pub(super) fn begins_with_a_start(self) -> bool {
        matches!(self, OtherKey | NoKey | MachineKey | OtherMachineKey | Version(_))
    }

    /// Whether a start ends it.
    pub(super) fn ends_with_a_start(self) -> bool {
        self.begins_with_a_start() || matches!(self, Stopped | Removed)
    }

    /// Whether no further heartbeat comes.
    pub(super) fn is_quiet(self) -> bool {
        matches!(self, Silent | Stopped)
    }

    /// Puts into a heartbeat what is otherwise in it.
    pub(super) fn put_into(self, heartbeat: &mut Heartbeat) {
        match self {
            OtherKey => heartbeat.facts.key_check = Some(servers::other_key()),
            NoKey => heartbeat.facts.key_check = None,
            MachineKey => heartbeat.facts.machine_key_check = Some(servers::machine_key()),
            OtherMachineKey => heartbeat.facts.machine_key_check = Some(servers::other_key()),
            Version(version) => version.clone_into(&mut heartbeat.facts.version),
            ClockAhead(by) => heartbeat.sent_at = heartbeat.sent_at.map(|sent| sent + by),
            Silent | Stopped | Twin | Messenger(_) | Removed | StaleTimeout(_) | MaxServers(_)
            | NewServerUnwell | DatabaseAway => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hint_is_what_some_scene_is_for() {
        for hint in HintId::ALL {
            let shown = SCENES.iter().any(|scene| scene.shows.contains(hint));
            assert!(shown, "{}", hint.as_str());
        }
    }

    #[test]
    fn every_scene_lies_in_a_round_and_is_played_by_somebody() {
        for scene in SCENES {
            assert!(scene.at.start < scene.at.end && scene.at.end <= ROUND, "{scene:?}");
            for (server, role) in scene.who {
                let plays = |member: &&servers::SimServer| {
                    member.server == *server && member.roles.contains(role)
                };
                assert!(servers::SERVERS.iter().any(|member| plays(&member)), "{scene:?}");
            }
        }
    }

    #[test]
    fn the_settings_of_every_second_are_ones_an_admin_could_set() {
        for second in 0..ROUND {
            assert_eq!(settings(second).check(), []);
        }
    }
}
