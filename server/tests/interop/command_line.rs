//! Messages about invalid options, from the command line, the environment and the file.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use testkit::{
    DEFAULT_TIMEOUT, Overview, Process, Serve, create_token, folder, free_port, get, output_text,
    postgres, program, root, run, wait_until,
};

/// Runs a command with a configuration file of this text and mode, which must fail.
fn run_and_expect_failure(command: &str, text: &str, mode: u32) -> String {
    let folder = folder();
    let file = folder.join("options.toml");
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    let result = Command::new("timeout")
        .args(["--signal=KILL", "20"])
        .arg(program())
        .args([command, "--config-file", file.to_str().unwrap()])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(!result.status.success(), "{text}");
    output_text(&result)
}

#[test]
fn an_invalid_configuration_file_is_rejected_with_the_key_and_the_reason() {
    for (command, text, expected) in [
        (
            "serve",
            "lisen = '127.0.0.1:0'",
            "lisen is not an option of `serve`; the options are admin-url, auth,",
        ),
        ("serve", "overview = 'http://x'", "overview is not an option of `serve`"),
        ("serve", "config-file = 'x'", "config-file is not an option"),
        ("serve", "metrics-public = 'yes'", "metrics-public must be true or false, without quotes"),
        ("serve", "listen = true", "listen must be a text in quotes, or a number"),
        ("serve", "listen = ['a', 'b']", "listen must be a text in quotes, or a number"),
        (
            "serve",
            "frame-ancestors = [1.5]",
            "frame-ancestors must be a text in quotes, or a list of them",
        ),
        ("serve", "listen = 'nowhere'", "invalid value 'nowhere' for '--listen"),
        ("serve", "frame-ancestors = ['*']", "'*'"),
        ("serve", "[serve]\nlisten = '127.0.0.1:0'", "serve is not an option"),
        ("serve", "listen", "options.toml: TOML parse error at line 1"),
        ("serve", "base-path = 'admin'", "does not begin with /"),
        ("serve", "branding = 'nowhere.toml'", "nowhere.toml cannot be read"),
        ("agent", "role = 'server'", "must be web or service"),
        (
            "agent",
            "probe = 'ftp://x'\noverview = 'http://x'\ntoken-file = 'x'",
            "--probe \"ftp://x\" is not an HTTP URL",
        ),
    ] {
        let output = run_and_expect_failure(command, text, 0o600);
        assert!(output.contains(expected), "{text}: {output}");
        assert!(!output.contains("panicked"), "{output}");
    }
    let missing = run(program(), &["serve", "--config-file", "nowhere.toml"]);
    assert!(output_text(&missing).contains("cannot read the configuration file nowhere.toml"));
}

#[test]
fn secrets_that_every_account_can_read_are_rejected_with_their_mode() {
    let output = run_and_expect_failure(
        "serve",
        "database = 'postgres://ann:secret@127.0.0.1:1/overview'",
        0o644,
    );
    assert!(
        output.contains("(mode 644), and it contains the password of the database"),
        "{output}"
    );
    assert!(!output.contains("secret@"), "{output}");
    let folder = folder();
    let token = folder.token_file();
    for (mode, is_open) in [(0o644, true), (0o604, true), (0o640, false), (0o600, false)] {
        fs::set_permissions(&token, fs::Permissions::from_mode(mode)).unwrap();
        // Otherwise it fails for another reason.
        let text = format!("join-token-file = '{}'\nbase-path = 'none'", token.display());
        let output = run_and_expect_failure("serve", &text, 0o644);
        assert_eq!(
            output.contains(&format!("(mode {mode:o}), and it contains a secret")),
            is_open,
            "{output}"
        );
    }
}

/// Waits until it answers on this port.
fn wait_for_answer(port: u16) {
    wait_until(&format!("an answer at port {port}"), DEFAULT_TIMEOUT, || {
        get(&format!("http://127.0.0.1:{port}/healthz"))
    });
}

#[test]
fn the_command_line_takes_precedence_over_the_environment_and_that_over_the_file() {
    let folder = folder();
    let [in_file, in_environment, in_arguments] = [free_port(), free_port(), free_port()];
    let listen = |port: u16| format!("127.0.0.1:{port}");
    fs::write(
        folder.join("serve.toml"),
        format!("listen = '{}'\nreport-self = ['none']\nauth = 'none'", listen(in_file)),
    )
    .unwrap();
    let start = |environment: Option<u16>, arguments: &[String]| {
        let mut serve = Command::new(program());
        serve.args(["serve", "--config-file", "serve.toml"]).current_dir(&folder);
        serve.envs(environment.map(|port| ("CLUSTER_OVERVIEW_LISTEN", listen(port))));
        Process::start(serve.args(arguments), &folder, "serve")
    };
    let serve = start(None, &[]);
    wait_for_answer(in_file);
    drop(serve);
    let serve = start(Some(in_environment), &[]);
    wait_for_answer(in_environment);
    drop(serve);
    let _serve = start(Some(in_environment), &["--listen".to_owned(), listen(in_arguments)]);
    wait_for_answer(in_arguments);
}

