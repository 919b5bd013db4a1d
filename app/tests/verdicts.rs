//! Which verdicts on versions and keys, which counts, and which health does an overview have?

mod common;

use cluster_overview_app::cluster::KeyVerdict;
use cluster_overview_app::cluster::Source;
use cluster_overview_app::cluster::{Component, Health, KeyKind, Role, Snapshot, VersionCheck};
use common::{NOON, key, s, service, snapshot, status, web, with_facts};

fn running(server: &str, version: &str) -> Component {
    with_facts(service(server), |facts| facts.version = version.into())
}

fn observer(component: Component) -> Component {
    with_facts(component, |facts| facts.source = Source::Observer)
}

fn stale(component: Component) -> Component {
    Component { last_heartbeat: s(-100_000), ..component }
}

fn stopped(component: Component) -> Component {
    Component { stopped: true, ..component }
}

/// The reference version of services that run these versions, one a server.
fn reference_of(versions: &[&str]) -> Option<String> {
    let servers = ["a", "b", "c", "d", "e", "f"];
    let components = servers.iter().zip(versions).map(|(server, version)| running(server, version));
    snapshot(components).overview(NOON).reference_version
}

fn version_of(snapshot: &Snapshot, server: &str, role: Role) -> Option<VersionCheck> {
    status(&snapshot.overview(NOON), server, role).version
}

fn key_of(snapshot: &Snapshot, server: &str, role: Role) -> Option<KeyVerdict> {
    status(&snapshot.overview(NOON), server, role).key
}

#[test]
fn one_version_is_its_own_reference() {
    assert_eq!(reference_of(&["2026.2"]).as_deref(), Some("2026.2"));
    assert_eq!(reference_of(&[]), None);
}

#[test]
fn the_version_of_most_components_is_the_reference_whether_older_or_newer() {
    assert_eq!(reference_of(&["1.0", "1.0", "2.0"]).as_deref(), Some("1.0"));
    assert_eq!(reference_of(&["1.0", "2.0", "2.0"]).as_deref(), Some("2.0"));
}

#[test]
fn a_tie_of_versions_goes_to_the_newer_in_either_order() {
    assert_eq!(reference_of(&["1.0", "2.0"]).as_deref(), Some("2.0"));
    assert_eq!(reference_of(&["2.0", "1.0"]).as_deref(), Some("2.0"));
    assert_eq!(reference_of(&["2026.9", "2026.10"]).as_deref(), Some("2026.10"));
    assert_eq!(reference_of(&["1", "2", "1", "3", "2"]).as_deref(), Some("2"));
}

#[test]
fn if_every_version_runs_once_the_newest_is_the_reference() {
    let versions = ["5.3.0.9", "5.3.0.10", "5.2.9.11", "5.3", "5.2.1", "4.9"];
    assert_eq!(reference_of(&versions).as_deref(), Some("5.3.0.10"));
}

#[test]
fn two_spellings_of_one_version_are_in_sync() {
    let mixed = snapshot([running("a", "2026.02"), running("b", "2026.2"), running("c", "2026.3")]);
    assert_eq!(version_of(&mixed, "a", Role::Service), Some(VersionCheck::InSync));
    assert_eq!(version_of(&mixed, "b", Role::Service), Some(VersionCheck::InSync));
    assert_eq!(version_of(&mixed, "c", Role::Service), Some(VersionCheck::Ahead));
}

#[test]
fn versions_of_equal_order_are_counted_together_and_are_no_skew() {
    let built = |server: &str, build: &str| running(server, &format!("2026.2.1{build}"));
    let web_of_c = with_facts(web("c"), |facts| facts.version = "v2026.2.1".into());
    let same = snapshot([built("a", "+4f3c2d1"), built("b", ""), web_of_c, built("c", "+0")]);
    let overview = same.overview(NOON);
    for status in overview.components() {
        assert_eq!(
            status.version,
            Some(VersionCheck::InSync),
            "{}",
            status.component.facts.version
        );
    }
    assert_eq!(overview.reference_version.as_deref(), Some("2026.2.1"));
    let [only] = &overview.versions[..] else { panic!("{:?}", overview.versions) };
    assert_eq!((only.version.as_str(), only.components, only.servers), ("2026.2.1", 4, 3));
    assert_eq!(overview.health, Health::Ok);
}

