//! Does the preview of a change show exactly what the change would do?

#![allow(clippy::unwrap_used, reason = "the values are constants of the tests")]

mod common;

use cluster_overview_app::cluster::preview::KeyChangePreview;
use cluster_overview_app::cluster::removal::RemovalFilter;
use cluster_overview_app::cluster::{
    Component, HintId, KeyKind, Pulse, ReferenceKeys, Role, Settings, Snapshot, Span, Timestamp,
};
use cluster_overview_app::i18n::{Catalog, Language};
use common::*;

fn with_keys(keys: [(&str, u8); 3]) -> Snapshot {
    let mut snapshot = snapshot(keys.map(|(server, byte)| {
        with_facts(service(server), |facts| facts.key_check = Some(key(byte)))
    }));
    let mut references = ReferenceKeys::default();
    references.accept(KeyKind::Encryption, key(keys[0].1));
    snapshot.references = references;
    snapshot
}

#[test]
fn a_shorter_timeout_names_the_services_that_would_be_stale_immediately() {
    let today = snapshot([service("web-2"), service("web-1")]);
    let shorter = Settings { stale_timeout_s: 100, ..Settings::default() };
    let effects = Catalog::for_language(Language::English).effects(&today, &shorter, s(120));
    assert_eq!(effects[0], "The service of web-1 and web-2 becomes stale immediately.");
    assert!(
        Catalog::for_language(Language::English).effects(&today, &shorter, s(90)).is_empty(),
        "no service is silent for that long yet"
    );
}

#[test]
fn a_switch_names_the_hint_that_would_appear() {
    let today = snapshot([service("web-1")]);
    let on = Settings { automatic_failover: true, ..Settings::default() };
    let preview: Vec<HintId> = today.hints_added_by(&on, NOON).iter().map(|hint| hint.id).collect();
    assert_eq!(preview, [HintId::FailoverThin]);
    assert_eq!(
        Catalog::for_language(Language::English).effects(&today, &on, NOON),
        ["New hint: No standby for failover."]
    );
    let already = Snapshot { settings: on, ..today };
    assert!(already.hints_added_by(&on, NOON).is_empty(), "an existing hint is not new");
}

#[test]
fn a_long_list_of_names_ends_with_a_count() {
    let names: Vec<String> = (0..9).map(|number| format!("s-{number}")).collect();
    let today = snapshot(names.iter().map(|name| service(name)));
    let shorter = Settings { stale_timeout_s: 100, ..Settings::default() };
    let effects = Catalog::for_language(Language::English).effects(&today, &shorter, s(120));
    assert_eq!(
        effects[0],
        "The service of s-0, s-1, s-2, s-3, s-4, s-5 and 3 more becomes stale immediately."
    );
}

#[test]
fn accepting_a_key_causes_a_mismatch_on_exactly_the_named_servers() {
    let mut today = with_keys([("web-1", 1), ("web-2", 1), ("web-3", 7)]);
    let components = today.components.values().map(AsRef::as_ref);
    let preview = KeyChangePreview::compute(KeyKind::Encryption, key(7), components);
    assert_eq!(preview.wrong, [name("web-1"), name("web-2")]);
    assert_eq!(preview.right, [name("web-3")]);
    today.references.accept(KeyKind::Encryption, key(7));
    let overview = today.overview(NOON);
    let red = overview
        .components()
        .filter(|status| status.key == Some(cluster_overview_app::cluster::KeyVerdict::Mismatch));
    let red: std::collections::BTreeSet<_> =
        red.map(|status| status.component.server.clone()).collect();
    assert_eq!(red, preview.wrong.into_iter().collect());
}

#[test]
fn a_removal_lists_its_components_and_whether_they_would_come_back() {
    let today = snapshot([web("web-1"), service("web-1"), service("app-2")]);
    let whole = today.removing(&name("WEB-1"), None, NOON).unwrap();
    assert_eq!(whole.keys.len(), 2);
    assert!(whole.live);
    let silent = today.removing(&name("app-2"), Some(Role::Service), s(400)).unwrap();
    assert_eq!((silent.keys.len(), silent.live), (1, false));
    assert!(today.removing(&name("app-2"), Some(Role::Web), NOON).is_none());
    assert!(today.removing(&name("unknown"), None, NOON).is_none());
}

#[test]
fn while_blind_the_effect_is_computed_for_the_time_when_blindness_began() {
    let today = snapshot([service("web-1")]);
    let blind = Snapshot { blind_since: Some(s(10)), ..today };
    let shorter = Settings { stale_timeout_s: 100, ..Settings::default() };
    assert!(
        blind.degraded_by(&shorter, s(900)).is_empty(),
        "the silence while blind does not count"
    );
    let shorter = Settings { stale_timeout_s: 60, ..shorter };
    let late = Snapshot { blind_since: Some(s(70)), ..blind };
    assert_eq!(late.degraded_by(&shorter, s(900))[0].1, Pulse::Stale);
}

/// The servers that a filter by time alone would remove at a moment.
fn removed_when_stale_for(snapshot: &Snapshot, seconds: i64, now: Timestamp) -> Vec<String> {
    let filter = RemovalFilter { stale_for: Some(Span::seconds(seconds)), name: None };
    let found = snapshot.servers_to_remove(&filter, now);
    found.iter().map(|server| server.name.to_string()).collect()
}

#[test]
fn the_time_for_which_a_server_is_stale_counts_from_the_change_of_its_pulse() {
    let today = snapshot([service("web-1")]);
    // Its last heartbeat was at noon; it is stale after five minutes.
    assert!(removed_when_stale_for(&today, 0, s(300)).is_empty(), "not stale yet");
    assert_eq!(removed_when_stale_for(&today, 0, s(301)), ["web-1"]);
    assert!(removed_when_stale_for(&today, 60, s(360)).is_empty());
    assert_eq!(removed_when_stale_for(&today, 60, s(361)), ["web-1"]);
}

#[test]
fn a_server_with_anything_live_is_never_removed_with_others() {
    let fresh = Component { last_heartbeat: s(1_000), ..service("web-1") };
    let today = snapshot([web("web-1"), fresh, service("web-2")]);
    assert_eq!(removed_when_stale_for(&today, 0, s(1_001)), ["web-2"]);
}

#[test]
fn a_server_that_stopped_counts_from_its_last_heartbeat() {
    let today = snapshot([Component { stopped: true, ..service("web-1") }]);
    assert_eq!(removed_when_stale_for(&today, 60, s(60)), ["web-1"]);
    assert!(removed_when_stale_for(&today, 60, s(59)).is_empty());
}

#[test]
fn servers_are_counted_by_name_not_by_component() {
    let today = snapshot([web("web-1"), service("web-1"), service("web-2")]);
    assert_eq!(today.count_servers(), 2);
    assert!(today.has_server(&name("WEB-2")) && !today.has_server(&name("web-3")));
}