#[test]
fn the_shipped_configuration_files_show_every_option() {
    for command in ["serve", "agent"] {
        let help = output_text(&run(program(), &["help", command]));
        let options = help.lines().filter_map(|line| line.trim().strip_prefix("--"));
        let options: Vec<&str> =
            options.map(|rest| rest.split([' ', '\n', '=']).next().unwrap()).collect();
        assert!(options.len() > 10, "{help}");
        let path = root().join(format!("server/dist/{command}.toml"));
        let text = fs::read_to_string(&path).unwrap();
        let shown = |option: &str| {
            let key = format!("{option} = ");
            text.lines().any(|line| line.trim_start_matches("# ").starts_with(&key))
        };
        for option in options.iter().filter(|option| !["help", "config-file"].contains(option)) {
            assert!(shown(option), "{} does not show {option}", path.display());
        }
        // Every commented line can be used as it is.
        let settings: Vec<&str> = text
            .lines()
            .filter_map(|line| {
                let line = line.strip_prefix("# ").unwrap_or(line);
                let key = line.split(" = ").next().unwrap();
                (line.contains(" = ") && options.contains(&key) && key != "probe-command")
                    .then_some(line)
            })
            .collect();
        let output = run_and_expect_failure(
            command,
            &format!("{}\nno-option = 1", settings.join("\n")),
            0o600,
        );
        assert!(output.contains("no-option is not an option"), "{output}");
    }
}

#[test]
fn commands_without_a_configuration_file_ignore_the_environment_variable_for_one() {
    let folder = folder();
    fs::write(folder.join("serve.toml"), "listen = '127.0.0.1:0'").unwrap();
    let result = Command::new(program())
        .args(["status", "--line", "--overview", "http://127.0.0.1:1"])
        .env("CLUSTER_OVERVIEW_CONFIG_FILE", folder.join("serve.toml"))
        .output()
        .unwrap();
    assert_eq!(result.status.code(), Some(3), "{}", output_text(&result));
    assert!(output_text(&result).starts_with("UNKNOWN - cannot reach"), "{}", output_text(&result));
}

#[test]
fn a_server_name_is_the_same_in_every_unicode_form() {
    let overview = Overview::start();
    let _agent = overview.start_agent(&program(), "Bu\u{308}ro-1", &[]);
    overview.wait_for_component("B\u{fc}ro-1", |component| component["pulse"] == "alive");
}

fn serve_database_of_newer_version(database: &Path) -> Output {
    let insert_migration =
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
        values (9999, 'later', true, x'00', 0)";
    let result = Command::new("sqlite3").arg(database).arg(insert_migration).output().unwrap();
    assert!(result.status.success(), "{}", output_text(&result));
    run(
        program(),
        &[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--database",
            &format!("sqlite:{}", database.display()),
        ],
    )
}

#[test]
fn a_database_of_a_newer_version_is_rejected_with_the_reason_and_not_changed() {
    let overview = Overview::start();
    let copy = overview.folder.join("later.db");
    let backup = format!(".backup '{}'", copy.display());
    let result = Command::new("sqlite3").arg(overview.database()).arg(backup).output().unwrap();
    assert!(result.status.success(), "{}", output_text(&result));
    let result = serve_database_of_newer_version(&copy);
    assert!(!result.status.success());
    let output = output_text(&result);
    assert!(output.contains("was written by a later version of this program"), "{output}");
}

#[test]
fn help_shows_no_values_from_the_environment() {
    let marker = "postgres://ann:secret-of-the-environment@db/overview";
    let mut environment = Vec::new();
    let mut commands = vec![vec!["help"]];
    for command in ["serve", "agent", "status", "demo", "token", "key", "admin"] {
        commands.push(vec![command, "--help"]);
    }
    for (command, below) in [("token", "create"), ("key", "accept"), ("admin", "set-password")] {
        commands.push(vec![command, below, "--help"]);
    }
    for command in &commands {
        let help = output_text(&run(program(), command));
        let names = help.split("[env: ").skip(1).map(|rest| rest.split(['=', ']']).next().unwrap());
        environment.extend(names.map(str::to_owned));
    }
    assert!(environment.contains(&"CLUSTER_OVERVIEW_DATABASE".to_owned()), "{environment:?}");
    for command in &commands {
        let result = Command::new(program())
            .args(command)
            .envs(environment.iter().map(|name| (name, marker)))
            .output()
            .unwrap();
        assert!(
            !output_text(&result).contains("secret-of-the-environment"),
            "{}",
            output_text(&result)
        );
        assert!(result.status.success(), "{command:?}: {}", output_text(&result));
    }
}

