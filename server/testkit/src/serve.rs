//! How do tests start `serve`?

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::folder::{Folder, folder};
use crate::overview::Overview;
use crate::process::{Process, program};
use crate::wait::DEFAULT_TIMEOUT;

/// The command `serve`: by default without sign-in and without components of its own, on a free port and a new
/// database file.
#[derive(Clone, Debug)]
pub struct Serve {
    program: PathBuf,
    database: Option<String>,
    subfolder: &'static str,
    more: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Default for Serve {
    fn default() -> Self {
        Self::with_options(&[])
    }
}

impl Serve {
    /// With more options, which replace the defaults.
    pub fn with_options(more: &[&str]) -> Self {
        Self {
            program: program(),
            database: None,
            subfolder: "",
            more: more.iter().copied().map(str::to_owned).collect(),
            environment: Vec::new(),
        }
    }

    /// Runs another program than the one under test.
    #[must_use]
    pub fn program(self, program: PathBuf) -> Self {
        Self { program, ..self }
    }

    #[must_use]
    pub fn database(self, database: &str) -> Self {
        Self { database: Some(database.to_owned()), ..self }
    }

    /// Puts its files into a subfolder of the test's folder.
    #[must_use]
    pub fn subfolder(self, subfolder: &'static str) -> Self {
        Self { subfolder, ..self }
    }

    #[must_use]
    pub fn environment(mut self, environment: &[(&str, String)]) -> Self {
        let owned = environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        self.environment.extend(owned);
        self
    }

    /// Its arguments, with its files in the test's folder.
    pub fn arguments(&self, folder: &Folder, port: u16) -> Vec<String> {
        let path = |name: &str| folder.join(self.subfolder).join(name).display().to_string();
        let file = || format!("sqlite:{}", path("overview.db"));
        let defaults = [
            ("--auth", "none".to_owned()),
            ("--report-self", "none".to_owned()),
            ("--listen", format!("127.0.0.1:{port}")),
            ("--database", self.database.clone().unwrap_or_else(file)),
            ("--join-token-file", folder.token_file().display().to_string()),
        ];
        let mut arguments = vec!["serve".to_owned()];
        for (name, value) in defaults {
            if !self.more.iter().any(|option| option == name) {
                arguments.extend([name.to_owned(), value]);
            }
        }
        arguments.extend(self.more.iter().cloned());
        arguments
    }

    pub(crate) fn command(&self, folder: &Folder, port: u16) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.arguments(folder, port));
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Starts it in a new folder and returns once it listens.
    pub fn start(self) -> Overview {
        self.start_in(folder())
    }

    /// Starts it in this folder and returns once it listens.
    pub fn start_in(self, folder: Folder) -> Overview {
        let command = self.command(&folder, 0);
        Overview::from_command(self, command, folder)
    }

    /// Starts it through another program, to whose arguments the program and its arguments are appended.
    pub fn start_with_launcher(self, launcher: Command, folder: Folder) -> Overview {
        let command = self.launched_command(launcher, &folder);
        Overview::from_command(self, command, folder)
    }

    fn launched_command(&self, mut launcher: Command, folder: &Folder) -> Command {
        launcher.arg(&self.program).args(self.arguments(folder, 0));
        launcher.envs(self.environment.iter().cloned());
        launcher
    }

    /// Starts it, which must fail. Returns its log and exit code.
    pub fn expect_start_failure(&self, folder: &Folder) -> (String, Option<i32>) {
        wait_for_failure(self.command(folder, 0), folder)
    }

    /// Starts it through another program, which must fail.
    pub fn expect_launcher_failure(
        &self,
        launcher: Command,
        folder: &Folder,
    ) -> (String, Option<i32>) {
        wait_for_failure(self.launched_command(launcher, folder), folder)
    }
}

fn wait_for_failure(mut command: Command, folder: &Folder) -> (String, Option<i32>) {
    let mut process = Process::start(command.stdin(Stdio::null()), folder, "serve");
    let status = process.wait("a `serve` that must not start to end", DEFAULT_TIMEOUT);
    (process.log(), status.code())
}

/// Starts a command and waits for the port in the line that says where it listens.
pub(crate) fn start_and_wait_for_port(mut command: Command, folder: &Folder) -> (Process, u16) {
    let mut process = Process::start(&mut command, folder, "serve");
    let port =
        process.wait_for_line("the line that says where it listens", DEFAULT_TIMEOUT, |line| {
            let (_, url) = line.split_once(" at http")?;
            let (_, address) = url.split_once("://")?;
            address.split('/').next()?.rsplit(':').next()?.parse().ok()
        });
    (process, port)
}
