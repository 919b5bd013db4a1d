//! Which commands does `cargo xtask` have?
#![allow(
    clippy::disallowed_methods,
    reason = "a build tool measures its own steps and passes on the environment"
)]

mod bench;
mod browser;
mod commands;
mod dist;
#[path = "../../app/src/i18n/message_file.rs"]
mod message_file;
mod page_weight;
mod prerequisites;
mod site;
mod size_budget;
mod soak;
mod steps;
mod test_programs;
mod test_server;
mod wasm;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

use workspace::Profile;

const USAGE: &str = "\
usage: cargo xtask <command>

  build [--release]   build the page and the program that contains it
  run [arguments]     build, then run `cluster-overview serve` with the arguments
  demo [arguments]    build, then run `cluster-overview demo` with the arguments: a simulated cluster
                      that shows every state
  bench [parts]       measure the release build and print each figure with its limit; the parts are
                      intake, polls, agents, idle, large, history, messenger, restarts, trouble
  soak [--short] [parts]
                      stress the program on both databases for an hour, or for a minute and a half;
                      the parts are kills, outages, hang-ups, floods, load
  dist                make an archive and a Debian package of the release build in target/dist
  screenshots         take the README's screenshots from the demo
  check               check format and lints, and run all tests except the browser's
  test                check, build, browser tests, the short soak, and the package on a clean Debian
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some(outcome) = run_command(&arguments) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\n✗ {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns `None` if the command or an argument is unknown.
fn run_command(arguments: &[&str]) -> Option<Result<()>> {
    match arguments {
        ["build"] => Some(commands::build(Profile::Debug).map(drop)),
        ["build", "--release"] => Some(commands::build(Profile::Release).map(drop)),
        ["run", "--", arguments @ ..] | ["run", arguments @ ..] => Some(commands::run(arguments)),
        ["demo", "--", arguments @ ..] | ["demo", arguments @ ..] => {
            Some(commands::demo(arguments))
        }
        ["bench", parts @ ..] if parts.iter().all(|part| bench::PARTS.contains(part)) => {
            Some(commands::bench(parts))
        }
        ["soak", "--short", parts @ ..] if soak::all_parts_exist(parts) => {
            Some(commands::soak(&soak::SHORT, parts))
        }
        ["soak", parts @ ..] if soak::all_parts_exist(parts) => {
            Some(commands::soak(&soak::LONG, parts))
        }
        ["dist"] => Some(commands::dist().map(drop)),
        ["screenshots"] => Some(commands::screenshots()),
        ["check"] => Some(commands::check()),
        ["test"] => Some(commands::test()),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Some(Ok(()))
        }
        _ => None,
    }
}
