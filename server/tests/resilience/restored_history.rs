//! The history after a restore: what happened before the backup is as it was, what happened after it is gone, and the time between
//! is a blind period.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::{Overview, heartbeat, postgres, run, with_field};

use crate::history::{interval, of_kind, read_events};

/// Longer than the longest time between two marks, 5 s with these timers.
const BETWEEN_BACKUP_AND_RESTORE: Duration = Duration::from_secs(7);

fn beat(overview: &Overview, server: &str, version: &str) {
    let sent = with_field(heartbeat(server, "service", 1), "version", json!(version));
    let boot = format!("{version:0>8}-3c0a-4d5e-9f7e-3d1b9f0c2a11");
    let sent = with_field(sent, "boot_id", json!(boot));
    assert_eq!(overview.post_heartbeats(&sent).status, 200);
}

/// A service that was stale and came back with another version. The interval was longer from then on.
fn make_history(overview: &Overview) {
    overview.use_short_timers();
    beat(overview, "app-1", "1");
    overview.wait_for_component("app-1", |component| component["pulse"] == "stale");
    overview.configure(5, 30, 60);
    beat(overview, "app-1", "2");
}

fn overview_at(overview: &Overview, event: &Value) -> Value {
    overview.get(&format!("/api/v1/overview?at={}", event["at"].as_str().unwrap())).body
}

/// The moments of the rows of events on the page of the history, newest first.
fn moments_on_page(overview: &Overview) -> Vec<String> {
    let page = overview.get("/history").body;
    let page = page.as_str().unwrap();
    let times = page.split("<time datetime=\"").skip(1);
    let times = times.filter(|time| time.split('>').next().unwrap().ends_with("data-utc"));
    times.map(|time| time.split('"').next().unwrap().to_owned()).collect()
}

/// Backs up, changes a lot, and restores. `back_up` returns what restores into the stopped overview's database.
fn check_restore<R: FnOnce()>(overview: &mut Overview, back_up: impl FnOnce(&Overview) -> R) {
    make_history(overview);
    let before = read_events(overview);
    let stale = of_kind(&before, "pulse").into_iter().find(|event| event["to"] == "stale").unwrap();
    let then = overview_at(overview, stale);
    assert_eq!(then["counts"]["stale"], 1, "{then:#}");
    let restore = back_up(overview);
    let (backed_up_at, since) = (Timestamp::now(), Instant::now());
    beat(overview, "ghost", "1");
    beat(overview, "app-1", "3");
    overview.configure(5, 40, 60);
    assert!(read_events(overview).len() >= before.len() + 2, "the backup is older");
    overview.serve.terminate();
    thread::sleep(BETWEEN_BACKUP_AND_RESTORE.saturating_sub(since.elapsed()));
    restore();
    let started_at = Timestamp::now();
    overview.start_again();
    beat(overview, "app-1", "2");

    let after = read_events(overview);
    let (new, old) = after.split_at(after.len() - before.len());
    assert_eq!(old, before, "what happened before the backup");
    let [blind] = new else { panic!("only nobody's observing is new: {new:#?}") };
    assert_eq!(blind["kind"], "blind");
    let (from, until) = interval(blind);
    // Seconds are cut, and the last mark is at most half an interval older than the backup.
    let mark_period = SignedDuration::from_millis(2_500);
    assert!(backed_up_at - mark_period <= from && from <= backed_up_at, "{blind}");
    assert!(until + SignedDuration::from_secs(1) >= started_at, "{blind}");
    assert_eq!(overview_at(overview, stale), then, "the page of a past moment");
    // What happened to one component at one moment is one row.
    let rows = after.chunk_by(|one, other| {
        ["at", "server", "role"].iter().all(|field| one[field] == other[field])
    });
    let moments = rows.map(|row| row[0]["at"].as_str().unwrap());
    assert_eq!(moments_on_page(overview), moments.collect::<Vec<_>>());
    let nobody_observed =
        overview.get(&format!("/api/v1/overview?at={}", backed_up_at + mark_period));
    assert_eq!(nobody_observed.body["counts"]["unknown"], 1, "{:#}", nobody_observed.body);
}

#[test]
fn a_restored_file_has_the_events_before_the_backup_and_a_blind_period_since() {
    let mut overview = Overview::start();
    check_restore(&mut overview, |overview| {
        let (file, backup) = (overview.database(), overview.folder.join("backup.db"));
        let command = format!(".backup '{}'", backup.display());
        let done = run("sqlite3", &[&file.display().to_string(), &command]);
        assert!(done.status.success(), "{}", testkit::output_text(&done));
        move || {
            fs::copy(backup, &file).unwrap();
            for suffix in ["-wal", "-shm"] {
                // A clean stop deletes both.
                let _ = fs::remove_file(PathBuf::from(format!("{}{suffix}", file.display())));
            }
        }
    });
}

#[test]
fn a_restored_postgresql_database_has_the_events_before_the_backup_and_a_blind_period_since() {
    let database = tokio::runtime::Runtime::new().unwrap().block_on(postgres().create_database());
    let mut overview = Overview::start_on(&database);
    check_restore(&mut overview, |_| {
        let backup = postgres().back_up(&database);
        let database = &database;
        move || postgres().restore(&backup, database)
    });
}
