//! E-mail through a real SMTP server: Debian's aiosmtpd.

use std::path::Path;
use std::process::Command;

use cluster_overview::notify::Message;
use serde_json::Value;
use testkit::{DEFAULT_TIMEOUT, Process, free_port, root};

use crate::receiver::Pair;
use crate::{Setup, ended_incident, heading, open_incident, send, test_message};

const PASSWORD: &str = "pässword";

struct SmtpServer {
    port: u16,
    process: Process,
}

impl SmtpServer {
    fn start(setup: &Setup, mode: &str, pair: Option<&Pair>) -> Self {
        let port = free_port();
        // Debian's own Python has the module.
        let mut command = Command::new("/usr/bin/python3");
        command.arg(root().join("server/tests/notify/smtp_server.py"));
        command.args([&port.to_string(), mode]);
        command.args(pair.into_iter().flat_map(|pair| [&pair.certificate, &pair.key]));
        let mut process = Process::start(&mut command, &setup.folder, &format!("smtp {mode}"));
        process.wait_for_line("the SMTP server to be ready", DEFAULT_TIMEOUT, |line| {
            (line == "ready").then_some(())
        });
        Self { port, process }
    }

    /// The e-mails that have arrived.
    fn emails(&self) -> Vec<Value> {
        self.process.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn fields(&self, more: &str) -> String {
        format!(
            "kind = 'email'\nsmtp_host = 'localhost'\nsmtp_port = {}\nallow_private = true\n\
             mail_from = 'Overview <overview@example.com>'\n{more}",
            self.port
        )
    }
}

#[test]
fn an_email_arrives_with_its_text_its_html_and_its_thread() {
    let setup = Setup::new();
    let server = SmtpServer::start(&setup, "plain", None);
    let to = "smtp_tls = 'none'\nmail_to = ['ops@example.com', 'Ann Ä <ann@example.com>']";
    let channels = setup.channel(&server.fields(to));
    let delivered = send(&channels, &Message::new(heading(), vec![open_incident()])).unwrap();
    let expected = format!("localhost:{} answered 250 2.0.0 queued as 4711", server.port);
    assert_eq!(delivered.answer, expected);
    send(&channels, &Message::new(heading(), vec![ended_incident()])).unwrap();
    let emails = server.emails();
    assert_eq!(emails.len(), 2, "{emails:?}");
    assert_eq!(emails[0]["from"], "overview@example.com");
    assert_eq!(emails[0]["to"], serde_json::json!(["ops@example.com", "ann@example.com"]));
    // Read by another program than the one that has written it.
    let read = |place: usize, what: &str| read_email(&setup.folder, &emails[place], what);
    assert_eq!(read(0, "subject"), "[prod] The service of web-1 does not respond");
    assert_eq!(
        read(1, "subject"),
        "[prod] Over: The service of web-1 does not respond, lasted 8 min"
    );
    assert_eq!(read(0, "references"), read(1, "references"));
    assert_eq!(read(0, "auto-submitted"), "auto-generated");
    for part in ["text/plain", "text/html"] {
        let text = read(0, part);
        for said in [
            "Error: The service of web-1 does not respond",
            "The last heartbeat of wörk",
            "Start the service.",
            "Avoid: Do not remove the server.",
            "https://overview.example/?at=2026-11-22T11:52:00.000Z",
        ] {
            assert!(text.contains(said), "{part}: {said}\n{text}");
        }
    }
}

/// A header or a part of an e-mail, as Python reads it.
fn read_email(folder: &Path, email: &Value, what: &str) -> String {
    let script = "import email, email.policy, sys\n\
                  m = email.message_from_file(open(sys.argv[1]), policy=email.policy.default)\n\
                  part = next((p for p in m.walk() if p.get_content_type() == sys.argv[2]), None)\n\
                  print(part.get_content() if part else m[sys.argv[2]])";
    let file = folder.join("email.eml");
    std::fs::write(&file, email["content"].as_str().unwrap().replace("\r\n", "\n")).unwrap();
    let read = testkit::run(
        "/usr/bin/python3",
        &["-X", "utf8", "-c", script, file.to_str().unwrap(), what],
    );
    assert!(read.status.success(), "{}", testkit::output_text(&read));
    String::from_utf8(read.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn an_email_is_encrypted_and_its_sender_authenticated() {
    let setup = Setup::new();
    let pair = Pair::new(&setup.folder, "localhost");
    setup.write("password", PASSWORD);
    for mode in ["starttls", "tls"] {
        let server = SmtpServer::start(&setup, mode, Some(&pair));
        let fields = format!(
            "smtp_tls = '{mode}'\nusername = 'overview'\npassword_file = 'password'\n\
             ca_file = 'localhost.crt'\nmail_to = ['ops@example.com']"
        );
        let channels = setup.channel(&server.fields(&fields));
        send(&channels, &test_message()).unwrap_or_else(|failure| panic!("{mode}: {failure}"));
        let emails = server.emails();
        assert_eq!(emails.len(), 1, "{mode}");
        assert_eq!(emails[0]["encrypted"], true, "{mode}");
        assert_eq!(emails[0]["authenticated"], true, "{mode}");
        setup.write("password", "wrong-hidden-part");
        let said = send(&channels, &test_message()).unwrap_err().to_string();
        assert!(said.contains(", AUTH: permanent error (535)"), "{mode}: {said}");
        assert!(!said.contains("hidden-part"), "{mode}: {said}");
        setup.write("password", PASSWORD);
        let untrusted = fields.replace("ca_file = 'localhost.crt'\n", "");
        let channels = setup.channel(&server.fields(&untrusted));
        let said = send(&channels, &test_message()).unwrap_err().to_string();
        assert!(said.contains("UnknownIssuer; if its certificate"), "{mode}: {said}");
        assert_eq!(server.emails().len(), 1, "{mode}");
    }
}

#[test]
fn no_email_is_sent_unencrypted_to_a_server_without_starttls() {
    let setup = Setup::new();
    let server = SmtpServer::start(&setup, "plain", None);
    let channels = setup.channel(&server.fields("mail_to = ['ops@example.com']"));
    let said = send(&channels, &test_message()).unwrap_err().to_string();
    assert!(said.contains(", STARTTLS: ") && said.contains("usually 465"), "{said}");
    assert!(server.emails().is_empty());
}

#[test]
fn one_recipient_that_is_refused_does_not_keep_the_email_from_the_others() {
    let setup = Setup::new();
    let server = SmtpServer::start(&setup, "plain", None);
    let channels =
        |to: &str| setup.channel(&server.fields(&format!("smtp_tls = 'none'\nmail_to = [{to}]")));
    let delivered =
        send(&channels("'refused@example.com', 'ops@example.com'"), &test_message()).unwrap();
    let beginning = "not delivered to refused@example.com (";
    assert!(delivered.answer.starts_with(beginning), "{}", delivered.answer);
    assert!(delivered.answer.contains("no such user here"), "{}", delivered.answer);
    assert_eq!(server.emails()[0]["to"], serde_json::json!(["ops@example.com"]));
    let failure = send(&channels("'refused@example.com'"), &test_message()).unwrap_err();
    assert!(failure.to_string().contains(", RCPT TO: permanent error (550)"), "{failure}");
    assert_eq!(server.emails().len(), 1);
}
