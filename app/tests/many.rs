//! Are hints readable and counts right in clusters of any size?

#![allow(clippy::unwrap_used, reason = "the values are constants of the tests")]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use cluster_overview_app::cluster::MAX_HINTS_OF_ONE_ID;
use cluster_overview_app::cluster::{
    Component, Hint, HintId, KeyCheck, Messenger, MessengerFailure, RejectionReason, Settings,
    Skew, Snapshot, Span,
};
use cluster_overview_app::i18n::{Catalog, Language};
use common::hints::{cluster, crashed_at, used_twice};
use common::{NOON, hints, key, reject, s, service, snapshot, web, with_facts};

const LARGE_CLUSTER_SERVERS: usize = 10_000;
const MAX_HINTS_JSON_BYTES: usize = 200_000;

fn check(number: usize) -> Option<KeyCheck> {
    KeyCheck::parse(&format!("{number:064x}"))
}

fn with_unreachable_messenger(component: Component) -> Component {
    let failure = Some(MessengerFailure::TimedOut);
    let seen = Messenger { failure, since: s(-60), port: 33_237, seen_by: "overview-1".into() };
    Component { messengers: vec![Arc::new(seen)], ..component }
}

/// Every kind of problem that all servers of a cluster can have.
fn problem_clusters(servers: usize) -> Vec<(&'static str, Snapshot)> {
    let of = |make: fn(usize, Component) -> Component| cluster(servers, make);
    let keyed = |component, check| with_facts(component, |facts| facts.key_check = check);
    let mut rejected = of(|_, component| component);
    for server in rejected.components.keys().map(|key| key.server.clone()).collect::<BTreeSet<_>>()
    {
        reject(&mut rejected, &server, RejectionReason::Token, None, NOON);
    }
    vec![
        (
            "two keys",
            cluster(servers, |n, c| keyed(c, Some(key(if n % 2 == 0 { 0x11 } else { 7 })))),
        ),
        ("a different key on each", cluster(servers, |n, c| keyed(c, check(n)))),
        (
            "a different machine key on each",
            of(|n, c| with_facts(c, |facts| facts.machine_key_check = check(n))),
        ),
        (
            "a different version on each",
            of(|n, c| with_facts(c, |facts| facts.version = format!("2026.{n}"))),
        ),
        ("all stale", of(|_, c| Component { last_heartbeat: s(-100_000), ..c })),
        ("all late", of(|_, c| Component { last_heartbeat: s(-90), ..c })),
        ("all stopped", of(|_, c| Component { stopped: true, last_heartbeat: s(-900), ..c })),
        ("all names used twice", of(|_, c| used_twice(c))),
        (
            "all clocks off",
            of(|n, c| {
                let off = Span::seconds(3 + i64::try_from(n).unwrap());
                Component { skew: Some(Skew { last: off, before: Some(off) }), ..c }
            }),
        ),
        (
            "a key on only one",
            of(|n, c| with_facts(c, |facts| facts.key_check = check(n).filter(|_| n == 0))),
        ),
        ("all rejected", rejected),
        ("messenger unreachable", of(|_, c| with_unreachable_messenger(c))),
        ("all restarting", of(|_, c| crashed_at(c, &[-90, -60, -30]))),
        (
            "every machine under two names",
            snapshot(
                (0..servers / 2)
                    .flat_map(|n| [web(&format!("m{n:05}.a")), service(&format!("m{n:05}.b"))]),
            ),
        ),
        ("all came back after a removal", of(|_, c| Component { came_back: Some(NOON), ..c })),
    ]
}

/// The hints as in the API.
fn as_json(hints: &[Hint]) -> String {
    let catalog = Catalog::for_language(Language::English);
    let one = |hint: &Hint| {
        let text = catalog.hint(hint);
        serde_json::json!({
            "id": hint.id.as_str(),
            "anchor": hint.anchor(),
            "severity": hint.severity,
            "title": text.title,
            "evidence": text.evidence,
            "steps": text.steps,
            "avoid": text.avoid,
            "server": hint.server,
            "role": hint.role,
        })
    };
    hints.iter().map(one).collect::<serde_json::Value>().to_string()
}

#[test]
fn the_hints_of_ten_thousand_servers_with_any_problem_fit_in_200_kb() {
    for (problem, snapshot) in problem_clusters(LARGE_CLUSTER_SERVERS) {
        let overview = snapshot.overview(NOON);
        let hints = snapshot.hints(&overview);
        let length = as_json(&hints).len();
        assert!(length <= MAX_HINTS_JSON_BYTES, "{problem}: {length} bytes");
        let catalog = Catalog::for_language(Language::English);
        let problems = catalog.verdict(&overview, &hints).problems;
        assert!(problems.iter().all(|problem| problem.text.len() < 200), "{problem}");
        assert_eq!(overview.servers.len(), LARGE_CLUSTER_SERVERS, "{problem}");
    }
}

