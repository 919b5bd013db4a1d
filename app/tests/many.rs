//! A cluster of any size has hints that can be read, and counts that are right.

#![allow(clippy::unwrap_used, reason = "the values are constants of the tests")]

mod common;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use cluster_overview_app::cluster::Boot;
use cluster_overview_app::cluster::health::{KeyVerdict, VersionCount};
use cluster_overview_app::cluster::hints::{Arg, MAX_HINTS_OF_ONE_ID, Names};
use cluster_overview_app::cluster::{
    Boots, Component, Hint, HintId, KeyCheck, KeyKind, Messenger, MessengerFailure, Overview,
    Pulse, RejectionReason, Role, ServerName, Settings, Skew, Snapshot, Span, Timestamp, version,
};
use cluster_overview_app::i18n::{Language, Words};
use common::{
    NOON, address, boot, hints, key, ms, name, s, service, snapshot, status, web, with_facts,
};
use proptest::prelude::*;

/// More servers than anybody looks at one by one.
const MANY: usize = 10_000;
/// What all hints of a picture may take as JSON.
const MAX_HINTS_JSON_BYTES: usize = 200_000;

/// Both components of so many servers, each as this makes it.
fn cluster(servers: usize, make: impl Fn(usize, Component) -> Component) -> Snapshot {
    let mut all = snapshot((0..servers).flat_map(|number| {
        let server = format!("server-{number:05}.rack-7.example.com");
        [make(number, web(&server)), make(number, service(&server))]
    }));
    all.settings = Settings { automatic_failover: true, load_balancing: true, ..all.settings };
    all.references.accept(KeyKind::Encryption, key(0x11));
    all.references.accept(KeyKind::Machine, key(0x11));
    all
}

fn check(number: usize) -> Option<KeyCheck> {
    KeyCheck::parse(&format!("{number:064x}"))
}

fn taking_turns(component: Component) -> Component {
    let one = |number| Boot { id: boot(number), sequence: 9, ip: address(number) };
    let boots = Boots {
        current: one(1),
        former: Some(one(2)),
        returns: vec![s(-20), s(-10), NOON],
        duplicate: true,
    };
    Component { boots, ..component }
}

fn cannot_be_reached(component: Component) -> Component {
    let failure = Some(MessengerFailure::TimedOut);
    let seen = Messenger { failure, since: s(-60), port: 33_237, seen_by: "overview-1".into() };
    Component { messengers: vec![Arc::new(seen)], ..component }
}

/// Every kind of trouble that a whole cluster may be in.
fn troubles(servers: usize) -> Vec<(&'static str, Snapshot)> {
    let of = |make: fn(usize, Component) -> Component| cluster(servers, make);
    let keyed = |component, check| with_facts(component, |facts| facts.key_check = check);
    let mut refused = of(|_, component| component);
    for server in refused.components.keys().map(|key| key.server.clone()).collect::<BTreeSet<_>>() {
        refused.refuse(&server, RejectionReason::Token, None, NOON);
    }
    vec![
        (
            "two keys",
            cluster(servers, |n, c| keyed(c, Some(key(if n % 2 == 0 { 0x11 } else { 7 })))),
        ),
        ("a key each", cluster(servers, |n, c| keyed(c, check(n)))),
        (
            "a machine key each",
            of(|n, c| with_facts(c, |facts| facts.machine_key_check = check(n))),
        ),
        ("a version each", of(|n, c| with_facts(c, |facts| facts.version = format!("2026.{n}")))),
        ("all stale", of(|_, c| Component { last_heartbeat: s(-100_000), ..c })),
        ("all late", of(|_, c| Component { last_heartbeat: s(-90), ..c })),
        ("all stopped", of(|_, c| Component { stopped: true, last_heartbeat: s(-900), ..c })),
        ("all names twice", of(|_, c| taking_turns(c))),
        (
            "all clocks off",
            of(|n, c| {
                let off = Span::seconds(3 + i64::try_from(n).unwrap());
                Component { skew: Some(Skew { last: off, before: Some(off) }), ..c }
            }),
        ),
        (
            "no keys but one",
            of(|n, c| with_facts(c, |facts| facts.key_check = check(n).filter(|_| n == 0))),
        ),
        ("all refused", refused),
        ("no messenger", of(|_, c| cannot_be_reached(c))),
        ("all back", of(|_, c| Component { came_back: Some(NOON), ..c })),
    ]
}

