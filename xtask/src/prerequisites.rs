//! Which tools do the steps need, and how are they installed?

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::{steps, wasm, workspace};

/// A Debian package, and a check whether it or an equivalent is installed.
struct Package {
    name: &'static str,
    is_installed: fn() -> bool,
}

/// The Debian packages that the tests need: a browser and npm, a tool that shifts a process's clock, network tools,
/// proxies, PostgreSQL, the SQLite shell, programs that use the overview's API, and receivers of messages.
const PACKAGES: &[Package] = &[
    Package { name: "debootstrap", is_installed: || is_in_usr_sbin("debootstrap") },
    Package { name: "curl", is_installed: || find_on_path("curl").is_some() },
    Package { name: "prometheus", is_installed: || find_on_path("prometheus").is_some() },
    Package { name: "prometheus-alertmanager", is_installed: has_alertmanager },
    Package { name: "python3-aiosmtpd", is_installed: has_python_smtp_server },
    Package { name: "python3-venv", is_installed: has_python_venv },
    Package { name: "chromium", is_installed: || find_chromium().is_some() },
    Package { name: "npm", is_installed: || find_on_path("npm").is_some() },
    Package { name: "libfaketime", is_installed: has_libfaketime },
    Package { name: "iproute2", is_installed: || is_in_usr_sbin("ip") },
    Package { name: "nftables", is_installed: || is_in_usr_sbin("nft") },
    Package { name: "libapache2-mod-auth-openidc", is_installed: has_apache_with_openidc },
    Package { name: "nginx", is_installed: || find_on_path("nginx").is_some() },
    Package { name: "postgresql", is_installed: has_postgresql },
    Package { name: "pgbouncer", is_installed: || is_in_usr_sbin("pgbouncer") },
    Package { name: "sqlite3", is_installed: || find_on_path("sqlite3").is_some() },
];

pub(crate) fn install_wasm_target() -> Result<()> {
    if has_wasm_target() {
        return Ok(());
    }
    let mut rustup = workspace::tool("rustup");
    rustup.args(["target", "add", wasm::TARGET]);
    steps::run("Rust for the browser", &mut rustup)
}

/// Asks the compiler, not rustup, because a distribution's Rust can have the target without rustup.
fn has_wasm_target() -> bool {
    let arguments = ["--print", "target-libdir", "--target", wasm::TARGET];
    let output = workspace::tool("rustc").args(arguments).output();
    output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
}

/// Installs the Debian packages that are missing.
///
/// # Errors
/// Contains the command to run if this user cannot install packages.
pub(crate) fn install_debian_packages() -> Result<()> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|package| !(package.is_installed)())
        .map(|package| package.name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let script = format!(
        "apt-get update && apt-get install -y --no-install-recommends {}",
        missing.join(" ")
    );
    let Some(mut shell) = root_shell() else {
        bail!("Debian packages are missing. Run this once:\n    sudo sh -c '{script}'");
    };
    shell.arg(script);
    steps::run(&format!("Debian packages: {}", missing.join(", ")), &mut shell)
}

/// A shell with the rights to install packages, to which a script is appended; `None` if sudo would ask for a
/// password.
fn root_shell() -> Option<Command> {
    let script = ["env", "DEBIAN_FRONTEND=noninteractive", "sh", "-c"];
    if is_root() {
        let mut shell = workspace::tool(script[0]);
        shell.args(&script[1..]);
        return Some(shell);
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["-n", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    sudo.status().is_ok_and(|status| status.success()).then(|| {
        let mut shell = workspace::tool("sudo");
        shell.arg("-n").args(script);
        shell
    })
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Installs exactly the packages in the lock file of this folder.
pub(crate) fn install_node_modules(folder: &Path) -> Result<()> {
    let mut npm = workspace::tool("npm");
    npm.current_dir(folder);
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    // The tests use Debian's browser; Playwright's would be a download of hundreds of megabytes.
    npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    steps::run(&format!("packages of {name}"), &mut npm)
}

/// The browser in the variable `CHROMIUM`, else the first one on the `PATH`.
pub(crate) fn find_chromium() -> Option<PathBuf> {
    match std::env::var_os("CHROMIUM") {
        Some(path) => Some(path.into()),
        None => find_on_path("chromium"),
    }
}

/// Installs a Cargo tool in exactly this version below `target`, unless it is there, and returns its path.
pub(crate) fn install_cargo_tool(name: &str, version: &str) -> Result<PathBuf> {
    if let Some(mut install) = cargo_tool_installation(name, version) {
        steps::run(name, &mut install)?;
    }
    Ok(cargo_tool_folder(name, version).join("bin").join(name))
}

/// The command that installs a Cargo tool, unless it is there.
pub(crate) fn cargo_tool_installation(name: &str, version: &str) -> Option<Command> {
    let root = cargo_tool_folder(name, version);
    if root.join("bin").join(name).exists() {
        return None;
    }
    let mut install = workspace::cargo(["install", name, "--version", version, "--locked"]);
    install.arg("--root").arg(root);
    Some(install)
}

fn cargo_tool_folder(name: &str, version: &str) -> PathBuf {
    workspace::target().join("tools").join(format!("{name}-{version}"))
}

/// Installs exactly the Python packages of the tests into a virtual environment.
pub(crate) fn install_python_tools() -> Result<()> {
    let requirements = workspace::root().join("server/tests/interop/requirements.txt");
    let (environment, text) = (workspace::target().join("python"), std::fs::read(&requirements)?);
    let stamp = environment.join("requirements.txt");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == text) {
        return Ok(());
    }
    let mut create = workspace::tool("python3");
    create.args(["-m", "venv", "--clear"]).arg(&environment);
    steps::run("Python environment", &mut create)?;
    let mut install = workspace::tool(&environment.join("bin/pip").to_string_lossy());
    install.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    steps::run("Python packages", install.arg(&requirements))?;
    Ok(std::fs::write(stamp, text)?)
}

/// The package of the module depends on Apache.
fn has_apache_with_openidc() -> bool {
    is_in_usr_sbin("apache2") && Path::new("/usr/lib/apache2/modules/mod_auth_openidc.so").exists()
}

fn has_python_venv() -> bool {
    let output = Command::new("python3").args(["-c", "import ensurepip, venv"]).output();
    output.is_ok_and(|output| output.status.success())
}

/// A module of Debian's own Python.
fn has_python_smtp_server() -> bool {
    Path::new("/usr/lib/python3/dist-packages/aiosmtpd").exists()
}

/// The package has the server and its tool.
fn has_alertmanager() -> bool {
    find_on_path("prometheus-alertmanager").is_some() && find_on_path("amtool").is_some()
}

/// The library is in a folder named after the machine's architecture.
fn has_libfaketime() -> bool {
    std::fs::read_dir("/usr/lib").is_ok_and(|folders| {
        folders.flatten().any(|folder| folder.path().join("faketime/libfaketime.so.1").exists())
    })
}

/// Debian installs the server's programs in a folder per version that is not on the path.
fn has_postgresql() -> bool {
    std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|versions| {
        versions.flatten().any(|version| version.path().join("bin/initdb").exists())
    })
}

/// Debian's folder for system programs, which is not on every user's path.
fn is_in_usr_sbin(program: &str) -> bool {
    Path::new("/usr/sbin").join(program).exists()
}

fn find_on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
