//! The command line: which command runs, and how it ends.

mod accept_key;
mod accounts;
mod agent;
pub mod args;
mod channel;
mod config_file;
mod demo;
mod history;
mod listen;
mod serve;
mod status;
mod this_server;

use std::error::Error;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use self::args::CommandLine;

/// An error that ends a command. It is printed as it is.
type Failure = Box<dyn Error + Send + Sync>;

/// Runs the command that the process was started with, and returns its exit code.
pub async fn run() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("warn,cluster_overview=info"))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    let command_line = match CommandLine::read() {
        Ok(command_line) => command_line,
        Err(error) => {
            eprintln!("cluster-overview: {error}");
            return ExitCode::FAILURE;
        }
    };
    let outcome = match command_line.command {
        args::Command::Serve(options) => serve::run(*options).await,
        args::Command::Agent(options) => agent::run(*options).await,
        args::Command::Status(options) => return status::run(&options),
        args::Command::History(options) => history::run(&options),
        args::Command::Demo(options) => demo::run(options).await,
        args::Command::Key(args::Key::Accept(options)) => accept_key::run(options).await,
        args::Command::Channel(args::Channel::Test(options)) => channel::test(options).await,
        args::Command::Token(command) => accounts::token(command).await,
        args::Command::Admin(command) => accounts::admin(command).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cluster-overview: {error}");
            ExitCode::FAILURE
        }
    }
}
