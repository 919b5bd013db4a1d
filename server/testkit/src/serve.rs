//! How `serve` is started.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::folder::{Folder, folder};
use crate::overview::Overview;
use crate::process::{Process, program};
use crate::wait::SOON;

/// The command `serve`: without sign-in, on a free port, on a file of its own, without components of its own.
#[derive(Clone, Debug)]
pub struct Serve {
    program: PathBuf,
    database: Option<String>,
    folder: &'static str,
    more: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Default for Serve {
    fn default() -> Self {
        Self::with(&[])
    }
}

impl Serve {
    /// With more options. One that is named here has no other value.
    pub fn with(more: &[&str]) -> Self {
        Self {
            program: program(),
            database: None,
            folder: "",
            more: more.iter().copied().map(str::to_owned).collect(),
            environment: Vec::new(),
        }
    }

    /// Of another program than that of the tests.
    #[must_use]
    pub fn of(self, program: PathBuf) -> Self {
        Self { program, ..self }
    }

    /// On the database at this address.
    #[must_use]
    pub fn on(self, database: &str) -> Self {
        Self { database: Some(database.to_owned()), ..self }
    }

    /// With its files in a folder within the story's.
    #[must_use]
    pub fn below(self, folder: &'static str) -> Self {
        Self { folder, ..self }
    }

    /// With more in its environment.
    #[must_use]
    pub fn environment(mut self, environment: &[(&str, String)]) -> Self {
        let owned = environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        self.environment.extend(owned);
        self
    }

    /// Its arguments, with its files in this folder.
    pub fn arguments(&self, story: &Folder, port: u16) -> Vec<String> {
        let path = |name: &str| story.join(self.folder).join(name).display().to_string();
        let file = || format!("sqlite:{}", path("overview.db"));
        let own = [
            ("--auth", "none".to_owned()),
            ("--report-self", "none".to_owned()),
            ("--listen", format!("127.0.0.1:{port}")),
            ("--database", self.database.clone().unwrap_or_else(file)),
            ("--join-token-file", story.token_file().display().to_string()),
        ];
        let mut arguments = vec!["serve".to_owned()];
        for (name, value) in own {
            if !self.more.iter().any(|option| option == name) {
                arguments.extend([name.to_owned(), value]);
            }
        }
        arguments.extend(self.more.iter().cloned());
        arguments
    }

    /// The whole command.
    pub(crate) fn command(&self, story: &Folder, port: u16) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.arguments(story, port));
        command.envs(self.environment.iter().cloned());
        command
    }

    /// Starts it in a folder of its own, and returns once it listens.
    pub fn start(self) -> Overview {
        self.start_in(folder())
    }

    /// Starts it in this folder.
    pub fn start_in(self, story: Folder) -> Overview {
        let command = self.command(&story, 0);
        Overview::running(self, command, story)
    }

    /// Starts it by another program, whose last arguments are the program and its arguments.
    pub fn start_by(self, launcher: Command, story: Folder) -> Overview {
        let command = self.launched(launcher, &story);
        Overview::running(self, command, story)
    }

    fn launched(&self, mut launcher: Command, story: &Folder) -> Command {
        launcher.arg(&self.program).args(self.arguments(story, 0));
        launcher.envs(self.environment.iter().cloned());
        launcher
    }

    /// Starts it, which is refused: what it says, and its exit code.
    pub fn refused(&self, story: &Folder) -> (String, Option<i32>) {
        refused(self.command(story, 0), story)
    }

    /// The same, by another program.
    pub fn refused_by(&self, launcher: Command, story: &Folder) -> (String, Option<i32>) {
        refused(self.launched(launcher, story), story)
    }
}

fn refused(mut command: Command, story: &Folder) -> (String, Option<i32>) {
    let mut process = Process::start(command.stdin(Stdio::null()), story, "refused");
    let status = process.wait("a `serve` that must not start to end", SOON);
    (process.said(), status.code())
}

/// Starts a command in the story's folder and waits for the port in the line that says where it listens.
pub(crate) fn listening(mut command: Command, story: &Folder) -> (Process, u16) {
    let mut process = Process::start(&mut command, story, "serve");
    let port = process.wait_for_line("the line that says where it listens", SOON, |line| {
        let (_, url) = line.split_once(" at http")?;
        url.trim_end_matches('/').rsplit(':').next()?.parse().ok()
    });
    (process, port)
}
