//! How does the page's code become the two files that a browser runs?

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use wasm_bindgen_cli_support::{Bindgen, Output};

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
        .generate_output()
        .and_then(|mut output| {
            let names = shorten_names(&mut output);
            output.emit(folder)?;
            Ok(names)
        })
        .context("wasm-bindgen refuses the compiled page")
        .and_then(|names| rename(&folder.join("app.js"), &names))
}

/// Gives every function that the wasm and `app.js` have of each other a short name, but not those that people call.
/// The names as generated end in a hash or a number, which cannot be compressed: 4 kB of all that a browser
/// fetches. Returns old and new names, the longest first.
fn shorten_names(output: &mut Output) -> Vec<(String, String)> {
    let module = output.wasm_mut();
    let imports = module.imports.iter_mut().map(|import| &mut import.name);
    let exports = module.exports.iter_mut().map(|export| &mut export.name);
    let mut names: Vec<_> = imports
        .chain(exports.filter(|name| name.starts_with("__w")))
        .enumerate()
        .map(|(number, name)| {
            let short = format!("i{number}");
            (std::mem::replace(name, short.clone()), short)
        })
        .collect();
    names.sort_by_key(|(name, _)| Reverse(name.len()));
    names
}

fn rename(script: &Path, names: &[(String, String)]) -> Result<()> {
    let code = fs::read_to_string(script)?;
    let code = names.iter().fold(code, |code, (name, short)| code.replace(name, short));
    fs::write(script, code)?;
    Ok(())
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
