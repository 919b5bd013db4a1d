//! For each hint a cluster in which it is due, and the nearest one in which it is not.

use cluster_overview_app::cluster::interruptions::{Gap, Interruptions};
use cluster_overview_app::cluster::{
    Component, HintId, KeyKind, MessengerFailure, RejectionReason, Role, Settings, Snapshot, Span,
    Timestamp,
};

use crate::common::hints::*;
use crate::common::{NOON, address, ms, name, period, reject, s, service, snapshot, web};

/// A cluster in which a hint is there, and the nearest one in which it is not.
pub(crate) struct Case {
    pub(crate) there: (Snapshot, Timestamp),
    pub(crate) not_there: (Snapshot, Timestamp),
    pub(crate) server: Option<&'static str>,
    /// What title and evidence name.
    pub(crate) says: &'static [&'static str],
}

impl Case {
    fn for_cluster(there: Snapshot, not_there: Snapshot, says: &'static [&'static str]) -> Self {
        Self { there: (there, NOON), not_there: (not_there, NOON), server: None, says }
    }

    fn of_web_1(there: Snapshot, not_there: Snapshot, says: &'static [&'static str]) -> Self {
        Self { server: Some("web-1"), ..Self::for_cluster(there, not_there, says) }
    }

    /// One and the same cluster, at two moments.
    fn at(
        snapshot: Snapshot,
        there: Timestamp,
        not_there: Timestamp,
        says: &'static [&'static str],
    ) -> Self {
        Self {
            there: (snapshot.clone(), there),
            not_there: (snapshot, not_there),
            server: Some("web-1"),
            says,
        }
    }
}

/// A hint without a case here does not compile.
pub(crate) fn case(id: HintId) -> Case {
    match id {
        HintId::OverviewBlind => overview_blind(),
        HintId::EveryoneSilent => everyone_silent(),
        HintId::ManySilent => many_silent(),
        HintId::HeartbeatsRefused => heartbeats_refused(),
        HintId::ProbeFailing => probe_failing(),
        HintId::ServiceRestarting => restarting(
            service("web-1"),
            &["service of web-1", "3 times between 11:48:00Z and 11:58:00Z", "crashed"],
        ),
        HintId::WebRestarting => restarting(
            web("web-1"),
            &["web component of web-1", "3 times between 11:48:00Z and 11:58:00Z", "crashed"],
        ),
        HintId::ServiceFlapping => service_flapping(),
        HintId::SameMachine => same_machine(),
        HintId::OverviewUnsteady => overview_unsteady(),
        HintId::WebUnused => web_unused(),
        HintId::VersionSkew => version_skew(),
        HintId::FailoverThin => failover_thin(),
        HintId::BalancingThin => balancing_thin(),
        HintId::TimersTight => timers_tight(),
        HintId::ServersFull => servers_full(),
        HintId::CertificateExpiring => certificate_expiring(),
        HintId::DiskLow => disk_low(),
        HintId::ChannelFailing => channel_failing(),
        HintId::TokenExpiring => token_expiring(),
        HintId::NotReportedYet => not_reported_yet(),
        HintId::KeyMismatch => key_mismatch(),
        HintId::MachineKeyMismatch => machine_key_mismatch(),
        HintId::KeyMissing => key_missing(),
        HintId::ServiceStale => service_stale(),
        HintId::ServiceLate => service_late(),
        HintId::WebIdle => Case::of_web_1(
            idle_beside(s(-300)),
            idle_beside(s(-301)),
            &["web component of web-1", "1 d", "sticky load balancer"],
        ),
        HintId::WebStale => Case::of_web_1(
            idle_beside(s(-301)),
            idle_beside(s(-300)),
            &["web-1", "1 d", "10.0.0.1"],
        ),
        HintId::ServiceStopped => clean_stop(service("web-1"), &["service of web-1", "12:00:00Z"]),
        HintId::WebStopped => clean_stop(web("web-1"), &["web component of web-1", "12:00:00Z"]),
        HintId::DuplicateName => Case::at(
            snapshot([taking_turns()]),
            s(600),
            s(600) + Span::TICK,
            &[
                "Several machines use the name web-1",
                "of 2 processes",
                "3 times",
                "10.0.0.1 and 10.0.0.2",
            ],
        ),
        HintId::ClockSkew => Case::of_web_1(
            snapshot([skewed(2_001, 2_001)]),
            snapshot([skewed(2_001, 2_000)]),
            &["web-1", "off by 2 s"],
        ),
        HintId::MessengerUnreachable => Case::of_web_1(
            dialled(Role::Service, Some(MessengerFailure::Refused)),
            dialled(Role::Service, Some(MessengerFailure::Connecting)),
            &["web-1", "port 4711", "refused", "11:59:00Z", "web-9", "Not critical"],
        ),
        HintId::CameBack => {
            let back = Component { came_back: Some(NOON), ..service("web-1") };
            Case::at(
                snapshot([heard(back, s(3_590))]),
                s(3_600),
                s(3_600) + Span::TICK,
                &["web-1", "12:00:00Z", "10.0.0.1"],
            )
        }
    }
}

