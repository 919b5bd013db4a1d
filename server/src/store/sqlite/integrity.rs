//! Is what the file holds still what was written?
//!
//! `SQLite` notices damage only in what it reads, and does not read again what it keeps in memory: a
//! damaged file could be served, and built upon, until the next start. So all of it is read now and then
//! through a connection that remembers nothing. A content that was exchanged for another of the same
//! form is beyond this: the file has no checksums.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use app::cluster::DatabaseOutage;
use sqlx::ConnectOptions as _;

use crate::clock::Stopwatch;
use crate::store::StoreError;
use crate::store::sqlite::{SqliteStore, connection, rows, wal};

/// How often the file is read.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Reading takes one part in so many of the time at most, however large the file grows.
const MIN_PAUSE_PER_READ: u32 = 100;

/// What is known of the file's damage. It is never forgotten: what is damaged is not written to again
/// by this process.
#[derive(Debug, Default)]
pub(in crate::store) struct Damage {
    found: OnceLock<String>,
    /// A transaction failed: read the file before the next.
    suspected: AtomicBool,
}

impl Damage {
    /// Fails once damage was found.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.found.get().map_or(Ok(()), |what| Err(StoreError::Damaged(what.clone())))
    }

    /// A transaction failed; perhaps the file is to blame.
    pub(in crate::store) fn suspect(&self) {
        self.suspected.store(true, Ordering::Relaxed);
    }
}

/// What is wrong with a file that is about to be opened. Only damage counts: whatever else is wrong,
/// opening it will tell.
pub(super) async fn check_before_open(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        return Ok(());
    }
    if let Some(what) = wal::find_damage(path) {
        return Err(StoreError::Damaged(what));
    }
    ignore_other_errors(check_pages(path).await)
}

/// Reads every page, and fails if they do not make sense together.
async fn check_pages(path: &Path) -> Result<(), StoreError> {
    let mut connection = connection(path).read_only(true).connect().await?;
    let found: String =
        sqlx::query_scalar("pragma quick_check(1)").fetch_one(&mut connection).await?;
    if found == "ok" { Ok(()) } else { Err(StoreError::Damaged(found)) }
}

/// Reads every page and every row.
async fn check_pages_and_rows(path: &Path) -> Result<(), StoreError> {
    check_pages(path).await?;
    let mut connection = connection(path).read_only(true).connect().await?;
    rows::read_all(&mut connection).await
}

fn ignore_other_errors(read: Result<(), StoreError>) -> Result<(), StoreError> {
    read.or_else(
        |error| if error.outage() == DatabaseOutage::Corrupt { Err(error) } else { Ok(()) },
    )
}

impl SqliteStore {
    /// Reads the file again and again, for as long as the process lives or until it is damaged.
    pub(in crate::store) async fn run_integrity_checks(&self) {
        loop {
            let live = Stopwatch::start();
            self.check_integrity().await;
            if self.damage.check().is_err() {
                return;
            }
            tokio::time::sleep(CHECK_INTERVAL.max(live.elapsed() * MIN_PAUSE_PER_READ)).await;
        }
    }

    /// Reads the file if a transaction failed since it was last read.
    pub(super) async fn check_if_suspected(&self) {
        if self.damage.suspected.load(Ordering::Relaxed) {
            self.check_integrity().await;
        }
    }

    async fn check_integrity(&self) {
        self.damage.suspected.store(false, Ordering::Relaxed);
        // Another file in its place is not opened, and what is wrong with it not held against this one.
        let is_ours = || self.file.check().is_ok();
        if is_ours()
            && let Err(error) = ignore_other_errors(check_pages_and_rows(self.file.path()).await)
            && is_ours()
        {
            tracing::error!(%error, "nothing more is written to this database");
            let what = if let StoreError::Damaged(what) = error { what } else { error.to_string() };
            // What was found first stands.
            let _ = self.damage.found.set(what);
        }
    }
}
