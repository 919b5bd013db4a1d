//! Does a snapshot with applied changes equal the full snapshot, also after serialization?

mod common;

use std::sync::Arc;

use cluster_overview_app::cluster::{
    BlindPeriod, Change, Component, DatabaseOutage, HeartbeatUpdate, HintId, Incident, KeyKind,
    Messenger, MessengerFailure, RejectionReason, Role, Settings, Skew, Snapshot, Span, Timestamp,
};
use cluster_overview_app::packed::{Unreadable, pack, unpack};
use cluster_overview_app::protocol::{CommandError, CommandResult};
use common::{NOON, address, key, ms, name, period, reject, s, service, snapshot, web, with_facts};

/// Everything that changed between two snapshots, as the store would report it.
fn difference(before: &Snapshot, after: &Snapshot) -> Change {
    let mut change = Change {
        blind_since: after.blind_since,
        changed_at: after.changed_at,
        incidents: after
            .incidents
            .iter()
            .filter(|incident| !before.incidents.contains(incident))
            .cloned()
            .collect(),
        settings: (before.settings != after.settings).then_some(after.settings),
        references: (before.references != after.references).then_some(after.references),
        blind_periods: (before.blind_periods != after.blind_periods)
            .then(|| after.blind_periods.clone()),
        removed: before
            .components
            .keys()
            .filter(|key| !after.components.contains_key(key))
            .cloned()
            .collect(),
        ..Change::default()
    };
    for (key, component) in &after.components {
        match before.components.get(key) {
            Some(known) if known == component => {}
            Some(known) if HeartbeatUpdate::is_only_difference(known, component) => {
                change.heartbeats.push(HeartbeatUpdate::from_component(component));
            }
            Some(_) | None => change.components.push(Arc::clone(component)),
        }
    }
    change
}

fn with_next_heartbeat(component: &Component, at: Timestamp) -> Component {
    let mut next = component.clone();
    next.boots.current.sequence += 1;
    next.last_heartbeat = at;
    next.told_interval = Span::seconds(10);
    next.skew = Some(Skew { last: Span(-3), before: Some(Span(4)) });
    next
}

fn before() -> Snapshot {
    let mut before =
        snapshot([web("a"), service("a"), service("b"), service("removed"), web("quiet")]);
    before.incidents = vec![Arc::new(silence("b", s(1)))];
    before
}

fn silence(server: &str, began: Timestamp) -> Incident {
    let (hint, role) = (HintId::ServiceStale, Some(Role::Service));
    Incident::begin(hint, hint.severity(), Some(name(server)), role, began)
}

fn after() -> Snapshot {
    let mut after = snapshot([
        with_facts(web("a"), |facts| facts.version = "2026.3".into()),
        with_next_heartbeat(&service("a"), s(30)),
        Component { stopped: true, ..service("b") },
        web("new"),
        web("quiet"),
    ]);
    after.settings = Settings { load_balancing: true, ..Settings::default() };
    after.references.accept(KeyKind::Machine, key(1));
    after.blind_periods =
        vec![period(1, 2), BlindPeriod { start: ms(3_000), end: ms(3_500), clock_set: false }];
    after.changed_at = s(31);
    let ended = Incident { ended: Some(s(30)), ..silence("b", s(1)) };
    after.incidents = vec![Arc::new(ended), Arc::new(silence("new", s(31)))];
    after
}

#[test]
fn applying_a_change_gives_the_full_snapshot() {
    let change = difference(&before(), &after());
    assert_eq!(change.heartbeats.len(), 1);
    assert_eq!(change.components.len(), 3);
    assert_eq!(change.removed.len(), 1);
    let mut reader = before();
    reader.apply(change);
    assert_eq!(reader, after());
}

#[test]
fn applying_a_change_twice_is_the_same_as_once() {
    let change = difference(&before(), &after());
    let mut reader = before();
    reader.apply(change.clone());
    reader.apply(change);
    assert_eq!(reader, after());
}

#[test]
fn a_whole_change_replaces_everything() {
    let mut reader = before();
    reader.blind_since = Some(NOON);
    reader.apply(Change::whole(&after()));
    assert_eq!(reader, after());
    let mut empty = Snapshot::default();
    empty.apply(Change::whole(&after()));
    assert_eq!(empty, after());
}

#[test]
fn every_change_sets_or_clears_blindness() {
    let mut reader = before();
    reader.apply(Change { blind_since: Some(s(9)), changed_at: NOON, ..Change::default() });
    assert_eq!(reader.blind_since, Some(s(9)));
    reader.apply(Change { changed_at: s(10), ..Change::default() });
    assert_eq!(reader, Snapshot { changed_at: s(10), ..before() });
}

#[test]
fn a_heartbeat_of_an_unknown_component_changes_nothing() {
    let mut reader = snapshot([]);
    reader.apply(Change {
        changed_at: NOON,
        heartbeats: vec![HeartbeatUpdate::from_component(&web("a"))],
        ..Change::default()
    });
    assert_eq!(reader, snapshot([]));
}

