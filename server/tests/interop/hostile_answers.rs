//! Can a hostile response forge lines in an agent's log or on a terminal?

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use app::cluster::server_name::is_unprintable;
use serde_json::json;

use testkit::{
    DEFAULT_TIMEOUT, Overview, Process, folder, output_text, program, run, wait_until_ok,
};

/// A second line, colours, another writing direction, and invisible characters.
const FORGED: &str =
    "no\r\n2026-11-27 ERROR forged \u{1b}[31mred\u{9b}2J\u{202e}\u{ad}\u{2060}\u{e0041}";

/// A server that answers each request with this status and body. With `endless` the body is repeated for ever.
fn start_server(status: &'static str, body: String, endless: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let _ = client.read(&mut [0; 8_192]);
            let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\n\r\n");
            let mut sent = client.write_all(head.as_bytes());
            while sent.is_ok() {
                sent = client.write_all(body.as_bytes());
                if !endless {
                    break;
                }
            }
        }
    });
    url
}

fn assert_is_plain(text: &str) {
    let hidden = text.chars().find(|c| *c != '\n' && is_unprintable(*c));
    assert_eq!(hidden, None, "{text:?}");
}

#[test]
fn status_prints_an_error_response_as_one_plain_line() {
    let url = start_server("503 Busy", json!({"detail": FORGED}).to_string(), false);
    let status = run(program(), &["status", "--overview", &url]);
    assert_eq!(status.status.code(), Some(3));
    let output = output_text(&status);
    assert_is_plain(&output);
    assert_eq!(output.lines().count(), 1, "{output}");
    assert!(output.contains("answered 503: no"), "{output}");
}

#[test]
fn an_overview_with_forged_lines_has_no_more_lines_than_a_real_one() {
    let picture = |text: &str| {
        let component = json!({
            "role": "web", "product": text, "version": text, "pulse": "alive", "since": text,
            "stability": "steady", "health": "ok",
            "why": text, "observer": false, "probed": false, "first_seen": text,
            "last_heartbeat": text, "version_in_sync": true, "key_in_sync": null,
            "machine_key_in_sync": null, "key_digits": null, "ip": text, "boot_id": text,
            "clock_skew_ms": null, "told_interval_ms": 1, "messenger_port": null, "messenger": null
        });
        let server = json!({
            "name": text, "os": null, "ip": text, "health": "ok", "refused": null,
            "failing_probes": [], "components": [component]
        });
        let hint = json!({
            "id": text, "anchor": text, "severity": "info", "title": text, "evidence": text,
            "steps": [text], "avoid": text, "server": text, "role": null
        });
        json!({
            "as_of": text, "blind_since": null, "blind_periods": [], "health": "ok",
            "settings": {
                "load_balancing": false, "automatic_failover": false, "heartbeat_interval_s": 30,
                "stale_timeout_s": 300, "web_window_s": 86_400
            },
            "counts": {
                "servers": 1, "web": 1, "service": 0, "alive": 1, "late": 0, "stale": 0,
                "stopped": 0, "unknown": 0
            },
            "versions": [], "servers": [server], "hints": [hint]
        })
    };
    let status_output = |text: &str, option: Option<&str>| {
        let url = start_server("200 OK", picture(text).to_string(), false);
        let mut arguments = vec!["status", "--overview", &url];
        arguments.extend(option);
        output_text(&run(program(), &arguments))
    };
    for option in [None, Some("--line"), Some("--json")] {
        let forged = status_output(FORGED, option);
        assert_is_plain(&forged);
        let plain = status_output("x", option);
        assert_eq!(forged.lines().count(), plain.lines().count(), "{forged}");
        assert!(plain.contains('x') && forged.contains("forged"), "{plain}{forged}");
    }
    let whole = status_output(FORGED, Some("--json"));
    let whole: serde_json::Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole, picture(FORGED), "JSON output is not changed");
}

#[test]
fn status_reports_a_response_that_is_not_an_overview_in_one_plain_line() {
    let url = start_server("200 OK", json!({"health": FORGED}).to_string(), false);
    for (option, begins) in [("--json", "cluster-overview: the answer"), ("--line", "UNKNOWN - ")] {
        let status = run(program(), &["status", "--overview", &url, option]);
        assert_eq!(status.status.code(), Some(3));
        let output = output_text(&status);
        assert_is_plain(&output);
        assert_eq!(output.lines().count(), 1, "{output}");
        assert!(output.starts_with(begins) && output.contains("is not an overview"), "{output}");
    }
}

