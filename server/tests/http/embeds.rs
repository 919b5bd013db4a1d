//! How a product lets its people in, into a frame within its own pages, and out again.

use std::process::Command;

use cluster_overview::auth::{AuthMode, AuthPolicy};
use serde_json::{Value, json};
use testkit::postgres;

use crate::harness::{Answer, NAVIGATION, OWN, Running, bearer_headers};

const PRODUCT: &str = "https://product.example";

fn framed() -> Running {
    Running::framed_by(&[PRODUCT], AuthPolicy::new(AuthMode::Password))
}

fn wish(overview: &Running, token: &str, name: &str, role: &str) -> Answer {
    let headers = [bearer_headers(token), vec![("content-type", "application/json")]].concat();
    let body = json!({"name": name, "role": role}).to_string();
    overview.send("POST", "/api/v1/embeds", &headers, body.as_bytes())
}

/// A way in: its number and its code.
fn invited(overview: &Running, token: &str, role: &str) -> (String, String) {
    let made = wish(overview, token, "Ann of the product", role);
    assert_eq!(made.status, 201, "{}", made.body);
    let text = |name: &str| made.body[name].as_str().unwrap().to_owned();
    (text("id"), text("code"))
}

fn enter(overview: &Running, code: &str) -> Answer {
    overview.send("GET", &format!("/embed?theme=dark&code={code}&server=web-1"), &[], &[])
}

/// The cookie as a browser sends it back.
fn cookie(entered: &Answer) -> String {
    assert_eq!(entered.status, 303, "{}", entered.body);
    entered.header("set-cookie").split(';').next().unwrap().to_owned()
}

fn look(overview: &Running, cookie: &str) -> u16 {
    overview.send("GET", "/api/v1/overview", &[("cookie", cookie)], &[]).status
}

fn act(overview: &Running, cookie: &str, site: &str) -> u16 {
    let settings = json!({
        "load_balancing": true, "automatic_failover": false,
        "heartbeat_interval_s": 30, "stale_timeout_s": 300, "web_window_s": 86_400
    });
    let headers =
        [("cookie", cookie), ("content-type", "application/json"), ("sec-fetch-site", site)];
    let body = settings.to_string();
    overview.send("PUT", "/api/v1/settings", &headers, body.as_bytes()).status
}

#[test]
fn a_code_lets_somebody_in_once_to_the_page_without_the_code() {
    let overview = framed();
    let admin = overview.token("admin");
    let (_, code) = invited(&overview, &admin, "admin");
    let entered = enter(&overview, &code);
    assert_eq!(entered.header("location"), "/?theme=dark&server=web-1&chrome=none");
    let line = entered.header("set-cookie");
    for part in ["; HttpOnly", "; Secure", "; SameSite=None", "; Partitioned", "; Path=/"] {
        assert!(line.contains(part), "{line}");
    }
    let cookie = cookie(&entered);
    assert_eq!(look(&overview, &cookie), 200);
    assert_eq!(act(&overview, &cookie, "same-origin"), 200);
    assert_eq!(act(&overview, &cookie, "cross-site"), 403, "a page around it writes nothing");
    let page = overview.send("GET", "/?chrome=none", &[("cookie", &cookie)], &[]).body;
    let page = page.as_str().unwrap();
    assert!(page.contains("data-ancestors=\"https://product.example\""), "{page}");
    let again = enter(&overview, &code);
    assert_eq!((again.status, again.header("set-cookie")), (410, ""));
    assert!(again.body["detail"].as_str().unwrap().contains("has been used"));
    let lines = overview.audit(&admin);
    assert!(lines.iter().any(|line| {
        (&line["who"], &line["action"], &line["proof"])
            == (&json!("Ann of the product"), &json!("sign-in"), &json!("host"))
    }));
}

#[test]
fn over_tls_the_cookie_is_of_this_host_alone() {
    let overview = Running::framed_by(&[PRODUCT], AuthPolicy::new(AuthMode::Password));
    let (_, code) = invited(&overview, &overview.token("viewer"), "viewer");
    let headers = [("host", "overview.example"), ("sec-fetch-site", "cross-site")];
    let entered = overview.send("GET", &format!("/embed?code={code}"), &headers, &[]);
    assert!(entered.header("set-cookie").starts_with("__Host-"));
}

