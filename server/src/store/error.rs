//! Which errors does the store have, and which outage does each one mean on the page?

use std::path::PathBuf;

use app::cluster::DatabaseOutage;

use crate::files::owner::Inaccessible;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "cannot use the database address {0:?}: it must be sqlite:PATH or postgres://USER@HOST/DATABASE"
    )]
    InvalidAddress(String),
    /// Commands do not create the file.
    #[error("there is no database {}; name the one that `serve` uses with --database", .0.display())]
    NotFound(PathBuf),
    #[error("{} is in use by another process; an SQLite database serves one `serve` at a time", .0.display())]
    InUse(PathBuf),
    #[error("cannot open and lock the database {}: {source}", .path.display())]
    Lock { path: PathBuf, source: std::io::Error },
    #[error(
        "the database was written by a later version of this program; use that one, or a backup from before"
    )]
    SchemaTooNew,
    /// Commands do not apply migrations.
    #[error(
        "the database was written by an earlier version of this program; start `serve` on it once, which brings it up to date"
    )]
    SchemaTooOld,
    /// Holds the advice what to do.
    #[error("this database is from a version before the first release and cannot be used; {0}")]
    BeforeFirstRelease(&'static str),
    #[error("cannot bring the database's schema up to date: {0}")]
    Migrate(sqlx::migrate::MigrateError),
    /// Too many changes are waiting. The database itself works.
    #[error("too many changes are waiting to be written; nothing was changed")]
    Busy,
    #[error("the database cannot be read or written: {}{}", .0, pooling_advice(.0))]
    Database(#[from] sqlx::Error),
    /// A setting of this session is missing: `PgBouncer` assigns each transaction another connection.
    #[error("the database's connections are shared with other clients: {POOLING_ADVICE}")]
    TransactionPooling,
    #[error(
        "the PostgreSQL server is read-only: it is a standby, or default_transaction_read_only is on; connect to the primary"
    )]
    Standby,
    #[error("the database {} has been moved or deleted; nothing is written until it is back", .0.display())]
    Missing(PathBuf),
    #[error("another file has replaced the database {}; nothing is written to it; restart `serve` to use it", .0.display())]
    Replaced(PathBuf),
    #[error("the database is damaged: {0}")]
    Damaged(String),
    #[error("cannot use the database {}: {inaccessible}", .path.display())]
    NoAccess { path: PathBuf, inaccessible: Inaccessible },
    /// The file cannot be opened when `serve` starts.
    #[error("cannot use the database {}: {source}; nothing in it was changed{}", .path.display(), advice(.source))]
    Open { path: PathBuf, source: Box<StoreError> },
    #[error("the database contains JSON that this program cannot read: {0}")]
    UnreadableJson(#[from] serde_json::Error),
    #[error("the database contains a {0} that this program cannot read")]
    UnreadableValue(&'static str),
    #[error("the database already has components; a past can only be imported into a new database")]
    NotNew,
}

impl StoreError {
    /// Whether `begin` failed because an earlier transaction is still open on the connection.
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

    /// The reason that the page shows.
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
            | Self::NotNew
            | Self::InvalidAddress(_)
            | Self::Lock { .. }
            | Self::NoAccess { .. }
            | Self::SchemaTooOld
            | Self::BeforeFirstRelease(_)
            | Self::SchemaTooNew => DatabaseOutage::Unreachable,
        }
    }
}

/// A backup helps only against damage.
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

fn outage_from_sqlx(error: &sqlx::Error) -> DatabaseOutage {
    let Some(error) = error.as_database_error() else { return DatabaseOutage::Unreachable };
    let Some(code) = error.code() else { return DatabaseOutage::Unreachable };
    if error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some() {
        outage_from_postgres(&code)
    } else {
        outage_from_sqlite(&code)
    }
}

/// By `SQLite`'s result code. The last byte of an extended code is the primary code.
fn outage_from_sqlite(code: &str) -> DatabaseOutage {
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(5 | 6) => DatabaseOutage::Locked,
        Ok(8) => DatabaseOutage::ReadOnly,
        Ok(11 | 26) => DatabaseOutage::Corrupt,
        Ok(13) => DatabaseOutage::Full,
        _ => DatabaseOutage::Unreachable,
    }
}

/// By PostgreSQL's SQLSTATE.
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
