//! A file that is read again while the program runs: what it last held counts until it holds something else that
//! can be used.

use std::fmt::{self, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use crate::telemetry::log_limit::LogLimits;
use crate::telemetry::outside_text::one_line;

/// The components of one agent read the same files.
static UNUSABLE: LazyLock<LogLimits<PathBuf>> = LazyLock::new(LogLimits::default);

/// A file, how to read it, and what it last held. It is read each time: two contents of one length, written
/// within one tick of the file system's clock, differ in nothing else.
pub struct Kept<T, E> {
    path: PathBuf,
    read: fn(&Path) -> Result<T, E>,
    last: Mutex<Option<T>>,
}

impl<T, E> fmt::Debug for Kept<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kept").field(&self.path).finish()
    }
}

impl<T: Clone + PartialEq, E: Display> Kept<T, E> {
    /// A file that may not be there yet.
    pub fn new(path: &Path, read: fn(&Path) -> Result<T, E>) -> Self {
        Self { path: path.to_owned(), read, last: Mutex::new(None) }
    }

    /// A file that must be there, and hold something that can be used.
    ///
    /// # Errors
    /// It is not, or does not.
    pub fn open(path: &Path, read: fn(&Path) -> Result<T, E>) -> Result<Self, E> {
        let kept = Self::new(path, read);
        kept.get().map(|_| kept)
    }

    /// What it holds, or what it last held that could be used: then the reason is logged, at most once a minute.
    ///
    /// # Errors
    /// It never held anything that could be used.
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
                    tracing::warn!(left_out, "{error}. The last usable content stays in use");
                }
                Ok(before.clone())
            }
            (Err(error), None) => Err(error),
        }
    }
}

impl<T, E> Kept<T, E>
where
    T: Clone + PartialEq + Send + 'static,
    E: Display + Send + 'static,
{
    /// Reads it again and again, and hands over what it holds whenever that is new. Never ends.
    pub async fn follow(self: Arc<Self>, every: Duration, mut changed: impl FnMut(T)) {
        let mut known = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut looks = tokio::time::interval(every);
        loop {
            looks.tick().await;
            let reading = Arc::clone(&self);
            let read = tokio::task::spawn_blocking(move || reading.get().ok()).await;
            if let Ok(Some(now)) = read
                && known.as_ref() != Some(&now)
            {
                changed(now.clone());
                known = Some(now);
            }
        }
    }
}

/// Whether it can be read only once, as a pipe from a shell.
fn is_read_once(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::read_text;

    #[test]
    fn a_file_counts_as_it_is_now_or_as_it_last_could_be_used() {
        let folder = std::env::temp_dir().join(format!("kept-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("key");
        assert!(Kept::open(&path, read_text).is_err());
        let kept = Kept::new(&path, read_text);
        assert!(kept.get().is_err());
        // Again and again within one tick, at the same length.
        for content in ["a key", "b key", "c key", "d key", "e key"] {
            fs::write(&path, content).unwrap();
            assert_eq!(kept.get().unwrap(), content);
        }
        fs::write(folder.join("other"), "renamed").unwrap();
        fs::rename(folder.join("other"), &path).unwrap();
        assert_eq!(kept.get().unwrap(), "renamed");
        fs::write(&path, b"\xff\xfea").unwrap();
        assert_eq!(kept.get().unwrap(), "renamed");
        fs::remove_file(&path).unwrap();
        assert_eq!(kept.get().unwrap(), "renamed");
        fs::write(folder.join("target"), "linked").unwrap();
        std::os::unix::fs::symlink(folder.join("target"), &path).unwrap();
        assert_eq!(kept.get().unwrap(), "linked");
        fs::remove_dir_all(folder).unwrap();
    }
}
