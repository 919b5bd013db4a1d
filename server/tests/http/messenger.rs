//! What does an admin see of service messengers, and what happens to programs that dial or listen wrongly?

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cluster_overview::auth::secret::SecretHash;
use cluster_overview::auth::{AuthMode, AuthPolicy};
use cluster_overview::messenger::wire::{Channel, shared_key};
use cluster_overview::messenger::{DialLoopback, MessengerListener};
use serde_json::{Value, json};
use testkit::{DEFAULT_TIMEOUT, wait_until_ok};
use tokio::runtime::Runtime;

use crate::harness::{Running, TOKEN, bearer_headers, component, heartbeat, with_field};

/// A service that listens, and beats for itself.
struct Service {
    listener: Option<MessengerListener>,
    runtime: Runtime,
    port: u16,
}

impl Service {
    fn bearing(secret: &str, server: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(MessengerListener::open(0, server));
        listener.set_secret(secret);
        Self { port: listener.port().unwrap(), listener: Some(listener), runtime }
    }

    /// It is gone, and its connections with it.
    fn end(&mut self) {
        let listener = self.listener.take();
        self.runtime.block_on(async { drop(listener) });
    }
}

fn announcing(server: &str, sequence: i64, port: u16) -> Value {
    let beat = with_field(heartbeat(server, "service", sequence), "messenger_port", json!(port));
    with_field(beat, "ip", json!("127.0.0.1"))
}

fn messenger<'a>(overview: &'a Value, server: &str) -> &'a Value {
    component(overview, server, "service").map_or(&Value::Null, |service| &service["messenger"])
}

/// The overview once a server's messenger is in this state, for this reason.
fn found(overview: &Running, server: &str, state: &str, reason: Option<&str>) -> Value {
    let seen = overview.overview_when(|all| {
        let messenger = messenger(all, server);
        messenger["state"] == state && messenger["reason"] == json!(reason)
    });
    messenger(&seen, server).clone()
}

/// A program that is no messenger: what it does with each who connects.
fn program(answers: impl Fn(&mut std::net::TcpStream) + Send + Copy + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            thread::spawn(move || answers(&mut client));
        }
    });
    port
}

#[test]
fn a_service_that_listens_is_connected_and_one_whose_process_dies_is_lost_at_once_but_not_stale() {
    let overview = Running::dialling(AuthPolicy::open());
    let mut service = Service::bearing(TOKEN, "DB-1");
    overview.beat(&announcing("db-1", 1, service.port));
    let connected = found(&overview, "db-1", "connected", None);
    assert_eq!(connected["seen_by"], "overview");
    assert_eq!(connected["port"], service.port);
    service.end();
    overview.overview_when(|all| messenger(all, "db-1")["state"] == "connecting");
    let refused = found(&overview, "db-1", "unreachable", Some("refused"));
    assert!(refused["since"].as_str() >= connected["since"].as_str());
    let all = overview.overview();
    let component = component(&all, "db-1", "service").unwrap();
    assert_eq!((&component["pulse"], &component["health"]), (&json!("alive"), &json!("ok")));
    let hint = &all["hints"][0];
    assert_eq!((&hint["id"], &hint["severity"]), (&json!("messenger-unreachable"), &json!("info")));
    let said = hint.to_string();
    assert!(said.contains(&service.port.to_string()) && said.contains("db-1"), "{said}");
}

#[test]
fn what_a_service_says_is_known_before_its_next_heartbeat_and_only_of_itself() {
    let overview = Running::dialling(AuthPolicy::open());
    let service = Service::bearing(TOKEN, "db-1");
    overview.beat(&announcing("db-1", 1, service.port));
    overview.beat(&announcing("db-2", 1, 1));
    found(&overview, "db-1", "connected", None);
    let listener = service.listener.as_ref().unwrap();
    let foreign = with_field(announcing("db-2", 9, 1), "version", json!("0"));
    listener.publish(&foreign);
    listener.publish(&json!("nothing that could be read"));
    let leaving = with_field(announcing("db-1", 2, service.port), "leaving", json!(true));
    listener.publish(&leaving);
    let all = overview.overview_when(|all| {
        component(all, "db-1", "service").is_some_and(|service| service["pulse"] == "stopped")
    });
    assert_eq!(*messenger(&all, "db-1"), Value::Null, "nobody dials what has stopped");
    let other = component(&all, "db-2", "service").unwrap();
    assert_ne!(other["version"], "0", "a service speaks for itself alone");
}