/// The log of an agent of this overview, once it contains this text.
fn log_of_agent(url: &str, text: &str) -> String {
    let folder = folder();
    let mut command = Command::new(program());
    command.args(["agent", "--overview", url, "--token-file", "token", "--name", "app-1"]);
    command.args(["--messenger-port", "1"]).current_dir(&folder);
    let agent = Process::start(&mut command, &folder, "agent");
    wait_until_ok(&format!("the agent to log {text:?}"), DEFAULT_TIMEOUT, || {
        let log = agent.log();
        if log.contains(text) { Ok(log) } else { Err(log) }
    })
}

#[test]
fn responses_of_an_overview_cannot_forge_lines_of_an_agents_log() {
    let detail = json!({"detail": FORGED}).to_string();
    let log = log_of_agent(&start_server("503 Busy", detail, false), "answered 503");
    assert_is_plain(&log);
    assert!(!log.lines().any(|line| line.starts_with("2026-11-27 ERROR forged")), "{log}");
    let enrolment = json!({"id": FORGED, "credential": "c", "next_in_ms": 0}).to_string();
    let log = log_of_agent(&start_server("201 Created", enrolment, false), "enrolled");
    assert_is_plain(&log);
}

#[test]
fn reading_a_response_without_an_end_stops_at_the_limit() {
    let url = start_server("503 Busy", "endless ".repeat(1_000), true);
    let status = run(program(), &["status", "--overview", &url]);
    assert_eq!(status.status.code(), Some(3));
    assert!(output_text(&status).contains("it is larger than 64 KiB"), "{}", output_text(&status));
    let url = start_server("200 OK", "endless ".repeat(1_000), true);
    log_of_agent(&url, "it is larger than 64 KiB");
}

#[test]
fn a_file_without_an_end_is_rejected_by_name_for_every_option() {
    let folder = folder();
    fs::write(folder.join("empty.toml"), "").unwrap();
    let serve = ["serve", "--report-self", "none", "--auth", "none", "--listen", "127.0.0.1:0"];
    let agent =
        ["agent", "--overview", "https://127.0.0.1:1", "--name", "a", "--messenger-port", "1"];
    let status = ["status", "--overview", "https://127.0.0.1:1"];
    let with_token = ["--token-file", "token"];
    let cases: [(&[&str], &[&str]); 8] = [
        (&serve, &["--config-file"]),
        (&serve, &["--join-token-file"]),
        (&serve, &["--branding"]),
        (&serve, &["--tls-key", "empty.toml", "--tls-cert"]),
        (&agent, &["--token-file"]),
        (&[&agent[..], &with_token].concat(), &["--credential-file"]),
        (&[&agent[..], &with_token].concat(), &["--encryption-key-file"]),
        (&status, &["--ca-file"]),
    ];
    for (command, option) in cases {
        let output = run_and_expect_failure(
            &folder,
            &[command, option, &["/dev/zero"]].concat(),
            Stdio::null(),
        );
        assert!(
            output.contains("/dev/zero") && output.contains("larger than 1024 KiB"),
            "{output}"
        );
    }
    let overview = Overview::start();
    let database = format!("sqlite:{}", overview.database().display());
    let command = ["admin", "set-password", "ann", "--database", &database];
    let output = run_and_expect_failure(&folder, &command, File::open("/dev/zero").unwrap().into());
    assert!(output.contains("its first line is longer than 64 KiB"), "{output}");
}

/// The output of a command that must fail within its memory limit.
fn run_and_expect_failure(folder: &Path, arguments: &[&str], input: Stdio) -> String {
    let result = Command::new("timeout")
        .args(["--signal=KILL", "20"])
        .arg(program())
        .args(arguments)
        .current_dir(folder)
        .stdin(input)
        .output()
        .unwrap();
    let output = output_text(&result);
    assert!(
        result.status.code().is_some_and(|code| (1..10).contains(&code)),
        "{arguments:?}: {output}"
    );
    output
}
