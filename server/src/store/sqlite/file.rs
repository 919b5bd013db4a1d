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
    opened: Inode,
}

/// The device, and the number of the file on it: what names are given to.
pub(super) type Inode = (u64, u64);

impl DatabaseFile {
    /// The file at `path`, which was just opened, and is the one that was locked.
    pub(super) fn new(path: &Path, locked: Inode) -> Result<Self, StoreError> {
        let file = Self { path: path.to_owned(), opened: locked };
        file.check()?;
        Ok(file)
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads to it.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let metadata = std::fs::metadata(&self.path);
        match metadata.map(|metadata| inode(&metadata)) {
            Ok(found) if found == self.opened => Ok(()),
            Ok(_) => Err(StoreError::Replaced(self.path.clone())),
            Err(_) => Err(StoreError::Missing(self.path.clone())),
        }
    }
}

/// Which file it is, whatever its name.
pub(super) fn inode(metadata: &Metadata) -> Inode {
    (metadata.dev(), metadata.ino())
}
