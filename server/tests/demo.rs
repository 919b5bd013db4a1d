//! The demo's promise: a past, every pulse and every hint within three minutes, and nothing left behind.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing helper fails the test")]

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use app::cluster::{HintId, Pulse};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::{DEFAULT_TIMEOUT, Folder, Process, agent, folder, program, send, wait_until_ok};

const ROUND: Duration = Duration::from_mins(3);
/// Each round begins with at least so long without faults.
const QUIET: SignedDuration = SignedDuration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// A demo as a process of its own. It ends with this value, however the story does.
struct Demo {
    process: Process,
    url: String,
    folder: Folder,
}

impl Demo {
    fn start() -> Self {
        let folder = folder();
        let temporary = folder.join("temporary");
        std::fs::create_dir(&temporary).unwrap();
        let mut demo = Command::new(program());
        demo.args(["demo", "--listen", "127.0.0.1:0"]).env("TMPDIR", temporary);
        let mut process = Process::start(&mut demo, &folder, "demo");
        let url =
            process.wait_for_line("the line that says where it listens", DEFAULT_TIMEOUT, |line| {
                line.strip_prefix("Cluster Overview at ").map(str::to_owned)
            });
        process.wait_for_line("the line that says what it is", DEFAULT_TIMEOUT, |line| {
            line.contains("demo").then_some(())
        });
        Self { process, url, folder }
    }

    /// The overview, and the moment of the answer by the overview's own clock.
    fn overview(&self) -> (Value, Timestamp) {
        let url = format!("{}api/v1/overview", self.url);
        let answer = send(&agent(), "GET", &url, &[], &[]).unwrap();
        let now = answer.header("overview-now").parse().unwrap();
        (answer.body, now)
    }

    fn get(&self, path: &str) -> Value {
        let answer = send(&agent(), "GET", &format!("{}{path}", self.url), &[], &[]).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// The events of a kind before a moment, newest first.
    fn events(&self, kind: &str, until: Timestamp) -> Vec<Value> {
        let page = self.get(&format!("api/v1/events?kind={kind}&until={until}"));
        page["events"].as_array().unwrap().clone()
    }

    /// What it left where files may be put.
    fn files(&self) -> usize {
        std::fs::read_dir(self.folder.join("temporary")).unwrap().count()
    }
}

/// The names of what an overview shows: pulses, and ids of hints.
fn shown(overview: &Value) -> impl Iterator<Item = String> {
    let pulses = Pulse::ALL
        .into_iter()
        .map(Pulse::as_str)
        .filter(|pulse| overview["counts"][*pulse].as_u64().unwrap() > 0);
    let hints = overview["hints"].as_array().unwrap();
    let ids = hints.iter().map(|hint| hint["id"].as_str().unwrap().to_owned());
    pulses.map(str::to_owned).chain(ids)
}

/// Nothing is wrong with the six servers.
fn is_quiet(overview: &Value) -> bool {
    overview["health"] == "ok"
        && overview["hints"] == json!([])
        && overview["counts"]["servers"] == 6
}

/// Slow on purpose: three minutes are the promise.
#[test]
fn within_three_minutes_the_demo_shows_every_pulse_and_every_hint_and_begins_again_without_faults()
{
    let mut demo = Demo::start();
    let mut missing: BTreeSet<String> = Pulse::ALL
        .into_iter()
        .map(Pulse::as_str)
        .chain(HintId::ALL.iter().map(|hint| hint.as_str()))
        .map(str::to_owned)
        .collect();
    let (first, began) = demo.overview();
    assert!(is_quiet(&first), "{first}");
    assert_eq!(demo.files(), 1);
    wait_until_ok("every pulse and every hint", ROUND, || {
        let (overview, now) = demo.overview();
        for name in shown(&overview) {
            if missing.remove(&name) {
                println!("{:6.1} s  {name}", now.duration_since(began).as_secs_f64());
            }
        }
        let passed = now.duration_since(began);
        assert!(passed.as_secs() < ROUND.as_secs().cast_signed(), "not shown in time: {missing:?}");
        std::thread::sleep(POLL_INTERVAL);
        if missing.is_empty() { Ok(()) } else { Err(format!("all but {missing:?}")) }
    });
    wait_until_ok("the second round", DEFAULT_TIMEOUT, || {
        let (overview, _) = demo.overview();
        if is_quiet(&overview) { Ok(()) } else { Err(overview["hints"].to_string()) }
    });
    let (_, began) = demo.overview();
    loop {
        let (overview, now) = demo.overview();
        assert!(is_quiet(&overview), "a fault is left of the first round: {overview}");
        if now.duration_since(began) > QUIET {
            break;
        }
        std::thread::sleep(POLL_INTERVAL);
    }
    assert_eq!(demo.process.terminate().code(), Some(0));
    assert_eq!(demo.files(), 0);
}

#[test]
fn the_demo_has_a_past_of_seven_days() {
    let demo = Demo::start();
    let (_, now) = demo.overview();
    let hours = SignedDuration::from_hours;
    let quiet = now - hours(2);
    for kind in ["version", "blind", "settings", "address", "stability", "removed", "first_seen"] {
        assert!(!demo.events(kind, quiet).is_empty(), "{kind}");
    }
    let oldest: Timestamp =
        demo.events("first_seen", quiet).last().unwrap()["at"].as_str().unwrap().parse().unwrap();
    assert!(now.duration_since(oldest) > hours(7 * 24 - 1), "{oldest}");
    let configured = demo.get("api/v1/audit?action=configure");
    assert!(configured.to_string().contains("stale_timeout_s 300 to 420"), "{configured}");

    let from = now - hours(7 * 24) + hours(1);
    let report = demo.get(&format!("api/v1/availability?from={from}&until={quiet}&by=server"));
    let percents =
        report["rows"].as_array().unwrap().iter().filter_map(|row| row["percent"].as_f64());
    assert!(percents.clone().any(|percent| percent < 100.0), "{report}");
    assert!(percents.clone().all(|percent| percent > 99.0), "{report}");

    let starts = demo.events("start", quiet);
    let crash = starts.iter().find(|start| start["why"] == "crash").unwrap();
    let back: Timestamp = crash["at"].as_str().unwrap().parse().unwrap();
    let before = back - SignedDuration::from_mins(2);
    let then = demo.get(&format!("api/v1/overview?at={before}"));
    let is_shown =
        |hint: &Value| hint["id"] == "service-stale" && hint["server"] == crash["server"];
    assert!(then["hints"].as_array().unwrap().iter().any(is_shown), "{then}");
    assert_eq!(then["counts"]["stale"], 1);
}
