//! A folder for the files of one test, with the logs of the processes that it starts.

use std::fs;
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::heartbeats::TOKEN;

/// How much of a log's beginning and how much of its end is printed.
const PRINTED_LOG_BYTES: usize = 16 << 10;

/// A folder with the join token in the file `token`. It is deleted on drop; if the test fails, the logs in
/// it are printed first.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

/// Creates a folder with nothing but the join token.
pub fn folder() -> Folder {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = target().join(format!("tmp/test-{}-{number}", std::process::id()));
    // Left by a killed process that had the same id.
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(path.join("logs")).unwrap();
    fs::write(path.join("token"), TOKEN).unwrap();
    // A secret that others can read would be warned about.
    fs::set_permissions(path.join("token"), fs::Permissions::from_mode(0o600)).unwrap();
    Folder { path }
}

/// Cargo's target folder, found by its marker above this program; else the system's temporary folder.
pub fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    let marked = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists());
    marked.map_or_else(std::env::temp_dir, Path::to_path_buf)
}

/// The root of this repository.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

impl Folder {
    pub fn token_file(&self) -> PathBuf {
        self.path.join("token")
    }

    /// In the order in which their processes were started.
    fn logs(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.path.join("logs")).into_iter().flatten().flatten();
        let mut logs: Vec<PathBuf> = files.map(|file| file.path()).collect();
        logs.sort();
        logs
    }

    pub fn print_logs(&self) {
        for log in self.logs() {
            let text = fs::read(&log).unwrap_or_default();
            if text.is_empty() {
                continue;
            }
            let name = log.file_name().unwrap_or_default().to_string_lossy().into_owned();
            eprintln!("--- {name}");
            let (first, rest) = text.split_at(text.len().min(PRINTED_LOG_BYTES));
            let last = &rest[rest.len().saturating_sub(PRINTED_LOG_BYTES)..];
            let gap = rest.len() - last.len();
            let between = if gap > 0 { format!("\n… {gap} bytes …\n") } else { String::new() };
            let [first, last] = [first, last].map(String::from_utf8_lossy);
            eprintln!("{first}{between}{last}");
        }
    }

    fn assert_logs_contain_no_secret(&self) {
        for log in self.logs() {
            let text = String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned();
            assert!(!text.contains(TOKEN), "the join token is in a log:\n{text}");
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
            self.assert_logs_contain_no_secret();
        }
        let _ = fs::remove_dir_all(&self.path);
    }
}