#[test]
fn help_needs_no_configuration_file() {
    for arguments in [
        &["serve", "--help"][..],
        &["serve", "-h"],
        &["help", "serve"],
        &["agent", "--help"],
        &["serve", "--config-file", "nowhere.toml", "--listen", "127.0.0.1:0", "--help"],
    ] {
        let result = Command::new(program())
            .args(arguments)
            .env("CLUSTER_OVERVIEW_CONFIG_FILE", "nowhere.toml")
            .output()
            .unwrap();
        assert!(result.status.success(), "{}", output_text(&result));
        assert!(
            output_text(&result).contains("Usage: cluster-overview"),
            "{}",
            output_text(&result)
        );
    }
}

#[test]
fn a_password_among_the_arguments_is_warned_about_once_and_not_repeated() {
    let folder = folder();
    let start = |adapt: &dyn Fn(&mut Command)| {
        let mut serve = Command::new(program());
        serve.args(["serve", "--base-path", "none"]).current_dir(&folder);
        adapt(&mut serve);
        let result = serve.output().unwrap();
        assert!(!result.status.success());
        output_text(&result)
    };
    let address = "postgres://ann:geheim@127.0.0.1:1/overview";
    let output = start(&|serve| {
        serve.args(["--database", address]);
    });
    assert_eq!(
        output.matches("the argument --database contains a password").count(),
        1,
        "{output}"
    );
    assert!(output.contains("PGPASSFILE") && !output.contains("geheim"), "{output}");
    let output = start(&|serve| {
        serve.env("CLUSTER_OVERVIEW_DATABASE", address);
    });
    assert!(!output.contains("contains a password"), "{output}");
}

#[test]
fn a_token_file_that_every_account_can_read_is_warned_about_for_every_option() {
    let folder = folder();
    let token = folder.join("token");
    fs::write(&token, "a token").unwrap();
    // An address of the documentation network: nothing is reached there.
    let commands: [&[&str]; 2] = [
        &[
            "serve",
            "--listen",
            "192.0.2.9:1",
            "--join-token-file",
            "token",
            "--report-self",
            "none",
        ],
        &["status", "--overview", "http://127.0.0.1:1", "--token-file", "token"],
    ];
    for (mode, is_open) in [(0o644, true), (0o640, false), (0o600, false)] {
        fs::set_permissions(&token, fs::Permissions::from_mode(mode)).unwrap();
        for command in commands {
            let result =
                Command::new(program()).args(command).current_dir(&folder).output().unwrap();
            let output = output_text(&result);
            assert!(!result.status.success(), "{output}");
            let warned = output.matches("every account of this machine can read").count();
            assert_eq!(warned, usize::from(is_open), "{mode:o}: {output}");
        }
    }
}

#[test]
fn a_password_that_is_easy_to_guess_is_rejected_on_the_command_line_too() {
    let overview = Overview::start();
    let database = format!("sqlite:{}", overview.database().display());
    let set = |password: &str| {
        let mut command = Command::new(program())
            .args(["admin", "set-password", "Annabel Miller", "--database", &database])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(command.stdin.take().unwrap(), "{password}").unwrap();
        command.wait_with_output().unwrap()
    };
    for (password, why) in [
        ("passwordpassword", "repeats the same letters"),
        ("annabel.miller", "little more than a name"),
        ("cluster-overview-1", "little more than a name"),
        ("password1234", "common one"),
    ] {
        let result = set(password);
        assert!(
            !result.status.success() && output_text(&result).contains(why),
            "{}",
            output_text(&result)
        );
    }
    let result = set("correct horse battery");
    assert!(result.status.success(), "{}", output_text(&result));
}

/// Creates a token on the command line and uses it at once, as in the README, 20 times.
fn use_new_tokens_at_once(overview: &Overview, database: &str) {
    for number in 0..20 {
        let file = overview.folder.join("viewer.token");
        fs::write(&file, create_token(database, "viewer")).unwrap();
        let status = Command::new(program())
            .args(["status", "--overview", &overview.url("/"), "--token-file"])
            .arg(&file)
            .output()
            .unwrap();
        let said = output_text(&status);
        assert!(status.status.code().is_some_and(|code| code < 3), "token {number}: {said}");
    }
}

#[test]
fn a_token_from_the_command_line_is_good_at_once_with_sqlite() {
    let overview = Serve::with_options(&["--auth", "password"]).start();
    let database = format!("sqlite:{}", overview.database().display());
    overview.send_heartbeat("web-1", 1);
    use_new_tokens_at_once(&overview, &database);
}

#[test]
fn a_token_from_the_command_line_is_good_at_once_with_postgresql() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let database = runtime.block_on(postgres().create_database());
    let overview = Serve::with_options(&["--auth", "password"]).database(&database).start();
    overview.send_heartbeat("web-1", 1);
    use_new_tokens_at_once(&overview, &database);
}
