//! A program that keeps reading the database: the write-ahead log grows, the overview warns, and the log is short afterwards.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use testkit::{DEFAULT_TIMEOUT, Overview, Process, heartbeat, wait_until, wait_until_ok};

/// The longest log without such a reader.
const MAX_LOG_BYTES: u64 = 8 << 20;
/// Heartbeats of so many servers change about sixty pages.
const SERVERS: usize = 900;

fn log(overview: &Overview) -> PathBuf {
    overview.database().with_extension("db-wal")
}

fn log_bytes(overview: &Overview) -> u64 {
    fs::metadata(log(overview)).map_or(0, |log| log.len())
}

fn measured_log_bytes(overview: &Overview) -> u64 {
    let metrics = overview.get("/metrics").body;
    let mut lines = metrics.as_str().unwrap().lines();
    let found = lines.find_map(|line| line.strip_prefix("cluster_overview_store_log_bytes "));
    found.unwrap().parse().unwrap()
}

/// Sends heartbeats of all servers until the log has this length.
fn grow_log(overview: &Overview, bytes: u64) {
    for sequence in 2.. {
        let beats =
            (0..SERVERS).map(|number| heartbeat(&format!("s-{number}"), "service", sequence));
        assert_eq!(overview.post_heartbeats(&Value::Array(beats.collect())).status, 200);
        if log_bytes(overview) > bytes {
            return;
        }
    }
}

/// A database shell with an open read transaction.
fn start_reader(overview: &Overview) -> Process {
    let mut shell = Command::new("sqlite3");
    shell.arg(overview.database()).stdin(Stdio::piped());
    let mut reader = Process::start(&mut shell, &overview.folder, "sqlite3");
    reader.write_line("begin; select 'reads', count(*) from components;");
    reader.wait_for_line("the shell to read", DEFAULT_TIMEOUT, |line| {
        line.starts_with("reads").then_some(())
    });
    reader
}

#[test]
fn a_write_ahead_log_that_a_reader_keeps_growing_is_warned_about_and_is_short_again_afterwards() {
    let mut overview = Overview::start();
    overview.send_heartbeat("app-1", 1);
    let mut reader = start_reader(&overview);
    grow_log(&overview, 2 * MAX_LOG_BYTES);
    assert_eq!(measured_log_bytes(&overview), log_bytes(&overview));
    let line = overview.serve.wait_for_line("a warning about the log", DEFAULT_TIMEOUT, |line| {
        line.contains("grows because another program").then(|| line.to_owned())
    });
    assert!(line.contains("fuser -v") && line.contains("overview.db-wal"), "{line}");
    assert_eq!(overview.send_heartbeat("app-1", 2).0, 200, "it serves meanwhile");
    reader.kill();
    wait_until_ok("the log to be short", DEFAULT_TIMEOUT, || {
        let bytes = log_bytes(&overview);
        if bytes <= MAX_LOG_BYTES { Ok(()) } else { Err(bytes) }
    });
    assert_eq!(overview.send_heartbeat("app-1", 3).0, 200);
    assert_eq!(overview.picture()["counts"]["servers"], SERVERS + 1);
}

#[test]
fn a_write_ahead_log_of_an_earlier_process_is_truncated_and_a_clean_stop_leaves_one_file() {
    let mut overview = Overview::start();
    overview.send_heartbeat("app-1", 1);
    let mut reader = start_reader(&overview);
    grow_log(&overview, 2 * MAX_LOG_BYTES);
    overview.kill();
    reader.kill();
    overview.start_again();
    wait_until("the log to be short", DEFAULT_TIMEOUT, || {
        (log_bytes(&overview) <= MAX_LOG_BYTES).then_some(())
    });
    assert_eq!(overview.send_heartbeat("app-1", 2).0, 200);
    assert!(overview.serve.terminate().success());
    assert!(!log(&overview).exists(), "what was written is in the database itself");
    let said = overview.log();
    assert!(!said.contains("ERROR") && !said.contains("WARN"), "it stops without warnings: {said}");
    overview.start_again();
    assert_eq!(overview.picture()["counts"]["servers"], SERVERS + 1);
}
