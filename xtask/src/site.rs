//! What does the server deliver, and under which name?
//!
//! `target/site/assets/<hash>/` holds every file of the page with a brotli and a gzip copy beside
//! it; `target/site/hash` holds the hash. The hash is that of the contents, so a browser may keep
//! what it has for ever.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use brotli::enc::BrotliEncoderParams;
use sha2::{Digest as _, Sha256};

use crate::message_file::MessageFile;
use crate::workspace;
use crate::{steps, wasm};

/// Contents by name; the name of a file in a folder is `folder/file`.
type Files = BTreeMap<String, Vec<u8>>;

/// How many hexadecimal digits of the digest name the folder.
const HASH_DIGITS: usize = 16;

/// Builds the site, unless it is as the sources want it, and returns its hash.
pub(crate) fn build() -> Result<String> {
    let compiled = wasm::compile()?;
    let stamp = stamp(&compiled)?;
    if let Some(hash) = finished(&stamp) {
        return Ok(hash);
    }
    steps::timed("site", || {
        let files = collect(&compiled)?;
        let hash = digest(&files)[..HASH_DIGITS].to_owned();
        write(&files, &hash)?;
        fs::write(stamp_file(), stamp)?;
        Ok(hash)
    })
}

/// The folder of the site with this hash.
pub(crate) fn folder(hash: &str) -> PathBuf {
    workspace::site().join("assets").join(hash)
}

/// The hash of the site that lies there, if it was made from the same sources in the same way.
fn finished(stamp: &str) -> Option<String> {
    let made_from = fs::read_to_string(stamp_file()).ok()?;
    let hash = fs::read_to_string(workspace::site().join("hash")).ok()?;
    (made_from == stamp && folder(&hash).is_dir()).then_some(hash)
}

/// Beside the site, not in it: the server embeds all that is in it.
fn stamp_file() -> PathBuf {
    workspace::site().with_extension("stamp")
}

/// A digest of everything the site is made from.
fn stamp(compiled: &Path) -> Result<String> {
    let mut sources = Files::new();
    sources.insert("page".into(), read(compiled)?);
    // The recipe counts as a source: a change here or there makes another site.
    sources.insert(
        "recipe".into(),
        [include_str!("site.rs"), include_str!("wasm.rs")].concat().into(),
    );
    for folder in ["style", "public", MESSAGES] {
        for (name, contents) in read_folder(&workspace::root().join(folder))? {
            sources.insert(format!("{folder}/{name}"), contents);
        }
    }
    Ok(digest(&sources))
}

/// All files of the site, uncompressed.
fn collect(compiled: &Path) -> Result<Files> {
    let bound = workspace::target().join("bindgen");
    remove_folder(&bound)?;
    wasm::bind(compiled, &bound)?;
    let mut files = read_folder(&workspace::root().join("public"))?;
    files.extend(read_folder(&bound)?);
    for (name, contents) in read_folder(&workspace::root().join(MESSAGES))? {
        if Path::new(&name).extension().is_some_and(|extension| extension == "txt") {
            files.insert(format!("messages-{name}"), messages(&name, &contents)?);
        }
    }
    files.insert("app.css".into(), stylesheet("")?);
    files.insert("pages.css".into(), stylesheet("pages")?);
    files.insert("embedded.css".into(), stylesheet("embedded")?);
    for (name, contents) in &mut files {
        if Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "js" || extension == "css")
        {
            *contents = bare(contents)?;
        }
    }
    Ok(files)
}

/// A script or a style without indentation, empty lines, and comments that have their lines for themselves.
fn bare(script: &[u8]) -> Result<Vec<u8>> {
    let mut in_comment = false;
    let mut code = String::new();
    for line in std::str::from_utf8(script)?.lines().map(str::trim) {
        in_comment |= line.starts_with("/*");
        if !in_comment && !line.is_empty() && !line.starts_with("//") {
            code.push_str(line);
            code.push('\n');
        }
        in_comment &= !line.ends_with("*/");
    }
    Ok(code.into_bytes())
}

