//! How are the archive and the Debian package of the release build made?

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::workspace::{self, Profile, SERVER};
use crate::{prerequisites, steps};

const CARGO_DEB: &str = "cargo-deb";
const CARGO_DEB_VERSION: &str = "3.8.0";
/// The files in the archive besides the program: path in this repository, name in the archive.
const OTHER_FILES: [(&str, &str); 12] = [
    ("README.md", "README.md"),
    ("SECURITY.md", "SECURITY.md"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
    ("server/dist/serve.toml", "serve.toml"),
    ("server/dist/agent.toml", "agent.toml"),
    ("server/dist/channels.toml", "channels.toml"),
    ("server/dist/cluster-overview.service", "cluster-overview.service"),
    ("server/dist/cluster-overview-agent.service", "cluster-overview-agent.service"),
    ("server/dist/probe-command.conf", "probe-command.conf"),
    ("server/dist/nginx.conf", "nginx.conf"),
    ("server/dist/alerts.yml", "alerts.yml"),
];

#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) debian: PathBuf,
}

/// The command that installs the tool that makes packages, unless it is there.
pub(crate) fn tool_installation() -> Option<Command> {
    prerequisites::cargo_tool_installation(CARGO_DEB, CARGO_DEB_VERSION)
}

pub(crate) fn make() -> Result<Package> {
    let folder = workspace::target().join("dist");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    make_archive(&folder)?;
    let debian = make_debian_package(&folder, &[])?;
    Ok(Package { debian })
}

/// Makes the same package with a higher revision, to test the upgrade.
pub(crate) fn make_newer(package: &Package) -> Result<PathBuf> {
    let folder = package.debian.with_file_name("newer");
    make_debian_package(&folder, &["--deb-revision", "2"])
}

fn make_archive(folder: &Path) -> Result<()> {
    let name = format!("{SERVER}-{}-{}-linux", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let content = folder.join(&name);
    fs::create_dir_all(&content)?;
    fs::copy(workspace::server_binary(Profile::Release), content.join(SERVER))?;
    for (source, name) in OTHER_FILES {
        fs::copy(workspace::root().join(source), content.join(name))
            .with_context(|| format!("{source} cannot be copied"))?;
    }
    let mut tar = workspace::tool("tar");
    // Reproducible: the same bytes on every machine.
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0"]);
    tar.arg("--create").arg("--gzip").arg("--file").arg(folder.join(format!("{name}.tar.gz")));
    tar.arg("--directory").arg(folder).arg(&name);
    steps::run("archive", &mut tar)?;
    Ok(fs::remove_dir_all(content)?)
}

/// Makes a package in this folder and returns its path.
fn make_debian_package(folder: &Path, options: &[&str]) -> Result<PathBuf> {
    let program = prerequisites::install_cargo_tool(CARGO_DEB, CARGO_DEB_VERSION)?;
    fs::create_dir_all(folder)?;
    let mut deb = workspace::tool(&program.to_string_lossy());
    deb.args(["deb", "--no-build", "--quiet", "--package", SERVER]).args(options);
    steps::run("Debian package", deb.arg("--output").arg(folder))?;
    let mut files = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let package = files.find(|path| path.extension().is_some_and(|kind| kind == "deb"));
    let Some(package) = package else { bail!("{} contains no package", folder.display()) };
    println!("  {}", package.display());
    Ok(package)
}
