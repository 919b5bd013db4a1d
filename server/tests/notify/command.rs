//! `channel test`, and the channel file of `serve`.

use std::process::{Command, Output};

use testkit::{output_text, program};

use crate::Setup;
use crate::receiver::Receiver;

fn run(setup: &Setup, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "30"]).arg(program()).args(arguments);
    command.current_dir(&setup.folder).envs(environment.iter().copied()).output().unwrap()
}

#[test]
fn channel_test_says_what_the_receiver_answered() {
    let (setup, receiver) = (Setup::new(), Receiver::accepting());
    setup.write("address", &receiver.url("/services/hidden-part"));
    setup.channel("kind = 'slack'\nurl_file = 'address'\nallow_private = true\nlang = 'de'");
    let page = ["--public-url", "https://overview.example/admin"];
    let file = ["channel", "test", "ops", "--channels", "channels.toml"];
    let sent = run(&setup, &[&file[..], &page].concat(), &[]);
    assert!(sent.status.success(), "{}", output_text(&sent));
    let answer = format!("{} answered 200: ok\n", receiver.url(""));
    let expected = format!("The channel ops (slack) has accepted the test message. {answer}");
    assert_eq!(output_text(&sent), expected);
    let body = receiver.only_request().body;
    for said in ["Test des Kanals ops", "overview.example", "https://overview.example/admin/"] {
        assert!(body.contains(said), "{said}\n{body}");
    }
    let environment = [
        ("CLUSTER_OVERVIEW_CHANNELS", "channels.toml"),
        ("CLUSTER_OVERVIEW_PUBLIC_URL", "https://overview.example/"),
    ];
    let sent = run(&setup, &["channel", "test", "OPS"], &environment);
    assert!(sent.status.success(), "{}", output_text(&sent));
    assert_eq!(receiver.requests().len(), 2);
}

#[test]
fn channel_test_fails_with_the_reason() {
    let setup = Setup::new();
    let gone = Receiver::answering("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
    let busy = "HTTP/1.1 429 Busy\r\nRetry-After: 90\r\nContent-Length: 0\r\n\r\n";
    let busy = Receiver::answering(busy);
    for (url, why) in [
        (
            gone.url("/hidden-part"),
            " answered 410. It says that it is gone for good: change or remove the channel\n",
        ),
        (
            busy.url("/hidden-part"),
            " answered 429. It asks to wait 1 min 30 s before the next message\n",
        ),
    ] {
        setup.write("address", &url);
        setup.channel("kind = 'teams'\nurl_file = 'address'\nallow_private = true");
        let sent = run(&setup, &["channel", "test", "ops", "--channels", "channels.toml"], &[]);
        assert_eq!(sent.status.code(), Some(1), "{}", output_text(&sent));
        let said = output_text(&sent);
        let beginning =
            "cluster-overview: the channel ops (teams) has not accepted the test message. http://";
        assert!(said.starts_with(beginning) && said.ends_with(why), "{said}");
        assert!(!said.contains("hidden-part"), "{said}");
    }
    for (arguments, why) in [
        (
            &["channel", "test", "nobody", "--channels", "channels.toml"][..],
            "there is no channel \"nobody\" in channels.toml; its channels: ops\n",
        ),
        (
            &["channel", "test", "ops", "--channels", "nowhere.toml"],
            "cannot read the channel file nowhere.toml: ",
        ),
        (&["channel", "test", "ops"], "--channels <"),
        (
            &["channel", "test", "ops", "--channels", "channels.toml", "--public-url", "x"],
            "'--public-url <PUBLIC_URL>'",
        ),
    ] {
        let sent = run(&setup, arguments, &[]);
        assert!(!sent.status.success(), "{arguments:?}");
        assert!(output_text(&sent).contains(why), "{}", output_text(&sent));
    }
}

#[test]
fn serve_does_not_start_with_a_channel_file_that_it_cannot_use() {
    let setup = Setup::new();
    setup.write("channels.toml", "[[channel]]\nname = 'ops'\nkind = 'slack'\n");
    setup.write("serve.toml", "channels = 'channels.toml'\nauth = 'none'\nlisten = '127.0.0.1:0'");
    let started = run(&setup, &["serve", "--config-file", "serve.toml"], &[]);
    assert_eq!(started.status.code(), Some(1));
    let said = output_text(&started);
    let expected = "cluster-overview: the channel file channels.toml has a problem: channel \"ops\": url_file is missing: ";
    assert!(said.contains(expected), "{said}");
    assert!(!setup.folder.join("cluster-overview.db").exists());
}
