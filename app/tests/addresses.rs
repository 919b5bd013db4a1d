//! What advice says of other servers at the same address.

#![allow(clippy::unwrap_used, reason = "the values are constants of the tests")]

mod common;

use std::net::IpAddr;
use std::sync::Arc;

use cluster_overview_app::cluster::{
    Component, HintId, Messenger, MessengerFailure, Snapshot, Timestamp,
};
use cluster_overview_app::i18n::{Catalog, HintText, Language};
use common::{NOON, hints, s, service, snapshot, web, with_facts};

/// When what was last heard of at noon is stale, a web component too.
const LATER: Timestamp = Timestamp(NOON.0 + 86_500_000);

fn at(component: Component, ip: &str) -> Component {
    with_facts(component, |facts| facts.ip = ip.parse::<IpAddr>().unwrap().into())
}

fn alive(component: Component) -> Component {
    Component { last_heartbeat: LATER, ..component }
}

fn stopped(component: Component) -> Component {
    Component { stopped: true, ..component }
}

/// What the last hint of this id says: of several servers that is the last by name.
fn advice(id: HintId, snapshot: &Snapshot, now: Timestamp) -> HintText {
    let found = hints(snapshot, now).into_iter().rfind(|hint| hint.id == id);
    Catalog::for_language(Language::English).hint(&found.unwrap())
}

#[test]
fn a_server_that_was_renamed_is_said_to_report_under_its_new_name() {
    for (id, old) in [
        (HintId::ServiceStopped, stopped(service("old"))),
        (HintId::WebStopped, stopped(web("old"))),
        (HintId::ServiceStale, service("old")),
        (HintId::WebStale, web("old")),
    ] {
        let new = [alive(service("new")), alive(web("new"))];
        let said = advice(id, &snapshot([old].into_iter().chain(new)), LATER);
        let evidence = "new now reports from the same address, 10.0.0.1.";
        assert!(said.evidence.contains(evidence), "{}: {}", id.as_str(), said.evidence);
        let renamed = "old was probably renamed to new. If so, remove old.";
        assert_eq!(said.steps[0], renamed, "{}", id.as_str());
        assert_eq!(said.steps.len(), 2, "{}", id.as_str());
    }
}

#[test]
fn an_address_that_says_nothing_renames_nobody() {
    let id = HintId::ServiceStopped;
    let stands = |others: Vec<Component>, ip: &str| {
        let all = std::iter::once(stopped(service("old"))).chain(others);
        let said = advice(id, &snapshot(all.map(|component| at(component, ip))), LATER);
        assert!(!said.evidence.contains("reports from"), "{ip}: {}", said.evidence);
        assert!(said.steps[0].starts_with("Start it again"), "{ip}: {}", said.steps[0]);
    };
    for ip in ["127.0.0.1", "::1", "169.254.7.7", "fe80::1", "172.17.0.2"] {
        stands(vec![alive(service("new"))], ip);
    }
    // A proxy or a router stands before several.
    stands(vec![alive(service("new")), alive(service("other"))], "10.0.0.1");
    // Nobody alive has it, or only another component of the same server.
    stands(vec![stopped(service("new"))], "10.0.0.1");
    stands(vec![alive(web("old"))], "10.0.0.1");
}

#[test]
fn advice_about_a_messenger_fits_what_was_found_at_its_port() {
    let dialled = |failure| {
        let seen = Messenger {
            failure: Some(failure),
            since: s(-60),
            port: 4_711,
            seen_by: "web-9".into(),
        };
        let one = Component { messengers: vec![Arc::new(seen)], ..service("web-1") };
        advice(HintId::MessengerUnreachable, &snapshot([one]), NOON).steps.join(" ")
    };
    for (failure, says, never) in [
        (MessengerFailure::Refused, "port 4711 is open on web-1", "--ip"),
        (MessengerFailure::TimedOut, "port 4711 is open on web-1", "Another"),
        (MessengerFailure::Unreachable, "port 4711 is open on web-1", "Another"),
        (MessengerFailure::NotAMessenger, "Another program listens on port 4711", "firewall"),
        (MessengerFailure::WrongKey, "Another service answers on port 4711", "firewall"),
        (MessengerFailure::Protocol, "the same version", "firewall"),
    ] {
        let steps = dialled(failure);
        assert!(steps.contains(says), "{failure:?}: {steps}");
        assert!(!steps.contains(never), "{failure:?}: {steps}");
        assert!(steps.contains("web-1") && steps.contains("Reconnect"), "{failure:?}: {steps}");
    }
}

#[test]
fn two_services_at_one_address_are_named_where_the_wrong_one_answers() {
    let seen = Messenger {
        failure: Some(MessengerFailure::WrongKey),
        since: s(-60),
        port: 33_237,
        seen_by: "web-9".into(),
    };
    let one = Component { messengers: vec![Arc::new(seen)], ..service("app-1") };
    let shared = snapshot([one.clone(), service("app-2"), web("app-2")]);
    let said = advice(HintId::MessengerUnreachable, &shared, NOON);
    assert!(said.evidence.contains("app-2 reports from the same address, 10.0.0.1."));
    assert!(said.steps[0].contains("--ip"), "{}", said.steps[0]);
    let elsewhere = snapshot([one, at(service("app-2"), "10.0.0.2")]);
    let said = advice(HintId::MessengerUnreachable, &elsewhere, NOON);
    assert!(!said.evidence.contains("app-2"), "{}", said.evidence);
}
