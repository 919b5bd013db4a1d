//! The timeline of the demo: which faults each second of a round has.

use std::ops::Range;

use app::cluster::HintId::{
    self, BalancingThin, CameBack, CertificateExpiring, ChannelFailing, ClockSkew, DiskLow,
    DuplicateName, EveryoneSilent, FailoverThin, HeartbeatsRefused, KeyMismatch, KeyMissing,
    MachineKeyMismatch, ManySilent, MessengerUnreachable, NotReportedYet, OverviewBlind,
    OverviewUnsteady, ProbeFailing, SameMachine, ServersFull, ServiceFlapping, ServiceLate,
    ServiceRestarting, ServiceStale, ServiceStopped, TimersTight, TokenExpiring, VersionSkew,
    WebIdle, WebRestarting, WebStale, WebStopped, WebUnused,
};
use app::cluster::MessengerFailure::{self, Connecting, Refused};
use app::cluster::Role::{self, Service, Web};
use app::cluster::{
    Certificate, DiskSpace, ExpiringToken, FailingChannel, Settings, Span, Timestamp, Upkeep,
};

use crate::demo::fault::Fault::{
    self, ClockAhead, Crashing, DatabaseUnavailable, Flapping, MachineKey, MaxServers, Messenger,
    NoKey, OtherKey, OtherMachineKey, Present, ProbeFails, Removed, SecondMachine, Silent,
    StaleTimeout, Stopped, TokenRevoked, UpkeepDue, Version, WebWindow,
};
use crate::demo::servers;

/// Each round begins with new servers, about which nothing is known of the round before.
pub(super) const ROUND_SECONDS: u32 = 175;

/// The settings without faults: the shortest timers without a hint.
pub(super) const BASE_SETTINGS: Settings = Settings {
    load_balancing: true,
    automatic_failover: true,
    heartbeat_interval_s: 2,
    stale_timeout_s: 6,
    web_window_s: 600,
};

/// More than half of all services.
const WORKERS: &[(&str, Role)] = &[
    ("worker-1", Service),
    ("worker-2", Service),
    ("worker-3", Service),
    ("worker-4", Service),
    ("worker-5", Service),
    ("worker-6", Service),
    ("worker-7", Service),
];

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
    // Until 7: nothing is wrong.
    //
    // 15 to 31: nothing changes. One service is stale (late before), one is stopped, one server has another key, one
    // an older version.
    scene(7..31, &[("app-6", Service)], Stopped, &[ServiceStopped]),
    scene(7..31, &[("app-5", Service)], Silent, &[ServiceLate, ServiceStale]),
    scene(8..31, &[("web-3", Web), ("web-3", Service)], OtherKey, &[KeyMismatch]),
    scene(8..31, &[("web-2", Web), ("web-2", Service)], Version("2026.1.4"), &[VersionSkew]),
    // 33 to 47: small problems. The longer timeout keeps a late service from becoming stale.
    scene(32..48, &[], StaleTimeout(20), &[]),
    scene(33..46, &[("app-4", Service)], Silent, &[ServiceLate]),
    scene(33..47, &[("web-2", Service)], ClockAhead(Span::seconds(7)), &[ClockSkew]),
    scene(33..47, &[("app-5", Service)], NoKey, &[KeyMissing]),
    scene(33..47, &[("web-3", Service)], Messenger(Refused), &[MessengerUnreachable]),
    scene(33..47, &[("web-2", Web)], MachineKey, &[]),
    scene(35..47, &[("web-3", Web)], OtherMachineKey, &[MachineKeyMismatch]),
    scene(33..47, &[("db-1", Web), ("DB-1.corp.example", Service)], Present, &[SameMachine]),
    // 50 to 79: what happens again and again, and what is rejected. These hints stay for a while, so most of the
    // servers are temporary.
    scene(50..64, &[("web-3", Web)], ProbeFails, &[ProbeFailing]),
    scene(48..64, &[("app-10", Service)], Present, &[]),
    scene(50..64, &[("app-10", Service)], TokenRevoked, &[HeartbeatsRefused]),
    scene(50..66, &[("app-9", Service)], SecondMachine, &[DuplicateName]),
    scene(
        50..78,
        &[("app-7", Web), ("app-7", Service)],
        Crashing,
        &[WebRestarting, ServiceRestarting],
    ),
    scene(66..78, &[("web-4", Web)], ProbeFails, &[NotReportedYet]),
    scene(50..79, &[("app-8", Service)], Flapping, &[ServiceFlapping]),
    // 80 to 108: many servers join and fail, then the network does.
    scene(80..94, WORKERS, Present, &[]),
    scene(83..94, WORKERS, Silent, &[ManySilent]),
    scene(96..108, &[("web-1", Web), ("web-2", Web), ("web-3", Web)], Silent, &[]),
    // The services are heard again first: a web component that is heard would be a witness.
    scene(
        97..107,
        &[
            ("web-1", Service),
            ("web-2", Service),
            ("web-3", Service),
            ("app-4", Service),
            ("app-5", Service),
            ("app-6", Service),
        ],
        Silent,
        &[EveryoneSilent],
    ),
    // 109 to 119: problems of the configuration.
    scene(109..119, &[], StaleTimeout(5), &[TimersTight]),
    scene(109..119, &[], MaxServers(6), &[ServersFull]),
    scene(109..119, &[], UpkeepDue, &[CertificateExpiring, DiskLow, ChannelFailing, TokenExpiring]),
    scene(109..119, &[("web-2", Service)], Removed, &[CameBack]),
    // 121 to 142: one web server has received no requests since the round began, and then fewer and fewer do. The
    // servers that stop and soon start again are no problem of their own.
    scene(0..142, &[("app-6", Web)], Silent, &[WebUnused, WebIdle, WebStale]),
    scene(127..142, &[], WebWindow(60), &[]),
    scene(131..142, &[("app-6", Service)], Stopped, &[ServiceStopped]),
    scene(131..142, &[("web-1", Web), ("web-3", Web)], Stopped, &[BalancingThin, WebStopped]),
    scene(
        131..136,
        &[("web-1", Service), ("web-3", Service), ("app-4", Service), ("app-5", Service)],
        Stopped,
        &[FailoverThin],
    ),
    // 144 to 175: the overview's own problem. No status is known, three times. In between each service sends a heartbeat
    // that does not have to wait: those that wait seem to come from a wrong clock.
    scene(144..150, &[], DatabaseUnavailable, &[OverviewBlind]),
    scene(154..160, &[], DatabaseUnavailable, &[OverviewBlind]),
    scene(164..170, &[], DatabaseUnavailable, &[OverviewBlind, OverviewUnsteady]),
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
    let mut settings = BASE_SETTINGS;
    for fault in cluster_faults(second) {
        if let StaleTimeout(seconds) = fault {
            settings.stale_timeout_s = seconds;
        }
        if let WebWindow(seconds) = fault {
            settings.web_window_s = seconds;
        }
    }
    settings
}

