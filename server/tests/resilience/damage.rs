//! A database that is damaged while `serve` runs: the page says so, nothing more is written,
//! and the next start fails with the reason.

use std::fs;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use testkit::Overview;

use crate::trouble::check_outage;

/// Enough servers for about sixty pages.
const SERVERS: usize = 900;

fn log(database: &Path) -> PathBuf {
    database.with_extension("db-wal")
}

/// Runs statements on the database file of an overview.
pub(crate) fn execute(database: &Path, statement: &'static str) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let options = SqliteConnectOptions::new().filename(database);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// An overview whose servers are all in the database file, and none in the write-ahead log.
fn start_with_many_servers() -> Overview {
    let overview = Overview::start();
    overview.send_heartbeats_from(SERVERS);
    execute(&overview.database(), "pragma wal_checkpoint(truncate)");
    overview
}

/// Overwrites the middle third of a file. Returns the new content.
fn overwrite_middle(path: &Path) -> Vec<u8> {
    let length = fs::metadata(path).unwrap().len();
    assert!(length > 100_000, "{} is too small: {length} bytes", path.display());
    let mut file = fs::File::options().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(length / 3)).unwrap();
    file.write_all(&b"garbage!".repeat(usize::try_from(length / 24).unwrap())).unwrap();
    file.sync_all().unwrap();
    fs::read(path).unwrap()
}

/// A start fails with the reason and does not change the file.
fn check_start_is_rejected(overview: &mut Overview) {
    let before = fs::read(overview.database()).unwrap();
    let (said, code) = overview.expect_restart_failure();
    assert_eq!(code, Some(1), "{said}");
    for words in ["overview.db", "damaged", "put a backup in its place"] {
        assert!(said.contains(words), "{words} in: {said}");
    }
    assert!(fs::read(overview.database()).unwrap() == before, "the file was written to");
}

#[test]
fn damaged_pages_make_a_running_overview_blind_until_it_is_started_with_a_backup() {
    let mut overview = start_with_many_servers();
    let database = overview.database();
    let backup = fs::read(&database).unwrap();
    let damaged = overwrite_middle(&database);
    check_outage(&overview, "is damaged: stop the overview, replace the file with a backup");
    assert!(fs::read(&database).unwrap() == damaged, "a damaged file is not written to");
    check_start_is_rejected(&mut overview);
    for file in fs::read_dir(&overview.folder).unwrap().map(|file| file.unwrap().path()) {
        if file.file_name().unwrap().to_str().unwrap().starts_with("overview.db") {
            fs::remove_file(file).unwrap();
        }
    }
    fs::write(&database, backup).unwrap();
    overview.start_again();
    assert_eq!(overview.picture()["counts"]["servers"], SERVERS);
    assert_eq!(overview.send_heartbeat("web-1", 100_000).0, 200);
}

#[test]
fn a_row_that_cannot_be_read_makes_the_whole_overview_blind() {
    let overview = start_with_many_servers();
    execute(&overview.database(), "update components set boots = '[]' where server_key = 'web-7'");
    assert_eq!(overview.send_heartbeat("web-7", 2).0, 503);
    assert_eq!(
        overview.send_heartbeat("web-8", 2).0,
        503,
        "heartbeats of other servers are rejected too"
    );
    check_outage(&overview, "is damaged");
}

#[test]
fn a_damaged_write_ahead_log_makes_a_running_overview_blind_and_does_not_count_as_a_shorter_one() {
    let mut overview = Overview::start();
    overview.send_heartbeats_from(SERVERS);
    let (database, log) = (overview.database(), log(&overview.database()));
    let before = fs::read(&database).unwrap();
    overwrite_middle(&log);
    check_outage(&overview, "is damaged");
    assert!(fs::read(&database).unwrap() == before, "nothing of the log was copied into the file");
    check_start_is_rejected(&mut overview);
}
