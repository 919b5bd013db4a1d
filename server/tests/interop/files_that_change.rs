//! Files that change while the program runs: new content is used within two intervals; unusable content
//! changes nothing and is logged.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use testkit::{
    DEFAULT_TIMEOUT, Overview, Process, Serve, TOKEN, folder, program, send, wait_until,
};

/// The first digits of a key check.
fn key_digits(key: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(b"cluster-overview/key-check/v1");
    let bytes = mac.finalize().into_bytes();
    format!("{:02x}{:02x}{:02x}{:02x}", bytes[0], bytes[1], bytes[2], bytes[3])
}

/// Writes a content to a file.
type ChangeFile<'a> = Box<dyn Fn(&str) + 'a>;

/// Changes a file in place, by renaming another file, and by a symbolic link.
fn ways_to_change(path: &Path) -> [ChangeFile<'_>; 3] {
    let new_file = path.with_extension("new");
    let link = new_file.clone();
    [
        Box::new(move |key| fs::write(path, key).unwrap()),
        Box::new(move |key| {
            fs::write(&new_file, key).unwrap();
            fs::rename(&new_file, path).unwrap();
        }),
        Box::new(move |key| {
            let target = path.with_extension(key.replace(' ', "-"));
            fs::write(&target, key).unwrap();
            symlink(target, &link).unwrap();
            fs::rename(&link, path).unwrap();
        }),
    ]
}

/// Changes the key of a running process in every way, and waits each time until this server reports it.
fn check_that_changes_are_reported(
    overview: &Overview,
    server: &str,
    path: &Path,
    log: &dyn Fn() -> String,
) {
    for change in ways_to_change(path) {
        for key in ["key one", "key two", "key six"] {
            change(key);
            let wanted = key_digits(key);
            overview.wait_for_component(server, |component| component["key_digits"] == wanted);
        }
    }
    let name = path.file_name().unwrap().to_str().unwrap();
    for unusable in ["", "\u{feff}"] {
        fs::write(path, unusable).unwrap();
        wait_until("a line in the log that names the file", DEFAULT_TIMEOUT, || {
            let warns = |line: &str| line.contains(name) && line.contains("is empty");
            log().lines().any(warns).then_some(())
        });
        let last = overview.wait_for_component(server, |_| true)["last_heartbeat"].clone();
        let component =
            overview.wait_for_component(server, |component| component["last_heartbeat"] != last);
        assert_eq!(component["key_digits"], key_digits("key six"), "the last usable key");
    }
    assert_eq!(log().matches("is empty").count(), 1, "at most once a minute: {}", log());
    fs::write(path, "key ten").unwrap();
    overview
        .wait_for_component(server, |component| component["key_digits"] == key_digits("key ten"));
}

#[test]
fn an_agent_reports_the_key_that_is_in_its_file_now() {
    let overview = Overview::start();
    overview.use_short_timers();
    let path = overview.folder.join("agents.key");
    fs::write(&path, "key nil").unwrap();
    let options = ["--encryption-key-file", path.to_str().unwrap()];
    let agent = overview.start_agent(&program(), "app-1", &options);
    overview
        .wait_for_component("app-1", |component| component["key_digits"] == key_digits("key nil"));
    check_that_changes_are_reported(&overview, "app-1", &path, &|| agent.log());
}

#[test]
fn serve_reports_the_key_that_is_in_its_file_now() {
    let folder = folder();
    let path = folder.join("own.key");
    fs::write(&path, "key nil").unwrap();
    let path = path.display().to_string();
    let mut overview = Serve::with_options(&[
        "--encryption-key-file",
        &path,
        "--report-self",
        "service",
        "--product-version",
        "1",
        "--name",
        "own",
    ])
    .start_in(folder);
    // Its own service component uses the interval that it reads at its start.
    overview.use_short_timers();
    overview.kill_and_restart();
    overview
        .wait_for_component("own", |component| component["key_digits"] == key_digits("key nil"));
    check_that_changes_are_reported(&overview, "own", Path::new(&path), &|| overview.log());
}

fn send_heartbeat(overview: &Overview, token: &str, sequence: i64) -> u16 {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let heartbeat = testkit::heartbeat("app-1", "service", sequence).to_string();
    let url = overview.url("/api/v1/heartbeats");
    send(&testkit::agent(), "POST", &url, &headers, heartbeat.as_bytes()).unwrap().status
}

#[test]
fn serve_and_a_waiting_agent_use_a_new_join_token_and_the_old_one_is_rejected() {
    let overview = Overview::start();
    overview.use_short_timers();
    assert_eq!(send_heartbeat(&overview, TOKEN, 1), 200);
    let token = overview.token_file();
    // The agent has a wrong token, and tries again with the current content of its file.
    let own = overview.folder.join("agents.token");
    fs::copy(&token, &own).unwrap();
    fs::write(&own, "wrong").unwrap();
    let mut agent = std::process::Command::new(program());
    agent.args(["agent", "--overview", &overview.url(""), "--name", "app-2", "--token-file"]);
    let agent = Process::start(agent.arg(&own), &overview.folder, "agent");
    wait_until("the agent to be rejected", DEFAULT_TIMEOUT, || {
        agent.log().contains("401").then_some(())
    });
    fs::write(&token, "another token").unwrap();
    wait_until("the new token to be accepted", DEFAULT_TIMEOUT, || {
        (send_heartbeat(&overview, "another token", 2) == 200).then_some(())
    });
    assert_eq!(send_heartbeat(&overview, TOKEN, 3), 401);
    // Unusable content changes nothing, and neither does a deleted token.
    fs::write(&token, "two\nlines").unwrap();
    wait_until("a line in the log that names the file", DEFAULT_TIMEOUT, || {
        overview.log().contains("holds a line break at line 1, column 4").then_some(())
    });
    assert_eq!(send_heartbeat(&overview, "another token", 4), 200);
    fs::write(&own, "another token").unwrap();
    overview.wait_for_component("app-2", |component| component["pulse"] == "alive");
}

#[test]
fn a_changed_branding_is_shown_and_an_unusable_one_is_not() {
    let folder = folder();
    let path = folder.join("branding.toml");
    fs::write(&path, "name = 'First Product'").unwrap();
    let file = path.display().to_string();
    let overview = Serve::with_options(&["--branding", &file]).start_in(folder);
    let shows = |name: &str| {
        wait_until(&format!("the page to show {name}"), DEFAULT_TIMEOUT, || {
            let page = overview.get("/").body;
            page.as_str().unwrap().contains(name).then_some(())
        });
    };
    shows("First Product");
    fs::write(&path, "name = 'Second Product'").unwrap();
    shows("Second Product");
    fs::write(&path, "nam = 'Third Product'").unwrap();
    wait_until("a line in the log that names the file", DEFAULT_TIMEOUT, || {
        let log = overview.log();
        let warns = |line: &str| line.contains("branding.toml") && line.contains("stays in use");
        log.lines().any(warns).then_some(())
    });
    shows("Second Product");
}