#[test]
fn a_code_is_not_used_up_where_the_browser_would_not_keep_the_session() {
    let overview = framed();
    let admin = overview.token("admin");
    let (_, code) = invited(&overview, &admin, "viewer");
    let path = format!("/embed?code={code}");
    let refused = overview.send("GET", &path, &[("host", "overview.example:3000")], &[]);
    assert_eq!((refused.status, refused.header("set-cookie")), (403, ""));
    assert!(
        refused.body["detail"].as_str().unwrap().contains("plain HTTP at overview.example:3000")
    );
    assert_eq!(enter(&overview, &code).status, 303);
}

#[test]
fn a_viewers_token_lets_viewers_in_who_look_and_change_nothing() {
    let overview = framed();
    let viewer = overview.token("viewer");
    let refused = wish(&overview, &viewer, "Ann", "admin");
    assert_eq!(refused.status, 403, "{}", refused.body);
    let (_, code) = invited(&overview, &viewer, "viewer");
    let cookie = cookie(&enter(&overview, &code));
    assert_eq!(look(&overview, &cookie), 200);
    assert_eq!(act(&overview, &cookie, "same-origin"), 403);
}

#[test]
fn a_request_with_another_method_uses_no_code_up() {
    let overview = framed();
    let (_, code) = invited(&overview, &overview.token("viewer"), "viewer");
    let path = format!("/embed?code={code}");
    assert_eq!(overview.send("HEAD", &path, &[], &[]).status, 405);
    assert_eq!(overview.send("POST", &path, &[OWN], &[]).status, 405);
    assert_eq!(enter(&overview, &code).status, 303);
}

#[test]
fn forged_twofold_and_empty_codes_let_nobody_in() {
    let overview = framed();
    let (_, code) = invited(&overview, &overview.token("viewer"), "viewer");
    for path in [
        "/embed",
        "/embed?code=",
        "/embed?code=forged",
        &format!("/embed?code={}", "a".repeat(64)),
        &format!("/embed?code={code}&code=other"),
        "/embed?code=%FF&chrome=none",
    ] {
        let answer = overview.get(path);
        assert_eq!((answer.status, answer.header("set-cookie")), (410, ""), "{path}");
    }
    let injected = overview.get(&format!("/embed?code={code}&x=%0d%0aset-cookie:a=b%22%3C%3E"));
    assert_eq!(injected.header("location"), "/?x=%0D%0Aset-cookie%3Aa%3Db%22%3C%3E&chrome=none");
}

#[test]
fn a_code_that_is_older_than_a_minute_lets_nobody_in() {
    let overview = framed();
    let (_, code) = invited(&overview, &overview.token("viewer"), "viewer");
    let path = overview.database();
    let path = path.strip_prefix("sqlite:").unwrap();
    let earlier = "update guests set made_at = made_at - 60000";
    let aged = Command::new("sqlite3").args([path, earlier]).status().unwrap();
    assert!(aged.success());
    assert_eq!(enter(&overview, &code).status, 410);
}

#[test]
fn a_visit_ends_with_the_products_word_or_its_token() {
    let overview = framed();
    let (admin, other) = (overview.token("admin"), overview.token("viewer"));
    let (one, code) = invited(&overview, &other, "viewer");
    let guest = cookie(&enter(&overview, &code));
    let delete = |token: &str, id: &str| {
        overview.send("DELETE", &format!("/api/v1/embeds/{id}"), &bearer_headers(token), &[]).status
    };
    assert_eq!(delete(&admin, &one), 404, "another product's guest");
    assert_eq!(look(&overview, &guest), 200);
    assert_eq!(delete(&other, &one), 204);
    assert_eq!(delete(&other, &one), 404);
    assert_eq!(look(&overview, &guest), 401);

    let (_, code) = invited(&overview, &other, "viewer");
    let guest = cookie(&enter(&overview, &code));
    let (_, unused) = invited(&overview, &other, "viewer");
    let tokens = overview.send("GET", "/api/v1/tokens", &bearer_headers(&admin), &[]).body;
    let mut tokens = tokens["tokens"].as_array().unwrap().iter();
    let token = tokens.find(|token| token["role"] == "viewer").unwrap();
    let path = format!("/api/v1/tokens/{}", token["id"].as_str().unwrap());
    assert_eq!(overview.send("DELETE", &path, &bearer_headers(&admin), &[]).status, 204);
    assert_eq!(look(&overview, &guest), 401);
    assert_eq!(enter(&overview, &unused).status, 410);
}

