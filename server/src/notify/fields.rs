//! Reads the fields of one channel, and collects what is wrong with them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use app::cluster::Span;
use toml::{Table, Value};

use super::secret_file::SecretFile;

/// The fields of one table `[[channel]]`.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    table: &'a Table,
    /// Where the channel file is: relative paths begin here.
    folder: &'a Path,
    read: BTreeSet<&'static str>,
    /// Fields, and what is wrong with them.
    problems: Vec<(String, String)>,
    /// Whether the channel can connect to private networks.
    pub(super) allow_private: bool,
}

impl<'a> Fields<'a> {
    pub(super) fn new(table: &'a Table, folder: &'a Path) -> Self {
        let (read, problems) = (BTreeSet::new(), Vec::new());
        let mut fields = Self { table, folder, read, problems, allow_private: false };
        fields.allow_private = fields.flag("allow_private");
        fields
    }

    pub(super) fn problem(&mut self, field: &str, why: &str) {
        self.problems.push((field.to_owned(), why.to_owned()));
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.table.contains_key(field)
    }

    /// What is wrong with the fields, those included that nothing has read. `kind`: of the channel, if it is known.
    pub(super) fn finish(mut self, kind: Option<&str>) -> Vec<(String, String)> {
        let Some(kind) = kind else { return self.problems };
        let known: Vec<&str> = self.read.iter().copied().collect();
        let known = known.join(", ");
        for field in self.table.keys().filter(|field| !self.read.contains(field.as_str())) {
            let why = format!("is not a field of kind = \"{kind}\"; its fields are {known}");
            self.problems.push((field.clone(), why));
        }
        self.problems
    }

    fn value(&mut self, field: &'static str) -> Option<&'a Value> {
        self.read.insert(field);
        self.table.get(field)
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, field: &'static str) -> Option<String> {
        match self.value(field)?.as_str() {
            Some(text) if !text.trim().is_empty() => Some(text.to_owned()),
            Some(_) => {
                self.problem(field, "is empty");
                None
            }
            None => {
                self.problem(field, "must be a text in quotes");
                None
            }
        }
    }

    /// A text that must be there. `what`: what it is.
    pub(super) fn required_text(&mut self, field: &'static str, what: &str) -> Option<String> {
        if !self.has(field) {
            self.read.insert(field);
            self.problem(field, &format!("is missing: {what}"));
        }
        self.text(field)
    }

    /// Off where it is missing.
    pub(super) fn flag(&mut self, field: &'static str) -> bool {
        match self.value(field).map(Value::as_bool) {
            Some(Some(on)) => on,
            Some(None) => {
                self.problem(field, "must be true or false, without quotes");
                false
            }
            None => false,
        }
    }

    pub(super) fn port(&mut self, field: &'static str) -> Option<u16> {
        let port = self.value(field)?.as_integer().and_then(|port| u16::try_from(port).ok());
        let port = port.filter(|port| *port > 0);
        if port.is_none() {
            self.problem(field, "must be a number from 1 to 65535, without quotes");
        }
        port
    }

    /// One of several words, each with its value.
    pub(super) fn word<T: Clone>(&mut self, field: &'static str, words: &[(&str, T)]) -> Option<T> {
        let given = self.text(field)?;
        let found = words.iter().find(|(word, _)| *word == given).map(|(_, value)| value.clone());
        if found.is_none() {
            let words: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.problem(field, &format!("must be {}", words.join(", ")));
        }
        found
    }

    /// A length of time, at most `max`.
    pub(super) fn span(&mut self, field: &'static str, default: Span, max: Span) -> Span {
        let Some(value) = self.value(field) else { return default };
        let span = value.as_str().and_then(Span::parse).filter(|span| *span <= max);
        if span.is_none() {
            let why = format!("must be a length of time in quotes, such as \"4h\", at most {max}");
            self.problem(field, &why);
        }
        span.unwrap_or(default)
    }

    /// A list of texts that must be there and have at least one entry. `what`: what they are.
    pub(super) fn texts(&mut self, field: &'static str, what: &str) -> Vec<String> {
        let Some(value) = self.value(field) else {
            self.problem(field, &format!("is missing: {what}"));
            return Vec::new();
        };
        let texts: Option<Vec<String>> = value
            .as_array()
            .and_then(|list| list.iter().map(|value| value.as_str().map(str::to_owned)).collect());
        match texts {
            Some(texts) if !texts.is_empty() => texts,
            _ => {
                self.problem(field, "must be a list of texts in quotes, such as [\"a\", \"b\"]");
                Vec::new()
            }
        }
    }

    /// A path. A relative one begins in the folder of the channel file.
    pub(super) fn path(&mut self, field: &'static str) -> Option<PathBuf> {
        self.text(field).map(|path| self.folder.join(path))
    }

    /// A file with a secret, which must be usable.
    pub(super) fn secret_file(&mut self, field: &'static str) -> Option<SecretFile> {
        let path = self.path(field)?;
        match SecretFile::open(path) {
            Ok(file) => Some(file),
            Err(error) => {
                self.problem(field, &format!("cannot be used: {error}"));
                None
            }
        }
    }

    /// A file with a secret that must be there. `what`: what it contains.
    pub(super) fn required_secret_file(
        &mut self,
        field: &'static str,
        what: &str,
    ) -> Option<SecretFile> {
        if !self.has(field) {
            self.read.insert(field);
            self.problem(field, &format!("is missing: the path of a file with {what}"));
        }
        self.secret_file(field)
    }
}
