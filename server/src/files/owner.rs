//! Files of other accounts: which of them this process cannot use, and how to change their owner.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;
use rustix::process::geteuid;

/// A file or folder of another account to which this process lacks access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InaccessiblePath {
    path: PathBuf,
    owner: u32,
    mode: u32,
}

impl InaccessiblePath {
    /// `Some` if the file exists and this process must not read it, or write it if it needs to.
    pub fn file(path: &Path, is_written: bool) -> Option<Self> {
        let write = if is_written { Access::WRITE_OK } else { Access::empty() };
        Self::unless(path, Access::READ_OK | write)
    }

    /// `Some` if the folder exists and this process must not create files in it.
    pub fn folder(path: &Path) -> Option<Self> {
        Self::unless(path, Access::WRITE_OK | Access::EXEC_OK)
    }

    fn unless(path: &Path, access: Access) -> Option<Self> {
        let denied = accessat(CWD, path, access, AtFlags::EACCESS) == Err(Errno::ACCESS);
        denied.then(|| Self::at(path)).flatten()
    }

    fn at(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        let mode = found.permissions().mode() & 0o7777;
        Some(Self { path: path.to_owned(), owner: found.uid(), mode })
    }
}

impl fmt::Display for InaccessiblePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, owner, mode } = self;
        write!(f, "{} (owner {}, mode {mode:o})", path.display(), Account(*owner))
    }
}

/// Shown by its name, if it has one.
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

/// What of a database this process cannot use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inaccessible {
    pub files: Vec<InaccessiblePath>,
    /// Their folder, if this process must not create files in it.
    pub folder: Option<InaccessiblePath>,
}

impl fmt::Display for Inaccessible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = Account(geteuid().as_raw());
        let mut advice = Vec::new();
        if !self.files.is_empty() {
            let files: Vec<String> = self.files.iter().map(InaccessiblePath::to_string).collect();
            write!(
                f,
                "this process runs as {account}, which has no access to {}",
                files.join(", ")
            )?;
            let paths: Vec<String> = self.files.iter().map(|file| quoted(&file.path)).collect();
            advice.push(format!("`chown {account} {}`", paths.join(" ")));
        }
        if let Some(folder) = &self.folder {
            let beginning = if self.files.is_empty() {
                format!("this process runs as {account}, which")
            } else {
                " and".to_owned()
            };
            write!(f, "{beginning} cannot create files in the folder {folder}")?;
            advice.push(format!(
                "`chown {account} {}`, unless other programs need that folder: then put the database into a folder of its own",
                quoted(&folder.path)
            ));
        }
        write!(
            f,
            ". Perhaps another account has run `serve` here. Change the owner: {}",
            advice.join("; ")
        )
    }
}

/// Quotes a path for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// If access was denied, the error names the owner of the file and the account of this process.
pub(super) fn explain(path: &Path, error: io::Error) -> io::Error {
    match InaccessiblePath::at(path).filter(|_| error.kind() == ErrorKind::PermissionDenied) {
        Some(InaccessiblePath { owner, mode, .. }) => io::Error::new(
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
    fn accounts_are_shown_by_name_and_paths_are_quoted_for_a_shell() {
        assert_eq!(Account(0).to_string(), "root");
        assert_eq!(Account(4_000_000_000).to_string(), "4000000000");
        assert_eq!(quoted(Path::new("/var/lib/a.db-wal")), "/var/lib/a.db-wal");
        assert_eq!(quoted(Path::new("/it's here")), r"'/it'\''s here'");
    }

    #[test]
    fn everything_that_cannot_be_used_is_in_one_message() {
        let foreign = |path: &str, mode| InaccessiblePath { path: path.into(), owner: 0, mode };
        let me = Account(geteuid().as_raw());
        let both = Inaccessible {
            files: vec![foreign("/d/a.db", 0o600), foreign("/d/a.db-wal", 0o600)],
            folder: Some(foreign("/d", 0o755)),
        };
        assert_eq!(
            both.to_string(),
            format!(
                "this process runs as {me}, which has no access to /d/a.db (owner root, mode 600), /d/a.db-wal (owner \
                 root, mode 600) and cannot create files in the folder /d (owner root, mode 755). Perhaps another \
                 account has run `serve` here. Change the owner: `chown {me} /d/a.db /d/a.db-wal`; `chown {me} /d`, \
                 unless other programs need that folder: then put the database into a folder of its own"
            )
        );
    }
}
