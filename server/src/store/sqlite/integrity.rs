//! Is the file damaged?
//!
//! `SQLite` notices damage only in pages that it reads, and does not read cached pages again: a damaged file could be
//! used until the next start. So the whole file is read regularly through a new connection without a cache. Valid
//! content that was replaced by other valid content is not noticed: the file has no checksums.

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use app::cluster::DatabaseOutage;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};

use crate::clock::Stopwatch;
use crate::store::StoreError;
use crate::store::sqlite::{SqliteStore, connection, rows, wal};

const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// The pause is at least this many times as long as reading took, so that large files do not keep the disk busy.
const MIN_PAUSE_PER_READ: u32 = 100;

/// Damage that was found. It is never reset: this process does not write to a damaged file again.
#[derive(Debug, Default)]
pub(in crate::store) struct Damage {
    found: OnceLock<String>,
    /// A transaction failed: the file is checked before the next one.
    suspected: AtomicBool,
}

impl Damage {
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.found.get().map_or(Ok(()), |what| Err(StoreError::Damaged(what.clone())))
    }

    pub(in crate::store) fn suspect(&self) {
        self.suspected.store(true, Ordering::Relaxed);
    }
}

/// Fails if a file that is about to be opened is damaged. Other problems are found when it is opened.
pub(super) async fn check_before_open(path: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        return Ok(());
    }
    if let Some(what) = wal::find_damage(path) {
        return Err(StoreError::Damaged(what));
    }
    let check = async {
        let mut connection = connection(path).read_only(true).connect().await?;
        let checked = check_pages(&mut connection).await;
        connection.close().await?;
        checked
    };
    ignore_other_errors(check.await)
}

async fn check_pages(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let found: String = sqlx::query_scalar("pragma quick_check(1)").fetch_one(connection).await?;
    if found == "ok" { Ok(()) } else { Err(StoreError::Damaged(found)) }
}

fn ignore_other_errors(read: Result<(), StoreError>) -> Result<(), StoreError> {
    read.or_else(
        |error| if error.outage() == DatabaseOutage::Corrupt { Err(error) } else { Ok(()) },
    )
}

impl SqliteStore {
    /// Checks the file again and again, until it is damaged or the process ends.
    pub(in crate::store) async fn run_integrity_checks(&self) {
        loop {
            let reading = Stopwatch::start();
            self.check_integrity().await;
            if self.damage.check().is_err() {
                return;
            }
            tokio::time::sleep(CHECK_INTERVAL.max(reading.elapsed() * MIN_PAUSE_PER_READ)).await;
        }
    }

    /// Checks the file if a transaction has failed since the last check.
    pub(super) async fn check_if_suspected(&self) {
        if self.damage.suspected.load(Ordering::Relaxed) {
            self.check_integrity().await;
        }
    }

    async fn check_pages_and_rows(&self) -> Result<(), StoreError> {
        let mut connection = self.checker.acquire().await?;
        check_pages(&mut connection).await?;
        rows::read_all(&mut connection).await
    }

    async fn check_integrity(&self) {
        self.damage.suspected.store(false, Ordering::Relaxed);
        // If another file is in its place, its damage does not count for this one.
        let is_ours = || self.file.check().is_ok();
        if is_ours()
            && let Err(error) = ignore_other_errors(self.check_pages_and_rows().await)
            && is_ours()
        {
            tracing::error!(%error, "the database is not written to any more; stop `serve`, replace the file with a backup, and start it again");
            let what = if let StoreError::Damaged(what) = error { what } else { error.to_string() };
            // The first damage that was found is kept.
            let _ = self.damage.found.set(what);
        }
    }
}
