//! `/metrics`, and its list in ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};

use cluster_overview::auth::AuthPolicy;
use cluster_overview::notify::Channels;
use serde_json::json;
use testkit::{DEFAULT_TIMEOUT, WebhookReceiver, wait_until_ok};

use crate::harness::{Running, TOKEN, folder, heartbeat, with_field};

/// A family of samples.
#[derive(Debug, Default, PartialEq, Eq)]
struct Family {
    kind: String,
    help: String,
    labels: BTreeSet<String>,
}

/// One sample: its name, its labels and its value.
type Sample = (String, BTreeMap<String, String>, f64);

/// Parses the text format. Fails on anything else.
fn read(text: &str) -> (BTreeMap<String, Family>, Vec<Sample>) {
    let (mut families, mut samples) = (BTreeMap::<String, Family>::new(), Vec::new());
    let mut current = String::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            name.clone_into(&mut current);
            let family = Family { help: help.to_owned(), ..Family::default() };
            assert!(families.insert(current.clone(), family).is_none(), "{name} is told twice");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!(name, current);
            kind.clone_into(&mut families.get_mut(name).unwrap().kind);
        } else {
            let (name, labels, value) = sample(line);
            let family = families.get_mut(&current).unwrap();
            let plain = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let plain = plain.filter(|_| family.kind == "histogram").unwrap_or(&name);
            assert_eq!(plain, current, "{line}");
            family.labels.extend(labels.keys().filter(|label| *label != "le").cloned());
            samples.push((name, labels, value));
        }
    }
    (families, samples)
}

fn sample(line: &str) -> Sample {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        while !rest.starts_with('}') {
            let (label, after) = rest.split_once("=\"").unwrap();
            let mut value = String::new();
            let mut characters = after.char_indices();
            let end = loop {
                match characters.next().unwrap() {
                    (end, '"') => break end,
                    (_, '\\') => value.push(match characters.next().unwrap().1 {
                        'n' => '\n',
                        other => other,
                    }),
                    (_, other) => value.push(other),
                }
            };
            labels.insert(label.trim_start_matches(',').to_owned(), value);
            rest = &after[end + 1..];
        }
        rest = &rest[1..];
    }
    (name.to_owned(), labels, rest.trim().parse().unwrap())
}

fn scrape(overview: &Running) -> Vec<Sample> {
    let answer = overview.get("/metrics");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    read(answer.body.as_str().unwrap()).1
}

/// The value of the one sample with this name and these labels.
fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let fits = |sample: &&Sample| {
        sample.0 == format!("cluster_overview_{name}")
            && labels.iter().all(|(label, value)| sample.1.get(*label).is_some_and(|v| v == value))
    };
    let mut fitting = samples.iter().filter(fits);
    let found = fitting.next().map(|sample| sample.2);
    assert!(fitting.next().is_none(), "{name} {labels:?} is told twice");
    found
}

/// Two servers with one version and key, and a service with another that soon becomes stale; with the channel `ops`.
fn cluster() -> Running {
    let folder = folder();
    let file = WebhookReceiver::start().write_channel_file(&folder);
    let overview = Running::telling(AuthPolicy::open(), Channels::read(&file).unwrap());
    overview.use_short_timers();
    for server in ["web-1", "web-2"] {
        let beat =
            with_field(heartbeat(server, "web", 1), "machine_key_check", json!("ab".repeat(32)));
        overview.beat(&with_field(beat, "sent_at", json!("2020-01-01T00:00:00Z")));
    }
    let other = with_field(heartbeat("app-1", "service", 1), "key_check", json!("07".repeat(32)));
    overview.beat(&with_field(other, "version", json!("2025.1")));
    overview
}

#[test]
fn the_documented_metrics_are_those_of_the_running_program() {
    let overview = cluster();
    overview.get("/api/v1/overview");
    let text = overview.get("/metrics").body;
    let (told, _) = read(text.as_str().unwrap());
    let list = include_str!("../../../ARCHITECTURE.md").split("\n## The metrics\n").nth(1).unwrap();
    let mut documented = BTreeMap::new();
    for row in list.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, unit, help] = cells[..] else { panic!("five cells: {row}") };
        let name = name.trim_matches('`');
        assert_eq!(unit == "s", name.ends_with("_seconds"), "{name} bears its unit");
        let labels = labels.split(',').map(|label| label.trim().to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        let family = Family { kind: kind.to_owned(), help: help.to_owned(), labels };
        assert!(documented.insert(name.to_owned(), family).is_none(), "{name} is listed twice");
    }
    assert_eq!(documented, told);
}

