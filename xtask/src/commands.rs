//! Which steps does each command of `cargo xtask` run?

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::dist::Package;
use crate::size_budget::Sizes;
use crate::steps::Background;
use crate::workspace::{self, APP, Profile, SERVER};
use crate::{
    bench, browser, dist, page_weight, prerequisites, site, soak, steps, test_programs, wasm,
};

/// Builds the page and the server, and prints the size of the page.
pub(crate) fn build(profile: Profile) -> Result<Sizes> {
    prerequisites::install_wasm_target()?;
    let hash = site::build()?;
    steps::run("server", &mut compile_server(profile, &hash))?;
    measure_page(profile, &hash)
}

fn compile_server(profile: Profile, site_hash: &str) -> Command {
    let mut cargo = workspace::cargo(["build", "--package", SERVER]);
    if profile == Profile::Release {
        // The release build embeds the site, so it must be compiled again for a new site. The debug build
        // reads the folder; with the variable it would compile again after each `cargo test`.
        cargo.arg("--release");
        cargo.env("CLUSTER_OVERVIEW_SITE_HASH", site_hash);
    }
    cargo
}

fn measure_page(profile: Profile, site_hash: &str) -> Result<Sizes> {
    let sizes = Sizes::measure(&site::folder(site_hash), page_weight::measure_html(profile)?)?;
    print!("{}", sizes.table());
    Ok(sizes)
}

/// Builds, then replaces this process with the server.
///
/// Returns only if this fails.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    build(Profile::Debug)?;
    let mut server = Command::new(workspace::server_binary(Profile::Debug));
    server.arg("serve");
    if !has_database_option(arguments) {
        let folder = workspace::root().join("target/run");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be created", folder.display()))?;
        server.args(["--database", "sqlite:target/run/cluster-overview.db"]);
        server.current_dir(workspace::root());
    }
    server.args(arguments);
    println!("▸ {}", steps::shell_line(&server));
    replace_process(&mut server)
}

/// Builds, then replaces this process with the demo.
///
/// Returns only if this fails.
pub(crate) fn demo(arguments: &[&str]) -> Result<()> {
    build(Profile::Debug)?;
    let mut demo = Command::new(workspace::server_binary(Profile::Debug));
    demo.arg("demo").args(arguments);
    println!("▸ {}", steps::shell_line(&demo));
    replace_process(&mut demo)
}

/// The workspace in two selections. Cargo unifies the features of all packages that it builds together: with xtask
/// among them, Leptos and sqlx would be compiled twice, once for the tests and once for the program.
const SELECTIONS: [(&str, &[&str]); 2] =
    [("server", &["--workspace", "--exclude", "xtask"]), ("xtask", &["--package", "xtask"])];

pub(crate) fn check() -> Result<()> {
    check_sources()?;
    run_tests()
}

/// Format and lints.
fn check_sources() -> Result<()> {
    prerequisites::install_wasm_target()?;
    prerequisites::install_debian_packages()?;
    prerequisites::install_python_tools()?;
    let fmt = ["fmt", "--all", "--", "--check"];
    steps::run("format", &mut workspace::cargo(fmt))?;
    for (name, selection) in SELECTIONS {
        run_clippy(name, &[selection, &["--all-targets"]].concat())?;
    }
    // Never `--all-features`: the page is compiled for the server or for the browser, not for both.
    run_clippy("browser", &[&["--package", APP], &wasm::BROWSER_HALF[..]].concat())
}

/// All tests except the browser's.
fn run_tests() -> Result<()> {
    let [(_, server), (_, xtask)] = SELECTIONS;
    test_programs::run("tests (server)", server)?;
    let test = [&["test"], xtask].concat();
    steps::run("tests (xtask)", &mut workspace::cargo(test))
}

fn run_clippy(name: &str, selection: &[&str]) -> Result<()> {
    let clippy = [&["clippy"], selection, &["--", "-D", "warnings"]].concat();
    steps::run(&format!("clippy ({name})"), &mut workspace::cargo(clippy))
}

/// Everything: [`check`], the browser tests, the short soak, and the package on a clean Debian.
///
/// Most tests wait most of the time. The release build and the tool that makes packages are
/// compiled meanwhile.
pub(crate) fn test() -> Result<()> {
    check_sources()?;
    let hash = site::build()?;
    let [(name, server), _] = SELECTIONS;
    let compile = [&["test", "--no-run"], server].concat();
    steps::run(&format!("compile tests ({name})"), &mut workspace::cargo(compile))?;
    let release = compile_server(Profile::Release, &hash);
    let mut background = vec![Background::start("release build", &release)?];
    if let Some(install) = dist::tool_installation() {
        background.push(Background::start("tool that makes packages", &install)?);
    }
    run_tests()?;
    // The program of the tests is the one that the browser tests and the soak start.
    measure_page(Profile::Debug, &hash)?.check()?;
    // A browser does not wait: what compiles beside it makes people's deadlines pass.
    background.into_iter().try_for_each(Background::finish)?;
    browser_tests()?;
    soak::run(&soak::SHORT, &[])?;
    package_tests(&dist()?)
}

/// Makes the archive and the Debian package of the release build.
pub(crate) fn dist() -> Result<Package> {
    build(Profile::Release)?;
    dist::make()
}

fn package_tests(package: &Package) -> Result<()> {
    let newer = dist::make_newer(package)?;
    let mut playwright = browser::command("npx", Profile::Release)?;
    playwright.args(["playwright", "test", "--forbid-only", "--config", "package.config.ts"]);
    playwright.env("PACKAGE", &package.debian).env("LATER_PACKAGE", newer);
    steps::run("the package on a clean Debian", &mut playwright)
}

fn browser_tests() -> Result<()> {
    // The packages that the React example imports.
    prerequisites::install_node_modules(&workspace::root().join("server/examples/one-tag"))?;
    let mut playwright = browser::command("npx", Profile::Debug)?;
    playwright.args(["playwright", "test", "--forbid-only"]);
    steps::run("browser tests", &mut playwright)
}

pub(crate) fn bench(parts: &[&str]) -> Result<()> {
    prerequisites::install_debian_packages()?;
    build(Profile::Release)?;
    bench::run(parts)
}

pub(crate) fn soak(plan: &soak::Plan, parts: &[&str]) -> Result<()> {
    prerequisites::install_debian_packages()?;
    build(plan.profile)?;
    soak::run(plan, parts)
}

/// Takes the README's screenshots from the demo.
pub(crate) fn screenshots() -> Result<()> {
    prerequisites::install_debian_packages()?;
    build(Profile::Debug)?;
    let mut screenshots = browser::command("node", Profile::Debug)?;
    screenshots.arg("screenshots.mjs");
    steps::run("screenshots", &mut screenshots)
}

fn has_database_option(arguments: &[&str]) -> bool {
    arguments
        .iter()
        .any(|argument| *argument == "--database" || argument.starts_with("--database="))
}

/// Signals then reach the server itself, and its exit code is the command's.
#[cfg(unix)]
fn replace_process(program: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(program.exec()).context("the server cannot be started")
}

/// On other systems a process cannot be replaced, so this waits for the program.
#[cfg(not(unix))]
fn replace_process(program: &mut Command) -> Result<()> {
    let status = program.status().context("the server cannot be started")?;
    anyhow::ensure!(status.success(), "the server ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_option_is_recognized_with_a_space_and_with_an_equals_sign() {
        assert!(has_database_option(&["--database", "sqlite:x.db"]));
        assert!(has_database_option(&["--database=sqlite:x.db"]));
        assert!(!has_database_option(&["--database-timeout", "3"]));
    }
}
