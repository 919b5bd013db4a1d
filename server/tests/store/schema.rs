//! What becomes of a database whose schema is not this program's?

use sqlx::Connection as _;
use sqlx::migrate::Migrator;

use super::*;

/// Migrations of a build before the first release, as sqlx read them from its folder.
const FORMER: [(&str, &str); 2] = [
    ("0001_cluster.sql", "create table cluster (id integer)"),
    ("0002_messenger.sql", "alter table cluster add column messenger text"),
];

/// Makes the database as that build did, after the first so many of its migrations.
async fn migrate_as_before(address: &str, migrations: usize) {
    let folder = Folder::new(&format!("former-{migrations}-{}", SecretHash::new(address).to_hex()));
    for (name, text) in &FORMER[..migrations] {
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

/// How `serve` and how a command refuse the database at this address.
async fn refusals(address: &str) -> [String; 2] {
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
async fn a_database_from_before_the_first_release_is_refused_in_words_that_say_what_to_do() {
    let server = Database::Server(testkit::postgres().create_database().await);
    for database in [Database::File(Folder::new("before")), server] {
        let address = database.address();
        for migrations in [1, 2] {
            migrate_as_before(&address, migrations).await;
            for refused in refusals(&address).await {
                let said = "this database is from a version before the first release";
                assert!(refused.contains(said), "{migrations}: {refused}");
                assert!(refused.contains("start with a new "), "{migrations}: {refused}");
            }
        }
        let as_before = "insert into cluster (messenger) values ($1), ($2)";
        execute(&address, as_before, ["one", "other"]).await;
    }
}
