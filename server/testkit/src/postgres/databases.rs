//! Databases for single tests on one shared PostgreSQL, and their backups.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::{Postgres, program};
use crate::folder::root;

static SHARED: OnceLock<Postgres> = OnceLock::new();

/// The PostgreSQL that all tests of this process share.
pub fn postgres() -> &'static Postgres {
    SHARED.get_or_init(Postgres::start_without_sync)
}

impl Postgres {
    /// Creates an empty database and returns its address.
    pub async fn create_database(&self) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.address("postgres")).await.unwrap();
        let create = AssertSqlSafe(format!("create database {name}"));
        connection.execute(create).await.unwrap();
        self.address(&name)
    }

    /// Drops everything in a database.
    pub async fn empty_database(&self, address: &str) {
        let mut connection = PgConnection::connect(address).await.unwrap();
        for statement in ["drop schema public cascade", "create schema public"] {
            connection.execute(statement).await.unwrap();
        }
    }

    /// Backs a database up with the README's command. Returns the folder of the backup.
    pub fn back_up(&self, database: &str) -> PathBuf {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.join(format!("backup-{number}"));
        std::fs::create_dir(&folder).unwrap();
        run_readme_command("pg_dump", database, &folder);
        folder
    }

    /// Restores a backup into a database with the README's command.
    pub fn restore(&self, backup: &Path, database: &str) {
        run_readme_command("pg_restore", database, backup);
    }
}

/// Runs the README's first command that begins with this tool's name.
fn run_readme_command(tool: &str, database: &str, folder: &Path) {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let command = readme.lines().find(|line| line.starts_with(tool)).unwrap();
    let tools = program(tool).parent().unwrap().to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", command]).env("DATABASE", database).current_dir(folder);
    shell.env("PATH", format!("{}:{path}", tools.display()));
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}
