//! Floods from outside cause few log lines.

use std::time::{Duration, Instant};

use cluster_overview::auth::secret::SecretHash;
use cluster_overview::messenger::wire::{Channel, Message, shared_key};
use serde_json::json;
use testkit::{DEFAULT_TIMEOUT, Overview, TOKEN, wait_until};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A heartbeat of a service on this machine, whose messenger listens on this port.
fn announce(overview: &Overview, server: &str, sequence: u64, ip: &str, port: u16) {
    let beat = json!({
        "server": server, "role": "service", "version": "2026.2.1", "ip": ip,
        "os": {"name": "Debian GNU/Linux", "version": "12"}, "messenger_port": port,
        "boot_id": format!("0b0e8a6e-3c0a-4d5e-9f7e-{sequence:012x}"), "sequence": sequence
    });
    assert_eq!(overview.post_heartbeats(&beat).status, 200);
}

fn lines_with(overview: &Overview, words: &str) -> usize {
    overview.log().lines().filter(|line| line.contains(words)).count()
}

fn until(what: &str, wanted: impl Fn() -> bool) {
    wait_until(what, DEFAULT_TIMEOUT, || wanted().then_some(()));
}

#[test]
fn a_messenger_that_sends_invalid_messages_without_end_causes_one_log_line() {
    let overview = Overview::start();
    let runtime = Runtime::new().unwrap();
    let socket = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = socket.local_addr().unwrap().port();
    let said = std::sync::Arc::<std::sync::atomic::AtomicU32>::default();
    let counter = std::sync::Arc::clone(&said);
    runtime.spawn(async move {
        let key = shared_key(&SecretHash::new(TOKEN), "db-1");
        while let Ok((stream, _)) = socket.accept().await {
            let Ok(mut channel) = Channel::answer(stream, &[key]).await else { continue };
            let nonsense = Message::Beat { heartbeat: json!("nonsense") };
            while channel.send(&nonsense).await.is_ok() {
                counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            }
        }
    });
    announce(&overview, "db-1", 1, "127.0.0.1", port);
    let words = "that is not a heartbeat of its service";
    until("a line of the log", || lines_with(&overview, words) > 0);
    // Messages are read at a limited rate. Without the limiter a dozen lines would be written in this time.
    let since = Instant::now();
    let flooded = || said.load(std::sync::atomic::Ordering::SeqCst) > 1_000;
    until("a thousand heartbeats that are none, for three seconds", || {
        flooded() && since.elapsed() > Duration::from_secs(3)
    });
    assert_eq!(lines_with(&overview, words), 1, "{}", overview.log());
}

#[test]
fn a_service_that_reports_a_forbidden_address_at_each_start_causes_one_log_line() {
    let overview = Overview::start();
    let words = "its address is not permitted";
    announce(&overview, "db-1", 1, "169.254.169.254", 80);
    until("a line of the log", || lines_with(&overview, words) > 0);
    for sequence in 2..100 {
        announce(&overview, "db-1", sequence, "169.254.169.254", 80);
    }
    assert_eq!(lines_with(&overview, words), 1, "{}", overview.log());
}
