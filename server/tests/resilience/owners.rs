//! A database of another account: `serve` names the files, their owner, and what to do,
//! all at once.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

use testkit::{Folder, Serve, output_text, program};

/// An account without rights.
const NOBODY: u32 = 65_534;

/// Whether the tests run as root, which can use other accounts. Otherwise they can only remove their own rights.
fn is_root() -> bool {
    let whose = Command::new("id").arg("-u").output().unwrap();
    output_text(&whose).trim() == "0"
}

/// Runs a program as an account without rights, or else as the current one.
fn as_nobody() -> Command {
    let mut command = Command::new(if is_root() { "setpriv" } else { "env" });
    if is_root() {
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    }
    command
}

/// The name of the account that runs it.
fn name() -> String {
    let whose = as_nobody().args(["id", "-un"]).output().unwrap();
    output_text(&whose).trim().to_owned()
}

/// Removes access for that account.
fn lock_away(path: &Path, mode: u32) {
    if is_root() {
        chown(path, Some(0), Some(0)).unwrap();
    }
    fs::set_permissions(path, Permissions::from_mode(if is_root() { mode } else { 0 })).unwrap();
}

fn give(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let mode = if path.is_dir() { 0o755 } else { 0o600 };
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// The output of a `serve` without rights, which must not start.
fn rejected_start(folder: &Folder) -> String {
    // The token file is next to the database.
    let own = Serve::with_options(&["--join-token-file", ""]).subfolder("data");
    let arguments = own.arguments(folder, 0);
    let arguments = arguments.split(|argument| argument == "--join-token-file").next().unwrap();
    let done = as_nobody().arg(program()).args(arguments).output().unwrap();
    assert_eq!(done.status.code(), Some(1), "{}", output_text(&done));
    output_text(&done)
}

#[test]
fn a_database_of_another_account_is_rejected_with_all_its_files_their_owner_and_chown() {
    let folder = testkit::folder();
    let data = folder.join("data");
    fs::create_dir(&data).unwrap();
    let overview = Serve::default().subfolder("data").start_in(folder);
    assert_eq!(overview.send_heartbeat("app-1", 1).0, 200);
    let database = data.join("overview.db");
    let with_suffix = |end: &str| data.join(format!("overview.db{end}"));
    fs::write(with_suffix(".join-token"), "a token").unwrap();
    // The files as a killed process leaves them, with the write-ahead log.
    let copies = ["", "-wal", "-shm", ".join-token"]
        .map(|end| (with_suffix(end), fs::read(with_suffix(end))));
    // The process is killed.
    let folder = overview.folder;
    drop(overview.serve);
    for (path, bytes) in &copies {
        fs::write(path, bytes.as_ref().unwrap()).unwrap();
        lock_away(path, 0o600);
    }
    let account = name();
    let output = rejected_start(&folder);
    let line = output.lines().find(|line| line.contains("cannot use the database")).unwrap();
    let owner = if is_root() { "root" } else { account.as_str() };
    for (path, _) in &copies {
        let whose = format!("{} (owner {owner}, mode ", path.display());
        assert!(line.contains(&whose), "{whose} in: {line}");
    }
    let chown = format!("`chown {account} {} ", database.display());
    assert!(line.contains(&chown), "{chown} in: {line}");
    assert!(!output.contains("backup"), "{output}");

    // Only files that are still inaccessible are named.
    for (path, _) in &copies {
        give(path);
    }
    lock_away(&with_suffix("-wal"), 0o600);
    if is_root() {
        lock_away(&data, 0o755);
        let output = rejected_start(&folder);
        assert!(
            output.contains("overview.db-wal (owner root, mode 600) and cannot create"),
            "{output}"
        );
        assert!(
            output.contains(&format!("in the folder {} (owner root", data.display())),
            "{output}"
        );
        assert!(!output.contains("overview.db ("), "{output}");
    }
    let list = as_nobody()
        .arg(program())
        .args(["admin", "list", "--database", &format!("sqlite:{}", database.display())])
        .output()
        .unwrap();
    assert!(
        !list.status.success() && output_text(&list).contains("overview.db-wal (owner"),
        "{}",
        output_text(&list)
    );

    give(&with_suffix("-wal"));
    give(&data);
    give(&folder.token_file());
    let overview = Serve::default().subfolder("data").start_with_launcher(as_nobody(), folder);
    assert_eq!(overview.picture()["counts"]["servers"], 1, "nothing was lost");
}

#[test]
fn a_token_file_of_another_account_is_rejected_with_its_owner() {
    let folder = testkit::folder();
    let token = folder.token_file();
    lock_away(&token, 0o600);
    let done = as_nobody()
        .arg(program())
        .args(["agent", "--overview", "http://127.0.0.1:1", "--name", "app-1", "--token-file"])
        .arg(&token)
        .output()
        .unwrap();
    let output = output_text(&done);
    assert_eq!(done.status.code(), Some(1), "{output}");
    let whose = if is_root() { "belongs to root (mode 600)" } else { "(mode 0)" };
    assert!(
        output.contains("token: permission denied: it belongs to") && output.contains(whose),
        "{output}"
    );
    assert!(output.contains(&format!("this process runs as {}", name())), "{output}");
}