#[test]
fn whatever_else_listens_on_the_port_is_told_by_what_it_does() {
    let overview = Running::dialling(AuthPolicy::open());
    let http = program(|client| {
        let _ = client.read(&mut [0; 64]);
        let _ = client.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    });
    let noise = program(|client| while client.write_all(&[0x5a; 4_096]).is_ok() {});
    let closes = program(|client| {
        let _ = client.read(&mut [0; 1]);
    });
    let silent = program(|client| while matches!(client.read(&mut [0; 64]), Ok(1..)) {});
    let later = program(|client| {
        let _ = client.read(&mut [0; 7]);
        let _ = client.write_all(b"COMSGR\x02\x02");
        let _ = client.shutdown(Shutdown::Write);
        thread::sleep(Duration::from_secs(1));
    });
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let stranger = Service::bearing("another token", "wrong");
    let cases = [
        ("http", http, "not_a_messenger"),
        ("noise", noise, "not_a_messenger"),
        ("closes", closes, "not_a_messenger"),
        ("silent", silent, "timed_out"),
        ("later", later, "protocol"),
        ("nobody", nobody, "refused"),
        ("wrong", stranger.port, "wrong_key"),
    ];
    for (server, port, _) in cases {
        overview.beat(&announcing(server, 1, port));
    }
    overview.beat(&with_field(announcing("here", 1, 9), "ip", json!("169.254.169.254")));
    for (server, _, reason) in cases {
        found(&overview, server, "unreachable", Some(reason));
    }
    found(&overview, "here", "unreachable", Some("unreachable"));
    assert_eq!(overview.overview()["health"], "ok", "no health changes for it");
}

#[test]
fn an_admin_reconnects_and_is_told_what_came_of_that_very_trial() {
    let overview = Running::dialling(AuthPolicy::new(AuthMode::Password));
    let (admin, viewer) = (overview.token("admin"), overview.token("viewer"));
    let look = || overview.send("GET", "/api/v1/overview", &bearer_headers(&admin), b"").body;
    let dial = |server: &str, token: &str| {
        let path = format!("/api/v1/servers/{server}/reconnect");
        overview.send("POST", &path, &bearer_headers(token), b"")
    };
    let mut first = Service::bearing(TOKEN, "db-1");
    let port = first.port;
    overview.beat(&announcing("db-1", 1, port));
    assert_eq!(dial("db-1", &viewer).status, 403);
    let unknown = dial("db-9", &admin);
    assert_eq!(unknown.status, 404, "{:?}", unknown.body);
    first.end();
    let gone = |all: &Value| messenger(all, "db-1")["reason"] == "refused";
    wait_until_ok("the service to be gone", DEFAULT_TIMEOUT, || {
        let all = look();
        if gone(&all) { Ok(()) } else { Err(format!("{all:#}")) }
    });
    let refused = dial("DB-1", &admin);
    assert_eq!(refused.status, 200);
    assert_eq!(refused.body["messenger"]["reason"], "refused");
    let again = dial("db-1", &admin);
    assert_eq!((again.status, again.header("retry-after")), (429, "5"));
    // Somebody opens the port.
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(MessengerListener::open(port, "db-1"));
    assert_eq!(listener.port(), Some(port));
    listener.set_secret(TOKEN);
    let connected = wait_until_ok("the next trial to be allowed", DEFAULT_TIMEOUT, || {
        let answer = dial("db-1", &admin);
        if answer.status == 429 { Err(answer.body) } else { Ok(answer) }
    });
    assert_eq!(connected.body["messenger"]["state"], "connected");
    assert_eq!(*messenger(&look(), "db-1"), connected.body["messenger"]);
    let lines = overview.audit(&admin);
    let outcomes: Vec<&Value> = lines
        .iter()
        .filter(|line| line["action"] == "reconnect")
        .map(|line| &line["outcome"])
        .collect();
    assert_eq!(outcomes, ["connected", "connection refused"]);
}

