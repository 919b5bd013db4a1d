//! The events of the stream, and when it ends.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use app::packed::{pack, unpack};
use app::protocol::OverviewDelta;
use cluster_overview::auth::{AuthMode, AuthPolicy};
use serde_json::Value;

use crate::harness::{Running, TOKEN, bearer_headers, heartbeat};

/// A reader of the stream.
struct Listening(BufReader<TcpStream>);

/// One event: its name, its id and its data.
#[derive(Debug, PartialEq, Eq)]
struct Heard {
    event: String,
    id: String,
    data: String,
}

impl Listening {
    fn from(overview: &Running, token: &str, cursor: &str) -> Self {
        let address = overview.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let request = format!(
            "GET /api/v1/stream?cursor={cursor} HTTP/1.1\r\nHost: {address}\r\nAccept-Encoding: br\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        Self(BufReader::new(stream))
    }

    /// The next event; `None` once the stream has ended.
    fn next(&mut self) -> Option<Heard> {
        let mut heard = Heard { event: String::new(), id: String::new(), data: String::new() };
        let mut line = String::new();
        loop {
            line.clear();
            if self.0.read_line(&mut line).unwrap() == 0 || line.trim_end() == "0" {
                return None;
            }
            let told = line.trim_end();
            match told.split_once(": ") {
                Some(("event", value)) => value.clone_into(&mut heard.event),
                Some(("id", value)) => value.clone_into(&mut heard.id),
                Some(("data", value)) => value.clone_into(&mut heard.data),
                _ if told.is_empty() && !heard.event.is_empty() => return Some(heard),
                _ => {}
            }
        }
    }

    fn last_word(&mut self) -> String {
        let mut word = String::new();
        while let Some(heard) = self.next() {
            word = heard.event;
        }
        word
    }
}

/// The cursor of a reader that has just polled.
fn cursor(overview: &Running, token: &str) -> String {
    overview.poll(&bearer_headers(token), "").cursor
}

#[test]
fn a_reader_gets_every_change_at_once_and_only_once() {
    let overview = Running::start();
    overview.beat(&heartbeat("web-1", "web", 1));
    let mut listening = Listening::from(&overview, "none", &cursor(&overview, "none"));
    let greeting = listening.next().unwrap();
    assert_eq!(greeting.event, "update");
    assert!(!greeting.data.contains("web-1"), "the reader knew it: {}", greeting.data);
    overview.beat(&heartbeat("web-2", "web", 1));
    let heard = listening.next().unwrap();
    assert_eq!(heard.event, "update");
    assert!(heard.data.contains("web-2") && !heard.data.contains("web-1"), "{}", heard.data);
    let news: Value = serde_json::from_str(&heard.data).unwrap();
    assert_eq!(news["cursor"], heard.id);
    // A reader that returns with this cursor has missed nothing.
    overview.beat(&heartbeat("web-3", "web", 1));
    let back = Listening::from(&overview, "none", &heard.id).next().unwrap();
    assert!(back.data.contains("web-3") && !back.data.contains("web-2"), "{}", back.data);
}

#[test]
fn a_page_gets_the_same_events_packed() {
    let overview = Running::start();
    overview.beat(&heartbeat("web-1", "web", 1));
    let first = cursor(&overview, "none");
    let packed = format!("{first}&format=packed");
    let mut listening = Listening::from(&overview, "none", &packed);
    assert_eq!(listening.next().unwrap().event, "update");
    overview.beat(&heartbeat("web-2", "web", 1));
    let heard = listening.next().unwrap();
    let delta: OverviewDelta = unpack(&heard.data).unwrap();
    assert_eq!(delta.cursor, heard.id);
    let json = Listening::from(&overview, "none", &first).next().unwrap();
    let json: OverviewDelta = serde_json::from_str(&json.data).unwrap();
    let as_for_pages: OverviewDelta = unpack(&pack(&json).unwrap()).unwrap();
    assert_eq!(as_for_pages.change, delta.change);
    let id = |delta: &OverviewDelta| {
        delta.change.as_ref().unwrap().components[0].boots.current.id.clone()
    };
    assert!(!id(&json).is_empty() && id(&delta).is_empty(), "ids of starts are for servers");
}

#[test]
fn a_reader_with_an_unknown_cursor_is_told_to_poll() {
    let overview = Running::start();
    for cursor in ["", "of.another.database", "1.2.3"] {
        let mut listening = Listening::from(&overview, "none", cursor);
        assert_eq!(listening.next().unwrap().event, "resync");
        assert_eq!(listening.next(), None);
    }
}

#[test]
fn a_change_that_is_too_large_for_the_stream_is_left_to_a_poll() {
    let overview = Running::start();
    let place = cursor(&overview, "none");
    let many: Vec<Value> =
        (0..300).map(|number| heartbeat(&format!("server-{number}"), "web", 1)).collect();
    overview.beat(&Value::Array(many));
    assert_eq!(Listening::from(&overview, "none", &place).last_word(), "resync");
}

#[test]
fn a_stream_ends_soon_after_its_reader_loses_access() {
    let overview = Running::of(AuthPolicy::new(AuthMode::Password));
    let (admin, viewer) = (overview.token("admin"), overview.token("viewer"));
    let mut listening = Listening::from(&overview, &viewer, &cursor(&overview, &viewer));
    assert_eq!(listening.next().unwrap().event, "update");
    let all = overview.send("GET", "/api/v1/tokens", &bearer_headers(&admin), b"").body;
    let id = all["tokens"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/tokens/{id}");
    assert_eq!(overview.send("DELETE", &path, &bearer_headers(&admin), b"").status, 204);
    assert_eq!(listening.last_word(), "bye");
    let nobody = overview.send("GET", "/api/v1/stream", &bearer_headers(TOKEN), b"");
    assert_eq!(nobody.status, 403);
}

#[test]
fn a_web_server_that_stops_ends_its_streams_with_an_event() {
    let overview = Running::start();
    let mut listening = Listening::from(&overview, "none", &cursor(&overview, "none"));
    assert_eq!(listening.next().unwrap().event, "update");
    let stopping = std::thread::spawn(move || overview.end());
    assert_eq!(listening.last_word(), "bye");
    stopping.join().unwrap();
}