/// The hints as the API has them.
fn as_json(hints: &[Hint]) -> String {
    let words = Words::of(Language::English);
    let one = |hint: &Hint| {
        let said = words.hint(hint);
        serde_json::json!({
            "id": hint.id.as_str(),
            "anchor": hint.anchor(),
            "severity": hint.severity(),
            "title": said.title,
            "evidence": said.evidence,
            "steps": said.steps,
            "avoid": said.avoid,
            "server": hint.server,
            "role": hint.role,
        })
    };
    hints.iter().map(one).collect::<serde_json::Value>().to_string()
}

#[test]
fn whatever_ten_thousand_servers_suffer_from_their_hints_fit_in_200_kb() {
    for (trouble, snapshot) in troubles(MANY) {
        let overview = snapshot.overview(NOON);
        let hints = snapshot.hints(&overview, NOON);
        let length = as_json(&hints).len();
        assert!(length <= MAX_HINTS_JSON_BYTES, "{trouble}: {length} bytes");
        let words = Words::of(Language::English);
        assert!(words.verdict(&overview, &hints).detail.len() < 1_000, "{trouble}");
        assert_eq!(overview.servers.len(), MANY, "{trouble}");
    }
}

#[test]
fn no_hint_is_left_out_and_no_id_has_more_than_fifty() {
    for (trouble, snapshot) in troubles(200) {
        let overview = snapshot.overview(NOON);
        let findings = snapshot.findings(&overview, NOON);
        let hints = snapshot.hints(&overview, NOON);
        for id in HintId::ALL {
            let due = findings.iter().filter(|finding| finding.id == *id).count();
            let of_id: Vec<&Hint> = hints.iter().filter(|hint| hint.id == *id).collect();
            assert_eq!(of_id.len(), due.min(MAX_HINTS_OF_ONE_ID), "{trouble}: {}", id.as_str());
            let weight: usize = of_id.iter().map(|hint| hint.weight()).sum();
            assert_eq!(weight, due, "{trouble}: {}", id.as_str());
        }
        let anchors: BTreeSet<String> = hints.iter().map(Hint::anchor).collect();
        assert_eq!(anchors.len(), hints.len(), "{trouble}: two hints share a place");
    }
}

/// The key hints of a cluster in which so many servers have another key than the rest.
fn odd_ones(count: usize) -> Vec<Hint> {
    let odd = |number: usize| Some(key(if number < count { 7 } else { 0x11 }));
    let all = cluster(2 * count + 1, |number, component| {
        with_facts(component, |facts| facts.key_check = odd(number))
    });
    let found = hints(&all, NOON).into_iter();
    found.filter(|hint| hint.id == HintId::KeyMismatch).collect()
}

#[test]
fn up_to_fifty_servers_have_a_hint_each_and_of_more_the_last_hint_is_a_summary() {
    let fifty = odd_ones(MAX_HINTS_OF_ONE_ID);
    assert!(fifty.iter().all(|hint| hint.summed().is_none() && hint.server.is_some()));
    let more = odd_ones(MAX_HINTS_OF_ONE_ID + 1);
    assert_eq!(more.len(), MAX_HINTS_OF_ONE_ID);
    let own = |hints: &[Hint]| -> Vec<_> {
        hints.iter().filter_map(|hint| hint.server.clone()).collect()
    };
    assert_eq!(own(&more), own(&fifty)[..MAX_HINTS_OF_ONE_ID - 1]);
    assert_eq!(more.last().map(Hint::weight), Some(2));
}