/// A program on this machine that nobody meant to be dialled: its port, and how often somebody connected.
fn bystander() -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::<AtomicU32>::default();
    let counter = Arc::clone(&connections);
    thread::spawn(move || {
        for _ in listener.incoming().flatten() {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    (port, connections)
}

#[test]
fn what_a_node_behind_a_proxy_names_on_the_overviews_own_machine_is_not_dialled() {
    let overview = Running::dialling(AuthPolicy::open());
    let (port, connections) = bystander();
    let own_address = ["127.0.0.1", "127.0.0.2", "::1"];
    for (number, ip) in own_address.into_iter().enumerate() {
        let server = format!("db-{number}");
        let beat = with_field(announcing(&server, 1, port), "ip", json!(ip));
        assert_eq!(overview.beat_by_proxy(&beat).status, 200);
        found(&overview, &server, "unreachable", Some("unreachable"));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0, "nobody came");
    // The overview's own listener is never dialled, even if a server reports its address.
    let own: u16 = overview.url.rsplit(':').next().unwrap().parse().unwrap();
    overview.beat(&announcing("itself", 1, own));
    found(&overview, "itself", "unreachable", Some("unreachable"));
}

#[test]
fn a_service_of_this_machine_is_dialled_once_it_says_so_itself() {
    let overview = Running::dialling(AuthPolicy::open());
    let service = Service::bearing(TOKEN, "db-1");
    overview.beat_by_proxy(&announcing("db-1", 1, service.port));
    found(&overview, "db-1", "unreachable", Some("unreachable"));
    overview.beat(&announcing("db-1", 2, service.port));
    found(&overview, "db-1", "connected", None);
    // What is known of this start stays known, also where it is passed on the next time.
    overview.beat_by_proxy(&announcing("db-1", 3, service.port));
    found(&overview, "db-1", "connected", None);
    // Another port is another claim.
    let (port, connections) = bystander();
    overview.beat_by_proxy(&announcing("db-1", 4, port));
    found(&overview, "db-1", "unreachable", Some("unreachable"));
    assert_eq!(connections.load(Ordering::SeqCst), 0, "nobody came");
}

#[test]
fn an_option_says_that_all_services_on_this_machine_are_dialled_or_none() {
    let all = Running::dialling_here(DialLoopback::All);
    let service = Service::bearing(TOKEN, "db-1");
    all.beat_by_proxy(&announcing("db-1", 1, service.port));
    found(&all, "db-1", "connected", None);
    let none = Running::dialling_here(DialLoopback::None);
    none.beat(&announcing("db-1", 1, service.port));
    found(&none, "db-1", "unreachable", Some("unreachable"));
}

/// A service that shares the key, greets, and hangs up: its port, and how often it was dialled.
fn hangs_up(server: &str) -> (Runtime, u16, Arc<AtomicU32>) {
    let runtime = Runtime::new().unwrap();
    let key = shared_key(&SecretHash::new(TOKEN), server);
    let dialled = Arc::<AtomicU32>::default();
    let counter = Arc::clone(&dialled);
    let socket = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = socket.local_addr().unwrap().port();
    runtime.spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            drop(Channel::answer(stream, &[key]).await);
        }
    });
    (runtime, port, dialled)
}

/// How long a story counts, and how often a service that does not behave may be dialled in that time: twice as
/// often if nobody waited longer for it from time to time.
const COUNTED: Duration = Duration::from_secs(6);
const MOST_DIALS: u32 = 12;

#[test]
fn a_service_that_greets_and_hangs_up_is_dialled_ever_more_seldom() {
    let overview = Running::dialling(AuthPolicy::open());
    let (_runtime, port, dialled) = hangs_up("db-1");
    overview.beat(&announcing("db-1", 1, port));
    let since = Instant::now();
    while dialled.load(Ordering::SeqCst) < 3 || since.elapsed() < COUNTED {
        assert!(since.elapsed() < COUNTED * 4, "it was not dialled again");
        thread::sleep(Duration::from_millis(50));
    }
    let dialled = dialled.load(Ordering::SeqCst);
    assert!(dialled <= MOST_DIALS, "{dialled} times in {COUNTED:?}");
}

#[test]
fn a_service_that_starts_anew_with_each_heartbeat_is_not_dialled_for_each() {
    let overview = Running::dialling(AuthPolicy::open());
    let (_runtime, port, dialled) = hangs_up("db-1");
    let since = Instant::now();
    let mut sequence = 0;
    while since.elapsed() < COUNTED {
        sequence += 1;
        let boot = json!(format!("0b0e8a6e-3c0a-4d5e-9f7e-{sequence:012x}"));
        let beat = with_field(announcing("db-1", sequence, port), "boot_id", boot);
        assert_eq!(overview.beat(&beat).status, 200);
    }
    let dialled = dialled.load(Ordering::SeqCst);
    assert!((1..=MOST_DIALS).contains(&dialled), "{dialled} times for {sequence} starts");
}
