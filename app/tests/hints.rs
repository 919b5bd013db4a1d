//! Every hint: when it is there, when it is not, and what it says.

mod common;

use std::sync::Arc;

use cluster_overview_app::cluster::Boot;
use cluster_overview_app::cluster::Source;
use cluster_overview_app::cluster::hints::Arg;
use cluster_overview_app::cluster::{
    Boots, Component, Hint, HintId, KeyKind, Messenger, MessengerFailure, RejectionReason, Role,
    Settings, Severity, Skew, Snapshot, Span, Timestamp,
};
use cluster_overview_app::i18n::{Language, Words};
use common::{
    NOON, address, boot, hints, ids, key, ms, name, s, service, snapshot, web, with_facts,
};

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

fn heard(component: Component, at: Timestamp) -> Component {
    Component { last_heartbeat: at, ..component }
}

fn stale(component: Component) -> Component {
    heard(component, s(-100_000))
}

fn stopped(component: Component) -> Component {
    Component { stopped: true, ..component }
}

fn running(server: &str, version: &str) -> Component {
    with_facts(service(server), |facts| facts.version = version.into())
}

fn keyed(component: Component, byte: u8) -> Component {
    with_facts(component, |facts| facts.key_check = Some(key(byte)))
}

fn machine_keyed(server: &str, byte: u8) -> Component {
    with_facts(web(server), |facts| facts.machine_key_check = Some(key(byte)))
}

fn observer(component: Component) -> Component {
    with_facts(component, |facts| facts.source = Source::Observer)
}

fn accepting(kind: KeyKind, byte: u8, mut snapshot: Snapshot) -> Snapshot {
    snapshot.references.accept(kind, key(byte));
    snapshot
}

fn under(settings: Settings, snapshot: Snapshot) -> Snapshot {
    Snapshot { settings, ..snapshot }
}

fn skewed(last: i64, before: i64) -> Component {
    Component {
        skew: Some(Skew { last: Span(last), before: Some(Span(before)) }),
        ..service("web-1")
    }
}

fn dialled(role: Role, failure: Option<MessengerFailure>) -> Snapshot {
    let seen = Messenger { failure, since: s(-60), port: 4_711, seen_by: "web-9".into() };
    snapshot([Component { role, messengers: vec![Arc::new(seen)], ..service("web-1") }])
}

fn taking_turns() -> Component {
    let one = |number| Boot { id: boot(number), sequence: 9, ip: address(number) };
    let boots = Boots {
        current: one(1),
        former: Some(one(2)),
        returns: vec![s(-20), s(-10), NOON],
        duplicate: true,
    };
    heard(Component { boots, ..service("web-1") }, s(590))
}

const FAILOVER: Settings = Settings {
    automatic_failover: true,
    load_balancing: false,
    heartbeat_interval_s: 30,
    stale_timeout_s: 300,
    web_window_s: 86_400,
};
const BALANCING: Settings =
    Settings { automatic_failover: false, load_balancing: true, ..FAILOVER };

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
        let why = RejectionReason::Probe { role: Role::Web, said: "503 Starting".to_owned() };
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