#[test]
fn where_no_code_is_of_use_that_is_said() {
    let unframed = Running::guarded();
    let said = wish(&unframed, &unframed.token("viewer"), "Ann", "viewer");
    assert_eq!(said.status, 409);
    assert!(said.body["detail"].as_str().unwrap().contains("--frame-ancestors"));
    let open = Running::framed_by(&[PRODUCT], AuthPolicy::open());
    let said = open.json("POST", "/api/v1/embeds", &json!({"name": "Ann", "role": "viewer"}));
    assert_eq!(said.status, 409);
    assert_eq!(open.get("/embed?code=any").header("location"), "/?chrome=none");
}

#[test]
fn what_is_no_name_and_no_role_is_named() {
    let overview = framed();
    let admin = overview.token("admin");
    for (name, role, fields) in [
        ("", "viewer", vec!["name"]),
        ("a\nb", "viewer", vec!["name"]),
        ("Ann", "owner", vec!["role"]),
        ("", "", vec!["name", "role"]),
    ] {
        let said = wish(&overview, &admin, name, role);
        let errors = said.body["errors"].as_array().unwrap();
        let named: Vec<&Value> = errors.iter().map(|error| &error["field"]).collect();
        assert_eq!(
            (said.status, named),
            (422, fields.iter().map(|f| json!(f)).collect::<Vec<_>>().iter().collect())
        );
    }
}

#[test]
fn a_code_that_one_web_server_made_lets_in_at_another() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(postgres().create_database());
    let of = || Running::framed_on(&database, &[PRODUCT], AuthPolicy::new(AuthMode::Password));
    let (one, other) = (of(), of());
    let viewer = one.token("viewer");
    for _ in 0..5 {
        let (_, code) = invited(&one, &viewer, "viewer");
        let guest = cookie(&enter(&other, &code));
        assert_eq!(look(&one, &guest), 200);
    }
}

#[test]
fn a_guest_creates_no_tokens_whatever_their_rank() {
    let overview = framed();
    let admin = overview.token("admin");
    let (_, code) = invited(&overview, &admin, "admin");
    let guest = cookie(&enter(&overview, &code));
    let own = [("cookie", guest.as_str()), OWN];
    let wish = json!({"role": "admin", "name": "to stay"}).to_string();
    let headers = [&own[..], &[("content-type", "application/json")]].concat();
    let refused = overview.send("POST", "/api/v1/tokens", &headers, wish.as_bytes());
    assert_eq!(refused.status, 403);
    assert!(refused.body["detail"].as_str().unwrap().contains("cannot create tokens"));
    let headers =
        [&own[..], &[("content-type", "application/x-www-form-urlencoded"), NAVIGATION]].concat();
    let form = b"name=to+stay&role=admin&expires_in_s=never";
    let refused = overview.send("POST", "/access/tokens", &headers, form);
    assert_eq!(refused.status, 403);
    assert!(refused.body.as_str().unwrap().contains("cannot create tokens"));
    let page = overview.send("GET", "/access", &own, &[]).body;
    let page = page.as_str().unwrap();
    assert!(page.contains("cannot create tokens") && !page.contains("access/tokens"), "{page}");
    let tokens = overview.send("GET", "/api/v1/tokens", &bearer_headers(&admin), &[]).body;
    assert_eq!(tokens["tokens"].as_array().unwrap().len(), 1, "nothing was made");
    let page = overview.send("GET", "/access", &bearer_headers(&admin), &[]).body;
    assert!(
        page.as_str().unwrap().contains("access/tokens"),
        "a user who is no guest has the form"
    );
}
