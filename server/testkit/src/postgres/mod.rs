//! A PostgreSQL for tests, in its own folder, on a socket and a free port. It ends with the process that started
//! it. Tests that need it fail where it cannot be started.

#[cfg(feature = "databases")]
mod databases;
mod pgbouncer;
mod standby;

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const INITDB_OPTIONS: &str =
    "--username overview --auth trust --encoding UTF8 --locale C.UTF-8 --no-sync --no-instructions";

#[cfg(feature = "databases")]
pub use self::databases::postgres;
pub use self::pgbouncer::PgBouncer;
use crate::process::free_port;
use crate::wait::wait_until_ok;

/// Longer than a busy machine needs to initialize the data folder and start.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// A PostgreSQL server: one for all tests of a process, or one for a single test.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    user: Option<(u32, u32)>,
    /// The port on 127.0.0.1.
    pub port: u16,
    /// The size of a separate disk for its data.
    disk_mb: Option<u32>,
    /// Whether it waits for the disk. Without that only a machine that loses power loses data.
    syncs: bool,
    /// Ends the server when this process ends, even if it is killed.
    supervisor: Option<Child>,
}

impl Postgres {
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts one whose data is on a separate disk of this size.
    pub fn start_on_disk_of_mb(megabytes: u32) -> Self {
        Self::start_with(Some(megabytes))
    }

    /// Starts one for many short tests, which does not wait for the disk.
    #[cfg(feature = "databases")]
    fn start_without_sync() -> Self {
        let mut server = Self::without_data(None);
        server.syncs = false;
        server.start_again(&[]);
        server
    }

    fn start_with(disk_mb: Option<u32>) -> Self {
        let mut server = Self::without_data(disk_mb);
        server.start_again(&[]);
        server
    }

    fn without_data(disk_mb: Option<u32>) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let started = STARTED.fetch_add(1, Ordering::Relaxed);
        // A short path, because a socket's path has at most 107 bytes.
        let folder = std::env::temp_dir().join(format!("co-pg-{}-{started}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        let user = user_if_root();
        std::fs::create_dir(folder.join("disk")).unwrap();
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid)).unwrap();
            chown(folder.join("disk"), Some(uid), Some(gid)).unwrap();
        }
        let port = free_port();
        Self { folder, user, port, disk_mb, syncs: true, supervisor: None }
    }

    /// Starts the stopped server, with more environment variables.
    pub fn start_again(&mut self, environment: &[(&str, String)]) {
        let _ = std::fs::remove_file(self.folder.join("stopped"));
        self.supervisor = Some(self.start_supervisor(environment));
        self.wait_until_ready();
    }

    /// Stops the server: clients are disconnected, committed data is kept.
    pub fn stop(&mut self) {
        std::fs::write(self.folder.join("stopped"), "").unwrap();
        let mut supervisor = self.supervisor.take().unwrap();
        drop(supervisor.stdin.take());
        supervisor.wait().unwrap();
    }

    /// Has the supervisor's shell run a line in the server's folder, without waiting for it.
    pub fn run_in_shell(&self, line: &str) {
        let mut lines = self.supervisor.as_ref().unwrap().stdin.as_ref().unwrap();
        writeln!(lines, "{line}").unwrap();
    }

    /// The address of a database, through the socket.
    pub fn address(&self, database: &str) -> String {
        let host = self.folder.display();
        format!("postgres://overview@localhost:{}/{database}?host={host}", self.port)
    }

    /// The path of a file in its folder, which is deleted with it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn wait_until_ready(&self) {
        let socket = self.folder.join(format!(".s.PGSQL.{}", self.port));
        let ready = || {
            let mut ready = Command::new(program("pg_isready"));
            ready.arg("--host").arg(&self.folder).args(["--port", &self.port.to_string()]);
            ready.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        wait_until_ok("PostgreSQL to start", START_TIMEOUT, || {
            if socket.exists() && ready() { Ok(()) } else { Err(self.log()) }
        });
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// A shell that starts the server, runs the lines that it reads, and ends the server when its input ends:
    /// when the server is stopped, or when this process ends; then the folder is deleted, too.
    fn start_supervisor(&self, environment: &[(&str, String)]) -> Child {
        let mut script = String::new();
        if let Some(megabytes) = self.disk_mb {
            let _ = write!(script, "mount -t tmpfs -o size={megabytes}m tmpfs disk || exit; ");
        }
        let folder = self.folder.display();
        let _ = write!(
            script,
            "test -e disk/data || '{}' -D disk/data {INITDB_OPTIONS} >>log 2>&1; \
             '{}' -D disk/data -k '{folder}' -p {} -c listen_addresses=127.0.0.1 -c fsync={} >>log 2>&1 & \
             server=$!; unset LD_PRELOAD; while read -r line; do eval \"$line\"; done; \
             kill -INT $server; wait $server",
            program("initdb").display(),
            program("postgres").display(),
            self.port,
            if self.syncs { "on" } else { "off" },
        );
        // The disk is mounted in a mount namespace of its own, where the server's user has the right to mount.
        let namespace =
            self.disk_mb.map_or("", |_| "unshare --map-current-user --keep-caps --mount");
        let all = format!("{namespace} sh -c \"$SCRIPT\"; test -e stopped || rm -rf '{folder}'");
        let mut supervisor = command_as_user(Path::new("sh"), self.user);
        supervisor.args(["-c", &all]).env("SCRIPT", script).current_dir(&self.folder);
        supervisor.envs(environment.iter().map(|(name, value)| (name, value)));
        // Not the terminal's process group: Ctrl+C must end the tests first, then the supervisor.
        supervisor
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        supervisor.spawn().unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- PostgreSQL\n{}", self.log());
        }
    }
}

fn command_as_user(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// PostgreSQL refuses to run as root; then the user of its package is used.
fn user_if_root() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> u32 {
        let answer = Command::new("id").args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        text.parse().unwrap_or_else(|_| panic!("`id {}` says {text:?}", arguments.join(" ")))
    };
    (id(&["-u"]) == 0).then(|| (id(&["-u", "postgres"]), id(&["-g", "postgres"])))
}

/// A program of the newest PostgreSQL where Debian installs them; else the one on the path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| {
            let number = version.file_name().to_string_lossy().parse().ok()?;
            Some((number, version.path().join("bin").join(name)))
        })
        .filter(|(_, program)| program.exists())
        .collect();
    versions.sort();
    versions.pop().map_or_else(|| PathBuf::from(name), |(_, program)| program)
}
