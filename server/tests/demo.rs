//! The demo's promise: every pulse and every hint within two minutes, and nothing left behind.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails in a helper fails the story")]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use app::cluster::{HintId, Pulse};
use serde_json::{Value, json};

/// A demo as a process of its own. It ends with this value, however the story does.
struct Demo {
    process: Child,
    url: String,
    /// Where it may put files.
    folder: PathBuf,
}

impl Demo {
    fn start() -> Self {
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_cluster-overview"))
            .args(["demo", "--listen", "127.0.0.1:0"])
            .env("TMPDIR", &folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let url = first.strip_prefix("Cluster Overview at ").unwrap().to_owned();
        assert!(lines.next().unwrap().unwrap().contains("demo"));
        Self { process, url, folder }
    }

    /// The overview, and the moment of the answer by the overview's own clock.
    fn overview(&self) -> (Value, jiff::Timestamp) {
        let mut answer = ureq::get(format!("{}api/v1/overview", self.url)).call().unwrap();
        let now = answer.headers()["overview-now"].to_str().unwrap().parse().unwrap();
        (answer.body_mut().read_json().unwrap(), now)
    }

    /// What it left where files may be put.
    fn files(&self) -> usize {
        std::fs::read_dir(&self.folder).unwrap().count()
    }

    /// Asks it to stop, and waits for its exit code.
    fn stop(&mut self) -> Option<i32> {
        let asked = Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        assert!(asked.success());
        self.process.wait().unwrap().code()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Both fail where the story went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
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

/// Slow on purpose: two minutes are the promise.
#[test]
fn within_two_minutes_the_demo_shows_every_pulse_and_every_hint_and_leaves_nothing_behind() {
    let mut demo = Demo::start();
    let mut missing: BTreeSet<String> = Pulse::ALL
        .into_iter()
        .map(Pulse::as_str)
        .chain(HintId::ALL.iter().map(|hint| hint.as_str()))
        .map(str::to_owned)
        .collect();
    let (whole, began) = demo.overview();
    assert_eq!((&whole["health"], &whole["hints"]), (&json!("ok"), &json!([])), "it begins whole");
    assert_eq!(whole["counts"]["servers"], 6);
    assert_eq!(demo.files(), 1);
    while !missing.is_empty() {
        let (overview, now) = demo.overview();
        let passed = now.duration_since(began);
        for name in shown(&overview) {
            if missing.remove(&name) {
                println!("{:6.1} s  {name}", passed.as_secs_f64());
            }
        }
        assert!(passed.as_secs() < 120, "not shown within two minutes: {missing:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(demo.stop(), Some(0));
    assert_eq!(demo.files(), 0);
}
