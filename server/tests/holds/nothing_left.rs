//! Whoever comes and goes a thousand times leaves nothing behind: no socket, no task that holds one, and
//! no memory.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cluster_overview::access::secret::Hash;
use cluster_overview::messenger::wire::{Channel, shared_key};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::process::{Overview, PROGRAM, TOKEN, agent};

/// How often.
const TIMES: usize = 1_000;
/// So often before, so that what is made once is there.
const BEFORE: usize = 200;
/// What the memory may differ by, which a thousand of anything would be more than: 2 kB each.
const SAME_MEMORY_KB: u64 = 2_000;
/// Within so much everything is over.
const OVER: Duration = Duration::from_secs(30);

/// How many sockets, and the like that have no path, a process has open. Its files are no business of
/// who comes and goes: SQLite keeps one that it is done with until it may close it, sooner or later.
fn sockets(process: u32) -> usize {
    let open = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    let points_to = |file: fs::DirEntry| fs::read_link(file.path()).ok();
    open.filter_map(|file| points_to(file.unwrap())).filter(|to| to.is_relative()).count()
}

/// What it holds of memory.
fn memory_kb(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

/// Waits until a process has so few sockets again.
fn has_let_go(process: u32, few: usize) {
    let since = Instant::now();
    while sockets(process) > few {
        assert!(since.elapsed() < OVER, "{} sockets, and there were {few}", sockets(process));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Has it come and go, and sees that nothing is left of it in the process.
fn nothing_is_left(process: u32, mut times: impl FnMut(usize)) {
    let few = sockets(process);
    times(BEFORE);
    has_let_go(process, few);
    let before = memory_kb(process);
    times(TIMES);
    has_let_go(process, few);
    let after = memory_kb(process);
    assert!(after <= before + SAME_MEMORY_KB, "{before} kB before, {after} kB after");
}

/// An agent for `db-1` that listens, once its overview has heard of it.
fn listening_agent(overview: &Overview) -> (Child, u16) {
    let free = std::net::TcpListener::bind("[::]:0").unwrap().local_addr().unwrap().port();
    let agent = Command::new(PROGRAM)
        .args(["agent", "--name", "db-1", "--overview", &overview.url(""), "--token-file"])
        .arg(overview.folder.join("token"))
        .args(["--messenger-port", &free.to_string()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    overview.picture_when(|picture| {
        picture["servers"][0]["components"][0]["messenger"]["state"] == "connected"
    });
    (agent, free)
}

#[test]
fn a_service_keeps_nothing_of_whoever_connects_and_drops() {
    let overview = Overview::start();
    let (mut agent, port) = listening_agent(&overview);
    let says: [&[u8]; 5] =
        [b"", b"COM", b"COMSGR\x01", b"COMSGR\x01\x00\x30abc", b"GET / HTTP/1.1\r\n\r\n"];
    nothing_is_left(agent.id(), |times| {
        for number in 0..times {
            let mut line = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            let said = says[number % says.len()];
            line.write_all(said).unwrap();
            if number % 3 == 0 && said.starts_with(b"GET") {
                // Who does not greet is hung up on, without a word.
                assert_eq!(line.read(&mut [0; 64]).unwrap_or(0), 0);
            }
        }
    });
    agent.kill().unwrap();
    agent.wait().unwrap();
}

#[test]
fn a_web_server_keeps_nothing_of_services_that_answer_and_drop() {
    const SERVICES: usize = 50;
    let overview = Overview::start();
    let runtime = Runtime::new().unwrap();
    let dropped = Arc::new(AtomicUsize::new(0));
    let ports: Vec<u16> = (0..SERVICES)
        .map(|number| {
            let socket = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
            let port = socket.local_addr().unwrap().port();
            let key = shared_key(&Hash::of(TOKEN), &format!("node-{number}"));
            let dropped = Arc::clone(&dropped);
            runtime.spawn(async move {
                while let Ok((line, _)) = socket.accept().await {
                    let _ = Channel::answer(line, &[key]).await;
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
            });
            port
        })
        .collect();
    let sequence = AtomicUsize::new(0);
    let say = |leaving: bool| {
        let sequence = sequence.fetch_add(1, Ordering::Relaxed);
        let beat = |(number, port): (usize, &u16)| {
            json!({
                "server": format!("node-{number}"), "role": "service", "version": "2026.2.1",
                "ip": "127.0.0.1", "os": {"name": "Debian GNU/Linux", "version": "12"},
                "boot_id": "0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11", "sequence": sequence,
                "messenger_port": port, "leaving": leaving
            })
        };
        let beats: Vec<_> = ports.iter().enumerate().map(beat).collect();
        let post = agent().post(overview.url("/api/v1/heartbeats"));
        let post = post.header("authorization", format!("Bearer {TOKEN}"));
        let answer = post.header("content-type", "application/json").send(json!(beats).to_string());
        assert_eq!(answer.unwrap().status(), 200);
    };
    // The pool of the database's connections is there.
    say(true);
    nothing_is_left(overview.serve.id(), |times| {
        let wanted = dropped.load(Ordering::Relaxed) + times;
        let since = Instant::now();
        say(false);
        while dropped.load(Ordering::Relaxed) < wanted {
            assert!(since.elapsed() < OVER, "{} of {wanted}", dropped.load(Ordering::Relaxed));
            std::thread::sleep(Duration::from_millis(20));
        }
        say(true);
    });
}

#[test]
fn a_web_server_keeps_nothing_of_readers_that_come_and_go() {
    let overview = Overview::start();
    overview.beat("web-1", 1);
    nothing_is_left(overview.serve.id(), |times| {
        for _ in 0..times {
            let mut reader = TcpStream::connect((Ipv4Addr::LOCALHOST, overview.port)).unwrap();
            let host = format!("127.0.0.1:{}", overview.port);
            let ask = format!("GET /api/v1/stream HTTP/1.1\r\nHost: {host}\r\n\r\n");
            reader.write_all(ask.as_bytes()).unwrap();
            assert!(reader.read(&mut [0; 256]).unwrap() > 0);
        }
    });
}