#[test]
fn a_release_candidate_is_behind_its_release_and_not_the_reference() {
    let pair = snapshot([running("a", "5.0.0-rc.2"), running("b", "5.0.0")]);
    assert_eq!(version_of(&pair, "a", Role::Service), Some(VersionCheck::Behind));
    assert_eq!(version_of(&pair, "b", Role::Service), Some(VersionCheck::InSync));
    assert_eq!(reference_of(&["1.2.3", "1.2.3-hotfix1"]).as_deref(), Some("1.2.3-hotfix1"));
}

#[test]
fn another_version_is_behind_or_ahead_and_a_warning() {
    let mixed =
        ["5.3.0.9", "5.3.0.10", "5.3.0.10", "5.3.0.11"].into_iter().zip(["a", "b", "c", "d"]);
    let mixed = snapshot(mixed.map(|(version, server)| running(server, version)));
    let overview = mixed.overview(NOON);
    let check = |server| {
        let status = status(&overview, server, Role::Service);
        (status.version, status.health)
    };
    assert_eq!(check("a"), (Some(VersionCheck::Behind), Health::Warning));
    assert_eq!(check("b"), (Some(VersionCheck::InSync), Health::Ok));
    assert_eq!(check("d"), (Some(VersionCheck::Ahead), Health::Warning));
}

#[test]
fn a_stopped_component_has_no_version_verdict_and_does_not_count_for_the_reference() {
    let mixed =
        snapshot([stopped(running("a", "1.0")), stopped(running("b", "1.0")), running("c", "2.0")]);
    assert_eq!(mixed.overview(NOON).reference_version.as_deref(), Some("2.0"));
    assert_eq!(version_of(&mixed, "a", Role::Service), None);
    let versions = mixed.overview(NOON).versions;
    assert_eq!(versions.len(), 1);
}

#[test]
fn a_stale_component_has_a_version_verdict_but_does_not_count_for_the_reference() {
    let mixed =
        snapshot([stale(running("a", "1.0")), stale(running("b", "1.0")), running("c", "2.0")]);
    assert_eq!(mixed.overview(NOON).reference_version.as_deref(), Some("2.0"));
    assert_eq!(version_of(&mixed, "a", Role::Service), Some(VersionCheck::Behind));
}

#[test]
fn an_idle_web_component_counts_for_the_reference_unless_its_server_is_down() {
    let idle = |server: &str| stale(with_facts(web(server), |facts| facts.version = "1.0".into()));
    let alive = |server: &str| running(server, "2.0");
    let votes = snapshot([idle("a"), idle("b"), idle("c"), alive("a"), alive("b")]);
    let overview = votes.overview(NOON);
    assert!(status(&overview, "a", Role::Web).live);
    assert!(!status(&overview, "c", Role::Web).live);
    assert_eq!(overview.reference_version.as_deref(), Some("2.0"), "two to two, the newer");
    let outvoted = snapshot([idle("a"), idle("b"), running("a", "1.0"), alive("b"), alive("c")]);
    assert_eq!(outvoted.overview(NOON).reference_version.as_deref(), Some("1.0"));
}

#[test]
fn a_late_service_keeps_its_web_component_live_and_a_stale_or_stopped_one_does_not() {
    let live = |service: Component| {
        let pair = snapshot([stale(web("a")), service]);
        status(&pair.overview(NOON), "a", Role::Web).live
    };
    assert!(live(Component { last_heartbeat: s(-100), ..service("a") }));
    assert!(!live(Component { last_heartbeat: s(-301), ..service("a") }));
    assert!(!live(stopped(service("a"))));
    assert!(!live(service("b")), "another server's service does not count");
}

#[test]
fn a_stopped_web_component_or_a_stale_service_is_never_live() {
    let pair = snapshot([stopped(web("a")), service("a"), web("b"), stale(service("b"))]);
    let overview = pair.overview(NOON);
    assert!(!status(&overview, "a", Role::Web).live);
    assert!(!status(&overview, "b", Role::Service).live);
}

