//! A program, running: its log, its end, and what it uses of the machine.

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
use crate::wait::{SOON, wait_until};

/// A running program. What it writes is in a log in the story's folder. It is killed with this value.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program. Its input is what the command says.
    pub fn start(command: &mut Command, folder: &Folder, name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let log = folder.join(format!("logs/{number:06} {name}.log"));
        let file = File::create(&log).unwrap();
        command.stdout(file.try_clone().unwrap()).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log }
    }

    /// All that it has written.
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits for a whole line in which this finds something; fails at once if the process ends without it.
    #[track_caller]
    pub fn wait_for_line<T>(
        &mut self,
        what: &str,
        within: Duration,
        find: impl Fn(&str) -> Option<T>,
    ) -> T {
        let since = Instant::now();
        loop {
            // In this order: what an ended process wrote is all there.
            let ended = self.child.try_wait().unwrap();
            let said = self.said();
            let lines = said.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
            if let Some(found) = lines.into_iter().find_map(&find) {
                return found;
            }
            if let Some(status) = ended {
                panic!("it ended with {status} before {what}");
            }
            assert!(since.elapsed() < within, "waited {within:?} in vain for {what}");
            // How soon a process is there is measured, too.
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Writes a line to its input.
    pub fn tell(&self, line: &str) {
        let mut input = self.child.stdin.as_ref().unwrap();
        writeln!(input, "{line}").unwrap();
    }

    /// Closes its input.
    pub fn hang_up(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Sends a signal, such as `-STOP`.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.id().to_string()]).status().unwrap();
        assert!(sent.success(), "{signal} could not be sent");
    }

    /// Asks it to stop, and waits until it has.
    pub fn terminate(&mut self) -> ExitStatus {
        self.signal("-TERM");
        self.wait("the process to stop", SOON)
    }

    /// Waits for its end.
    pub fn wait(&mut self, what: &str, within: Duration) -> ExitStatus {
        wait_until(what, within, || self.child.try_wait().unwrap())
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Ends it without a chance to say anything.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Resident memory.
    pub fn memory_kb(&self) -> u64 {
        self.status_kb("VmRSS:")
    }

    /// The most resident memory since [`Self::forget_peak_memory`], or since its start.
    pub fn peak_memory_kb(&self) -> u64 {
        self.status_kb("VmHWM:")
    }

    /// From now on the most memory is noted anew.
    pub fn forget_peak_memory(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.id()), "5").unwrap();
    }

    fn status_kb(&self, name: &str) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }

    /// Time on a processor so far, user and system.
    pub fn processor(&self) -> Duration {
        let stat = self.proc("stat");
        let (_, fields) = stat.rsplit_once(')').unwrap();
        // From the third field on; user and system time are the 14th and 15th, in hundredths of a second.
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = [14, 15].map(|number| fields[number - 3].parse::<u64>().unwrap());
        Duration::from_millis(ticks.iter().sum::<u64>() * 10)
    }

    /// What its open descriptors point to.
    fn descriptors(&self) -> Vec<PathBuf> {
        let open = fs::read_dir(format!("/proc/{}/fd", self.id())).unwrap();
        // One that is closed meanwhile points nowhere.
        open.flatten().filter_map(|file| fs::read_link(file.path()).ok()).collect()
    }

    /// How many descriptors it has open.
    pub fn open_descriptors(&self) -> usize {
        self.descriptors().len()
    }

    /// How many sockets, and the like that have no path, it has open.
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

/// The program under test: Cargo tells its tests where it is; else it is beside the tests' folder.
pub fn program() -> PathBuf {
    let named = std::env::var_os("CARGO_BIN_EXE_cluster-overview").map(PathBuf::from);
    named.unwrap_or_else(|| {
        let tests = std::env::current_exe().unwrap();
        let folder = tests.parent().and_then(Path::parent).unwrap();
        folder.join("cluster-overview")
    })
}

/// Runs a program to its end.
pub fn run(program: impl AsRef<OsStr>, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// All that a program said.
pub fn said(output: &Output) -> String {
    [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat()
}

/// A port at which nobody listens.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
