//! A running program: its log, its end, and its use of memory, CPU time and descriptors.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::folder::Folder;
use crate::wait::{DEFAULT_TIMEOUT, wait_until};

/// A running program. It writes to a log in the test's folder. It is killed on drop.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    pub fn start(command: &mut Command, folder: &Folder, name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let log = folder.join(format!("logs/{number:06} {name}.log"));
        let file = File::create(&log).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log }
    }

    /// Everything that it has written so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits for a complete line in which `find` finds something. Fails at once if the process ends before.
    #[track_caller]
    pub fn wait_for_line<T>(
        &mut self,
        what: &str,
        within: Duration,
        find: impl Fn(&str) -> Option<T>,
    ) -> T {
        let since = Instant::now();
        loop {
            // In this order, so that the log of an ended process is complete.
            let ended = self.child.try_wait().unwrap();
            let log = self.log();
            let lines = log.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            if let Some(found) = lines.into_iter().find_map(&find) {
                return found;
            }
            if let Some(status) = ended {
                panic!("it ended with {status} before {what}");
            }
            assert!(since.elapsed() < within, "waited {within:?} in vain for {what}");
            // A short pause, because benchmarks measure how fast a process starts.
            thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes a line to its standard input.
    pub fn write_line(&self, line: &str) {
        let mut input = self.child.stdin.as_ref().unwrap();
        writeln!(input, "{line}").unwrap();
    }

    pub fn close_stdin(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Sends a signal, such as `-STOP`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.id().to_string()]).status().unwrap();
        assert!(sent.success(), "{signal} could not be sent");
    }

    /// Sends SIGTERM and waits for the end.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("-TERM");
        self.wait("the process to stop", DEFAULT_TIMEOUT)
    }

    pub fn wait(&mut self, what: &str, within: Duration) -> ExitStatus {
        wait_until(what, within, || self.child.try_wait().unwrap())
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Kills it without a clean shutdown.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Resident memory.
    pub fn memory_kb(&self) -> u64 {
        self.status_kb("VmRSS:")
    }

    /// The peak of resident memory since [`Self::reset_peak_memory`], or since its start.
    pub fn peak_memory_kb(&self) -> u64 {
        self.status_kb("VmHWM:")
    }

    pub fn reset_peak_memory(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.id()), "5").unwrap();
    }

    fn status_kb(&self, name: &str) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }

    /// User and system time so far.
    pub fn cpu_time(&self) -> Duration {
        let stat = self.proc("stat");
        let (_, fields) = stat.rsplit_once(')').unwrap();
        // From the third field on; user and system time are the 14th and 15th, in hundredths of a second.
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = [14, 15].map(|number| fields[number - 3].parse::<u64>().unwrap());
        Duration::from_millis(ticks.iter().sum::<u64>() * 10)
    }

    /// The targets of its open descriptors.
    fn descriptors(&self) -> Vec<PathBuf> {
        let open = fs::read_dir(format!("/proc/{}/fd", self.id())).unwrap();
        // A descriptor can be closed in the meantime.
        open.flatten().filter_map(|file| fs::read_link(file.path()).ok()).collect()
    }

    pub fn open_descriptors(&self) -> usize {
        self.descriptors().len()
    }

    /// The number of open sockets and other descriptors without a path.
    pub fn open_sockets(&self) -> usize {
        self.descriptors().iter().filter(|to| to.is_relative()).count()
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.id())).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program under test: where Cargo's variable says, else next to the folder of the tests.
pub fn program() -> PathBuf {
    let named = std::env::var_os("CARGO_BIN_EXE_cluster-overview").map(PathBuf::from);
    named.unwrap_or_else(|| {
        let tests = std::env::current_exe().unwrap();
        let folder = tests.parent().and_then(Path::parent).unwrap();
        folder.join("cluster-overview")
    })
}

pub fn run(program: impl AsRef<OsStr>, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Standard output, then standard error.
pub fn output_text(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

/// A port on which nothing listens.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
