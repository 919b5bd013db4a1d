//! Files from Windows and empty files: read as they are meant, or rejected by name.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use testkit::{Folder, Overview, Serve, TOKEN, folder, output_text, program, run};

/// A text as Windows writes it: with a byte order mark and CRLF.
fn encode_as_windows(text: &str, encode: fn(&str) -> Vec<u8>) -> Vec<u8> {
    encode(&format!("\u{feff}{text}\r\n"))
}

fn utf8(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn utf16_le(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn utf16_be(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// A file that only its owner can read.
fn write_private_file(folder: &Folder, name: &str, bytes: &[u8]) -> String {
    let path = folder.join(name);
    fs::copy(folder.token_file(), &path).unwrap();
    fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

#[test]
fn an_agent_reads_token_key_and_options_as_windows_writes_them() {
    let overview = Overview::start();
    overview.use_short_timers();
    let key = "Schlüssel";
    let plain = write_private_file(&overview.folder, "plain.key", key.as_bytes());
    let _first = overview.start_agent(&program(), "plain", &["--encryption-key-file", &plain]);
    overview.wait_for_component("plain", |component| component["key_in_sync"] == true);
    for (name, encode) in
        [("utf8", utf8 as fn(&str) -> Vec<u8>), ("utf16-le", utf16_le), ("utf16-be", utf16_be)]
    {
        let file = |end: &str| format!("{name}.{end}");
        let token =
            write_private_file(&overview.folder, &file("token"), &encode_as_windows(TOKEN, encode));
        let key =
            write_private_file(&overview.folder, &file("key"), &encode_as_windows(key, encode));
        let options = format!(
            "overview = '{}'\r\ntoken-file = '{token}'\r\nname = '{name}'\r\nencryption-key-file = '{key}'",
            overview.url("")
        );
        let options = write_private_file(
            &overview.folder,
            &file("toml"),
            &encode_as_windows(&options, encode),
        );
        let mut agent = Command::new(program());
        agent.args(["agent", "--config-file", &options]);
        let _agent = testkit::Process::start(&mut agent, &overview.folder, name);
        let component =
            overview.wait_for_component(name, |component| component["pulse"] == "alive");
        assert_eq!(component["key_in_sync"], true, "{component:#}");
    }
}

#[test]
fn serve_reads_token_key_options_and_branding_as_windows_writes_them() {
    let folder = folder();
    let token = write_private_file(&folder, "utf16.token", &encode_as_windows(TOKEN, utf16_le));
    let key = write_private_file(&folder, "utf16.key", &encode_as_windows("a key", utf16_be));
    write_private_file(&folder, "branding.toml", &encode_as_windows("name = 'Möwe'", utf16_le));
    let options = format!(
        "join-token-file = '{token}'\r\nbranding = '{}'",
        folder.join("branding.toml").display()
    );
    let options = write_private_file(&folder, "serve.toml", &encode_as_windows(&options, utf16_le));
    let serve = [
        "--config-file",
        &options,
        "--join-token-file",
        &token,
        "--encryption-key-file",
        &key,
        "--report-self",
        "service",
        "--product-version",
        "1",
        "--name",
        "own",
    ];
    let overview = Serve::with_options(&serve).start_in(folder);
    assert_eq!(overview.send_heartbeat("app-1", 1).0, 200);
    // printf '%s' cluster-overview/key-check/v1 | openssl dgst -sha256 -hmac 'a key'
    overview.wait_for_component("own", |component| component["key_digits"] == "711748fd");
    let page = overview.get("/").body;
    assert!(page.as_str().unwrap().contains("Möwe"), "{page}");
}

#[test]
fn an_unusable_key_or_token_is_rejected_with_file_and_reason_before_anything_is_sent() {
    let overview = Overview::start();
    let before = overview.picture();
    let run_and_expect_failure = |arguments: &[&str]| {
        let result = run(program(), arguments);
        assert_eq!(result.status.code(), Some(1), "{}", output_text(&result));
        output_text(&result)
    };
    let url = overview.url("");
    let token = overview.token_file().display().to_string();
    let contents: [(&[u8], &str); 6] = [
        (b"", "is empty"),
        (b" \r\n\t", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\xff\xfe", "is empty"),
        (b"\xfe\xff\0\r\0\n", "is empty"),
        (b"\xff\xfea", "its byte order mark says UTF-16, but it is not"),
    ];
    for (bytes, why) in contents {
        let key = write_private_file(&overview.folder, "bad.key", bytes);
        let agent = ["agent", "--overview", &url, "--token-file", &token, "--name", "app-1"];
        let serve = ["serve", "--listen", "127.0.0.1:0", "--database", "sqlite:/nowhere/a.db"];
        let silent = [&serve[..], &["--report-self", "none"]].concat();
        for command in [&agent[..], &serve[..], &silent[..]] {
            let output =
                run_and_expect_failure(&[command, &["--encryption-key-file", &key]].concat());
            assert!(output.contains(why) && output.contains("bad.key"), "{bytes:?}: {output}");
        }
    }
    let contents: [(&[u8], &str); 4] = [
        (b"\xef\xbb\xbf\r\n", "is empty"),
        (b"one\r\ntwo\r\n", "holds a line break at line 1, column 4"),
        (b"t\xf6ken", "it is not UTF-8: byte 0xf6 at position 2"),
        ("tök".as_bytes(), "holds the character U+00F6 at line 1, column 2"),
    ];
    for (bytes, why) in contents {
        let token = write_private_file(&overview.folder, "bad.token", bytes);
        let commands: [&[&str]; 3] = [
            &["agent", "--overview", &url, "--name", "app-1", "--token-file", &token],
            &["serve", "--listen", "127.0.0.1:0", "--join-token-file", &token],
            &["status", "--overview", &url, "--token-file", &token],
        ];
        for command in commands {
            let result = run(program(), command);
            let output = output_text(&result);
            assert!(!result.status.success(), "{output}");
            assert!(output.contains(why) && output.contains("bad.token"), "{bytes:?}: {output}");
        }
    }
    assert_eq!(overview.picture(), before);
}

/// Sets a password that a shell writes to standard input.
fn set_password(database: &Path, name: &str, input: &[u8]) -> (bool, String) {
    let mut command = Command::new(program());
    command.args(["admin", "set-password", name, "--database"]);
    command.arg(format!("sqlite:{}", database.display()));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut command = command.spawn().unwrap();
    command.stdin.take().unwrap().write_all(input).unwrap();
    let result = command.wait_with_output().unwrap();
    (result.status.success(), output_text(&result))
}

fn sign_in(overview: &Overview, name: &str, password: &str) -> u16 {
    // A form can contain UTF-8 without encoding.
    let form = format!("name={name}&password={}", password.replace(' ', "+"));
    let headers =
        [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    overview.send("POST", "/sign-in", &headers, form.as_bytes()).status
}

#[test]
fn a_password_that_a_shell_on_windows_pipes_is_the_one_that_was_typed() {
    let overview = Serve::with_options(&["--auth", "password"]).start();
    let password = "Kühlschrank im Moor";
    for (name, encode) in
        [("utf8", utf8 as fn(&str) -> Vec<u8>), ("utf16-le", utf16_le), ("utf16-be", utf16_be)]
    {
        let (succeeded, output) =
            set_password(&overview.database(), name, &encode_as_windows(password, encode));
        assert!(succeeded, "{output}");
        testkit::wait_until("the new user to be known", testkit::DEFAULT_TIMEOUT, || {
            (sign_in(&overview, name, password) == 303).then_some(())
        });
    }
    let latin1 = b"K\xfchlschrank im Moor\r\n";
    let (succeeded, output) = set_password(&overview.database(), "latin1", latin1);
    assert!(!succeeded && output.contains("standard input: it is not UTF-8"), "{output}");
}

#[test]
fn json_may_begin_with_a_byte_order_mark_and_other_encodings_are_named_as_the_error() {
    let overview = Overview::start();
    let json = [("content-type", "application/json")];
    let settings = r#"{"load_balancing": true, "automatic_failover": false,
        "heartbeat_interval_s": 30, "stale_timeout_s": 300, "web_window_s": 86400}"#;
    let put = |body: &[u8]| overview.send("PUT", "/api/v1/settings", &json, body);
    let marked = put(&encode_as_windows(settings, utf8));
    assert_eq!(marked.status, 200, "{}", marked.body);
    for body in [encode_as_windows(settings, utf16_le), b"{\"B\xfcro\": 1}".to_vec()] {
        let answer = put(&body);
        let detail = answer.body["detail"].as_str().unwrap();
        assert_eq!(answer.status, 400, "{detail}");
        assert!(detail.contains("not UTF-8 (byte 0x") && detail.contains("PowerShell"), "{detail}");
    }
    assert_eq!(overview.picture()["settings"]["load_balancing"], Value::Bool(true));
}
