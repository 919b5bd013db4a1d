//! What channel files may contain, and what is said about the others.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::{AtomicU32, Ordering};

use app::cluster::{Severity, Span};
use app::i18n::Language;

use super::*;

const SIGNING_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A folder with a channel file and secret files.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("channels-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        let folder = Self(path);
        folder.write("secret", SIGNING_SECRET, 0o600);
        folder.write("address", "https://hooks.example/services/T0/hidden-part\n", 0o640);
        folder.write("token", "tk_hidden-part", 0o600);
        folder
    }

    fn write(&self, name: &str, content: &str, mode: u32) {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn read(&self, toml: &str) -> Result<Channels, String> {
        self.write("channels.toml", toml, 0o644);
        Channels::read(&self.0.join("channels.toml")).map_err(|error| error.to_string())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn each_kind_of_channel_is_read_with_its_defaults() {
    let folder = Folder::new();
    let channels = folder.read(
        r#"
        [[channel]]
        name = "hook"
        kind = "webhook"
        url = "https://receiver.example/hook"
        secret_file = "secret"
        [[channel]]
        name = "alerts"
        kind = "webhook"
        url = "http://10.0.0.5:9093/api/v2/alerts"
        format = "alertmanager"
        allow_private = true
        from = "error"
        after = "15 min"
        remind = "0"
        lang = "de"
        [[channel]]
        name = "mail"
        kind = "email"
        smtp_host = "mail.example.com"
        username = "overview"
        password_file = "token"
        mail_from = "Overview <overview@example.com>"
        mail_to = ["ops@example.com", "Ann <ann@example.com>"]
        [[channel]]
        name = "slack"
        kind = "slack"
        url_file = "address"
        [[channel]]
        name = "teams"
        kind = "teams"
        url_file = "address"
        [[channel]]
        name = "ntfy"
        kind = "ntfy"
        url = "https://ntfy.example/topic"
        secret_file = "token"
        [[channel]]
        name = "pager"
        kind = "pagerduty"
        secret_file = "token"
        "#,
    );
    let channels = channels.unwrap();
    let kinds: Vec<&str> = channels.iter().map(Channel::kind).collect();
    assert_eq!(kinds, ["webhook", "webhook", "email", "slack", "teams", "ntfy", "pagerduty"]);
    let hook = channels.find("HOOK").unwrap();
    assert_eq!((hook.from, hook.language), (Severity::Warning, Language::English));
    assert_eq!((hook.after, hook.remind), (Span::ZERO, Span::minutes(240)));
    let alerts = channels.find("alerts").unwrap();
    assert_eq!((alerts.from, alerts.language), (Severity::Error, Language::German));
    assert_eq!((alerts.after, alerts.remind), (Span::minutes(15), Span::ZERO));
    assert!(channels.find("nobody").is_none());
    let printed = format!("{channels:?}");
    assert!(!printed.contains("hidden-part") && !printed.contains("MfKQ9"), "{printed}");
    assert_eq!(folder.read("").unwrap().iter().count(), 0);
}

#[test]
fn whatever_is_wrong_is_said_with_file_channel_and_field() {
    let folder = Folder::new();
    folder.write("open", SIGNING_SECRET, 0o644);
    folder.write("writable", SIGNING_SECRET, 0o602);
    folder.write("empty", " \r\n", 0o600);
    folder.write("lines", "a\nb", 0o600);
    folder.write("plain", "http://hooks.example/hidden-part", 0o600);
    let webhook = "kind = 'webhook'\nurl = 'https://receiver.example/'\nsecret_file = 'secret'\n";
    let email = "kind = 'email'\nsmtp_host = 'mail.example.com'\nmail_from = 'a@example.com'\n\
                 mail_to = ['b@example.com']\n";
    for (fields, field, why) in [
        (format!("{webhook}colour = 'red'"), "colour", "is not a field of kind = \"webhook\""),
        (format!("{webhook}smtp_host = 'x'"), "smtp_host", "its fields are after, allow_private,"),
        (format!("{webhook}from = 'fatal'"), "from", "must be \"info\", \"warning\", \"error\""),
        (format!("{webhook}lang = 'fr'"), "lang", "must be \"en\", \"de\""),
        (format!("{webhook}after = 15"), "after", "must be a length of time in quotes"),
        (format!("{webhook}remind = '31d'"), "remind", "at most 30 d"),
        (format!("{webhook}allow_private = 'yes'"), "allow_private", "must be true or false"),
        (format!("{webhook}format = 'xml'"), "format", "must be \"alertmanager\""),
        (format!("{webhook}ca_file = 'secret'"), "ca_file", "contains no certificate"),
        (format!("{webhook}url_file = 'address'"), "url", "together with url_file"),
        ("kind = 'webhook'\nsecret_file = 'secret'".to_owned(), "url_file", "is missing"),
        ("kind = 'webhook'\nurl = 'https://a.example'".to_owned(), "secret_file", "is missing"),
        (webhook.replace("'secret'", "'nowhere'"), "secret_file", "cannot read"),
        (webhook.replace("'secret'", "'open'"), "secret_file", "(mode 644)"),
        (webhook.replace("'secret'", "'writable'"), "secret_file", "(mode 602)"),
        (webhook.replace("'secret'", "'empty'"), "secret_file", "is empty"),
        (webhook.replace("'secret'", "'lines'"), "secret_file", "more than one line"),
        (webhook.replace("'secret'", "'token'"), "secret_file", "openssl rand"),
        (webhook.replace("https:", "http:"), "url", "allow_private = true"),
        (webhook.replace("//", "//ann:hidden-part@"), "url", "user name or password"),
        (webhook.replace("'https://receiver.example/'", "7"), "url", "must be a text in quotes"),
        (
            "kind = 'slack'\nurl_file = 'address'\nurl = 'https://a.example'".to_owned(),
            "url",
            "is not a field",
        ),
        ("kind = 'slack'\nurl_file = 'plain'".to_owned(), "url_file", "begins with http://"),
        ("kind = 'slack'\nurl_file = ''".to_owned(), "url_file", "is empty"),
        ("kind = 'ntfy'\nurl = 'https://ntfy.sh'".to_owned(), "url", "must end with the topic"),
        ("kind = 'pagerduty'".to_owned(), "secret_file", "is missing"),
        (
            format!("{email}mail_to = 'x'").replace("mail_to = ['b@example.com']\n", ""),
            "mail_to",
            "must be a list",
        ),
        (email.replace("'b@", "'b "), "mail_to", "must contain addresses"),
        (email.replace("'a@example.com'", "'a@büro'"), "mail_from", "must contain addresses"),
        (
            email.replace("'a@example.com'", "\"a@example.com\\nBcc: x@y\""),
            "mail_from",
            "must contain addresses",
        ),
        (email.replace("mail.example.com", "mail.example.com:25"), "smtp_host", "without a port"),
        (format!("{email}smtp_port = 99999"), "smtp_port", "1 to 65535"),
        (format!("{email}smtp_tls = 'none'"), "smtp_tls", "allow_private = true"),
        (format!("{email}username = 'a'"), "password_file", "is missing"),
        (format!("{email}password_file = 'token'"), "username", "is missing"),
        (
            format!(
                "{email}smtp_tls = 'none'\nallow_private = true\nusername = 'a'\npassword_file = 'token'"
            ),
            "username",
            "cannot be used with",
        ),
        ("kind = 'carrier-pigeon'\nurl = 'x'".to_owned(), "kind", "must be one of webhook, email"),
        (String::new(), "kind", "is missing"),
    ] {
        let error = folder.read(&format!("[[channel]]\nname = 'ops'\n{fields}")).unwrap_err();
        let expected = format!("channels.toml has a problem: channel \"ops\": {field} ");
        assert!(error.contains(&expected) && error.contains(why), "{fields}\n{error}");
        assert!(!error.contains("hidden-part"), "{error}");
    }
}

#[test]
fn all_problems_of_a_file_are_said_at_once() {
    let folder = Folder::new();
    let error = folder.read(
        "[[channel]]\nname = 'ops'\nkind = 'slack'\nfrom = 'x'\nurl_file = 'nowhere'\n\
         [[channel]]\nname = 'OPS'\nkind = 'pagerduty'\nsecret_file = 'token'\n\
         [[channel]]\nname = 'a b'\nkind = 'pagerduty'\nsecret_file = 'token'\n\
         [[channel]]\nkind = 'teams'\nurl_file = 'address'\n",
    );
    let error = error.unwrap_err();
    let lines: Vec<&str> = error.lines().collect();
    assert!(lines[0].ends_with("channels.toml has 5 problems:"), "{error}");
    for (line, beginning) in lines[1..].iter().zip([
        "  channel \"ops\": from must be",
        "  channel \"ops\": url_file cannot be used: cannot read",
        "  channel \"OPS\": name is the name of another channel",
        "  channel \"a b\": name must be 1 to 64 letters",
        "  channel number 4: name is missing",
    ]) {
        assert!(line.starts_with(beginning), "{line}");
    }
}

#[test]
fn a_file_that_is_no_list_of_channels_is_rejected_without_its_content() {
    let folder = Folder::new();
    for (toml, why) in [
        ("[[channel]]\nname = 'hidden-part", "line 2: "),
        ("name = 'hidden-part'", "name is unknown: a channel is a table"),
        ("[channel]\nname = 'hidden-part'", "channel is not a list of tables"),
        ("channel = 'hidden-part'", "channel is not a list of tables"),
        ("channel = ['hidden-part']", "channel is not a list of tables"),
    ] {
        let error = folder.read(toml).unwrap_err();
        assert!(error.contains(why) && !error.contains("hidden-part"), "{toml}: {error}");
    }
    let many = "[[channel]]\n".repeat(101);
    assert!(folder.read(&many).unwrap_err().contains("more than 100 channels"));
    let error = Channels::read(Path::new("nowhere/channels.toml")).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the channel file nowhere/channels.toml: "), "{error}");
}

#[test]
fn the_delivered_example_has_a_channel_of_each_kind() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/channels.toml");
    let example = fs::read_to_string(path).unwrap();
    assert_eq!(toml::from_str::<Table>(&example).unwrap().len(), 0, "all of it is commented");
    // A comment that explains begins with "# " and a capital letter; one with an option does not.
    let is_option = |line: &&str| line.starts_with("[[") || line.contains(" = ");
    let options: Vec<&str> =
        example.lines().filter_map(|line| line.strip_prefix("# ")).filter(is_option).collect();
    let folder = Folder::new();
    folder.write("ntfy-token", "tk_x", 0o600);
    folder.write("ca.pem", &rcgen_ca(), 0o644);
    let files = "/etc/cluster-overview/";
    let toml = options.join("\n").replace(files, "");
    folder.write("signing-secret", SIGNING_SECRET, 0o600);
    folder.write("slack-address", "https://hooks.slack.com/services/x", 0o600);
    folder.write("teams-address", "https://example.logic.azure.com/workflows/x", 0o600);
    folder.write("pagerduty-key", "0123456789abcdef0123456789abcdef", 0o600);
    folder.write("mail-password", "x", 0o600);
    let channels = folder.read(&toml).unwrap_or_else(|error| panic!("{error}\n{toml}"));
    let mut kinds: Vec<&str> = channels.iter().map(Channel::kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, ["email", "ntfy", "pagerduty", "slack", "teams", "webhook"]);
}

fn rcgen_ca() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    rcgen::CertificateParams::default().self_signed(&key).unwrap().pem()
}
