//! How an agent handles obstacles: a credential of another server, a port in use, a name server that fails.

use std::net::{Ipv6Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::{DEFAULT_TIMEOUT, Folder, Overview, Process, folder, program, wait_until};

fn start_agent(
    overview: &Overview,
    folder: &Folder,
    server: &str,
    token: &Path,
    credential: &Path,
) -> Process {
    let mut command = Command::new(program());
    command.args(["agent", "--overview", &overview.url(""), "--name", server]);
    command.arg("--token-file").arg(token).arg("--credential-file").arg(credential);
    Process::start(&mut command, folder, &format!("agent {server}"))
}

#[test]
fn an_agent_with_the_credential_of_another_server_logs_that_and_enrols_once_it_has_a_join_token() {
    let overview = Overview::start();
    overview.use_short_timers();
    let folder = folder();
    let (token, credential) = (folder.join("late-token"), folder.join("credential"));
    let mut first = start_agent(&overview, &folder, "old", &overview.token_file(), &credential);
    overview.wait_for_component("old", |component| component["pulse"] == "alive");
    assert!(first.terminate().success());
    let mut renamed = start_agent(&overview, &folder, "new", &token, &credential);
    let line = renamed.wait_for_line("what is wrong", DEFAULT_TIMEOUT, |line| {
        line.contains("no heartbeat is sent").then(|| line.to_owned())
    });
    let both = format!(
        "the credential file {} belongs to the server old, but this agent runs for new",
        credential.display()
    );
    assert!(line.contains(&both), "{line}");
    assert!(line.contains(&token.display().to_string()) && line.contains("--name old"), "{line}");
    std::fs::copy(overview.token_file(), &token).unwrap();
    wait_until("the new name", Duration::from_secs(40), || {
        let picture = overview.picture();
        let servers = picture["servers"].as_array().cloned().unwrap_or_default();
        servers.iter().any(|server| server["name"] == "new").then_some(())
    });
    assert_eq!(renamed.log().matches("no heartbeat is sent").count(), 1, "{}", renamed.log());
}

#[test]
fn a_service_whose_messenger_port_was_in_use_is_connected_once_it_is_free() {
    let overview = Overview::start();
    overview.use_short_timers();
    let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let agent = overview.start_agent(&program(), "app-1", &["--messenger-port", &port]);
    let announced = |component: &serde_json::Value| component["messenger_port"].as_u64();
    overview.wait_for_component("app-1", |component| {
        component["pulse"] == "alive" && announced(component).is_none()
    });
    let warning = "the service messenger cannot listen";
    assert_eq!(agent.log().matches(warning).count(), 1, "{}", agent.log());
    drop(listener);
    // It tries again after half a minute.
    overview.wait_for_picture_within(Duration::from_secs(50), |picture| {
        let servers = picture["servers"].as_array().unwrap();
        let app = servers.iter().find(|server| server["name"] == "app-1").unwrap();
        announced(&app["components"][0]).is_some_and(|found| found.to_string() == port)
    });
    assert_eq!(agent.log().matches(warning).count(), 1, "{}", agent.log());
}

#[test]
fn an_agent_on_a_machine_with_a_common_host_name_asks_once_for_a_name() {
    let overview = Overview::start();
    overview.use_short_timers();
    let folder = folder();
    let mut command = Command::new("unshare");
    command.args([
        "--map-root-user",
        "--uts",
        "sh",
        "-c",
        "hostname localhost && exec \"$@\"",
        "sh",
    ]);
    command.arg(program()).args(["agent", "--overview", &overview.url(""), "--role", "web"]);
    command.arg("--token-file").arg(overview.token_file());
    command.arg("--credential-file").arg(folder.join("credential"));
    let agent = Process::start(&mut command, &folder, "agent");
    overview.wait_for_component("localhost", |component| component["pulse"] == "alive");
    let log = agent.log();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains("--name")).collect();
    let [warning] = warnings[..] else { panic!("one warning: {log}") };
    assert!(warning.contains("host_name=\"localhost\""), "{warning}");
}

#[test]
fn an_agent_whose_name_server_fails_goes_on_with_the_last_addresses() {
    let overview = Overview::start();
    overview.use_short_timers();
    let folder = folder();
    let hosts = folder.join("hosts");
    let port = overview.address().rsplit(':').next().unwrap().to_owned();
    std::fs::write(&hosts, "").unwrap();
    let mut command = Command::new("unshare");
    let script = "mount --bind \"$HOSTS\" /etc/hosts && exec \"$@\"";
    command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]).env("HOSTS", &hosts);
    command.arg(program()).args(["agent", "--name", "app-1", "--role", "web"]);
    command.args(["--overview", &format!("http://overview.localhost:{port}")]);
    command.arg("--token-file").arg(overview.token_file());
    command.arg("--credential-file").arg(folder.join("credential"));
    let mut agent = Process::start(&mut command, &folder, "agent");
    let is_unreachable =
        |line: &str| line.contains("cannot reach http://overview.localhost").then_some(());
    agent.wait_for_line("a look-up that fails", DEFAULT_TIMEOUT, is_unreachable);
    assert_eq!(overview.picture()["counts"]["servers"], 0);
    // In place, because the file is script.
    std::fs::write(&hosts, "127.0.0.1 overview.localhost\n").unwrap();
    let first = overview.wait_for_component("app-1", |component| component["pulse"] == "alive");
    assert_eq!(first["ip"], "127.0.0.1", "the overview is reached over loopback");
    std::fs::write(&hosts, "").unwrap();
    let last_heartbeat =
        |component: &serde_json::Value| component["last_heartbeat"].as_str().map(str::to_owned);
    let mut last = last_heartbeat(&first);
    for _ in 0..3 {
        let next =
            overview.wait_for_component("app-1", |component| last_heartbeat(component) > last);
        last = last_heartbeat(&next);
    }
}
