//! How does the store react to a database from before the first release?

use sqlx::Connection as _;
use sqlx::migrate::Migrator;

use super::*;

/// Migrations of a build before the first release.
const OLD_MIGRATIONS: [(&str, &str); 2] = [
    ("0001_cluster.sql", "create table cluster (id integer)"),
    ("0002_messenger.sql", "alter table cluster add column messenger text"),
];

/// Creates a database with this many of these migrations.
async fn apply_old_migrations(address: &str, migrations: usize) {
    let folder = Folder::new(&format!("former-{migrations}-{}", SecretHash::new(address).to_hex()));
    for (name, text) in &OLD_MIGRATIONS[..migrations] {
        std::fs::write(folder.0.join(name), text).unwrap();
    }
    let migrator = Migrator::new(folder.0.as_path()).await.unwrap();
    if address.starts_with("sqlite:") {
        let options = address.parse::<sqlx::sqlite::SqliteConnectOptions>().unwrap();
        let options = options.create_if_missing(true);
        let mut database = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        migrator.run(&mut database).await.unwrap();
        database.close().await.unwrap();
    } else {
        let mut database = sqlx::PgConnection::connect(address).await.unwrap();
        migrator.run(&mut database).await.unwrap();
    }
}

/// The errors of `serve` and of a command.
async fn errors(address: &str) -> [String; 2] {
    let serve = match Store::open(address).await {
        Ok(store) => store.load().await.unwrap_err(),
        Err(error) => error,
    };
    let command = match AdminStore::open(address).await {
        Ok(store) => store.auth_cache().await.unwrap_err(),
        Err(error) => error,
    };
    [serve.to_string(), command.to_string()]
}

#[tokio::test]
async fn a_database_from_before_the_first_release_is_rejected_with_advice_what_to_do() {
    let server = Database::Postgres(testkit::postgres().create_database().await);
    for database in [Database::Sqlite(Folder::new("before")), server] {
        let address = database.address();
        for migrations in [1, 2] {
            apply_old_migrations(&address, migrations).await;
            for error in errors(&address).await {
                let expected = "this database is from a version before the first release";
                assert!(error.contains(expected), "{migrations}: {error}");
                assert!(error.contains("start with a new "), "{migrations}: {error}");
            }
        }
        let as_before = "insert into cluster (messenger) values ($1), ($2)";
        execute(&address, as_before, ["one", "other"]).await;
    }
}
