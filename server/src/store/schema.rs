//! Can this program use the schema of a database, and how are migrations applied?

use sqlx::migrate::{AppliedMigration, Migrate, MigrateError, Migration, Migrator};

use crate::store::StoreError;

/// In which sqlx records the applied migrations.
pub(super) const MIGRATIONS_TABLE: &str = "_sqlx_migrations";

/// Applies the migrations. `advice` says what to do about a database from before the first release.
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

/// Whether a migration of this program was applied with other content: migrations are edited only until the first
/// release.
pub(super) fn is_before_first_release(migrations: &Migrator, applied: &[AppliedMigration]) -> bool {
    applied.iter().any(|found| {
        let is_rewritten =
            |known: &Migration| known.version == found.version && known.checksum != found.checksum;
        migrations.iter().any(is_rewritten)
    })
}
