//! A file that contains one secret of a channel: an address, a token, a key or a password. It is read again at each use.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::files;
use crate::files::reloaded::ReloadedFile;

/// The addresses of some receivers are long.
const MAX_SECRET_BYTES: usize = 4_096;

#[derive(Debug, thiserror::Error)]
pub(super) enum SecretFileError {
    #[error("cannot read {}: {source}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("every account of this machine can use {} (mode {mode:o}); set its mode to 600, or to 640 for a group", .path.display())]
    WorldReadable { path: PathBuf, mode: u32 },
    #[error("{} is empty", .0.display())]
    Empty(PathBuf),
    #[error("the secret in {} is longer than {MAX_SECRET_BYTES} bytes", .0.display())]
    TooLong(PathBuf),
    #[error("the secret in {} is more than one line, or contains a control character", .0.display())]
    Lines(PathBuf),
}

/// It has no `Debug`, so that it cannot be logged.
#[derive(Clone, PartialEq)]
struct Secret(String);

/// Its `Debug` shows the path only.
#[derive(Clone, Debug)]
pub(super) struct SecretFile {
    path: PathBuf,
    file: Arc<ReloadedFile<Secret, SecretFileError>>,
}

impl SecretFile {
    /// A file that must have a usable secret now.
    pub(super) fn open(path: PathBuf) -> Result<Self, SecretFileError> {
        let file = Arc::new(ReloadedFile::open(&path, read)?);
        Ok(Self { path, file })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The secret that is in the file now, or the last usable one. Blocks.
    pub(super) fn reveal(&self) -> Result<String, SecretFileError> {
        self.file.get().map(|Secret(text)| text)
    }
}

/// The secret in a file, without the white space around it.
fn read(path: &Path) -> Result<Secret, SecretFileError> {
    if let Some(mode) = files::mode_if_open_to_all(path) {
        return Err(SecretFileError::WorldReadable { path: path.to_owned(), mode });
    }
    let text = files::read_text(path)
        .map_err(|source| SecretFileError::Unreadable { path: path.to_owned(), source })?;
    let secret = text.trim();
    if secret.is_empty() {
        Err(SecretFileError::Empty(path.to_owned()))
    } else if secret.len() > MAX_SECRET_BYTES {
        Err(SecretFileError::TooLong(path.to_owned()))
    } else if secret.contains(char::is_control) {
        Err(SecretFileError::Lines(path.to_owned()))
    } else {
        Ok(Secret(secret.to_owned()))
    }
}
