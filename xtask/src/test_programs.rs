//! How are test programs run at the same time?
//!
//! Cargo runs them one after the other, and most of their time they wait: for a process, a connection or a timeout.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::steps;
use crate::workspace;

/// Each runs as many tests at the same time as the machine has processors. More would not end earlier: `http` takes as long as
/// all others of the first round, two at a time.
const PROGRAMS_AT_ONCE: usize = 3;

/// They run after all others: the stories of `resilience` keep the disk busy, which others do not expect, and the demo only
/// waits.
const LAST: [&str; 2] = ["resilience", "demo"];

/// They begin first, because they take longest.
const FIRST: [&str; 2] = ["http", "network"];

#[derive(Clone, Debug, PartialEq, Eq)]
struct TestProgram {
    /// Cargo's option that selects it.
    target: String,
    executable: PathBuf,
    /// The folder of its package, in which Cargo runs it too.
    folder: PathBuf,
}

/// Compiles the tests of these packages and runs all of them, the examples in the documentation too.
///
/// # Errors
/// Contains the command to repeat for each program that failed.
pub(crate) fn run(title: &str, selection: &[&str]) -> Result<()> {
    let programs = steps::run_timed(&format!("compile {title}"), || compile(selection))?;
    let (first, last) = in_two_rounds(programs);
    steps::run_timed(title, || run_all(first, selection).and_then(|()| run_all(last, selection)))?;
    let doc = [&["test", "--doc"], selection].concat();
    steps::run(&format!("{title} in the documentation"), &mut workspace::cargo(doc))
}

fn compile(selection: &[&str]) -> Result<Vec<TestProgram>> {
    let test = ["test", "--no-run", "--message-format=json-render-diagnostics"];
    let mut cargo = workspace::cargo([&test, selection].concat());
    let output = cargo.stderr(Stdio::inherit()).output().context("`cargo` cannot be started")?;
    ensure!(
        output.status.success(),
        "`cargo` ended with {}. To repeat:\n    {}",
        output.status,
        steps::shell_line(&workspace::cargo([&test[..2], selection].concat()))
    );
    let programs = read_messages(&String::from_utf8(output.stdout)?)?;
    ensure!(!programs.is_empty(), "`cargo` has compiled no tests");
    Ok(programs)
}

/// The test programs in Cargo's messages, one message a line.
fn read_messages(messages: &str) -> Result<Vec<TestProgram>> {
    let mut programs = Vec::new();
    for line in messages.lines() {
        let message: Value = serde_json::from_str(line).context("a message of `cargo`")?;
        let (Some(executable), true) =
            (message["executable"].as_str(), message["profile"]["test"] == true)
        else {
            continue;
        };
        let manifest = message["manifest_path"].as_str().and_then(|path| Path::new(path).parent());
        let (name, kind) = (message["target"]["name"].as_str(), &message["target"]["kind"][0]);
        let (Some(folder), Some(name), Some(kind)) = (manifest, name, kind.as_str()) else {
            bail!("a message of `cargo` is incomplete: {line}");
        };
        let target = if kind == "lib" { "--lib".to_owned() } else { format!("--{kind} {name}") };
        programs.push(TestProgram { target, executable: executable.into(), folder: folder.into() });
    }
    Ok(programs)
}

/// The programs of the first round, and those that run after it.
fn in_two_rounds(programs: Vec<TestProgram>) -> (VecDeque<TestProgram>, VecDeque<TestProgram>) {
    let is_in = |program: &TestProgram, names: &[&str]| {
        names.iter().any(|name| program.target == format!("--test {name}"))
    };
    let (last, mut first): (Vec<_>, Vec<_>) =
        programs.into_iter().partition(|program| is_in(program, &LAST));
    first.sort_by_key(|program| !is_in(program, &FIRST));
    (first.into(), last.into())
}

fn run_all(programs: VecDeque<TestProgram>, selection: &[&str]) -> Result<()> {
    let waiting = Mutex::new(programs);
    let failures = Mutex::new(Vec::new());
    let next = || lock(&waiting).pop_front();
    thread::scope(|scope| {
        for _ in 0..PROGRAMS_AT_ONCE {
            scope.spawn(|| {
                while let Some(program) = next() {
                    if let Err(error) = run_one(&program) {
                        let repeat =
                            format!("cargo test {} {}", selection.join(" "), program.target);
                        lock(&failures).push(format!("{error:#}. To repeat:\n    {repeat}"));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    Ok(())
}

/// Nothing that holds the lock can panic.
fn lock<T>(value: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs it and prints its output when it has ended, so that the outputs do not mix.
fn run_one(program: &TestProgram) -> Result<()> {
    let name = format!("{} of {}", program.target, program.folder.display());
    let start = Instant::now();
    let mut command = Command::new(&program.executable);
    command.current_dir(&program.folder).stdin(Stdio::null());
    let Output { status, stdout, stderr } =
        command.output().with_context(|| format!("{name} cannot be started"))?;
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    println!("  {name}: {:.1} s\n{}{}", start.elapsed().as_secs_f64(), stdout.trim_start(), stderr);
    ensure!(status.success(), "{name} ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_with_tests_is_found_in_the_messages_of_cargo_and_runs_in_one_of_two_rounds() {
        let message = |kind: &str, name: &str, is_test: bool| {
            serde_json::json!({
                "reason": "compiler-artifact", "manifest_path": "/w/server/Cargo.toml",
                "target": {"kind": [kind], "name": name}, "profile": {"test": is_test},
                "executable": format!("/w/target/debug/deps/{name}-1"),
            })
            .to_string()
        };
        let messages = [
            message("lib", "cluster_overview", true),
            message("bin", "cluster-overview", false),
            r#"{"reason": "build-finished", "success": true}"#.to_owned(),
            message("test", "wire", true),
            message("test", "resilience", true),
            message("test", "http", true),
        ];
        let found = read_messages(&messages.join("\n")).unwrap();
        assert!(found.iter().all(|program| program.folder == Path::new("/w/server")));
        let (first, last) = in_two_rounds(found);
        let targets = |programs: VecDeque<TestProgram>| {
            programs.into_iter().map(|program| program.target).collect::<Vec<_>>()
        };
        assert_eq!(targets(first), ["--test http", "--lib", "--test wire"]);
        assert_eq!(targets(last), ["--test resilience"]);
    }

    #[test]
    fn a_program_that_fails_is_named_with_the_command_to_repeat_it_and_the_others_run_too() {
        let folder = std::env::temp_dir();
        let program = |target: &str, executable: &str| TestProgram {
            target: target.to_owned(),
            executable: executable.into(),
            folder: folder.clone(),
        };
        let programs = [program("--lib", "false"), program("--test wire", "true")];
        let error = run_all(programs.into(), &["--workspace"]).unwrap_err().to_string();
        assert!(error.contains("ended with exit status: 1"), "{error}");
        assert!(error.ends_with("    cargo test --workspace --lib"), "{error}");
    }
}
