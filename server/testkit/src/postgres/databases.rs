//! Databases of stories.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::{Postgres, program};
use crate::folder::root;

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

    /// Backs a database up, as the README says; in which folder the backup is.
    pub fn back_up(&self, database: &str) -> PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(format!("backup-{number}"));
        std::fs::create_dir(&folder).unwrap();
        run_as_the_readme_says("pg_dump", database, &folder);
        folder
    }

    /// Restores a backup into a database, as the README says.
    pub fn restore(&self, backup: &Path, database: &str) {
        run_as_the_readme_says("pg_restore", database, backup);
    }
}

/// Runs the one command of the README that begins with this tool's name.
fn run_as_the_readme_says(tool: &str, database: &str, folder: &Path) {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let command = readme.lines().find(|line| line.starts_with(tool)).unwrap();
    let tools = program(tool).parent().unwrap().to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", command]).env("DATABASE", database).current_dir(folder);
    shell.env("PATH", format!("{}:{path}", tools.display()));
    let done = shell.output().unwrap();
    assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
}
