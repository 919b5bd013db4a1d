//! Receivers that answer wrongly, slowly, without end or not at all.

use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use app::cluster::Span;
use cluster_overview::notify::{Channels, NextTry};

use crate::receiver::Receiver;
use crate::{Setup, send, test_message};

const SECRET_PATH: &str = "/services/hidden-part";

/// A channel to this port, with an address that is secret.
fn channel(setup: &Setup, port: u16) -> Channels {
    setup.write("address", &format!("http://127.0.0.1:{port}{SECRET_PATH}"));
    setup.channel("kind = 'slack'\nurl_file = 'address'\nallow_private = true")
}

#[test]
fn an_answer_that_is_no_success_is_said_in_words_and_without_secrets() {
    let day = Span::minutes(24 * 60);
    for (answer, why, next_try) in [
        (
            "HTTP/1.1 500 Oh\r\nContent-Length: 60\r\n\r\nno handler for /services/hidden-part, \u{1b}[31msee\nthe log        ",
            " answered 500: no handler for …, \u{fffd}[31msee the log",
            NextTry::AsPlanned,
        ),
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", " answered 404", NextTry::AsPlanned),
        (
            "HTTP/1.1 410 Gone\r\nContent-Length: 4\r\n\r\nbye!",
            " answered 410: bye!",
            NextTry::Never,
        ),
        (
            "HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
            " answered 429",
            NextTry::NotBefore(Span::seconds(120)),
        ),
        (
            "HTTP/1.1 503 Off\r\nRetry-After: 999999\r\nContent-Length: 0\r\n\r\n",
            " answered 503",
            NextTry::NotBefore(day),
        ),
        (
            "HTTP/1.1 503 Off\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n",
            " answered 503",
            NextTry::AsPlanned,
        ),
        (
            "HTTP/1.1 500 Off\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
            " answered 500",
            NextTry::AsPlanned,
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: https://other.example/hidden-part\r\nContent-Length: 0\r\n\r\n",
            " answered 302, a redirect to https://other.example. Redirects are not followed; change the address of the channel",
            NextTry::AsPlanned,
        ),
        (
            "HTTP/1.1 307 Other\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
            " answered 307, a redirect to another path of",
            NextTry::AsPlanned,
        ),
        ("SSH-2.0-OpenSSH_9.2\r\n", ": its answer is not HTTP", NextTry::AsPlanned),
        ("", ": the connection was closed before an answer came", NextTry::AsPlanned),
        ("HTTP/1.1 200 OK\r\n", ": ", NextTry::AsPlanned),
    ] {
        let (setup, receiver) = (Setup::new(), Receiver::answering(answer));
        let failure = send(&channel(&setup, receiver.port), &test_message()).unwrap_err();
        let said = failure.to_string();
        let beginning = format!("http://127.0.0.1:{}{why}", receiver.port);
        assert!(said.starts_with(&beginning), "{answer:?}: {said}");
        assert!(!said.contains("hidden-part"), "{said}");
        assert_eq!(failure.next_try, next_try, "{answer:?}");
        // One request for each try: nothing is sent again, or to somewhere else.
        receiver.only_request();
    }
}

#[test]
fn a_receiver_that_does_not_listen_is_said_to_refuse() {
    let port = testkit::free_port();
    let failure = send(&channel(&Setup::new(), port), &test_message()).unwrap_err();
    let said = failure.to_string();
    assert_eq!(said, format!("http://127.0.0.1:{port}: the connection was refused"));
}

#[test]
fn a_redirect_to_another_receiver_is_not_followed() {
    let (setup, other) = (Setup::new(), Receiver::accepting());
    let answer =
        format!("HTTP/1.1 308 Moved\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", other.url("/"));
    let receiver = Receiver::answering(&answer);
    send(&channel(&setup, receiver.port), &test_message()).unwrap_err();
    assert!(other.requests().is_empty());
}

#[test]
fn an_answer_that_is_long_or_never_ends_counts_by_its_status_and_is_not_read_to_its_end() {
    let endless = |stream: &mut dyn std::io::Write| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(&[b'x'; 8 << 10]).is_ok() {}
    };
    let (setup, receiver) = (Setup::new(), Receiver::start(endless));
    let since = Instant::now();
    let delivered = send(&channel(&setup, receiver.port), &test_message()).unwrap();
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    assert!(delivered.answer.contains("answered 200: xxx"), "{}", delivered.answer);
    assert!(delivered.answer.len() < 400, "{}", delivered.answer);
    let endless_head = |stream: &mut dyn std::io::Write| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"x-more: and more and more\r\n").is_ok() {}
    };
    let receiver = Receiver::start(endless_head);
    let failure = send(&channel(&setup, receiver.port), &test_message()).unwrap_err();
    assert!(failure.to_string().contains("too many headers"), "{failure}");
}

/// Sends this, and then a byte from time to time until the client hangs up.
fn drip(stream: &mut dyn std::io::Write, beginning: &str) {
    let mut written = stream.write_all(beginning.as_bytes());
    while written.is_ok() {
        thread::sleep(Duration::from_millis(300));
        written = stream.write_all(b"x");
    }
}

/// All at the same time, because each takes as long as the timeout.
#[test]
fn a_receiver_that_is_slow_in_any_way_is_given_up_after_15_seconds() {
    type Answer = fn(&mut dyn std::io::Write);
    let silent: Answer = |_| thread::sleep(Duration::from_mins(1));
    let dripping_head: Answer = |stream| drip(stream, "HTTP/1.1 200 OK\r\n");
    let dripping_body: Answer = |stream| {
        drip(stream, "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n");
    };
    let dripping_error: Answer = |stream| {
        drip(stream, "HTTP/1.1 500 Oh\r\nContent-Length: 9999\r\n\r\n");
    };
    let cases = [
        (silent, Err("no complete answer within 15 s")),
        (dripping_head, Err("")),
        (dripping_body, Ok("answered 200: xxx")),
        (dripping_error, Err("answered 500: xxx")),
    ];
    thread::scope(|scope| {
        for (answer, expected) in cases {
            scope.spawn(move || {
                let (setup, receiver) = (Setup::new(), Receiver::start(answer));
                let since = Instant::now();
                let sent = send(&channel(&setup, receiver.port), &test_message());
                let took = since.elapsed();
                assert!(took < Duration::from_secs(20), "{expected:?} took {took:?}");
                match (sent, expected) {
                    (Ok(delivered), Ok(part)) => assert!(delivered.answer.contains(part)),
                    (Err(failure), Err(part)) => {
                        assert!(failure.to_string().contains(part), "{failure}");
                    }
                    (sent, _) => panic!("{sent:?}, not {expected:?}"),
                }
            });
        }
    });
}

#[test]
fn a_name_with_a_private_address_is_refused_before_anything_is_sent() {
    // It accepts no connection in time if there is one.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let setup = Setup::new();
    setup.write("address", &format!("https://localhost:{port}{SECRET_PATH}"));
    let channels = setup.channel("kind = 'teams'\nurl_file = 'address'");
    let said = send(&channels, &test_message()).unwrap_err().to_string();
    assert!(said.contains("which a channel may not connect to"), "{said}");
    assert!(said.contains("allow_private = true") && !said.contains("hidden-part"), "{said}");
    assert!(listener.accept().is_err(), "somebody has connected");
}
