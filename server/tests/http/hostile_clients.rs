//! Hostile requests over raw sockets: none of them hangs, breaks or gets past the overview.

use std::fmt::Write as _;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Runtime;
use tokio::sync::Barrier;

use crate::harness::{Running, TOKEN, heartbeat};

/// How long a connection may take to end: twice the timeout of the overview.
const END: Duration = Duration::from_secs(20);

fn connect(overview: &Running) -> TcpStream {
    let address = overview.url.strip_prefix("http://").unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(END)).unwrap();
    stream
}

/// Everything that arrives until the overview closes the connection. A reset counts as an end:
/// what was sent after the overview stopped reading is lost.
fn until_closed(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            panic!("still open after {END:?}; it said {:?}", String::from_utf8_lossy(&answer));
        }
        Ok(_) | Err(_) => String::from_utf8_lossy(&answer).into_owned(),
    }
}

/// Sends these bytes, and returns what arrives until the connection is closed.
fn say(overview: &Running, request: &[u8]) -> String {
    let mut stream = connect(overview);
    // The overview may close the connection before all was sent.
    let _ = stream.write_all(request);
    until_closed(stream)
}

fn statuses(answers: &str) -> Vec<u16> {
    let lines = answers.split("HTTP/1.").skip(1);
    lines.map(|line| line.get(2..5).unwrap().parse().unwrap()).collect()
}

/// A request head with these lines.
fn beat(lines: &str) -> String {
    format!(
        "POST /api/v1/heartbeats HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\n{lines}\r\n"
    )
}

/// A complete request that must not be answered as a second one.
fn hidden() -> String {
    let body = heartbeat("smuggled", "web", 1).to_string();
    format!("{}{body}", beat(&format!("Content-Length: {}\r\nConnection: close\r\n", body.len())))
}

#[test]
fn a_body_with_two_lengths_is_rejected_or_ends_the_connection() {
    let overview = Running::start();
    let hidden = hidden();
    let both = hidden.len() + 5;
    for (what, lines, body) in [
        ("two lengths", "Content-Length: 2\r\nContent-Length: 70\r\n".to_owned(), "{}".to_owned()),
        ("a list of lengths", "Content-Length: 2, 70\r\n".to_owned(), "{}".to_owned()),
        ("a length with a sign", "Content-Length: +2\r\n".to_owned(), "{}".to_owned()),
        ("a length below zero", "Content-Length: -2\r\n".to_owned(), "{}".to_owned()),
        (
            "a length beyond numbers",
            format!("Content-Length: {}\r\n", "9".repeat(40)),
            "{}".to_owned(),
        ),
        (
            "a length and chunks",
            format!("Content-Length: {both}\r\nTransfer-Encoding: chunked\r\n"),
            "0\r\n\r\n".to_owned(),
        ),
        (
            "chunks and a length",
            format!("Transfer-Encoding: chunked\r\nContent-Length: {both}\r\n"),
            "0\r\n\r\n".to_owned(),
        ),
        (
            "chunks of an unknown kind",
            "Transfer-Encoding: chunked, xchunked\r\nContent-Length: 5\r\n".to_owned(),
            "0\r\n\r\n".to_owned(),
        ),
        (
            "a broken chunk",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            "zz\r\n{}\r\n0\r\n\r\n".to_owned(),
        ),
    ] {
        let answers = say(&overview, format!("{}{body}{hidden}", beat(&lines)).as_bytes());
        let statuses = statuses(&answers);
        assert!(statuses.len() <= 1, "{what}: one request, answered {statuses:?}");
        assert!(statuses.iter().all(|status| (400..500).contains(status)), "{what}: {answers}");
    }
    let overview = overview.overview();
    assert_eq!(overview["counts"]["servers"], 0, "something got through: {overview:#}");
}

