//! Which file is the database, and is it still the one that was opened?

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::store::StoreError;

/// The opened file. A process goes on writing to a file that was deleted or moved away, and what it
/// acknowledges then is lost: so it looks before each transaction.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    opened: (u64, u64),
}

impl DatabaseFile {
    /// The file at `path`, which was just opened.
    pub(super) fn opened(path: &Path) -> Result<Self, StoreError> {
        let metadata = std::fs::metadata(path).map_err(|_| StoreError::Missing(path.to_owned()))?;
        Ok(Self { path: path.to_owned(), opened: identity(&metadata) })
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads to it.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let metadata = std::fs::metadata(&self.path);
        match metadata.map(|metadata| identity(&metadata)) {
            Ok(identity) if identity == self.opened => Ok(()),
            Ok(_) => Err(StoreError::Replaced(self.path.clone())),
            Err(_) => Err(StoreError::Missing(self.path.clone())),
        }
    }
}

/// The device and the number of the file on it: what a name is given to.
fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
