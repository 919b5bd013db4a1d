//! How invited people come in, and how people choose other passwords.

use app::cluster::Span;
use app::protocol::UserRole;
use cluster_overview::auth::audit::{Action, Actor, AuditEntry};
use cluster_overview::auth::model::{Account, Invitation};
use cluster_overview::auth::secret::SecretHash;
use cluster_overview::store::AccessChange;
use serde_json::json;
use testkit::{DEFAULT_TIMEOUT, wait_until};

use crate::harness::{FORM, NAVIGATION, OWN, Running, bearer_headers, cookie, sign_in};
use crate::people::{
    JSON, NEW_PASSWORD, PASSWORD, accept, ask, code, first_admin, invite, join, look, person, post,
    recorded, set_up,
};

#[test]
fn an_invited_person_chooses_a_password_with_the_link_and_is_a_viewer() {
    let (overview, ann) = set_up();
    let made =
        ask(&overview, &ann, "POST", "/api/v1/people", &json!({"name": "Bob", "role": "viewer"}));
    let link = made.body["link"].as_str().unwrap().to_owned();
    let own = format!("{}/invitation#", overview.url);
    assert!(link.starts_with(&own), "{link}");
    let code = code(&made);
    assert_eq!(code.len(), 64, "256 random bits");
    let waiting = person(&overview, &ann, "Bob");
    assert_eq!((&waiting["has_password"], &waiting["sessions"]), (&json!(false), &json!(0)));
    assert_eq!(waiting["invitation_expires_at"], made.body["expires_at"]);
    assert!(
        !json!(overview.auth_cache().accounts["bob"].invitation.unwrap().hash.to_hex())
            .to_string()
            .contains(&code)
    );
    assert_eq!(
        sign_in(&overview, "Bob", "", &[]).status,
        401,
        "nobody signs in without a password"
    );

    let page = overview.send("GET", "/invitation", &[NAVIGATION], &[]);
    assert_eq!(page.status, 200);
    assert!(
        page.body.as_str().unwrap().contains("name=\"code\""),
        "without scripts there is a field"
    );
    let known =
        overview.send("POST", "/invitation", &[FORM, OWN], format!("code={code}").as_bytes());
    assert_eq!(known.status, 200);
    assert!(known.body.as_str().unwrap().contains("value=\"Bob\""), "the page names the person");
    let weak = accept(&overview, &code, "password1234");
    assert_eq!(weak.status, 422);
    let text = weak.body.as_str().unwrap();
    assert!(text.contains("easy to guess") && text.contains(&code), "the code stays: {text}");
    assert!(!text.contains("password1234"), "the password is not sent back");
    let accepted = accept(&overview, &code, PASSWORD);
    assert_eq!((accepted.status, accepted.header("location")), (303, "/"), "{}", accepted.body);
    let bob = cookie(&accepted);
    assert_eq!(look(&overview, &bob), 200);
    assert_eq!(ask(&overview, &bob, "GET", "/api/v1/people", &json!(null)).status, 403);
    let refused =
        ask(&overview, &bob, "POST", "/api/v1/people", &json!({"name": "Cid", "role": "admin"}));
    assert_eq!(refused.status, 403, "a viewer invites nobody");
    assert_eq!(sign_in(&overview, "bob", PASSWORD, &[]).status, 303);
    let there = person(&overview, &ann, "Bob");
    assert_eq!((&there["has_password"], &there["sessions"]), (&json!(true), &json!(2)));
    assert!(there["last_action_at"].is_string() && there["invitation_expires_at"].is_null());
    let entries = recorded(&overview, &ann);
    let wanted = [("sign-in", ""), ("accept-invitation", ""), ("invite", "Bob, viewer")];
    for (action, target) in wanted {
        let entry = (action.to_owned(), target.to_owned(), "done".to_owned());
        assert!(entries.contains(&entry), "{entry:?}: {entries:?}");
    }
    assert!(!format!("{entries:?}").contains(&code));
}