/// So many servers, where so many are taken in at most.
fn with_limit(servers: u32, limit: usize) -> Snapshot {
    let all = snapshot((0..servers).map(|number| service(&format!("s{number}"))));
    Snapshot { max_servers: Some(limit), ..all }
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

/// A stale web component beside a service last heard of then.
fn idle_beside(service_heard: Timestamp) -> Snapshot {
    snapshot([stale(web("web-1")), heard(service("web-1"), service_heard)])
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
        let said = Words::of(Language::English).hint(&only(*id, &case.there));
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
        let avoid = Words::of(Language::English).hint(&only(*id, &case(*id).there)).avoid;
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
    let prefix = format!("{}.", id.as_str());
    include_str!("../src/i18n/en.txt")
        .lines()
        .filter(|line| line.starts_with(&prefix) && !line.contains(".many = "))
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
        let said = Words::of(Language::English).hint(&hint);
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
fn two_servers_never_share_an_anchor() {
    let of = |server| Hint {
        id: HintId::ClockSkew,
        server: Some(name(server)),
        role: None,
        notes: Vec::new(),
        args: Vec::new(),
    };
    assert_ne!(of("a b").anchor(), of("a_32_b").anchor());
    assert_ne!(of("a_b").anchor(), of("a-b").anchor());
    assert_eq!(of("A").anchor(), of("a").anchor(), "one server in any case");
    let of_service = Hint { role: Some(Role::Service), ..of("x") };
    assert_ne!(of_service.anchor(), of("x-service").anchor());
}

#[test]
fn the_most_urgent_hints_come_first_and_servers_in_order() {
    let many = snapshot([
        running("b", "1.0"),
        heard(service("c"), s(-301)),
        heard(service("a"), s(-61)),
        stopped(heard(web("a"), s(-301))),
        service("d"),
        service("e"),
        heard(service("f"), s(-900)),
    ]);
    let order: Vec<(HintId, Option<String>)> = hints(&many, NOON)
        .into_iter()
        .map(|hint| (hint.id, hint.server.map(|server| server.to_string())))
        .collect();
    let of = |server: &str| Some(server.to_owned());
    assert_eq!(
        order,
        [
            (HintId::ServiceStale, of("c")),
            (HintId::ServiceStale, of("f")),
            (HintId::ServiceLate, of("a")),
            (HintId::VersionSkew, None),
            (HintId::WebStopped, of("a")),
        ]
    );
}

#[test]
fn an_overview_is_full_from_nine_tenths_of_its_own_limit_on() {
    let full = |servers, limit| ids(&with_limit(servers, limit), NOON) == [HintId::ServersFull];
    assert!(full(18, 20) && !full(17, 20));
    assert!(full(10, 11) && !full(9, 11), "9.9 servers are ten");
    assert!(full(1, 1) && !full(0, 1));
    let unknown = Snapshot { max_servers: None, ..with_limit(50, 1) };
    assert!(ids(&unknown, NOON).is_empty());
    let notes = |servers| hints(&with_limit(servers, 10), NOON)[0].notes.clone();
    assert_eq!((notes(9), notes(10)), (vec!["nearly"], vec!["full"]));
    let by_settings = under(FAILOVER, with_limit(2, 2));
    assert!(by_settings.hints_added_by(&BALANCING, NOON).iter().all(|hint| hint.server.is_none()));
}

#[test]
fn who_has_been_stale_or_stopped_for_a_day_is_counted_from_that_moment_on() {
    let day = Span::minutes(24 * 60);
    let mut full = with_limit(4, 4);
    full.insert(Arc::new(stopped(service("s0"))));
    // A blind period does not make a silence longer.
    full.blind_periods = vec![common::period(10, 20)];
    let gone = |now| {
        let hints = hints(&full, now);
        let full = hints.iter().find(|hint| hint.id == HintId::ServersFull).unwrap();
        full.args.iter().find(|(name, _)| *name == "gone").unwrap().1.clone()
    };
    let (first, others) = (NOON + day, ms(310_001) + day);
    for (moment, count) in [(first, 1), (others, 4)] {
        assert_eq!(gone(moment), Arg::Number(count));
        assert_ne!(gone(moment - Span::TICK), Arg::Number(count));
        assert_eq!(full.next_turn(moment - Span::TICK), Some(moment));
        assert_eq!(full.as_of(moment), moment);
    }
}

#[test]
fn a_cluster_in_order_has_no_hints() {
    let well = under(
        Settings { load_balancing: true, ..FAILOVER },
        snapshot([web("a"), service("a"), web("b"), service("b")]),
    );
    assert!(hints(&well, s(60)).is_empty());
    assert!(hints(&snapshot([]), NOON).is_empty());
}

#[test]
fn while_blind_the_overview_speaks_of_nothing_else() {
    let worst = Snapshot {
        blind_since: Some(NOON),
        ..under(FAILOVER, snapshot([stale(service("a")), running("b", "1"), service("c")]))
    };
    assert_eq!(ids(&worst, s(1_000)), [HintId::OverviewBlind]);
}

#[test]
fn everyone_is_silent_only_when_more_than_half_of_at_least_two_are() {
    let silent = |dead: usize, alive: usize| {
        let name = |number: usize| format!("s{number}");
        let dead = (0..dead).map(|number| service(&name(number)));
        let alive = (10..10 + alive).map(|number| heard(service(&name(number)), s(390)));
        ids(&snapshot(dead.chain(alive)), s(400)).contains(&HintId::EveryoneSilent)
    };
    assert!(!silent(1, 0), "one alone is not everyone");
    assert!(silent(2, 0));
    assert!(!silent(1, 1), "half is not more than half");
    assert!(!silent(2, 2));
    assert!(silent(3, 2));
}

#[test]
fn stopped_services_and_observer_rows_are_not_among_everyone() {
    let rest = |third: Component, fourth: Component| {
        let four = snapshot([service("a"), service("b"), third, fourth]);
        ids(&four, s(400)).contains(&HintId::EveryoneSilent)
    };
    let alive = |server| heard(service(server), s(390));
    assert!(!rest(alive("c"), alive("d")));
    assert!(rest(stopped(alive("c")), alive("d")));
    assert!(rest(observer(alive("c")), alive("d")));
}

#[test]
fn services_that_a_spell_kept_from_dying_together_are_seen_together() {
    // Their stale moments, not their last heartbeats, are compared.
    let mut pair = snapshot([service("a"), heard(service("b"), s(100))]);
    pair.blind_periods = vec![common::period(10, 95)];
    assert_eq!(pair.next_turn(s(380)), Some(ms(385_001)));
    assert!(ids(&pair, s(401)).contains(&HintId::EveryoneSilent));
}

#[test]
fn the_key_hint_says_first_when_most_differ_or_nobody_has_the_reference() {
    let notes = |keys: &[u8]| {
        let servers = ["a", "b", "c", "d"];
        let components =
            servers.iter().zip(keys).map(|(server, byte)| keyed(service(server), *byte));
        let cluster = accepting(KeyKind::Encryption, 1, snapshot(components));
        hints(&cluster, NOON)[0].notes.clone()
    };
    assert_eq!(notes(&[1, 1, 2]), ["sharing"]);
    assert_eq!(notes(&[1, 2]), ["alone"], "half is not most");
    assert_eq!(notes(&[1, 2, 2]), ["most", "alone"]);
    assert_eq!(notes(&[2, 3]), ["most", "nobody"]);
    let cluster = accepting(KeyKind::Encryption, 1, snapshot([keyed(service("a"), 2)]));
    let said = Words::of(Language::English).hint(&hints(&cluster, NOON)[0]).evidence;
    assert!(said.starts_with("Most live servers use a different key"), "{said}");
    assert!(
        said.contains("01010101, which no server reports") && said.contains("a reports 02020202"),
        "{said}"
    );
}

#[test]
fn only_live_components_decide_whether_most_keys_differ() {
    let right = stale(keyed(web("a"), 1));
    let cluster = snapshot([right, keyed(service("b"), 2)]);
    let cluster = accepting(KeyKind::Encryption, 1, cluster);
    let found = hints(&cluster, NOON);
    assert_eq!(found[0].id, HintId::KeyMismatch);
    assert_eq!(found[0].notes, ["most", "alone"]);
}

#[test]
fn a_server_has_one_key_hint_though_both_its_components_are_wrong() {
    let cluster = snapshot([keyed(web("b"), 2), keyed(service("b"), 2), keyed(web("a"), 1)]);
    let cluster = accepting(KeyKind::Encryption, 1, cluster);
    assert_eq!(ids(&cluster, NOON), [HintId::KeyMismatch]);
}

#[test]
fn missing_keys_are_told_by_server_and_counted_among_the_others() {
    let cluster = snapshot([
        keyed(web("a"), 1),
        service("a"),
        web("b"),
        service("b"),
        keyed(service("c"), 1),
        observer(keyed(service("z"), 1)),
    ]);
    let missing: Vec<(Option<Role>, Option<Arg>)> = hints(&cluster, NOON)
        .into_iter()
        .filter(|hint| hint.id == HintId::KeyMissing)
        .map(|hint| {
            let count = hint.args.iter().find(|(name, _)| *name == "count");
            (hint.role, count.map(|(_, value)| value.clone()))
        })
        .collect();
    assert_eq!(
        missing,
        [(Some(Role::Service), Some(Arg::Number(1))), (None, Some(Arg::Number(2)))],
        "of a its service, with c as the other; of b both, with a and c; never the observer"
    );
}

#[test]
fn version_skew_speaks_of_live_components_only() {
    let skew = |odd: Component| {
        ids(&snapshot([odd, service("b"), service("c")]), NOON).contains(&HintId::VersionSkew)
    };
    assert!(skew(heard(running("a", "1"), s(-300))));
    assert!(!skew(heard(running("a", "1"), s(-301))));
    assert!(!skew(stopped(running("a", "1"))));
    assert!(!skew(observer(running("a", "1"))));
}

#[test]
fn version_skew_names_each_server_once_as_behind_or_ahead() {
    let old = |component| with_facts(component, |facts| facts.version = "1.0".into());
    let others = ["c", "d", "e"].map(service);
    let odd = [old(web("a")), old(service("a")), running("b", "2026.10")];
    let hint = &hints(&snapshot(odd.into_iter().chain(others)), NOON)[0];
    assert_eq!(hint.notes, ["behind", "ahead"]);
    let said = Words::of(Language::English).hint(hint).evidence;
    assert!(said.starts_with("Older: a (1.0). Newer: b (2026.10). "), "{said}");
}

#[test]
fn a_thin_cluster_is_a_worry_only_where_the_setting_is_on() {
    let lone = || snapshot([web("a"), service("a")]);
    assert!(ids(&lone(), NOON).is_empty());
    assert_eq!(ids(&under(FAILOVER, lone()), NOON), [HintId::FailoverThin]);
    assert_eq!(ids(&under(BALANCING, lone()), NOON), [HintId::BalancingThin]);
}

#[test]
fn a_stale_service_cannot_take_over_and_an_observer_row_carries_nothing() {
    let pair = |other| ids(&under(FAILOVER, snapshot([service("a"), other])), NOON);
    assert!(pair(heard(service("b"), s(-301))).contains(&HintId::FailoverThin));
    assert!(pair(stopped(service("b"))).contains(&HintId::FailoverThin));
    assert!(pair(observer(service("b"))).contains(&HintId::FailoverThin));
    let webs = |other| ids(&under(BALANCING, snapshot([web("a"), service("b"), other])), NOON);
    assert!(!webs(stale(web("b"))).contains(&HintId::BalancingThin), "an idle one counts");
    assert!(webs(stale(web("c"))).contains(&HintId::BalancingThin));
}

#[test]
fn a_clock_is_off_only_twice_in_a_row_in_one_direction_and_badly_beyond_five_seconds() {
    let notes =
        |component| hints(&snapshot([component]), NOON).first().map(|hint| hint.notes.clone());
    assert_eq!(notes(skewed(2_000, 9_000)), None);
    assert_eq!(notes(skewed(9_000, -9_000)), None);
    assert_eq!(notes(skewed(9_000, 2_001)), Some(vec!["ahead"]));
    assert_eq!(notes(skewed(5_000, 5_000)), Some(vec!["ahead"]));
    assert_eq!(notes(skewed(5_001, 5_001)), Some(vec!["badly", "ahead"]));
    assert_eq!(notes(skewed(-5_001, -9_000)), Some(vec!["badly", "behind"]));
    let once = Some(Skew { last: Span(9_000), before: None });
    assert_eq!(notes(Component { skew: once, ..service("web-1") }), None);
    let said = Words::of(Language::English)
        .hint(&hints(&snapshot([skewed(-9_000, -9_000)]), NOON)[0])
        .evidence;
    assert!(said.contains("may fail") && said.contains("slow network"), "{said}");
}

#[test]
fn a_server_has_one_clock_though_both_its_components_tell_it() {
    let off = |component| Component { skew: skewed(3_000, 3_000).skew, ..component };
    assert_eq!(ids(&snapshot([off(web("a")), off(service("a"))]), NOON), [HintId::ClockSkew]);
}

#[test]
fn every_failure_of_a_messenger_is_told_in_its_own_words() {
    let failures = [
        MessengerFailure::Refused,
        MessengerFailure::TimedOut,
        MessengerFailure::Unreachable,
        MessengerFailure::NotAMessenger,
        MessengerFailure::WrongKey,
        MessengerFailure::Protocol,
    ];
    let mut said: Vec<String> = failures
        .iter()
        .map(|failure| {
            Words::of(Language::English)
                .hint(&hints(&dialled(Role::Service, Some(*failure)), NOON)[0])
                .evidence
        })
        .collect();
    said.sort_unstable();
    said.dedup();
    assert_eq!(said.len(), failures.len());
    assert!(hints(&dialled(Role::Service, None), NOON).is_empty());
    assert!(hints(&dialled(Role::Web, Some(MessengerFailure::Refused)), NOON).is_empty());
}

#[test]
fn an_observer_row_has_hints_of_pulse_clock_and_messenger_and_no_others() {
    let messenger = dialled(Role::Service, Some(MessengerFailure::Refused));
    let row = with_facts(
        Component {
            skew: skewed(3_000, 3_000).skew,
            came_back: Some(NOON),
            messengers: messenger.components.values().next().unwrap().messengers.clone(),
            ..heard(observer(taking_turns()), s(-301))
        },
        |facts| {
            facts.version = "0".into();
            facts.key_check = Some(key(9));
        },
    );
    let cluster = accepting(KeyKind::Encryption, 1, snapshot([row, keyed(service("b"), 1)]));
    assert_eq!(
        ids(&cluster, NOON),
        [HintId::ServiceStale, HintId::ClockSkew, HintId::MessengerUnreachable]
    );
}

#[test]
fn the_title_of_a_hint_about_a_server_is_known_before_its_evidence() {
    let words = Words::of(Language::English);
    for id in HintId::ALL {
        let (snapshot, now) = case(*id).there;
        let overview = snapshot.overview(now);
        let findings = snapshot.findings(&overview, now);
        let hints = snapshot.hints_of(&overview, &findings);
        for (finding, hint) in findings.iter().zip(hints).filter(|(_, hint)| hint.server.is_some())
        {
            let key = format!("{}.title", finding.id.as_str());
            let title = words.say(&key, &finding.title_args(&overview));
            assert_eq!(title, words.title(&hint));
        }
    }
}
