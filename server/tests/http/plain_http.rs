//! Plain HTTP on a network address, where a browser would not keep the session cookie.

use crate::harness::{Answer, FORM, NAVIGATION, OWN, Running, cookie};

/// What a browser sends over plain HTTP: there is no `Sec-Fetch-Site`.
const HOST: (&str, &str) = ("host", "192.0.2.10:3000");
const PAGE: (&str, &str) = ("origin", "http://192.0.2.10:3000");

fn set_up(overview: &Running, code: &str, headers: &[(&str, &str)]) -> Answer {
    let form = format!("name=Ann&password=correct+horse+battery&code={code}");
    overview.send("POST", "/sign-in", &[&[FORM], headers].concat(), form.as_bytes())
}

#[test]
fn the_sign_in_page_says_that_tls_is_missing_and_the_set_up_code_stays_valid() {
    let overview = Running::guarded();
    let code = overview.setup_code();
    let page = overview.send("GET", "/sign-in", &[HOST, NAVIGATION], &[]);
    assert_eq!(page.status, 403);
    let text = page.body.as_str().unwrap();
    assert!(text.contains("plain HTTP at 192.0.2.10:3000"), "{text}");
    assert!(text.contains("--tls-cert") && text.contains("--trusted-proxies"), "{text}");
    assert!(!text.contains("<form"), "there is nothing to type");
    let german = [HOST, NAVIGATION, ("accept-language", "de")];
    let page = overview.send("GET", "/sign-in", &german, &[]).body;
    assert!(page.as_str().unwrap().contains("können Sie sich nicht anmelden"));

    let refused = set_up(&overview, &code, &[HOST, PAGE]);
    assert_eq!((refused.status, refused.header("set-cookie")), (403, ""));
    assert!(refused.body["detail"].as_str().unwrap().contains("The request changed nothing"));

    let made = set_up(&overview, &code, &[OWN]);
    assert_eq!(made.status, 303, "the code is still good: {}", made.body);
    let session = cookie(&made);
    let audit = overview.send("GET", "/api/v1/audit", &[("cookie", &session)], &[]).body;
    let entries = audit["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1, "the refused trial is not recorded: {audit}");
    assert_eq!(entries[0]["action"], "first-admin");
}

#[test]
fn people_sign_in_through_a_tls_proxy_whether_its_headers_or_the_browsers_show_tls() {
    let proxied = [
        vec![HOST, ("x-forwarded-proto", "https")],
        vec![HOST, ("forwarded", "for=192.0.2.7;proto=https")],
        // A proxy that changes the host.
        vec![("x-forwarded-host", "overview.example"), ("x-forwarded-proto", "https")],
        // A proxy that sends no header: browsers send these only over TLS.
        vec![HOST, ("sec-fetch-site", "none")],
    ];
    for headers in proxied {
        let overview = Running::guarded_behind("127.0.0.1");
        assert_eq!(overview.send("GET", "/sign-in", &headers, &[]).status, 200, "{headers:?}");
        let code = overview.setup_code();
        let others = headers.iter().filter(|(name, _)| *name != "sec-fetch-site");
        let own: Vec<_> = [OWN].iter().chain(others).copied().collect();
        let made = set_up(&overview, &code, &own);
        assert_eq!(made.status, 303, "{headers:?}: {}", made.body);
        assert!(made.header("set-cookie").starts_with("__Host-"), "{headers:?}");
    }
}

#[test]
fn a_forwarded_header_of_an_untrusted_client_does_not_count_as_tls() {
    let overview = Running::guarded_behind("192.0.2.0/24");
    for said in [("x-forwarded-proto", "https"), ("forwarded", "proto=https")] {
        assert_eq!(overview.send("GET", "/sign-in", &[HOST, said], &[]).status, 403, "{said:?}");
    }
    let local = overview.send("GET", "/sign-in", &[("x-forwarded-host", "192.0.2.10")], &[]);
    assert_eq!(local.status, 200, "a host that a stranger names is not ours");
}

#[test]
fn headers_that_need_a_secure_context_are_sent_only_in_one() {
    let overview = Running::guarded();
    let opener = |headers: &[(&str, &str)]| {
        overview
            .send("GET", "/healthz", headers, &[])
            .header("cross-origin-opener-policy")
            .to_owned()
    };
    // A proxy without a `Host` line sends a loopback name for every browser.
    assert_eq!(opener(&[]), "");
    assert_eq!(opener(&[HOST]), "");
    assert_eq!(opener(&[HOST, ("sec-fetch-site", "none")]), "same-origin");
}
