//! People on several web servers, and changes at the same time.

use std::thread;

use cluster_overview::auth::{AuthMode, AuthPolicy};
use serde_json::json;
use testkit::{DEFAULT_TIMEOUT, postgres, wait_until};
use tokio::runtime::Runtime;

use crate::harness::{Running, cookie};
use crate::people::{accept, ask, first_admin, invite, join, look};

const PASSWORD: &str = "correct horse battery";

/// Two web servers of one cluster.
fn two_web_servers() -> [Running; 2] {
    let database = Runtime::new().unwrap().block_on(postgres().create_database());
    let policy = AuthPolicy::new(AuthMode::Password);
    [Running::on(&database, policy.clone()), Running::on(&database, policy)]
}

/// Ann and Bob remove each other at the same time, Ann through the first of these and Bob through the second.
fn remove_each_other(first: &Running, second: &Running) {
    let ann = first_admin(first);
    let bob = join(first, &ann, "Bob", "admin");
    wait_until("both sessions everywhere", DEFAULT_TIMEOUT, || {
        [&ann, &bob].into_iter().all(|cookie| look(second, cookie) == 200).then_some(())
    });
    let remove = |overview: &Running, by: &str, whom: &str| {
        ask(overview, by, "DELETE", &format!("/api/v1/people/{whom}"), &json!(null)).status
    };
    let mut statuses = thread::scope(|scope| {
        let one = scope.spawn(|| remove(first, &ann, "bob"));
        let other = scope.spawn(|| remove(second, &bob, "ann"));
        [one.join().unwrap(), other.join().unwrap()]
    });
    statuses.sort_unstable();
    assert_eq!(statuses[0], 204, "{statuses:?}");
    assert!(matches!(statuses[1], 401 | 403 | 404 | 409), "{statuses:?}");
    assert_eq!(first.auth_cache().accounts.len(), 1, "one admin stays");
}

#[test]
fn of_two_last_admins_who_remove_each_other_one_stays() {
    let one = Running::guarded();
    remove_each_other(&one, &one);
}

#[test]
fn of_two_last_admins_who_remove_each_other_through_two_web_servers_one_stays() {
    let [first, second] = two_web_servers();
    remove_each_other(&first, &second);
}

#[test]
fn several_web_servers_share_invitations_roles_and_the_end_of_sessions() {
    let [first, second] = two_web_servers();
    let ann = first_admin(&first);
    let code = invite(&first, &ann, "Bob", "admin");
    let accepted = accept(&second, &code, PASSWORD);
    assert_eq!(accepted.status, 303, "a new link is known everywhere at once: {}", accepted.body);
    assert_eq!(accept(&first, &code, PASSWORD).status, 410, "and a used one");
    let bob = cookie(&accepted);
    let people =
        |overview: &Running| ask(overview, &bob, "GET", "/api/v1/people", &json!(null)).status;
    assert_eq!(people(&first), 200);
    assert_eq!(
        ask(&first, &ann, "PATCH", "/api/v1/people/bob", &json!({"role": "viewer"})).status,
        204
    );
    assert_eq!(people(&first), 403);
    // A write of the former admin fails at once, also where the change is not known yet.
    let back = ask(&second, &bob, "PATCH", "/api/v1/people/bob", &json!({"role": "admin"}));
    assert_eq!(back.status, 403, "{}", back.body);
    wait_until("the role on the other web server", DEFAULT_TIMEOUT, || {
        (people(&second) == 403).then_some(())
    });
    let end = ask(&second, &ann, "DELETE", "/api/v1/people/bob/sessions", &json!(null));
    assert_eq!(end.status, 204);
    wait_until("the end of the session everywhere", DEFAULT_TIMEOUT, || {
        (look(&first, &bob) == 401 && look(&second, &bob) == 401).then_some(())
    });
}
