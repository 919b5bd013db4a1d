//! What an agent says of a credential that it cannot use.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::{Folder, Overview, Process, SOON, folder, program, wait_until};

fn agent(
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
fn an_agent_with_the_credential_of_another_server_says_so_and_goes_on_once_it_has_a_join_token() {
    let overview = Overview::start();
    overview.hurry();
    let folder = folder();
    let (token, credential) = (folder.join("late-token"), folder.join("credential"));
    let mut first = agent(&overview, &folder, "old", &overview.token_file(), &credential);
    overview.component_when("old", |component| component["pulse"] == "alive");
    assert!(first.terminate().success());
    let mut renamed = agent(&overview, &folder, "new", &token, &credential);
    let line = renamed.wait_for_line("what is wrong", SOON, |line| {
        line.contains("no heartbeat is sent").then(|| line.to_owned())
    });
    let both = format!(
        "the credential file {} is for the server old, and this agent reports as new",
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
    assert_eq!(renamed.said().matches("no heartbeat is sent").count(), 1, "{}", renamed.said());
}
