//! Which web server's report about a service's messenger does the overview show?

#![allow(clippy::unwrap_used, reason = "a missing report fails the test")]

mod common;

use std::sync::Arc;

use cluster_overview_app::cluster::Source;
use cluster_overview_app::cluster::{Component, Health, Messenger, MessengerFailure, Timestamp};
use common::{NOON, s, service, snapshot, web, with_facts};

#[test]
fn the_messenger_does_not_affect_the_health() {
    let messengers = vec![seen("b", Some(MessengerFailure::Refused), NOON)];
    assert_eq!(common::health(&Component { messengers, ..service("a") }, NOON), Health::Ok);
}

fn silent(component: Component) -> Component {
    Component { last_heartbeat: s(-301), ..component }
}

fn seen(by: &str, failure: Option<MessengerFailure>, since: Timestamp) -> Arc<Messenger> {
    Arc::new(Messenger { failure, since, port: 33_237, seen_by: by.into() })
}

/// The web server whose report about the messenger of service "a" is shown, in a cluster with these other components.
fn reporting_web_server(messengers: Vec<Arc<Messenger>>, others: &[Component]) -> Option<String> {
    let dialled = Component { messengers, ..service("a") };
    let all = snapshot(others.iter().cloned().chain([dialled]));
    let overview = all.overview(NOON);
    let messenger = overview.servers[0].components[0].messenger.as_ref()?;
    Some(messenger.seen_by.clone())
}

#[test]
fn the_worst_report_is_shown_and_of_equal_ones_the_oldest() {
    let refused = Some(MessengerFailure::Refused);
    let connected = seen("b", None, s(-90));
    let lost = seen("c", Some(MessengerFailure::Lost), s(-9));
    let (cut, wrong) =
        (seen("d", refused, s(-5)), seen("e", Some(MessengerFailure::WrongKey), s(-7)));
    assert_eq!(reporting_web_server(vec![], &[]), None);
    assert_eq!(reporting_web_server(vec![connected.clone()], &[]).unwrap(), "b");
    assert_eq!(reporting_web_server(vec![connected.clone(), lost.clone()], &[]).unwrap(), "c");
    assert_eq!(reporting_web_server(vec![connected, lost, cut, wrong], &[]).unwrap(), "e");
}

#[test]
fn the_report_of_a_web_server_that_is_down_is_not_shown() {
    let refused = seen("b", Some(MessengerFailure::Refused), s(-60));
    let reports = || vec![refused.clone(), seen("c", None, s(-90))];
    assert_eq!(
        reporting_web_server(reports(), &[web("b")]).unwrap(),
        "b",
        "an idle web server is not down"
    );
    let stopped = Component { stopped: true, ..web("b") };
    assert_eq!(reporting_web_server(reports(), &[stopped]).unwrap(), "c");
    let own = |one: Component| with_facts(one, |facts| facts.source = Source::Observer);
    let own_service = own(silent(service("b")));
    assert_eq!(
        reporting_web_server(reports(), &[own(web("b")), own_service]).unwrap(),
        "c",
        "its own service is stale"
    );
    let product = silent(service("b"));
    assert_eq!(
        reporting_web_server(reports(), &[web("b"), product]).unwrap(),
        "b",
        "only the product's service is stale"
    );
}

#[test]
fn a_stopped_service_has_no_messenger_state() {
    let messengers = vec![seen("b", Some(MessengerFailure::Refused), NOON)];
    let stopped = Component { messengers, stopped: true, ..service("a") };
    assert_eq!(snapshot([stopped]).overview(NOON).servers[0].components[0].messenger, None);
}
