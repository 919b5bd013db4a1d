//! Limits for strangers and people: length, number and rate.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use cluster_overview::auth::proxy::trusted::TrustedProxies;
use cluster_overview::auth::{AuthMode, AuthPolicy};
use serde_json::json;

use crate::harness::{Answer, FORM, OWN, Running, TOKEN, bearer_headers, sign_in};

const PASSWORD: &str = "correct horse battery";

/// Makes Ann the first admin.
fn with_ann(overview: &Running) {
    let code = overview.setup_code();
    let form = format!("name=Ann&password=correct+horse+battery&code={code}");
    let made = overview.send("POST", "/sign-in", &[FORM, OWN], form.as_bytes());
    assert_eq!(made.status, 303, "{}", made.body);
}

/// The error next to the form.
fn alert(answer: &Answer) -> String {
    let page = answer.body.as_str().unwrap();
    let alert = page.split("role=\"alert\"").nth(1).unwrap_or_else(|| panic!("{page}"));
    alert.split(['<', '>']).nth(1).unwrap().to_owned()
}

#[test]
fn a_name_or_password_that_is_too_long_is_answered_like_a_wrong_one() {
    let overview = Running::guarded();
    with_ann(&overview);
    let wrong = sign_in(&overview, "Bob", "wrong horse battery", &[]);
    assert_eq!(wrong.status, 401);
    for (name, password) in [
        ("x".repeat(401), "wrong horse battery".to_owned()),
        ("x".repeat(15_000), "wrong horse battery".to_owned()),
        ("x".repeat(1_900_000), "wrong horse battery".to_owned()),
        ("Ann".to_owned(), "x".repeat(2_000)),
        ("Ann".to_owned(), "x".repeat(1_900_000)),
    ] {
        let answer = sign_in(&overview, &name, &password, &[]);
        assert_eq!((answer.status, alert(&answer)), (401, alert(&wrong)), "{}", name.len());
    }
    assert_eq!(sign_in(&overview, "Ann", PASSWORD, &[]).status, 303);
}

#[test]
fn tokens_cookies_and_codes_that_are_too_long_do_not_authenticate() {
    let overview =
        Running::framed_by(&["https://product.example"], AuthPolicy::new(AuthMode::Password));
    let long = "a".repeat(12_000);
    let token = format!("Bearer {long}");
    let looked = |name: &str, value: &str| {
        overview.send("GET", "/api/v1/overview", &[(name, value)], &[]).status
    };
    assert_eq!(looked("authorization", &token), 401);
    assert_eq!(looked("authorization", &long), 401, "a scheme that is none");
    assert_eq!(looked("cookie", &format!("cluster-overview={long}")), 401);
    let beat = overview.send("POST", "/api/v1/heartbeats", &[("authorization", &token)], b"{}");
    assert_eq!(beat.status, 401);
    assert_eq!(overview.get(&format!("/embed?code={}", &long[..7_000])).status, 410);
    let form = format!("name=Ann&password=correct+horse+battery&code={}", &long[..7_000]);
    overview.setup_code();
    let refused = overview.send("POST", "/sign-in", &[FORM, OWN], form.as_bytes());
    assert_eq!(refused.status, 401);
}

#[test]
fn a_url_that_is_too_long_is_rejected() {
    let overview = Running::start();
    for path in ["/?search=", "/api/v1/audit?text=", "/api/v1/servers/", "/sign-in?then="] {
        let answer = overview.get(&format!("{path}{}", "a".repeat(9_000)));
        assert_eq!(answer.status, 414, "{path}");
        assert!(answer.body["detail"].as_str().unwrap().contains("8192 are allowed"));
    }
    let delete = format!("/api/v1/servers/{}", "a".repeat(5_000));
    let absent = overview.send("DELETE", &delete, &[], &[]);
    assert_eq!(absent.status, 404);
    assert!(absent.body.to_string().len() < 600, "what was asked for is not sent back whole");
}

#[test]
fn a_successful_sign_in_clears_no_failures_of_other_names() {
    let overview = Running::guarded();
    with_ann(&overview);
    let mut statuses = Vec::new();
    for number in 0..40 {
        statuses.push(sign_in(&overview, &format!("n{number}"), "wrong horse battery", &[]).status);
        if number % 10 == 0 {
            sign_in(&overview, "Ann", PASSWORD, &[]);
        }
    }
    let guesses = statuses.iter().filter(|status| **status == 401).count();
    // One more attempt is allowed every ten seconds.
    assert!((29..36).contains(&guesses), "{guesses} guesses: {statuses:?}");
}

#[test]
fn behind_an_untrusted_proxy_one_clients_failures_do_not_lock_out_others() {
    let overview = Running::guarded();
    with_ann(&overview);
    let forwarded = [("x-forwarded-for", "192.0.2.7")];
    for number in 0..40 {
        let name = format!("n{number}");
        assert_eq!(sign_in(&overview, &name, "wrong horse battery", &forwarded).status, 401);
    }
    assert_eq!(sign_in(&overview, "Ann", PASSWORD, &forwarded).status, 303);
    let tried = (0..12).map(|_| sign_in(&overview, "Bob", "wrong horse battery", &forwarded));
    let statuses: Vec<u16> = tried.map(|answer| answer.status).collect();
    assert_eq!(statuses[..10], [401; 10]);
    assert_eq!(statuses[11], 429, "the name's own limit decides");
}

