//! One process at a time owns a database file, and nobody else can read it.
//!
//! What is locked is the file itself, by whatever name it was opened: `flock` locks an inode, and has nothing
//! to do with the locks of byte ranges that `SQLite` takes. Two things are particular about it:
//!
//! - Whoever closes any descriptor of a file drops all locks of byte ranges that the same process has on it,
//!   and those are `SQLite`'s. So a descriptor, once opened, stays open for as long as the process lives.
//! - On a network file system `flock` is a lock of byte ranges on the server, which would stand in
//!   `SQLite`'s way. There a file beside the database is locked.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::StoreError;
use crate::store::sqlite::file::{Inode, inode};

/// The mode of the database and of all that lies beside it: its owner's alone.
const OWNER_ONLY: u32 = 0o600;
/// What of a mode is for others than the owner.
const FOR_OTHERS: u32 = 0o077;
/// What `SQLite` keeps beside a database.
pub(super) const SQLITE_SUFFIXES: [&str; 3] = ["-wal", "-shm", "-journal"];
/// The end of the name of the file that is locked instead of a database on a network file system.
pub(super) const LOCK_SUFFIX: &str = ".lock";
/// File systems on which `flock` locks byte ranges, by their revisions: NFS, SMB, SMB 2.
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

/// The hold on a database. The system frees it when the process dies.
#[derive(Debug)]
pub(super) struct Lock {
    /// The database.
    pub(super) database: Inode,
    /// What is locked: the database itself, or the file beside it.
    locked: Inode,
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(opened) = opened().get_mut(&self.locked) {
            opened.is_locked = false;
            // Where it cannot be freed, it is when the process ends.
            let _ = opened.file.unlock();
        }
    }
}

impl Lock {
    /// Takes the database at `path`, which is made if it is not there, for this process and its owner alone.
    pub(super) fn acquire(path: &Path) -> Result<Self, StoreError> {
        let failed = |source| StoreError::Lock { path: path.to_owned(), source };
        let mut opened = opened();
        let database = open(&mut opened, path).map_err(failed)?;
        restrict_to_owner(path);
        let locked = if is_on_network_file_system(&opened, database) {
            let beside = with_suffix(&path.canonicalize().map_err(failed)?, LOCK_SUFFIX);
            tracing::warn!(
                "the database {} is on a network file system, where SQLite cannot promise to keep it whole; put it on a local disk, or use PostgreSQL",
                path.display()
            );
            open(&mut opened, &beside).map_err(failed)?
        } else {
            database
        };
        let owned = || StoreError::InUse(path.to_owned());
        let Some(found) = opened.get_mut(&locked).filter(|found| !found.is_locked) else {
            return Err(owned());
        };
        match found.file.try_lock() {
            Ok(()) => found.is_locked = true,
            Err(TryLockError::WouldBlock) => return Err(owned()),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        Ok(Self { database, locked })
    }
}

/// Opens a file that is not open yet, or makes it.
fn open(opened: &mut BTreeMap<Inode, Opened>, path: &Path) -> io::Result<Inode> {
    if let Ok(known) = fs::metadata(path)
        && opened.contains_key(&inode(&known))
    {
        return Ok(inode(&known));
    }
    // Read by its owner alone from the first moment, whatever the process's umask.
    let options = || {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false).mode(OWNER_ONLY).to_owned()
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

/// `SQLite` finds its log by the database's name. By another name it would not find what is in it.
fn warn_about_hard_links(path: &Path, metadata: &Metadata) {
    if metadata.nlink() > 1 {
        tracing::warn!(
            "the database {} has {} names (hard links): use this one only, and remove the others; what is read or written by another name can be incomplete or lost",
            path.display(),
            metadata.nlink()
        );
    }
}

/// Lets nobody but the owner read or lock the database and what lies beside it.
fn restrict_to_owner(path: &Path) {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let beside = SQLITE_SUFFIXES.iter().map(|end| with_suffix(&real, end));
    for file in std::iter::once(real.clone()).chain(beside) {
        let Ok(metadata) = fs::metadata(&file) else { continue };
        let mode = metadata.permissions().mode() & 0o777;
        if mode & FOR_OTHERS == 0 {
            continue;
        }
        match fs::set_permissions(&file, Permissions::from_mode(OWNER_ONLY)) {
            Ok(()) => tracing::warn!(
                "{} was open to others than its owner (mode {mode:o}); its mode is 600 now",
                file.display()
            ),
            Err(error) => tracing::warn!(
                %error,
                "others than its owner can read or lock {} (mode {mode:o}); set its mode to 600",
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
    // The revisions have 32 bits, whatever the system's type for them.
    found.is_some_and(|found| NETWORK_FILE_SYSTEMS.contains(&(found.f_type & 0xffff_ffff)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that goes with this value.
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
    fn a_file_is_locked_by_all_its_names_until_it_is_given_back() {
        let folder = Folder::new("names");
        let path = folder.path("a.db");
        let lock = Lock::acquire(&path).unwrap();
        std::os::unix::fs::symlink(&path, folder.path("soft.db")).unwrap();
        fs::hard_link(&path, folder.path("hard.db")).unwrap();
        for name in ["a.db", "soft.db", "hard.db"] {
            let refused = Lock::acquire(&folder.path(name)).unwrap_err().to_string();
            assert!(refused.contains(name) && refused.contains("in use"), "{refused}");
        }
        // So it is for others than this process.
        let other = File::open(&path).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        drop(lock);
        let _again = Lock::acquire(&folder.path("soft.db")).unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
    }

    #[test]
    fn what_others_could_read_is_the_owners_alone_from_now_on() {
        let folder = Folder::new("modes");
        for name in ["a.db", "a.db-wal", "a.db-shm"] {
            fs::write(folder.path(name), "").unwrap();
            fs::set_permissions(folder.path(name), Permissions::from_mode(0o644)).unwrap();
        }
        let _lock = Lock::acquire(&folder.path("a.db")).unwrap();
        for name in ["a.db", "a.db-wal", "a.db-shm"] {
            assert_eq!(mode(&folder.path(name)), OWNER_ONLY, "{name}");
        }
        let _new = Lock::acquire(&folder.path("new.db")).unwrap();
        assert_eq!(mode(&folder.path("new.db")), OWNER_ONLY);
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let refused = Lock::acquire(&std::env::temp_dir()).unwrap_err();
        assert!(matches!(refused, StoreError::Lock { .. }), "{refused}");
        let refused = Lock::acquire(Path::new("/dev/null")).unwrap_err().to_string();
        assert!(
            refused.contains("/dev/null") && refused.contains("not a regular file"),
            "{refused}"
        );
    }
}
