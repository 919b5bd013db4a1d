//! Keeps the write-ahead log short: its file, and what is in it.
//!
//! `SQLite` copies the log into the database after each 1,000 pages and begins again at its start. A reader that
//! stays in one transaction, a shell or a backup that hangs, keeps it from both: then the log grows with every
//! heartbeat, and its file stays as long as it was.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _};

use crate::store::StoreError;
use crate::store::sqlite::lock::with_suffix;
use crate::store::sqlite::{SqliteStore, connection};
use crate::telemetry::log_limit::LogLimit;

/// The file is cut to this length when the log begins anew: twice as long as it gets where nobody holds it.
pub(super) const MAX_LOG_BYTES: u64 = 8 << 20;
/// How often its length is looked at.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

static BLOCKED_LOG_LIMIT: LogLimit = LogLimit::new();

/// What a checkpoint came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checkpoint {
    /// All of the log is in the database.
    Complete,
    /// Somebody reads what was before the rest.
    Blocked,
}

/// Where the log of this database lies.
pub(super) fn wal_path(database: &Path) -> PathBuf {
    with_suffix(database, "-wal")
}

/// Copies the log into the database as far as readers allow, and cuts its file to nothing if all of it is there.
/// Waits for nobody.
async fn checkpoint(path: &Path) -> Result<Checkpoint, StoreError> {
    let mut connection = connection(path).busy_timeout(Duration::ZERO).connect().await?;
    let (_, log, copied): (i64, i64, i64) =
        sqlx::query_as("pragma wal_checkpoint(truncate)").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(if copied < log { Checkpoint::Blocked } else { Checkpoint::Complete })
}

impl SqliteStore {
    /// How long the log is; nothing where it cannot be seen.
    pub(in crate::store) fn log_bytes(&self) -> u64 {
        std::fs::metadata(&self.log).map_or(0, |log| log.len())
    }

    /// Cuts the log again and again once it is too long, for as long as the process lives.
    pub(in crate::store) async fn run_checkpoints(&self) {
        let mut was_blocked = false;
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            let is_ours = self.file.check().is_ok() && self.damage.check().is_ok();
            let is_blocked = is_ours
                && self.log_bytes() > MAX_LOG_BYTES
                && matches!(checkpoint(self.file.path()).await, Ok(Checkpoint::Blocked));
            // One of this process's own reads may be under way, but not for so long.
            if is_blocked
                && was_blocked
                && let Some(left_out) = BLOCKED_LOG_LIMIT.check()
            {
                tracing::warn!(
                    log_bytes = self.log_bytes(),
                    left_out,
                    "the log {} grows because another program keeps a reading transaction on the database open; find it with `fuser -v {}`, and end it or its transaction",
                    self.log.display(),
                    self.file.path().display()
                );
            }
            was_blocked = is_blocked;
        }
    }

    /// Copies the log into the database and closes the file: what lies there then is one file, if nobody else
    /// has it open.
    pub(in crate::store) async fn close(&self) {
        self.readers.close().await;
        if self.file.check().is_ok() && self.damage.check().is_ok() {
            // Where somebody reads, the log stays for the next start.
            let copy = sqlx::query("pragma wal_checkpoint(truncate)").execute(&self.writer);
            if let Err(error) = copy.await {
                tracing::warn!(%error, "the log was not copied into the database; the next start does it");
            }
        }
        self.writer.close().await;
    }
}
