//! Whose files these are: which of them this process cannot use, and how to give them to its account.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;
use rustix::process::geteuid;

/// A file or folder of another account that this process may not use as it must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreign {
    path: PathBuf,
    owner: u32,
    mode: u32,
}

impl Foreign {
    /// A file that this process may not read and, where that is needed, write; `None` for any other, and for one
    /// that is not there.
    pub fn file(path: &Path, is_written: bool) -> Option<Self> {
        let write = if is_written { Access::WRITE_OK } else { Access::empty() };
        Self::unless(path, Access::READ_OK | write)
    }

    /// A folder in which this process may not create files.
    pub fn folder(path: &Path) -> Option<Self> {
        Self::unless(path, Access::WRITE_OK | Access::EXEC_OK)
    }

    fn unless(path: &Path, access: Access) -> Option<Self> {
        let denied = accessat(CWD, path, access, AtFlags::EACCESS) == Err(Errno::ACCESS);
        denied.then(|| Self::at(path)).flatten()
    }

    /// What is known of this path, whoever may use it.
    fn at(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        let mode = found.permissions().mode() & 0o7777;
        Some(Self { path: path.to_owned(), owner: found.uid(), mode })
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, owner, mode } = self;
        write!(f, "{} (owner {}, mode {mode:o})", path.display(), Account(*owner))
    }
}

/// An account of this machine, by its name if it has one.
struct Account(u32);

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let name = known.lines().find_map(|line| {
            let (name, rest) = line.split_once(':')?;
            (rest.split(':').nth(1)?.parse() == Ok(self.0)).then_some(name)
        });
        match name {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// The files of a database that this process may not use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The files among them.
    pub files: Vec<Foreign>,
    /// The folder they are in, if no file can be created there.
    pub folder: Option<Foreign>,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = Account(geteuid().as_raw());
        let mut advice = Vec::new();
        if !self.files.is_empty() {
            let files: Vec<String> = self.files.iter().map(Foreign::to_string).collect();
            write!(f, "this process runs as {account} and may not use {}", files.join(", "))?;
            let paths: Vec<String> = self.files.iter().map(|file| quoted(&file.path)).collect();
            advice.push(format!("`chown {account} {}`", paths.join(" ")));
        }
        if let Some(folder) = &self.folder {
            let joint = if self.files.is_empty() {
                format!("this process runs as {account} and")
            } else {
                ", and".to_owned()
            };
            write!(f, "{joint} may not create files in the folder {folder}")?;
            advice.push(format!(
                "`chown {account} {}`, unless other programs need that folder: then keep the database in one of its own",
                quoted(&folder.path)
            ));
        }
        write!(
            f,
            ". Perhaps another account once ran `serve` here. Give them to this account: {}",
            advice.join("; ")
        )
    }
}

/// A path as a shell reads it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// The error of reading this file. If it was denied, it says whose file it is, and who may not read it.
pub(super) fn explained(path: &Path, error: io::Error) -> io::Error {
    match Foreign::at(path).filter(|_| error.kind() == ErrorKind::PermissionDenied) {
        Some(Foreign { owner, mode, .. }) => io::Error::new(
            ErrorKind::PermissionDenied,
            format!(
                "permission denied: it belongs to {} (mode {mode:o}), and this process runs as {}",
                Account(owner),
                Account(geteuid().as_raw())
            ),
        ),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_called_by_their_names_and_paths_are_written_for_a_shell() {
        assert_eq!(Account(0).to_string(), "root");
        assert_eq!(Account(4_000_000_000).to_string(), "4000000000");
        assert_eq!(quoted(Path::new("/var/lib/a.db-wal")), "/var/lib/a.db-wal");
        assert_eq!(quoted(Path::new("/it's here")), r"'/it'\''s here'");
    }

    #[test]
    fn all_that_cannot_be_used_is_in_one_sentence() {
        let foreign = |path: &str, mode| Foreign { path: path.into(), owner: 0, mode };
        let me = Account(geteuid().as_raw());
        let both = Unusable {
            files: vec![foreign("/d/a.db", 0o600), foreign("/d/a.db-wal", 0o600)],
            folder: Some(foreign("/d", 0o755)),
        };
        assert_eq!(
            both.to_string(),
            format!(
                "this process runs as {me} and may not use /d/a.db (owner root, mode 600), /d/a.db-wal (owner \
                 root, mode 600), and may not create files in the folder /d (owner root, mode 755). Perhaps another \
                 account once ran `serve` here. Give them to this account: `chown {me} /d/a.db /d/a.db-wal`; `chown \
                 {me} /d`, unless other programs need that folder: then keep the database in one of its own"
            )
        );
    }
}
