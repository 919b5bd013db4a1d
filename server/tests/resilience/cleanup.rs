//! A thousand clients that come and go leave nothing behind: no socket, no task that holds one, and
//! no memory.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use cluster_overview::auth::secret::SecretHash;
use cluster_overview::messenger::wire::{Channel, shared_key};
use serde_json::{Value, json};
use testkit::{Overview, Process, TOKEN, free_port, heartbeat, program, wait_until_ok, with_field};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
const REPETITIONS: usize = 1_000;
/// How often before measuring, so that everything that is created once exists.
const WARM_UP_REPETITIONS: usize = 200;
/// How much more memory is allowed: a thousand leaks of 2 kB would be more.
const MAX_MORE_MEMORY_KB: u64 = 2_000;
/// How soon everything must be closed.
const CLOSED_WITHIN: Duration = Duration::from_secs(30);

/// Waits until a process has so few sockets again. Other files do not count: SQLite
/// keeps some open that it no longer needs.
fn wait_for_closed_sockets(process: &Process, few: usize) {
    wait_until_ok(&format!("{few} open sockets"), CLOSED_WITHIN, || {
        let open = process.open_sockets();
        if open <= few { Ok(()) } else { Err(open) }
    });
}

/// Runs this many times, and checks that nothing is left in the process.
fn check_nothing_is_left(process: &Process, mut times: impl FnMut(usize)) {
    let few = process.open_sockets();
    times(WARM_UP_REPETITIONS);
    wait_for_closed_sockets(process, few);
    let before = process.memory_kb();
    times(REPETITIONS);
    wait_for_closed_sockets(process, few);
    let after = process.memory_kb();
    assert!(after <= before + MAX_MORE_MEMORY_KB, "{before} kB before, {after} kB after");
}

/// An agent for `db-1` that listens and is known to its overview.
fn listening_agent(overview: &Overview) -> (Process, u16) {
    let free = free_port();
    let agent = overview.start_agent(&program(), "db-1", &["--messenger-port", &free.to_string()]);
    overview.wait_for_picture(|picture| {
        picture["servers"][0]["components"][0]["messenger"]["state"] == "connected"
    });
    (agent, free)
}

#[test]
fn a_service_keeps_no_memory_or_files_of_clients_that_connect_and_drop() {
    let overview = Overview::start();
    let (agent, port) = listening_agent(&overview);
    let says: [&[u8]; 5] =
        [b"", b"COM", b"COMSGR\x01", b"COMSGR\x01\x00\x30abc", b"GET / HTTP/1.1\r\n\r\n"];
    check_nothing_is_left(&agent, |times| {
        for number in 0..times {
            let mut line = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
            let said = says[number % says.len()];
            line.write_all(said).unwrap();
            if number % 3 == 0 && said.starts_with(b"GET") {
                // A client that sends no greeting is disconnected without a response.
                assert_eq!(line.read(&mut [0; 64]).unwrap_or(0), 0);
            }
        }
    });
}

#[test]
fn a_web_server_keeps_no_memory_or_files_of_services_that_answer_and_drop() {
    const GROUP_SIZE: usize = 50;
    // A service that drops is dialled less and less often, so many take turns.
    const GROUPS: usize = 8;
    let name = |group: usize, number: usize| format!("node-{}", group * GROUP_SIZE + number);
    let overview = Overview::start();
    let runtime = Runtime::new().unwrap();
    let dropped = Arc::new(AtomicUsize::new(0));
    let ports: Vec<u16> = (0..GROUP_SIZE)
        .map(|number| {
            let socket = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
            let port = socket.local_addr().unwrap().port();
            let key = |group| shared_key(&SecretHash::new(TOKEN), &name(group, number));
            let keys: Vec<_> = (0..GROUPS).map(key).collect();
            let dropped = Arc::clone(&dropped);
            runtime.spawn(async move {
                while let Ok((line, _)) = socket.accept().await {
                    let _ = Channel::answer(line, &keys).await;
                    dropped.fetch_add(1, Ordering::Relaxed);
                }
            });
            port
        })
        .collect();
    let sequence = AtomicI64::new(0);
    let say = |group: usize, leaving: bool| {
        let sequence = sequence.fetch_add(1, Ordering::Relaxed);
        let beat = |(number, port): (usize, &u16)| {
            let beat = heartbeat(&name(group, number), "service", sequence);
            let beat = with_field(
                with_field(beat, "ip", json!("127.0.0.1")),
                "messenger_port",
                json!(port),
            );
            with_field(beat, "leaving", json!(leaving))
        };
        let beats: Vec<Value> = ports.iter().enumerate().map(beat).collect();
        assert_eq!(overview.post_heartbeats(&json!(beats)).status, 200);
    };
    let come_and_go = |group: usize| {
        let wanted = dropped.load(Ordering::Relaxed) + GROUP_SIZE;
        say(group, false);
        wait_until_ok(&format!("{wanted} dropped connections"), CLOSED_WITHIN, || {
            let so_far = dropped.load(Ordering::Relaxed);
            if so_far >= wanted { Ok(()) } else { Err(so_far) }
        });
        say(group, true);
    };
    // The database connections are open, and all servers are known.
    (0..GROUPS).for_each(|group| say(group, true));
    (0..GROUPS).for_each(come_and_go);
    let mut groups = (0..GROUPS).cycle();
    check_nothing_is_left(&overview.serve, |times| {
        groups.by_ref().take(times / GROUP_SIZE).for_each(come_and_go);
    });
}

#[test]
fn a_web_server_keeps_no_memory_or_files_of_readers_that_come_and_go() {
    let overview = Overview::start();
    overview.send_heartbeat("web-1", 1);
    check_nothing_is_left(&overview.serve, |times| {
        for _ in 0..times {
            let mut reader = TcpStream::connect((Ipv4Addr::LOCALHOST, overview.port)).unwrap();
            let ask = overview.request(("GET", "/api/v1/stream", true), &[], "");
            reader.write_all(ask.as_bytes()).unwrap();
            assert!(reader.read(&mut [0; 256]).unwrap() > 0);
        }
    });
}
