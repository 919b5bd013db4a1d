//! Floods from strangers use no memory for long, and do not keep heartbeats out.

use std::io::Write as _;
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use app::packed::unpack;
use app::protocol::OverviewDelta;
use testkit::{DEFAULT_TIMEOUT, Overview, Serve, folder, wait_until_ok};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::Runtime;

/// How much more memory is allowed after a flood.
const MAX_MORE_MEMORY_KB: u64 = 20_000;
/// The memory of all bodies, and of their connections.
const MAX_MORE_MEMORY_DURING_FLOOD_KB: u64 = 100_000;
/// How soon one of many streams is answered.
const STREAM_ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How soon memory is returned after a flood.
const MEMORY_RETURNED_WITHIN: Duration = Duration::from_secs(15);

/// A `serve` with this limit of open files, and more options.
fn with_open_files(files: usize, more: &[&str]) -> Overview {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "ulimit -n \"$0\" && exec \"$@\"", &files.to_string()]);
    Serve::with_options(more).start_with_launcher(shell, folder())
}

fn connect(overview: &Overview) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, overview.port)).unwrap()
}

/// The longest duration of several heartbeats, each over a new connection.
fn slowest_heartbeat(overview: &Overview, sequence: u64) -> Duration {
    let times = (0..10).map(|number| {
        let since = Instant::now();
        assert_eq!(overview.send_heartbeat("web-1", sequence + number).0, 200);
        since.elapsed()
    });
    times.max().unwrap()
}

#[test]
fn names_of_two_megabytes_at_sign_in_do_not_stay_in_memory() {
    let flooded = with_open_files(4_096, &["--auth", "password", "--trusted-proxies", "127.0.0.1"]);
    let sign_in = |number: usize, size: usize| {
        let name = format!("{number}{}", "x".repeat(size));
        // Each request has another client address, so the rate limiter allows it.
        let from = format!("192.0.2.{number}");
        let headers = [
            ("x-forwarded-for", from.as_str()),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let form = format!("name={name}&password=wrong+horse+battery");
        let answer = flooded.send("POST", "/sign-in", &headers, form.as_bytes());
        assert!([401, 429].contains(&answer.status), "{}", answer.status);
    };
    for number in 0..20 {
        sign_in(number, 20);
    }
    let before = flooded.serve.memory_kb();
    for number in 20..200 {
        sign_in(number, 1_900_000);
    }
    let after = flooded.serve.memory_kb();
    assert!(after <= before + MAX_MORE_MEMORY_KB, "{before} kB before, {after} kB after");
}

#[test]
fn rejected_bodies_are_read_and_do_not_stay_in_memory() {
    const CONNECTIONS: usize = 300;
    let flooded = with_open_files(4_096, &["--auth", "password"]);
    slowest_heartbeat(&flooded, 1);
    let before = flooded.serve.memory_kb();
    let runtime = Runtime::new().unwrap();
    let port = flooded.port;
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            runtime.spawn(async move {
                let address = (Ipv4Addr::LOCALHOST, port);
                let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
                let length = 2 << 20;
                let head = format!(
                    "POST /api/v1/heartbeats HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
                );
                stream.write_all(head.as_bytes()).await.unwrap();
                let (mut read, mut write) = stream.split();
                let body = vec![b' '; 64 << 10];
                // All bytes except the last arrive.
                let sending = async {
                    for _ in 0..length / body.len() - 1 {
                        if write.write_all(&body).await.is_err() {
                            return;
                        }
                    }
                    std::future::pending::<()>().await;
                };
                let mut answer = Vec::new();
                tokio::select! {
                    _ = read.read_to_end(&mut answer) => {}
                    () = sending => {}
                }
                String::from_utf8_lossy(&answer).into_owned()
            })
        })
        .collect();
    let mut most = 0;
    while clients.iter().any(|client| !client.is_finished()) {
        most = most.max(flooded.serve.memory_kb());
        std::thread::sleep(Duration::from_millis(20));
    }
    for client in clients {
        let answer = runtime.block_on(client).unwrap();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 401 "), "{answer}");
    }
    assert!(
        most <= before + MAX_MORE_MEMORY_DURING_FLOOD_KB,
        "{before} kB before, {most} kB in between"
    );
    let few = before + MAX_MORE_MEMORY_KB;
    wait_until_ok(&format!("at most {few} kB of memory"), MEMORY_RETURNED_WITHIN, || {
        let after = flooded.serve.memory_kb();
        if after <= few { Ok(()) } else { Err(after) }
    });
}