#[test]
fn every_component_has_metrics_of_its_verdicts_at_the_moment_of_the_scrape() {
    let overview = cluster();
    let stale = |body: &serde_json::Value| body["counts"]["stale"] == 1;
    overview.overview_when(stale);
    let samples = scrape(&overview);
    let of = |name: &str, server: &str| {
        value(&samples, &format!("component_{name}"), &[("server", server)])
    };
    assert_eq!((of("up", "web-1"), of("up", "app-1")), (Some(1.0), Some(0.0)));
    assert_eq!((of("stopped", "web-1"), of("stopped", "app-1")), (Some(0.0), Some(0.0)));
    assert!(of("heartbeat_age_seconds", "app-1").unwrap() >= 3.0);
    assert_eq!(of("version_in_sync", "web-1"), Some(1.0));
    assert_eq!(of("version_in_sync", "app-1"), Some(0.0));
    assert_eq!((of("key_in_sync", "web-2"), of("key_in_sync", "app-1")), (Some(1.0), Some(0.0)));
    assert_eq!(of("machine_key_in_sync", "web-1"), Some(1.0));
    assert_eq!(of("machine_key_in_sync", "app-1"), None, "not judged");
    assert!(of("clock_skew_seconds", "web-1").unwrap() < -1e8);
    assert_eq!(of("clock_skew_seconds", "app-1"), None, "it tells no time");
    for (name, labels, expected) in [
        ("health", ("health", "error"), 1.0),
        ("health", ("health", "ok"), 0.0),
        ("servers", ("health", "error"), 1.0),
        ("servers", ("health", "ok"), 2.0),
        ("components", ("pulse", "alive"), 2.0),
        ("components", ("pulse", "stale"), 1.0),
    ] {
        assert_eq!(value(&samples, name, &[labels]), Some(expected), "{name} {labels:?}");
    }
    assert_eq!(value(&samples, "blind", &[]), Some(0.0));
    let channel = ("channel", "ops");
    assert_eq!(value(&samples, "delivery_failures_total", &[channel]), Some(0.0));
    assert_eq!(value(&samples, "channel_failing_seconds", &[channel]), Some(0.0));
    overview.beat(&with_field(heartbeat("app-1", "service", 2), "leaving", json!(true)));
    let samples = scrape(&overview);
    let stopped = ["up", "stopped"]
        .map(|name| value(&samples, &format!("component_{name}"), &[("server", "app-1")]));
    assert_eq!(stopped, [Some(0.0), Some(1.0)]);
    overview.send("DELETE", "/api/v1/servers/app-1", &[], &[]);
    let gone = value(&scrape(&overview), "component_up", &[("server", "app-1")]);
    assert_eq!(gone, None, "what was removed is told no longer");
}

#[test]
fn a_name_with_quotes_stays_one_label() {
    let overview = Running::start();
    let name = "web \"1\"},x=\"} 1 # سرور";
    assert_eq!(overview.beat(&heartbeat(name, "web", 1)).status, 200);
    assert_eq!(value(&scrape(&overview), "component_up", &[("server", name)]), Some(1.0));
}

#[test]
fn requests_are_counted_by_route_template_and_never_by_what_a_client_made_up() {
    let overview = Running::below("/admin/cluster");
    for path in ["servers/a", "servers/b", "servers/c/components/web", "nothing"] {
        overview.send("DELETE", &format!("/admin/cluster/api/v1/{path}"), &[], &[]);
    }
    for path in ["", "/", "/api/v1/overview"] {
        overview.get(&format!("/admin/cluster{path}"));
    }
    overview.send("GET", "/admin/cluster", &[("host", "evil.example")], &[]);
    overview.send("BREW", "/admin/cluster/api/v1/overview", &[], &[]);
    overview.get("/made-up");
    let text = overview.get("/admin/cluster/metrics").body;
    let (_, samples) = read(text.as_str().unwrap());
    let count = |route: &str, method: &str, status: &str| {
        let labels = [("route", route), ("method", method), ("status", status)];
        value(&samples, "http_requests_total", &labels)
    };
    assert_eq!(count("/api/v1/servers/{server}", "DELETE", "4xx"), Some(2.0));
    assert_eq!(count("/api/v1/servers/{server}/components/{role}", "DELETE", "4xx"), Some(1.0));
    assert_eq!(count("/", "GET", "2xx"), Some(2.0));
    assert_eq!(count("/", "GET", "4xx"), Some(1.0));
    assert_eq!(count("/api/v1/overview", "GET", "2xx"), Some(1.0));
    assert_eq!(count("/api/v1/overview", "other", "4xx"), Some(1.0));
    assert_eq!(count("none", "DELETE", "4xx"), Some(1.0));
    assert_eq!(count("none", "GET", "4xx"), Some(1.0));
    let all: f64 = samples.iter().filter(|s| s.0.ends_with("requests_total")).map(|s| s.2).sum();
    let timed = samples.iter().filter(|s| s.0.ends_with("request_duration_seconds_count"));
    assert_eq!(all.to_string(), timed.map(|s| s.2).sum::<f64>().to_string());
    assert!(!text.as_str().unwrap().contains("made-up"));
}

