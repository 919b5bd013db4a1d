//! Clients that hang up in the middle of a request harm nobody else.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use crate::harness::{Running, TOKEN, heartbeat};

/// How many clients hang up in each test.
const CLIENTS: u64 = 200;

/// Sends a request and hangs up, up to 3 ms later.
fn hang_up(overview: &Running, request: &str, client: u64) {
    let address = overview.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    // Spread over 3 ms, the same in every run.
    sleep(Duration::from_micros(client * 797 % 3_000));
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn clients_that_cancel_a_readiness_check_do_not_make_the_overview_blind() {
    let overview = Running::start();
    for client in 0..CLIENTS {
        hang_up(&overview, &request("GET", "/readyz", "", ""), client);
    }
    assert_eq!(overview.beat(&heartbeat("app-1", "service", 1)).status, 200);
    assert!(overview.overview()["blind_since"].is_null());
    assert_eq!(overview.get("/readyz").status, 200);
}

#[test]
fn a_change_whose_client_hangs_up_is_complete_and_the_next_one_succeeds() {
    let overview = Running::start();
    let json = "Content-Type: application/json\r\n";
    let join = format!("{json}Authorization: Bearer {TOKEN}\r\n");
    for client in 0..CLIENTS {
        let seconds = 10 + client;
        let settings = format!(
            r#"{{"load_balancing":false,"automatic_failover":false,"heartbeat_interval_s":{seconds},
                "stale_timeout_s":{},"web_window_s":{}}}"#,
            3 * seconds,
            100 * seconds
        );
        let beat = heartbeat(&format!("app-{client}"), "service", 1).to_string();
        let requests = [
            request("PUT", "/api/v1/settings", json, &settings),
            request("POST", "/api/v1/heartbeats", &join, &beat),
            request("POST", "/api/v1/enrolments", &join, r#"{"server":"app-1"}"#),
            request("DELETE", "/api/v1/servers/app-1?force=true", "", ""),
            request("GET", "/api/v1/audit", "", ""),
            request("GET", "/api/v1/overview", "", ""),
            request("GET", "/", "", ""),
        ];
        for request in requests {
            hang_up(&overview, &request, client);
        }
    }
    assert_eq!(overview.beat(&heartbeat("app-1", "service", 2)).status, 200);
    let settings = overview.get("/api/v1/settings").body;
    let seconds = |name: &str| settings[name].as_u64().unwrap();
    let interval = seconds("heartbeat_interval_s");
    let last = 3 * interval == seconds("stale_timeout_s") && interval >= 10;
    assert!(last, "settings that somebody sent, as a whole: {settings}");
    assert!(overview.overview()["blind_since"].is_null());
}
