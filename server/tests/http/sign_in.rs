//! How people come in, stay and leave.

use app::cluster::Span;
use cluster_overview::auth::audit::{Action, Actor, AuditEntry};
use cluster_overview::auth::model::Session;
use cluster_overview::auth::secret::SecretHash;
use cluster_overview::store::AccessChange;
use serde_json::json;

use crate::harness::{Answer, FORM, OWN, Running, bearer_headers, cookie};

const NAME: &str = "Ann";
const PASSWORD: &str = "correct horse battery";

/// An overview with its first admin, and the set-up code that made them.
fn set_up() -> (Running, String) {
    let overview = Running::guarded();
    let code = overview.setup_code();
    let made = sign_in(&overview, NAME, PASSWORD, Some(&code), &[]);
    assert_eq!((made.status, made.header("location")), (303, "/"), "{}", made.body);
    (overview, code)
}

fn sign_in(
    overview: &Running,
    name: &str,
    password: &str,
    code: Option<&str>,
    headers: &[(&str, &str)],
) -> Answer {
    let code = code.map(|code| format!("&code={code}")).unwrap_or_default();
    let form = format!("name={name}&password={}{code}", password.replace(' ', "+"));
    overview.send("POST", "/sign-in", &[&[FORM, OWN], headers].concat(), form.as_bytes())
}

fn look(overview: &Running, cookie: &str) -> u16 {
    overview.send("GET", "/api/v1/overview", &[("cookie", cookie)], &[]).status
}

fn act(overview: &Running, cookie: &str) -> Answer {
    let settings = json!({
        "load_balancing": true, "automatic_failover": false,
        "heartbeat_interval_s": 30, "stale_timeout_s": 300, "web_window_s": 86_400
    });
    let headers = [("cookie", cookie), ("content-type", "application/json"), OWN];
    overview.send("PUT", "/api/v1/settings", &headers, settings.to_string().as_bytes())
}

#[test]
fn the_set_up_code_makes_one_admin_once() {
    let overview = Running::guarded();
    let code = overview.setup_code();
    let page = overview.get("/sign-in");
    assert_eq!(page.status, 200);
    assert!(page.body.as_str().unwrap().contains("Set-up code"));
    assert_eq!(sign_in(&overview, NAME, PASSWORD, None, &[]).status, 401);
    assert_eq!(sign_in(&overview, NAME, PASSWORD, Some("wrong"), &[]).status, 401);
    assert_eq!(sign_in(&overview, NAME, "short", Some(&code), &[]).status, 422);
    let shouted = code.to_uppercase().replace('-', "");
    assert_eq!(sign_in(&overview, NAME, PASSWORD, Some(&shouted), &[]).status, 303);
    assert_eq!(sign_in(&overview, "Bob", PASSWORD, Some(&code), &[]).status, 401);
    let page = overview.get("/sign-in").body;
    assert!(!page.as_str().unwrap().contains("Set-up code"));
    assert_eq!(sign_in(&overview, "ANN", PASSWORD, None, &[]).status, 303, "names have no case");
}

#[test]
fn a_wrong_password_and_an_unknown_name_are_told_the_same() {
    let (overview, _) = set_up();
    let wrong = sign_in(&overview, NAME, "wrong horse battery", None, &[]);
    let unknown = sign_in(&overview, NAME, PASSWORD, None, &[("host", "localhost")]);
    assert_eq!(unknown.status, 303);
    let unknown = sign_in(&overview, "Bob", PASSWORD, None, &[]);
    assert_eq!((wrong.status, unknown.status), (401, 401));
    let said = |answer: &Answer| {
        let page = answer.body.as_str().unwrap();
        let alert = page.split("role=\"alert\"").nth(1).unwrap();
        alert.split(['<', '>']).nth(1).unwrap().to_owned()
    };
    assert_eq!(said(&wrong), said(&unknown));
    assert!(said(&wrong).contains("Incorrect name or password"));
    let admin = overview.token("admin");
    let lines = overview.audit(&admin);
    let refused: Vec<&serde_json::Value> =
        lines.iter().filter(|line| line["outcome"] != "done").collect();
    assert_eq!(refused.len(), 2);
    assert_eq!(refused[0]["who"], "unknown name", "what was typed may be a password");
    assert_eq!(refused[1]["who"], NAME);
}

#[test]
fn trials_are_limited_and_told_when_to_come_back() {
    let (overview, _) = set_up();
    let statuses: Vec<u16> = (0..11)
        .map(|_| sign_in(&overview, "Bob", "wrong horse battery", None, &[]).status)
        .collect();
    assert_eq!(statuses[..10], [401; 10]);
    assert_eq!(statuses[10], 429);
    let answer = sign_in(&overview, "Bob", "wrong horse battery", None, &[]);
    let wait: u32 = answer.header("retry-after").parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    let other = sign_in(&overview, NAME, PASSWORD, None, &[]);
    assert_eq!(other.status, 303, "another name is not kept out");
}

