//! What do hints say about other servers at the same address?

#![allow(clippy::unwrap_used, reason = "the values are constants of the tests")]

mod common;

use std::net::IpAddr;
use std::sync::Arc;

use cluster_overview_app::cluster::{
    Component, HintId, Messenger, MessengerFailure, Snapshot, Timestamp,
};
use cluster_overview_app::i18n::{Catalog, HintText, Language};
use common::{NOON, hints, s, service, snapshot, web, with_facts};

/// Late enough that everything last heard of at noon is stale, web components too.
const LATER: Timestamp = Timestamp(NOON.0 + 86_500_000);

fn with_ip(component: Component, ip: &str) -> Component {
    with_facts(component, |facts| facts.ip = ip.parse::<IpAddr>().unwrap().into())
}

fn alive(component: Component) -> Component {
    Component { last_heartbeat: LATER, ..component }
}

fn stopped(component: Component) -> Component {
    Component { stopped: true, ..component }
}

/// The text of the last hint with this id, which is that of the last server by name.
fn last_hint_text(id: HintId, snapshot: &Snapshot, now: Timestamp) -> HintText {
    let found = hints(snapshot, now).into_iter().rfind(|hint| hint.id == id);
    Catalog::for_language(Language::English).hint(&found.unwrap())
}

#[test]
fn hints_about_a_renamed_server_name_the_new_server() {
    for (id, old) in [
        (HintId::ServiceStopped, stopped(service("old"))),
        (HintId::WebStopped, stopped(web("old"))),
        (HintId::ServiceStale, service("old")),
        (HintId::WebStale, web("old")),
    ] {
        let new = [alive(service("new")), alive(web("new"))];
        let text = last_hint_text(id, &snapshot([old].into_iter().chain(new)), LATER);
        let evidence = "new now reports from the same address, 10.0.0.1.";
        assert!(text.evidence.contains(evidence), "{}: {}", id.as_str(), text.evidence);
        let renamed = "old was probably renamed to new. If so, remove old.";
        assert_eq!(text.steps[0], renamed, "{}", id.as_str());
        assert_eq!(text.steps.len(), 2, "{}", id.as_str());
    }
}

#[test]
fn an_address_that_several_servers_can_have_is_no_sign_of_a_rename() {
    let id = HintId::ServiceStopped;
    let check_no_rename = |others: Vec<Component>, ip: &str| {
        let all = std::iter::once(stopped(service("old"))).chain(others);
        let text =
            last_hint_text(id, &snapshot(all.map(|component| with_ip(component, ip))), LATER);
        assert!(!text.evidence.contains("reports from"), "{ip}: {}", text.evidence);
        assert!(text.steps[0].starts_with("Start it again"), "{ip}: {}", text.steps[0]);
    };
    for ip in ["127.0.0.1", "::1", "169.254.7.7", "fe80::1", "172.17.0.2"] {
        check_no_rename(vec![alive(service("new"))], ip);
    }
    // Several servers behind one proxy or router.
    check_no_rename(vec![alive(service("new")), alive(service("other"))], "10.0.0.1");
    // Not used by a live component, or only by another component of the same server.
    check_no_rename(vec![stopped(service("new"))], "10.0.0.1");
    check_no_rename(vec![alive(web("old"))], "10.0.0.1");
}

#[test]
fn hints_about_a_messenger_fit_the_reason_of_the_failure() {
    let dialled = |failure| {
        let seen = Messenger {
            failure: Some(failure),
            since: s(-60),
            port: 4_711,
            seen_by: "web-9".into(),
        };
        let one = Component { messengers: vec![Arc::new(seen)], ..service("web-1") };
        last_hint_text(HintId::MessengerUnreachable, &snapshot([one]), NOON).steps.join(" ")
    };
    for (failure, expected, excluded) in [
        (MessengerFailure::Refused, "Nothing listens on port 4711", "--ip"),
        (MessengerFailure::TimedOut, "port 4711 is open on web-1", "Another"),
        (MessengerFailure::Unreachable, "port 4711 is open on web-1", "Another"),
        (MessengerFailure::NotAMessenger, "Another program listens on port 4711", "firewall"),
        (MessengerFailure::WrongKey, "Another service answers on port 4711", "firewall"),
        (MessengerFailure::Protocol, "the same version", "firewall"),
    ] {
        let steps = dialled(failure);
        assert!(steps.contains(expected), "{failure:?}: {steps}");
        assert!(!steps.contains(excluded), "{failure:?}: {steps}");
        assert!(steps.contains("web-1") && steps.contains("Reconnect"), "{failure:?}: {steps}");
    }
}

#[test]
fn a_hint_about_a_wrong_service_names_the_other_service_at_the_same_address() {
    let seen = Messenger {
        failure: Some(MessengerFailure::WrongKey),
        since: s(-60),
        port: 33_237,
        seen_by: "web-9".into(),
    };
    let one = Component { messengers: vec![Arc::new(seen)], ..service("app-1") };
    let shared = snapshot([one.clone(), service("app-2"), web("app-2")]);
    let text = last_hint_text(HintId::MessengerUnreachable, &shared, NOON);
    assert!(text.evidence.contains("app-2 reports from the same address, 10.0.0.1."));
    assert!(text.steps[0].contains("--ip"), "{}", text.steps[0]);
    let elsewhere = snapshot([one, with_ip(service("app-2"), "10.0.0.2")]);
    let text = last_hint_text(HintId::MessengerUnreachable, &elsewhere, NOON);
    assert!(!text.evidence.contains("app-2"), "{}", text.evidence);
}
