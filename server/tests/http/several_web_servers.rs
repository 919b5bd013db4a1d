//! Several web servers on one PostgreSQL, behind a load balancer that sends each request to another one.

use std::cell::Cell;
use std::collections::BTreeMap;

use app::cluster::{ComponentKey, Snapshot};
use app::protocol::OverviewDelta;
use cluster_overview::auth::{AuthMode, AuthPolicy};
use serde_json::{Value, json};
use testkit::{DEFAULT_TIMEOUT, postgres, wait_until, wait_until_ok};
use tokio::runtime::Runtime;

use crate::harness::{Answer, Running, heartbeat, with_field};

/// Three web servers of one cluster, used in turn.
struct Several {
    servers: Vec<Running>,
    next: Cell<usize>,
}

impl Several {
    fn start(policy: &AuthPolicy) -> Self {
        let database = Runtime::new().unwrap().block_on(postgres().create_database());
        let servers = (0..3).map(|_| Running::on(&database, policy.clone())).collect();
        Self { servers, next: Cell::new(0) }
    }

    /// The next one.
    fn next(&self) -> &Running {
        let next = self.next.get();
        self.next.set((next + 1) % self.servers.len());
        &self.servers[next]
    }

    /// The poll of a page with this cursor.
    fn since(&self, cursor: &str) -> OverviewDelta {
        self.next().poll(&[], cursor)
    }
}

/// The snapshot of a reader, and its cursor.
struct Reader {
    snapshot: Snapshot,
    cursor: String,
}

impl Reader {
    fn take(&mut self, news: OverviewDelta) {
        if let Some(change) = news.change {
            self.snapshot.apply(change);
        }
        self.cursor = news.cursor;
    }

    fn sequences(&self) -> BTreeMap<ComponentKey, i64> {
        let of = |(key, component): (&ComponentKey, &std::sync::Arc<app::cluster::Component>)| {
            (key.clone(), component.boots.current.sequence)
        };
        self.snapshot.components.iter().map(of).collect()
    }
}

#[test]
fn a_reader_that_changes_between_web_servers_never_goes_back_in_time_and_misses_nothing() {
    let several = Several::start(&AuthPolicy::open());
    let mut reader = Reader { snapshot: Snapshot::default(), cursor: String::new() };
    for turn in 0..60_u32 {
        let server = format!("app-{}", turn % 4);
        let beat = several.next().beat(&heartbeat(&server, "service", i64::from(turn)));
        assert_eq!(beat.body["applied"], true, "{}", beat.body);
        if turn % 7 == 6 {
            let remove = format!("/api/v1/servers/app-{}?force=true", turn % 4);
            assert_eq!(several.next().send("DELETE", &remove, &[], &[]).status, 204);
        }
        let before = reader.sequences();
        reader.take(several.since(&reader.cursor));
        for (key, sequence) in reader.sequences() {
            let known = before.get(&key).copied().unwrap_or_default();
            assert!(sequence >= known, "{key:?} went from {known} back to {sequence}");
        }
    }
    // All have the same overview, byte for byte.
    let tags = || -> Vec<Value> {
        several
            .servers
            .iter()
            .map(|one| json!(one.get("/api/v1/overview").header("etag")))
            .collect()
    };
    let tag = tags()[0].clone();
    assert_eq!(tags(), [tag.clone(), tag.clone(), tag]);
    for _ in 0..3 {
        reader.take(several.since(&reader.cursor));
    }
    let whole = several.since("").change.unwrap();
    let mut fresh = Snapshot::default();
    fresh.apply(whole);
    assert_eq!(reader.snapshot, fresh);
}

#[test]
fn a_change_at_one_web_server_is_visible_at_once_at_the_next() {
    let several = Several::start(&AuthPolicy::open());
    for turn in 1..20_u32 {
        let settings = json!({
            "load_balancing": false, "automatic_failover": false, "heartbeat_interval_s": 30,
            "stale_timeout_s": 300 + turn, "web_window_s": 86_400
        });
        assert_eq!(several.next().json("PUT", "/api/v1/settings", &settings).status, 200);
        let shown = format!("stale after {}", app::cluster::Span::seconds((300 + turn).into()));
        let page = several.next().get("/").body;
        assert!(page.as_str().unwrap().contains(&shown), "{shown} is not on the page");
        let picture = several.next().overview();
        assert_eq!(picture["settings"]["stale_timeout_s"], 300 + turn);
    }
}