#[test]
fn a_heartbeat_is_the_only_difference_only_if_nothing_else_changed() {
    let before = service("a");
    let after = with_next_heartbeat(&before, s(30));
    assert!(HeartbeatUpdate::is_only_difference(&before, &after));
    assert_eq!(HeartbeatUpdate::from_component(&after).applied_to(&before), after);
    let mut restarted = after.clone();
    restarted.boots.former = vec![before.boots.current.clone()];
    for more in [
        with_facts(after.clone(), |facts| facts.version = "2026.3".into()),
        Component { stopped: true, ..after.clone() },
        with_facts(after.clone(), |facts| facts.key_check = Some(key(1))),
        Component { came_back: Some(NOON), ..after.clone() },
        Component { first_seen: s(1), ..after.clone() },
        restarted,
    ] {
        assert!(!HeartbeatUpdate::is_only_difference(&before, &more), "{more:?}");
    }
}

#[test]
fn a_snapshot_survives_serialization() {
    for snapshot in
        [Snapshot::default(), before(), after(), Snapshot { blind_since: Some(s(7)), ..after() }]
    {
        let wire = serde_json::to_string(&Change::whole(&snapshot)).unwrap();
        let mut read = Snapshot::default();
        read.apply(serde_json::from_str(&wire).unwrap());
        assert_eq!(read, snapshot);
    }
}

#[test]
fn a_change_survives_serialization() {
    for change in [
        Change::default(),
        difference(&before(), &after()),
        difference(&after(), &before()),
        Change::whole(&after()),
    ] {
        let wire = serde_json::to_string(&change).unwrap();
        assert_eq!(serde_json::from_str::<Change>(&wire).unwrap(), change);
    }
}

fn without_ids(mut change: Change) -> Change {
    for component in &mut change.components {
        let boots = &mut Arc::make_mut(component).boots;
        boots.current.id.clear();
        boots.former.iter_mut().for_each(|boot| boot.id.clear());
    }
    change
}

#[test]
fn a_page_reads_all_that_a_server_writes() {
    let mut snapshot = after();
    reject(&mut snapshot, &name("a"), RejectionReason::Token, Some(address(9)), NOON);
    for text in ["\u{1}\u{1f}\t\r\n", "\\", "\\\"", "\"", "/ü€😀</script>", ""] {
        let probe = RejectionReason::Probe { role: Role::Service, reason: text.into() };
        reject(&mut snapshot, &name(&format!("ä{}", text.len())), probe, None, NOON);
        let failure = Some(MessengerFailure::TimedOut);
        let seen = Messenger { failure, since: s(-60), port: u16::MAX, seen_by: text.into() };
        let component = with_facts(service(&format!("m{}", text.len())), |facts| {
            facts.product = Some(text.into());
            facts.key_check = Some(key(7));
        });
        snapshot.insert(Arc::new(Component { messengers: vec![Arc::new(seen)], ..component }));
    }
    snapshot.outage = Some(DatabaseOutage::Full);
    snapshot.max_servers = Some(10_000);
    let timestamp_only = Change { changed_at: Timestamp(-1), ..Change::default() };
    for change in [
        timestamp_only,
        difference(&before(), &after()),
        difference(&after(), &before()),
        Change::whole(&snapshot),
    ] {
        let read: Change = unpack(&pack(&change).unwrap()).unwrap();
        assert_eq!(read, without_ids(change), "ids of starts are for servers");
    }
}

#[test]
fn a_page_reads_the_result_of_a_command() {
    for outcome in [Ok(()), Err(CommandError::Live), Err(CommandError::NotDialled)] {
        assert_eq!(unpack::<CommandResult>(&pack(&outcome).unwrap()), Ok(outcome));
    }
    let mut shortened = pack(&Ok::<(), CommandError>(())).unwrap();
    shortened.pop();
    for invalid in ["", "<!doctype html>", "null", "[]", &shortened] {
        assert_eq!(unpack::<CommandResult>(invalid), Err(Unreadable::Foreign), "{invalid}");
    }
}

#[test]
fn an_invalid_name_is_rejected_when_it_is_read() {
    let wire = serde_json::to_string(&Change::whole(&snapshot([web("web-1")]))).unwrap();
    for bad in ["..", "a/b", "", " a", "a\\u0007", "a\\u200b"] {
        let wire = wire.replace("web-1", bad);
        assert!(serde_json::from_str::<Change>(&wire).is_err(), "{bad:?}");
    }
}

#[test]
fn an_ordinary_heartbeat_is_small() {
    let change = difference(
        &snapshot([service("a")]),
        &snapshot([with_next_heartbeat(&service("a"), s(30))]),
    );
    let packed = pack(&change).unwrap();
    assert!(change.components.is_empty());
    assert!(packed.len() < 80, "{} bytes: {packed}", packed.len());
}