/// Where the message files lie, one a language.
const MESSAGES: &str = "app/src/i18n";

/// A message file as the page in the browser reads it: without the messages of the server's own pages.
fn messages(name: &str, file: &[u8]) -> Result<Vec<u8>> {
    let file = MessageFile::parse(std::str::from_utf8(file)?)
        .map_err(|error| anyhow!("{MESSAGES}/{name}: {error}"))?;
    Ok(file.pack_for_browser().into_bytes())
}

/// Every `.css` of this folder of `style`, but not of those below it, in the order of their names.
fn stylesheet(folder: &str) -> Result<Vec<u8>> {
    let mut sheet = Vec::new();
    for (name, contents) in read_folder(&workspace::root().join("style").join(folder))? {
        let path = Path::new(&name);
        let here = path.components().count() == 1;
        if here && path.extension().is_some_and(|extension| extension == "css") {
            sheet.extend(contents);
            sheet.push(b'\n');
        }
    }
    Ok(sheet)
}

/// Writes the files and their compressed copies, then lets go of the older sites.
fn write(files: &Files, hash: &str) -> Result<()> {
    let folder = folder(hash);
    // A stamp that outlives half a site would call it finished.
    let _ = fs::remove_file(stamp_file());
    for (name, contents) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        fs::write(&path, contents)?;
        fs::write(folder.join(format!("{name}.br")), brotli(contents)?)?;
        fs::write(folder.join(format!("{name}.gz")), gzip(contents)?)?;
    }
    fs::write(workspace::site().join("hash"), hash)?;
    for other in fs::read_dir(workspace::site().join("assets"))? {
        let other = other?.path();
        if other != folder {
            remove_folder(&other)?;
        }
    }
    Ok(())
}

fn brotli(contents: &[u8]) -> Result<Vec<u8>> {
    let settings =
        BrotliEncoderParams { quality: 11, size_hint: contents.len(), ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*contents, &mut compressed, &settings)?;
    Ok(compressed)
}

fn gzip(contents: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(contents)?;
    Ok(encoder.finish()?)
}

/// SHA-256 over names, lengths and contents, in hexadecimal digits.
fn digest(files: &Files) -> String {
    let mut hasher = Sha256::new();
    for (name, contents) in files {
        hasher.update(format!("{name}\n{}\n", contents.len()));
        hasher.update(contents);
    }
    hasher.finalize().iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

/// All files in a folder and below.
fn read_folder(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    let entries =
        fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            let below = read_folder(&path)?;
            files.extend(
                below.into_iter().map(|(file, contents)| (format!("{name}/{file}"), contents)),
            );
        } else {
            files.insert(name, read(&path)?);
        }
    }
    Ok(files)
}

fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} cannot be removed", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_delivered_without_what_only_its_readers_need() {
        let script = "/** Says\n * more. */\nconst a = 'b // c';\n\n  // why\n  f(a); // here\n/* one */\ng();\n";
        assert_eq!(bare(script.as_bytes()).unwrap(), b"const a = 'b // c';\nf(a); // here\ng();\n");
    }

    fn files(entries: &[(&str, &str)]) -> Files {
        entries.iter().map(|(name, contents)| ((*name).into(), (*contents).into())).collect()
    }

    #[test]
    fn the_same_files_have_the_same_hash_in_any_order() {
        let one = files(&[("app.js", "1"), ("app.css", "2")]);
        let other = files(&[("app.css", "2"), ("app.js", "1")]);
        assert_eq!(digest(&one), digest(&other));
        assert_eq!(digest(&one).len(), 64);
    }

    #[test]
    fn a_byte_that_moves_to_the_next_file_changes_the_hash() {
        let one = files(&[("a", "xy"), ("b", "z")]);
        let other = files(&[("a", "x"), ("b", "yz")]);
        assert_ne!(digest(&one), digest(&other));
    }

    #[test]
    fn gzip_gives_the_same_bytes_every_time() {
        assert_eq!(gzip(b"the page").unwrap(), gzip(b"the page").unwrap());
    }
}
