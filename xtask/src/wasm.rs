//! How is the page compiled to the two files that a browser runs?

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use wasm_bindgen_cli_support::{Bindgen, Output};

use crate::steps;
use crate::workspace::{self, APP};

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Cargo's arguments to compile the page for the browser.
pub(crate) const BROWSER_HALF: [&str; 6] =
    ["--lib", "--no-default-features", "--features", "hydrate", "--target", TARGET];

/// The Cargo profile that is optimized for size.
const PROFILE: &str = "wasm-release";

/// Compiles the page for the browser and returns the path of the result.
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
        // Only debuggers need the names, and they are half of the file.
        .remove_name_section(true)
        .remove_producers_section(true)
        .out_name("app")
        .generate_output()
        .and_then(|mut output| {
            drop_unused_classes(&mut output);
            let names = shorten_names(&mut output);
            output.emit(folder)?;
            Ok(names)
        })
        .context("wasm-bindgen cannot process the compiled page")
        .and_then(|names| rename(&folder.join("app.js"), &names))
}

/// The classes with which server functions read and write streams. The page has no streams of its own, but whatever a
/// crate exports is kept, with all that it calls: 1.5 kB of the first load.
const UNUSED_CLASSES: [&str; 3] =
    ["IntoUnderlyingByteSource", "IntoUnderlyingSink", "IntoUnderlyingSource"];

/// Drops the classes that the page does not use, and everything that only they call.
fn drop_unused_classes(output: &mut Output) {
    let module = output.wasm_mut();
    let is_unused = |export: &str| {
        let export = export.trim_start_matches("__wbg_");
        UNUSED_CLASSES.iter().any(|class| export.starts_with(&class.to_ascii_lowercase()))
    };
    let unused: Vec<_> = module
        .exports
        .iter()
        .filter(|export| is_unused(&export.name))
        .map(walrus::Export::id)
        .collect();
    for export in unused {
        module.exports.delete(export);
    }
    walrus::passes::gc::run(module);
}

/// Gives the functions that the wasm and `app.js` import from each other short names. Generated names end in a hash or
/// a number, which compresses badly: they are 4 kB of the first load. Returns old and new names, the longest first.
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
    let code = UNUSED_CLASSES.iter().fold(code, |code, class| without_class(&code, class));
    fs::write(script, code)?;
    Ok(())
}

/// The script without a class, which ends with the line that makes it disposable.
fn without_class(code: &str, class: &str) -> String {
    let (first, last) =
        (format!("export class {class} {{"), format!("if (Symbol.dispose) {class}.prototype"));
    let mut is_inside = false;
    let lines = code.lines().filter(|line| {
        is_inside |= *line == first;
        let is_kept = !is_inside;
        is_inside &= !line.starts_with(&last);
        is_kept
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Panic messages contain the paths of source files. The paths of the build machine are private, and would make the
/// page differ from machine to machine.
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
