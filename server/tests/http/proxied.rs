//! Where the product's proxy says who it is: whose word is taken, and whose is not.

use cluster_overview::access::origin::Proxies;
use cluster_overview::access::{Mode, Policy};
use serde_json::json;

use crate::harness::{OWN, Running};

const USER: &str = "x-forwarded-user";
const ROLE: &str = "x-forwarded-role";

/// An overview that believes these proxies. Every request of these stories comes from 127.0.0.1.
fn believing(proxies: &str) -> Running {
    let mode = Mode::Proxy { user: USER.parse().unwrap(), role: ROLE.parse().unwrap() };
    let proxies = Proxies::parse(&[proxies.to_owned()]).unwrap();
    Running::of(Policy { proxies, ..Policy::of(mode) })
}

fn look(overview: &Running, headers: &[(&str, &str)]) -> u16 {
    overview.send("GET", "/api/v1/overview", headers, &[]).status
}

fn act(overview: &Running, headers: &[(&str, &str)]) -> u16 {
    let settings = json!({
        "load_balancing": true, "automatic_failover": false,
        "heartbeat_interval_s": 30, "stale_timeout_s": 300, "web_window_s": 86_400
    });
    let headers = [&[("content-type", "application/json")], headers].concat();
    let path = "/api/v1/settings";
    overview.send("PUT", path, &headers, settings.to_string().as_bytes()).status
}

#[test]
fn a_trusted_proxys_word_is_taken_on_who_it_is_and_what_they_may() {
    let overview = believing("127.0.0.0/8");
    assert_eq!(look(&overview, &[]), 401);
    assert_eq!(look(&overview, &[(USER, "viv")]), 200);
    assert_eq!(act(&overview, &[(USER, "viv"), OWN]), 403, "a viewer without a word on it");
    assert_eq!(look(&overview, &[(USER, "viv"), (ROLE, "root")]), 401, "an unknown role");
    assert_eq!(act(&overview, &[(USER, "ann"), (ROLE, "admin"), OWN]), 200);
    // What the proxy adds to everything a browser sends is no proof that our page sent it.
    assert_eq!(act(&overview, &[(USER, "ann"), (ROLE, "admin")]), 403);
    let elsewhere = ("sec-fetch-site", "cross-site");
    assert_eq!(act(&overview, &[(USER, "ann"), (ROLE, "admin"), elsewhere]), 403);
}

#[test]
fn a_strangers_word_is_worth_nothing() {
    let overview = believing("192.0.2.0/24");
    for headers in [
        vec![(USER, "ann"), (ROLE, "admin")],
        vec![(USER, "ann"), (ROLE, "admin"), ("x-forwarded-for", "192.0.2.1")],
        vec![(USER, "ann"), (ROLE, "admin"), ("forwarded", "for=192.0.2.1")],
        vec![(USER, "ann"), (ROLE, "admin"), ("x-real-ip", "192.0.2.1")],
    ] {
        assert_eq!(look(&overview, &headers), 401, "{headers:?}");
    }
    let said = overview.send("GET", "/healthz", &[("x-forwarded-proto", "https")], &[]);
    assert_eq!(said.header("strict-transport-security"), "");
}

#[test]
fn two_words_on_who_it_is_are_none() {
    let overview = believing("127.0.0.1");
    for headers in [
        vec![(USER, "ann"), (USER, "viv")],
        vec![(USER, "ann"), (ROLE, "admin"), (ROLE, "viewer")],
        vec![(USER, "")],
    ] {
        let acts = act(&overview, &[headers.as_slice(), &[OWN]].concat());
        assert!([401, 403].contains(&acts), "{headers:?} may act: {acts}");
    }
}

#[test]
fn a_proxy_that_was_reached_over_tls_says_so() {
    let overview = believing("127.0.0.1");
    let said = overview.send("GET", "/healthz", &[("x-forwarded-proto", "https")], &[]);
    assert_eq!(said.header("strict-transport-security"), "max-age=31536000");
}
