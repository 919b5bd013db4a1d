//! Clocks that jump, processes that are suspended, intervals that change: no server is late or stale because of it,
//! and servers that really die are found.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{DEFAULT_TIMEOUT, Overview, Process, Senders, folder, program, wait_until};

use crate::history::{check_order, of_kind, read_events};

/// The library of Debian's package `libfaketime` for processes with threads; the
/// other one sometimes gives a thread the true time.
pub(crate) fn libfaketime() -> PathBuf {
    let folders = fs::read_dir("/usr/lib").unwrap().map(|folder| folder.unwrap().path());
    let found = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    found
        .into_iter()
        .find(|file| file.exists())
        .unwrap_or_else(|| panic!("`cargo xtask test` installs libfaketime"))
}

/// A service that sends heartbeats until it is dropped.
fn beating(overview: &Overview, server: &str) -> Senders {
    let url = overview.url("/api/v1/heartbeats");
    Senders::start(&url, [server.to_owned()], Duration::from_millis(300), 1)
}

fn pulse<'a>(picture: &'a Value, server: &str) -> &'a str {
    let servers = picture["servers"].as_array().unwrap();
    let found = servers.iter().find(|found| found["name"] == server);
    found.map_or("absent", |server| server["components"][0]["pulse"].as_str().unwrap())
}

/// The live service is alive, the dead one stale, and there are no other hints.
fn check_pulses(picture: &Value) {
    assert_eq!(pulse(picture, "living"), "alive", "{picture:#}");
    assert_eq!(pulse(picture, "dead"), "stale", "{picture:#}");
    let hints = picture["hints"].as_array().unwrap();
    let said: Vec<&Value> = hints.iter().map(|hint| &hint["anchor"]).collect();
    assert_eq!(said, ["hint-service-stale-dead_service"], "{picture:#}");
}

/// Checks repeatedly for this time.
fn check_pulses_for(overview: &Overview, how_long: Duration) {
    let since = Instant::now();
    while since.elapsed() < how_long {
        check_pulses(&overview.picture());
        thread::sleep(Duration::from_millis(10));
    }
}

/// One live service, and one that is known to be stale.
fn start_one_live_one_stale(overview: &Overview) -> Senders {
    overview.use_short_timers();
    overview.send_heartbeat("dead", 1);
    let living = beating(overview, "living");
    overview.wait_for_picture(|picture| {
        pulse(picture, "dead") == "stale" && pulse(picture, "living") == "alive"
    });
    living
}

/// Whether the clock was set between these overviews. Forward there is a blind period; backward all times
/// were moved.
fn has_followed_clock(before: &Value, after: &Value) -> bool {
    let dead = |picture: &Value| picture["servers"][0]["components"][0]["first_seen"].clone();
    dead(before) != dead(after) || before["blind_periods"] != after["blind_periods"]
}

