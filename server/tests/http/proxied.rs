//! Sign-in by the product's proxy: which headers count, and from whom.

use cluster_overview::auth::proxy::trusted::TrustedProxies;
use cluster_overview::auth::{AuthMode, AuthPolicy};
use serde_json::json;

use crate::harness::{NAVIGATION, OWN, Running, sign_in};

const USER: &str = "x-forwarded-user";
const ROLE: &str = "x-forwarded-role";

/// An overview that trusts these proxies. Every request of these tests comes from 127.0.0.1.
fn believing(proxies: &str) -> Running {
    let mode = AuthMode::Proxy { user: USER.parse().unwrap(), role: ROLE.parse().unwrap() };
    let proxies = TrustedProxies::parse(&[proxies.to_owned()]).unwrap();
    Running::of(AuthPolicy { proxies, ..AuthPolicy::new(mode) })
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
fn a_trusted_proxys_headers_say_who_the_user_is_and_their_role() {
    let overview = believing("127.0.0.0/8");
    assert_eq!(look(&overview, &[]), 401);
    assert_eq!(look(&overview, &[(USER, "viv")]), 200);
    assert_eq!(act(&overview, &[(USER, "viv"), OWN]), 403, "a viewer without a word on it");
    assert_eq!(act(&overview, &[(USER, "viv"), (ROLE, "root"), OWN]), 403, "an unknown role");
    for roles in ["Admin", "users,admin", "users; ADMIN", "staff admin viewer"] {
        assert_eq!(act(&overview, &[(USER, "ann"), (ROLE, roles), OWN]), 200, "{roles}");
    }
    assert_eq!(act(&overview, &[(USER, "ann"), (ROLE, "admin"), OWN]), 200);
    // The proxy adds its headers to every request, so they do not show that our own page sent it.
    assert_eq!(act(&overview, &[(USER, "ann"), (ROLE, "admin")]), 403);
    let elsewhere = ("sec-fetch-site", "cross-site");
    assert_eq!(act(&overview, &[(USER, "ann"), (ROLE, "admin"), elsewhere]), 403);
}

#[test]
fn user_headers_from_an_untrusted_client_do_not_authenticate() {
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
fn two_user_headers_do_not_authenticate() {
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

/// Sends header values that are not ASCII, which HTTP clients reject.
fn look_raw(overview: &Running, headers: &[(&str, &[u8])]) -> (u16, String) {
    let mut request = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n".to_vec();
    for (name, value) in headers {
        request.extend([name.as_bytes(), b": ", *value, b"\r\n"].concat());
    }
    request.extend(b"\r\n");
    let answer =
        testkit::exchange(overview.url.strip_prefix("http://").unwrap(), &request).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    (answer[9..12].parse().unwrap(), answer)
}

#[test]
fn a_name_in_utf_8_in_encoded_words_or_percent_encoded_is_shown_as_it_is() {
    let overview = believing("127.0.0.1");
    for name in [
        "Jürgen Müller".as_bytes(),
        "Ju\u{308}rgen Mu\u{308}ller".as_bytes(),
        b"=?UTF-8?B?SsO8cmdlbiBNw7xsbGVy?=",
        b"=?utf-8?Q?J=C3=BCrgen_M=C3=BCller?=",
        b"J%C3%BCrgen%20M%C3%BCller",
    ] {
        let (status, page) = look_raw(&overview, &[(USER, name)]);
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("Jürgen Müller"), "{}", String::from_utf8_lossy(name));
    }
    let (_, page) = look_raw(&overview, &[(USER, b"50% Ann")]);
    assert!(page.contains("50% Ann"));
}

#[test]
fn a_rejection_names_the_header_and_the_reason_and_a_browser_gets_a_page() {
    let overview = believing("127.0.0.1");
    let long = [b'x'; 101];
    for (headers, reason) in [
        (vec![], "sends no X-Forwarded-User header"),
        (vec![(USER, b"".as_slice())], "X-Forwarded-User header is empty"),
        (vec![(USER, b"ann"), (USER, b"viv")], "X-Forwarded-User header more than once"),
        (
            vec![(USER, b"ann"), (ROLE, b"admin"), (ROLE, b"viewer")],
            "X-Forwarded-Role header more than once",
        ),
        (vec![(USER, long.as_slice())], "longer than 100 characters"),
        (vec![(USER, b"J\xfcrgen")], "is not UTF-8"),
        (vec![(USER, b"ann%07bob")], "control or invisible characters"),
    ] {
        let (status, problem) = look_raw(&overview, &headers);
        assert_eq!(status, 401, "{reason}: {problem}");
        assert!(problem.contains(reason) && problem.contains("127.0.0.1"), "{reason}: {problem}");
        assert!(problem.contains("application/problem+json"), "{problem}");
        let navigation = (NAVIGATION.0, NAVIGATION.1.as_bytes());
        let (status, page) = look_raw(&overview, &[headers.as_slice(), &[navigation]].concat());
        assert_eq!(status, 401, "{page}");
        assert!(page.contains("text/html") && page.contains(reason), "{reason}: {page}");
    }
    let direct = believing("192.0.2.0/24");
    let (status, problem) = look_raw(&direct, &[(USER, b"ann")]);
    assert_eq!(status, 401);
    assert!(
        problem.contains("it came from 127.0.0.1")
            && problem.contains("--trusted-proxies 127.0.0.1"),
        "{problem}"
    );
}

#[test]
fn a_client_address_in_any_form_of_a_proxys_header_is_recognized() {
    for (header, forms) in [
        ("x-forwarded-for", ["192.0.2.7:51514", "[2001:db8::7]:443", "\"[2001:db8::7]\""]),
        (
            "forwarded",
            [
                "for=192.0.2.7",
                "For=\"[2001:db8::7]:4711\";proto=https",
                "for=1.1.1.1, for=\"192.0.2.7:80\"",
            ],
        ),
    ] {
        for form in forms {
            let overview = Running::guarded_behind("127.0.0.1");
            let wrong = sign_in(&overview, "Ann", "wrong horse battery", &[(header, form)]);
            assert_eq!(wrong.status, 401, "{form}");
            let entries = overview.audit(&overview.token("admin"));
            let address = entries.iter().find(|entry| entry["action"] == "sign-in").unwrap();
            let address = address["address"].as_str().unwrap_or_default();
            assert!(["192.0.2.7", "2001:db8::7"].contains(&address), "{form}: {entries:?}");
        }
    }
}