#[test]
fn every_sign_in_is_a_new_session_and_ends_the_one_it_came_with() {
    let (overview, _) = set_up();
    let fixed = "cluster-overview=chosen-by-somebody-else";
    assert_eq!(look(&overview, fixed), 401);
    let first = cookie(&sign_in(&overview, NAME, PASSWORD, None, &[("cookie", fixed)]));
    assert!(!first.contains("chosen"));
    assert_eq!(look(&overview, &first), 200);
    let second = cookie(&sign_in(&overview, NAME, PASSWORD, None, &[("cookie", &first)]));
    assert_ne!(first, second);
    assert_eq!((look(&overview, &first), look(&overview, &second)), (401, 200));
    let both = format!("{second}; {}", second.replace('=', "=0"));
    assert_eq!(look(&overview, &both), 401, "two cookies of one name: neither counts");
}

#[test]
fn a_session_ends_here_or_everywhere_and_its_cookie_is_worth_nothing_afterwards() {
    let (overview, _) = set_up();
    let enter = || cookie(&sign_in(&overview, NAME, PASSWORD, None, &[]));
    let (one, two, three) = (enter(), enter(), enter());
    let leave = |cookie: &str, form: &str| {
        overview.send("POST", "/sign-out", &[("cookie", cookie), FORM, OWN], form.as_bytes())
    };
    let left = leave(&one, "");
    assert_eq!((left.status, left.header("location")), (303, "/sign-in"));
    assert!(left.header("set-cookie").contains("Max-Age=0"));
    assert_eq!([&one, &two, &three].map(|cookie| look(&overview, cookie)), [401, 200, 200]);
    leave(&two, "everywhere=true");
    assert_eq!([&one, &two, &three].map(|cookie| look(&overview, cookie)), [401, 401, 401]);
}

/// A session as another web server would have begun it.
fn session(overview: &Running, begun: Span, acted: Span) -> String {
    let now = cluster_overview::clock::wall();
    let secret = format!("{:064x}", begun.0 * 7 + acted.0);
    let session = Session {
        name_key: "ann".into(),
        signed_in_at: now - begun,
        last_change_at: now - acted,
        address: None,
    };
    let entry = AuditEntry::done(&Actor::command(), Action::SignIn, "for a story");
    let password = overview.auth_cache().accounts["ann"].password.clone();
    overview.change_access(
        &[AccessChange::StartSession { hash: SecretHash::new(&secret), session, password }],
        &entry,
    );
    let name = cookie(&sign_in(overview, NAME, PASSWORD, None, &[]));
    let cookie = format!("{}={secret}", name.split('=').next().unwrap());
    if begun < Span::minutes(720) {
        testkit::wait_until_ok("the session to be known", testkit::DEFAULT_TIMEOUT, || {
            let status = look(overview, &cookie);
            if status == 200 { Ok(()) } else { Err(status) }
        });
    }
    cookie
}

#[test]
fn after_half_an_hour_without_a_change_a_session_only_looks_until_the_password_is_given_again() {
    let (overview, _) = set_up();
    let fresh = session(&overview, Span::minutes(700), Span::minutes(29));
    assert_eq!(act(&overview, &fresh).status, 200);
    let lapsed = session(&overview, Span::minutes(40), Span::minutes(31));
    let may_change =
        |cookie: &str| overview.send("GET", "/account/session", &[("cookie", cookie)], b"").status;
    assert_eq!((may_change(&fresh), may_change(&lapsed)), (204, 401));
    let refused = act(&overview, &lapsed);
    assert_eq!(refused.status, 401);
    assert!(refused.body["detail"].as_str().unwrap().contains("Sign in again"));
    // Also for what a viewer may do.
    let path = "/api/v1/incidents/1-00000000000000ff/acknowledgement";
    let withdraw =
        |cookie: &str| overview.send("DELETE", path, &[("cookie", cookie), OWN], b"").status;
    assert_eq!((withdraw(&fresh), withdraw(&lapsed)), (404, 401));
    let form = overview.send("POST", "/removal", &[("cookie", &lapsed), FORM, OWN], b"");
    assert!(form.header("location").starts_with("/sign-in"), "{}", form.status);
    let again = cookie(&sign_in(&overview, NAME, PASSWORD, None, &[("cookie", &lapsed)]));
    assert_eq!(act(&overview, &again).status, 200);
}

#[test]
fn after_twelve_hours_a_session_is_over_whatever_it_did() {
    let (overview, _) = set_up();
    let over = session(&overview, Span::minutes(720), Span::minutes(0));
    assert_eq!(look(&overview, &over), 401);
}

