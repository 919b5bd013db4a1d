//! Is the schema of a database one that this program can use?

use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migration, Migrator};

use crate::store::StoreError;

/// Where sqlx keeps which migrations were applied.
pub(super) const MIGRATIONS_TABLE: &str = "_sqlx_migrations";

/// Brings the schema up to date. `advice` says what to do about a database that is too old for that.
pub(super) async fn update(
    connection: &mut (impl Migrate + Send),
    migrations: &Migrator,
    advice: &'static str,
) -> Result<(), StoreError> {
    // `Migrator::run` does the same, but the compiler cannot prove that its future is `Send`.
    let Err(error) = migrations.run_direct(None, connection, false).await else { return Ok(()) };
    if !matches!(error, MigrateError::VersionMismatch(_) | MigrateError::VersionMissing(_)) {
        return Err(StoreError::Migrate(error));
    }
    let applied = connection.list_applied_migrations(MIGRATIONS_TABLE).await;
    if is_before_first_release(migrations, &applied.map_err(StoreError::Migrate)?) {
        return Err(StoreError::BeforeFirstRelease(advice));
    }
    Err(StoreError::SchemaTooNew)
}

/// Whether a migration that this program knows was applied with other content: until the first release
/// migrations are rewritten, and never afterwards.
pub(super) fn is_before_first_release(migrations: &Migrator, applied: &[AppliedMigration]) -> bool {
    applied.iter().any(|found| {
        let is_rewritten =
            |known: &Migration| known.version == found.version && known.checksum != found.checksum;
        migrations.iter().any(is_rewritten)
    })
}