#[test]
fn heartbeats_are_accepted_while_idle_connections_fill_the_limit() {
    let flooded = with_open_files(300, &[]);
    let alone = slowest_heartbeat(&flooded, 1);
    let mut idle: Vec<TcpStream> = (0..250).map(|_| connect(&flooded)).collect();
    // Some have sent a part of a request.
    for stream in idle.iter_mut().step_by(2) {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n").unwrap();
    }
    // Some send an unauthenticated body and never end it.
    for stream in idle.iter_mut().skip(1).step_by(4) {
        let head =
            "POST /api/v1/heartbeats HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{";
        stream.write_all(head.as_bytes()).unwrap();
    }
    let since = Instant::now();
    let among = slowest_heartbeat(&flooded, 100);
    assert_eq!(flooded.get("/healthz").status, 200);
    idle.extend((0..250).map(|_| connect(&flooded)));
    let again = slowest_heartbeat(&flooded, 200);
    assert!(since.elapsed() < Duration::from_secs(9), "less than the idle timeout");
    let most = alone * 2 + Duration::from_millis(250);
    assert!(among < most && again < most, "{alone:?} alone, {among:?} and {again:?} among them");
}

/// Sets the limit of open files of a process. Open files stay open.
fn allow_open_files(overview: &Overview, files: usize) {
    let (process, limit) = (overview.serve.id().to_string(), format!("--nofile={files}:"));
    let done = Command::new("prlimit").args(["--pid", &process, &limit]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Many times longer than the delay after which it tries to accept again.
const OBSERVED_FOR: Duration = Duration::from_secs(2);

#[test]
fn when_the_system_has_no_more_files_one_log_line_says_so_and_serve_recovers() {
    let overview = Overview::start();
    assert_eq!(overview.send_heartbeat("web-1", 1).0, 200);
    let lines = || overview.log().matches("cannot accept connections").count();
    allow_open_files(&overview, 1);
    let waits = connect(&overview);
    wait_until_ok("the line", DEFAULT_TIMEOUT, || if lines() > 0 { Ok(()) } else { Err("none") });
    let since = Instant::now();
    while since.elapsed() < OBSERVED_FOR {
        assert_eq!(lines(), 1, "{}", overview.log());
        std::thread::sleep(Duration::from_millis(50));
    }
    allow_open_files(&overview, 256);
    drop(waits);
    wait_until_ok("a heartbeat to be taken", DEFAULT_TIMEOUT, || {
        match overview.send_heartbeat("web-1", 2) {
            (200, _) => Ok(()),
            (status, _) => Err(status),
        }
    });
}

#[test]
fn heartbeats_are_accepted_while_streams_fill_their_limit() {
    let flooded = with_open_files(300, &[]);
    let alone = slowest_heartbeat(&flooded, 1);
    let runtime = Runtime::new().unwrap();
    let port = flooded.port;
    let first = flooded.json("POST", "/fn/overview", &serde_json::json!({"cursor": ""}));
    let first: OverviewDelta = unpack(first.body.as_str().unwrap()).unwrap();
    let cursor = first.cursor;
    let ask = format!("GET /api/v1/stream?cursor={cursor} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    // One after the other, because a connection without a request is idle and may be closed for the next.
    let streams: Vec<(tokio::net::TcpStream, String)> = (0..400)
        .map(|_| {
            runtime.block_on(async {
                let address = (Ipv4Addr::LOCALHOST, port);
                let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
                stream.write_all(ask.as_bytes()).await.unwrap();
                let mut answer = vec![0; 12];
                let read =
                    tokio::time::timeout(STREAM_ANSWER_TIMEOUT, stream.read(&mut answer)).await;
                let read = read.map_or(0, |read| read.unwrap_or(0));
                (stream, String::from_utf8_lossy(&answer[..read]).into_owned())
            })
        })
        .collect();
    let count = |status: &str| streams.iter().filter(|(_, line)| line.ends_with(status)).count();
    let (accepted, refused) = (count("200"), count("503"));
    assert!(accepted > 100 && refused > 100, "{accepted} accepted, {refused} refused");
    let among = slowest_heartbeat(&flooded, 100);
    let most = alone * 2 + Duration::from_millis(250);
    assert!(among < most, "{alone:?} alone, {among:?} among them");
}

#[test]
fn an_untrusted_proxy_is_warned_about_once() {
    let flooded = with_open_files(4_096, &["--auth", "password"]);
    for _ in 0..3 {
        let headers = [("x-forwarded-for", "192.0.2.7")];
        assert_eq!(flooded.send("GET", "/healthz", &headers, &[]).status, 200);
    }
    let log = flooded.log();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains(" WARN ")).collect();
    let [warning] = warnings.as_slice() else { panic!("{log}") };
    for part in ["X-Forwarded-For", "127.0.0.1", "--trusted-proxies 127.0.0.1"] {
        assert!(warning.contains(part), "{warning}");
    }
}
