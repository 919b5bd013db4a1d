//! Which key becomes the reference key, and which verdict does another key get?

mod common;

use cluster_overview_app::cluster::KeyVerdict;
use cluster_overview_app::cluster::Source;
use cluster_overview_app::cluster::{
    Component, Health, KeyKind, Pulse, ReferenceKey, ReferenceKeys, Role, Snapshot,
};
use common::{NOON, key, service, snapshot, status, web, with_facts};

fn keyed(server: &str, byte: u8) -> Component {
    with_facts(service(server), |facts| facts.key_check = Some(key(byte)))
}

fn observer(component: Component) -> Component {
    with_facts(component, |facts| facts.source = Source::Observer)
}

fn key_of(snapshot: &Snapshot, server: &str, role: Role) -> Option<KeyVerdict> {
    status(&snapshot.overview(NOON), server, role).key
}

#[test]
fn the_first_key_reported_is_the_reference_until_two_servers_agree() {
    let mut references = ReferenceKeys::default();
    let (a, b, c) = (keyed("a", 1), keyed("b", 2), keyed("c", 2));
    references.learn(&a, [&a].into_iter());
    assert_eq!(references.encryption, Some(ReferenceKey { check: key(1), agreed: false }));
    references.learn(&b, [&a, &b].into_iter());
    assert_eq!(references.encryption, Some(ReferenceKey { check: key(1), agreed: false }));
    references.learn(&c, [&a, &b, &c].into_iter());
    assert_eq!(references.encryption, Some(ReferenceKey { check: key(2), agreed: true }));
}

#[test]
fn the_first_agreement_stays_even_if_others_agree_on_another_key() {
    let mut references = ReferenceKeys::default();
    let (a, b) = (keyed("a", 1), keyed("b", 1));
    references.learn(&b, [&a, &b].into_iter());
    let (c, d) = (keyed("c", 2), keyed("d", 2));
    references.learn(&d, [&a, &b, &c, &d].into_iter());
    assert_eq!(references.encryption, Some(ReferenceKey { check: key(1), agreed: true }));
}

#[test]
fn two_components_of_one_server_do_not_count_as_agreement() {
    let mut references = ReferenceKeys::default();
    let front = with_facts(web("a"), |facts| facts.key_check = Some(key(1)));
    let back = keyed("A", 1);
    references.learn(&back, [&front, &back].into_iter());
    assert_eq!(references.encryption, Some(ReferenceKey { check: key(1), agreed: false }));
}

#[test]
fn the_key_of_an_observer_row_is_neither_learned_nor_counted() {
    let mut references = ReferenceKeys::default();
    let own = observer(keyed("z", 1));
    references.learn(&own, [&own].into_iter());
    assert_eq!(references, ReferenceKeys::default());
    let a = keyed("a", 1);
    references.learn(&a, [&own, &a].into_iter());
    assert_eq!(references.encryption, Some(ReferenceKey { check: key(1), agreed: false }));
}

#[test]
fn each_kind_of_key_is_learned_independently() {
    let mut references = ReferenceKeys::default();
    let both = |server: &str, encryption, machine| {
        with_facts(web(server), |facts| {
            facts.key_check = Some(key(encryption));
            facts.machine_key_check = Some(key(machine));
        })
    };
    let (a, b) = (both("a", 1, 2), both("b", 3, 2));
    references.learn(&a, [&a].into_iter());
    references.learn(&b, [&a, &b].into_iter());
    assert_eq!(references.encryption, Some(ReferenceKey { check: key(1), agreed: false }));
    assert_eq!(references.machine, Some(ReferenceKey { check: key(2), agreed: true }));
}

#[test]
fn the_machine_key_of_a_service_is_not_learned() {
    let mut references = ReferenceKeys::default();
    let odd = with_facts(service("a"), |facts| facts.machine_key_check = Some(key(1)));
    references.learn(&odd, [&odd].into_iter());
    assert_eq!(references.machine, None);
}

#[test]
fn an_accepted_key_stays_until_another_is_accepted() {
    let mut references = ReferenceKeys::default();
    references.accept(KeyKind::Encryption, key(7));
    let (a, b) = (keyed("a", 1), keyed("b", 1));
    references.learn(&a, [&a, &b].into_iter());
    assert_eq!(
        references.get(KeyKind::Encryption),
        Some(ReferenceKey { check: key(7), agreed: true })
    );
    references.accept(KeyKind::Encryption, key(1));
    assert_eq!(
        references.get(KeyKind::Encryption),
        Some(ReferenceKey { check: key(1), agreed: true })
    );
    assert_eq!(references.get(KeyKind::Machine), None);
}

#[test]
fn the_reference_outlives_the_servers_that_reported_it() {
    let mut left = snapshot([keyed("c", 2)]);
    left.references.encryption = Some(ReferenceKey { check: key(1), agreed: true });
    assert_eq!(key_of(&left, "c", Role::Service), Some(KeyVerdict::Mismatch));
}

#[test]
fn another_key_than_the_reference_is_an_error() {
    let mut mixed = snapshot([keyed("a", 1), keyed("b", 2)]);
    mixed.references.encryption = Some(ReferenceKey { check: key(1), agreed: false });
    assert_eq!(key_of(&mixed, "a", Role::Service), Some(KeyVerdict::InSync));
    assert_eq!(key_of(&mixed, "b", Role::Service), Some(KeyVerdict::Mismatch));
    let overview = mixed.overview(NOON);
    assert_eq!(status(&overview, "b", Role::Service).health, Health::Error);
    assert_eq!(status(&overview, "b", Role::Service).pulse, Pulse::Alive);
}

#[test]
fn a_missing_key_is_a_warning_only_while_others_report_one() {
    let mut mixed = snapshot([keyed("a", 1), service("b")]);
    mixed.references.encryption = Some(ReferenceKey { check: key(1), agreed: false });
    assert_eq!(key_of(&mixed, "b", Role::Service), Some(KeyVerdict::Missing));
    assert_eq!(status(&mixed.overview(NOON), "b", Role::Service).health, Health::Warning);
    let mut bare = snapshot([service("a"), service("b")]);
    bare.references = mixed.references;
    assert_eq!(key_of(&bare, "b", Role::Service), None);
    assert_eq!(bare.overview(NOON).health, Health::Ok);
}

#[test]
fn a_machine_key_is_compared_on_web_components_only_and_is_never_missing() {
    let other = Some(key(2));
    let mut mixed = snapshot([
        with_facts(web("a"), |facts| facts.machine_key_check = Some(key(1))),
        with_facts(web("b"), |facts| facts.machine_key_check = other),
        with_facts(service("b"), |facts| facts.machine_key_check = other),
        web("c"),
    ]);
    mixed.references.accept(KeyKind::Machine, key(1));
    let overview = mixed.overview(NOON);
    let verdict = |server, role| status(&overview, server, role).machine_key;
    assert_eq!(verdict("a", Role::Web), Some(KeyVerdict::InSync));
    assert_eq!(verdict("b", Role::Web), Some(KeyVerdict::Mismatch));
    assert_eq!(verdict("b", Role::Service), None);
    assert_eq!(verdict("c", Role::Web), None);
    assert_eq!(status(&overview, "b", Role::Web).health, Health::Error);
    assert_eq!(status(&overview, "c", Role::Web).health, Health::Ok);
}
