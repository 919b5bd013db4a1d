//! How is the site built: all files that the server delivers, and the hash in their URLs?
//!
//! `target/site/assets/<hash>/` contains every file of the page with a brotli and a gzip copy;
//! `target/site/hash` contains the hash. The hash is computed from the contents, so a browser may cache the files
//! forever.

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

/// Builds the site, unless it is up to date, and returns its hash.
pub(crate) fn build() -> Result<String> {
    let compiled = wasm::compile()?;
    let stamp = compute_stamp(&compiled)?;
    if let Some(hash) = up_to_date_hash(&stamp) {
        return Ok(hash);
    }
    steps::run_timed("site", || {
        let files = collect_files(&compiled)?;
        let hash = digest(&files)[..HASH_DIGITS].to_owned();
        write_files(&files, &hash)?;
        fs::write(stamp_file(), stamp)?;
        Ok(hash)
    })
}

/// The folder of the site with this hash.
pub(crate) fn folder(hash: &str) -> PathBuf {
    workspace::site().join("assets").join(hash)
}

/// The hash of the existing site, if it was built from the same sources in the same way.
fn up_to_date_hash(stamp: &str) -> Option<String> {
    let built_from = fs::read_to_string(stamp_file()).ok()?;
    let hash = fs::read_to_string(workspace::site().join("hash")).ok()?;
    (built_from == stamp && folder(&hash).is_dir()).then_some(hash)
}

/// Next to the site, not in it, because the server embeds everything in it.
fn stamp_file() -> PathBuf {
    workspace::site().with_extension("stamp")
}

/// A digest of everything that the site is built from.
fn compute_stamp(compiled: &Path) -> Result<String> {
    let mut sources = Files::new();
    sources.insert("page".into(), read(compiled)?);
    // The code that builds the site is a source, too.
    sources.insert(
        "builder".into(),
        [include_str!("site.rs"), include_str!("wasm.rs")].concat().into(),
    );
    for folder in ["style", "public", MESSAGES_FOLDER] {
        for (name, contents) in read_folder(&workspace::root().join(folder))? {
            sources.insert(format!("{folder}/{name}"), contents);
        }
    }
    Ok(digest(&sources))
}

/// All files of the site, uncompressed.
fn collect_files(compiled: &Path) -> Result<Files> {
    let bound = workspace::target().join("bindgen");
    remove_folder(&bound)?;
    wasm::bind(compiled, &bound)?;
    let mut files = read_folder(&workspace::root().join("public"))?;
    files.extend(read_folder(&bound)?);
    for (name, contents) in read_folder(&workspace::root().join(MESSAGES_FOLDER))? {
        if Path::new(&name).extension().is_some_and(|extension| extension == "txt") {
            files.insert(format!("messages-{name}"), pack_messages(&name, &contents)?);
        }
    }
    files.insert("app.css".into(), join_stylesheets("")?);
    files.insert("pages.css".into(), join_stylesheets("pages")?);
    files.insert("media.css".into(), join_stylesheets("media")?);
    files.insert("embedded.css".into(), join_stylesheets("embedded")?);
    for (name, contents) in &mut files {
        if Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "js" || extension == "css")
        {
            *contents = minify(contents)?;
        }
    }
    Ok(files)
}

/// Removes indentation, empty lines, and comments on lines of their own from a script or a stylesheet.
fn minify(script: &[u8]) -> Result<Vec<u8>> {
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

/// The folder of the message files, one per language.
const MESSAGES_FOLDER: &str = "app/src/i18n";

/// A message file as the page in the browser reads it: without the messages of the server's own pages.
fn pack_messages(name: &str, file: &[u8]) -> Result<Vec<u8>> {
    let file = MessageFile::parse(std::str::from_utf8(file)?)
        .map_err(|error| anyhow!("{MESSAGES_FOLDER}/{name}: {error}"))?;
    Ok(file.pack_for_browser().into_bytes())
}

/// Joins every `.css` of this folder of `style`, not of its subfolders, in alphabetical order.
fn join_stylesheets(folder: &str) -> Result<Vec<u8>> {
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

/// Writes the files and their compressed copies, then deletes older sites.
fn write_files(files: &Files, hash: &str) -> Result<()> {
    let folder = folder(hash);
    // If this is interrupted, an old stamp would declare an incomplete site up to date.
    let _ = fs::remove_file(stamp_file());
    for (name, contents) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&folder))?;
        fs::write(&path, contents)?;
        fs::write(folder.join(format!("{name}.br")), compress_brotli(contents)?)?;
        fs::write(folder.join(format!("{name}.gz")), compress_gzip(contents)?)?;
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

fn compress_brotli(contents: &[u8]) -> Result<Vec<u8>> {
    let settings =
        BrotliEncoderParams { quality: 11, size_hint: contents.len(), ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*contents, &mut compressed, &settings)?;
    Ok(compressed)
}

fn compress_gzip(contents: &[u8]) -> Result<Vec<u8>> {
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
    fn minifying_removes_comments_indentation_and_empty_lines() {
        let script = "/** Says\n * more. */\nconst a = 'b // c';\n\n  // why\n  f(a); // here\n/* one */\ng();\n";
        assert_eq!(
            minify(script.as_bytes()).unwrap(),
            b"const a = 'b // c';\nf(a); // here\ng();\n"
        );
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
        assert_eq!(compress_gzip(b"the page").unwrap(), compress_gzip(b"the page").unwrap());
    }
}
