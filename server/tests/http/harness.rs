//! A running overview on a port of its own, and a client that sees every status.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use app::cluster::facts::Reporter;
use app::cluster::{Os, Role, ServerName};
use cluster_overview::access::audit::{Action, Actor, Entry};
use cluster_overview::access::keyring::{Keyring, TokenRole};
use cluster_overview::access::secret::Hash;
use cluster_overview::access::{Mode, Policy, Wish};
use cluster_overview::branding::Branding;
use cluster_overview::frame::Ancestor;
use cluster_overview::listen::tls::Tls;
use cluster_overview::listen::{self, Listener};
use cluster_overview::own::Identity;
use cluster_overview::store::Grant;
use cluster_overview::store::beside::{Away, Beside};
use cluster_overview::{Options, Site};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use ureq::tls::TlsConfig;

/// The join token of every overview in these tests.
pub(crate) const TOKEN: &str = "a-join-token-for-tests";

/// A boot id, and others that differ from it.
pub(crate) const BOOT: &str = "0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11";

/// One running overview. It stops, and its files go, with this value.
pub(crate) struct Running {
    pub(crate) url: String,
    folder: std::path::PathBuf,
    database: String,
    site: Arc<Site>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
    runtime: Option<Runtime>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: axum::http::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Running {
    /// Starts an overview that reports nothing of itself.
    pub(crate) fn start() -> Self {
        Self::below("")
    }

    /// Starts one that lives below a path.
    pub(crate) fn below(base: &str) -> Self {
        let base = base.to_owned();
        Self::with(None, |options| Options { base, ..options })
    }

    /// Starts one that lives below a path of a product, and looks like it.
    pub(crate) fn branded(branding: Branding, base: &str) -> Self {
        let base = base.to_owned();
        Self::with(None, |options| Options { branding, base, ..options })
    }

    /// Starts one that pages of these origins may frame.
    pub(crate) fn framed_by(origins: &[&str], access: Policy) -> Self {
        let frame_ancestors = named(origins);
        Self::with(None, |options| Options { frame_ancestors, access, ..options })
    }

    /// The same, on a database that others use too.
    pub(crate) fn framed_on(database: &str, origins: &[&str], access: Policy) -> Self {
        let (database, frame_ancestors) = (database.to_owned(), named(origins));
        Self::with(None, |options| Options { database, frame_ancestors, access, ..options })
    }

    /// Starts one where people sign in, over TLS with this certificate and key.
    pub(crate) fn encrypted(certificate: &Path, key: &Path) -> Self {
        let tls = Tls::of(certificate, key).unwrap();
        let access = Policy::of(Mode::Password);
        Self::with(Some(tls), |options| Options { access, ..options })
    }

    /// Starts one whose own web component is called `overview`.
    pub(crate) fn reporting_itself() -> Self {
        let own = Identity {
            server: ServerName::parse("overview").unwrap(),
            product: None,
            version: "1.0".to_owned(),
            os: Os { name: "Debian GNU/Linux".to_owned(), version: "12".to_owned() },
            ip: [127, 0, 0, 1].into(),
            key_check: None,
            reporter: Reporter::Observer,
        };
        let own = Some((own, vec![Role::Web]));
        Self::with(None, |options| Options { own, ..options })
    }

    /// Starts one that is called `overview`, dials services, may be framed, and takes in ten servers.
    pub(crate) fn dialling(access: Policy) -> Self {
        let dials_as = Some("overview".to_owned());
        let frame_ancestors = named(&["https://product.example"]);
        Self::with(None, |options| Options {
            access,
            dials_as,
            frame_ancestors,
            max_servers: 10,
            ..options
        })
    }

    /// Starts one where people sign in.
    pub(crate) fn guarded() -> Self {
        Self::of(Policy::of(Mode::Password))
    }

    /// Starts one with this policy.
    pub(crate) fn of(access: Policy) -> Self {
        Self::with(None, |options| Options { access, ..options })
    }

    /// Starts one on a database that others use too.
    pub(crate) fn on(database: &str, access: Policy) -> Self {
        let database = database.to_owned();
        Self::with(None, |options| Options { database, access, ..options })
    }

    /// Starts one that takes in so many servers at most.
    pub(crate) fn with_room_for(max_servers: usize) -> Self {
        Self::with(None, |options| Options { max_servers, ..options })
    }

    /// Starts one with other options than those of one that reports nothing, on a file of its own.
    fn with(tls: Option<Tls>, other: impl FnOnce(Options) -> Options) -> Self {
        let folder = folder();
        let options = other(Options {
            join_token: Some(Hash::of(TOKEN)),
            ..Options::of(address(&folder), Policy::open())
        });
        let database = options.database.clone();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let runtime = Runtime::new().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (address, site, served) = runtime.block_on(async {
            let site: Arc<Site> = Site::open(options).await.unwrap();
            let kept = Arc::clone(&site);
            let socket = listen::bind(([127, 0, 0, 1], 0).into()).unwrap();
            let address = socket.local_addr().unwrap();
            let listener = Listener { socket, tls };
            let served = tokio::spawn(cluster_overview::serve(listener, site, async {
                let _ = stopped.await;
            }));
            (address, kept, served)
        });
        let url = format!("{scheme}://{address}");
        Self { url, folder, database, site, stop: Some(stop), served, runtime: Some(runtime) }
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(Duration::from_secs(20)))
            // What a certificate must be is told by stories of their own.
            .tls_config(TlsConfig::builder().disable_verification(true).build())
            .build()
            .into();
        let mut request =
            axum::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = agent.run(request.body(body.to_vec()).unwrap()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], &[])
    }

    pub(crate) fn json(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.send(method, path, &headers, body.to_string().as_bytes())
    }

    pub(crate) fn beat_raw(&self, body: &[u8]) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        self.send("POST", "/api/v1/heartbeats", &headers, body)
    }

    pub(crate) fn beat(&self, heartbeat: &Value) -> Answer {
        self.beat_raw(heartbeat.to_string().as_bytes())
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn end(mut self) {
        drop(self.stop.take());
        let runtime = self.runtime.take().unwrap();
        runtime.block_on(&mut self.served).unwrap();
        self.runtime = Some(runtime);
    }

    pub(crate) fn overview(&self) -> Value {
        self.get("/api/v1/overview").body
    }

    /// Asks again until the overview is as wanted; says how it was if it never is.
    pub(crate) fn overview_when(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..400 {
            last = self.overview();
            if wanted(&last) {
                return last;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("the overview never became as wanted; at last it was {last:#}");
    }

    /// The database's address, for commands that work on it directly.
    pub(crate) fn database(&self) -> String {
        self.database.clone()
    }

    /// Takes the database away from the overview for as long as the returned value lives.
    pub(crate) fn lock_database(&self) -> Locked {
        let runtime = Runtime::new().unwrap();
        let address = self.database.clone();
        let away =
            runtime.block_on(async { Beside::open(&address).await.unwrap().take_away().await });
        Locked { away: Some(away.unwrap()), runtime }
    }

    /// The code that makes the first admin.
    pub(crate) fn setup_code(&self) -> String {
        self.offered_setup().unwrap()
    }

    /// The same, if one is offered.
    pub(crate) fn offered_setup(&self) -> Option<String> {
        let runtime = self.runtime.as_ref().unwrap();
        let code = runtime.block_on(self.site.offer_setup()).unwrap();
        code.map(|code| code.reveal().to_owned())
    }

    /// A token made on the database, as soon as the overview knows it.
    pub(crate) fn token(&self, role: &str) -> String {
        let by = Actor::command();
        let role = TokenRole::parse(role).unwrap();
        let wish = Wish { role, name: format!("{} of a story", role.as_str()), expires: None };
        let (secret, token) = wish.made(&by, cluster_overview::clock::wall()).unwrap();
        let entry = Entry::done(&by, Action::CreateToken, "for a story");
        self.grant(&[Grant::Token(secret.hash(), token)], &entry);
        let bearer = format!("Bearer {}", secret.reveal());
        let path = if role == TokenRole::Join { "/api/v1/heartbeats" } else { "/api/v1/overview" };
        let method = if role == TokenRole::Join { "POST" } else { "GET" };
        // What another process writes is noticed within two seconds.
        let known = (0..400).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            self.send(method, path, &[("authorization", &bearer)], &[]).status != 401
        });
        assert!(known, "the overview never heard of the token");
        secret.reveal().to_owned()
    }

    /// What the audit has, newest first.
    pub(crate) fn audit(&self, admin: &str) -> Vec<Value> {
        let answer = self.send("GET", "/api/v1/audit", &bearer(admin), &[]);
        answer.body["entries"].as_array().unwrap().clone()
    }

    /// Who may ask for what, as the database has it.
    pub(crate) fn keyring(&self) -> Keyring {
        let address = self.database();
        let read = async { Beside::open(&address).await.unwrap().keyring().await.unwrap() };
        Runtime::new().unwrap().block_on(read)
    }

    /// Changes who may ask for what, beside the overview.
    pub(crate) fn grant(&self, grants: &[Grant], entry: &Entry) {
        let address = self.database();
        let granted = Runtime::new()
            .unwrap()
            .block_on(async { Beside::open(&address).await.unwrap().grant(grants, entry).await });
        assert!(granted.unwrap());
    }

    /// Timers as short as they may be, for stories in which time passes.
    pub(crate) fn hurry(&self) {
        let settings = json!({
            "load_balancing": false, "automatic_failover": false,
            "heartbeat_interval_s": 1, "stale_timeout_s": 3, "web_window_s": 60
        });
        assert_eq!(self.json("PUT", "/api/v1/settings", &settings).status, 200);
    }
}

