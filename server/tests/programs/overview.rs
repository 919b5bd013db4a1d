//! The program, running, for others to talk to.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_cluster-overview");
pub(crate) const TOKEN: &str = "a-join-token-for-stories";

/// An overview, and what it is asked by.
pub(crate) struct Overview {
    pub(crate) url: String,
    pub(crate) folder: PathBuf,
    child: Child,
}

/// A folder of one's own.
pub(crate) fn folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("programs-{}-{number}", std::process::id());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Grows.
fn sequence() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Where this repository lies.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Runs a program to its end.
pub(crate) fn run(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().unwrap()
}

/// All that a program said.
pub(crate) fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

impl Overview {
    /// Starts one without sign-in.
    pub(crate) fn start() -> Self {
        let folder = folder();
        std::fs::write(folder.join("join-token"), TOKEN).unwrap();
        let mut child = Command::new(PROGRAM)
            .args(["serve", "--auth", "none", "--listen", "127.0.0.1:0", "--report-self", "none"])
            .args(["--join-token-file", "join-token", "--database", "sqlite:overview.db"])
            .current_dir(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = lines.map_while(Result::ok).find(|line| line.contains(" at http://")).unwrap();
        let url = ready.rsplit(' ').next().unwrap().trim_end_matches('/').to_owned();
        Self { url, folder, child }
    }

    pub(crate) fn token_file(&self) -> PathBuf {
        self.folder.join("join-token")
    }

    pub(crate) fn picture(&self) -> Value {
        let answer = ureq::get(format!("{}/api/v1/overview", self.url)).call();
        serde_json::from_reader(answer.unwrap().into_body().into_reader()).unwrap()
    }

    /// The component of a server, once it is there.
    pub(crate) fn component_when(&self, server: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let since = Instant::now();
        loop {
            let picture = self.picture();
            let mut servers = picture["servers"].as_array().unwrap().iter();
            let found = servers.find(|known| known["name"] == server);
            if let Some(component) = found.map(|server| &server["components"][0])
                && wanted(component)
            {
                return component.clone();
            }
            assert!(since.elapsed() < Duration::from_secs(20), "never as wanted: {picture:#}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn beat(&self, server: &str, version: &str) {
        let heartbeat = json!({
            "server": server, "role": "service", "version": version,
            "os": {"name": "Debian GNU/Linux", "version": "12"}, "ip": "10.0.0.11",
            "boot_id": "0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11", "sequence": sequence()
        });
        let posted = ureq::post(format!("{}/api/v1/heartbeats", self.url))
            .header("authorization", format!("Bearer {TOKEN}"))
            .header("content-type", "application/json")
            .send(heartbeat.to_string());
        assert_eq!(posted.unwrap().status(), 200);
    }

    /// Timers as short as they may be.
    pub(crate) fn hurry(&self) {
        let settings = json!({
            "load_balancing": false, "automatic_failover": false,
            "heartbeat_interval_s": 1, "stale_timeout_s": 3, "web_window_s": 60
        });
        let put = ureq::put(format!("{}/api/v1/settings", self.url))
            .header("content-type", "application/json")
            .send(settings.to_string());
        assert_eq!(put.unwrap().status(), 200);
    }
}

impl Drop for Overview {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
