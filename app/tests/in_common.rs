//! What silent servers have in common, and no healthy one has.

#![allow(clippy::unwrap_used, reason = "the values are constants of the tests")]

mod common;

use cluster_overview_app::cluster::in_common::{Factor, common_name_prefix, in_common};
use cluster_overview_app::cluster::{Component, Os};
use common::{s, service, with_facts};
use proptest::prelude::*;

fn at(server: &str, address: &str) -> Component {
    let ip: std::net::IpAddr = address.parse().unwrap();
    with_facts(service(server), |facts| facts.ip = ip.into())
}

fn found(troubled: &[Component], healthy: &[Component]) -> Vec<Factor> {
    in_common(troubled.iter(), healthy.iter())
}

fn has_network(factors: &[Factor], network: &str) -> bool {
    factors.contains(&Factor::Network(network.to_owned()))
}

#[test]
fn a_network_is_the_first_24_bits_of_ipv4_and_the_first_64_of_ipv6() {
    let healthy = [at("c", "10.0.1.1")];
    let one = [at("a", "10.0.2.1"), at("b", "10.0.2.255")];
    assert!(has_network(&found(&one, &healthy), "10.0.2.0/24"));
    let two = [at("a", "10.0.2.1"), at("b", "10.0.3.1")];
    assert!(!found(&two, &healthy).iter().any(|factor| matches!(factor, Factor::Network(_))));
    for (first, second, network) in [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8::1", "2001:db8::2:0:0:1", "2001:db8::/64"),
        ("fd00:0:0:1::1", "fd00:0:0:1:ffff::1", "fd00:0:0:1::/64"),
    ] {
        let pair = [at("a", first), at("b", second)];
        assert!(has_network(&found(&pair, &healthy), network), "{:?}", found(&pair, &healthy));
    }
}

#[test]
fn an_address_that_all_share_is_named_instead_of_its_network() {
    let troubled = [at("a", "10.0.2.1"), at("b", "10.0.2.1")];
    let factors = found(&troubled, &[at("c", "10.0.2.2")]);
    assert!(factors.contains(&Factor::Address(troubled[0].facts.ip.clone())));
    assert!(!factors.iter().any(|factor| matches!(factor, Factor::Network(_))));
}

#[test]
fn the_strongest_factor_comes_first() {
    let newer = |component| {
        with_facts(component, |facts| {
            facts.version = "2".to_owned();
            facts.product = Some("Otter".to_owned());
        })
    };
    let troubled = [newer(at("app-1", "10.0.2.1")), newer(at("app-2", "10.0.2.2"))];
    let healthy = [at("web-1", "10.0.1.1")];
    let factors = found(&troubled, &healthy);
    let kinds: Vec<&str> = factors.iter().map(kind).collect();
    assert_eq!(kinds, ["network", "version", "product", "names"]);
}

fn kind(factor: &Factor) -> &'static str {
    match factor {
        Factor::Address(_) => "address",
        Factor::Network(_) => "network",
        Factor::Version(_) => "version",
        Factor::Os(_) => "os",
        Factor::Product(_) => "product",
        Factor::NamePrefix(_) => "names",
        Factor::Started { .. } => "started",
    }
}

#[test]
fn a_common_beginning_of_names_ends_with_a_dash_or_a_dot() {
    let prefix = |names: &[&str]| {
        let all: Vec<Component> = names.iter().map(|name| service(name)).collect();
        common_name_prefix(all.iter())
    };
    assert_eq!(prefix(&["app-12", "app-13"]).as_deref(), Some("app-"));
    assert_eq!(prefix(&["APP-1", "app-2"]).as_deref(), Some("app-"), "names have no case");
    assert_eq!(prefix(&["eu.app-1", "eu.web-1"]).as_deref(), Some("eu."));
    assert_eq!(prefix(&["app1", "app2"]), None);
    assert_eq!(prefix(&["app-1", "web-1"]), None);
    assert_eq!(prefix(&[]), None);
}

#[test]
fn processes_that_started_within_five_minutes_started_together() {
    let started = |server: &str, second| Component { first_seen: s(second), ..service(server) };
    let together = |last| {
        let factors = found(&[started("a", 0), started("b", last)], &[started("c", 1_000)]);
        factors.iter().any(|factor| matches!(factor, Factor::Started { .. }))
    };
    assert!(together(300));
    assert!(!together(301));
    let healthy = [started("c", 100)];
    assert!(found(&[started("a", 0), started("b", 200)], &healthy).is_empty(), "so did c");
}

#[test]
fn one_alone_and_a_cluster_without_a_healthy_server_have_nothing_in_common() {
    assert!(found(&[at("a", "10.0.2.1")], &[at("b", "10.0.1.1")]).is_empty());
    assert!(found(&[at("a", "10.0.2.1"), at("b", "10.0.2.2")], &[]).is_empty());
    assert!(found(&[], &[at("b", "10.0.1.1")]).is_empty());
}

prop_compose! {
    fn component()(
        number in 0..4_u8, network in 0..2_u8, version in 0..2_u8, os in 0..2_u8, product in 0..3_u8,
        prefix in prop::sample::select(vec!["a-", "a.b-", "b"]), start in 0..700_i64,
    ) -> Component {
        let built = at(&format!("{prefix}{number}"), &format!("10.0.{network}.{number}"));
        let built = with_facts(built, |facts| {
            facts.version = version.to_string();
            facts.os = Os { name: "Debian".to_owned(), version: os.to_string() };
            facts.product = (product > 0).then(|| product.to_string());
        });
        Component { first_seen: s(start), ..built }
    }
}

/// Whether a component has this factor, by its meaning.
fn has(component: &Component, factor: &Factor) -> bool {
    let facts = &component.facts;
    match factor {
        Factor::Address(address) => facts.ip == *address,
        Factor::Network(network) => {
            let start = network.trim_end_matches("0/24");
            facts.ip.as_str().starts_with(start)
        }
        Factor::Version(version) => facts.version == *version,
        Factor::Os(os) => facts.os == *os,
        Factor::Product(product) => facts.product.as_ref() == Some(product),
        Factor::NamePrefix(prefix) => component.server.folded().starts_with(prefix),
        Factor::Started { first, last } => (*first..=*last).contains(&component.started_at()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_factor_is_shared_by_all_in_trouble_and_by_no_healthy_one(
        troubled in prop::collection::vec(component(), 0..5),
        healthy in prop::collection::vec(component(), 0..5),
    ) {
        for factor in found(&troubled, &healthy) {
            prop_assert!(troubled.iter().all(|one| has(one, &factor)), "{factor:?}");
            prop_assert!(!healthy.iter().any(|one| has(one, &factor)), "{factor:?}");
        }
    }
}
