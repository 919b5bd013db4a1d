//! Faults of SQLite's files: the overview is blind and says why, senders get `Retry-After`, and it
//! recovers without a restart.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use cluster_overview::store::admin::AdminStore;
use serde_json::Value;
use testkit::{Overview, Serve, folder, get};

/// Whether the overview is blind with this reason in its hint.
fn is_blind_for(picture: &Value, why: &str) -> bool {
    !picture["blind_since"].is_null()
        && picture["hints"][0]["evidence"].as_str().is_some_and(|said| said.contains(why))
}

/// No server is stale because the overview was blind.
fn is_whole(picture: &Value) -> bool {
    picture["blind_since"].is_null()
        && picture["health"] == "ok"
        && picture["hints"].as_array().is_some_and(Vec::is_empty)
}

/// Waits until it is blind for this reason, and checks heartbeats and health checks.
pub(crate) fn check_outage(overview: &Overview, why: &str) {
    // The next write meets the fault at the latest.
    let mut sequence = 1_000;
    overview.wait_for_picture(|picture| {
        sequence += 1;
        is_blind_for(picture, why) || {
            overview.send_heartbeat("web-1", sequence);
            false
        }
    });
    assert_eq!(overview.send_heartbeat("web-1", sequence + 1).0, 503);
    assert!(!overview.is_ready());
    assert!(get(&overview.url("/healthz")).is_some());
    let picture = overview.picture();
    assert_eq!(picture["servers"][0]["components"][0]["pulse"], "unknown");
}

/// Waits until it has recovered, and checks that heartbeats are stored.
fn check_recovery(overview: &Overview) {
    overview.wait_for_picture(|picture| picture["blind_since"].is_null());
    assert_eq!(overview.send_heartbeat("web-1", 100_000).0, 200);
    overview.wait_for_picture(is_whole);
}

#[test]
fn a_database_file_that_is_moved_away_makes_the_overview_blind_until_it_is_back() {
    let overview = Overview::start();
    overview.send_heartbeat("web-1", 1);
    let (here, there) = (overview.folder.join("overview.db"), overview.folder.join("elsewhere"));
    fs::rename(&here, &there).unwrap();
    check_outage(&overview, "has been moved or deleted");
    assert!(!here.exists(), "no empty database is made in its place");
    fs::rename(&there, &here).unwrap();
    check_recovery(&overview);
}

#[test]
fn a_deleted_database_makes_the_overview_blind_and_is_not_created_before_the_next_start() {
    let mut overview = Overview::start();
    overview.send_heartbeat("web-1", 1);
    fs::remove_file(overview.database()).unwrap();
    check_outage(&overview, "has been moved or deleted");
    assert!(!overview.database().exists(), "an empty one would pass for a cluster without servers");
    overview.kill_and_restart();
    assert_eq!(overview.picture()["counts"]["servers"], 0, "what was deleted is gone");
    check_recovery(&overview);
}

#[test]
fn a_database_that_another_process_has_locked_is_waited_for() {
    let overview = Overview::start();
    overview.send_heartbeat("web-1", 1);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let address = format!("sqlite:{}", overview.database().display());
    let away =
        async { AdminStore::open(&address).await.unwrap().lock_exclusively().await.unwrap() };
    let away = runtime.block_on(away);
    check_outage(&overview, "Another process has locked the database file");
    runtime.block_on(away.release()).unwrap();
    check_recovery(&overview);
}

#[test]
fn a_database_that_was_replaced_is_not_written_to() {
    let overview = Overview::start();
    overview.send_heartbeat("web-1", 1);
    let (here, there) = (overview.folder.join("overview.db"), overview.folder.join("elsewhere"));
    fs::rename(&here, &there).unwrap();
    fs::write(&here, "another file").unwrap();
    check_outage(&overview, "Another file has replaced the database file");
    assert_eq!(fs::read(&here).unwrap(), b"another file");
    fs::rename(&there, &here).unwrap();
    check_recovery(&overview);
}

#[test]
fn a_damaged_database_is_rejected_at_the_start_with_the_reason_and_not_changed() {
    let folder = folder();
    let damaged = b"SQLite format 3\0 and then nothing that makes sense".repeat(200);
    fs::write(folder.join("overview.db"), &damaged).unwrap();
    let (said, code) = Serve::default().expect_start_failure(&folder);
    assert_eq!(code, Some(1));
    for words in ["overview.db", "not a database", "put a backup in its place"] {
        assert!(said.contains(words), "{words} in: {said}");
    }
    assert_eq!(fs::read(folder.join("overview.db")).unwrap(), damaged);
}

/// An overview on a disk of so many megabytes. A line to the shell that mounted it fills or frees it.
/// The overview must end when the shell is killed.
fn on_a_disk_of_mb(megabytes: u32) -> Overview {
    let folder = folder();
    let disk = folder.join("disk");
    fs::create_dir(&disk).unwrap();
    let script = "
        mount -t tmpfs -o size=$SIZE tmpfs \"$DISK\" || exit 9
        setpriv --pdeathsig KILL \"$@\" &
        while read -r line; do eval \"$line\"; done";
    let mut shell = Command::new("unshare");
    shell.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    shell.env("DISK", disk).env("SIZE", format!("{megabytes}m")).stdin(Stdio::piped());
    Serve::default().subfolder("disk").start_with_launcher(shell, folder)
}