fn overview_blind() -> Case {
    let blind = Snapshot { blind_since: Some(NOON), ..snapshot([service("a")]) };
    Case::for_cluster(blind, snapshot([service("a")]), &["No data since 12:00:00Z"])
}

fn everyone_silent() -> Case {
    let three =
        |second: i64| snapshot([service("a"), service("b"), heard(service("c"), ms(second))]);
    Case {
        there: (three(30_000), s(301)),
        not_there: (three(30_001), s(301)),
        server: None,
        says: &["2 of 3 services", "12:05:00Z", "30 s"],
    }
}

fn many_silent() -> Case {
    let three = |witness: i64| {
        snapshot([heard(service("a"), s(witness)), service("app-b"), service("app-c")])
    };
    Case {
        there: (three(31), s(301)),
        not_there: (three(30), s(301)),
        server: None,
        says: &[
            "2 of 3 services",
            "12:05:00Z",
            "app-b and app-c",
            "kept reporting (1)",
            "Only their names begin with app-",
        ],
    }
}

fn refused(why: RejectionReason) -> Snapshot {
    let mut snapshot = snapshot([service("web-1")]);
    assert!(reject(&mut snapshot, &name("web-1"), why, Some(address(1)), s(50)));
    snapshot
}

fn heartbeats_refused() -> Case {
    Case::at(
        refused(RejectionReason::Token),
        ms(60_001),
        ms(60_000),
        &["rejects the heartbeats of the service of web-1", "12:00:00Z", "12:00:50Z", "10.0.0.1"],
    )
}

fn probe_failing() -> Case {
    let failing = |role| refused(RejectionReason::Probe { role, reason: "503 Busy.".to_owned() });
    Case::of_web_1(
        failing(Role::Service),
        snapshot([service("web-1")]),
        &["product on web-1 fails", "12:00:50Z", "service component: 503 Busy."],
    )
}

fn restarting(component: Component, says: &'static [&'static str]) -> Case {
    let started = |seconds: &[i64]| snapshot([crashed_at(component.clone(), seconds)]);
    Case::of_web_1(started(&[-720, -420, -120]), started(&[-420, -120]), says)
}

fn service_flapping() -> Case {
    let gaps = |count: i64| {
        let gap = |number: i64| Gap { start: s(-70 * number - 61), end: s(-70 * number) };
        let gaps = (1..=count).rev().map(gap).collect();
        let interruptions = Interruptions { starts: Vec::new(), gaps };
        snapshot([Component { interruptions, ..service("web-1") }])
    };
    Case::of_web_1(
        gaps(5),
        gaps(4),
        &["service of web-1", "5 gaps", "11:58:50Z", "1 min 1 s", "interval is 30 s"],
    )
}

fn same_machine() -> Case {
    let pair = |other: &str| snapshot([web("web-1"), service(other)]);
    Case::of_web_1(
        pair("WEB-1.corp.example"),
        pair("web-2"),
        &["web-1", "WEB-1.corp.example", "10.0.0.1"],
    )
}

fn overview_unsteady() -> Case {
    let blind = |count: i64| {
        let periods = (1..=count).rev().map(|number| period(-60 * number, -60 * number + 10));
        Snapshot { blind_periods: periods.collect(), ..snapshot([service("web-1")]) }
    };
    Case::for_cluster(blind(3), blind(2), &["30 s of the last 10 min", "blind 3 times"])
}

fn web_unused() -> Case {
    let balanced = |last: i64| {
        let servers = [heard(web("web-1"), ms(last)), service("web-1"), web("web-2"), web("web-3")];
        under(BALANCING, snapshot(servers))
    };
    Case::of_web_1(
        balanced(-600_001),
        balanced(-600_000),
        &["web component of web-1", "2 other web components", "11:49:59Z"],
    )
}

fn not_reported_yet() -> Case {
    let failing = |server: &str| {
        let mut snapshot = snapshot([service("web-1")]);
        let why = RejectionReason::Probe { role: Role::Web, reason: "503 Starting".to_owned() };
        assert!(reject(&mut snapshot, &name(server), why, None, NOON));
        snapshot
    };
    Case::for_cluster(
        failing("web-7"),
        failing("web-1"),
        &["Not reported yet: web-7", "web-7 (web): 503 Starting"],
    )
}

