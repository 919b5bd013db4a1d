//! A running `serve`: requests to it, its picture, and its restarts.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Answer, agent, get, send, send_heartbeat};
use crate::folder::Folder;
use crate::heartbeats::{TOKEN, heartbeat};
use crate::process::{Process, output_text, program};
use crate::serve::{Serve, start_and_wait_for_port};
use crate::wait::{DEFAULT_TIMEOUT, wait_until, wait_until_ok};

const RESTART_TIMEOUT: Duration = Duration::from_secs(10);

/// An overview. On drop its process is killed and its folder deleted.
#[derive(Debug)]
pub struct Overview {
    pub port: u16,
    pub serve: Process,
    options: Serve,
    /// Declared after the process, so that the log is printed once the process has ended.
    pub folder: Folder,
}

impl Overview {
    pub fn start() -> Self {
        Serve::default().start()
    }

    pub fn start_on(database: &str) -> Self {
        Serve::default().database(database).start()
    }

    pub fn start_in(folder: Folder, environment: &[(&str, String)]) -> Self {
        Serve::default().environment(environment).start_in(folder)
    }

    pub(crate) fn from_command(options: Serve, command: Command, folder: Folder) -> Self {
        let (serve, port) = start_and_wait_for_port(command, &folder);
        Self { port, serve, options, folder }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Host and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The default database file; unused if another database was given.
    pub fn database(&self) -> PathBuf {
        self.folder.join("overview.db")
    }

    pub fn token_file(&self) -> PathBuf {
        self.folder.token_file()
    }

    #[track_caller]
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        send(&agent(), method, &self.url(path), headers, body).unwrap()
    }

    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], &[])
    }

    #[track_caller]
    pub fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(method, path, &headers, body.to_string().as_bytes())
    }

    /// Sends one heartbeat or an array of them, with the join token.
    #[track_caller]
    pub fn post_heartbeats(&self, heartbeats: &Value) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.send("POST", "/api/v1/heartbeats", &headers, heartbeats.to_string().as_bytes())
    }

    /// Sends one heartbeat of a service. Returns the status and when the heartbeat was received.
    #[track_caller]
    pub fn send_heartbeat(&self, server: &str, sequence: u64) -> (u16, Option<String>) {
        send_heartbeat(&agent(), &self.url("/api/v1/heartbeats"), server, sequence).unwrap()
    }

    /// Sends one heartbeat for each of this many services, in one request.
    #[track_caller]
    pub fn send_heartbeats_from(&self, servers: usize) {
        let beats = (1..=servers).map(|number| heartbeat(&format!("web-{number}"), "service", 1));
        assert_eq!(self.post_heartbeats(&Value::Array(beats.collect())).status, 200);
    }

    /// Everything that its process has written so far.
    pub fn log(&self) -> String {
        self.serve.log()
    }

    #[track_caller]
    pub fn picture(&self) -> Value {
        let answer = self.get("/api/v1/overview");
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// Reads the picture until it is as wanted.
    #[track_caller]
    pub fn wait_for_picture(&self, wanted: impl FnMut(&Value) -> bool) -> Value {
        self.wait_for_picture_within(DEFAULT_TIMEOUT, wanted)
    }

    #[track_caller]
    pub fn wait_for_picture_within(
        &self,
        within: Duration,
        mut wanted: impl FnMut(&Value) -> bool,
    ) -> Value {
        wait_until_ok("a picture as wanted", within, || {
            let picture = self.picture();
            if wanted(&picture) { Ok(picture) } else { Err(format!("{picture:#}")) }
        })
    }

    /// Reads the picture until the first component of a server is as wanted.
    #[track_caller]
    pub fn wait_for_component(&self, server: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait_until_ok(&format!("the component of {server} as wanted"), DEFAULT_TIMEOUT, || {
            let picture = self.picture();
            let mut servers = picture["servers"].as_array().into_iter().flatten();
            let found = servers.find(|known| known["name"] == server);
            let found = found.map(|server| server["components"][0].clone());
            found.filter(&wanted).ok_or_else(|| format!("{picture:#}"))
        })
    }

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

    /// Saves the shortest timers with which components do not become stale by chance.
    #[track_caller]
    pub fn use_short_timers(&self) {
        self.configure(1, 3, 60);
    }

    /// Whether it can read and write its database.
    pub fn is_ready(&self) -> bool {
        get(&self.url("/readyz")).is_some()
    }

    /// Kills the process and starts it again. Returns how long it took until it was ready.
    pub fn kill_and_restart(&mut self) -> Duration {
        self.kill();
        self.start_again()
    }

    /// Starts the ended process again. Returns how long it took until it was ready.
    pub fn start_again(&mut self) -> Duration {
        let since = Instant::now();
        let command = self.options.command(&self.folder, self.port);
        (self.serve, self.port) = start_and_wait_for_port(command, &self.folder);
        wait_until("the restarted overview to be ready", RESTART_TIMEOUT, || {
            self.is_ready().then_some(())
        });
        since.elapsed()
    }

    /// Kills the process without a clean shutdown.
    pub fn kill(&mut self) {
        self.serve.kill();
    }

    /// Kills the process and starts it again, which must fail. Returns its log and exit code.
    pub fn expect_restart_failure(&mut self) -> (String, Option<i32>) {
        self.kill();
        self.options.expect_start_failure(&self.folder)
    }

    /// Starts an agent for a server, with more options.
    pub fn start_agent(&self, program: &Path, server: &str, more: &[&str]) -> Process {
        let mut agent = Command::new(program);
        agent.args(["agent", "--overview", &self.url(""), "--name", server]);
        agent.arg("--token-file").arg(self.token_file()).args(more);
        Process::start(&mut agent, &self.folder, &format!("agent {server}"))
    }

    /// The text of a request over a connection that is kept open, or closed after the response.
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

/// Creates an API token with the program's own command.
pub fn create_token(database: &str, role: &str) -> String {
    let mut create = Command::new(program());
    create.args(["token", "create", "--role", role, "--name", "test", "--database", database]);
    let output = create.output().unwrap();
    assert!(output.status.success(), "{}", output_text(&output));
    String::from_utf8(output.stdout).unwrap()
}
