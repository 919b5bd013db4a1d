//! A running `serve` as a process of its own, and how to ask it.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The join token of every overview in these stories.
pub(crate) const TOKEN: &str = "a-join-token-for-stories";

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_cluster-overview");

/// An overview, its process and its folder. Both go with this value.
pub(crate) struct Overview {
    pub(crate) folder: PathBuf,
    pub(crate) port: u16,
    pub(crate) serve: Child,
}

/// A folder of one's own, with the join token in it.
pub(crate) fn folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("holds-{}-{number}", std::process::id());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("token"), TOKEN).unwrap();
    folder
}

/// What `serve` is told, with its files in this folder.
pub(crate) fn arguments(folder: &Path, port: u16) -> Vec<String> {
    let path = |name: &str| folder.join(name).display().to_string();
    let mut arguments: Vec<String> =
        ["serve", "--auth", "none", "--report-self", "none", "--listen"].map(str::to_owned).into();
    arguments.push(format!("127.0.0.1:{port}"));
    // A story that has another database names it there.
    let database = std::fs::read_to_string(folder.join("database"));
    let database = database.unwrap_or_else(|_| format!("sqlite:{}", path("overview.db")));
    arguments.extend(["--database".to_owned(), database]);
    arguments.extend(["--join-token-file".to_owned(), path("token")]);
    arguments
}

/// The port in the line that says where it listens.
pub(crate) fn port(out: ChildStdout) -> u16 {
    let lines = BufReader::new(out).lines();
    let line = lines.map_while(Result::ok).find(|line| line.contains(" at http://")).unwrap();
    line.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
}

/// Where the processes of a folder write what they have to say: beside it, for its disk may be full.
fn log_file(folder: &Path) -> PathBuf {
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.log", std::process::id()))
}

fn log(folder: &Path) -> File {
    File::options().create(true).append(true).open(log_file(folder)).unwrap()
}

/// Starts `serve` and returns once it listens.
fn serve(folder: &Path, listen: u16, environment: &[(&str, String)]) -> (Child, u16) {
    let mut serve = Command::new(PROGRAM)
        .args(arguments(folder, listen))
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdout(Stdio::piped())
        .stderr(log(folder))
        .spawn()
        .unwrap();
    let listens = port(serve.stdout.take().unwrap());
    (serve, listens)
}

impl Overview {
    pub(crate) fn start() -> Self {
        Self::start_in(folder(), &[])
    }

    /// Starts one on this database.
    pub(crate) fn start_on(database: &str) -> Self {
        let folder = folder();
        std::fs::write(folder.join("database"), database).unwrap();
        Self::start_in(folder, &[])
    }

    /// Starts one in this folder, with more in its environment.
    pub(crate) fn start_in(folder: PathBuf, environment: &[(&str, String)]) -> Self {
        let (serve, port) = serve(&folder, 0, environment);
        Self { folder, port, serve }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Ends the process without a word and starts it again; how long until it can read and write.
    pub(crate) fn kill(&mut self) -> Duration {
        self.end();
        self.start_again()
    }

    /// Starts the ended process again; how long until it can read and write.
    pub(crate) fn start_again(&mut self) -> Duration {
        let since = Instant::now();
        (self.serve, self.port) = serve(&self.folder, self.port, &[]);
        while get(&self.url("/readyz")).is_none() {
            assert!(since.elapsed() < Duration::from_secs(10), "it never was ready again");
        }
        since.elapsed()
    }

    pub(crate) fn picture(&self) -> Value {
        get(&self.url("/api/v1/overview")).unwrap()
    }

    /// Asks again until the picture is as wanted.
    pub(crate) fn picture_when(&self, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        let since = Instant::now();
        loop {
            let picture = self.picture();
            if wanted(&picture) {
                return picture;
            }
            assert!(since.elapsed() < Duration::from_secs(20), "never as wanted: {picture:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The shortest timers that are not tight.
    pub(crate) fn hurry(&self) {
        let settings = json!({
            "load_balancing": false, "automatic_failover": false, "heartbeat_interval_s": 1,
            "stale_timeout_s": 3, "web_window_s": 60
        });
        let put = agent().put(self.url("/api/v1/settings"));
        put.header("content-type", "application/json").send(settings.to_string()).unwrap();
    }

    /// One heartbeat of each of so many services, at once.
    pub(crate) fn beat_all(&self, servers: usize) {
        let beats: Vec<Value> =
            (1..=servers).map(|number| heartbeat(&format!("web-{number}"), 1)).collect();
        let answer = post(&agent(), &self.url("/api/v1/heartbeats"), &json!(beats)).unwrap();
        assert_eq!(answer.0, 200);
    }

    /// Ends the process without a word.
    pub(crate) fn end(&mut self) {
        self.serve.kill().unwrap();
        self.serve.wait().unwrap();
    }

    /// Starts the process again, which is refused: what it says, and its exit code.
    pub(crate) fn refused_start(&mut self) -> (String, Option<i32>) {
        self.end();
        let ended = Command::new(PROGRAM).args(arguments(&self.folder, 0)).output().unwrap();
        (String::from_utf8(ended.stderr).unwrap(), ended.status.code())
    }

    /// Its database.
    pub(crate) fn database(&self) -> PathBuf {
        self.folder.join("overview.db")
    }

    /// One heartbeat of a service; the status of the answer, and when it came.
    pub(crate) fn beat(&self, server: &str, sequence: u64) -> (u16, Option<String>) {
        beat(&agent(), &self.url("/api/v1/heartbeats"), server, sequence).unwrap()
    }
}

impl Drop for Overview {
    fn drop(&mut self) {
        let _ = self.serve.kill();
        let _ = self.serve.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
        let said = std::fs::read_to_string(log_file(&self.folder)).unwrap_or_default();
        let _ = std::fs::remove_file(log_file(&self.folder));
        if !std::thread::panicking() {
            assert!(!said.contains(TOKEN), "a secret in what the process wrote:\n{said}");
        }
    }
}

/// A client that sees every status.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(20)))
        .http_status_as_error(false)
        .build()
        .into()
}

/// What a good answer holds.
pub(crate) fn get(url: &str) -> Option<Value> {
    let mut answer = agent().get(url).call().ok()?;
    let text = answer.body_mut().read_to_string().ok()?;
    let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
    answer.status().is_success().then_some(value)
}

/// One heartbeat of a service; the status of the answer, and when it came. `None` if nobody answers.
pub(crate) fn beat(
    agent: &ureq::Agent,
    url: &str,
    server: &str,
    sequence: u64,
) -> Option<(u16, Option<String>)> {
    post(agent, url, &heartbeat(server, sequence))
}

fn heartbeat(server: &str, sequence: u64) -> Value {
    json!({
        "server": server, "role": "service", "version": "2026.2.1", "ip": "10.0.0.1",
        "os": {"name": "Debian GNU/Linux", "version": "12"},
        "boot_id": "0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11", "sequence": sequence
    })
}

/// Posts heartbeats; the status of the answer, and when they came. `None` if nobody answers.
fn post(agent: &ureq::Agent, url: &str, beats: &Value) -> Option<(u16, Option<String>)> {
    let mut answer = agent
        .post(url)
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-type", "application/json")
        .send(beats.to_string())
        .ok()?;
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_str(&answer.body_mut().read_to_string().ok()?).ok()?;
    Some((status, body["received_at"].as_str().map(str::to_owned)))
}