fn version_skew() -> Case {
    Case::for_cluster(
        snapshot([running("a", "2026.9"), running("b", "2026.10"), running("c", "2026.10")]),
        snapshot([running("a", "2026.10"), running("b", "2026.10")]),
        &["Older: a (2026.9)", "reference version is 2026.10", "2026.10: 2 and 2026.9: 1"],
    )
}

fn failover_thin() -> Case {
    let enough = snapshot([service("a"), heard(service("b"), s(-100))]);
    let thin = snapshot([service("a")]);
    Case::for_cluster(under(FAILOVER, thin), under(FAILOVER, enough), &["Running: 1"])
}

fn balancing_thin() -> Case {
    let enough = snapshot([web("a"), web("b")]);
    let thin = snapshot([web("a")]);
    Case::for_cluster(under(BALANCING, thin), under(BALANCING, enough), &["Live: 1"])
}

fn timers_tight() -> Case {
    let stale_after =
        |stale_timeout_s| under(Settings { stale_timeout_s, ..Settings::default() }, snapshot([]));
    Case::for_cluster(stale_after(89), stale_after(90), &["1 min 29 s", "every 30 s"])
}

fn servers_full() -> Case {
    Case::for_cluster(
        with_limit(90, 100),
        with_limit(89, 100),
        &["90 of at most 100", "--max-servers", "other web servers", "more than a day: 0", "507"],
    )
}

fn certificate_expiring() -> Case {
    let until = |left: Span| with_certificate(NOON + left);
    let days = |days: i64| Span::minutes(days * 24 * 60);
    Case::for_cluster(
        until(days(30) - Span::TICK),
        until(days(30)),
        &["2026-12-22 11:59:59Z", "/etc/overview/tls.pem"],
    )
}

fn disk_low() -> Case {
    let left = |free| with_disk(free, 100_000_000_000);
    Case::for_cluster(
        left(999_999_999),
        left(1_000_000_000),
        &["only 999 MB", "0 % of the disk of /var/lib/overview"],
    )
}

fn channel_failing() -> Case {
    let since = |span: Span| with_failing_channel(NOON - span);
    Case::for_cluster(
        since(Span::minutes(10)),
        since(Span::minutes(10) - Span::TICK),
        &["channel ops", "since 11:50:00Z", "answered 500"],
    )
}

fn token_expiring() -> Case {
    let days = |days: i64| Span::minutes(days * 24 * 60);
    let used = |at| with_token(NOON + days(14) - Span::TICK, at);
    Case::for_cluster(
        used(NOON - days(1)),
        used(NOON - days(1) - Span::TICK),
        &["backup", "backup (viewer)", "2026-12-06 11:59:59Z", "2026-11-21 12:00:00Z"],
    )
}

fn key_mismatch() -> Case {
    let three = |odd| {
        let right = ["web-2", "web-3"].map(|server| keyed(service(server), 0x11));
        let odd = keyed(service("web-1"), odd);
        accepting(KeyKind::Encryption, 0x11, snapshot(right.into_iter().chain([odd])))
    };
    Case::of_web_1(
        three(0x22),
        three(0x11),
        &["2 servers share key 11111111: web-2 and web-3", "22222222 is on web-1"],
    )
}

fn machine_key_mismatch() -> Case {
    let pair = |odd| {
        let both = snapshot([machine_keyed("web-2", 0x11), machine_keyed("web-1", odd)]);
        accepting(KeyKind::Machine, 0x11, both)
    };
    Case::of_web_1(
        pair(0x22),
        pair(0x11),
        &["web-2 has the cluster's machine key 11111111", "22222222 is on web-1"],
    )
}

fn key_missing() -> Case {
    Case::of_web_1(
        snapshot([service("web-1"), keyed(service("web-2"), 1), keyed(service("web-3"), 1)]),
        snapshot([service("web-1"), service("web-2"), service("web-3")]),
        &["web-1 reports no encryption key", "2 other servers", "service"],
    )
}

fn service_stale() -> Case {
    Case::at(
        snapshot([service("web-1")]),
        ms(300_001),
        ms(300_000),
        &["service of web-1", "12:00:00Z", "5 min", "12:05:00Z", "10.0.0.1"],
    )
}

fn service_late() -> Case {
    Case::at(
        snapshot([service("web-1")]),
        ms(60_001),
        ms(60_000),
        &["service of web-1", "12:00:00Z", "late after 1 min", "becomes stale at 12:05:00Z"],
    )
}

fn clean_stop(component: Component, says: &'static [&'static str]) -> Case {
    Case::at(snapshot([stopped(component)]), ms(300_001), ms(300_000), says)
}