#[test]
fn heartbeats_and_database_errors_are_counted() {
    let overview = Running::start();
    overview.beat(&json!([heartbeat("web-1", "web", 1), heartbeat("web-1", "web", 1)]));
    overview.beat(&heartbeat("web-1", "web", 2));
    overview.beat(&json!({}));
    overview.send("POST", "/api/v1/heartbeats", &[("authorization", "Bearer x")], b"{}");
    let before = scrape(&overview);
    for (name, labels, expected) in [
        ("heartbeats_taken_total", vec![], 3.0),
        ("heartbeats_applied_total", vec![], 2.0),
        ("heartbeat_refusals_total", vec![("reason", "malformed")], 1.0),
        ("heartbeat_refusals_total", vec![("reason", "token")], 1.0),
        ("heartbeat_refusals_total", vec![("reason", "blind")], 0.0),
        ("heartbeat_batch_size_bucket", vec![("le", "1")], 1.0),
        ("heartbeat_batch_size_bucket", vec![("le", "2")], 2.0),
        ("heartbeat_batch_size_bucket", vec![("le", "+Inf")], 2.0),
        ("heartbeat_batch_size_sum", vec![], 3.0),
        ("store_errors_total", vec![], 0.0),
    ] {
        assert_eq!(value(&before, name, &labels), Some(expected), "{name} {labels:?}");
    }
    assert!(value(&before, "store_transaction_duration_seconds_count", &[]).unwrap() >= 2.0);
    let locked = overview.lock_database();
    overview.beat(&heartbeat("web-1", "web", 3));
    let blind = scrape(&overview);
    assert_eq!(value(&blind, "blind", &[]), Some(1.0));
    for name in ["component_up", "component_stopped"] {
        assert_eq!(value(&blind, name, &[]), None, "nobody can tell");
    }
    assert_eq!(value(&blind, "health", &[("health", "unknown")]), Some(1.0));
    assert_eq!(value(&blind, "heartbeat_refusals_total", &[("reason", "blind")]), Some(1.0));
    assert!(value(&blind, "store_errors_total", &[]).unwrap() >= 1.0);
    drop(locked);
}

#[test]
fn a_scrape_does_not_count_as_a_request_to_the_overviews_web_component() {
    let overview = Running::reporting_itself();
    let taken = || {
        let samples = scrape(&overview);
        let age = value(&samples, "component_heartbeat_age_seconds", &[("server", "overview")]);
        (age.unwrap(), value(&samples, "heartbeats_taken_total", &[]).unwrap())
    };
    let first = wait_until_ok("its heartbeat to be half a second old", DEFAULT_TIMEOUT, || {
        let (age, taken) = taken();
        if age > 0.5 { Ok(taken) } else { Err(age) }
    });
    assert_eq!(first.to_string(), "1", "the one of its start");
    overview.get("/api/v1/overview");
    wait_until_ok("the next heartbeat", DEFAULT_TIMEOUT, || {
        let (_, taken) = taken();
        if taken > first { Ok(()) } else { Err(taken) }
    });
}

#[test]
fn metrics_need_no_token_on_loopback_and_are_not_given_to_other_host_names() {
    let overview = Running::start();
    let foreign = overview.send("GET", "/metrics", &[("host", "evil.example")], &[]);
    assert_eq!(foreign.status, 403);
    let bearer = format!("Bearer {TOKEN}");
    let sent = overview.send("GET", "/metrics", &[("authorization", &bearer)], &[]);
    assert!(!sent.body.as_str().unwrap().contains(TOKEN));
}
