//! What somebody was allowed ends when it should: with the password, the person, the token it came from.

use std::thread;
use std::time::Duration;

use app::protocol::UserRole;
use cluster_overview::auth::audit::{Action, Actor, AuditEntry};
use cluster_overview::auth::model::Account;
use cluster_overview::auth::password::PasswordManager;
use cluster_overview::store::AccessChange;
use serde_json::{Value, json};
use testkit::wait_until;
use tokio::runtime::Runtime;

use crate::harness::{Answer, OWN, Running, TOKEN, bearer_headers, cookie, sign_in};

/// What a command writes is noticed within two seconds.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);
const JSON: (&str, &str) = ("content-type", "application/json");

fn set_password(overview: &Running, name: &str, role: UserRole, password: &str) {
    let hash =
        Runtime::new().unwrap().block_on(PasswordManager::default().hash(password.to_owned()));
    let account =
        Account { name: name.to_owned(), role, password: hash.unwrap(), invitation: None };
    let entry = AuditEntry::done(&Actor::command(), Action::SetPassword, "for a story");
    overview.change_access(&[AccessChange::SetAccount(account)], &entry);
}

/// Waits until the overview knows what was written beside it so far.
fn is_known(overview: &Running) {
    overview.token("viewer");
}

fn look(overview: &Running, header: (&str, &str)) -> u16 {
    overview.send("GET", "/api/v1/overview", &[header], &[]).status
}

/// Asks until the answer has this status.
fn becomes(status: u16, ask: impl Fn() -> u16) {
    let asked = || (ask() == status).then_some(());
    wait_until(&format!("the answer is {status}"), NOTICED_WITHIN, asked);
}

fn make_token(overview: &Running, proof: &[(&str, &str)], role: &str) -> (String, String) {
    let body = json!({"role": role, "name": format!("{role} of a story"), "expires_in_s": null});
    let headers = [&[JSON, OWN], proof].concat();
    let made = overview.send("POST", "/api/v1/tokens", &headers, body.to_string().as_bytes());
    assert_eq!(made.status, 201, "{}", made.body);
    let text = |field: &str| made.body[field].as_str().unwrap().to_owned();
    (text("id"), text("token"))
}

#[test]
fn nobody_stays_signed_in_by_a_password_that_was_changed_while_it_was_checked() {
    let overview = Running::guarded();
    set_password(&overview, "ann", UserRole::Admin, "the former password");
    is_known(&overview);
    let signed_in: Vec<Answer> = thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| sign_in(&overview, "ann", "the former password", &[])))
            .collect();
        set_password(&overview, "ann", UserRole::Admin, "another password");
        tries.into_iter().map(|tried| tried.join().unwrap()).collect()
    });
    for answer in signed_in.iter().filter(|answer| answer.status == 303) {
        let cookie = cookie(answer);
        becomes(401, || look(&overview, ("cookie", &cookie)));
    }
    is_known(&overview);
    assert_eq!(sign_in(&overview, "ann", "another password", &[]).status, 303);
}

#[test]
fn the_tokens_somebody_made_end_with_them_and_so_do_those_made_with_these() {
    let overview = Running::guarded();
    set_password(&overview, "ann", UserRole::Admin, "correct horse battery");
    set_password(&overview, "bob", UserRole::Admin, "battery horse correct");
    is_known(&overview);
    let ann = cookie(&sign_in(&overview, "ann", "correct horse battery", &[]));
    let bob = cookie(&sign_in(&overview, "bob", "battery horse correct", &[]));
    let (_, by_ann) = make_token(&overview, &[("cookie", &ann)], "admin");
    let (_, by_her_token) = make_token(&overview, &bearer_headers(&by_ann), "viewer");
    let (id, by_bob) = make_token(&overview, &[("cookie", &bob)], "admin");
    let (_, by_his_token) = make_token(&overview, &bearer_headers(&by_bob), "viewer");
    let entry = AuditEntry::done(&Actor::command(), Action::RemoveUser, "ann");
    overview.change_access(&[AccessChange::RemoveAccount("ann".to_owned())], &entry);
    for gone in [&by_ann, &by_her_token] {
        becomes(401, || look(&overview, bearer_headers(gone)[0]));
    }
    assert_eq!(look(&overview, bearer_headers(&by_his_token)[0]), 200);
    let path = format!("/api/v1/tokens/{id}");
    let revoked = overview.send("DELETE", &path, &[("cookie", &bob), OWN], &[]);
    assert_eq!(revoked.status, 204);
    assert_eq!(
        look(&overview, bearer_headers(&by_his_token)[0]),
        401,
        "revoked with the one that made it"
    );
}

#[test]
fn an_admin_who_becomes_a_viewer_takes_the_tokens_they_made_along() {
    let overview = Running::guarded();
    set_password(&overview, "ann", UserRole::Admin, "correct horse battery");
    is_known(&overview);
    let ann = cookie(&sign_in(&overview, "ann", "correct horse battery", &[]));
    let (_, made) = make_token(&overview, &[("cookie", &ann)], "admin");
    set_password(&overview, "ann", UserRole::Viewer, "correct horse battery");
    becomes(401, || look(&overview, bearer_headers(&made)[0]));
}

#[test]
fn of_a_servers_credentials_the_oldest_ends_when_there_are_more_than_ten() {
    let overview = Running::guarded();
    let join = format!("Bearer {TOKEN}");
    let body = json!({"server": "app-1"}).to_string();
    let credentials: Vec<String> = (0..12)
        .map(|_| {
            let headers = [("authorization", join.as_str()), JSON];
            let made = overview.send("POST", "/api/v1/enrolments", &headers, body.as_bytes());
            assert_eq!(made.status, 201);
            // Made in one millisecond, two are as old as each other.
            thread::sleep(Duration::from_millis(2));
            made.body["credential"].as_str().unwrap().to_owned()
        })
        .collect();
    let known = |credential: &String| {
        let headers = [bearer_headers(credential)[0], JSON];
        // What cannot be read is told only to those who may send it.
        overview.send("POST", "/api/v1/heartbeats", &headers, b"{}").status == 422
    };
    let good: Vec<bool> = credentials.iter().map(known).collect();
    assert_eq!(good, [vec![false; 2], vec![true; 10]].concat());
}

#[test]
fn what_happens_again_and_again_is_one_entry_of_the_audit_with_its_count() {
    let overview = Running::guarded();
    let admin = overview.token("admin");
    for _ in 0..5 {
        assert_eq!(sign_in(&overview, "ann", "not her password", &[]).status, 401);
    }
    let entries = overview.audit(&admin);
    let refused: Vec<&Value> = entries.iter().filter(|entry| entry["outcome"] != "done").collect();
    assert_eq!(refused.len(), 1, "{entries:#?}");
    assert_eq!(refused[0]["count"], 5);
    assert!(refused[0]["last_at"].as_str() >= refused[0]["at"].as_str());
}
