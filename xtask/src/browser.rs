//! How is a script started that drives a real browser?

use std::process::Command;

use anyhow::Result;

use crate::prerequisites;
use crate::workspace::{self, Profile};

/// A tool in the folder of the page's stories, which finds there what it imports, and by the
/// environment the program of this profile and the browser.
pub(crate) fn tool(name: &str, profile: Profile) -> Result<Command> {
    let folder = workspace::root().join("end2end");
    prerequisites::node_modules(&folder)?;
    let mut tool = workspace::tool(name);
    tool.current_dir(folder);
    tool.env("CLUSTER_OVERVIEW_BIN", workspace::server_binary(profile));
    if let Some(browser) = prerequisites::chromium() {
        tool.env("CHROMIUM", browser);
    }
    Ok(tool)
}
