//! How does a step run, and what is printed: its title, its duration, the command to repeat if it fails?

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

/// Prints the title, does the work, and prints the duration.
pub(crate) fn run_timed<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("▸ {title}");
    let start = Instant::now();
    let result = work().with_context(|| format!("{title} failed"))?;
    println!("  {title}: {:.1} s", start.elapsed().as_secs_f64());
    Ok(result)
}

/// # Errors
/// Contains the step and the command to repeat, if the tool cannot start or fails.
pub(crate) fn run(title: &str, command: &mut Command) -> Result<()> {
    run_timed(title, || {
        let repeat = shell_line(command);
        let program = command.get_program().to_string_lossy().into_owned();
        let status = command
            .status()
            .with_context(|| format!("`{program}` cannot be started. To repeat:\n    {repeat}"))?;
        ensure!(status.success(), "`{program}` ended with {status}. To repeat:\n    {repeat}");
        Ok(())
    })
}

/// A step that runs while others do, with the lowest priority: it uses a processor only while they leave one idle. If it is
/// dropped, it is killed.
pub(crate) struct Background {
    title: String,
    repeat: String,
    child: Child,
    /// What it has written.
    log: PathBuf,
    start: Instant,
}

impl Background {
    pub(crate) fn start(title: &str, command: &Command) -> Result<Self> {
        println!("▸ {title}, in the background");
        let repeat = shell_line(command);
        let name = format!("cluster-overview-{}-{title}.log", std::process::id());
        let log = std::env::temp_dir().join(name);
        let file = File::create(&log)?;
        let mut nice = with_lowest_priority(command);
        nice.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = nice.spawn().with_context(|| format!("{title} cannot be started"))?;
        Ok(Self { title: title.to_owned(), repeat, child, log, start: Instant::now() })
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// Contains what it has written and the command to repeat, if it fails.
    pub(crate) fn finish(mut self) -> Result<()> {
        let status = self.child.wait()?;
        println!("  {}: {:.1} s in the background", self.title, self.start.elapsed().as_secs_f64());
        let log = fs::read_to_string(&self.log)?;
        ensure!(
            status.success(),
            "{log}{} failed: {status}. To repeat:\n    {}",
            self.title,
            self.repeat
        );
        Ok(())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // After its end both do nothing that matters.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.log);
    }
}

/// The same command, started by `nice`.
fn with_lowest_priority(command: &Command) -> Command {
    let mut nice = Command::new("nice");
    nice.args(["-n", "19"]).arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        nice.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => nice.env(name, value),
            None => nice.env_remove(name),
        };
    }
    nice
}

/// The command as a line to paste into a shell.
pub(crate) fn shell_line(command: &Command) -> String {
    let mut line = String::new();
    if let Some(folder) = command.get_current_dir()
        && std::env::current_dir().is_ok_and(|here| here != folder)
    {
        let _ = write!(line, "cd {} && ", quote(&folder.to_string_lossy()));
    }
    for (name, value) in command.get_envs() {
        // A variable without a value is removed; the user's shell does not have it.
        if let Some(value) = value {
            let value = quote(&value.to_string_lossy());
            let _ = write!(line, "{}={value} ", name.to_string_lossy());
        }
    }
    line.push_str(&quote(&command.get_program().to_string_lossy()));
    for argument in command.get_args() {
        line.push(' ');
        line.push_str(&quote(&argument.to_string_lossy()));
    }
    line
}

fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_tool_is_named_with_the_command_to_repeat() {
        let mut command = Command::new("sh");
        command.args(["-c", "exit 3"]).env("WHY", "a test");
        let error = run("a step", &mut command).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.starts_with("a step failed: `sh` ended with"), "{text}");
        assert!(text.ends_with("    WHY='a test' sh -c 'exit 3'"), "{text}");
    }

    #[test]
    fn a_step_in_the_background_has_the_lowest_priority_and_its_output_is_in_the_error() {
        let mut command = Command::new("sh");
        command.args(["-c", "nice; echo $WHY; exit 3"]).env("WHY", "because");
        let error = Background::start("a step", &command).unwrap().finish().unwrap_err();
        let text = format!("{error:#}");
        assert!(text.starts_with("19\nbecause\na step failed: exit status: 3"), "{text}");
    }

    #[test]
    fn arguments_are_quoted_only_if_necessary() {
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote("--features=hydrate"), "--features=hydrate");
        assert_eq!(quote(""), "''");
    }
}