#[test]
fn a_full_disk_makes_the_overview_blind_until_there_is_room_again() {
    let overview = on_a_disk_of_mb(1);
    let shell = |line| overview.serve.write_line(line);
    overview.send_heartbeat("web-1", 1);
    // Repeatedly, because closing its files frees some space.
    shell("while :; do cat /dev/zero >> $DISK/ballast; sleep 0.02; done & filler=$!");
    check_outage(&overview, "The disk of the database is full");
    shell("kill $filler; wait $filler; rm $DISK/ballast");
    check_recovery(&overview);
}

#[test]
fn a_disk_that_is_nearly_full_is_a_warning_until_there_is_room_again() {
    let overview = on_a_disk_of_mb(40);
    overview.send_heartbeat("web-1", 1);
    assert_eq!(overview.picture()["health"], "ok");
    overview.serve.write_line("head -c 39500K /dev/zero > $DISK/ballast");
    let picture = overview.wait_for_picture(|picture| picture["health"] == "warning");
    let hint = &picture["hints"][0];
    assert_eq!(hint["id"], "disk-low", "{picture:#}");
    let said = hint["evidence"].as_str().unwrap();
    assert!(said.contains(&overview.folder.join("disk").display().to_string()), "{said}");
    overview.serve.write_line("rm $DISK/ballast");
    overview.wait_for_picture(|picture| picture["health"] == "ok");
}

#[test]
fn a_disk_that_becomes_read_only_makes_the_overview_blind_until_it_is_writable_again() {
    let overview = on_a_disk_of_mb(1);
    let shell = |line| overview.serve.write_line(line);
    overview.send_heartbeat("web-1", 1);
    // Open files stay writable. So a write must fail once, and the database be opened again.
    shell("exec 3> $DISK/ballast; mount --bind $DISK $DISK; mount -o remount,bind,ro $DISK");
    shell("while :; do cat /dev/zero >&3; sleep 0.02; done & filler=$!");
    check_outage(&overview, "is read-only");
    shell("kill $filler; wait $filler; exec 3>&-; umount --lazy $DISK; rm $DISK/ballast");
    check_recovery(&overview);
}

#[test]
fn a_read_only_disk_is_rejected_at_the_start_with_the_reason() {
    let folder = folder();
    let script = "mount -t tmpfs -o ro tmpfs \"$DISK\" && exec \"$@\"";
    fs::create_dir(folder.join("disk")).unwrap();
    let mut shell = Command::new("unshare");
    shell.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    shell.env("DISK", folder.join("disk"));
    let (said, code) = Serve::default().subfolder("disk").expect_launcher_failure(shell, &folder);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("overview.db") && said.contains("Read-only file system"), "{said}");
}

#[test]
fn a_second_serve_on_the_same_file_is_rejected_by_whatever_path() {
    let overview = Overview::start();
    overview.send_heartbeat("web-1", 1);
    let elsewhere = overview.folder.join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(overview.database(), elsewhere.join("soft.db")).unwrap();
    symlink(&overview.folder, elsewhere.join("folder")).unwrap();
    fs::hard_link(overview.database(), elsewhere.join("hard.db")).unwrap();
    // The lock file of an older version.
    let _ = fs::remove_file(overview.folder.join("overview.db.lock"));
    let names = ["soft.db", "hard.db", "folder/overview.db", "../overview.db"];
    for name in names.map(|name| elsewhere.join(name)) {
        let database = format!("sqlite:{}", name.display());
        let (said, code) =
            Serve::default().database(&database).expect_start_failure(&overview.folder);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("is in use by another process"), "{said}");
        assert!(said.contains(&name.display().to_string()), "{said}");
    }
    assert_eq!(overview.send_heartbeat("web-1", 2).0, 200);
}

/// The mode of each file of a database.
fn modes(database: &Path) -> Vec<(String, u32)> {
    let (folder, name) = (database.parent().unwrap(), database.file_name().unwrap());
    let files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let modes = files.map(|file| {
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        (file.file_name().into_string().unwrap(), mode)
    });
    modes.filter(|(file, _)| file.starts_with(name.to_str().unwrap())).collect()
}

#[test]
fn only_its_owner_can_read_or_lock_the_database_and_the_files_next_to_it() {
    // Like a service manager that sets no umask.
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 000; exec \"$@\"", "sh"]);
    let mut overview = Serve::default().start_with_launcher(shell, folder());
    assert_eq!(overview.send_heartbeat("web-1", 1).0, 200);
    let own = |database: &Path| {
        let modes = modes(database);
        assert!(modes.len() >= 3, "{modes:?}");
        assert!(modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
    };
    own(&overview.database());
    // A restored backup that every account can read.
    overview.kill();
    for (file, _) in modes(&overview.database()) {
        let file = overview.folder.join(file);
        fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    }
    overview.start_again();
    assert_eq!(overview.send_heartbeat("web-1", 2).0, 200);
    own(&overview.database());
}
