//! What must be on the machine before a step can run, and how does it get there?

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use crate::{steps, wasm, workspace};

/// A Debian package, and how to see that it (or something as good) is there.
struct Package {
    name: &'static str,
    is_there: fn() -> bool,
}

/// What the tests need from Debian: a browser, its driver's package manager, what sets the clock of a
/// running process, hosts with firewalls, proxies, the other database, what backs up a file, and other
/// programs that talk to the overview.
const PACKAGES: &[Package] = &[
    Package { name: "debootstrap", is_there: || for_root("debootstrap") },
    Package { name: "curl", is_there: || on_path("curl").is_some() },
    Package { name: "prometheus", is_there: || on_path("prometheus").is_some() },
    Package { name: "python3-venv", is_there: python_makes_environments },
    Package { name: "chromium", is_there: || chromium().is_some() },
    Package { name: "npm", is_there: || on_path("npm").is_some() },
    Package { name: "libfaketime", is_there: libfaketime },
    Package { name: "iproute2", is_there: || for_root("ip") },
    Package { name: "nftables", is_there: || for_root("nft") },
    Package { name: "libapache2-mod-auth-openidc", is_there: apache_that_signs_people_in },
    Package { name: "nginx", is_there: || on_path("nginx").is_some() },
    Package { name: "postgresql", is_there: postgresql },
    Package { name: "pgbouncer", is_there: || for_root("pgbouncer") },
    Package { name: "sqlite3", is_there: || on_path("sqlite3").is_some() },
];

/// Installs Rust's library for the browser unless this toolchain has it.
pub(crate) fn wasm_target() -> Result<()> {
    if has_wasm_target() {
        return Ok(());
    }
    let mut rustup = workspace::tool("rustup");
    rustup.args(["target", "add", wasm::TARGET]);
    steps::run("Rust for the browser", &mut rustup)
}

/// Asks the compiler, not rustup: a distribution's Rust has the target too, without rustup.
fn has_wasm_target() -> bool {
    let question = ["--print", "target-libdir", "--target", wasm::TARGET];
    let answer = workspace::tool("rustc").args(question).output();
    answer.is_ok_and(|answer| Path::new(String::from_utf8_lossy(&answer.stdout).trim()).is_dir())
}

/// Installs the Debian packages that are missing.
///
/// # Errors
/// Names the one command to run when nobody here may install packages.
pub(crate) fn debian_packages() -> Result<()> {
    let missing: Vec<&str> = PACKAGES
        .iter()
        .filter(|package| !(package.is_there)())
        .map(|package| package.name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let script = format!(
        "apt-get update && apt-get install -y --no-install-recommends {}",
        missing.join(" ")
    );
    let Some(mut shell) = shell_of_root() else {
        bail!("the tests need more. Run this once:\n    sudo sh -c '{script}'");
    };
    shell.arg(script);
    steps::run(&format!("Debian packages: {}", missing.join(", ")), &mut shell)
}

/// A shell that may install packages and waits for a script, if this user can have one unasked.
fn shell_of_root() -> Option<Command> {
    let script = ["env", "DEBIAN_FRONTEND=noninteractive", "sh", "-c"];
    if is_root() {
        let mut shell = workspace::tool(script[0]);
        shell.args(&script[1..]);
        return Some(shell);
    }
    let mut question = Command::new("sudo");
    question.args(["-n", "true"]).stdout(Stdio::null()).stderr(Stdio::null());
    question.status().is_ok_and(|answer| answer.success()).then(|| {
        let mut shell = workspace::tool("sudo");
        shell.arg("-n").args(script);
        shell
    })
}

fn is_root() -> bool {
    let answer = Command::new("id").arg("-u").output();
    answer.is_ok_and(|answer| answer.stdout.trim_ascii() == b"0")
}

/// Installs exactly the packages that the lock file of this folder names.
pub(crate) fn node_modules(folder: &Path) -> Result<()> {
    let mut npm = workspace::tool("npm");
    npm.current_dir(folder);
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    // The browser is Debian's; Playwright's own is a download of hundreds of megabytes.
    npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    steps::run(&format!("packages of {name}"), &mut npm)
}

/// The browser: the one named by `CHROMIUM`, else the first on the `PATH`.
pub(crate) fn chromium() -> Option<PathBuf> {
    match std::env::var_os("CHROMIUM") {
        Some(named) => Some(named.into()),
        None => on_path("chromium"),
    }
}

/// A tool of Cargo's in exactly this version, installed below `target` if it is not there.
pub(crate) fn cargo_tool(name: &str, version: &str) -> Result<PathBuf> {
    let root = workspace::target().join("tools").join(format!("{name}-{version}"));
    let program = root.join("bin").join(name);
    if !program.exists() {
        let mut install = workspace::cargo(["install", name, "--version", version, "--locked"]);
        steps::run(name, install.arg("--root").arg(root))?;
    }
    Ok(program)
}

/// Installs exactly the Python packages that the tests name, into an environment of their own.
pub(crate) fn python_tools() -> Result<()> {
    let wanted = workspace::root().join("server/tests/interop/requirements.txt");
    let (environment, text) = (workspace::target().join("python"), std::fs::read(&wanted)?);
    let stamp = environment.join("requirements.txt");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == text) {
        return Ok(());
    }
    let mut make = workspace::tool("python3");
    make.args(["-m", "venv", "--clear"]).arg(&environment);
    steps::run("Python environment", &mut make)?;
    let mut install = workspace::tool(&environment.join("bin/pip").to_string_lossy());
    install.args(["install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    steps::run("Python packages", install.arg(&wanted))?;
    Ok(std::fs::write(stamp, text)?)
}

/// Debian's Apache comes with its module.
fn apache_that_signs_people_in() -> bool {
    for_root("apache2") && Path::new("/usr/lib/apache2/modules/mod_auth_openidc.so").exists()
}

fn python_makes_environments() -> bool {
    let asked = Command::new("python3").args(["-c", "import ensurepip, venv"]).output();
    asked.is_ok_and(|answer| answer.status.success())
}

/// Below `/usr/lib`, in the folder of the machine's architecture.
fn libfaketime() -> bool {
    std::fs::read_dir("/usr/lib").is_ok_and(|folders| {
        folders.flatten().any(|folder| folder.path().join("faketime/libfaketime.so.1").exists())
    })
}

/// Debian keeps the server's programs off the path, by version.
fn postgresql() -> bool {
    std::fs::read_dir("/usr/lib/postgresql").is_ok_and(|versions| {
        versions.flatten().any(|version| version.path().join("bin/initdb").exists())
    })
}

/// Where Debian keeps what root needs, which is not on everybody's path.
fn for_root(program: &str) -> bool {
    Path::new("/usr/sbin").join(program).exists()
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
