//! A disk that takes three seconds for each sync: the overview is slow, but not blind.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use testkit::{Folder, Senders, Serve, find_lost_heartbeat, folder, wait_until_ok};

/// How many services send heartbeats at once.
const SERVICES: u64 = 20;
/// Several syncs.
const SLOW_FOR: Duration = Duration::from_secs(15);
/// How soon two heartbeats of each have been stored.
const STORED_WITHIN: Duration = Duration::from_mins(1);

/// Replaces the sync functions of a process: they are slow while a file exists.
const SLOW_SYNC: &str = r#"
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <stdlib.h>
    #include <unistd.h>
    static int slow(const char *name, int file) {
        int (*sync)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
        if (access(getenv("SLOW_WHILE"), F_OK) == 0) sleep(3);
        return sync(file);
    }
    int fsync(int file) { return slow("fsync", file); }
    int fdatasync(int file) { return slow("fdatasync", file); }
"#;

/// The library with these functions.
fn slow_sync(folder: &Folder) -> PathBuf {
    let (source, library) = (folder.join("slow_sync.c"), folder.join("slow_sync.so"));
    std::fs::write(&source, SLOW_SYNC).unwrap();
    let mut compile = Command::new("cc");
    compile.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl");
    let compiled = compile.output().unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    library
}

#[test]
fn while_each_sync_takes_three_seconds_heartbeats_wait_and_the_overview_is_not_blind() {
    let folder = folder();
    let slow = folder.join("slow");
    let environment = [
        ("LD_PRELOAD", slow_sync(&folder).display().to_string()),
        ("SLOW_WHILE", slow.display().to_string()),
    ];
    let mut overview = Serve::default().environment(&environment).start_in(folder);
    std::fs::write(&slow, "").unwrap();
    let since = Instant::now();
    let names = (0..SERVICES).map(|number| format!("web-{number}"));
    let pause = Duration::from_millis(100);
    let senders = Senders::start(&overview.url("/api/v1/heartbeats"), names, pause, 1);
    wait_until_ok("two heartbeats of each to be stored", STORED_WITHIN, || {
        let picture = overview.picture();
        assert!(picture["blind_since"].is_null(), "blind, {:?} in: {picture:#}", since.elapsed());
        let count = senders.count();
        if count >= 2 * SERVICES && since.elapsed() > SLOW_FOR { Ok(()) } else { Err(count) }
    });
    let acknowledged = senders.stop();
    assert_eq!(find_lost_heartbeat(&acknowledged, &overview.picture()), None);
    std::fs::remove_file(slow).unwrap();
    overview.kill_and_restart();
    assert_eq!(find_lost_heartbeat(&acknowledged, &overview.picture()), None, "after a kill");
    assert!(!overview.log().contains("is blind"), "{}", overview.log());
}