pub(super) fn max_servers(second: u32) -> usize {
    let fewer = cluster_faults(second)
        .find_map(|fault| if let MaxServers(most) = fault { Some(most) } else { None });
    fewer.unwrap_or(crate::site::MAX_SERVERS)
}

/// What the overview itself needs, if it runs out soon in this second.
pub(super) fn upkeep(second: u32, now: Timestamp) -> Upkeep {
    if !cluster_faults(second).any(|fault| fault == UpkeepDue) {
        return Upkeep::default();
    }
    let days = |days: i64| Span::minutes(days * 24 * 60);
    Upkeep {
        certificate: Some(Certificate {
            file: "/etc/cluster-overview/tls.pem".to_owned(),
            expires_at: now + days(12),
        }),
        disk: Some(DiskSpace {
            folder: "/var/lib/cluster-overview".to_owned(),
            free: 740_000_000,
            total: 40_000_000_000,
        }),
        tokens: vec![ExpiringToken {
            name: "monitoring".to_owned(),
            role: "viewer".to_owned(),
            expires_at: now + days(9),
            used_at: now,
        }],
        channels: vec![FailingChannel {
            name: "mail".to_owned(),
            since: now - Span::minutes(25),
            error: "the SMTP server mail.example.com:587 did not answer within 15 s".to_owned(),
        }],
    }
}

pub(super) fn database_is_unavailable(second: u32) -> bool {
    cluster_faults(second).any(|fault| fault == DatabaseUnavailable)
}

/// Whether a component is there: a temporary server is there only while it has a scene.
pub(super) fn is_there(server: &str, role: Role, second: u32) -> bool {
    servers::is_permanent(server) || !faults(server, role, second).is_empty()
}

/// Whether an admin removes a component in this second: in the first second of the scene, or when it is no longer
/// there. A second later, because its last heartbeat may be under way.
pub(super) fn is_removed(server: &str, role: Role, second: u32) -> bool {
    let has_left =
        !is_there(server, role, second) && !is_there(server, role, second.saturating_sub(1));
    has_left
        || SCENES.iter().any(|scene| {
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
        matches!(fault, Silent | Stopped).then_some(Connecting)
    })
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
                let exists =
                    servers::components().any(|(known, its)| (known.name, its) == (*server, *role));
                assert!(exists, "{server} {role:?}: {scene:?}");
            }
        }
    }

    #[test]
    fn the_settings_of_every_second_are_valid() {
        for second in 0..ROUND_SECONDS {
            assert_eq!(settings(second).check(), []);
        }
    }

    #[test]
    fn a_round_begins_and_ends_without_a_fault_that_can_be_seen() {
        for second in (0..7).chain(171..ROUND_SECONDS) {
            assert_eq!(settings(second), BASE_SETTINGS);
            assert_eq!(cluster_faults(second).next(), None, "in second {second}");
            for (server, role) in servers::components() {
                let mut faults = faults(server.name, role, second);
                // The web window is longer than this.
                faults.retain(|fault| (*fault, role) != (Silent, Web));
                assert_eq!(faults, [], "{} {role:?} in second {second}", server.name);
            }
        }
    }

    #[test]
    fn a_temporary_server_is_removed_after_its_last_heartbeat() {
        let removed: Vec<u32> =
            (0..ROUND_SECONDS).filter(|second| is_removed("app-9", Service, *second)).collect();
        assert!(removed.contains(&67) && !removed.contains(&66) && !removed.contains(&50));
    }

    /// Three starts are a restart loop, and five gaps are flapping: they would hide what a scene shows.
    #[test]
    fn only_the_components_that_crash_or_flap_are_unsteady() {
        for (server, role) in servers::components() {
            let component = (server.name, role);
            let scenes = SCENES.iter().filter(|scene| scene.components.contains(&component));
            let faults: Vec<Fault> = scenes.map(|scene| scene.fault).collect();
            if faults.contains(&Crashing) || faults.contains(&Flapping) {
                continue;
            }
            let starts = faults.iter().map(|fault| {
                let end = fault.ends_with_restart() || *fault == ProbeFails;
                usize::from(fault.begins_with_restart()) + usize::from(end)
            });
            // A removed component begins anew.
            let starts = starts.sum::<usize>() - 2 * usize::from(faults.contains(&Removed));
            let gaps = faults.iter().filter(|fault| fault.is_silent()).count();
            assert!(starts < 3 && gaps < 5, "{component:?}: {starts} starts, {gaps} gaps");
        }
    }
}