#[test]
fn no_hint_is_left_out_and_no_id_has_more_than_fifty() {
    for (problem, snapshot) in problem_clusters(200) {
        let overview = snapshot.overview(NOON);
        let findings = overview.findings.clone();
        let hints = snapshot.hints(&overview);
        for id in HintId::ALL {
            let due = findings.iter().filter(|finding| finding.id == *id).count();
            let of_id: Vec<&Hint> = hints.iter().filter(|hint| hint.id == *id).collect();
            assert_eq!(of_id.len(), due.min(MAX_HINTS_OF_ONE_ID), "{problem}: {}", id.as_str());
            let weight: usize = of_id.iter().map(|hint| hint.weight()).sum();
            assert_eq!(weight, due, "{problem}: {}", id.as_str());
        }
        let anchors: BTreeSet<String> = hints.iter().map(Hint::anchor).collect();
        assert_eq!(anchors.len(), hints.len(), "{problem}: two hints share an anchor");
    }
}

/// The key hints of a cluster in which this many servers have another key than the rest.
fn key_mismatch_hints(count: usize) -> Vec<Hint> {
    let odd = |number: usize| Some(key(if number < count { 7 } else { 0x11 }));
    let all = cluster(2 * count + 1, |number, component| {
        with_facts(component, |facts| facts.key_check = odd(number))
    });
    let found = hints(&all, NOON).into_iter();
    found.filter(|hint| hint.id == HintId::KeyMismatch).collect()
}

#[test]
fn up_to_fifty_servers_have_a_hint_each_and_with_more_the_last_hint_is_a_summary() {
    let fifty = key_mismatch_hints(MAX_HINTS_OF_ONE_ID);
    assert!(fifty.iter().all(|hint| hint.summed().is_none() && hint.server.is_some()));
    let more = key_mismatch_hints(MAX_HINTS_OF_ONE_ID + 1);
    assert_eq!(more.len(), MAX_HINTS_OF_ONE_ID);
    let own = |hints: &[Hint]| -> Vec<_> {
        hints.iter().filter_map(|hint| hint.server.clone()).collect()
    };
    assert_eq!(own(&more), own(&fifty)[..MAX_HINTS_OF_ONE_ID - 1]);
    assert_eq!(more.last().map(Hint::weight), Some(2));
}

#[test]
fn a_summary_names_the_first_twenty_and_counts_the_others() {
    let hints = key_mismatch_hints(300);
    let summary = hints.last().unwrap();
    assert_eq!((summary.summed(), &summary.server, summary.role), (Some(251), &None, None));
    assert_eq!(summary.anchor(), "hint-key-mismatch_summary");
    let text = Catalog::for_language(Language::English).hint(summary);
    assert_eq!(text.title, "In addition: 251 servers use a different encryption key");
    let named = |number: usize| text.evidence.contains(&format!("server-{number:05}.rack-7"));
    assert!(named(49) && named(68) && !named(48) && !named(69), "{}", text.evidence);
    assert!(text.evidence.contains("and 231 more"), "{}", text.evidence);
    assert!(text.avoid.unwrap().contains("restart these servers for this"));
    assert_eq!(text.steps.len(), 2);
}

#[test]
fn a_summary_is_complete_in_every_language() {
    for (problem, snapshot) in problem_clusters(120) {
        for hint in hints(&snapshot, NOON).iter().filter(|hint| hint.summed().is_some()) {
            for language in Language::ALL {
                let text = Catalog::for_language(language).hint(hint);
                let all = [text.title, text.evidence].into_iter().chain(text.steps);
                for sentence in all.chain(text.avoid) {
                    let whole = !sentence.contains(['{', '}']) && !sentence.contains("  ");
                    assert!(whole && !sentence.is_empty(), "{problem}: {sentence}");
                }
            }
        }
    }
}

#[test]
fn a_change_of_settings_names_no_summary_among_the_hints_that_would_appear() {
    let all = cluster(120, |_, component| Component { last_heartbeat: s(-90), ..component });
    let shorter = Settings { heartbeat_interval_s: 10, stale_timeout_s: 40, ..all.settings };
    let added = all.hints_added_by(&shorter, NOON);
    assert!(added.iter().all(|hint| hint.summed().is_none()), "{added:?}");
}

#[test]
fn the_opening_counts_the_servers_in_a_summary_too() {
    let off = Skew { last: Span::seconds(4), before: Some(Span::seconds(4)) };
    let all = cluster(500, |_, component| Component { skew: Some(off), ..component });
    let overview = all.overview(NOON);
    let text = Catalog::for_language(Language::English).verdict(&overview, &hints(&all, NOON));
    let [problem] = &text.problems[..] else { panic!("{text:?}") };
    assert_eq!(problem.text, "The clocks of 500 servers are off");
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
