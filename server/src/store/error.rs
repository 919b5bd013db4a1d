//! Why the store did not do what it was asked, and what of it those may know who look at the page.

use std::path::PathBuf;

use app::cluster::DatabaseOutage;

use crate::files::owner::Inaccessible;

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address of the database is none we know.
    #[error(
        "cannot use the database address {0:?}: it must be sqlite:PATH or postgres://USER@HOST/DATABASE"
    )]
    InvalidAddress(String),
    /// There is no such file, and it is not ours to make.
    #[error("there is no database {}; name the one that `serve` uses with --database", .0.display())]
    NotFound(PathBuf),
    /// Another process owns the file.
    #[error("{} is in use by another process; an SQLite database serves one `serve` at a time", .0.display())]
    InUse(PathBuf),
    /// The file cannot be opened or locked.
    #[error("cannot open and lock the database {}: {source}", .path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The schema is one that this program does not know yet.
    #[error(
        "the database was written by a later version of this program; use that one, or a backup from before"
    )]
    SchemaTooNew,
    /// The schema is one of a former version, and nobody brings it up to date.
    #[error(
        "the database was written by an earlier version of this program; start `serve` on it once, which brings it up to date"
    )]
    SchemaTooOld,
    /// The schema is one of a build before the first release; what to do about it.
    #[error("this database is from a version before the first release and cannot be used; {0}")]
    BeforeFirstRelease(&'static str),
    /// The schema could not be brought up to date.
    #[error("cannot bring the database's schema up to date: {0}")]
    Migrate(sqlx::migrate::MigrateError),
    /// Too many changes wait to be written: nothing is wrong with the database.
    #[error("too many changes are waiting to be written; nothing was changed")]
    Busy,
    /// The database cannot be read or written.
    #[error("the database cannot be read or written: {}{}", .0, pooling_advice(.0))]
    Database(#[from] sqlx::Error),
    /// What this process sets for a connection is not in force: `PgBouncer` lends it to others.
    #[error("the database's connections are shared with other clients: {POOLING_ADVICE}")]
    TransactionPooling,
    /// PostgreSQL answers, and takes no writes.
    #[error(
        "the PostgreSQL server that answers takes no writes: it is a standby, or default_transaction_read_only is on; connect to the primary"
    )]
    Standby,
    /// The file was deleted, or moved away.
    #[error("{} is gone; nothing is written to a file that nobody will find again", .0.display())]
    Missing(PathBuf),
    /// The file is another than the one that was opened.
    #[error("{} is another file than the one that was opened; restart to use it", .0.display())]
    Replaced(PathBuf),
    /// What the file holds is not what was written.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// Files of the database, or its folder, belong to another account.
    #[error("cannot use the database {}: {inaccessible}", .path.display())]
    NoAccess {
        /// The database.
        path: PathBuf,
        /// What cannot be used.
        inaccessible: Inaccessible,
    },
    /// The file cannot be used from the start.
    #[error("cannot use the database {}: {source}; nothing in it was changed{}", .path.display(), advice(.source))]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<StoreError>,
    },
    /// What was read is not what was written.
    #[error("the database holds a row this program cannot read: {0}")]
    UnreadableJson(#[from] serde_json::Error),
    /// The same, by what it should have been.
    #[error("the database holds a {0} this program cannot read")]
    UnreadableValue(&'static str),
}

impl StoreError {
    /// Whether a connection refused to begin because an earlier transaction was still open on it.
    pub(super) fn is_still_in_transaction(&self) -> bool {
        let Self::Database(sqlx::Error::Database(error)) = self else { return false };
        if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
            // active_sql_transaction: `begin not deferrable` comes too late inside a transaction.
            error.code().as_deref() == Some("25001")
        } else {
            // SQLite has no code of its own for this.
            error.message() == "cannot start a transaction within a transaction"
        }
    }

    /// What is wrong with the database, for those who look at the page.
    pub fn outage(&self) -> DatabaseOutage {
        match self {
            Self::Missing(_) | Self::NotFound(_) => DatabaseOutage::Missing,
            Self::Replaced(_) => DatabaseOutage::Replaced,
            Self::InUse(_) => DatabaseOutage::Locked,
            Self::Damaged(_) | Self::UnreadableJson(_) | Self::UnreadableValue(_) => {
                DatabaseOutage::Corrupt
            }
            Self::Open { source, .. } => source.outage(),
            Self::Database(error) => outage_from_sqlx(error),
            Self::Standby => DatabaseOutage::ReadOnly,
            Self::TransactionPooling => DatabaseOutage::Pooled,
            Self::Migrate(error) => outage_from_migration(error),
            Self::Busy
            | Self::InvalidAddress(_)
            | Self::Lock { .. }
            | Self::NoAccess { .. }
            | Self::SchemaTooOld
            | Self::BeforeFirstRelease(_)
            | Self::SchemaTooNew => DatabaseOutage::Unreachable,
        }
    }
}

