//! A folder for the files of one story, with the logs of the processes that it starts.

use std::fs;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::heartbeats::TOKEN;

/// So much of a log is printed of its beginning, and so much of its end.
const PRINTED_LOG_BYTES: usize = 16 << 10;

/// A folder with the join token in the file `token`. It is deleted with this value; if the story fails, the
/// logs in it are printed first.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

/// An empty folder but for the join token.
pub fn folder() -> Folder {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = target().join(format!("tmp/story-{}-{number}", std::process::id()));
    // Of a process that had the same number and was killed.
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(path.join("logs")).unwrap();
    fs::write(path.join("token"), TOKEN).unwrap();
    // As whoever makes one should.
    fs::set_permissions(path.join("token"), fs::Permissions::from_mode(0o600)).unwrap();
    Folder { path }
}

/// The folder that Cargo builds into and this program runs in, which Cargo marks; else the system's for
/// temporary files.
pub fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let marked = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    marked.map_or_else(std::env::temp_dir, Path::to_path_buf)
}

/// Where this repository is.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

impl Folder {
    /// The file with the join token.
    pub fn token_file(&self) -> PathBuf {
        self.path.join("token")
    }

    /// The logs, in the order in which their processes were started.
    fn logs(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.path.join("logs")).into_iter().flatten().flatten();
        let mut logs: Vec<PathBuf> = files.map(|file| file.path()).collect();
        logs.sort();
        logs
    }

    /// Prints the logs of all processes that were started in it.
    pub fn print_logs(&self) {
        for log in self.logs() {
            let said = fs::read(&log).unwrap_or_default();
            if said.is_empty() {
                continue;
            }
            let name = log.file_name().unwrap_or_default().to_string_lossy().into_owned();
            eprintln!("--- {name}");
            let text = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
            let (first, rest) = said.split_at(said.len().min(PRINTED_LOG_BYTES));
            let last = &rest[rest.len().saturating_sub(PRINTED_LOG_BYTES)..];
            let gap = rest.len() - last.len();
            let between = if gap > 0 { format!("\n… {gap} bytes …\n") } else { String::new() };
            eprintln!("{}{between}{}", text(first), text(last));
        }
    }

    /// No process may write the join token.
    fn check_secrets(&self) {
        for log in self.logs() {
            let said = String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
            assert!(!said.contains(TOKEN), "a secret in what a process wrote:\n{said}");
        }
    }
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.print_logs();
        } else {
            self.check_secrets();
        }
        let _ = fs::remove_dir_all(&self.path);
    }
}
