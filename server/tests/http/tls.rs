//! TLS: the certificate, how it is renewed, and what else changes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use app::cluster::Span;
use cluster_overview::agent::api_client::{Client, ClientError};
use cluster_overview::net::tls::{Tls, TlsError};
use serde_json::{Value, json};
use testkit::{DEFAULT_TIMEOUT, bearer_headers, wait_until, wait_until_ok};

use crate::harness::{Running, TOKEN, folder, heartbeat};
use crate::incidents;

/// A self-signed certificate for 127.0.0.1, and its key.
pub(crate) struct Pair {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

impl Pair {
    pub(crate) fn in_folder(folder: &Path) -> Self {
        let pair =
            Self { certificate: folder.join("overview.crt"), key: folder.join("overview.key") };
        pair.renew();
        pair
    }

    fn renew(&self) {
        self.renew_for(Duration::from_hours(365 * 24));
    }

    fn renew_for(&self, lifetime: Duration) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut certificate = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        certificate.not_after = (SystemTime::now() + lifetime).into();
        let certificate = certificate.self_signed(&key).unwrap();
        fs::write(&self.key, key.serialize_pem()).unwrap();
        fs::set_permissions(&self.key, Permissions::from_mode(0o600)).unwrap();
        fs::write(&self.certificate, certificate.pem()).unwrap();
    }

    /// A copy of the certificate as it is now, for clients that trust it.
    fn trusted(&self, name: &str) -> PathBuf {
        let copy = self.certificate.with_file_name(name);
        fs::copy(&self.certificate, &copy).unwrap();
        copy
    }
}

/// Sends a heartbeat with a client that trusts these certificates.
fn beat(overview: &Running, trusted: Option<&Path>, sequence: i64) -> Result<(), ClientError> {
    let client = Client::new(&overview.url, trusted).unwrap();
    client.post("/api/v1/heartbeats", TOKEN, &heartbeat("web-1", "web", sequence)).map(drop)
}

#[test]
fn agents_send_heartbeats_over_tls_only_if_they_trust_the_certificate() {
    let folder = folder();
    let pair = Pair::in_folder(&folder);
    let overview = Running::encrypted(&pair.certificate, &pair.key);
    beat(&overview, Some(&pair.certificate), 1).unwrap();
    assert!(matches!(beat(&overview, None, 2), Err(ClientError::Unreachable { .. })));
    let plain = Client::new(&overview.url.replace("https:", "http:"), None).unwrap();
    assert!(plain.get("/healthz", None).is_err(), "nothing is said without TLS");
}

#[test]
fn over_tls_the_cookie_is_secure_and_without_the_option_there_is_no_hsts() {
    let folder = folder();
    let pair = Pair::in_folder(&folder);
    let overview = Running::encrypted(&pair.certificate, &pair.key);
    assert_eq!(overview.get("/healthz").header("strict-transport-security"), "");
    let form = format!("name=Ann&password=correct+horse+battery&code={}", overview.setup_code());
    let headers =
        [("content-type", "application/x-www-form-urlencoded"), ("sec-fetch-site", "same-origin")];
    let made = overview.send("POST", "/sign-in", &headers, form.as_bytes());
    let cookie = made.header("set-cookie");
    assert!(cookie.starts_with("__Host-") && cookie.ends_with("; Secure"), "{cookie}");
}

#[test]
fn with_the_option_hsts_is_sent_but_never_behind_a_proxy() {
    let folder = folder();
    let pair = Pair::in_folder(&folder);
    let overview = Running::asking_for_tls(&pair.certificate, &pair.key, Span::minutes(1_440));
    for path in ["/", "/healthz", "/nothing"] {
        assert_eq!(overview.get(path).header("strict-transport-security"), "max-age=86400");
    }
    for header in ["x-forwarded-for", "forwarded"] {
        let proxied = overview.send("GET", "/healthz", &[(header, "192.0.2.7")], &[]);
        assert_eq!(proxied.header("strict-transport-security"), "", "{header}");
    }
}

#[test]
fn a_renewed_certificate_is_used_without_a_restart_and_half_a_renewal_is_not() {
    let folder = folder();
    let pair = Pair::in_folder(&folder);
    let overview = Running::encrypted(&pair.certificate, &pair.key);
    let former = pair.trusted("former.crt");
    beat(&overview, Some(&former), 1).unwrap();
    // The new key is still missing.
    let key = fs::read(&pair.key).unwrap();
    pair.renew();
    let renewed = fs::read(&pair.key).unwrap();
    fs::write(&pair.key, &key).unwrap();
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(6) {
        beat(&overview, Some(&former), 2).unwrap();
        std::thread::sleep(Duration::from_millis(200));
    }
    fs::write(&pair.key, renewed).unwrap();
    let next = pair.trusted("next.crt");
    wait_until_ok("the new certificate to be used", DEFAULT_TIMEOUT, || {
        beat(&overview, Some(&next), 3)
    });
    assert!(beat(&overview, Some(&former), 4).is_err());
}

