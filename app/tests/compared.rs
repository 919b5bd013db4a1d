//! Do the optimized counts equal those of a comparison of every pair of servers?

#![allow(clippy::unwrap_used, reason = "the values are constants of the tests")]

mod common;

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use cluster_overview_app::cluster::health::{KeyVerdict, VersionCount};
use cluster_overview_app::cluster::hints::{Arg, Names};
use cluster_overview_app::cluster::{
    Component, Hint, HintId, KeyCheck, KeyKind, Messenger, Overview, Pulse, RejectionReason, Role,
    ServerName, Span, Timestamp, version,
};
use common::hints::cluster;
use common::{NOON, hints, key, ms, name, reject, s, service, snapshot, status, web, with_facts};
use proptest::prelude::*;

/// A random component.
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

/// The names of the servers with this key, found by checking every server.
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
        Arg::Moment(_)
        | Arg::Date(_)
        | Arg::Span(_)
        | Arg::Number(_)
        | Arg::Text(_)
        | Arg::Roles(_)
        | Arg::MessengerFailure(_) => None,
    })
}

fn number(hint: &Hint, name: &str) -> Option<usize> {
    hint.args.iter().find(|(known, _)| *known == name).and_then(|(_, value)| match value {
        Arg::Number(number) => Some(*number),
        Arg::Moment(_)
        | Arg::Date(_)
        | Arg::Span(_)
        | Arg::Text(_)
        | Arg::Roles(_)
        | Arg::MessengerFailure(_)
        | Arg::List(_) => None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 256,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn optimized_counts_equal_those_of_comparing_every_pair(
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
        let together = together.map(|(most, first)| {
            let is_one = |(_, c, pulse, _): &&(&ServerName, &Component, Pulse, bool)| {
                let since = c.last_heartbeat + Span::seconds(300) + Span::TICK - first;
                c.role == Role::Service
                    && *pulse == Pulse::Stale
                    && (Span::ZERO..=Span::seconds(30)).contains(&since)
            };
            let last = all.iter().filter(is_one).map(|(_, c, ..)| c.last_heartbeat).max().unwrap();
            let later = last + Span::seconds(30);
            let witnesses = overview.servers.iter().filter(|server| {
                let components = server.components.iter().map(|status| &status.component);
                components.filter(|c| !c.facts.source.is_own()).any(|c| c.last_heartbeat > later)
            });
            (most, first, witnesses.count())
        });
        let find = |id| hints.iter().find(|hint| hint.id == id);
        let silence = [find(HintId::EveryoneSilent), find(HintId::ManySilent)];
        let has_witness = together.map(|(.., witnesses)| witnesses > 0);
        prop_assert_eq!(silence.map(|hint| hint.is_some()), [
            has_witness == Some(false),
            has_witness == Some(true),
        ]);
        let hint = silence.into_iter().flatten().next();
        if let (Some(hint), Some((most, first, witnesses))) = (hint, together) {
            prop_assert_eq!(number(hint, "silent"), Some(most));
            prop_assert_eq!(number(hint, "reporting").unwrap_or_default(), witnesses);
            prop_assert!(hint.args.contains(&("first", Arg::Moment(first))));
        }
    }

    #[test]
    fn rejections_are_found_by_server_in_any_order_of_arrival(
        servers in prop::collection::vec((0_u8..6, 0_u8..3), 0..30),
    ) {
        let mut known = snapshot((0..6).map(|number| service(&format!("s{number}"))));
        let why = |kind| match kind {
            0 => RejectionReason::Token,
            1 => RejectionReason::Probe { role: Role::Web, reason: "500".into() },
            _ => RejectionReason::Probe { role: Role::Service, reason: "500".into() },
        };
        for (server, kind) in &servers {
            reject(&mut known, &name(&format!("S{server}")), why(*kind), None, NOON);
        }
        for number in 0..6 {
            let kinds: BTreeSet<u8> =
                servers.iter().filter(|(s, _)| *s == number).map(|(_, kind)| *kind).collect();
            let reasons: Vec<RejectionReason> = known
                .rejected_of(&name(&format!("s{number}")), ms(1))
                .map(|refusal| refusal.why.clone())
                .collect();
            prop_assert_eq!(reasons, kinds.into_iter().map(why).collect::<Vec<_>>());
        }
    }
}

#[test]
fn only_reports_of_live_web_servers_about_a_messenger_count_however_many_are_down() {
    let mut all =
        cluster(300, |_, component| Component { last_heartbeat: s(-100_000), ..component });
    let seen_by = all.components.keys().nth(400).unwrap().server.to_string();
    let seen = Messenger { failure: None, since: NOON, port: 1, seen_by };
    all.insert(Arc::new(Component { messengers: vec![Arc::new(seen)], ..service("z") }));
    assert_eq!(status(&all.overview(NOON), "z", Role::Service).messenger, None);
}
