//! Whose word counts about a service's messenger.

#![allow(clippy::unwrap_used, reason = "who is believed is there, or the test fails")]

mod common;

use std::sync::Arc;

use cluster_overview_app::cluster::Source;
use cluster_overview_app::cluster::{Component, Health, Messenger, MessengerFailure, Timestamp};
use common::{NOON, s, service, snapshot, web, with_facts};

#[test]
fn the_messenger_never_changes_a_health() {
    let messengers = vec![seen("b", Some(MessengerFailure::Refused), NOON)];
    assert_eq!(common::health(&Component { messengers, ..service("a") }, NOON), Health::Ok);
}

fn silent(component: Component) -> Component {
    Component { last_heartbeat: s(-301), ..component }
}

fn seen(by: &str, failure: Option<MessengerFailure>, since: Timestamp) -> Arc<Messenger> {
    Arc::new(Messenger { failure, since, port: 33_237, seen_by: by.into() })
}

/// Who is believed about the messenger of the service "a", beside these other components.
fn believed(messengers: Vec<Arc<Messenger>>, beside: &[Component]) -> Option<String> {
    let dialled = Component { messengers, ..service("a") };
    let all = snapshot(beside.iter().cloned().chain([dialled]));
    let overview = all.overview(NOON);
    let messenger = overview.servers[0].components[0].messenger.as_ref()?;
    Some(messenger.seen_by.clone())
}

#[test]
fn of_several_web_servers_the_worst_off_is_believed_and_of_equals_the_one_that_was_first() {
    let refused = Some(MessengerFailure::Refused);
    let connected = seen("b", None, s(-90));
    let lost = seen("c", Some(MessengerFailure::Lost), s(-9));
    let (cut, wrong) =
        (seen("d", refused, s(-5)), seen("e", Some(MessengerFailure::WrongKey), s(-7)));
    assert_eq!(believed(vec![], &[]), None);
    assert_eq!(believed(vec![connected.clone()], &[]).unwrap(), "b");
    assert_eq!(believed(vec![connected.clone(), lost.clone()], &[]).unwrap(), "c");
    assert_eq!(believed(vec![connected, lost, cut, wrong], &[]).unwrap(), "e");
}

#[test]
fn a_web_server_that_is_gone_is_not_believed_about_messengers() {
    let refused = seen("b", Some(MessengerFailure::Refused), s(-60));
    let told = || vec![refused.clone(), seen("c", None, s(-90))];
    assert_eq!(believed(told(), &[web("b")]).unwrap(), "b", "an idle web server is there");
    let stopped = Component { stopped: true, ..web("b") };
    assert_eq!(believed(told(), &[stopped]).unwrap(), "c");
    let own = |one: Component| with_facts(one, |facts| facts.source = Source::Observer);
    let own_service = own(silent(service("b")));
    assert_eq!(
        believed(told(), &[own(web("b")), own_service]).unwrap(),
        "c",
        "its own service fell silent"
    );
    let product = silent(service("b"));
    assert_eq!(believed(told(), &[web("b"), product]).unwrap(), "b", "the product's service did");
}

#[test]
fn a_stopped_service_has_no_messenger_to_speak_of() {
    let messengers = vec![seen("b", Some(MessengerFailure::Refused), NOON)];
    let stopped = Component { messengers, stopped: true, ..service("a") };
    assert_eq!(snapshot([stopped]).overview(NOON).servers[0].components[0].messenger, None);
}