#[test]
fn an_agent_trusts_the_certificates_that_are_in_its_file_now() {
    let folder = folder();
    let pair = Pair::in_folder(&folder);
    let overview = Running::encrypted(&pair.certificate, &pair.key);
    let trusted = pair.trusted("trusted.crt");
    let mut client = Client::new(&overview.url, Some(&trusted)).unwrap();
    let mut sequence = 0;
    let mut beat = |client: &Client| {
        sequence += 1;
        client.post("/api/v1/heartbeats", TOKEN, &heartbeat("web-1", "web", sequence)).map(drop)
    };
    beat(&client).unwrap();
    for unusable in ["", "no certificate"] {
        fs::write(&trusted, unusable).unwrap();
        client.reload_ca_file();
        beat(&client).unwrap();
    }
    pair.renew();
    wait_until_ok("the new certificate, which is not trusted yet", DEFAULT_TIMEOUT, || {
        // An open connection still has the old one.
        client.close_connections();
        if beat(&client).is_err() { Ok(()) } else { Err("the former one is in use") }
    });
    pair.trusted("trusted.crt");
    client.reload_ca_file();
    beat(&client).unwrap();
}

#[test]
fn a_byte_order_mark_before_certificate_and_key_is_ignored() {
    let folder = folder();
    let pair = Pair::in_folder(&folder);
    for path in [&pair.certificate, &pair.key] {
        let marked = [b"\xef\xbb\xbf", fs::read(path).unwrap().as_slice()].concat();
        fs::write(path, marked).unwrap();
    }
    let overview = Running::encrypted(&pair.certificate, &pair.key);
    beat(&overview, Some(&pair.certificate), 1).unwrap();
}

#[test]
fn an_unusable_certificate_or_key_is_rejected_at_the_start_with_the_reason() {
    let folder = folder();
    let pair = Pair::in_folder(&folder);
    let refused = || Tls::from_files(&pair.certificate, &pair.key).unwrap_err();

    fs::set_permissions(&pair.key, Permissions::from_mode(0o644)).unwrap();
    assert!(refused().to_string().contains("(mode 644): set its mode to 600"));
    fs::set_permissions(&pair.key, Permissions::from_mode(0o640)).unwrap();
    Tls::from_files(&pair.certificate, &pair.key).unwrap();

    let key = fs::read(&pair.key).unwrap();
    pair.renew();
    fs::write(&pair.key, key).unwrap();
    assert!(matches!(refused(), TlsError::Mismatch { .. }));
    fs::write(&pair.key, "no key").unwrap();
    assert!(refused().to_string().contains("overview.key has no private key in PEM format"));
    fs::write(&pair.certificate, "").unwrap();
    assert!(refused().to_string().contains("overview.crt has no certificate in PEM format"));
    fs::remove_file(&pair.certificate).unwrap();
    assert!(refused().to_string().starts_with("cannot read "));
}

#[test]
fn a_certificate_that_ends_within_a_week_is_an_error_until_it_is_renewed() {
    let folder = folder();
    let pair = Pair::in_folder(&folder);
    pair.renew_for(Duration::from_hours(5 * 24));
    let overview = Running::encrypted(&pair.certificate, &pair.key);
    let viewer = overview.token("viewer");
    let picture_when = |wanted: &dyn Fn(&Value) -> bool| {
        wait_until("the certificate to be judged", DEFAULT_TIMEOUT, || {
            let headers = bearer_headers(&viewer);
            let picture = overview.send("GET", "/api/v1/overview", &headers, &[]).body;
            wanted(&picture).then_some(picture)
        })
    };
    let is_due = |picture: &Value| picture["hints"][0]["id"] == "certificate-expiring";
    let picture = picture_when(&is_due);
    let hint = &picture["hints"][0];
    assert_eq!((&picture["health"], &hint["severity"]), (&json!("error"), &json!("error")));
    let said = hint["evidence"].as_str().unwrap();
    assert!(said.contains(&pair.certificate.display().to_string()), "{said}");
    pair.renew_for(Duration::from_hours(20 * 24));
    let picture = picture_when(&|picture| picture["health"] == "warning");
    assert!(is_due(&picture), "{picture:#}");
    pair.renew();
    picture_when(&|picture| picture["hints"] == json!([]));
}

#[test]
fn a_restart_does_not_end_the_incident_of_a_certificate_and_begin_it_again() {
    let folder = folder();
    let pair = Pair::in_folder(&folder);
    pair.renew_for(Duration::from_hours(5 * 24));
    let database = format!("sqlite:{}", folder.join("overview.db").display());
    let start = || Running::encrypted_on(database.clone(), &pair.certificate, &pair.key);
    let before = start();
    let incident = incidents::open(&before, "certificate-expiring");
    before.end();
    let after = start();
    // Once this incident is there, everything has been judged.
    incidents::be_tight(&after, true);
    incidents::open(&after, "timers-tight");
    let same = incidents::open(&after, "certificate-expiring");
    assert_eq!((&same["id"], &same["turns"]), (&incident["id"], &json!(1)));
}