fn named(origins: &[&str]) -> Vec<Ancestor> {
    origins.iter().map(|origin| Ancestor::parse(origin).unwrap()).collect()
}

/// A folder of one's own.
pub(crate) fn folder() -> std::path::PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("http-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn address(folder: &std::path::Path) -> String {
    format!("sqlite:{}", folder.join("overview.db").display())
}

/// Somebody else's hold on the database.
pub(crate) struct Locked {
    away: Option<Away>,
    runtime: Runtime,
}

impl Drop for Locked {
    fn drop(&mut self) {
        if let Some(away) = self.away.take() {
            self.runtime.block_on(away.give_back()).unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(2));
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The headers that prove somebody by a token.
pub(crate) fn bearer(token: &str) -> Vec<(&'static str, &'static str)> {
    // A few dozen bytes for the length of a story.
    vec![("authorization", format!("Bearer {token}").leak())]
}

/// A heartbeat as the contract shows it.
pub(crate) fn heartbeat(server: &str, role: &str, sequence: i64) -> Value {
    json!({
        "server": server, "role": role, "product": "ProGet", "version": "2026.2.1",
        "os": {"name": "Debian GNU/Linux", "version": "12"}, "ip": "10.0.0.11",
        "boot_id": BOOT, "sequence": sequence,
        "sent_at": null, "key_check": "9f".repeat(32), "machine_key_check": null,
        "messenger_port": null, "leaving": false
    })
}

/// The heartbeat with one field otherwise.
pub(crate) fn with(mut heartbeat: Value, field: &str, value: Value) -> Value {
    heartbeat[field] = value;
    heartbeat
}

/// The component of a server in the overview.
pub(crate) fn component<'a>(overview: &'a Value, server: &str, role: &str) -> Option<&'a Value> {
    overview["servers"].as_array()?.iter().find(|found| found["name"] == server)?["components"]
        .as_array()?
        .iter()
        .find(|found| found["role"] == role)
}