#[test]
fn a_malformed_request_head_is_rejected_and_its_connection_closed() {
    let overview = Running::start();
    let mut many = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n".to_owned();
    for number in 0..10_000 {
        write!(many, "X-{number}: y\r\n").unwrap();
    }
    many.push_str("\r\n");
    let large =
        format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "y".repeat(1 << 20));
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "y".repeat(1 << 20));
    for (what, request) in [
        ("10,000 header lines", many.as_bytes()),
        ("a header of 1 MiB", large.as_bytes()),
        ("an address of 1 MiB", long.as_bytes()),
        ("a blank before the colon", b"GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n"),
        ("a bare CR", b"GET /healthz HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n"),
        ("a NUL", b"GET /healthz HTTP/1.1\r\nHost: local\0host\r\n\r\n"),
        ("a folded line", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n X: y\r\n\r\n"),
        ("no version", b"GET /healthz\r\n\r\n"),
        ("a version of its own", b"GET /healthz HTTP/7.3\r\nHost: localhost\r\n\r\n"),
        ("another protocol", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ] {
        let answers = say(&overview, request);
        let statuses = statuses(&answers);
        assert!(
            statuses.iter().all(|status| (400..500).contains(status)) && statuses.len() <= 1,
            "{what}: {answers}"
        );
    }
    assert_eq!(overview.get("/healthz").status, 200);
}

#[test]
fn a_bare_line_feed_ends_a_header_line_and_hides_nothing() {
    let overview = Running::start();
    // A client that takes a line feed as part of a value sees one request here. So does the overview, and
    // a proxy in front cannot have let a hidden request pass.
    let answers = say(
        &overview,
        b"GET /healthz HTTP/1.1\r\nHost: localhost\nConnection: close\r\n\r\nDELETE / HTTP/1.1\r\n\r\n",
    );
    assert_eq!(statuses(&answers), [200], "{answers}");
    let chunked = format!("{}2\n{{}}\n0\n\n", beat("Transfer-Encoding: chunked\r\n"));
    let answers = say(&overview, chunked.as_bytes());
    let statuses = statuses(&answers);
    assert!(statuses.iter().all(|status| (400..500).contains(status)), "{answers}");
}

#[test]
fn a_request_without_a_host_or_with_two_does_not_count_as_loopback() {
    let overview = Running::start();
    for request in [
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    ] {
        let answers = say(&overview, request.as_bytes());
        assert_eq!(statuses(&answers), [403], "{request:?}: {answers}");
    }
}

#[test]
fn a_client_that_never_finishes_its_request_is_disconnected() {
    let overview = Running::start();
    let half = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
    let kept = format!("{half}\r\n");
    let body = beat("Content-Length: 100\r\n") + "{";
    let told = std::thread::scope(|scope| {
        let asked = [("", 0), (half, 0), (kept.as_str(), 200), (body.as_str(), 408)];
        let waiting: Vec<_> = asked
            .into_iter()
            .map(|(said, status)| {
                let overview = &overview;
                let answers = scope.spawn(move || {
                    let since = Instant::now();
                    (say(overview, said.as_bytes()), since.elapsed())
                });
                (said, status, answers)
            })
            .collect();
        waiting
            .into_iter()
            .map(|(said, status, it)| (said, status, it.join().unwrap()))
            .collect::<Vec<_>>()
    });
    for (said, status, (answers, after)) in told {
        let statuses = statuses(&answers);
        let first = statuses.first().copied().unwrap_or(0);
        // Both are right: closing without a response, or with 408.
        assert!(first == status || (status == 0 && first == 408), "{said:?}: {answers}");
        assert!(after < END, "{said:?}: after {after:?}");
    }
}

/// How many clients send their body at one byte a second.
const SLOW: usize = 1_000;
/// So many of them are there at a time, also if a busy machine takes longer to accept all of them than it lets each stay.
const MANY: usize = 100;

#[test]
fn a_thousand_slow_clients_do_not_delay_other_requests() {
    let overview = Running::start();
    let address = overview.url.strip_prefix("http://").unwrap().to_owned();
    let runtime = Runtime::new().unwrap();
    let all_connected = Arc::new(Barrier::new(SLOW + 1));
    let slow: Vec<_> = (0..SLOW)
        .map(|_| {
            let (address, all_connected) = (address.clone(), Arc::clone(&all_connected));
            runtime.spawn(async move {
                let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
                all_connected.wait().await;
                let head = beat("Content-Length: 1000\r\n");
                stream.write_all(head.as_bytes()).await.unwrap();
                let (mut read, mut write) = stream.split();
                let mut answer = Vec::new();
                let trickle = async {
                    let mut seconds = tokio::time::interval(Duration::from_secs(1));
                    loop {
                        seconds.tick().await;
                        if write.write_all(b" ").await.is_err() {
                            return std::future::pending::<()>().await;
                        }
                    }
                };
                tokio::select! {
                    _ = read.read_to_end(&mut answer) => {}
                    () = trickle => {}
                    () = tokio::time::sleep(END) => panic!("still open after {END:?}"),
                }
                String::from_utf8_lossy(&answer).into_owned()
            })
        })
        .collect();
    runtime.block_on(all_connected.wait());
    let (mut sequence, mut answered_meanwhile) = (0, 0);
    while slow.iter().any(|client| !client.is_finished()) {
        sequence += 1;
        assert_eq!(overview.beat(&heartbeat("web-1", "web", sequence)).status, 200);
        for path in ["/healthz", "/readyz", "/", "/api/v1/overview"] {
            assert_eq!(overview.get(path).status, 200, "{path}");
            let there = slow.iter().filter(|client| !client.is_finished()).count();
            answered_meanwhile += i32::from(there >= MANY);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    assert!(answered_meanwhile > 0, "others were answered while many slow ones were there");
    for client in slow {
        let answer = runtime.block_on(client).unwrap();
        // A client that goes on sending after the response may get a reset instead of it.
        assert!(statuses(&answer).iter().all(|status| *status == 408), "{answer}");
    }
    assert_eq!(overview.overview()["counts"]["servers"], 1);
}

/// Longer than the timeout of a stalled body, and shorter than the one of a request.
const STALL_NOTICED: Duration = Duration::from_secs(8);

#[test]
fn a_stalled_body_is_rejected_long_before_the_request_timeout() {
    let overview = Running::start();
    let size = 1 << 20;
    let almost_all = beat(&format!("Content-Length: {size}\r\n")) + &" ".repeat(size - 1);
    let mut stream = connect(&overview);
    stream.write_all(almost_all.as_bytes()).unwrap();
    let since = Instant::now();
    let answer = until_closed(stream);
    assert!(since.elapsed() < STALL_NOTICED, "after {:?}", since.elapsed());
    assert_eq!(statuses(&answer), [408], "{answer}");
    for words in ["less than 1 KiB", "connection: close"] {
        assert!(answer.contains(words), "{words} in {answer}");
    }
}

#[test]
fn a_body_that_arrives_slowly_and_steadily_is_accepted() {
    let overview = Running::start();
    let body = format!("{:<7168}", heartbeat("web-1", "web", 1).to_string());
    let mut stream = connect(&overview);
    let head = beat(&format!("Content-Length: {}\r\nConnection: close\r\n", body.len()));
    stream.write_all(head.as_bytes()).unwrap();
    for part in body.as_bytes().chunks(512) {
        stream.write_all(part).unwrap();
        std::thread::sleep(Duration::from_millis(300));
    }
    let answer = until_closed(stream);
    assert_eq!(statuses(&answer), [200], "{answer}");
}

#[test]
fn a_client_that_never_reads_its_response_is_disconnected() {
    let overview = Running::start();
    let heartbeats: Vec<_> =
        (0..1_000).map(|number| heartbeat(&format!("server-{number}"), "web", 1)).collect();
    assert_eq!(overview.beat(&serde_json::json!(heartbeats)).status, 200);
    let stream = connect(&overview);
    let mut writing = stream.try_clone().unwrap();
    let asked = b"GET /api/v1/overview HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200);
    let sent: std::io::Result<()> = writing.write_all(&asked).and_then(|()| {
        // Network buffers hold some of it. What does not fit into them is never requested.
        writing.set_write_timeout(Some(END))?;
        loop {
            writing.write_all(&asked)?;
        }
    });
    let kind = sent.map_err(|error| error.kind());
    assert!(
        matches!(kind, Err(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)),
        "it was never closed: {kind:?}"
    );
    assert_eq!(overview.get("/healthz").status, 200);
}
