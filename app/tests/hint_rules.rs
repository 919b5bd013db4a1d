//! When a hint is due, in the cases where one might think otherwise; their order, their anchors.

mod common;

use std::sync::Arc;

use cluster_overview_app::cluster::hints::{Arg, Note};
use cluster_overview_app::cluster::{
    Component, Hint, HintId, KeyKind, MessengerFailure, Role, Settings, Severity, Skew, Snapshot,
    Span,
};
use cluster_overview_app::i18n::{Catalog, Language};
use common::hints::*;
use common::{NOON, hints, ids, key, ms, name, s, service, snapshot, web, with_facts};

#[test]
fn two_servers_never_share_an_anchor() {
    let of = |server| Hint {
        id: HintId::ClockSkew,
        severity: HintId::ClockSkew.severity(),
        server: Some(name(server)),
        role: None,
        since: None,
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
    assert_eq!((notes(9), notes(10)), (vec![Note::NearlyFull], vec![Note::Full]));
    let by_settings = under(FAILOVER, with_limit(2, 2));
    assert!(by_settings.hints_added_by(&BALANCING, NOON).iter().all(|hint| hint.server.is_none()));
}

/// Only the overview itself has turns then.
fn without_components(snapshot: Snapshot) -> Snapshot {
    Snapshot { components: std::collections::BTreeMap::new(), ..snapshot }
}

#[test]
fn a_certificate_is_a_warning_for_thirty_days_and_an_error_for_the_last_seven() {
    let days = |days: i64| Span::minutes(days * 24 * 60);
    let ends = NOON + days(100);
    let tls = without_components(with_certificate(ends));
    for (left, before, after) in [
        (days(30), None, Some(Severity::Warning)),
        (days(7), Some(Severity::Warning), Some(Severity::Error)),
    ] {
        let severity = |now| hints(&tls, now).first().map(|hint| hint.severity);
        let turn = ends - left + Span::TICK;
        assert_eq!((severity(turn - Span::TICK), severity(turn)), (before, after));
        assert_eq!(tls.next_turn(turn - Span::TICK), Some(turn));
    }
    let notes = |now| hints(&tls, now)[0].notes.clone();
    assert_eq!(notes(ends - Span::TICK), [Note::CertificateValid]);
    assert_eq!(notes(ends), [Note::CertificateExpired]);
}

#[test]
fn a_disk_is_low_with_less_than_a_gigabyte_and_less_than_five_percent_left() {
    let low = |free, total| ids(&with_disk(free, total), NOON) == [HintId::DiskLow];
    assert!(low(999_999_999, 100_000_000_000) && !low(1_000_000_000, 100_000_000_000));
    assert!(low(499_999_999, 10_000_000_000) && !low(500_000_000, 10_000_000_000));
    assert!(!low(0, 0), "of no size: nothing is known");
}

#[test]
fn a_token_in_use_is_named_from_two_weeks_before_its_end_until_then() {
    let days = |days: i64| Span::minutes(days * 24 * 60);
    let named = |left, unused| {
        ids(&with_token(NOON + left, NOON - unused), NOON) == [HintId::TokenExpiring]
    };
    assert!(named(days(14) - Span::TICK, Span::ZERO) && !named(days(14), Span::ZERO));
    assert!(named(Span::TICK, days(1)) && !named(Span::TICK, days(1) + Span::TICK));
    assert!(!named(Span::ZERO, Span::ZERO), "whoever uses it is rejected now");
    let one = without_components(with_token(NOON + days(14), NOON + days(1)));
    for turn in [NOON + Span::TICK, NOON + days(2) + Span::TICK, NOON + days(14)] {
        assert_eq!(one.next_turn(turn - Span::TICK), Some(turn));
    }
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
        let alive = (10..10 + alive).map(|number| heard(service(&name(number)), s(30)));
        ids(&snapshot(dead.chain(alive)), s(301)).contains(&HintId::EveryoneSilent)
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
        ids(&four, s(301)).contains(&HintId::EveryoneSilent)
    };
    let alive = |server| heard(service(server), s(30));
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
    let most = Note::MostDiffer(KeyKind::Encryption);
    let used = Note::ReferenceUsed(KeyKind::Encryption);
    assert_eq!(notes(&[1, 1, 2]), [used]);
    assert_eq!(notes(&[1, 2]), [used], "half is not most");
    assert_eq!(notes(&[1, 2, 2]), [most, used]);
    assert_eq!(notes(&[2, 3]), [most, Note::ReferenceUnused(KeyKind::Encryption)]);
    let cluster = accepting(KeyKind::Encryption, 1, snapshot([keyed(service("a"), 2)]));
    let said = Catalog::for_language(Language::English).hint(&hints(&cluster, NOON)[0]).evidence;
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
    assert_eq!(
        found[0].notes,
        [Note::MostDiffer(KeyKind::Encryption), Note::ReferenceUsed(KeyKind::Encryption)]
    );
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
    assert_eq!(hint.notes, [Note::OlderVersions, Note::NewerVersions]);
    let said = Catalog::for_language(Language::English).hint(hint).evidence;
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
    assert_eq!(notes(skewed(9_000, 2_001)), Some(vec![Note::ClockAhead]));
    assert_eq!(notes(skewed(5_000, 5_000)), Some(vec![Note::ClockAhead]));
    assert_eq!(notes(skewed(5_001, 5_001)), Some(vec![Note::ClockFarOff, Note::ClockAhead]));
    assert_eq!(notes(skewed(-5_001, -9_000)), Some(vec![Note::ClockFarOff, Note::ClockBehind]));
    let once = Some(Skew { last: Span(9_000), before: None });
    assert_eq!(notes(Component { skew: once, ..service("web-1") }), None);
    let said = Catalog::for_language(Language::English)
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
            Catalog::for_language(Language::English)
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
            ..heard(observer(taking_turns()), s(-61))
        },
        |facts| {
            facts.version = "0".into();
            facts.key_check = Some(key(9));
        },
    );
    let cluster = accepting(KeyKind::Encryption, 1, snapshot([row, keyed(service("b"), 1)]));
    assert_eq!(
        ids(&cluster, NOON),
        [HintId::ServiceLate, HintId::ClockSkew, HintId::MessengerUnreachable]
    );
}

#[test]
fn a_hint_is_due_since_the_facts_are_so() {
    let since = |snapshot: &Snapshot, now| hints(snapshot, now).first().and_then(|hint| hint.since);
    let late = NOON + Span::seconds(61);
    assert_eq!(
        since(&snapshot([service("web-1")]), late),
        Some(NOON + Span::seconds(60) + Span::TICK)
    );
    let started = |component: Component, at| Component { first_seen: at, ..component };
    let earlier = NOON - Span::minutes(7);
    let cluster = snapshot([keyed(web("a"), 1), started(keyed(web("b"), 2), earlier)]);
    let cluster = accepting(KeyKind::Encryption, 1, cluster);
    assert_eq!(since(&cluster, NOON), Some(earlier), "a key is reported from the start");
    assert_eq!(
        since(&with_disk(0, 100_000_000_000), NOON),
        None,
        "nobody knows when it became low"
    );
}
