//! Which steps does each command take, and in which order?

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::dist::Package;
use crate::sizes::Sizes;
use crate::workspace::{self, APP, Profile, SERVER};
use crate::{bench, browser, dist, prerequisites, readable, site, soak, steps, wasm};

/// Builds the page and the server, and says how large the page is.
pub(crate) fn build(profile: Profile) -> Result<Sizes> {
    prerequisites::wasm_target()?;
    let hash = site::build()?;
    let mut cargo = workspace::cargo(["build", "--package", SERVER]);
    if profile == Profile::Release {
        // The release build embeds the site, so a new site is a reason to compile. The debug build
        // reads the folder: with the variable, it would compile again after each `cargo test`.
        cargo.arg("--release");
        cargo.env("CLUSTER_OVERVIEW_SITE_HASH", &hash);
    }
    steps::run("server", &mut cargo)?;
    let sizes = Sizes::of(&site::folder(&hash), readable::html(profile)?)?;
    print!("{}", sizes.table());
    Ok(sizes)
}

/// Builds, then becomes the server.
///
/// # Errors
/// Returns only if something failed.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    build(Profile::Debug)?;
    let mut server = Command::new(workspace::server_binary(Profile::Debug));
    server.arg("serve");
    if !names_a_database(arguments) {
        let folder = workspace::root().join("target/run");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("{} cannot be made", folder.display()))?;
        server.args(["--database", "sqlite:target/run/cluster-overview.db"]);
        server.current_dir(workspace::root());
    }
    server.args(arguments);
    println!("▸ {}", steps::repeatable(&server));
    become_program(&mut server)
}

/// Builds, then becomes the demo.
///
/// # Errors
/// Returns only if something failed.
pub(crate) fn demo(arguments: &[&str]) -> Result<()> {
    build(Profile::Debug)?;
    let mut demo = Command::new(workspace::server_binary(Profile::Debug));
    demo.arg("demo").args(arguments);
    println!("▸ {}", steps::repeatable(&demo));
    become_program(&mut demo)
}

/// The workspace in two selections. Cargo unites the features of all that it builds at once: with
/// xtask among them, Leptos and sqlx would be compiled twice, once for the tests and once for the
/// program.
const SELECTIONS: [(&str, &[&str]); 2] =
    [("server", &["--workspace", "--exclude", "xtask"]), ("xtask", &["--package", "xtask"])];

/// Format, lints, tests.
pub(crate) fn check() -> Result<()> {
    prerequisites::wasm_target()?;
    prerequisites::debian_packages()?;
    prerequisites::python_tools()?;
    let fmt = ["fmt", "--all", "--", "--check"];
    steps::run("format", &mut workspace::cargo(fmt))?;
    for (name, selection) in SELECTIONS {
        lint(name, &[selection, &["--all-targets"]].concat())?;
    }
    // Never `--all-features`: the page is made for the server or for the browser, not for both.
    lint("browser", &[&["--package", APP], &wasm::BROWSER_HALF[..]].concat())?;
    for (name, selection) in SELECTIONS {
        let test = [&["test"], selection].concat();
        steps::run(&format!("tests ({name})"), &mut workspace::cargo(test))?;
    }
    Ok(())
}

fn lint(name: &str, selection: &[&str]) -> Result<()> {
    let clippy = [&["clippy"], selection, &["--", "-D", "warnings"]].concat();
    steps::run(&format!("clippy ({name})"), &mut workspace::cargo(clippy))
}

/// Everything: [`check`], [`build`], the page in a real browser, the short soak, and the package on a clean
/// Debian.
pub(crate) fn test() -> Result<()> {
    check()?;
    build(Profile::Debug)?.hold()?;
    browser_tests()?;
    soak::run(&soak::SHORT, &[])?;
    package_tests(&dist()?)
}

/// The release build, as those get it who install it.
pub(crate) fn dist() -> Result<Package> {
    build(Profile::Release)?;
    dist::make()
}

fn package_tests(package: &Package) -> Result<()> {
    let later = dist::later(package)?;
    let mut story = browser::tool("npx", Profile::Release)?;
    story.args(["playwright", "test", "--forbid-only", "--config", "package.config.ts"]);
    story.env("PACKAGE", &package.debian).env("LATER_PACKAGE", later);
    steps::run("the package on a clean Debian", &mut story)
}

fn browser_tests() -> Result<()> {
    // What the example in React imports.
    prerequisites::node_modules(&workspace::root().join("server/examples/one-tag"))?;
    let mut playwright = browser::tool("npx", Profile::Debug)?;
    playwright.args(["playwright", "test", "--forbid-only"]);
    steps::run("browser tests", &mut playwright)
}

/// Measures the release build.
pub(crate) fn bench(parts: &[&str]) -> Result<()> {
    prerequisites::debian_packages()?;
    build(Profile::Release)?;
    bench::run(parts)
}

/// Kills, deprives and floods the program.
pub(crate) fn soak(plan: &soak::Plan, parts: &[&str]) -> Result<()> {
    prerequisites::debian_packages()?;
    build(plan.profile)?;
    soak::run(plan, parts)
}

/// Takes the README's pictures anew, from the demo.
pub(crate) fn screenshots() -> Result<()> {
    prerequisites::debian_packages()?;
    build(Profile::Debug)?;
    let mut pictures = browser::tool("node", Profile::Debug)?;
    pictures.arg("screenshots.mjs");
    steps::run("pictures", &mut pictures)
}

fn names_a_database(arguments: &[&str]) -> bool {
    arguments
        .iter()
        .any(|argument| *argument == "--database" || argument.starts_with("--database="))
}

/// Replaces this process, so that signals and the exit code are the server's own.
#[cfg(unix)]
fn become_program(program: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(program.exec()).context("the server does not start")
}

/// Elsewhere a process cannot be replaced: wait for it.
#[cfg(not(unix))]
fn become_program(program: &mut Command) -> Result<()> {
    let status = program.status().context("the server does not start")?;
    anyhow::ensure!(status.success(), "the server ended with {status}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_the_users_choice_is_seen_in_both_spellings() {
        assert!(names_a_database(&["--database", "sqlite:x.db"]));
        assert!(names_a_database(&["--database=sqlite:x.db"]));
        assert!(!names_a_database(&["--database-timeout", "3"]));
    }
}