#[test]
fn a_code_that_was_used_replaced_expired_or_never_given_is_rejected_and_changes_nothing() {
    let (overview, ann) = set_up();
    let used = invite(&overview, &ann, "Bob", "viewer");
    assert_eq!(accept(&overview, &used, PASSWORD).status, 303);
    let replaced =
        code(&ask(&overview, &ann, "POST", "/api/v1/people/bob/invitation", &json!(null)));
    let open = code(&ask(&overview, &ann, "POST", "/api/v1/people/bob/invitation", &json!(null)));
    let removed = invite(&overview, &ann, "Cid", "viewer");
    assert_eq!(ask(&overview, &ann, "DELETE", "/api/v1/people/cid", &json!(null)).status, 204);
    let expired = "ab".repeat(32);
    let invitation = Invitation {
        hash: SecretHash::new(&expired),
        expires_at: cluster_overview::clock::wall() - Span::minutes(1),
    };
    let dan = Account {
        name: "Dan".to_owned(),
        role: UserRole::Admin,
        password: String::new(),
        invitation: Some(invitation),
    };
    let entry = AuditEntry::done(&Actor::command(), Action::Invite, "for a story");
    overview.change_access(&[AccessChange::InvitePerson(dan)], &entry);
    wait_until("the overview to know Dan", DEFAULT_TIMEOUT, || {
        (person(&overview, &ann, "Dan")["name"] == "Dan").then_some(())
    });
    for (what, code) in [
        ("used", used.as_str()),
        ("replaced", &replaced),
        ("of somebody who was removed", &removed),
        ("expired", &expired),
        ("foreign", &"07".repeat(32)),
        ("empty", ""),
        ("a session", ann.split_once('=').unwrap().1),
        ("cut", &open[..63]),
    ] {
        assert_eq!(accept(&overview, code, NEW_PASSWORD).status, 410, "{what}");
        let form = format!("code={code}");
        let only = overview.send("POST", "/invitation", &[FORM, OWN], form.as_bytes());
        assert_eq!(only.status, 410, "{what}");
        assert_eq!(only.header("set-cookie"), "", "{what}");
    }
    let query = format!("/invitation?code={open}");
    let page = overview.send("GET", &query, &[NAVIGATION], &[]);
    assert!(!page.body.as_str().unwrap().contains(&open), "a code in the query is not read");
    assert_eq!(sign_in(&overview, "Bob", NEW_PASSWORD, &[]).status, 401);
    assert_eq!(accept(&overview, &open, NEW_PASSWORD).status, 303, "the open one is still valid");
}

#[test]
fn a_reset_leaves_the_old_password_until_the_link_is_used_and_then_ends_all_sessions() {
    let (overview, ann) = set_up();
    let bob = join(&overview, &ann, "Bob", "viewer");
    let code = code(&ask(&overview, &ann, "POST", "/api/v1/people/BOB/invitation", &json!(null)));
    assert_eq!(look(&overview, &bob), 200);
    assert_eq!(sign_in(&overview, "Bob", PASSWORD, &[]).status, 303);
    let form = format!("code={code}&password={}", NEW_PASSWORD.replace(' ', "+"));
    let headers = [FORM, OWN, ("cookie", bob.as_str())];
    let accepted = overview.send("POST", "/invitation", &headers, form.as_bytes());
    assert_eq!(accepted.status, 303, "{}", accepted.body);
    assert_eq!((look(&overview, &bob), look(&overview, &cookie(&accepted))), (401, 200));
    assert_eq!(sign_in(&overview, "Bob", PASSWORD, &[]).status, 401);
    assert_eq!(sign_in(&overview, "Bob", NEW_PASSWORD, &[]).status, 303);
    assert_eq!(look(&overview, &ann), 200, "nobody else's session ends");
}

