//! Which sentences explain the status of a component and of the whole cluster?

mod common;

use cluster_overview_app::cluster::{
    Component, Health, KeyKind, Role, Settings, Snapshot, Timestamp,
};
use cluster_overview_app::i18n::{Catalog, Language};
use common::{NOON, hints, key, s, service, snapshot, status, web, with_facts};

fn heard(component: Component, seconds: i64) -> Component {
    Component { last_heartbeat: s(seconds), ..component }
}

fn why(component: Component, now: Timestamp) -> String {
    let role = component.role;
    why_in(&snapshot([component]), "web-1", role, now)
}

fn why_in(snapshot: &Snapshot, server: &str, role: Role, now: Timestamp) -> String {
    Catalog::for_language(Language::English).why(
        status(&snapshot.overview(now), server, role),
        snapshot,
        now,
    )
}

fn opening(snapshot: &Snapshot) -> (String, String) {
    let verdict = Catalog::for_language(Language::English)
        .verdict(&snapshot.overview(NOON), &hints(snapshot, NOON));
    let problems = verdict.problems.into_iter().map(|problem| problem.text);
    let said: Vec<String> =
        [verdict.note].into_iter().chain(problems).filter(|text| !text.is_empty()).collect();
    (verdict.headline, said.join(" · "))
}

#[test]
fn every_pulse_is_explained_by_moments_and_limits() {
    let stopped = |component| Component { stopped: true, ..component };
    for (component, now, expected) in [
        (
            web("web-1"),
            NOON,
            "The last heartbeat is recent; a web component is stale after 24 h without a request",
        ),
        (
            service("web-1"),
            NOON,
            "The last heartbeat is on time; a service is late after 1 min, stale after 5 min",
        ),
        (
            service("web-1"),
            s(61),
            "No heartbeat since 12:00:00Z; a service is late after 1 min, stale after 5 min",
        ),
        (service("web-1"), s(301), "No heartbeat since 12:00:00Z; a service is stale after 5 min"),
        (
            web("web-1"),
            s(86_401),
            "No heartbeat since 12:00:00Z; a web component is stale after 24 h",
        ),
        (stopped(web("web-1")), s(9), "Stopped cleanly at 12:00:00Z"),
        (stopped(service("web-1")), s(9), "Stopped cleanly at 12:00:00Z"),
    ] {
        assert_eq!(why(component, now), expected);
    }
}

#[test]
fn a_cluster_without_room_for_more_servers_needs_attention_though_no_server_does() {
    let full = Snapshot { max_servers: Some(2), ..snapshot([service("a"), service("b")]) };
    assert_eq!(full.overview(NOON).health, Health::Warning);
    let (headline, detail) = opening(&full);
    assert_eq!(headline, "The cluster needs attention");
    assert_eq!(detail, "2 of at most 2 server names are in use");
    let room = Snapshot { max_servers: Some(3), ..full.clone() };
    assert_eq!(room.overview(NOON).health, Health::Ok);
    let blind = Snapshot { blind_since: Some(NOON), ..full };
    assert_eq!(blind.overview(NOON).health, Health::Unknown, "the health is unknown while blind");
}

#[test]
fn a_verdict_that_stays_is_explained_in_the_same_words() {
    assert_eq!(why(service("web-1"), s(61)), why(service("web-1"), s(299)));
    assert_eq!(why(service("web-1"), s(301)), why(service("web-1"), s(9_999)));
}

#[test]
fn while_blind_every_explanation_is_the_blindness() {
    for component in [web("web-1"), service("web-1")] {
        let role = component.role;
        let blind = Snapshot { blind_since: Some(s(5)), ..snapshot([component]) };
        assert_eq!(
            why_in(&blind, "web-1", role, s(900)),
            "The overview has been unable to use its database since 12:00:05Z"
        );
    }
}

#[test]
fn every_other_verdict_is_explained_after_the_pulse() {
    let of = |server: &str, version: &str, byte: Option<u8>, machine: u8| {
        with_facts(web(server), |facts| {
            facts.version = version.into();
            facts.key_check = byte.map(key);
            facts.machine_key_check = Some(key(machine));
        })
    };
    let mut mixed = snapshot([
        of("a", "2", Some(1), 1),
        of("b", "2", Some(1), 1),
        of("c", "1", Some(2), 1),
        of("d", "3", None, 2),
    ]);
    mixed.references.accept(KeyKind::Encryption, key(1));
    mixed.references.accept(KeyKind::Machine, key(1));
    let alive =
        "The last heartbeat is recent; a web component is stale after 24 h without a request";
    let why = |server| why_in(&mixed, server, Role::Web, NOON);
    assert_eq!(why("a"), alive);
    assert_eq!(
        why("c"),
        format!(
            "{alive}; it runs 1, an older version than the rest of the cluster; decryption failure: its encryption key \
             does not match the cluster's"
        )
    );
    assert_eq!(
        why("d"),
        format!(
            "{alive}; it runs 3, a newer version than the rest of the cluster; it reports no encryption key, \
             other servers do; its machine key does not match that of the other web servers"
        )
    );
}

