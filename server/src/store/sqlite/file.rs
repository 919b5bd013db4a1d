//! Which file is the database, and is it still the one that was opened?

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use app::cluster::DiskSpace;

use crate::store::StoreError;

/// The opened file. The system lets a process write to a file that was deleted or moved, and what is acknowledged then
/// is lost. So the path is checked before each transaction.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    opened: Inode,
}

/// The device, and the number of the file on it.
pub(super) type Inode = (u64, u64);

impl DatabaseFile {
    /// Fails if the file at `path` is not the locked one.
    pub(super) fn new(path: &Path, locked: Inode) -> Result<Self, StoreError> {
        let file = Self { path: path.to_owned(), opened: locked };
        file.check()?;
        Ok(file)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The disk of its folder, if the system tells.
    pub(super) fn disk_space(&self) -> Option<DiskSpace> {
        let folder = self.path.canonicalize().ok()?.parent()?.to_owned();
        let found = rustix::fs::statvfs(&folder).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Some(DiskSpace {
            folder: folder.display().to_string(),
            free: bytes(found.f_bavail),
            total: bytes(found.f_blocks),
        })
    }

    /// Fails if the path no longer leads to the opened file.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let metadata = std::fs::metadata(&self.path);
        match metadata.map(|metadata| inode(&metadata)) {
            Ok(found) if found == self.opened => Ok(()),
            Ok(_) => Err(StoreError::Replaced(self.path.clone())),
            Err(_) => Err(StoreError::Missing(self.path.clone())),
        }
    }
}

pub(super) fn inode(metadata: &Metadata) -> Inode {
    (metadata.dev(), metadata.ino())
}
