//! A file that is read again while the program runs. Until it has new content that is usable, the last usable content stays
//! in use.

use std::fmt::{self, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use crate::telemetry::log_limit::LogLimits;
use crate::telemetry::outside_text::one_line;

/// Shared, because the two components of one agent read the same files.
static UNUSABLE: LazyLock<LogLimits<PathBuf>> = LazyLock::new(LogLimits::default);

/// It is read each time, because neither its length nor its time need change with its content: the file system's clock ticks
/// too slowly.
pub struct ReloadedFile<T, E> {
    path: PathBuf,
    read: fn(&Path) -> Result<T, E>,
    last: Mutex<Option<T>>,
}

impl<T, E> fmt::Debug for ReloadedFile<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReloadedFile").field(&self.path).finish()
    }
}

impl<T: Clone + PartialEq, E: Display> ReloadedFile<T, E> {
    /// A file that may not exist yet.
    pub fn new(path: &Path, read: fn(&Path) -> Result<T, E>) -> Self {
        Self { path: path.to_owned(), read, last: Mutex::new(None) }
    }

    /// A file that must exist and be usable now.
    pub fn open(path: &Path, read: fn(&Path) -> Result<T, E>) -> Result<Self, E> {
        let file = Self::new(path, read);
        file.get().map(|_| file)
    }

    /// Its content, or else its last usable content; then the reason is logged, at most once a minute.
    ///
    /// # Errors
    /// It never had usable content.
    pub fn get(&self) -> Result<T, E> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = last.as_ref().filter(|_| is_read_once(&self.path)) {
            return Ok(known.clone());
        }
        match ((self.read)(&self.path), last.as_ref()) {
            (Ok(now), before) => {
                if before.is_some_and(|before| *before != now) {
                    tracing::info!(
                        "{} has changed; the new content is in use",
                        self.path.display()
                    );
                }
                *last = Some(now.clone());
                Ok(now)
            }
            (Err(error), Some(before)) => {
                if let Some(left_out) = UNUSABLE.check(self.path.clone()) {
                    let error = error.to_string();
                    let error = one_line(&error.split_whitespace().collect::<Vec<_>>().join(" "));
                    tracing::warn!(
                        left_out,
                        "{error}. The last usable content of the file stays in use"
                    );
                }
                Ok(before.clone())
            }
            (Err(error), None) => Err(error),
        }
    }
}

impl<T, E> ReloadedFile<T, E>
where
    T: Clone + PartialEq + Send + 'static,
    E: Display + Send + 'static,
{
    /// Reads it again in every period, and passes on new content. Never ends.
    pub async fn follow(self: Arc<Self>, period: Duration, mut on_change: impl FnMut(T)) {
        let mut known = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut ticks = tokio::time::interval(period);
        loop {
            ticks.tick().await;
            let file = Arc::clone(&self);
            let read = tokio::task::spawn_blocking(move || file.get().ok()).await;
            if let Ok(Some(now)) = read
                && known.as_ref() != Some(&now)
            {
                on_change(now.clone());
                known = Some(now);
            }
        }
    }
}

/// Whether it can be read only once, such as a pipe from a shell.
fn is_read_once(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::read_text;

    #[test]
    fn the_content_is_the_current_one_or_the_last_usable_one() {
        let folder = std::env::temp_dir().join(format!("reloaded-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("key");
        assert!(ReloadedFile::open(&path, read_text).is_err());
        let file = ReloadedFile::new(&path, read_text);
        assert!(file.get().is_err());
        // Again and again within one tick, at the same length.
        for content in ["a key", "b key", "c key", "d key", "e key"] {
            fs::write(&path, content).unwrap();
            assert_eq!(file.get().unwrap(), content);
        }
        fs::write(folder.join("other"), "renamed").unwrap();
        fs::rename(folder.join("other"), &path).unwrap();
        assert_eq!(file.get().unwrap(), "renamed");
        fs::write(&path, b"\xff\xfea").unwrap();
        assert_eq!(file.get().unwrap(), "renamed");
        fs::remove_file(&path).unwrap();
        assert_eq!(file.get().unwrap(), "renamed");
        fs::write(folder.join("target"), "linked").unwrap();
        std::os::unix::fs::symlink(folder.join("target"), &path).unwrap();
        assert_eq!(file.get().unwrap(), "linked");
        fs::remove_dir_all(folder).unwrap();
    }
}
