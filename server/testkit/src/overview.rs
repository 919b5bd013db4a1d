//! A running `serve`, and how to ask it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Answer, agent, beat, get, send};
use crate::folder::Folder;
use crate::heartbeats::{TOKEN, heartbeat};
use crate::process::{Process, program, said};
use crate::serve::{Serve, listening};
use crate::wait::{SOON, wait_until, wait_until_ok};

/// Longer than a restart may take.
const RESTART_TIMEOUT: Duration = Duration::from_secs(10);

/// An overview. Its process ends, and its folder is deleted, with this value.
#[derive(Debug)]
pub struct Overview {
    /// The port that it listens on.
    pub port: u16,
    /// The process.
    pub serve: Process,
    how: Serve,
    /// Where its files are. After the process: its log is printed once it has ended.
    pub folder: Folder,
}

impl Overview {
    /// Starts one on a file of its own.
    pub fn start() -> Self {
        Serve::default().start()
    }

    /// Starts one on this database.
    pub fn start_on(database: &str) -> Self {
        Serve::default().on(database).start()
    }

    /// Starts one in this folder, with more in its environment.
    pub fn start_in(folder: Folder, environment: &[(&str, String)]) -> Self {
        Serve::default().environment(environment).start_in(folder)
    }

    pub(crate) fn running(how: Serve, command: Command, folder: Folder) -> Self {
        let (serve, port) = listening(command, &folder);
        Self { port, serve, how, folder }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Host and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its database, unless it is on another than its own file.
    pub fn database(&self) -> PathBuf {
        self.folder.join("overview.db")
    }

    /// The file with the join token.
    pub fn token_file(&self) -> PathBuf {
        self.folder.token_file()
    }

    /// Sends a request, which is answered.
    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        send(&agent(), method, &self.url(path), headers, body).unwrap()
    }

    /// Asks without a body.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], &[])
    }

    /// Sends JSON.
    #[track_caller]
    pub fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(method, path, &headers, body.to_string().as_bytes())
    }

    /// Posts one heartbeat, or an array of them, with the join token.
    #[track_caller]
    pub fn post_heartbeats(&self, heartbeats: &Value) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.send("POST", "/api/v1/heartbeats", &headers, heartbeats.to_string().as_bytes())
    }

    /// One heartbeat of a service; the status of the answer, and when it came.
    #[track_caller]
    pub fn beat(&self, server: &str, sequence: u64) -> (u16, Option<String>) {
        beat(&agent(), &self.url("/api/v1/heartbeats"), server, sequence).unwrap()
    }

    /// One heartbeat of each of so many services, at once.
    #[track_caller]
    pub fn beat_all(&self, servers: usize) {
        let beats = (1..=servers).map(|number| heartbeat(&format!("web-{number}"), "service", 1));
        assert_eq!(self.post_heartbeats(&Value::Array(beats.collect())).status, 200);
    }

    /// All that its process has written so far.
    pub fn said(&self) -> String {
        self.serve.said()
    }

    /// The picture.
    #[track_caller]
    pub fn picture(&self) -> Value {
        let answer = self.get("/api/v1/overview");
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// Asks again until the picture is as wanted.
    #[track_caller]
    pub fn picture_when(&self, wanted: impl FnMut(&Value) -> bool) -> Value {
        self.picture_within(SOON, wanted)
    }

    /// The same, for so long at most.
    #[track_caller]
    pub fn picture_within(
        &self,
        within: Duration,
        mut wanted: impl FnMut(&Value) -> bool,
    ) -> Value {
        wait_until_ok("a picture as wanted", within, || {
            let picture = self.picture();
            if wanted(&picture) { Ok(picture) } else { Err(format!("{picture:#}")) }
        })
    }

    /// The first component of a server, once it is as wanted.
    #[track_caller]
    pub fn component_when(&self, server: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait_until_ok(&format!("the component of {server} as wanted"), SOON, || {
            let picture = self.picture();
            let mut servers = picture["servers"].as_array().into_iter().flatten();
            let found = servers.find(|known| known["name"] == server);
            let found = found.map(|server| server["components"][0].clone());
            found.filter(&wanted).ok_or_else(|| format!("{picture:#}"))
        })
    }

    /// Saves timers: how often to beat, and when a silent component is stale.
    #[track_caller]
    pub fn configure(&self, heartbeat_interval_s: u32, stale_timeout_s: u32, web_window_s: u32) {
        let settings = json!({
            "load_balancing": false, "automatic_failover": false,
            "heartbeat_interval_s": heartbeat_interval_s, "stale_timeout_s": stale_timeout_s,
            "web_window_s": web_window_s
        });
        let put = self.json("PUT", "/api/v1/settings", &settings);
        assert_eq!(put.status, 200, "{}", put.body);
    }

    /// The shortest timers that are not tight.
    #[track_caller]
    pub fn hurry(&self) {
        self.configure(1, 3, 60);
    }

    /// Whether it can read and write.
    pub fn is_ready(&self) -> bool {
        get(&self.url("/readyz")).is_some()
    }

    /// Ends the process without a chance to say anything and starts it again; how long until it can read and
    /// write.
    pub fn kill(&mut self) -> Duration {
        self.end();
        self.start_again()
    }

    /// Starts the ended process again; how long until it can read and write.
    pub fn start_again(&mut self) -> Duration {
        let since = Instant::now();
        let command = self.how.command(&self.folder, self.port);
        (self.serve, self.port) = listening(command, &self.folder);
        wait_until("the restarted overview to be ready", RESTART_TIMEOUT, || {
            self.is_ready().then_some(())
        });
        since.elapsed()
    }

    /// Ends the process without a chance to say anything.
    pub fn end(&mut self) {
        self.serve.kill();
    }

    /// Ends the process and starts it again, which is refused: what it says, and its exit code.
    pub fn refused_start(&mut self) -> (String, Option<i32>) {
        self.end();
        self.how.refused(&self.folder)
    }

    /// Starts an agent for a server, with more options.
    pub fn agent(&self, program: &Path, server: &str, more: &[&str]) -> Process {
        let mut agent = Command::new(program);
        agent.args(["agent", "--overview", &self.url(""), "--name", server]);
        agent.arg("--token-file").arg(self.token_file()).args(more);
        Process::start(&mut agent, &self.folder, &format!("agent {server}"))
    }

    /// A request as bytes over a connection that is kept, or closed after the answer.
    pub fn request(
        &self,
        (method, path, keep): (&str, &str, bool),
        headers: &[(&str, &str)],
        body: &str,
    ) -> String {
        let version = if keep { "1.1" } else { "1.0" };
        let mut text = format!("{method} {path} HTTP/{version}\r\nHost: {}\r\n", self.address());
        for (name, value) in headers {
            // Writing to a string cannot fail.
            let _ = write!(text, "{name}: {value}\r\n");
        }
        if !body.is_empty() {
            let length = body.len();
            let _ = write!(text, "Content-Type: application/json\r\nContent-Length: {length}\r\n");
        }
        text + "\r\n" + body
    }
}

/// Makes an API token on a database, by the program's own command.
pub fn create_token(database: &str, role: &str) -> String {
    let mut create = Command::new(program());
    create.args(["token", "create", "--role", role, "--name", "story", "--database", database]);
    let made = create.output().unwrap();
    assert!(made.status.success(), "{}", said(&made));
    String::from_utf8(made.stdout).unwrap()
}
