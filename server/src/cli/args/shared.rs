//! Options that several commands share.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

use super::read::CONFIG_FILE;
use crate::store::without_password;

#[derive(Args, Debug)]
pub struct Listen {
    /// Address and port to listen on (loopback only with --auth none).
    #[arg(id = "listen", long, env = "CLUSTER_OVERVIEW_LISTEN", default_value = "127.0.0.1:3000")]
    pub address: SocketAddr,
}

#[derive(Args)]
pub struct Database {
    /// Database: `sqlite:PATH`, or `postgres://USER@HOST/DATABASE` for several web servers, with the password in the
    /// file that PGPASSFILE names.
    #[arg(
        id = "database",
        long,
        env = "CLUSTER_OVERVIEW_DATABASE",
        default_value = "sqlite:cluster-overview.db"
    )]
    pub address: String,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Database").field(&without_password(&self.address)).finish()
    }
}

/// What this server reports about itself, by `serve` or by `agent`.
#[derive(Args, Debug)]
pub struct Node {
    /// Name of this server (default: host name).
    #[arg(long, env = "CLUSTER_OVERVIEW_NAME")]
    pub name: Option<String>,
    /// IP address to report (default: detected).
    #[arg(long, env = "CLUSTER_OVERVIEW_IP")]
    pub ip: Option<IpAddr>,
    /// Product that this server runs.
    #[arg(long, env = "CLUSTER_OVERVIEW_PRODUCT")]
    pub product: Option<String>,
    /// Version of the product to report.
    #[arg(long, env = "CLUSTER_OVERVIEW_PRODUCT_VERSION")]
    pub product_version: Option<String>,
    /// File with the encryption key; only a check of it is sent and stored.
    #[arg(long, env = "CLUSTER_OVERVIEW_ENCRYPTION_KEY_FILE")]
    pub encryption_key_file: Option<PathBuf>,
    /// Port on which the service listens for live updates to the web servers. `serve` listens only if several web
    /// servers share a database and --listen is not a loopback address.
    #[arg(long, env = "CLUSTER_OVERVIEW_MESSENGER_PORT", default_value_t = 33_237, value_parser = clap::value_parser!(u16).range(1..))]
    pub messenger_port: u16,
}

#[derive(Args, Debug)]
pub struct ConfigFile {
    /// TOML file with options, such as `listen = "127.0.0.1:3000"`. Command line and environment take precedence.
    #[arg(id = "config-file", long, env = CONFIG_FILE)]
    pub path: Option<PathBuf>,
}
