//! What can the front door do? `cargo xtask` and one of the words below.
#![allow(
    clippy::disallowed_methods,
    reason = "a build tool measures its own steps and passes the environment on; no rule lives here"
)]

mod bench;
mod browser;
mod commands;
mod dist;
#[path = "../../app/src/i18n/message_file.rs"]
mod message_file;
mod overview;
mod prerequisites;
mod readable;
mod site;
mod sizes;
mod soak;
mod steps;
mod wasm;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

use workspace::Profile;

const USAGE: &str = "\
usage: cargo xtask <command>

  build [--release]   the page and the program that carries it
  run [arguments]     build, then serve; the arguments go to `cluster-overview serve`
  demo [arguments]    build, then play a cluster through every state; the arguments go to
                      `cluster-overview demo`
  bench [parts]       how fast the release build is, each figure beside its limit; the parts are
                      intake, polls, agents, idle, large, messenger, restarts, trouble
  soak [--short] [parts]
                      what takes an hour, or a minute and a half: kill, deprive and flood the real
                      program on both databases; the parts are kills, outages, hang-ups, floods, load
  dist                the release build as an archive and as a Debian package, in target/dist
  screenshots         the README's pictures, taken from the demo
  check               format, lints and tests, without a browser
  test                check, build, the page in a real browser, the short soak, and the package on a
                      clean Debian
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let Some(outcome) = dispatch(&words) else {
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

/// Does what the words ask for, or `None` if they ask for nothing known.
fn dispatch(words: &[&str]) -> Option<Result<()>> {
    match words {
        ["build"] => Some(commands::build(Profile::Debug).map(drop)),
        ["build", "--release"] => Some(commands::build(Profile::Release).map(drop)),
        ["run", "--", arguments @ ..] | ["run", arguments @ ..] => Some(commands::run(arguments)),
        ["demo", "--", arguments @ ..] | ["demo", arguments @ ..] => {
            Some(commands::demo(arguments))
        }
        ["bench", parts @ ..] if parts.iter().all(|part| bench::PARTS.contains(part)) => {
            Some(commands::bench(parts))
        }
        ["soak", "--short", parts @ ..] if soak::are_known(parts) => {
            Some(commands::soak(&soak::SHORT, parts))
        }
        ["soak", parts @ ..] if soak::are_known(parts) => Some(commands::soak(&soak::LONG, parts)),
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