#[test]
fn an_observer_row_is_counted_and_shown_but_not_compared() {
    let own = with_facts(web("z"), |facts| {
        facts.version = "0.1.0".into();
        facts.key_check = Some(key(9));
        facts.machine_key_check = Some(key(9));
    });
    let mut mixed = snapshot([running("a", "1.0"), observer(own.clone())]);
    mixed.references.accept(KeyKind::Encryption, key(1));
    mixed.references.accept(KeyKind::Machine, key(1));
    let overview = mixed.overview(NOON);
    let row = status(&overview, "z", Role::Web);
    assert_eq!((row.version, row.key, row.machine_key), (None, None, None));
    assert_eq!(row.health, Health::Ok);
    assert_eq!((overview.counts.servers, overview.counts.web, overview.counts.alive), (2, 1, 2));
    assert_eq!(overview.versions.len(), 1);
    assert_eq!(overview.compared().count(), 1);
    assert_eq!(key_of(&mixed, "a", Role::Service), None, "its key is not compared with others");
    assert_eq!(snapshot([observer(own)]).overview(NOON).reference_version, None);
}

#[test]
fn a_component_of_the_overviews_own_process_with_a_product_version_is_compared() {
    let own = with_facts(running("z", "2.0"), |facts| facts.source = Source::Own);
    let mixed = snapshot([running("a", "1.0"), running("b", "1.0"), own]);
    assert_eq!(version_of(&mixed, "z", Role::Service), Some(VersionCheck::Ahead));
}

#[test]
fn versions_are_counted_newest_first_by_component_and_server() {
    let mixed = snapshot([
        running("a", "2026.9"),
        with_facts(web("a"), |facts| facts.version = "2026.9".into()),
        running("b", "2026.10"),
        running("c", "2026.9"),
    ]);
    let counted: Vec<(String, usize, usize)> = mixed
        .overview(NOON)
        .versions
        .into_iter()
        .map(|count| (count.version, count.components, count.servers))
        .collect();
    assert_eq!(counted, [("2026.10".into(), 1, 1), ("2026.9".into(), 3, 2)]);
}

#[test]
fn health_is_ordered_ok_unknown_warning_error() {
    assert!(Health::Ok < Health::Unknown);
    assert!(Health::Unknown < Health::Warning);
    assert!(Health::Warning < Health::Error);
    let mut worst_first = Health::WORST_FIRST;
    worst_first.reverse();
    assert!(worst_first.is_sorted());
}

#[test]
fn a_server_has_the_health_of_its_worst_component_and_the_cluster_that_of_its_worst_server() {
    let late = Component { last_heartbeat: s(-61), ..service("b") };
    let dead = Component { last_heartbeat: s(-301), ..service("c") };
    let healths = |components: &[Component]| -> (Vec<Health>, Health) {
        let overview = snapshot(components.to_vec()).overview(NOON);
        (overview.servers.iter().map(|server| server.health).collect(), overview.health)
    };
    assert_eq!(
        healths(&[web("a"), service("a"), web("b"), late.clone(), web("c"), dead]),
        (vec![Health::Ok, Health::Warning, Health::Error], Health::Error)
    );
    assert_eq!(
        healths(&[web("a"), web("b"), late]),
        (vec![Health::Ok, Health::Warning], Health::Warning)
    );
    assert_eq!(healths(&[web("a")]), (vec![Health::Ok], Health::Ok));
}

#[test]
fn components_with_one_name_in_any_case_belong_to_one_server_web_first() {
    let overview = snapshot([service("WEB-1"), web("web-1"), web("web-10")]).overview(NOON);
    let roles: Vec<Vec<Role>> = overview
        .servers
        .iter()
        .map(|server| server.components.iter().map(|status| status.component.role).collect())
        .collect();
    assert_eq!(roles, [vec![Role::Web, Role::Service], vec![Role::Web]]);
    assert_eq!(overview.counts.servers, 2);
}

#[test]
fn every_component_is_counted_once_by_role_and_once_by_pulse() {
    let overview = snapshot([
        web("a"),
        service("a"),
        Component { last_heartbeat: s(-61), ..service("b") },
        stale(service("c")),
        stale(web("c")),
        stopped(service("d")),
    ])
    .overview(NOON);
    let counts = overview.counts;
    assert_eq!((counts.servers, counts.web, counts.service), (4, 2, 4));
    assert_eq!(
        (counts.alive, counts.late, counts.stale, counts.stopped, counts.unknown),
        (2, 1, 2, 1, 0)
    );
}

#[test]
fn a_servers_facts_are_those_of_the_component_with_the_last_heartbeat() {
    let fresh = with_facts(Component { last_heartbeat: s(5), ..service("a") }, |facts| {
        facts.ip = common::address(7);
    });
    let overview = snapshot([web("a"), fresh]).overview(s(5));
    assert_eq!(
        overview.servers[0].latest().map(|latest| latest.facts.ip.clone()),
        Some(common::address(7))
    );
}
