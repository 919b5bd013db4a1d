//! How is the write-ahead log kept short?
//!
//! `SQLite` runs a checkpoint after each 1,000 pages: it copies the log into the database and then overwrites the log
//! from its start. A read transaction that stays open, such as that of a shell or of a backup that hangs, prevents
//! both. Then the log grows with every heartbeat, and its file does not become smaller afterwards.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _};

use crate::store::StoreError;
use crate::store::sqlite::lock::with_suffix;
use crate::store::sqlite::{SqliteStore, connection};
use crate::telemetry::log_limit::LogLimit;

/// `SQLite` truncates the file to this size. Twice the size that it reaches without a blocking reader.
pub(super) const MAX_LOG_BYTES: u64 = 8 << 20;
const CHECK_INTERVAL: Duration = Duration::from_secs(5);
/// How long a stop waits for a check for damage.
const MAX_CHECK_WAIT: Duration = Duration::from_secs(5);

static BLOCKED_LOG_LIMIT: LogLimit = LogLimit::new();

/// The result of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Checkpoint {
    /// The whole log was copied into the database.
    Complete,
    /// A reader still needs the state before the rest of the log.
    Blocked,
}

pub(super) fn wal_path(database: &Path) -> PathBuf {
    with_suffix(database, "-wal")
}

/// Copies the log into the database as far as readers allow, and truncates it if all of it was copied. Does not wait
/// for readers.
async fn checkpoint(path: &Path) -> Result<Checkpoint, StoreError> {
    let mut connection = connection(path).busy_timeout(Duration::ZERO).connect().await?;
    let (_, log, copied): (i64, i64, i64) =
        sqlx::query_as("pragma wal_checkpoint(truncate)").fetch_one(&mut connection).await?;
    connection.close().await?;
    Ok(if copied < log { Checkpoint::Blocked } else { Checkpoint::Complete })
}

impl SqliteStore {
    /// 0 if the log cannot be found.
    pub(in crate::store) fn log_bytes(&self) -> u64 {
        std::fs::metadata(&self.log).map_or(0, |log| log.len())
    }

    /// Truncates the log whenever it is too long, until the process ends.
    pub(in crate::store) async fn run_checkpoints(&self) {
        let mut was_blocked = false;
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            let is_ours = self.file.check().is_ok() && self.damage.check().is_ok();
            let is_blocked = is_ours
                && self.log_bytes() > MAX_LOG_BYTES
                && matches!(checkpoint(self.file.path()).await, Ok(Checkpoint::Blocked));
            // A read of this process may block it too, but not for two intervals.
            if is_blocked
                && was_blocked
                && let Some(left_out) = BLOCKED_LOG_LIMIT.check()
            {
                tracing::warn!(
                    log_bytes = self.log_bytes(),
                    left_out,
                    "the log {} grows because another program keeps a read transaction on the database open; find it with `fuser -v {}`, and end it or its transaction",
                    self.log.display(),
                    self.file.path().display()
                );
            }
            was_blocked = is_blocked;
        }
    }

    /// Copies the log into the database and closes it. Then there is only one file, unless another process has it
    /// open.
    pub(in crate::store) async fn close(&self) {
        self.readers.close().await;
        // While a check still reads the file, SQLite does not delete the log. A check cannot be interrupted.
        let _ = tokio::time::timeout(MAX_CHECK_WAIT, self.checker.close()).await;
        if self.file.check().is_ok() && self.damage.check().is_ok() {
            // If another process reads, the log stays until the next start.
            let copy = sqlx::query("pragma wal_checkpoint(truncate)").execute(&self.writer);
            if let Err(error) = copy.await {
                tracing::warn!(%error, "the write-ahead log could not be copied into the database; the next start does it");
            }
        }
        self.writer.close().await;
    }
}
