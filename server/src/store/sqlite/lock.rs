//! How does one process own a database file, and who else can read it?
//!
//! `flock` locks the inode, whatever path was used, and is independent of the byte-range locks that `SQLite` uses. Two
//! things must be considered:
//!
//! - When a process closes any descriptor of a file, it loses all its byte-range locks on it, and so `SQLite`'s. So a
//!   descriptor that was opened here stays open until the process ends.
//! - On a network file system `flock` becomes a byte-range lock on the server, which would conflict with `SQLite`'s.
//!   There a separate file next to the database is locked.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::StoreError;
use crate::store::sqlite::file::{Inode, inode};

/// The mode of the database and of the files next to it.
const OWNER_ONLY_MODE: u32 = 0o600;
/// The permissions of group and others.
const OTHERS_MODE_MASK: u32 = 0o077;
/// The suffixes of the files that `SQLite` creates next to a database.
pub(super) const SQLITE_SUFFIXES: [&str; 3] = ["-wal", "-shm", "-journal"];
/// The suffix of the file that is locked instead of a database on a network file system.
pub(super) const LOCK_SUFFIX: &str = ".lock";
/// File systems on which `flock` is a byte-range lock: NFS, SMB, SMB 2.
const NETWORK_FILE_SYSTEMS: [i64; 3] = [0x6969, 0xff53_4d42, 0xfe53_4d42];

/// The files that this process has opened to lock them, by inode.
static OPENED: Mutex<BTreeMap<Inode, Opened>> = Mutex::new(BTreeMap::new());

struct Opened {
    file: File,
    is_locked: bool,
}

fn opened() -> MutexGuard<'static, BTreeMap<Inode, Opened>> {
    OPENED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Released when it is dropped, or by the system when the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    pub(super) database: Inode,
    /// The locked file: the database itself, or the lock file next to it.
    locked: Inode,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(opened) = opened().get_mut(&self.locked) {
            opened.is_locked = false;
            // On an error, the system releases it when the process ends.
            let _ = opened.file.unlock();
        }
    }
}

impl Lock {
    /// Locks the database at `path`, which is created if it does not exist. Only its owner can read it afterwards.
    pub(super) fn acquire(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Lock { path: path.to_owned(), source };
        let mut opened = opened();
        let database = open(&mut opened, path).map_err(failed)?;
        restrict_to_owner(path);
        let locked = if is_on_network_file_system(&opened, database) {
            let lock_file = with_suffix(&path.canonicalize().map_err(failed)?, LOCK_SUFFIX);
            tracing::warn!(
                "the database {} is on a network file system, where SQLite databases can be damaged; put it on a local disk, or use PostgreSQL",
                path.display()
            );
            open(&mut opened, &lock_file).map_err(failed)?
        } else {
            database
        };
        let in_use = || StoreError::InUse(path.to_owned());
        let Some(found) = opened.get_mut(&locked).filter(|found| !found.is_locked) else {
            return Err(in_use());
        };
        match found.file.try_lock() {
            Ok(()) => found.is_locked = true,
            Err(TryLockError::WouldBlock) => return Err(in_use()),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        Ok(Self { database, locked })
    }
}

/// Opens a file, or creates it, unless it is open already.
fn open(opened: &mut BTreeMap<Inode, Opened>, path: &Path) -> io::Result<Inode> {
    if let Ok(known) = fs::metadata(path)
        && opened.contains_key(&inode(&known))
    {
        return Ok(inode(&known));
    }
    // Created with this mode, so that nobody else can read it even for a moment, whatever the umask.
    let options = || {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(OWNER_ONLY_MODE).to_owned()
    };
    let file = options().open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    warn_about_hard_links(path, &metadata);
    let inode = inode(&metadata);
    opened.insert(inode, Opened { file, is_locked: false });
    Ok(inode)
}

/// `SQLite` finds the log by the database's path. By another hard link it would not find it.
fn warn_about_hard_links(path: &Path, metadata: &Metadata) {
    if metadata.nlink() > 1 {
        tracing::warn!(
            "the database {} has {} names (hard links): use this one only, and remove the others; data that is read or written by another name can be incomplete or lost",
            path.display(),
            metadata.nlink()
        );
    }
}

/// Lets only the owner read or lock the database and the files next to it.
fn restrict_to_owner(path: &Path) {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let others = SQLITE_SUFFIXES.iter().map(|end| with_suffix(&real, end));
    for file in std::iter::once(real.clone()).chain(others) {
        let Ok(metadata) = fs::metadata(&file) else { continue };
        let mode = metadata.permissions().mode() & 0o777;
        if mode & OTHERS_MODE_MASK == 0 {
            continue;
        }
        match fs::set_permissions(&file, Permissions::from_mode(OWNER_ONLY_MODE)) {
            Ok(()) => tracing::warn!(
                "accounts other than the owner could read {} (mode {mode:o}); its mode is 600 now",
                file.display()
            ),
            Err(error) => tracing::warn!(
                %error,
                "accounts other than the owner can read or lock {} (mode {mode:o}), and its mode could not be changed; set it to 600",
                file.display()
            ),
        }
    }
}

pub(super) fn with_suffix(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn is_on_network_file_system(opened: &BTreeMap<Inode, Opened>, database: Inode) -> bool {
    let found = opened.get(&database).and_then(|opened| rustix::fs::fstatfs(&opened.file).ok());
    // The numbers have 32 bits, whatever type the system uses.
    found.is_some_and(|found| NETWORK_FILE_SYSTEMS.contains(&(found.f_type & 0xffff_ffff)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deleted when it is dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("lock-{test}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_locked_under_all_its_names_until_the_lock_is_dropped() {
        let folder = Folder::new("names");
        let path = folder.path("a.db");
        let lock = Lock::acquire(&path).unwrap();
        std::os::unix::fs::symlink(&path, folder.path("soft.db")).unwrap();
        fs::hard_link(&path, folder.path("hard.db")).unwrap();
        for name in ["a.db", "soft.db", "hard.db"] {
            let refused = Lock::acquire(&folder.path(name)).unwrap_err().to_string();
            assert!(refused.contains(name) && refused.contains("in use"), "{refused}");
        }
        // Also for other processes.
        let other = File::open(&path).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(lock);
        let _again = Lock::acquire(&folder.path("soft.db")).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
    }

    #[test]
    fn files_that_others_could_read_become_readable_by_the_owner_only() {
        let folder = Folder::new("modes");
        for name in ["a.db", "a.db-wal", "a.db-shm"] {
            fs::write(folder.path(name), "").unwrap();
            fs::set_permissions(folder.path(name), Permissions::from_mode(0o644)).unwrap();
        }
        let _lock = Lock::acquire(&folder.path("a.db")).unwrap();
        for name in ["a.db", "a.db-wal", "a.db-shm"] {
            assert_eq!(mode(&folder.path(name)), OWNER_ONLY_MODE, "{name}");
        }
        let _new = Lock::acquire(&folder.path("new.db")).unwrap();
        assert_eq!(mode(&folder.path("new.db")), OWNER_ONLY_MODE);
    }

    #[test]
    fn a_path_that_is_not_a_regular_file_is_rejected() {
        let refused = Lock::acquire(&std::env::temp_dir()).unwrap_err();
        assert!(matches!(refused, StoreError::Lock { .. }), "{refused}");
        let refused = Lock::acquire(Path::new("/dev/null")).unwrap_err().to_string();
        assert!(
            refused.contains("/dev/null") && refused.contains("not a regular file"),
            "{refused}"
        );
    }
}
