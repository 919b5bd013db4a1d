//! The command line: its commands and their options.

mod accounts;
mod agent;
mod channel;
mod read;
mod serve;
mod shared;

use clap::{Parser, Subcommand};

pub use self::accounts::{AcceptKey, Admin, CreateToken, Key, RevokeToken, Token};
pub use self::agent::{Agent, History, ReadOverview, Status};
pub use self::channel::{Channel, Notifications, Page, TestChannel};
pub(super) use self::read::holds_password;
pub use self::read::temporary_folder;
pub use self::serve::{Access, Auth, Demo, Serve};
pub use self::shared::Node;

/// Monitors the servers of a cluster and helps to troubleshoot problems.
#[derive(Debug, Parser)]
#[command(name = "cluster-overview", version)]
pub struct CommandLine {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the web server: page and API.
    Serve(Box<Serve>),
    /// Send the heartbeats of this server.
    Agent(Box<Agent>),
    /// Print the status of the cluster; exit code 0 OK, 1 warning, 2 error, 3 unknown or unreachable.
    Status(Status),
    /// Print what happened in the cluster, or its status at a past moment.
    History(History),
    /// Run with a simulated cluster and a temporary database: every status and every hint within three minutes, repeatedly.
    Demo(Demo),
    /// Manage the reference keys of the cluster. Safe while `serve` is running.
    #[command(subcommand)]
    Key(Key),
    /// Try the channels through which people are told about problems.
    #[command(subcommand)]
    Channel(Channel),
    /// Manage tokens for servers and programs. Safe while `serve` is running.
    #[command(subcommand)]
    Token(Token),
    /// Manage the people who can sign in. Safe while `serve` is running.
    #[command(subcommand)]
    Admin(Admin),
}
