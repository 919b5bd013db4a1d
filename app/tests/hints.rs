//! Every hint: when it is there, when it is not, and what it says.

mod common;

use cluster_overview_app::cluster::hints::Arg;
use cluster_overview_app::cluster::{
    Component, Hint, HintId, KeyKind, MessengerFailure, RejectionReason, Role, Settings, Severity,
    Snapshot, Span, Timestamp,
};
use cluster_overview_app::i18n::{Catalog, Language};
use common::hints::*;
use common::{NOON, hints, ids, ms, name, s, service, snapshot, web};

/// A cluster in which a hint is there, and the nearest one in which it is not.
struct Case {
    there: (Snapshot, Timestamp),
    not_there: (Snapshot, Timestamp),
    server: Option<&'static str>,
    /// What title and evidence name.
    says: &'static [&'static str],
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
fn case(id: HintId) -> Case {
    match id {
        HintId::OverviewBlind => overview_blind(),
        HintId::EveryoneSilent => everyone_silent(),
        HintId::VersionSkew => version_skew(),
        HintId::FailoverThin => failover_thin(),
        HintId::BalancingThin => balancing_thin(),
        HintId::TimersTight => timers_tight(),
        HintId::ServersFull => servers_full(),
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
        HintId::ServiceStopped => goodbye(service("web-1"), &["service of web-1", "12:00:00Z"]),
        HintId::WebStopped => goodbye(web("web-1"), &["web component of web-1", "12:00:00Z"]),
        HintId::DuplicateName => Case::at(
            snapshot([taking_turns()]),
            s(600),
            s(600) + Span::TICK,
            &["Two machines use the name web-1", "3 times", "10.0.0.1", "10.0.0.2"],
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
    let three = |second: i64| {
        snapshot([service("a"), heard(service("b"), ms(second)), heard(service("c"), s(390))])
    };
    Case {
        there: (three(30_000), s(400)),
        not_there: (three(30_001), s(400)),
        server: None,
        says: &["2 of 3 services", "12:05:00Z", "30 s"],
    }
}

fn not_reported_yet() -> Case {
    let failing = |server: &str| {
        let mut snapshot = snapshot([service("web-1")]);
        let why = RejectionReason::Probe { role: Role::Web, reason: "503 Starting".to_owned() };
        assert!(snapshot.refuse(&name(server), why, None, NOON));
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

fn goodbye(component: Component, says: &'static [&'static str]) -> Case {
    Case::at(snapshot([stopped(component)]), ms(300_001), ms(300_000), says)
}

/// The one hint of this id.
fn only(id: HintId, (snapshot, now): &(Snapshot, Timestamp)) -> Hint {
    let found: Vec<Hint> = hints(snapshot, *now).into_iter().filter(|hint| hint.id == id).collect();
    assert_eq!(found.len(), 1, "{}: {found:?}", id.as_str());
    found[0].clone()
}

#[test]
fn every_hint_is_there_when_its_rule_fits_and_only_then() {
    for id in HintId::ALL {
        let case = case(*id);
        let hint = only(*id, &case.there);
        assert_eq!(
            hint.server.as_ref().map(ToString::to_string).as_deref(),
            case.server,
            "{hint:?}"
        );
        let (snapshot, now) = &case.not_there;
        assert!(!ids(snapshot, *now).contains(id), "{} is there without a reason", id.as_str());
    }
}

#[test]
fn every_hint_names_its_server_its_evidence_and_its_steps() {
    for id in HintId::ALL {
        let case = case(*id);
        let said = Catalog::for_language(Language::English).hint(&only(*id, &case.there));
        assert!(said.title.contains(case.server.unwrap_or_default()), "{}", said.title);
        let both = format!("{} {}", said.title, said.evidence);
        for says in case.says {
            assert!(both.contains(says), "{}: no \"{says}\" in: {both}", id.as_str());
        }
        assert!(!said.steps.is_empty(), "{}", id.as_str());
        assert!(said.steps.iter().all(|step| !step.is_empty()), "{}", id.as_str());
    }
}

#[test]
fn where_a_restart_would_not_help_the_hint_says_what_to_avoid_and_nowhere_else() {
    for id in HintId::ALL {
        let avoid =
            Catalog::for_language(Language::English).hint(&only(*id, &case(*id).there)).avoid;
        let useless = matches!(
            id,
            HintId::KeyMismatch
                | HintId::VersionSkew
                | HintId::EveryoneSilent
                | HintId::OverviewBlind
        );
        assert_eq!(avoid.is_some(), useless, "{}", id.as_str());
        assert!(avoid.is_none_or(|avoid| avoid.contains("restart")), "{}", id.as_str());
    }
}

/// The placeholders of every sentence of one hint, read from the message file itself; the heading
/// over many of them has a value of its own.
fn placeholders(id: HintId) -> Vec<&'static str> {
    let own = format!("hint.{}.", id.as_str());
    let is_own = |line: &&str| line.starts_with(&own) && !line.contains(".many");
    include_str!("../src/i18n/en.txt")
        .lines()
        .filter(is_own)
        .flat_map(|line| line.split('{').skip(1))
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
        .collect()
}

#[test]
fn every_placeholder_of_a_hint_has_a_value() {
    for id in HintId::ALL {
        let hint = only(*id, &case(*id).there);
        for name in placeholders(*id) {
            let value = hint.args.iter().find(|(known, _)| *known == name);
            let Some((_, value)) = value else {
                panic!("{}: {{{name}}} has no value", id.as_str())
            };
            assert_ne!(*value, Arg::Text(String::new()), "{}: {{{name}}}", id.as_str());
        }
        let said = Catalog::for_language(Language::English).hint(&hint);
        let all = [said.title, said.evidence].into_iter().chain(said.steps).chain(said.avoid);
        for sentence in all {
            assert!(!sentence.contains(['{', '}']), "{sentence}");
            assert!(!sentence.contains("  "), "{sentence}");
        }
    }
}

#[test]
fn every_hint_keeps_its_name_and_its_severity() {
    let all: Vec<(&str, Severity)> =
        HintId::ALL.iter().map(|id| (id.as_str(), id.severity())).collect();
    let expected = [
        ("overview-blind", Severity::Error),
        ("everyone-silent", Severity::Error),
        ("key-mismatch", Severity::Error),
        ("machine-key-mismatch", Severity::Error),
        ("duplicate-name", Severity::Error),
        ("service-stale", Severity::Error),
        ("service-late", Severity::Warning),
        ("web-idle", Severity::Warning),
        ("web-stale", Severity::Warning),
        ("key-missing", Severity::Warning),
        ("version-skew", Severity::Warning),
        ("failover-thin", Severity::Warning),
        ("balancing-thin", Severity::Warning),
        ("clock-skew", Severity::Warning),
        ("servers-full", Severity::Warning),
        ("not-reported-yet", Severity::Warning),
        ("service-stopped", Severity::Info),
        ("web-stopped", Severity::Info),
        ("messenger-unreachable", Severity::Info),
        ("timers-tight", Severity::Info),
        ("came-back", Severity::Info),
    ];
    assert_eq!(all, expected);
}

#[test]
fn an_anchor_is_stable_and_safe_as_an_elements_id() {
    let of = |id, server: Option<&str>, role| {
        let server = server.map(name);
        Hint { id, server, role, notes: Vec::new(), args: Vec::new() }.anchor()
    };
    assert_eq!(of(HintId::OverviewBlind, None, None), "hint-overview-blind");
    assert_eq!(of(HintId::KeyMismatch, Some("WEB-1"), None), "hint-key-mismatch-web-1");
    assert_eq!(
        of(HintId::ServiceStale, Some("db.example"), Some(Role::Service)),
        "hint-service-stale-db.example_service"
    );
    assert_eq!(
        of(HintId::ClockSkew, Some("Büro 1_\"<#"), None),
        "hint-clock-skew-b_252_ro_32_1_95__34__60__35_"
    );
    for id in HintId::ALL {
        let anchor = only(*id, &case(*id).there).anchor();
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        assert!(anchor.chars().all(safe), "{anchor}");
    }
}

#[test]
fn the_title_of_a_hint_about_a_server_is_known_before_its_evidence() {
    let catalog = Catalog::for_language(Language::English);
    for id in HintId::ALL {
        let (snapshot, now) = case(*id).there;
        let overview = snapshot.overview(now);
        let findings = snapshot.findings(&overview, now);
        let hints = snapshot.hints_of(&overview, &findings);
        for (finding, hint) in findings.iter().zip(hints).filter(|(_, hint)| hint.server.is_some())
        {
            let title = catalog.title_of_one(finding.id, &finding.title_args(&overview));
            assert_eq!(title, catalog.title(&hint));
        }
    }
}