/// A component that stopped cleanly longer ago than the stale timeout.
fn stopped(component: Component) -> Component {
    Component { stopped: true, ..heard(component, -301) }
}

#[test]
fn the_opening_says_how_many_servers_need_attention_and_why() {
    let of = |components: &[Component]| opening(&snapshot(components.to_vec()));
    let texts = |headline: &str, detail: &str| (headline.to_owned(), detail.to_owned());
    assert_eq!(of(&[]), texts("Waiting for the first server", ""));
    assert_eq!(of(&[web("a")]), texts("The server is in sync", ""));
    assert_eq!(of(&[web("a"), web("b")]), texts("All 2 servers are in sync", ""));
    assert_eq!(
        of(&[heard(service("a"), -301)]),
        texts("The server needs attention", "The service of a does not respond")
    );
    assert_eq!(
        of(&[heard(service("a"), -61), web("b")]),
        texts("1 of 2 servers needs attention", "The heartbeat of the service of a is late")
    );
    assert_eq!(
        of(&[stopped(web("a")), heard(web("b"), -86_401), web("c")]),
        texts(
            "2 of 3 servers need attention",
            "b does not respond · The web component of a has stopped"
        )
    );
}

#[test]
fn the_opening_names_keys_and_versions() {
    let keyed = |server: &str, byte| with_facts(web(server), |facts| facts.key_check = byte);
    let mut mixed = snapshot([
        keyed("a", Some(key(1))),
        keyed("b", Some(key(2))),
        keyed("c", None),
        with_facts(keyed("d", Some(key(1))), |facts| facts.machine_key_check = Some(key(2))),
    ]);
    mixed.references.accept(KeyKind::Encryption, key(1));
    mixed.references.accept(KeyKind::Machine, key(1));
    assert_eq!(
        opening(&mixed).1,
        "b uses a different encryption key · d uses a different machine key · c reports no encryption key",
        "the worst first"
    );
    let of = |server: &str, version: &str| {
        with_facts(web(server), |facts| facts.version = version.into())
    };
    let mixed = snapshot([of("a", "1"), of("b", "2"), of("c", "2"), of("d", "3")]);
    assert_eq!(opening(&mixed).1, "Servers run different versions");
}

#[test]
fn the_opening_counts_each_kind_of_problem_and_names_the_only_server_that_has_it() {
    let of = |server: &str| stopped(service(server));
    let dead = heard(service("z"), -301);
    let (headline, said) = opening(&snapshot(["a", "b", "c"].map(of).into_iter().chain([dead])));
    assert_eq!(headline, "4 of 4 servers need attention");
    assert_eq!(said, "The service of z does not respond · 3 services have stopped");
}

#[test]
fn every_problem_that_the_opening_counts_leads_to_servers_or_is_of_the_cluster() {
    let settings = Settings { automatic_failover: true, ..Settings::default() };
    let thin = Snapshot { settings, ..snapshot([stopped(service("a")), web("b")]) };
    let overview = thin.overview(NOON);
    let verdict = Catalog::for_language(Language::English).verdict(&overview, &hints(&thin, NOON));
    for problem in &verdict.problems {
        let of_servers =
            overview.findings.iter().any(|found| found.id == problem.id && found.server.is_some());
        assert_eq!(of_servers, !problem.is_of_cluster, "{problem:?}");
    }
    assert_eq!(verdict.problems.len(), 2);
}

#[test]
fn the_opening_groups_services_that_stopped_reporting_at_the_same_time() {
    let dead = |server: &str| heard(service(server), -301);
    let other = stopped(web("e"));
    let silent = snapshot(["a", "b", "c"].map(dead).into_iter().chain([other]));
    assert_eq!(
        opening(&silent).1,
        "3 of 3 services stopped reporting at the same time · The web component of e has stopped"
    );
}

#[test]
fn all_problems_of_a_server_are_counted_the_worst_first() {
    let pair = snapshot([stopped(web("a")), heard(service("a"), -301), web("b")]);
    assert_eq!(
        opening(&pair).1,
        "The service of a does not respond · The web component of a has stopped"
    );
}

#[test]
fn the_opening_has_a_warning_about_the_cluster_when_all_servers_are_in_sync() {
    let settings = Settings { automatic_failover: true, ..Settings::default() };
    let thin = Snapshot { settings, ..snapshot([service("a")]) };
    assert_eq!(
        opening(&thin),
        ("The cluster needs attention".to_owned(), "No standby for failover".to_owned())
    );
    let tight = Settings { stale_timeout_s: 60, ..Settings::default() };
    let tight = Snapshot { settings: tight, ..snapshot([service("a")]) };
    assert_eq!(opening(&tight).1, "", "hints of severity info are only in the list");
}

#[test]
fn the_opening_is_never_green_while_blind() {
    for components in [vec![], vec![web("a")], vec![web("a"), heard(service("b"), -900)]] {
        let blind = Snapshot { blind_since: Some(NOON), ..snapshot(components) };
        let (headline, detail) = opening(&blind);
        assert_eq!(headline, "No live data since 12:00:00Z");
        assert!(detail.contains("last known"), "{detail}");
    }
}
