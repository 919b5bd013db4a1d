//! `--auth proxy` behind a real single-sign-on proxy, as `server/examples/single-sign-on` has it: Apache with
//! `mod_auth_openidc`, and an `OpenID` provider.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testkit::{
    DEFAULT_TIMEOUT, Folder, Overview, Process, Serve, TOKEN, folder, free_port, get, heartbeat,
    output_text, root, run, wait_until_ok,
};

use crate::api::python_tool;

/// Debian's Apache, and the folder of its modules.
const APACHE: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";

/// The users of the provider, with their roles.
const USERS: [(&str, &str, &[&str]); 2] =
    [("jm", "Jürgen Müller", &["users", "Admin"]), ("viv", "Vivienne", &["users", "accounting"])];

/// An identity provider and a proxy in front of an overview.
struct SingleSignOn {
    port: u16,
    folder: Folder,
    _apache: Process,
    _provider: Process,
}

impl SingleSignOn {
    fn start(overview: &Overview) -> Self {
        let folder = folder();
        let (port, provider_port) = (free_port(), free_port());
        let provider = start_provider(&folder, provider_port);
        let example = root().join("server/examples/single-sign-on/apache.conf");
        let mut site = fs::read_to_string(&example).unwrap();
        for (placeholder, url) in [
            ("https://sso.example/", format!("http://127.0.0.1:{provider_port}/")),
            ("http://127.0.0.1:3000/", format!("http://{}/", overview.address())),
        ] {
            assert_eq!(
                site.matches(placeholder).count(),
                1,
                "{placeholder} in {}",
                example.display()
            );
            site = site.replace(placeholder, &url);
        }
        let file = folder.join("apache.conf");
        fs::write(&file, apache_configuration(&folder, port, &site)).unwrap();
        // One process, so that killing it leaves nothing behind.
        let mut command = Command::new(APACHE);
        command.arg("-X").arg("-f").arg(&file);
        let apache = Process::start(&mut command, &folder, "apache");
        let sso = Self { port, folder, _apache: apache, _provider: provider };
        wait_until_ok("Apache to forward requests", DEFAULT_TIMEOUT, || {
            get(&sso.url("/healthz")).ok_or_else(|| sso.log())
        });
        sso
    }

    fn url(&self, path: &str) -> String {
        format!("http://localhost:{}{path}", self.port)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("error.log")).unwrap_or_default()
    }

    /// Navigates like a browser. Returns the final URL, the page and the status.
    fn navigate(&self, user: &str, url: &str, more: &[&str]) -> (String, String, u16) {
        let jar = self.folder.join(format!("{user}.cookies")).display().to_string();
        let options = ["-sS", "-L", "-b", &jar, "-c", &jar, "-H", "Accept: text/html"];
        let report = ["-w", "\n%{url_effective}\n%{http_code}", url];
        let output = run("curl", &[&options[..], more, &report].concat());
        assert!(output.status.success(), "{}", output_text(&output));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (text, status) = text.rsplit_once('\n').unwrap();
        let (body, final_url) = text.rsplit_once('\n').unwrap();
        (final_url.to_owned(), body.to_owned(), status.parse().unwrap())
    }

    /// Opens the overview and signs in at the provider. Returns the page.
    fn sign_in(&self, user: &str) -> String {
        let (provider, form, _) = self.navigate(user, &self.url("/"), &[]);
        assert!(provider.contains("/oauth2/authorize?"), "{provider}: {form}\n{}", self.log());
        let (final_url, page, status) =
            self.navigate(user, &provider, &["--data", &format!("sub={user}")]);
        assert_eq!((final_url, status), (self.url("/"), 200), "{page}\n{}", self.log());
        page
    }
}

/// Starts a provider with these users, and waits until it answers.
fn start_provider(folder: &Folder, port: u16) -> Process {
    let mut command = Command::new(python_tool("oidc-provider-mock"));
    command.args(["--port", &port.to_string()]);
    for (subject, name, roles) in USERS {
        let claims = json!({"sub": subject, "name": name, "roles": roles});
        command.args(["--user-claims", &claims.to_string()]);
    }
    let process = Process::start(&mut command, folder, "provider");
    let about = format!("http://127.0.0.1:{port}/.well-known/openid-configuration");
    wait_until_ok("the provider to answer", DEFAULT_TIMEOUT, || {
        get(&about).ok_or_else(|| process.log())
    });
    process
}

/// Apache's whole configuration, with this site as its only one.
fn apache_configuration(folder: &Path, port: u16, site: &str) -> String {
    let modules: String = [
        "mpm_event",
        "authn_core",
        "authz_core",
        "authz_user",
        "headers",
        "proxy",
        "proxy_http",
        "auth_openidc",
    ]
    .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
    .concat();
    format!(
        "{modules}ServerRoot {0}\nPidFile {0}/pid\nErrorLog {0}/error.log\nDefaultRuntimeDir {0}\n\
         ServerName localhost\nListen 127.0.0.1:{port}\n\
         <VirtualHost *:{port}>\n{site}</VirtualHost>\n",
        folder.display()
    )
}

#[test]
fn people_sign_in_at_the_companys_identity_provider() {
    let overview =
        Serve::with_options(&["--auth", "proxy", "--trusted-proxies", "127.0.0.1"]).start();
    let sso = SingleSignOn::start(&overview);
    let page = sso.sign_in("jm");
    assert!(page.contains("Jürgen Müller"), "{page}");
    assert!(sso.sign_in("viv").contains("Vivienne"));

    // Sends the settings form, with the URL of the page as the browser has it.
    let settings = json!({
        "load_balancing": true, "automatic_failover": false, "heartbeat_interval_s": 30,
        "stale_timeout_s": 300, "web_window_s": 86_400
    });
    let (origin, body) = (format!("Origin: {}", sso.url("")), settings.to_string());
    let put = ["-X", "PUT", "-H", "Content-Type: application/json", "-H", &origin, "-d", &body];
    let settings = sso.url("/api/v1/settings");
    assert_eq!(sso.navigate("jm", &settings, &put).2, 200);
    let (_, answer, status) = sso.navigate("viv", &settings, &put);
    assert_eq!(status, 403, "a viewer: {answer}");
    let (_, audit, _) = sso.navigate("jm", &sso.url("/api/v1/audit"), &[]);
    let audit: Value = serde_json::from_str(&audit).unwrap();
    let entry = &audit["entries"][0];
    assert_eq!((&entry["who"], &entry["proof"]), (&json!("Jürgen Müller"), &json!("proxy")));
    assert_eq!(entry["address"], "127.0.0.1");

    // Headers of a client that is not signed in do not authenticate; programs need tokens.
    let forged = ["-H", "X-Forwarded-User: eve", "-H", "X-Forwarded-Role: admin"];
    let (_, page, status) = sso.navigate("eve", &sso.url("/api/v1/tokens"), &forged);
    assert_eq!(status, 401);
    assert!(page.contains("X-Forwarded-User header is empty"), "{page}");
    let (beat, bearer) =
        (heartbeat("app-1", "service", 1), format!("Authorization: Bearer {TOKEN}"));
    let beat = ["-H", "Content-Type: application/json", "-H", &bearer, "-d", &beat.to_string()];
    assert_eq!(sso.navigate("app-1", &sso.url("/api/v1/heartbeats"), &beat).2, 200);
}
