//! A PostgreSQL of one's own: in a folder of its own, on a socket and a free port, gone with the process
//! that started it. Where it cannot be started the stories that need it fail.

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

/// How its data are made.
const INITDB: &str =
    "--username overview --auth trust --encoding UTF8 --locale C.UTF-8 --no-sync --no-instructions";

#[cfg(feature = "databases")]
pub use self::databases::postgres;
pub use self::pgbouncer::PgBouncer;
use crate::process::free_port;
use crate::wait::wait_until_ok;

/// Longer than a busy machine needs to make the data and start.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// Started once a process, or for one story.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    user: Option<(u32, u32)>,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// Megabytes of the disk that its data have to themselves.
    disk: Option<u32>,
    /// Ends the server when this process ends, however that comes.
    keeper: Option<Child>,
}

impl Postgres {
    /// Starts one in a folder that goes with it.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// Starts one whose data lie on a disk of their own, of so many megabytes.
    pub fn start_on_a_disk_of(megabytes: u32) -> Self {
        Self::start_with(Some(megabytes))
    }

    fn start_with(disk: Option<u32>) -> Self {
        let mut server = Self::without_data(disk);
        server.start_again(&[]);
        server
    }

    fn without_data(disk: Option<u32>) -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let started = STARTED.fetch_add(1, Ordering::Relaxed);
        // Short: a socket's path has 107 bytes at most.
        let folder = std::env::temp_dir().join(format!("co-pg-{}-{started}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        let user = not_root();
        std::fs::create_dir(folder.join("disk")).unwrap();
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid)).unwrap();
            chown(folder.join("disk"), Some(uid), Some(gid)).unwrap();
        }
        let port = free_port();
        Self { folder, user, port, disk, keeper: None }
    }

    /// Starts it once it was stopped, with more in its environment.
    pub fn start_again(&mut self, environment: &[(&str, String)]) {
        let _ = std::fs::remove_file(self.folder.join("stopped"));
        self.keeper = Some(self.keeper(environment));
        self.wait();
    }

    /// Stops it: clients are cut off, what was committed is kept.
    pub fn stop(&mut self) {
        std::fs::write(self.folder.join("stopped"), "").unwrap();
        let mut keeper = self.keeper.take().unwrap();
        drop(keeper.stdin.take());
        keeper.wait().unwrap();
    }

    /// Tells the shell in its folder to do something.
    pub fn tell(&self, line: &str) {
        let mut lines = self.keeper.as_ref().unwrap().stdin.as_ref().unwrap();
        writeln!(lines, "{line}").unwrap();
    }

    /// The address of a database, by the socket.
    pub fn address(&self, database: &str) -> String {
        let host = self.folder.display();
        format!("postgres://overview@localhost:{}/{database}?host={host}", self.port)
    }

    /// A file in its folder, which goes with it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn wait(&self) {
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

    /// What it has written.
    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// A shell that starts the server, does what it is told, and ends the server when its own input
    /// ends: that is when it is stopped, or when this process is gone; then the folder goes too.
    fn keeper(&self, environment: &[(&str, String)]) -> Child {
        let mut script = String::new();
        if let Some(megabytes) = self.disk {
            let _ = write!(script, "mount -t tmpfs -o size={megabytes}m tmpfs disk || exit; ");
        }
        let folder = self.folder.display();
        let _ = write!(
            script,
            "test -e disk/data || '{}' -D disk/data {INITDB} >>log 2>&1; \
             '{}' -D disk/data -k '{folder}' -p {} -c listen_addresses=127.0.0.1 >>log 2>&1 & \
             server=$!; unset LD_PRELOAD; while read -r line; do eval \"$line\"; done; \
             kill -INT $server; wait $server",
            program("initdb").display(),
            program("postgres").display(),
            self.port,
        );
        // A disk is mounted where only the server sees it: its user may do that in a world of its own.
        let world = self.disk.map_or("", |_| "unshare --map-current-user --keep-caps --mount");
        let all = format!("{world} sh -c \"$SCRIPT\"; test -e stopped || rm -rf '{folder}'");
        let mut keeper = as_user(Path::new("sh"), self.user);
        keeper.args(["-c", &all]).env("SCRIPT", script).current_dir(&self.folder);
        keeper.envs(environment.iter().map(|(name, value)| (name, value)));
        // Not the terminal's process group: what interrupts the tests must not come before the keeper.
        keeper.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        keeper.spawn().unwrap()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- PostgreSQL\n{}", self.log());
        }
    }
}

fn as_user(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// PostgreSQL does not run as root: then it runs as its package's own user.
fn not_root() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> u32 {
        let answer = Command::new("id").args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        text.parse().unwrap_or_else(|_| panic!("`id {}` says {text:?}", arguments.join(" ")))
    };
    (id(&["-u"]) == 0).then(|| (id(&["-u", "postgres"]), id(&["-g", "postgres"])))
}

/// Where Debian keeps the programs of PostgreSQL, the newest first; else on the path.
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
