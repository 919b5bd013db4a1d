//! What the options say about this server, and warnings about them.

use std::path::Path;

use app::cluster::server_name::check_text;
use app::cluster::{Os, ServerName};

use super::{Failure, args};
use crate::agent::host;
use crate::auth::composed;
use crate::files;
use crate::files::key::{KeyFile, key_file};

/// The checked options.
pub(super) struct ThisServer {
    pub(super) server: ServerName,
    pub(super) product: Option<String>,
    pub(super) version: Option<String>,
    pub(super) os: Os,
    pub(super) key_file: Option<KeyFile>,
}

impl ThisServer {
    pub(super) fn from_options(node: &args::Node) -> Result<Self, Failure> {
        Ok(Self {
            server: server_name(node.name.as_deref())?,
            product: label("--product", node.product.as_deref())?,
            version: label("--product-version", node.product_version.as_deref())?,
            os: host::os(),
            key_file: node.encryption_key_file.as_deref().map(key_file).transpose()?,
        })
    }
}

/// The version to report where no option gives the product's version.
pub(super) fn package_version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Warns if every account of the machine can read a secret file. `what`: what it contains.
pub(super) fn warn_if_world_readable(path: &Path, what: &str) {
    if let Some(mode) = files::mode_if_world_readable(path) {
        tracing::warn!(
            "every account of this machine can read {what} in {} (mode {mode:o}); set its mode to 600, or to 640 for a group",
            path.display()
        );
    }
}

/// Warns if the host name is used as the server's name and is not suitable.
pub(super) fn warn_about_host_name(node: &args::Node) {
    if node.name.is_some() {
        return;
    }
    let host_name = host::host_name().unwrap_or_default();
    if let Some(why) = host::check_host_name(&host_name) {
        tracing::warn!(host_name, "{why}: give this server a name of its own with --name");
    }
}

/// Warns if every account of the machine can read the encryption key.
pub(super) fn warn_if_key_is_world_readable(node: &args::Node) {
    if let Some(path) = &node.encryption_key_file {
        warn_if_world_readable(path, "the encryption key");
    }
}

pub(super) fn server_name(given: Option<&str>) -> Result<ServerName, Failure> {
    let name = given
        .map(str::to_owned)
        .or_else(host::host_name)
        .ok_or("this machine has no host name; give the server a name with --name")?;
    // macOS writes a letter and its accent as two characters.
    let name = composed(&name);
    ServerName::parse(&name).map_err(|error| format!("the server name {name:?} {error}").into())
}

pub(super) fn label(option: &str, given: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(text) = given else { return Ok(None) };
    check_text(text, 1, 100).map_err(|error| format!("{option} {error}"))?;
    Ok(Some(text.to_owned()))
}
