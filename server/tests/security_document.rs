//! Does every file and every test that SECURITY.md names exist?

#![allow(clippy::unwrap_used, reason = "a file that cannot be read fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

/// Where the document says that files are. The first folder that has the file counts.
const FOLDERS: [&str; 5] = ["server/tests/http", "end2end/tests", "server", "server/src", "."];

/// A test's name has at least so many words.
const MIN_TEST_NAME_WORDS: usize = 4;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The existing file of this name, if the text names a source file at all.
fn named_file(text: &str) -> Option<Result<PathBuf, String>> {
    let path = Path::new(text);
    let is_source =
        path.extension().is_some_and(|extension| extension == "rs" || extension == "ts");
    if !is_source || text.contains(' ') || text.starts_with('.') {
        return None;
    }
    let found = FOLDERS.iter().map(|folder| root().join(folder).join(path));
    Some(found.into_iter().find(|file| file.is_file()).ok_or_else(|| format!("no file {text}")))
}

fn is_test_name(text: &str) -> bool {
    let is_word_character = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.chars().all(is_word_character) && text.split('_').count() >= MIN_TEST_NAME_WORDS
}

/// The names of browser tests are in double quotes, right after their file. `…` stands for a part that varies.
fn browser_tests(text: &str) -> impl Iterator<Item = &str> {
    let follows_a_file = text.starts_with(": \"");
    text.split('"').skip(1).step_by(2).filter(move |_| follows_a_file)
}

fn contains(source: &str, name: &str) -> bool {
    name.split('…').all(|part| source.contains(part))
}

/// What a line names that does not exist.
fn missing(line: &str) -> Vec<String> {
    let mut missing = Vec::new();
    let mut source: Option<(PathBuf, String)> = None;
    for (index, text) in line.split('`').enumerate() {
        let is_code = index % 2 == 1;
        match (is_code.then(|| named_file(text)).flatten(), &source) {
            (Some(Ok(file)), _) => {
                let content = fs::read_to_string(&file).unwrap();
                source = Some((file, content));
            }
            (Some(Err(error)), _) => missing.push(error),
            (None, Some((file, content))) => {
                let function = format!("fn {text}(");
                if is_code && is_test_name(text) && !content.contains(&function) {
                    missing.push(format!("no test {text} in {}", file.display()));
                }
                let tests = browser_tests(text).filter(|_| !is_code);
                let unknown = tests.filter(|name| !contains(content, name));
                missing
                    .extend(unknown.map(|name| format!("no test {name:?} in {}", file.display())));
            }
            (None, None) => {}
        }
    }
    missing
}

#[test]
fn every_file_and_test_that_the_security_document_names_exists() {
    let document = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    let missing: Vec<String> = document.lines().flat_map(missing).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    let tests = document.split('`').filter(|text| is_test_name(text)).count();
    assert!(tests > 50, "only {tests} tests are named: has the format of the document changed?");
}
