//! Where are the files of this workspace, and how is a tool started in it?

use std::path::{Path, PathBuf};
use std::process::Command;

/// The Cargo package of the server, and the name of its binary.
pub(crate) const SERVER: &str = "cluster-overview";

/// The Cargo package of the page.
pub(crate) const APP: &str = "cluster-overview-app";

/// How the page and the program are built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Compiled quickly; the server reads the site from its folder.
    Debug,
    /// Optimized; the site is embedded in the server.
    Release,
}

impl Profile {
    /// The folder under `target` that Cargo writes to.
    fn folder(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Release => "release",
        }
    }
}

/// The folder with the workspace's `Cargo.toml`.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// The folder that Cargo builds into.
pub(crate) fn target() -> PathBuf {
    let folder = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(folder)
}

/// The folder from which the server reads the site. Not below [`target`], because the server's source contains the path.
pub(crate) fn site() -> PathBuf {
    root().join("target/site")
}

pub(crate) fn server_binary(profile: Profile) -> PathBuf {
    let name = format!("{SERVER}{}", std::env::consts::EXE_SUFFIX);
    target().join(profile.folder()).join(name)
}

/// A command in the workspace's root.
pub(crate) fn tool(program: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    // `cargo run` sets variables that describe xtask. Build scripts that read them (ring's does) would run again
    // whenever `cargo build` and `cargo xtask build` alternate.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(describes_xtask) {
            command.env_remove(name);
        }
    }
    command
}

/// Cargo with these arguments.
pub(crate) fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = tool("cargo");
    command.args(arguments);
    command
}

fn describes_xtask(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_PACKAGE"]
        .iter()
        .any(|prefix| variable.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_cargo_settings_are_passed_on() {
        assert!(describes_xtask("CARGO_PKG_NAME"));
        assert!(!describes_xtask("CARGO_TARGET_DIR"));
        assert!(!describes_xtask("CARGO_BUILD_JOBS"));
    }
}
