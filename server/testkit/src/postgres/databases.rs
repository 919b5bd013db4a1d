//! Databases of stories.

use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::{Postgres, program};

static SHARED: OnceLock<Postgres> = OnceLock::new();

/// The one of this process.
pub fn postgres() -> &'static Postgres {
    SHARED.get_or_init(Postgres::start)
}

impl Postgres {
    /// The address of a new, empty database.
    pub async fn fresh(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("story{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.address("postgres")).await.unwrap();
        let create = AssertSqlSafe(format!("create database {name}"));
        connection.execute(create).await.unwrap();
        self.address(&name)
    }

    /// Takes everything out of a database.
    pub async fn empty(&self, address: &str) {
        let mut connection = PgConnection::connect(address).await.unwrap();
        for statement in ["drop schema public cascade", "create schema public"] {
            connection.execute(statement).await.unwrap();
        }
    }

    /// Backs a database up and restores it into another, as the README says.
    pub fn copy(&self, from: &str, to: &str) {
        let backup = self.folder.join("overview.dump");
        let run = |tool: &str, arguments: &[&str]| {
            let done = Command::new(program(tool)).args(arguments).output().unwrap();
            assert!(done.status.success(), "{tool}: {}", String::from_utf8_lossy(&done.stderr));
        };
        let backup = backup.to_str().unwrap();
        run("pg_dump", &["--format=custom", "--file", backup, "--dbname", from]);
        run("pg_restore", &["--clean", "--if-exists", "--no-owner", "--dbname", to, backup]);
    }
}
