//! Which modules import from a layer above their own? The tests of both crates use it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The source files of a crate by module path; the path of the crate's root is empty.
type Modules = BTreeMap<String, PathBuf>;

/// Every import from a layer above: the importing and the imported module.
///
/// `order` lists the layers from the bottom. A layer is a module with its submodules, except for submodules that are
/// listed themselves. A module that belongs to no layer is reported, too.
pub(crate) fn upward(sources: &Path, order: &[&str]) -> Vec<String> {
    let modules = modules(sources);
    let layer = |module: &str| {
        let is_in = |layer: &str| module == layer || module.starts_with(&format!("{layer}::"));
        let found = order.iter().enumerate().filter(|(_, layer)| is_in(layer));
        found.max_by_key(|(_, layer)| layer.len()).map(|(place, _)| place)
    };
    let mut found = Vec::new();
    for (module, file) in modules.iter().filter(|(module, _)| !module.is_empty()) {
        let Some(own) = layer(module) else {
            found.push(format!("{module} belongs to no layer"));
            continue;
        };
        for imported in imports(&fs::read_to_string(file).unwrap(), &modules) {
            if layer(&imported).is_none_or(|other| other > own) {
                found.push(format!("{module} -> {imported}"));
            }
        }
    }
    found.dedup();
    found
}

fn modules(sources: &Path) -> Modules {
    fn collect(folder: &Path, path: &str, found: &mut Modules) {
        for entry in fs::read_dir(folder).unwrap() {
            let file = entry.unwrap().path();
            let name = file.file_stem().unwrap().to_str().unwrap();
            let module = if path.is_empty() { name.to_owned() } else { format!("{path}::{name}") };
            if file.is_dir() {
                collect(&file, &module, found);
            } else if file.extension().is_some_and(|extension| extension == "rs") {
                let is_root = path.is_empty() && matches!(name, "lib" | "main");
                let module = if is_root { String::new() } else { module };
                found.insert(module.strip_suffix("::mod").unwrap_or(&module).to_owned(), file);
            }
        }
    }
    let mut found = Modules::new();
    collect(sources, "", &mut found);
    found
}

/// The modules that a source file names by `crate::…`, except in comments and in its own tests.
fn imports(source: &str, modules: &Modules) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let is_code = |line: &&str| !line.trim_start().starts_with("//") && !line.contains("pub(in ");
    let code: String = source.lines().filter(is_code).map(|line| line.to_owned() + "\n").collect();
    let mut found: Vec<String> = Vec::new();
    for (place, _) in code.match_indices("crate::") {
        let rest = &code[place + "crate::".len()..];
        let end = rest.find([';', '(', ')', '>', ',', '&']).unwrap_or(rest.len());
        let path = match rest.find('{') {
            Some(brace) if brace < end => {
                let close = rest.find(';').unwrap_or(rest.len());
                let (parent, names) = rest[..close].split_once('{').unwrap();
                for name in names.split(',') {
                    let name = name.trim().trim_matches(['{', '}']);
                    found.extend(module_of(&format!("{parent}{name}"), modules));
                }
                continue;
            }
            _ => rest[..end].split_whitespace().next().unwrap_or_default(),
        };
        found.extend(module_of(path, modules));
    }
    found
}

/// The longest prefix of a path that is a module.
fn module_of(path: &str, modules: &Modules) -> Option<String> {
    let mut parts: Vec<&str> = path.split("::").map(str::trim).collect();
    while !parts.is_empty() {
        let module = parts.join("::");
        if modules.contains_key(&module) {
            return Some(module);
        }
        parts.pop();
    }
    None
}
