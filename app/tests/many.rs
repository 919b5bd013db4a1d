//! A cluster of any size has hints that can be read, and counts that are right.

#![allow(clippy::unwrap_used, reason = "the values are constants of the tests")]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use cluster_overview_app::cluster::Boot;
use cluster_overview_app::cluster::hints::MAX_HINTS_OF_ONE_ID;
use cluster_overview_app::cluster::{
    Boots, Component, Hint, HintId, KeyCheck, KeyKind, Messenger, MessengerFailure,
    RejectionReason, Settings, Skew, Snapshot, Span,
};
use cluster_overview_app::i18n::{Catalog, Language};
use common::{NOON, address, boot, hints, key, s, service, snapshot, web, with_facts};

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
    let catalog = Catalog::for_language(Language::English);
    let one = |hint: &Hint| {
        let said = catalog.hint(hint);
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
        let catalog = Catalog::for_language(Language::English);
        assert!(catalog.verdict(&overview, &hints).detail.len() < 1_000, "{trouble}");
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
    let said = Catalog::for_language(Language::English).hint(summary);
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
                let said = Catalog::for_language(language).hint(hint);
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
    let said = Catalog::for_language(Language::English).verdict(&overview, &hints(&all, NOON));
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
