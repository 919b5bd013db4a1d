//! How does the page's code become the two files that a browser runs?

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use wasm_bindgen_cli_support::Bindgen;

use crate::steps;
use crate::workspace::{self, APP};

/// What Rust calls the browser.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Cargo's arguments for the half of the page that runs in the browser.
pub(crate) const BROWSER_HALF: [&str; 6] =
    ["--lib", "--no-default-features", "--features", "hydrate", "--target", TARGET];

/// The Cargo profile, made for small files.
const PROFILE: &str = "wasm-release";

/// Compiles the page for the browser and returns where the result lies.
pub(crate) fn compile() -> Result<PathBuf> {
    let flags = path_flags();
    let build = ["build", "--package", APP, "--profile", PROFILE].into_iter();
    let build = build.chain(BROWSER_HALF).chain(["--config", &flags]);
    steps::run("page for the browser", &mut workspace::cargo(build))?;
    let library = format!("{}.wasm", APP.replace('-', "_"));
    Ok(workspace::target().join(TARGET).join(PROFILE).join(library))
}

/// Writes `app.js` and `app_bg.wasm` (and the snippets they import, if any) into a folder.
pub(crate) fn bind(compiled: &Path, folder: &Path) -> Result<()> {
    Bindgen::new()
        .input_path(compiled)
        .web(true)?
        .typescript(false)
        // Names are for debuggers, and half of the file.
        .remove_name_section(true)
        .remove_producers_section(true)
        .out_name("app")
        .generate(folder)
        .context("wasm-bindgen refuses the compiled page")
}

/// Panic messages name source files. The builder's own folders are nobody's business and make two
/// machines build two different pages.
fn path_flags() -> String {
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let flags: Vec<String> = [(cargo_home, "cargo"), (Some(workspace::root().into()), "workspace")]
        .into_iter()
        .filter_map(|(folder, name)| Some((folder?, name)))
        .map(|(folder, name)| format!("'--remap-path-prefix={}={name}'", folder.display()))
        .collect();
    format!("target.{TARGET}.rustflags=[{}]", flags.join(","))
}
