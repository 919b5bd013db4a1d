//! How admins manage people: roles, sessions, removal.

use app::protocol::UserRole;
use cluster_overview::auth::audit::{Action, Actor, AuditEntry};
use cluster_overview::auth::{AuthMode, AuthPolicy};
use cluster_overview::store::AccessChange;
use serde_json::{Value, json};
use testkit::{DEFAULT_TIMEOUT, wait_until};

use crate::harness::{Answer, FORM, NAVIGATION, OWN, Running, bearer_headers, cookie, sign_in};

pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const NEW_PASSWORD: &str = "my cluster keeps green hats";
pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");

/// An overview whose first admin, Ann, is signed in; with her cookie.
pub(crate) fn set_up() -> (Running, String) {
    let overview = Running::guarded();
    let ann = first_admin(&overview);
    (overview, ann)
}

/// Creates the first admin, Ann, and returns her cookie.
pub(crate) fn first_admin(overview: &Running) -> String {
    let form = format!("name=Ann&password=correct+horse+battery&code={}", overview.setup_code());
    let made = overview.send("POST", "/sign-in", &[FORM, OWN], form.as_bytes());
    assert_eq!(made.status, 303, "{}", made.body);
    cookie(&made)
}

/// Sends a request of the API in this session.
pub(crate) fn ask(
    overview: &Running,
    cookie: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> Answer {
    let headers = [("cookie", cookie), JSON, OWN];
    overview.send(method, path, &headers, body.to_string().as_bytes())
}

/// Sends a form in this session.
pub(crate) fn post(overview: &Running, cookie: &str, path: &str, form: &str) -> Answer {
    overview.send("POST", path, &[("cookie", cookie), FORM, OWN], form.as_bytes())
}

/// The code in the link of an answer.
pub(crate) fn code(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["link"].as_str().unwrap().split_once("/invitation#").unwrap().1.to_owned()
}

pub(crate) fn invite(overview: &Running, cookie: &str, name: &str, role: &str) -> String {
    code(&ask(overview, cookie, "POST", "/api/v1/people", &json!({"name": name, "role": role})))
}

pub(crate) fn accept(overview: &Running, code: &str, password: &str) -> Answer {
    let form = format!("code={code}&password={}", password.replace(' ', "+"));
    overview.send("POST", "/invitation", &[FORM, OWN], form.as_bytes())
}

/// Invites somebody who accepts; their cookie.
pub(crate) fn join(overview: &Running, cookie_of_admin: &str, name: &str, role: &str) -> String {
    let accepted = accept(overview, &invite(overview, cookie_of_admin, name, role), PASSWORD);
    assert_eq!((accepted.status, accepted.header("location")), (303, "/"), "{}", accepted.body);
    cookie(&accepted)
}

pub(crate) fn look(overview: &Running, cookie: &str) -> u16 {
    overview.send("GET", "/api/v1/overview", &[("cookie", cookie)], &[]).status
}

pub(crate) fn person(overview: &Running, cookie: &str, name: &str) -> Value {
    let people = ask(overview, cookie, "GET", "/api/v1/people", &json!(null)).body;
    let found = people["people"].as_array().unwrap().iter().find(|person| person["name"] == name);
    found.cloned().unwrap_or_default()
}

/// The actions, targets and outcomes in the audit log, the newest first.
pub(crate) fn recorded(overview: &Running, cookie: &str) -> Vec<(String, String, String)> {
    let entries = ask(overview, cookie, "GET", "/api/v1/audit", &json!(null)).body;
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    let read =
        |entry: &Value| (text(entry, "action"), text(entry, "target"), text(entry, "outcome"));
    entries["entries"].as_array().unwrap().iter().map(read).collect()
}

#[test]
fn a_demoted_admin_only_looks_from_then_on_and_loses_the_tokens_that_they_created() {
    let (overview, ann) = set_up();
    let bob = join(&overview, &ann, "Bob", "admin");
    let wish = json!({"role": "admin", "name": "of Bob"});
    let token = ask(&overview, &bob, "POST", "/api/v1/tokens", &wish).body["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let change = |role: &str| {
        ask(&overview, &ann, "PATCH", "/api/v1/people/bob", &json!({"role": role})).status
    };
    assert_eq!(change("viewer"), 204);
    assert_eq!(
        (look(&overview, &bob), ask(&overview, &bob, "GET", "/api/v1/people", &json!(null)).status),
        (200, 403)
    );
    assert_eq!(overview.send("GET", "/api/v1/overview", &bearer_headers(&token), &[]).status, 401);
    let back = ask(&overview, &bob, "PATCH", "/api/v1/people/bob", &json!({"role": "admin"}));
    assert_eq!(back.status, 403);
    assert_eq!(change("viewer"), 204, "no change is no error");
    assert_eq!(change("owner"), 422);
    assert_eq!(change("admin"), 204);
    assert_eq!(ask(&overview, &bob, "GET", "/api/v1/people", &json!(null)).status, 200);
}

#[test]
fn the_last_admin_who_can_sign_in_stays() {
    let (overview, ann) = set_up();
    invite(&overview, &ann, "Bob", "admin");
    let demote = |who: &str| {
        ask(&overview, &ann, "PATCH", &format!("/api/v1/people/{who}"), &json!({"role": "viewer"}))
            .status
    };
    let remove = |who: &str| {
        ask(&overview, &ann, "DELETE", &format!("/api/v1/people/{who}"), &json!(null)).status
    };
    assert_eq!((demote("ann"), remove("Ann")), (409, 409), "Bob has no password yet");
    let refused = recorded(&overview, &ann);
    assert!(
        refused.iter().any(|(action, target, outcome)| {
            action == "remove-person" && target == "Ann" && outcome == "refused: the last admin"
        }),
        "{refused:?}"
    );
    assert_eq!((demote("bob"), remove("bob")), (204, 204));
    join(&overview, &ann, "Cid", "admin");
    assert_eq!(remove("ann"), 204);
    assert_eq!(look(&overview, &ann), 401);
}

#[test]
fn an_admin_ends_the_sessions_of_somebody_who_can_then_sign_in_again() {
    let (overview, ann) = set_up();
    let bob = join(&overview, &ann, "Bob", "viewer");
    let end = |who: &str| {
        ask(&overview, &ann, "DELETE", &format!("/api/v1/people/{who}/sessions"), &json!(null))
            .status
    };
    assert_eq!(end("bob"), 204);
    assert_eq!((look(&overview, &bob), look(&overview, &ann)), (401, 200));
    assert_eq!(end("bob"), 204, "no session is left to end");
    assert_eq!(end("nobody"), 404);
    assert_eq!(sign_in(&overview, "Bob", PASSWORD, &[]).status, 303);
}

#[test]
fn names_are_equal_in_every_case_and_unicode_form_also_in_an_address() {
    let (overview, ann) = set_up();
    let invite = |name: &str| {
        ask(&overview, &ann, "POST", "/api/v1/people", &json!({"name": name, "role": "viewer"}))
    };
    assert_eq!(invite("J\u{fc}rgen M/K").status, 201);
    for same in ["ju\u{308}rgen m/k", " J\u{dc}RGEN M/K "] {
        let taken = invite(same);
        assert_eq!(taken.status, 409, "{same}");
        assert!(taken.body["detail"].as_str().unwrap().contains("reset"), "{}", taken.body);
    }
    for name in ["", " ", "a\nb", "a\u{202e}b", "a\u{0}b", ".", "..", &"x".repeat(101)] {
        let refused = invite(name);
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["field"]),
            (422, &json!("name")),
            "{name:?}"
        );
    }
    let both = ask(&overview, &ann, "POST", "/api/v1/people", &json!({"name": 7, "role": "join"}));
    assert_eq!(both.body["errors"].as_array().unwrap().len(), 2, "{}", both.body);
    let path = "/api/v1/people/Ju%CC%88rgen%20m%2Fk";
    assert_eq!(ask(&overview, &ann, "PATCH", path, &json!({"role": "admin"})).status, 204);
    assert_eq!(person(&overview, &ann, "J\u{fc}rgen M/K")["role"], "admin");
    assert_eq!(ask(&overview, &ann, "DELETE", path, &json!(null)).status, 204);
    assert_eq!(ask(&overview, &ann, "DELETE", path, &json!(null)).status, 404);
}