#[test]
fn a_session_goes_on_looking_while_the_database_is_away_and_nobody_signs_in_meanwhile() {
    let (overview, _) = set_up();
    let cookie = cookie(&sign_in(&overview, NAME, PASSWORD, None, &[]));
    let locked = overview.lock_database();
    overview.send("GET", "/readyz", &[], &[]);
    assert_eq!(look(&overview, &cookie), 200);
    assert_eq!(act(&overview, &cookie).status, 503);
    let refused = sign_in(&overview, NAME, PASSWORD, None, &[]);
    assert_eq!(refused.status, 503);
    assert!(refused.body.as_str().unwrap().contains("Nobody can sign in"));
    drop(locked);
}

#[test]
fn a_session_is_proof_only_for_our_own_page() {
    let (overview, _) = set_up();
    let cookie = cookie(&sign_in(&overview, NAME, PASSWORD, None, &[]));
    let settings = overview.send("GET", "/api/v1/settings", &[("cookie", &cookie)], &[]).body;
    let put = |headers: &[(&str, &str)]| {
        let own = [("cookie", cookie.as_str()), ("content-type", "application/json")];
        let headers = [&own, headers].concat();
        overview.send("PUT", "/api/v1/settings", &headers, settings.to_string().as_bytes()).status
    };
    let origin = overview.url.clone();
    assert_eq!(put(&[]), 403, "nothing says that our page sent it");
    assert_eq!(put(&[("sec-fetch-site", "same-origin")]), 200);
    assert_eq!(put(&[("origin", &origin)]), 200);
    for foreign in ["cross-site", "same-site", "none"] {
        assert_eq!(put(&[("sec-fetch-site", foreign)]), 403, "{foreign}");
    }
    assert_eq!(put(&[("origin", "https://evil.example")]), 403);
    assert_eq!(put(&[("origin", "null")]), 403);
    let cross = [FORM, ("sec-fetch-site", "cross-site")];
    let form = format!("name={NAME}&password=correct+horse+battery");
    let cross = overview.send("POST", "/sign-in", &cross, form.as_bytes());
    assert_eq!(cross.status, 403, "nor does another site sign anybody in");
}

#[test]
fn the_cookie_is_as_strict_as_the_address_allows() {
    let (overview, _) = set_up();
    let set = |host: &str| {
        sign_in(&overview, NAME, PASSWORD, None, &[("host", host)]).header("set-cookie").to_owned()
    };
    let local = set("127.0.0.1:3000");
    let public = set("overview.example");
    for cookie in [&local, &public] {
        for part in ["HttpOnly", "SameSite=Lax", "Path=/;", "Max-Age=43200"] {
            assert!(cookie.contains(part), "{part}: {cookie}");
        }
    }
    assert!(!local.contains("Secure"), "loopback without TLS: {local}");
    assert!(public.starts_with("__Host-") && public.ends_with("; Secure"), "{public}");
}

#[test]
fn what_was_wanted_before_signing_in_is_shown_after_it_and_nothing_elsewhere() {
    let (overview, _) = set_up();
    let led = overview.get("/?server=web-1&sort=-version");
    assert_eq!(led.status, 303);
    let address = led.header("location").to_owned();
    assert_eq!(address, "/sign-in?then=server%3Dweb-1%26sort%3D-version");
    let page = overview.get(&address);
    assert!(page.body.as_str().unwrap().contains("value=\"server=web-1&amp;sort=-version\""));
    let enter = |then: &str| {
        let form = format!("name={NAME}&password=correct+horse+battery&then={then}");
        let answer = overview.send("POST", "/sign-in", &[FORM], form.as_bytes());
        assert_eq!(answer.status, 303);
        answer.header("location").to_owned()
    };
    assert_eq!(enter("server%3Dweb-1"), "/?server=web-1");
    assert_eq!(enter("%2F%2Fevil.example"), "/?//evil.example", "only ever a query of ours");
    assert!(!enter("a%0D%0Aset-cookie%3A+x").contains('\n'));
}

#[test]
fn a_viewer_looks_and_changes_nothing() {
    let (overview, _) = set_up();
    let viewer = overview.token("viewer");
    let headers =
        [bearer_headers(&viewer).as_slice(), &[("content-type", "application/json")]].concat();
    let settings = overview.send("GET", "/api/v1/settings", &headers, &[]);
    assert_eq!(settings.status, 200);
    let put = settings.body.to_string();
    let refused = overview.send("PUT", "/api/v1/settings", &headers, put.as_bytes());
    assert_eq!(refused.status, 403);
    assert!(refused.body["detail"].as_str().unwrap().contains("only an admin"));
}
