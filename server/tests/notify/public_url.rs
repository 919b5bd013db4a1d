//! Which URL messages link to if nobody has given one, and how they name the cluster.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::{DEFAULT_TIMEOUT, Folder, Overview, Serve, WebhookReceiver, folder, wait_until_ok};

use crate::receiver::Pair;

fn host_name() -> String {
    let output = Command::new("hostname").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// With this receiver as its channel `ops`.
fn serve(receiver: &WebhookReceiver, folder: &Folder, more: &[&str]) -> Serve {
    let file = receiver.write_channel_file(folder).display().to_string();
    Serve::with_options(&[&["--channels", &file], more].concat())
}

/// The body of a test message.
fn test_message(overview: &Overview, receiver: &WebhookReceiver, base: &str) -> Value {
    let tested = overview.send("POST", &format!("{base}/api/v1/channels/ops/test"), &[], b"");
    assert_eq!(tested.status, 200, "{}", tested.body);
    receiver.received().pop().unwrap().body
}

fn write_branding(file: &Path, name: &str) {
    std::fs::write(file, format!("name = '{name}'\n")).unwrap();
}

#[test]
fn messages_link_to_this_host_with_the_port_and_the_base_path_and_the_log_says_so() {
    let (receiver, folder) = (WebhookReceiver::start(), folder());
    let overview = serve(&receiver, &folder, &["--base-path", "/admin/cluster"]).start_in(folder);
    let (host, port) = (host_name(), overview.port);
    let url = format!("http://{host}:{port}/admin/cluster/");
    let message = test_message(&overview, &receiver, "/admin/cluster");
    assert_eq!((&message["page"], &message["cluster"]), (&url.as_str().into(), &host.into()));
    assert_eq!(message["incidents"][0]["url"], url);
    let log = overview.log();
    assert!(log.contains(&format!("messages link to {url}, by this host's name;")), "{log}");
}

#[test]
fn over_tls_messages_link_to_https() {
    let (receiver, folder) = (WebhookReceiver::start(), folder());
    let pair = Pair::new(&folder, "localhost");
    std::fs::set_permissions(&pair.key, Permissions::from_mode(0o600)).unwrap();
    let [certificate, key] = [&pair.certificate, &pair.key].map(|file| file.display().to_string());
    let tls = ["--tls-cert", &certificate, "--tls-key", &key];
    let overview = serve(&receiver, &folder, &tls).start_in(folder);
    let url = format!("https://{}:{}/", host_name(), overview.port);
    let log = overview.log();
    assert!(log.contains(&format!("messages link to {url}, ")), "{log}");
}

#[test]
fn messages_link_to_the_public_url_and_name_the_product_of_the_branding_with_its_host() {
    let (receiver, folder) = (WebhookReceiver::start(), folder());
    let file = folder.join("branding.toml");
    write_branding(&file, "ProGet");
    let branding = file.display().to_string();
    let options = ["--public-url", "https://proget.example.com/x", "--branding", &branding];
    let overview = serve(&receiver, &folder, &options).start_in(folder);
    let message = test_message(&overview, &receiver, "");
    assert_eq!(message["page"], "https://proget.example.com/x/");
    assert_eq!(message["cluster"], "ProGet (proget.example.com)");
    assert!(!overview.log().contains("messages link to"), "{}", overview.log());
    write_branding(&file, "ProGet 2");
    wait_until_ok("the page to have the new name", DEFAULT_TIMEOUT, || {
        let page = overview.get("/").body;
        if page.as_str().unwrap().contains("ProGet 2") { Ok(()) } else { Err(page) }
    });
    let message = test_message(&overview, &receiver, "");
    assert_eq!(message["cluster"], "ProGet 2 (proget.example.com)");
}