#[test]
fn a_session_of_one_web_server_is_valid_at_all_and_ends_at_all() {
    let several = Several::start(&AuthPolicy::new(AuthMode::Password));
    let code = several.servers[0].setup_code();
    let form = |fields: &str, headers: &[(&str, &str)], path: &str| -> Answer {
        let own = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        several.next().send("POST", path, &[&own[..], headers].concat(), fields.as_bytes())
    };
    let name = "name=Ann&password=correct+horse+battery";
    several.next();
    let first = form(&format!("{name}&code={code}"), &[], "/sign-in");
    assert_eq!(first.status, 303, "{}", first.body);
    for _ in 0..5 {
        let signed = form(name, &[], "/sign-in");
        assert_eq!(signed.status, 303, "{}", signed.body);
        let cookie = signed.header("set-cookie").split(';').next().unwrap();
        let look = || several.next().send("GET", "/api/v1/overview", &[("cookie", cookie)], &[]);
        assert_eq!([look().status, look().status, look().status], [200; 3]);
        assert_eq!(form("", &[("cookie", cookie)], "/sign-out").status, 303);
        // A revocation counts within five seconds, because known tokens are not looked up.
        wait_until_ok("the session to be over everywhere", DEFAULT_TIMEOUT, || {
            let statuses = [look().status, look().status, look().status];
            if statuses == [401; 3] { Ok(()) } else { Err(format!("{statuses:?}")) }
        });
    }
}

#[test]
fn after_one_web_server_was_blind_all_have_the_same_overview_and_etag() {
    let several = Several::start(&AuthPolicy::open());
    assert_eq!(several.next().beat(&heartbeat("app-1", "service", 1)).status, 200);
    let before = several.servers[0].get("/api/v1/overview");
    let locked = several.servers[0].lock_database();
    wait_until("one to be blind", DEFAULT_TIMEOUT, || {
        (several.servers[0].beat(&heartbeat("app-1", "service", 2)).status == 503).then_some(())
    });
    drop(locked);
    for server in &several.servers {
        server.overview_when(|picture| picture["blind_since"].is_null());
    }
    wait_until_ok("one tag", DEFAULT_TIMEOUT, || {
        let pictures: Vec<Answer> =
            several.servers.iter().map(|server| server.get("/api/v1/overview")).collect();
        let tags: Vec<&str> = pictures.iter().map(|picture| picture.header("etag")).collect();
        let same = tags.iter().all(|tag| tag == &tags[0] && *tag != before.header("etag"));
        let later = pictures[0].body["as_of"].as_str() > before.body["as_of"].as_str();
        if same && later { Ok(()) } else { Err(format!("{tags:?}")) }
    });
}

#[test]
fn the_first_admin_is_made_once_and_one_code_is_printed_in_the_whole_cluster() {
    let several = Several::start(&AuthPolicy::new(AuthMode::Password));
    several.servers[0].setup_code();
    for other in &several.servers[1..] {
        // A second code would make the first one useless.
        let offered = || other.offered_setup();
        wait_until("no second code", DEFAULT_TIMEOUT, || offered().is_none().then_some(()));
    }
}

#[test]
fn a_token_created_at_one_web_server_is_valid_at_the_next_at_once() {
    let several = Several::start(&AuthPolicy::new(AuthMode::Password));
    let admin = format!("Bearer {}", several.servers[0].token("admin"));
    let headers = [("authorization", admin.as_str()), ("content-type", "application/json")];
    for turn in 0..10 {
        let wish = json!({"role": "join", "name": format!("agents {turn}")}).to_string();
        let made = several.next().send("POST", "/api/v1/tokens", &headers, wish.as_bytes());
        assert_eq!(made.status, 201, "{}", made.body);
        let join = format!("Bearer {}", made.body["token"].as_str().unwrap());
        let headers = [("authorization", join.as_str()), ("content-type", "application/json")];
        let beat = heartbeat(&format!("app-{turn}"), "service", 1).to_string();
        let taken = several.next().send("POST", "/api/v1/heartbeats", &headers, beat.as_bytes());
        assert_eq!(taken.status, 200, "{}", taken.body);
    }
}

#[test]
fn a_write_that_the_database_rejects_is_reported_and_nothing_is_lost() {
    let several = Several::start(&AuthPolicy::open());
    assert_eq!(several.next().beat(&heartbeat("app-1", "service", 1)).status, 200);
    let locked = several.servers[0].lock_database();
    let refused = several.next().beat(&heartbeat("app-1", "service", 2));
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(!refused.header("retry-after").is_empty());
    drop(locked);
    let again = with_field(heartbeat("app-1", "service", 2), "version", json!("2026.2.2"));
    let taken = wait_until_ok("the heartbeat to be taken", DEFAULT_TIMEOUT, || {
        let answer = several.next().beat(&again);
        if answer.status == 200 { Ok(answer) } else { Err(answer.body) }
    });
    assert_eq!(taken.body["applied"], true, "{}", taken.body);
}
