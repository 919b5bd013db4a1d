//! What do those get who install the release build: an archive, and a Debian package?

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::workspace::{self, Profile, SERVER};
use crate::{prerequisites, steps};

/// The version of the tool that makes Debian packages.
const CARGO_DEB: &str = "3.8.0";
/// What stands beside the program in the archive: where it lies here, and its name there.
const BESIDE: [(&str, &str); 11] = [
    ("README.md", "README.md"),
    ("SECURITY.md", "SECURITY.md"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
    ("server/dist/serve.toml", "serve.toml"),
    ("server/dist/agent.toml", "agent.toml"),
    ("server/dist/cluster-overview.service", "cluster-overview.service"),
    ("server/dist/cluster-overview-agent.service", "cluster-overview-agent.service"),
    ("server/dist/probe-command.conf", "probe-command.conf"),
    ("server/dist/nginx.conf", "nginx.conf"),
    ("server/dist/alerts.yml", "alerts.yml"),
];

/// What was made.
#[derive(Debug)]
pub(crate) struct Package {
    /// The Debian package.
    pub(crate) debian: PathBuf,
}

/// Makes both of the release build.
pub(crate) fn make() -> Result<Package> {
    let folder = workspace::target().join("dist");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    archive(&folder)?;
    let debian = debian(&folder, &[])?;
    Ok(Package { debian })
}

/// The same package with a later number, for the story of an upgrade.
pub(crate) fn later(package: &Package) -> Result<PathBuf> {
    let folder = package.debian.with_file_name("later");
    debian(&folder, &["--deb-revision", "2"])
}

fn archive(folder: &Path) -> Result<()> {
    let name = format!("{SERVER}-{}-{}-linux", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    let content = folder.join(&name);
    fs::create_dir_all(&content)?;
    fs::copy(workspace::server_binary(Profile::Release), content.join(SERVER))?;
    for (here, there) in BESIDE {
        fs::copy(workspace::root().join(here), content.join(there))
            .with_context(|| format!("{here} cannot be copied"))?;
    }
    let mut tar = workspace::tool("tar");
    // The same bytes whoever packs them.
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0"]);
    tar.arg("--create").arg("--gzip").arg("--file").arg(folder.join(format!("{name}.tar.gz")));
    tar.arg("--directory").arg(folder).arg(&name);
    steps::run("archive", &mut tar)?;
    Ok(fs::remove_dir_all(content)?)
}

/// Makes a package in this folder, and says where it is.
fn debian(folder: &Path, options: &[&str]) -> Result<PathBuf> {
    let program = prerequisites::cargo_tool("cargo-deb", CARGO_DEB)?;
    fs::create_dir_all(folder)?;
    let mut deb = workspace::tool(&program.to_string_lossy());
    deb.args(["deb", "--no-build", "--quiet", "--package", SERVER]).args(options);
    steps::run("Debian package", deb.arg("--output").arg(folder))?;
    let made = fs::read_dir(folder)?.flatten().map(|entry| entry.path());
    let found = made.into_iter().find(|path| path.extension().is_some_and(|kind| kind == "deb"));
    let Some(found) = found else { bail!("{} holds no package", folder.display()) };
    println!("  {}", found.display());
    Ok(found)
}
