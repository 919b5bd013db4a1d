//! Five hundred agents that start at once on a busy disk: the overview may be slow, but it is never
//! blind for longer than the disk takes, all agents are accepted in the end, and nothing acknowledged is lost.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::{
    Folder, Overview, Process, Senders, Serve, find_lost_heartbeat, folder, program, wait_until_ok,
};

const AGENTS: usize = 500;
/// Processes that write and sync 64 MB again and again.
const WRITERS: usize = 3;
/// How long they go on at least after all agents have started.
const MIN_BUSY_TIME: Duration = Duration::from_secs(10);
/// Longer than two processors and a slow disk need for all agents.
const ALL_ACCEPTED_WITHIN: Duration = Duration::from_mins(3);
/// How much longer than the longest sync a blind period can be: the overview checks twice a second, and the processors
/// are busy too.
const OUTAGE_TOLERANCE: Duration = Duration::from_secs(3);

/// Starts a process that keeps the disk of this folder busy.
fn keep_busy(folder: &Folder, number: usize) -> Process {
    let file = folder.join(format!("ballast-{number}"));
    let script = "while :; do dd if=/dev/zero of=\"$1\" bs=1M count=64 conv=fsync 2>&1; done";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(file);
    Process::start(&mut shell, folder, &format!("writer {number}"))
}

/// Writes and syncs again and again, as a database does. Returns the longest duration.
fn longest_sync(folder: &Folder, is_over: &AtomicBool) -> Duration {
    let mut file: File =
        OpenOptions::new().create(true).append(true).open(folder.join("synced")).unwrap();
    let mut longest = Duration::ZERO;
    while !is_over.load(Ordering::Relaxed) {
        let since = Instant::now();
        file.write_all(&[0; 4_096]).unwrap();
        file.sync_all().unwrap();
        longest = longest.max(since.elapsed());
        thread::sleep(Duration::from_millis(20));
    }
    longest
}

/// The longest blind period.
#[derive(Default)]
struct LongestOutage {
    since: Option<Instant>,
    longest: Duration,
}

impl LongestOutage {
    fn record(&mut self, picture: &Value) {
        if picture["blind_since"].is_null() {
            self.since = None;
        } else {
            let since = *self.since.get_or_insert_with(Instant::now);
            self.longest = self.longest.max(since.elapsed());
        }
    }
}

/// Set when it is dropped, also by a failure: otherwise the story would wait forever for the thread that syncs.
struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn start_agents(overview: &Overview) -> Vec<Process> {
    let start = |number: usize| {
        let name = format!("node-{number}");
        let credential = overview.folder.join(format!("{name}.credential"));
        let credential = credential.display().to_string();
        let more = ["--role", "web", "--credential-file", credential.as_str()];
        overview.start_agent(&program(), &name, &more)
    };
    (0..AGENTS).map(start).collect()
}

#[test]
fn five_hundred_agents_that_start_at_once_on_a_busy_disk_are_all_accepted_and_the_overview_is_not_blind()
 {
    let folder = folder();
    let writers: Vec<Process> = (0..WRITERS).map(|number| keep_busy(&folder, number)).collect();
    let mut overview = Serve::default().start_in(folder);
    let is_over = AtomicBool::new(false);
    let (acknowledged, longest_sync, blindness) = thread::scope(|scope| {
        let end_syncs = SetOnDrop(&is_over);
        let syncs = scope.spawn(|| longest_sync(&overview.folder, &is_over));
        let names = (0..5).map(|number| format!("sender-{number}"));
        let pause = Duration::from_millis(200);
        let senders = Senders::start(&overview.url("/api/v1/heartbeats"), names, pause, 1);
        let since = Instant::now();
        let agents = start_agents(&overview);
        let mut blindness = LongestOutage::default();
        let started = Instant::now();
        wait_until_ok("all agents to be there", ALL_ACCEPTED_WITHIN, || {
            let picture = overview.picture();
            blindness.record(&picture);
            let count = picture["counts"]["servers"].as_u64().unwrap_or_default();
            let all = count == (AGENTS + 5) as u64;
            if all && started.elapsed() > MIN_BUSY_TIME { Ok(()) } else { Err(count) }
        });
        println!("all there after {:?}", since.elapsed());
        drop(end_syncs);
        let acknowledged = senders.stop();
        drop(agents);
        (acknowledged, syncs.join().unwrap(), blindness)
    });
    drop(writers);
    println!("longest sync {longest_sync:?}, longest blind {:?}", blindness.longest);
    assert!(
        blindness.longest <= longest_sync + OUTAGE_TOLERANCE,
        "blind for {:?}, while the longest sync took {longest_sync:?}",
        blindness.longest
    );
    let picture = overview.wait_for_picture(|picture| picture["blind_since"].is_null());
    assert_eq!(find_lost_heartbeat(&acknowledged, &picture), None);
    overview.kill_and_restart();
    let picture = overview.picture();
    assert_eq!(find_lost_heartbeat(&acknowledged, &picture), None, "after a kill");
    assert_eq!(picture["counts"]["servers"], AGENTS + 5, "after a kill");
}