#[test]
fn the_link_has_the_address_that_the_browser_uses_and_a_code_is_not_used_up_where_no_cookie_is_kept()
 {
    let overview = Running::guarded_behind("127.0.0.1");
    let ann = first_admin(&overview);
    let wish = |name: &str| json!({"name": name, "role": "viewer"}).to_string();
    let token = overview.token("admin");
    let bearer = bearer_headers(&token);
    let proxied =
        [("x-forwarded-host", "overview.example:8443"), ("x-forwarded-proto", "https"), JSON];
    let made = overview.send(
        "POST",
        "/api/v1/people",
        &[&bearer[..], &proxied].concat(),
        wish("Bob").as_bytes(),
    );
    let link = made.body["link"].as_str().unwrap();
    assert!(link.starts_with("https://overview.example:8443/invitation#"), "{link}");
    let plain = [("host", "192.0.2.10:3000"), FORM, ("origin", "http://192.0.2.10:3000")];
    let form = format!("code={}&password=correct+horse+battery", code(&made));
    let refused = overview.send("POST", "/invitation", &plain, form.as_bytes());
    assert_eq!((refused.status, refused.header("set-cookie")), (403, ""));
    let page = overview.send("GET", "/invitation", &[plain[0], NAVIGATION], &[]);
    assert_eq!(page.status, 403);
    assert!(page.body.as_str().unwrap().contains("plain HTTP at 192.0.2.10:3000"));
    assert_eq!(accept(&overview, &code(&made), PASSWORD).status, 303, "the code is still valid");
    let evil = [("host", "evil@overview.example"), JSON];
    let refused = overview.send(
        "POST",
        "/api/v1/people",
        &[&bearer[..], &evil].concat(),
        wish("Cid").as_bytes(),
    );
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(look(&overview, &ann), 200);
}

#[test]
fn attempts_with_codes_are_limited_by_address() {
    let (overview, ann) = set_up();
    let code = invite(&overview, &ann, "Bob", "viewer");
    let statuses: Vec<u16> = (0..31)
        .map(|number| accept(&overview, &format!("{number:064x}"), PASSWORD).status)
        .collect();
    assert_eq!((&statuses[..30], statuses[30]), (&[410; 30][..], 429));
    assert_eq!(accept(&overview, &code, PASSWORD).status, 429);
    let entries = recorded(&overview, &ann);
    let refused =
        ("accept-invitation".to_owned(), String::new(), "refused: not a valid link".to_owned());
    assert_eq!(entries.iter().filter(|entry| **entry == refused).count(), 1, "{entries:?}");
}

#[test]
fn everybody_changes_their_own_password_which_ends_their_other_sessions() {
    let (overview, ann) = set_up();
    let bob = join(&overview, &ann, "Bob", "viewer");
    let other = cookie(&sign_in(&overview, "Bob", PASSWORD, &[]));
    let open = code(&ask(&overview, &ann, "POST", "/api/v1/people/bob/invitation", &json!(null)));
    let page = overview.send("GET", "/account", &[("cookie", &bob)], &[]);
    assert_eq!(page.status, 200);
    let page = page.body.as_str().unwrap();
    assert!(
        page.contains("Bob") && page.contains("viewer") && page.contains("this session"),
        "{page}"
    );
    assert_eq!(page.matches("<th scope=\"row\">").count(), 2, "two sessions");
    let change = |current: &str, new: &str| {
        let form = format!("current={current}&password={new}").replace(' ', "+");
        post(&overview, &bob, "/account/password", &form)
    };
    let wrong = change("wrong horse battery", NEW_PASSWORD);
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.as_str().unwrap().contains("not your current password"));
    let weak = change(PASSWORD, "bobbobbobbob");
    assert_eq!(weak.status, 422);
    assert_eq!(look(&overview, &other), 200);
    let done = change(PASSWORD, NEW_PASSWORD);
    assert_eq!(
        (done.status, done.header("location")),
        (303, "/account?done=password"),
        "{}",
        done.body
    );
    assert_eq!(
        (look(&overview, &bob), look(&overview, &other), look(&overview, &ann)),
        (200, 401, 200)
    );
    assert_eq!(sign_in(&overview, "Bob", PASSWORD, &[]).status, 401);
    assert_eq!(sign_in(&overview, "Bob", NEW_PASSWORD, &[]).status, 303);
    assert_eq!(accept(&overview, &open, PASSWORD).status, 410, "an open link does not undo it");
    let entries = recorded(&overview, &ann);
    let mut own = entries.iter().filter(|(action, ..)| action == "set-password");
    assert_eq!(own.next().unwrap().2, "done");
    assert_eq!(own.next().unwrap().2, "refused: wrong password");
    for _ in 0..10 {
        change("wrong horse battery", PASSWORD);
    }
    let limited = change("wrong horse battery", PASSWORD);
    assert_eq!(limited.status, 429);
    assert!(!limited.header("retry-after").is_empty());
    let token = overview.token("viewer");
    assert_eq!(overview.send("GET", "/account", &bearer_headers(&token), &[]).status, 409);
}