#[test]
fn a_summary_names_the_first_twenty_and_counts_the_others() {
    let hints = odd_ones(300);
    let summary = hints.last().unwrap();
    assert_eq!((summary.summed(), &summary.server, summary.role), (Some(251), &None, None));
    assert_eq!(summary.anchor(), "hint-key-mismatch_summary");
    let said = Words::of(Language::English).hint(summary);
    assert_eq!(said.title, "In addition: 251 servers use a different encryption key");
    let named = |number: usize| said.evidence.contains(&format!("server-{number:05}.rack-7"));
    assert!(named(49) && named(68) && !named(48) && !named(69), "{}", said.evidence);
    assert!(said.evidence.contains("and 231 more"), "{}", said.evidence);
    assert!(said.avoid.unwrap().contains("restart these servers for this"));
    assert_eq!(said.steps.len(), 2);
}

#[test]
fn a_summary_is_said_in_every_language_without_a_gap() {
    for (trouble, snapshot) in troubles(120) {
        for hint in hints(&snapshot, NOON).iter().filter(|hint| hint.summed().is_some()) {
            for language in Language::ALL {
                let said = Words::of(language).hint(hint);
                let all = [said.title, said.evidence].into_iter().chain(said.steps);
                for sentence in all.chain(said.avoid) {
                    let whole = !sentence.contains(['{', '}']) && !sentence.contains("  ");
                    assert!(whole && !sentence.is_empty(), "{trouble}: {sentence}");
                }
            }
        }
    }
}

#[test]
fn a_change_of_settings_names_no_summary_among_the_hints_that_would_appear() {
    let all = cluster(120, |_, component| Component { last_heartbeat: s(-90), ..component });
    let shorter = Settings { heartbeat_interval_s: 10, stale_timeout_s: 40, ..all.settings };
    let would = all.hints_added_by(&shorter, NOON);
    assert!(would.iter().all(|hint| hint.summed().is_none()), "{would:?}");
}

#[test]
fn the_opening_counts_those_too_for_whom_a_summary_stands() {
    let off = Skew { last: Span::seconds(4), before: Some(Span::seconds(4)) };
    let all = cluster(500, |_, component| Component { skew: Some(off), ..component });
    let overview = all.overview(NOON);
    let said = Words::of(Language::English).verdict(&overview, &hints(&all, NOON));
    assert!(said.detail.ends_with(" 497 more."), "{}", said.detail);
}

#[test]
fn spellings_of_one_version_are_counted_together_and_the_most_common_is_shown() {
    let of = |server: &str, version: &str| {
        with_facts(service(server), |facts| facts.version = version.into())
    };
    let three =
        snapshot([of("a", "2026.02"), of("b", "2027"), of("c", "2026.2"), of("d", "2026.2")]);
    assert_eq!(three.overview(NOON).reference_version.as_deref(), Some("2026.2"));
}

/// What is known of a random component.
fn component() -> impl Strategy<Value = Component> {
    let versions = prop::sample::select(vec![
        "2026.2",
        "2026.02",
        "v2026.2+7",
        "2026.9",
        "2026.10-rc.1",
        "2026.10",
        "5.3",
    ]);
    let facts = (0_u8..9, any::<bool>(), versions, -500_i64..20, 0_u8..9);
    let keys = prop::option::weighted(0.7, 1_u8..5);
    (facts, keys.clone(), keys).prop_map(|((server, is_web, version, heard, kind), one, other)| {
        let server = format!("s{server}");
        let component = if is_web { web(&server) } else { service(&server) };
        let source = if kind == 0 {
            cluster_overview_app::cluster::Source::Observer
        } else {
            component.facts.source
        };
        with_facts(
            Component { last_heartbeat: s(heard), stopped: kind == 1, ..component },
            |facts| {
                facts.version = version.into();
                facts.key_check = one.map(key);
                facts.machine_key_check = other.map(key);
                facts.source = source;
            },
        )
    })
}

