//! Do the README's examples in other languages send valid heartbeats?

use std::process::Command;

use app::pages::add_server::commands::{POWERSHELL_HEARTBEAT, PYTHON_HEARTBEAT, SHELL_HEARTBEAT};
use testkit::{Overview, Process, output_text, root};

/// The README's code block in this language that contains this text.
fn snippet(language: &str, content: &str) -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let fence = format!("```{language}\n");
    let blocks = readme.split(&fence).skip(1);
    let mut blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    let found = blocks.find(|block| block.contains(content)).unwrap().to_owned();
    assert!(found.lines().count() < 15, "{language}: {} lines", found.lines().count());
    found
}

fn set_environment(command: &mut Command, overview: &Overview) {
    command.env("OVERVIEW", overview.url("")).env("TOKEN_FILE", overview.token_file());
}

#[test]
fn the_curl_example_sends_a_heartbeat() {
    let overview = Overview::start();
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", &snippet("sh", "api/v1/heartbeats")]);
    set_environment(&mut shell, &overview);
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{}", output_text(&output));
    assert!(output_text(&output).contains("\"applied\":true"), "{}", output_text(&output));
    let component = overview.wait_for_component("app-1", |component| component["pulse"] == "alive");
    assert_eq!(component["version"], "1.2.3");
}

#[test]
fn the_python_example_sends_heartbeats_at_the_requested_times() {
    let overview = Overview::start();
    overview.use_short_timers();
    let file = overview.folder.join("beat.py");
    std::fs::write(&file, snippet("python", "heartbeats")).unwrap();
    let mut python = Command::new("python3");
    python.arg(&file);
    set_environment(&mut python, &overview);
    let _running = Process::start(&mut python, &overview.folder, "python");
    let first = overview.wait_for_component("app-1", |component| component["pulse"] == "alive");
    let later = |component: &serde_json::Value| {
        component["last_heartbeat"].as_str() > first["last_heartbeat"].as_str()
    };
    let second = overview.wait_for_component("app-1", later);
    assert_eq!(second["boot_id"], first["boot_id"]);
    assert_eq!(second["told_interval_ms"], 1_000);
}

#[test]
fn every_example_of_the_readme_has_all_required_fields() {
    for language in ["sh", "python", "csharp", "powershell"] {
        let snippet = snippet(language, "api/v1/heartbeats");
        for field in ["server", "role", "version", "os", "ip", "boot_id", "sequence", "Bearer"] {
            assert!(snippet.contains(field), "{language} lacks {field}");
        }
    }
    // Windows PowerShell would send text in Latin-1.
    assert!(snippet("powershell", "heartbeats").contains("-Body $utf8"));
}

#[test]
fn the_page_that_adds_a_server_shows_the_examples_of_the_readme() {
    for (language, shown) in [
        ("sh", SHELL_HEARTBEAT),
        ("python", PYTHON_HEARTBEAT),
        ("powershell", POWERSHELL_HEARTBEAT),
    ] {
        assert_eq!(snippet(language, "api/v1/heartbeats"), shown, "{language}");
    }
}
