//! SMTP servers that fall silent, refuse, or answer without end, at each step.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use cluster_overview::notify::Channels;

use crate::receiver::Receiver;
use crate::{Setup, send, test_message};

/// The beginning of each command, and how a server answers it.
const STEPS: [(&str, &str); 6] = [
    ("", "220 smtp.example ready"),
    ("EHLO", "250 smtp.example"),
    ("MAIL", "250 ok"),
    ("RCPT", "250 ok"),
    ("DATA", "354 go on"),
    (".", "250 queued"),
];

/// What the failure at each step is called.
const NAMES: [&str; 6] = [
    "the greeting and EHLO",
    "the greeting and EHLO",
    "MAIL FROM",
    "RCPT TO",
    "DATA",
    "the e-mail",
];

/// A server that behaves at this step as `misbehave` says, and well before.
fn server(step: usize, misbehave: fn(&mut TcpStream)) -> Receiver {
    Receiver::serve(move |mut stream, _| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        for (place, (command, answer)) in STEPS.iter().enumerate() {
            let mut received = lines.by_ref().map_while(Result::ok);
            if place > 0 && !received.any(|line| line.starts_with(command)) {
                return;
            }
            if place == step {
                misbehave(&mut stream);
                return;
            }
            if stream.write_all(format!("{answer}\r\n").as_bytes()).is_err() {
                return;
            }
        }
    })
}

fn channel(setup: &Setup, port: u16) -> Channels {
    setup.channel(&format!(
        "kind = 'email'\nsmtp_host = '127.0.0.1'\nsmtp_port = {port}\nsmtp_tls = 'none'\n\
         allow_private = true\nmail_from = 'a@example.com'\nmail_to = ['b@example.com']"
    ))
}

/// What is said of a server that misbehaves at each step, all at the same time.
fn failures(misbehave: fn(&mut TcpStream)) -> Vec<String> {
    thread::scope(|scope| {
        let sending: Vec<_> = (0..STEPS.len())
            .map(|step| {
                scope.spawn(move || {
                    let (setup, server) = (Setup::new(), server(step, misbehave));
                    let failure = send(&channel(&setup, server.port), &test_message());
                    let said = failure.unwrap_err().to_string();
                    let beginning = format!("127.0.0.1:{}, {}: ", server.port, NAMES[step]);
                    said.strip_prefix(&beginning)
                        .unwrap_or_else(|| panic!("{said}, not {beginning}"))
                        .to_owned()
                })
            })
            .collect();
        sending.into_iter().map(|sent| sent.join().unwrap()).collect()
    })
}

#[test]
fn a_server_that_falls_silent_at_any_step_is_given_up_after_15_seconds() {
    let since = Instant::now();
    let failures = failures(|_| thread::sleep(Duration::from_mins(1)));
    assert_eq!(failures, vec!["no answer within 15 s"; STEPS.len()]);
    assert!(since.elapsed() < Duration::from_secs(25), "{:?}", since.elapsed());
}

#[test]
fn what_a_server_refuses_at_any_step_is_said_in_its_words() {
    let failures = failures(|stream| {
        let _ = stream.write_all(b"554 5.7.1 go \x1b[31maway\r\n");
    });
    assert_eq!(failures, vec!["permanent error (554): 5.7.1 go \u{fffd}[31maway"; STEPS.len()]);
}

#[test]
fn a_server_that_hangs_up_at_any_step_is_a_failure() {
    for failure in failures(|_| {}) {
        let is_said = ["incomplete response", "closed before an answer"];
        assert!(is_said.iter().any(|said| failure.contains(said)), "{failure}");
    }
}

#[test]
fn a_server_that_answers_without_end_is_cut_off() {
    let since = Instant::now();
    let failures = failures(|stream| while stream.write_all(&[b'2'; 8 << 10]).is_ok() {});
    assert_eq!(failures, vec!["it answered more than 256 kB"; STEPS.len()]);
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());
}

#[test]
fn an_answer_that_somebody_adds_before_the_encryption_begins_is_not_taken_for_the_servers() {
    let server = Receiver::serve(|mut stream, _| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        for answer in [
            "220 smtp.example ready\r\n",
            "250-smtp.example\r\n250 STARTTLS\r\n",
            "220 go on\r\n250 this is no answer of the server\r\n",
        ] {
            stream.write_all(answer.as_bytes()).unwrap();
            let _ = lines.next();
        }
    });
    let setup = Setup::new();
    let channels = setup.channel(&format!(
        "kind = 'email'\nsmtp_host = '127.0.0.1'\nsmtp_port = {}\nallow_private = true\n\
         mail_from = 'a@example.com'\nmail_to = ['b@example.com']",
        server.port
    ));
    let said = send(&channels, &test_message()).unwrap_err().to_string();
    assert!(said.contains(", STARTTLS: TLS failed: received corrupt message"), "{said}");
}

#[test]
fn a_server_with_a_private_address_is_refused_before_it_is_connected_to() {
    let (setup, server) = (Setup::new(), server(0, |_| {}));
    let channels = setup.channel(&format!(
        "kind = 'email'\nsmtp_host = 'localhost'\nsmtp_port = {}\n\
         mail_from = 'a@example.com'\nmail_to = ['b@example.com']",
        server.port
    ));
    let said = send(&channels, &test_message()).unwrap_err().to_string();
    assert!(said.contains("which a channel may not connect to"), "{said}");
}
