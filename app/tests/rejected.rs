//! Which rejections of heartbeats does a snapshot keep, and for how long?

#![allow(clippy::unwrap_used, reason = "what fails in a helper fails the story")]

mod common;

use cluster_overview_app::cluster::reject::{MAX_REJECTED, MAX_UNREPORTED};
use cluster_overview_app::cluster::{
    Change, RejectionReason, Role, ServerName, Snapshot, Timestamp,
};
use common::{NOON, ms, name, reject, s, service, snapshot};

fn reject_a(snapshot: &mut Snapshot, why: RejectionReason, at: Timestamp) -> bool {
    reject(snapshot, &name("A"), why, Some(common::address(9)), at)
}

fn rejection(snapshot: &Snapshot, at: Timestamp) -> Option<(Timestamp, RejectionReason)> {
    let server = ServerName::parse("a").unwrap();
    let rejected = snapshot.rejected_of(&server, at).next()?;
    Some((rejected.since, rejected.why.clone()))
}

#[test]
fn a_rejection_is_shown_until_ten_minutes_after_the_last_one() {
    let mut known = snapshot([service("a")]);
    assert!(reject_a(&mut known, RejectionReason::Token, NOON));
    assert_eq!(rejection(&known, s(599)), Some((NOON, RejectionReason::Token)));
    assert_eq!(rejection(&known, s(600)), None);
    assert_eq!(known.as_of(s(700)), s(600), "as-of changes when it ends");
    // Another one within ten minutes extends it.
    assert!(reject_a(&mut known, RejectionReason::Token, s(400)));
    assert_eq!(rejection(&known, s(999)), Some((NOON, RejectionReason::Token)));
    assert!(reject_a(&mut known, RejectionReason::Token, s(1_000)));
    assert_eq!(rejection(&known, s(1_001)), Some((s(1_000), RejectionReason::Token)), "a new one");
    assert_eq!(known.rejected.len(), 1);
}

#[test]
fn repeated_rejections_change_the_snapshot_only_rarely() {
    let mut known = snapshot([service("a")]);
    assert!(reject_a(&mut known, RejectionReason::Token, NOON));
    assert!(!reject_a(&mut known, RejectionReason::Token, s(299)));
    assert!(!reject_a(&mut known, RejectionReason::Foreign, ms(59_999)));
    assert!(reject_a(&mut known, RejectionReason::Foreign, s(60)));
    assert_eq!(rejection(&known, s(61)), Some((NOON, RejectionReason::Foreign)));
}

#[test]
fn a_rejection_of_an_unknown_server_is_not_kept() {
    let mut known = snapshot([service("b")]);
    let before = known.clone();
    assert!(!reject_a(&mut known, RejectionReason::Token, NOON));
    assert_eq!(known, before);
}

#[test]
fn a_reader_receives_a_rejection_and_its_end() {
    let mut known = snapshot([service("a")]);
    assert!(reject_a(&mut known, RejectionReason::NotEnrolled, NOON));
    let mut reader = Snapshot::default();
    reader.apply(Change::whole(&known));
    assert_eq!(reader, known);
    reader.apply(Change { changed_at: s(1), ..Change::default() });
    assert!(rejection(&reader, s(1)).is_some(), "other changes leave it as it is");
    reader.apply(Change { rejected: Some(Vec::new()), changed_at: s(2), ..Change::default() });
    assert_eq!(rejection(&reader, s(2)), None);
}

#[test]
fn failing_probes_are_kept_by_component_beside_rejected_heartbeats() {
    let probe = |role, reason: &str| RejectionReason::Probe { role, reason: reason.to_owned() };
    let mut known = snapshot([service("a")]);
    assert!(reject_a(&mut known, RejectionReason::Token, NOON));
    assert!(reject_a(&mut known, probe(Role::Service, "no database"), s(1)));
    assert!(reject_a(&mut known, probe(Role::Web, "500"), s(2)));
    assert!(!reject_a(&mut known, probe(Role::Web, "500"), s(3)), "it was reported a moment ago");
    assert!(reject_a(&mut known, probe(Role::Web, "502"), s(62)), "another reason is a change");
    let reasons: Vec<_> =
        known.rejected_of(&name("a"), s(63)).map(|rejected| rejected.why.clone()).collect();
    let service = probe(Role::Service, "no database");
    assert_eq!(reasons, [RejectionReason::Token, probe(Role::Web, "502"), service]);
}

#[test]
fn a_stranger_hides_no_cause_and_a_cause_replaces_a_stranger_at_once() {
    let mut known = snapshot([service("a")]);
    let stranger = |known: &mut Snapshot, at| reject_a(known, RejectionReason::Token, at);
    assert!(stranger(&mut known, NOON));
    assert!(reject_a(&mut known, RejectionReason::Revoked, s(1)), "it was accepted before");
    assert!(!stranger(&mut known, s(400)));
    assert_eq!(rejection(&known, s(401)), Some((NOON, RejectionReason::Revoked)));
    let mut by_address = snapshot([service("a")]);
    assert!(stranger(&mut by_address, NOON));
    let own = Some(common::address(1));
    assert!(reject(&mut by_address, &name("a"), RejectionReason::Token, own, s(1)));
    assert!(!stranger(&mut by_address, s(400)), "its address is that of the last heartbeat");
    assert!(stranger(&mut by_address, s(601)), "ten minutes later nothing is known any more");
}

#[test]
fn rejections_for_very_many_servers_are_bounded_and_replace_no_earlier_one() {
    let names: Vec<String> = (0..1_500).map(|number| format!("s-{number}")).collect();
    let mut known = snapshot(names.iter().map(|name| service(name)));
    for server in &names {
        reject(&mut known, &name(server), RejectionReason::Token, None, s(1));
    }
    assert_eq!(known.rejected.len(), MAX_REJECTED);
    assert_eq!(known.rejected_of(&name("s-0"), s(2)).count(), 1, "the first is still there");
    // After ten minutes the earlier ones have expired.
    assert!(reject(&mut known, &name("s-1499"), RejectionReason::Token, None, s(700)));
}

#[test]
fn failing_probes_of_servers_without_a_heartbeat_are_kept_up_to_a_limit() {
    let probe = || RejectionReason::Probe { role: Role::Service, reason: "no route".to_owned() };
    let mut cluster = snapshot([service("a")]);
    assert!(reject(&mut cluster, &name("new"), probe(), None, NOON));
    cluster.rejected.clear();
    for number in 0..MAX_UNREPORTED + 50 {
        let accepted = reject(&mut cluster, &name(&format!("n-{number}")), probe(), None, s(2));
        assert_eq!(accepted, number < MAX_UNREPORTED, "{number}");
    }
    assert!(
        reject(&mut cluster, &name("a"), probe(), None, s(3)),
        "known servers do not count for that limit"
    );
    assert!(reject(&mut cluster, &name("late"), probe(), None, s(603)), "the others have expired");
    let mut full = Snapshot { max_servers: Some(1), ..snapshot([service("a")]) };
    assert!(
        !reject(&mut full, &name("new"), probe(), None, NOON),
        "a server over the limit of servers"
    );
}