#[test]
fn a_reload_makes_no_second_invitation_link_or_token() {
    let (overview, ann) = set_up();
    let send = |path: &str, form: &str| post(&overview, &ann, path, form);
    let form = "name=Bob&role=viewer&form=one";
    let made = send("/access/people", form);
    assert_eq!(made.status, 201, "{}", made.body);
    let link = made.body.as_str().unwrap().split("id=\"link\"").nth(1).unwrap().to_owned();
    let link = link.split(['<', '>']).nth(1).unwrap();
    let shown = link.split_once('#').unwrap().1;
    let again = send("/access/people", form);
    assert_eq!(again.status, 409);
    assert!(!again.body.as_str().unwrap().contains("id=\"link\""));
    assert_eq!(accept(&overview, shown, PASSWORD).status, 303, "the first link is still valid");
    assert_eq!(send("/access/people/invitation", "name=Bob&form=two").status, 201);
    let before = overview.auth_cache().accounts["bob"].invitation;
    assert_eq!(send("/access/people/invitation", "name=Bob&form=two").status, 409);
    assert_eq!(overview.auth_cache().accounts["bob"].invitation, before);
    let token = "name=monitor&role=viewer&expires_in_s=never&form=three";
    assert_eq!(
        (send("/access/tokens", token).status, send("/access/tokens", token).status),
        (201, 409)
    );
    assert_eq!(overview.auth_cache().tokens.len(), 1);
    assert_eq!(send("/access/people/removal", "name=Bob").status, 303);
    assert_eq!(send("/access/people", form).status, 409, "not even after a removal");
}

