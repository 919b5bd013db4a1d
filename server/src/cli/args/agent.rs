//! The options of `agent`, `status` and `history`, which connect to an overview.

use std::path::PathBuf;

use app::cluster::{Role, Span};
use clap::Args;

use super::shared::{ConfigFile, Node};

#[derive(Args, Debug)]
pub struct Agent {
    #[command(flatten)]
    pub file: ConfigFile,
    /// URL of the overview.
    #[arg(long, env = "CLUSTER_OVERVIEW_OVERVIEW")]
    pub overview: String,
    /// File with the join token.
    #[arg(long, env = "CLUSTER_OVERVIEW_TOKEN_FILE")]
    pub token_file: PathBuf,
    /// File for this server's credential (default: next to the token file). With two components each has a file: its role is
    /// added to the name.
    #[arg(long, env = "CLUSTER_OVERVIEW_CREDENTIAL_FILE")]
    pub credential_file: Option<PathBuf>,
    /// CA certificates to trust, a PEM file (default: public CAs).
    #[arg(long, env = "CLUSTER_OVERVIEW_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// Components to send heartbeats for: web, service, or both.
    #[arg(long, env = "CLUSTER_OVERVIEW_ROLE", value_parser = role, value_delimiter = ',', default_value = "service")]
    pub role: Vec<Role>,
    /// Health URL of the product, such as `http://127.0.0.1:8080/health/json`: a heartbeat is sent after each good answer, and
    /// the version is taken from it.
    #[arg(long, env = "CLUSTER_OVERVIEW_PROBE", conflicts_with = "probe_command")]
    pub probe: Option<String>,
    /// Health check by a shell command: exit code 0 means healthy.
    #[arg(long, env = "CLUSTER_OVERVIEW_PROBE_COMMAND")]
    pub probe_command: Option<String>,
    #[command(flatten)]
    pub node: Node,
}

fn role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "must be web or service".to_owned())
}

/// The overview that a command reads.
#[derive(Args, Debug)]
pub struct ReadOverview {
    /// URL of the overview.
    #[arg(long, env = "CLUSTER_OVERVIEW_OVERVIEW")]
    pub overview: String,
    /// File with a viewer's token, if the overview requires one.
    #[arg(long, env = "CLUSTER_OVERVIEW_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// CA certificates to trust, a PEM file (default: public CAs).
    #[arg(long, env = "CLUSTER_OVERVIEW_CA_FILE")]
    pub ca_file: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub struct Status {
    #[command(flatten)]
    pub read: ReadOverview,
    /// Print the overview as JSON.
    #[arg(long, conflicts_with = "line")]
    pub json: bool,
    /// Print one line in the format of Nagios plug-ins.
    #[arg(long)]
    pub line: bool,
}

#[derive(Args, Debug)]
pub struct History {
    #[command(flatten)]
    pub read: ReadOverview,
    /// Print the status of the cluster at this moment, such as 2026-11-23T03:12:00Z, instead of events. Not recorded, and so not
    /// judged in the past: messengers, rejected heartbeats, health checks, unused web components, clocks, disks, certificates and tokens.
    #[arg(long, conflicts_with_all = ["server", "since"])]
    pub at: Option<String>,
    /// Only events of this server.
    #[arg(long)]
    pub server: Option<String>,
    /// Only events of this time before now.
    #[arg(long, default_value = "24h", value_parser = since)]
    pub since: Span,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

fn since(text: &str) -> Result<Span, String> {
    Span::parse(text)
        .filter(|span| *span > Span::ZERO)
        .ok_or_else(|| "must be a length of time such as 24h or 7d".to_owned())
}