/// The environment of a process whose wall clock this file sets. Its elapsed time stays true.
fn clock_of(file: &Path) -> [(&'static str, String); 4] {
    [
        ("LD_PRELOAD", libfaketime().display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ]
}

/// The clock was set once by so many seconds, everything is in order, and no pulse turned because of it.
fn check_history(events: &[Value], by_seconds: i64) {
    let [clock] = of_kind(events, "clock")[..] else { panic!("one event: {events:#?}") };
    let expected = if by_seconds < 0 { "back" } else { "forward" };
    assert_eq!(clock["why"], expected);
    // The clock follows to the second or so.
    let off = clock["lasted_s"].as_i64().unwrap() - by_seconds.abs();
    assert!(off.abs() <= 2, "{clock}");
    assert_eq!(of_kind(events, "blind"), Vec::<&Value>::new());
    let turns: Vec<_> =
        of_kind(events, "pulse").iter().map(|event| (&event["server"], &event["to"])).collect();
    assert_eq!(turns, [(&json!("dead"), &json!("stale")), (&json!("dead"), &json!("late"))]);
    let arrivals: Vec<_> =
        of_kind(events, "first_seen").iter().map(|event| &event["server"]).collect();
    assert_eq!(arrivals, ["living", "dead"]);
    check_order(events);
}

/// The machine's clock is set while `serve` runs, which follows only after a minute.
fn check_clock_set_by(by: &str) {
    let folder = folder();
    let clock = folder.join("clock");
    fs::write(&clock, "+0").unwrap();
    let overview = Overview::start_in(folder, &clock_of(&clock));
    let living = start_one_live_one_stale(&overview);
    let before = overview.picture();
    fs::write(&clock, by).unwrap();
    wait_until(&format!("the clock to follow {by}"), Duration::from_mins(3), || {
        check_pulses_for(&overview, Duration::from_millis(100));
        has_followed_clock(&before, &overview.picture()).then_some(())
    });
    check_pulses_for(&overview, Duration::from_secs(5));
    check_history(&read_events(&overview), by.parse().unwrap());
    drop(living);
    overview.wait_for_picture(|picture| pulse(picture, "living") == "stale");
}

#[test]
fn setting_the_clock_by_an_hour_or_a_day_changes_no_verdict() {
    let shifts = ["+3600", "-3600", "+86400", "-86400"];
    let tests = shifts.map(|by| thread::spawn(move || check_clock_set_by(by)));
    for test in tests {
        test.join().unwrap();
    }
}

/// How long the process is suspended: three stale timeouts, or as many seconds as
/// `CLUSTER_OVERVIEW_SLEEP_SECONDS` says.
fn suspended_for() -> Duration {
    let chosen = std::env::var("CLUSTER_OVERVIEW_SLEEP_SECONDS");
    Duration::from_secs(chosen.map_or(9, |seconds| seconds.parse().unwrap()))
}

#[test]
fn a_suspended_overview_calls_no_server_late_when_it_resumes_and_finds_those_that_died_meanwhile() {
    let overview = Overview::start();
    let _living = start_one_live_one_stale(&overview);
    let doomed = beating(&overview, "doomed");
    overview.wait_for_picture(|picture| pulse(picture, "doomed") == "alive");
    overview.serve.signal("-STOP");
    thread::sleep(suspended_for());
    doomed.ask_to_stop();
    overview.serve.signal("-CONT");
    let since = Instant::now();
    // It is late 2 s after the overview has resumed.
    while since.elapsed() < Duration::from_millis(1_500) {
        let picture = overview.picture();
        assert_eq!(pulse(&picture, "living"), "alive", "{picture:#}");
        assert_eq!(
            pulse(&picture, "doomed"),
            "alive",
            "the overview was suspended, not the servers: {picture:#}"
        );
        thread::sleep(Duration::from_millis(50));
    }
    let found = overview.wait_for_picture(|picture| pulse(picture, "doomed") == "stale");
    assert_eq!(pulse(&found, "living"), "alive", "{found:#}");
}

#[test]
fn a_shorter_interval_makes_no_server_late_that_still_has_the_longer_one() {
    let overview = Overview::start();
    overview.configure(3_600, 7_200, 7_200);
    overview.send_heartbeat("slow", 1);
    overview.configure(1, 2, 7_200);
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(5) {
        assert_eq!(pulse(&overview.picture(), "slow"), "alive", "its interval is an hour");
        thread::sleep(Duration::from_millis(100));
    }
    overview.send_heartbeat("slow", 2);
    overview.wait_for_picture(|picture| pulse(picture, "slow") == "stale");
}

#[test]
fn an_agent_that_enrolled_with_a_clock_in_the_future_enrols_again_once_it_is_right() {
    let overview = Overview::start();
    overview.use_short_timers();
    let folder = folder();
    let (clock, credential) = (folder.join("clock"), folder.join("credential"));
    let ten_years = Duration::from_hours(10 * 365 * 24).as_secs();
    fs::write(&clock, format!("+{ten_years}")).unwrap();
    let mut command = Command::new(program());
    command.args(["agent", "--overview", &overview.url(""), "--name", "app-1"]);
    command.arg("--token-file").arg(overview.token_file());
    command.arg("--credential-file").arg(&credential).envs(clock_of(&clock));
    let _agent = Process::start(&mut command, &folder, "agent app-1");
    let kept = || serde_json::from_slice::<Value>(&fs::read(&credential).ok()?).ok();
    let first = wait_until("a credential", DEFAULT_TIMEOUT, kept);
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    assert!(
        u128::from(first["enrolled_at"].as_u64().unwrap()) > now + 1_000_000,
        "{}",
        first["enrolled_at"]
    );
    fs::write(&clock, "+0").unwrap();
    let renewed = || kept().filter(|credential| credential["id"] != first["id"]);
    let second = wait_until("a credential of today", DEFAULT_TIMEOUT, renewed);
    assert!(second["enrolled_at"].as_u64() < first["enrolled_at"].as_u64());
    overview.wait_for_component("app-1", |component| component["pulse"] == "alive");
}