fn compared(overview: &Overview) -> Vec<(&ServerName, &Component, Pulse, bool)> {
    let all = overview.compared();
    all.map(|s| (&s.component.server, &*s.component, s.pulse, s.live)).collect()
}

/// The names of the servers with this key, by looking at each server anew.
fn servers_with(overview: &Overview, kind: KeyKind, check: KeyCheck) -> Vec<String> {
    let mut names: Vec<String> = compared(overview)
        .into_iter()
        .filter(|(_, component, ..)| component.check(kind) == Some(check))
        .map(|(server, ..)| server.to_string())
        .collect();
    names.dedup();
    names
}

fn list(hint: &Hint, name: &str) -> Option<Names> {
    hint.args.iter().find(|(known, _)| *known == name).and_then(|(_, value)| match value {
        Arg::List(names) => Some(names.clone()),
        Arg::Moment(_) | Arg::Span(_) | Arg::Number(_) | Arg::Text(_) | Arg::Word(_) => None,
    })
}

fn number(hint: &Hint, name: &str) -> Option<usize> {
    hint.args.iter().find(|(known, _)| *known == name).and_then(|(_, value)| match value {
        Arg::Number(number) => Some(*number),
        Arg::Moment(_) | Arg::Span(_) | Arg::Text(_) | Arg::Word(_) | Arg::List(_) => None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_is_counted_once_is_what_is_found_by_looking_at_every_pair(
        components in prop::collection::vec(component(), 0..18),
    ) {
        let mut cluster = snapshot(components);
        cluster.references.accept(KeyKind::Encryption, key(1));
        cluster.references.accept(KeyKind::Machine, key(1));
        let overview = cluster.overview(NOON);
        let all = compared(&overview);
        let hints = hints(&cluster, NOON);

        let is = |c: &Component, version: &str| version::compare(&c.facts.version, version).is_eq();
        let alike = |one: &str| all.iter().filter(|(_, c, _, live)| *live && is(c, one)).count();
        let spelled = |one: &str| {
            let same = all.iter().filter(|(_, c, ..)| c.facts.version == one);
            let live = same.clone().filter(|(.., live)| *live).count();
            (live, same.filter(|(_, c, ..)| !c.stopped).count(), Reverse(one.len()))
        };
        let label = |one: &str| {
            let same = all.iter().map(|(_, c, ..)| c.facts.version.as_str());
            let same = same.filter(|other| version::compare(one, other).is_eq());
            let best = same.max_by(|a, b| spelled(a).cmp(&spelled(b)).then(b.cmp(a)));
            best.unwrap().to_owned()
        };
        let live = all.iter().filter(|(.., live)| *live).map(|(_, c, ..)| c.facts.version.as_str());
        let most = live.max_by(|one, best| {
            alike(one).cmp(&alike(best)).then(version::compare(one, best))
        });
        prop_assert_eq!(&overview.reference_version, &most.map(label));

        let mut versions: Vec<VersionCount> = Vec::new();
        for (_, component, ..) in &all {
            let running = all.iter().filter(|(_, c, ..)| is(c, &component.facts.version) && !c.stopped);
            let mut servers: Vec<_> = running.map(|(server, ..)| server).collect();
            let (version, components) = (label(&component.facts.version), servers.len());
            servers.dedup();
            if components > 0 && versions.iter().all(|known| known.version != version) {
                versions.push(VersionCount { version, components, servers: servers.len() });
            }
        }
        versions.sort_by(|a, b| version::compare(&b.version, &a.version));
        prop_assert_eq!(&overview.versions, &versions);

        for kind in KeyKind::ALL {
            let id = match kind {
                KeyKind::Encryption => HintId::KeyMismatch,
                KeyKind::Machine => HintId::MachineKeyMismatch,
            };
            for hint in hints.iter().filter(|hint| hint.id == id) {
                let odd = overview.servers.iter().find(|s| Some(&s.name) == hint.server.as_ref());
                let odd = odd.unwrap().components.iter().find(|status| {
                    let verdict = match kind {
                        KeyKind::Encryption => status.key,
                        KeyKind::Machine => status.machine_key,
                    };
                    verdict == Some(KeyVerdict::Mismatch)
                });
                let check = odd.unwrap().component.check(kind).unwrap();
                let same = Names::from(servers_with(&overview, kind, check));
                let right = Names::from(servers_with(&overview, kind, key(1)));
                prop_assert_eq!(list(hint, "same"), Some(same));
                prop_assert_eq!(number(hint, "count"), Some(right.total()));
                prop_assert_eq!(list(hint, "sharing"), Some(right));
            }
        }

        for hint in hints.iter().filter(|hint| hint.id == HintId::KeyMissing) {
            let others: BTreeSet<&ServerName> = all
                .iter()
                .filter(|(server, c, ..)| c.facts.key_check.is_some() && Some(*server) != hint.server.as_ref())
                .map(|(server, ..)| *server)
                .collect();
            prop_assert_eq!(number(hint, "count"), Some(others.len()));
        }

        let services: Vec<_> = all
            .iter()
            .filter(|(_, c, pulse, _)| c.role == Role::Service && *pulse != Pulse::Stopped)
            .collect();
        let silent: Vec<Timestamp> = services
            .iter()
            .filter(|(_, _, pulse, _)| *pulse == Pulse::Stale)
            .map(|(_, c, ..)| c.last_heartbeat + Span::seconds(300) + Span::TICK)
            .collect();
        let within = |first: Timestamp| {
            let since = |moment: &&Timestamp| **moment - first;
            silent.iter().filter(|m| (Span::ZERO..=Span::seconds(30)).contains(&since(m))).count()
        };
        let together = silent.iter().map(|first| (within(*first), *first)).max();
        let together = together.filter(|(most, _)| services.len() >= 2 && most * 2 > services.len());
        let everyone = hints.iter().find(|hint| hint.id == HintId::EveryoneSilent);
        prop_assert_eq!(everyone.is_some(), together.is_some());
        if let (Some(hint), Some((most, first))) = (everyone, together) {
            prop_assert_eq!(number(hint, "silent"), Some(most));
            prop_assert!(hint.args.contains(&("first", Arg::Moment(first))));
        }
    }

    #[test]
    fn refusals_are_found_by_their_server_in_whatever_order_they_came(
        servers in prop::collection::vec((0_u8..6, 0_u8..3), 0..30),
    ) {
        let mut known = snapshot((0..6).map(|number| service(&format!("s{number}"))));
        let why = |kind| match kind {
            0 => RejectionReason::Token,
            1 => RejectionReason::Probe { role: Role::Web, said: "500".into() },
            _ => RejectionReason::Probe { role: Role::Service, said: "500".into() },
        };
        for (server, kind) in &servers {
            known.refuse(&name(&format!("S{server}")), why(*kind), None, NOON);
        }
        for number in 0..6 {
            let kinds: BTreeSet<u8> =
                servers.iter().filter(|(s, _)| *s == number).map(|(_, kind)| *kind).collect();
            let told: Vec<RejectionReason> = known
                .rejected_of(&name(&format!("s{number}")), ms(1))
                .map(|refusal| refusal.why.clone())
                .collect();
            prop_assert_eq!(told, kinds.into_iter().map(why).collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_messenger_is_seen_only_by_web_servers_that_are_there_however_many_are_gone() {
    let mut all =
        cluster(300, |_, component| Component { last_heartbeat: s(-100_000), ..component });
    let seen_by = all.components.keys().nth(400).unwrap().server.to_string();
    let seen = Messenger { failure: None, since: NOON, port: 1, seen_by };
    all.insert(Arc::new(Component { messengers: vec![Arc::new(seen)], ..service("z") }));
    assert_eq!(status(&all.overview(NOON), "z", Role::Service).messenger, None);
}
