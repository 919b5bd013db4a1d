//! Which databases and heartbeats do these tests use?

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use app::cluster::{
    ComponentFacts, ComponentKey, Heartbeat, KeyCheck, Os, Role, ServerName, Source,
};
use cluster_overview::auth::audit::{Action, Actor, AuditEntry};

/// The audit entry of changes in these tests.
pub(crate) fn entry() -> AuditEntry {
    AuditEntry::done(&Actor::command(), Action::Configure, "a test")
}

pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        // Stories that run at the same time may use one name.
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("store-{test}-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn address(&self) -> String {
        format!("sqlite:{}", self.0.join("overview.db").display())
    }
}

/// A database of one test's own.
pub(crate) enum Database {
    Sqlite(Folder),
    Postgres(String),
}

impl Database {
    pub(crate) fn address(&self) -> String {
        match self {
            Self::Sqlite(folder) => folder.address(),
            Self::Postgres(address) => address.clone(),
        }
    }
}

/// A new database of each kind.
pub(crate) async fn databases() -> [Database; 2] {
    let server = Database::Postgres(testkit::postgres().create_database().await);
    [Database::Sqlite(Folder::new("both")), server]
}

/// The heartbeat with other facts.
pub(crate) fn reporting(
    mut heartbeat: Heartbeat,
    change: impl FnOnce(&mut ComponentFacts),
) -> Heartbeat {
    change(&mut heartbeat.facts);
    heartbeat
}

/// Executes a statement that this program would not execute.
pub(crate) async fn execute(address: &str, text: &'static str, [one, two]: [&str; 2]) {
    use sqlx::Connection as _;
    if address.starts_with("sqlite:") {
        let mut database = sqlx::SqliteConnection::connect(address).await.unwrap();
        sqlx::query(text).bind(one).bind(two).execute(&mut database).await.unwrap();
        database.close().await.unwrap();
    } else {
        let mut database = sqlx::PgConnection::connect(address).await.unwrap();
        sqlx::query(text).bind(one).bind(two).execute(&mut database).await.unwrap();
    }
}

/// Executes several statements without values.
pub(crate) async fn execute_all(address: &str, text: &str) {
    use sqlx::Connection as _;
    let text = sqlx::raw_sql(sqlx::AssertSqlSafe(text.to_owned()));
    if address.starts_with("sqlite:") {
        let mut database = sqlx::SqliteConnection::connect(address).await.unwrap();
        text.execute(&mut database).await.unwrap();
        database.close().await.unwrap();
    } else {
        let mut database = sqlx::PgConnection::connect(address).await.unwrap();
        text.execute(&mut database).await.unwrap();
    }
}

/// The one number that a query returns.
pub(crate) async fn number(address: &str, query: &'static str) -> i64 {
    use sqlx::Connection as _;
    if address.starts_with("sqlite:") {
        let mut database = sqlx::SqliteConnection::connect(address).await.unwrap();
        let number = sqlx::query_scalar(query).fetch_one(&mut database).await.unwrap();
        database.close().await.unwrap();
        number
    } else {
        let mut database = sqlx::PgConnection::connect(address).await.unwrap();
        sqlx::query_scalar(query).fetch_one(&mut database).await.unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn beat(server: &str, role: Role, sequence: i64) -> Heartbeat {
    Heartbeat {
        server: ServerName::parse(server).unwrap(),
        role,
        boot_id: "0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11".into(),
        sequence,
        sent_at: None,
        leaving: false,
        facts: ComponentFacts {
            product: None,
            version: "2026.2.1".into(),
            os: Os { name: "Debian GNU/Linux".into(), version: "12".into() },
            ip: IpAddr::from([10, 0, 0, 11]).into(),
            key_check: KeyCheck::parse(&"9f".repeat(32)),
            machine_key_check: None,
            messenger_port: Some(33_237),
            source: Source::Node,
        },
    }
}

pub(crate) fn key(server: &str, role: Role) -> ComponentKey {
    ComponentKey { server: ServerName::parse(server).unwrap(), role }
}
