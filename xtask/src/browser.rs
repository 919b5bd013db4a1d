//! How is a tool started that drives a real browser?

use std::process::Command;

use anyhow::Result;

use crate::prerequisites;
use crate::workspace::{self, Profile};

/// A command in the folder of the browser tests, with their npm packages installed. Its environment has the paths
/// of the program with this profile and of the browser.
pub(crate) fn command(name: &str, profile: Profile) -> Result<Command> {
    let folder = workspace::root().join("end2end");
    prerequisites::install_node_modules(&folder)?;
    let mut command = workspace::tool(name);
    command.current_dir(folder);
    command.env("CLUSTER_OVERVIEW_BIN", workspace::server_binary(profile));
    if let Some(browser) = prerequisites::find_chromium() {
        command.env("CHROMIUM", browser);
    }
    Ok(command)
}
