//! The page that adds a server: its commands, its join token, and the servers that have reported since.

use cluster_overview::auth::{AuthMode, AuthPolicy};
use serde_json::{Value, json};

use crate::harness::{Answer, FORM, NAVIGATION, OWN, Running, bearer_headers, heartbeat};
use crate::people::{post, recorded, set_up};

/// An hour before the tests' servers report, in milliseconds since 1970, and a moment after that.
const LONG_AGO: &str = "0";
const LATER: &str = "99999999999999";

fn html(answer: &Answer) -> &str {
    answer.body.as_str().unwrap()
}

fn page(overview: &Running, cookie: &str, path: &str) -> Answer {
    overview.send("GET", path, &[("cookie", cookie), NAVIGATION], &[])
}

/// The random text of the form on a page.
fn nonce(page: &Answer) -> String {
    let (_, rest) = html(page).split_once("name=\"form\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

/// The token on a page.
fn token(page: &Answer) -> String {
    let (_, rest) = html(page).split_once("id=\"secret\"").unwrap();
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split('<').next().unwrap().to_owned()
}

fn beat(overview: &Running, token: &str, heartbeat: &Value) -> u16 {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let body = heartbeat.to_string();
    overview.send("POST", "/api/v1/heartbeats", &headers, body.as_bytes()).status
}

#[test]
fn an_admin_makes_one_join_token_for_a_day_and_a_server_reports_with_it() {
    let (overview, ann) = set_up();
    let empty = page(&overview, &ann, "/add-server");
    assert_eq!(empty.status, 200);
    assert!(html(&empty).contains("JOIN-TOKEN") && html(&empty).contains("value=\"new servers\""));
    let form = format!("name=rack+7&with=code&form={}", nonce(&empty));
    let made = post(&overview, &ann, "/add-server", &form);
    assert_eq!(made.status, 201, "{}", made.body);
    let secret = token(&made);
    assert_eq!(secret.len(), 64, "256 random bits");
    assert!(!html(&made).contains("JOIN-TOKEN"), "the token is in all commands");
    let written = format!("&lt;&lt;'END'\n{secret}\nEND");
    assert!(html(&made).contains(&written), "the token goes to a file: {}", html(&made));

    let kept = overview.auth_cache();
    let (_, stored) = kept.tokens.iter().find(|(_, token)| token.name == "rack 7").unwrap();
    assert_eq!(stored.role.as_str(), "join");
    let (day, lasts) = (24 * 60 * 60 * 1_000, stored.expires_at.unwrap() - stored.created_at);
    // Its end is counted from the request, and it is made a moment later.
    assert!((day - 5_000..=day).contains(&lasts.0), "{lasts}");
    let (action, target, outcome) = recorded(&overview, &ann).remove(0);
    assert_eq!((action.as_str(), outcome.as_str()), ("create-token", "done"));
    assert!(target.starts_with("join token rack 7 ("), "{target}");

    assert_eq!(beat(&overview, &secret, &heartbeat("web-3", "service", 1)), 200);
    let again = post(&overview, &ann, "/add-server", &form);
    assert_eq!(again.status, 409, "a reload makes no second token");
    let named = kept.tokens.values().filter(|token| token.name == "rack 7");
    assert_eq!(named.count(), 1);
}

#[test]
fn a_token_without_a_name_is_not_made_and_the_form_says_why() {
    let (overview, ann) = set_up();
    let tokens = overview.auth_cache().tokens.len();
    let form =
        format!("name=++&with=windows&form={}", nonce(&page(&overview, &ann, "/add-server")));
    let refused = post(&overview, &ann, "/add-server", &form);
    assert_eq!(refused.status, 422);
    assert!(html(&refused).contains("Enter a name of 1 to 100 characters on one line."));
    assert!(html(&refused).contains("Set-Content"), "the tab stays");
    assert_eq!(overview.auth_cache().tokens.len(), tokens);
}

#[test]
fn each_tab_has_its_commands_and_the_moment_stays() {
    let (overview, ann) = set_up();
    for (tab, command) in [
        ("linux", "systemctl enable --now cluster-overview-agent"),
        ("windows", "Invoke-RestMethod"),
        ("container", "docker run --detach"),
        ("code", "urllib.request"),
        ("amiga", "apt-get install ./cluster-overview_*.deb"),
    ] {
        let path = format!("/add-server?lang=en&with={tab}&since=1234");
        let page = page(&overview, &ann, &path);
        assert!(html(&page).contains(command), "{tab}: {}", html(&page));
        assert!(html(&page).contains(&overview.url), "{tab}");
        let frame = "src=\"/add-server/new-servers?lang=en&amp;since=1234\"";
        assert!(html(&page).contains(frame), "{tab}: {}", html(&page));
        assert!(html(&page).contains("/add-server?lang=en&amp;with=code&amp;since=1234"), "{tab}");
    }
}

#[test]
fn behind_a_proxy_the_commands_have_the_address_that_the_browser_used() {
    let proxied = Running::guarded_behind("127.0.0.1");
    let admin = proxied.token("admin");
    let bearer = format!("Bearer {admin}");
    let ask = |host: &str| {
        let headers = [
            ("authorization", bearer.as_str()),
            ("x-forwarded-host", host),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-for", "192.0.2.7"),
        ];
        proxied.send("GET", "/add-server?with=linux", &headers, &[])
    };
    let page = ask("overview.example:8443");
    assert!(html(&page).contains("--overview https://overview.example:8443 --role"));
    assert!(html(&page).contains("--ca-file"), "it says what a private CA needs");
    assert!(!html(&page).contains("cannot reach"), "{}", html(&page));
    assert!(html(&ask("localhost:3000")).contains("Other servers cannot use the address"));
    for host in ["a.example$(id)", "a.example'", "ann@a.example", "a.example;id"] {
        assert_eq!(ask(host).status, 400, "{host}");
    }
}

#[test]
fn on_a_loopback_address_the_page_says_that_other_servers_cannot_reach_it() {
    let (overview, ann) = set_up();
    let page_with_sign_in = page(&overview, &ann, "/add-server");
    let address = overview.url.trim_start_matches("http://");
    let port = address.rsplit(':').next().unwrap();
    for said in [
        format!("it listens on the loopback address {address} only."),
        format!("--listen 0.0.0.0:{port}"),
    ] {
        assert!(html(&page_with_sign_in).contains(&said), "{said}");
    }
    assert!(!html(&page_with_sign_in).contains("--auth password"));
    let open = Running::start();
    assert!(html(&open.get("/add-server")).contains("First start it with --auth password."));
}

#[test]
fn with_required_enrolment_a_program_is_told_how_to_get_a_credential() {
    let policy = AuthPolicy { require_enrolment: true, ..AuthPolicy::new(AuthMode::Password) };
    let overview = Running::of(policy);
    let admin = overview.token("admin");
    let said = |tab: &str| {
        let path = format!("/add-server?with={tab}");
        let page = overview.send("GET", &path, &bearer_headers(&admin), &[]);
        html(&page).contains("POST /api/v1/enrolments")
    };
    assert_eq!(["linux", "windows", "container", "code"].map(said), [false, true, false, true]);
}

#[test]
fn the_frame_lists_servers_whose_first_heartbeat_came_since_the_moment() {
    let overview = Running::reporting_itself();
    let frame = |since: &str| overview.get(&format!("/add-server/new-servers?since={since}"));
    let waiting = frame(LONG_AGO);
    assert!(html(&waiting).contains("Waiting for the first heartbeat"), "not the overview's own");
    assert!(html(&waiting).contains("http-equiv=\"refresh\""), "it asks again by itself");
    overview.beat(&json!([heartbeat("web-3", "web", 1), heartbeat("web-3", "service", 1)]));
    let arrived = frame(LONG_AGO);
    assert_eq!(html(&arrived).matches("has reported since").count(), 1);
    assert!(html(&arrived).contains("href=\"/?server=web-3\""), "{}", html(&arrived));
    assert!(html(&frame(LATER)).contains("Waiting for the first heartbeat"));
    assert_eq!(frame("soon").status, 200);
    for number in 1..=12 {
        overview.beat(&heartbeat(&format!("app-{number}"), "service", 1));
    }
    let many = frame(LONG_AGO);
    assert_eq!(html(&many).matches("has reported since").count(), 10);
    assert!(html(&many).contains("3 more"), "{}", html(&many));
}

#[test]
fn only_a_page_of_ours_has_the_frame() {
    let overview = Running::start();
    let policy = |path: &str| {
        let answer = overview.get(path);
        let header = |name: &str| answer.header(name).to_owned();
        (header("content-security-policy"), header("x-frame-options"))
    };
    let (framed, older) = policy("/add-server/new-servers");
    assert!(framed.ends_with("; frame-ancestors 'self'"), "{framed}");
    assert_eq!(older, "SAMEORIGIN");
    let (framing, older) = policy("/add-server");
    assert!(framing.ends_with("; frame-src 'self'; frame-ancestors 'none'"), "{framing}");
    assert_eq!(older, "DENY");
    let product = Running::framed_by(&["https://product.example"], AuthPolicy::open());
    let answer = product.get("/add-server/new-servers");
    let framed = answer.header("content-security-policy");
    assert!(framed.ends_with("; frame-ancestors 'self' https://product.example"), "{framed}");
}

#[test]
fn a_viewer_is_told_that_only_an_admin_adds_servers_and_finds_no_link() {
    let overview = Running::guarded();
    let viewer = overview.token("viewer");
    let bearer = format!("Bearer {viewer}");
    let headers = [("authorization", bearer.as_str()), NAVIGATION];
    let refused = overview.send("GET", "/add-server", &headers, &[]);
    assert_eq!(refused.status, 403);
    assert!(html(&refused).contains("Only an admin can open this page"), "{}", refused.body);
    let form = [("authorization", bearer.as_str()), FORM, OWN];
    assert_eq!(overview.send("POST", "/add-server", &form, b"name=x").status, 403);
    let page = overview.send("GET", "/", &bearer_headers(&viewer), &[]);
    assert!(!html(&page).contains("/add-server"), "no control that never works");
}

#[test]
fn the_page_leads_there_from_the_menu_and_until_the_first_server_reports_from_its_top() {
    let overview = Running::reporting_itself();
    overview.overview_when(|overview| !overview["servers"].as_array().unwrap().is_empty());
    let alone = overview.get("/?theme=dark");
    assert_eq!(html(&alone).matches("href=\"/add-server?theme=dark\"").count(), 3);
    assert!(html(&alone).contains("Add the first server"));
    overview.beat(&heartbeat("web-3", "service", 1));
    let more = overview.get("/");
    assert!(!html(&more).contains("Add the first server"));
    assert!(html(&more).contains("href=\"/add-server\""));
}