#[test]
fn the_page_names_wrong_fields_and_keeps_what_was_typed() {
    let (overview, ann) = set_up();
    let refused = post(&overview, &ann, "/access/people", "name=a%0Ab&role=admin&form=x");
    assert_eq!(refused.status, 422);
    let page = refused.body.as_str().unwrap();
    assert!(page.contains("Enter a name of 1 to 100 characters"), "{page}");
    let taken = post(&overview, &ann, "/access/people", "name=ANN&role=viewer&form=x");
    assert_eq!(taken.status, 409);
    let page = taken.body.as_str().unwrap();
    assert!(
        page.contains("value=\"ANN\"") && page.contains("a user with this name already"),
        "{page}"
    );
    let last = overview.send(
        "POST",
        "/access/people/removal",
        &[("cookie", &ann), FORM, OWN, NAVIGATION],
        b"name=Ann",
    );
    assert_eq!(last.status, 409);
    assert!(last.body.as_str().unwrap().contains("last admin"));
}

#[test]
fn a_page_of_another_site_changes_nobody() {
    let (overview, ann) = set_up();
    let bob = invite(&overview, &ann, "Bob", "viewer");
    for site in ["cross-site", "same-site", "none"] {
        let headers = [("cookie", ann.as_str()), FORM, ("sec-fetch-site", site)];
        for (path, form) in [
            ("/access/people", "name=Eve&role=admin"),
            ("/access/people/role", "name=Bob&role=admin"),
            ("/access/people/removal", "name=Bob"),
            ("/access/people/sessions", "name=Ann"),
            ("/access/people/invitation", "name=Ann"),
            (
                "/account/password",
                "current=correct+horse+battery&password=my+cluster+keeps+green+hats",
            ),
            ("/invitation", &format!("code={bob}&password=my+cluster+keeps+green+hats")),
        ] {
            assert_eq!(
                overview.send("POST", path, &headers, form.as_bytes()).status,
                403,
                "{path}"
            );
        }
        let headers = [("cookie", ann.as_str()), JSON, ("sec-fetch-site", site)];
        assert_eq!(
            overview.send("PATCH", "/api/v1/people/bob", &headers, b"{\"role\":\"admin\"}").status,
            403
        );
    }
    let people = overview.auth_cache().accounts;
    assert_eq!(people.len(), 2);
    assert!(!people["bob"].has_password() && people["bob"].role == UserRole::Viewer);
}