/// What to do about a file that cannot be used: a backup helps against damage, and against nothing else.
fn advice(error: &StoreError) -> &'static str {
    match error.outage() {
        DatabaseOutage::Corrupt => "; put a backup in its place",
        DatabaseOutage::Missing
        | DatabaseOutage::Replaced
        | DatabaseOutage::Locked
        | DatabaseOutage::ReadOnly
        | DatabaseOutage::Full
        | DatabaseOutage::Pooled
        | DatabaseOutage::Unreachable => "",
    }
}

/// What to do where every transaction may have another connection.
const POOLING_ADVICE: &str = "PgBouncer works with pool_mode = session only; set that for this database, or connect to PostgreSQL itself";

fn pooling_advice(error: &sqlx::Error) -> String {
    match outage_from_sqlx(error) {
        DatabaseOutage::Pooled => format!(": {POOLING_ADVICE}"),
        DatabaseOutage::Locked
        | DatabaseOutage::Full
        | DatabaseOutage::ReadOnly
        | DatabaseOutage::Corrupt
        | DatabaseOutage::Missing
        | DatabaseOutage::Replaced
        | DatabaseOutage::Unreachable => String::new(),
    }
}

fn outage_from_migration(error: &sqlx::migrate::MigrateError) -> DatabaseOutage {
    use sqlx::migrate::MigrateError::{Execute, ExecuteMigration};
    if let Execute(error) | ExecuteMigration(error, _) = error {
        outage_from_sqlx(error)
    } else {
        DatabaseOutage::Unreachable
    }
}

/// What the database's own code says.
fn outage_from_sqlx(error: &sqlx::Error) -> DatabaseOutage {
    let Some(error) = error.as_database_error() else { return DatabaseOutage::Unreachable };
    let Some(code) = error.code() else { return DatabaseOutage::Unreachable };
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        outage_from_postgres(&code)
    } else {
        outage_from_sqlite(&code)
    }
}

/// By `SQLite`'s result code. The extended codes keep the primary one in their last byte.
fn outage_from_sqlite(code: &str) -> DatabaseOutage {
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(5 | 6) => DatabaseOutage::Locked,
        Ok(8) => DatabaseOutage::ReadOnly,
        Ok(11 | 26) => DatabaseOutage::Corrupt,
        Ok(13) => DatabaseOutage::Full,
        _ => DatabaseOutage::Unreachable,
    }
}

/// By the SQL standard's code, as PostgreSQL gives it.
fn outage_from_postgres(code: &str) -> DatabaseOutage {
    match code {
        // lock_not_available
        "55P03" => DatabaseOutage::Locked,
        // read_only_sql_transaction: a standby, or a database set so
        "25006" => DatabaseOutage::ReadOnly,
        // disk_full
        "53100" => DatabaseOutage::Full,
        // invalid_sql_statement_name, duplicate_prepared_statement: a statement that was prepared on another connection
        "26000" | "42P05" => DatabaseOutage::Pooled,
        // invalid_catalog_name: there is no such database
        "3D000" => DatabaseOutage::Missing,
        // data_corrupted, index_corrupted
        "XX001" | "XX002" => DatabaseOutage::Corrupt,
        _ => DatabaseOutage::Unreachable,
    }
}