#[test]
fn behind_a_trusted_proxy_each_address_has_its_own_limit() {
    let proxies = TrustedProxies::parse(&["127.0.0.1".to_owned()]).unwrap();
    let overview = Running::of(AuthPolicy { proxies, ..AuthPolicy::new(AuthMode::Password) });
    with_ann(&overview);
    let stranger = [("x-forwarded-for", "192.0.2.7")];
    let tried = (0..40).map(|number| {
        sign_in(&overview, &format!("n{number}"), "wrong horse battery", &stranger).status
    });
    assert!(tried.collect::<Vec<_>>().contains(&429));
    let ann = [("x-forwarded-for", "192.0.2.8")];
    assert_eq!(sign_in(&overview, "Ann", PASSWORD, &ann).status, 303);
}

#[test]
fn a_password_that_is_easy_to_guess_is_rejected_with_the_reason() {
    let overview = Running::guarded();
    let code = overview.setup_code();
    for (password, why) in [
        ("passwordpassword", "repeats"),
        ("clusteroverview", "little more than a name"),
        ("annabel.miller", "little more than a name"),
        ("password1234", "easy to guess"),
    ] {
        let form = format!("name=Annabel+Miller&password={password}&code={code}");
        let answer = overview.send("POST", "/sign-in", &[FORM, OWN], form.as_bytes());
        assert_eq!(answer.status, 422, "{password}");
        assert!(alert(&answer).contains(why), "{password}: {}", alert(&answer));
    }
    with_ann(&overview);
}

#[test]
fn the_audit_log_can_be_searched_only_for_short_texts() {
    let overview = Running::guarded();
    let admin = overview.token("admin");
    let ask = |path: &str| overview.send("GET", path, &bearer_headers(&admin), &[]);
    let long = "a".repeat(201);
    for (path, field) in [
        (format!("/api/v1/audit?text={long}"), "text"),
        (format!("/api/v1/audit?action={long}"), "action"),
        ("/api/v1/audit?limit=1001".to_owned(), "limit"),
    ] {
        let refused = ask(&path);
        assert_eq!(refused.status, 422, "{path}");
        assert_eq!(refused.body["errors"][0]["field"], field);
    }
    assert_eq!(ask(&format!("/api/v1/audit?text={}", &long[..200])).status, 200);
    assert_eq!(ask(&format!("/api/v1/audit?text={}", "%C3%BC".repeat(200))).status, 200);
    let page = ask(&format!("/audit?text={long}"));
    let text = page.body.as_str().unwrap();
    assert_eq!(page.status, 200);
    assert!(text.contains("longer than 200 characters") && !text.contains(&long), "{text}");
}

/// Opens a stream. Returns whether it was accepted.
fn listen(overview: &Running, token: &str, cursor: &str) -> (TcpStream, String) {
    let address = overview.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!(
        "GET /api/v1/stream?cursor={cursor} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut line = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    reader.read_line(&mut line).unwrap();
    if !line.contains(" 200 ") {
        let mut rest = vec![0; 2_000];
        let read = reader.read(&mut rest).unwrap();
        line.push_str(&String::from_utf8_lossy(&rest[..read]));
    }
    (stream, line)
}

#[test]
fn one_token_can_read_fifty_streams_at_once_and_must_poll_beyond_that() {
    let overview = Running::guarded();
    let (viewer, other) = (overview.token("viewer"), overview.token("viewer"));
    let cursor = overview.poll(&bearer_headers(&viewer), "").cursor;
    let mut streams: Vec<_> = (0..50).map(|_| listen(&overview, &viewer, &cursor)).collect();
    assert!(streams.iter().all(|(_, line)| line.contains(" 200 ")));
    let (_, refused) = listen(&overview, &viewer, &cursor);
    assert!(refused.contains(" 429 ") && refused.contains("50 event streams"), "{refused}");
    let (_stream, line) = listen(&overview, &other, &cursor);
    assert!(line.contains(" 200 "), "another token has streams of its own: {line}");
    streams.pop();
    let again = (0..400).any(|_| {
        std::thread::sleep(Duration::from_millis(25));
        listen(&overview, &viewer, &cursor).1.contains(" 200 ")
    });
    assert!(again, "what was closed makes room");
}

#[test]
fn a_rejected_body_of_two_megabytes_is_answered_and_forms_must_be_short() {
    let overview = Running::guarded();
    let large = vec![b' '; 2 << 20];
    let nobody = overview.send("POST", "/api/v1/heartbeats", &[], &large);
    assert_eq!(nobody.status, 401);
    let nobody = overview.send("POST", "/api/v1/tokens", &[], &large);
    assert_eq!(nobody.status, 401);
    let admin = overview.token("admin");
    let headers = [bearer_headers(&admin).as_slice(), &[FORM]].concat();
    let form = format!("name={}", "x".repeat(20_000));
    let refused = overview.send("POST", "/access/tokens", &headers, form.as_bytes());
    assert_eq!(refused.status, 413, "{}", refused.body);
    let headers =
        [bearer_headers(&admin).as_slice(), &[("content-type", "application/json")]].concat();
    let cursor = json!({"cursor": "x".repeat(20_000)}).to_string();
    assert_eq!(overview.send("POST", "/fn/overview", &headers, cursor.as_bytes()).status, 413);
    let cursor = json!({"cursor": "x".repeat(2_000)}).to_string();
    let whole = overview.send("POST", "/fn/overview", &headers, cursor.as_bytes());
    assert_eq!(whole.status, 200, "a cursor that is none gets the whole picture");
    let beat = overview.send("POST", "/api/v1/heartbeats", &bearer_headers(TOKEN), &large);
    assert_eq!(beat.status, 413);
}