#[test]
fn a_guest_of_a_product_grants_nothing_even_as_an_admin() {
    let overview =
        Running::framed_by(&["https://product.example"], AuthPolicy::new(AuthMode::Password));
    let ann = first_admin(&overview);
    join(&overview, &ann, "Bob", "viewer");
    let admin = overview.token("admin");
    let headers = [bearer_headers(&admin), vec![JSON]].concat();
    let code =
        overview.send("POST", "/api/v1/embeds", &headers, b"{\"name\":\"Eve\",\"role\":\"admin\"}");
    let code = code.body["code"].as_str().unwrap().to_owned();
    let guest = cookie(&overview.get(&format!("/embed?code={code}")));
    let eve = json!({"name": "Eve", "role": "admin"});
    assert_eq!(ask(&overview, &guest, "POST", "/api/v1/people", &eve).status, 403);
    assert_eq!(
        ask(&overview, &guest, "PATCH", "/api/v1/people/bob", &json!({"role": "admin"})).status,
        403
    );
    assert_eq!(
        ask(&overview, &guest, "POST", "/api/v1/people/bob/invitation", &json!(null)).status,
        403
    );
    assert_eq!(post(&overview, &guest, "/access/people", "name=Eve&role=admin").status, 403);
    let page = overview.send("GET", "/access", &[("cookie", &guest)], &[]).body;
    let page = page.as_str().unwrap();
    assert!(
        page.contains("you cannot invite users") && !page.contains("access/people/role"),
        "{page}"
    );
    assert_eq!(overview.send("GET", "/account", &[("cookie", &guest)], &[]).status, 409);
    assert_eq!(ask(&overview, &guest, "GET", "/api/v1/people", &json!(null)).status, 200);
}

#[test]
fn where_people_do_not_sign_in_with_a_password_the_answer_says_how_they_do() {
    let open = Running::start();
    let refused = open.get("/api/v1/people");
    assert_eq!(refused.status, 409);
    assert!(refused.body["detail"].as_str().unwrap().contains("--auth none"), "{}", refused.body);
    assert_eq!(open.get("/invitation").status, 409);
    assert_eq!(open.get("/account").status, 409);
    assert!(!open.get("/access").body.as_str().unwrap().contains("access/people"));
}

#[test]
fn what_a_command_changes_about_people_is_noticed_and_an_invited_admin_does_not_end_the_set_up() {
    let overview = Running::guarded();
    let token = overview.token("admin");
    let headers = [bearer_headers(&token), vec![JSON]].concat();
    let made =
        overview.send("POST", "/api/v1/people", &headers, b"{\"name\":\"Bob\",\"role\":\"admin\"}");
    assert_eq!(made.status, 201, "{}", made.body);
    let ann = first_admin(&overview);
    assert_eq!(look(&overview, &ann), 200, "the set-up code is still valid");
    let entry = AuditEntry::done(&Actor::command(), Action::RemoveUser, "Bob");
    overview.change_access(&[AccessChange::RemoveAccount("bob".to_owned())], &entry);
    wait_until("the overview to notice", DEFAULT_TIMEOUT, || {
        person(&overview, &ann, "Bob").is_null().then_some(())
    });
    assert_eq!(accept(&overview, &code(&made), PASSWORD).status, 410);
}
