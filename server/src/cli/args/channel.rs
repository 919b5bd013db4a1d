//! The options about channels: of `channel`, and those that `serve` has too.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::notify::{MonitorUrl, PublicUrl};

#[derive(Debug, Subcommand)]
pub enum Channel {
    /// Send a test message through a channel, and print what the receiver answered.
    Test(TestChannel),
}

#[derive(Args, Debug)]
pub struct TestChannel {
    /// Name of the channel, as in the channel file.
    pub name: String,
    /// Channel file: TOML with a table `[[channel]]` for each channel.
    #[arg(id = "channels", long, env = "CLUSTER_OVERVIEW_CHANNELS")]
    pub path: PathBuf,
    #[command(flatten)]
    pub page: Page,
}

/// Where people find the page.
#[derive(Args, Debug)]
pub struct Page {
    /// URL of the page for people, such as `https://overview.example.com/`: messages link to it (default: by this
    /// host's name; `serve` adds its port and its base path).
    #[arg(long, env = "CLUSTER_OVERVIEW_PUBLIC_URL", value_parser = PublicUrl::parse)]
    pub public_url: Option<PublicUrl>,
}

/// Where `serve` tells people about problems.
#[derive(Args, Debug)]
pub struct Notifications {
    /// Channel file: TOML with a table `[[channel]]` for each channel. Each is told of incidents; `channel test` tries one.
    #[arg(id = "channels", long, env = "CLUSTER_OVERVIEW_CHANNELS")]
    pub path: Option<PathBuf>,
    /// URL that is asked every minute while the database can be read and written, with /fail when it cannot: so that a
    /// monitor outside notices when the overview itself dies.
    #[arg(long, env = "CLUSTER_OVERVIEW_PING_URL", hide_env_values = true, value_parser = MonitorUrl::parse)]
    pub ping_url: Option<MonitorUrl>,
    #[command(flatten)]
    pub page: Page,
}
