//! A running overview on a port of its own, and a client for it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use app::cluster::Source;
use app::cluster::{Os, Role, ServerName, Span};
use app::packed::unpack;
use app::protocol::OverviewDelta;
use cluster_overview::auth::audit::{Action, Actor, AuditEntry};
use cluster_overview::auth::cache::AuthCache;
use cluster_overview::auth::model::TokenRole;
use cluster_overview::auth::proxy::trusted::TrustedProxies;
use cluster_overview::auth::secret::SecretHash;
use cluster_overview::auth::{AuthMode, AuthPolicy, NewToken};
use cluster_overview::messenger::DialLoopback;
use cluster_overview::net::listener::{self, Listener};
use cluster_overview::net::tls::Tls;
use cluster_overview::notify::Channels;
use cluster_overview::self_report::SelfReport;
use cluster_overview::site::branding::Branding;
use cluster_overview::site::frame_ancestors::Ancestor;
use cluster_overview::store::AccessChange;
use cluster_overview::store::admin::{AdminStore, ExclusiveLock};
use cluster_overview::{Options, Site};
use serde_json::{Value, json};
use sqlx::Connection as _;
use testkit::{Folder, client_config, wait_until_ok};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use ureq::tls::TlsConfig;

pub(crate) use testkit::{Answer, BOOT, TOKEN, bearer_headers, folder, heartbeat, with_field};

/// Longer than it takes to notice a change that another process made in the database.
const NOTICED: Duration = Duration::from_secs(10);

/// A running overview. Dropping it stops it and deletes its files.
pub(crate) struct Running {
    pub(crate) url: String,
    database: String,
    site: Arc<Site>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
    runtime: Option<Runtime>,
    /// The last field, so that it is deleted after everything else has stopped.
    _folder: Folder,
}

impl Running {
    /// Starts an overview that reports no components of its own.
    pub(crate) fn start() -> Self {
        Self::below("")
    }

    /// Starts one with a base path.
    pub(crate) fn below(base: &str) -> Self {
        let base = base.to_owned();
        Self::start_with(None, |options| Options { base, ..options })
    }

    /// Starts one with a branding and a base path.
    pub(crate) fn branded(branding: Branding, base: &str) -> Self {
        let base = base.to_owned();
        Self::start_with(None, |options| Options { branding, base, ..options })
    }

    /// Starts one that pages of these origins may frame.
    pub(crate) fn framed_by(origins: &[&str], auth: AuthPolicy) -> Self {
        let frame_ancestors = named(origins);
        Self::start_with(None, |options| Options { frame_ancestors, auth, ..options })
    }

    /// The same, on a shared database.
    pub(crate) fn framed_on(database: &str, origins: &[&str], auth: AuthPolicy) -> Self {
        let (database, frame_ancestors) = (database.to_owned(), named(origins));
        Self::start_with(None, |options| Options { database, frame_ancestors, auth, ..options })
    }

    /// Starts one where people sign in, over TLS with this certificate and key.
    pub(crate) fn encrypted(certificate: &Path, key: &Path) -> Self {
        let tls = Tls::from_files(certificate, key).unwrap();
        let auth = AuthPolicy::new(AuthMode::Password);
        Self::start_with(Some(tls), |options| Options { auth, ..options })
    }

    /// Starts one over TLS on this database.
    pub(crate) fn encrypted_on(database: String, certificate: &Path, key: &Path) -> Self {
        let tls = Tls::from_files(certificate, key).unwrap();
        Self::start_with(Some(tls), |options| Options { database, ..options })
    }

    /// Starts one over TLS that asks browsers for it.
    pub(crate) fn asking_for_tls(certificate: &Path, key: &Path, hsts: Span) -> Self {
        let tls = Tls::from_files(certificate, key).unwrap();
        let proxies = TrustedProxies::parse(&["127.0.0.2".to_owned()]).unwrap();
        let auth = AuthPolicy { proxies, ..AuthPolicy::open() };
        Self::start_with(Some(tls), |options| Options { auth, hsts: Some(hsts), ..options })
    }

    /// Starts one where people sign in, behind these proxies.
    pub(crate) fn guarded_behind(proxies: &str) -> Self {
        let proxies = TrustedProxies::parse(&[proxies.to_owned()]).unwrap();
        Self::of(AuthPolicy { proxies, ..AuthPolicy::new(AuthMode::Password) })
    }

    /// Starts one whose own web component is called `overview`.
    pub(crate) fn reporting_itself() -> Self {
        let own = SelfReport {
            server: ServerName::parse("overview").unwrap(),
            product: None,
            version: "1.0".to_owned(),
            os: Os { name: "Debian GNU/Linux".to_owned(), version: "12".to_owned() },
            ip: [127, 0, 0, 1].into(),
            key: None,
            source: Source::Observer,
        };
        let own = Some((own, vec![Role::Web]));
        Self::start_with(None, |options| Options { own, ..options })
    }

    /// Starts one with the name `overview` that dials services, can be framed, and has a limit of ten servers.
    pub(crate) fn dialling(auth: AuthPolicy) -> Self {
        Self::telling(auth, Channels::default())
    }

    /// The same, with channels.
    pub(crate) fn telling(auth: AuthPolicy, channels: Channels) -> Self {
        let dials_as = Some("overview".to_owned());
        let frame_ancestors = named(&["https://product.example"]);
        Self::start_with(None, |options| Options {
            auth,
            dials_as,
            frame_ancestors,
            channels,
            max_servers: 10,
            ..options
        })
    }

    /// Starts one that dials services on its own machine like this.
    pub(crate) fn dialling_here(dial_loopback: DialLoopback) -> Self {
        let dials_as = Some("overview".to_owned());
        Self::start_with(None, |options| Options { dial_loopback, dials_as, ..options })
    }

    /// Starts one where people sign in.
    pub(crate) fn guarded() -> Self {
        Self::of(AuthPolicy::new(AuthMode::Password))
    }

    /// Starts one with this policy.
    pub(crate) fn of(auth: AuthPolicy) -> Self {
        Self::start_with(None, |options| Options { auth, ..options })
    }

    /// Starts one on a shared database.
    pub(crate) fn on(database: &str, auth: AuthPolicy) -> Self {
        let database = database.to_owned();
        Self::start_with(None, |options| Options { database, auth, ..options })
    }

    /// Starts one with a limit of servers.
    pub(crate) fn with_room_for(max_servers: usize) -> Self {
        Self::start_with(None, |options| Options { max_servers, ..options })
    }

    /// Starts one with the changed options, on a database file of its own.
    fn start_with(tls: Option<Tls>, other: impl FnOnce(Options) -> Options) -> Self {
        let folder = folder();
        let options = other(Options {
            tls: tls.clone(),
            join_token: Some(SecretHash::new(TOKEN)),
            ..Options::new(address(&folder), AuthPolicy::open())
        });
        let database = options.database.clone();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let runtime = Runtime::new().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (address, site, served) = runtime.block_on(async {
            let site: Arc<Site> = Site::open(options).await.unwrap();
            let kept = Arc::clone(&site);
            let socket = listener::bind(([127, 0, 0, 1], 0).into()).unwrap();
            let address = socket.local_addr().unwrap();
            let listener = Listener { socket, tls };
            let served = tokio::spawn(cluster_overview::serve(listener, site, async {
                let _ = stopped.await;
            }));
            (address, kept, served)
        });
        let url = format!("{scheme}://{address}");
        let stop = Some(stop);
        Self { url, database, site, stop, served, runtime: Some(runtime), _folder: folder }
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        // Other tests check certificates.
        let tls = TlsConfig::builder().disable_verification(true).build();
        let agent = client_config().tls_config(tls).build().into();
        let url = format!("{}{path}", self.url);
        testkit::send(&agent, method, &url, headers, body).unwrap()
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

    /// Sends a heartbeat as a proxy on this machine would.
    pub(crate) fn beat_by_proxy(&self, heartbeat: &Value) -> Answer {
        let bearer = format!("Bearer {TOKEN}");
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "application/json"),
            ("x-forwarded-for", "192.0.2.7"),
        ];
        self.send("POST", "/api/v1/heartbeats", &headers, heartbeat.to_string().as_bytes())
    }

    pub(crate) fn beat(&self, heartbeat: &Value) -> Answer {
        self.beat_raw(heartbeat.to_string().as_bytes())
    }

    /// Stops it, and waits until it has stopped.
    pub(crate) fn end(mut self) {
        drop(self.stop.take());
        let runtime = self.runtime.take().unwrap();
        runtime.block_on(&mut self.served).unwrap();
        self.runtime = Some(runtime);
    }

    pub(crate) fn overview(&self) -> Value {
        self.get("/api/v1/overview").body
    }

    /// Polls until the overview meets the condition. Fails with its last state.
    pub(crate) fn overview_when(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        wait_until_ok("the overview as wanted", NOTICED, || {
            let overview = self.overview();
            if wanted(&overview) { Ok(overview) } else { Err(format!("{overview:#}")) }
        })
    }

    /// The database address, for commands that use it directly.
    pub(crate) fn database(&self) -> String {
        self.database.clone()
    }

    /// Locks the database until the returned value is dropped.
    pub(crate) fn lock_database(&self) -> Locked {
        let runtime = Runtime::new().unwrap();
        let address = self.database.clone();
        let away = runtime
            .block_on(async { AdminStore::open(&address).await.unwrap().lock_exclusively().await });
        Locked { away: Some(away.unwrap()), runtime }
    }

    /// Executes a statement on its database, past it.
    pub(crate) fn change_database(&self, statement: &'static str) {
        Runtime::new().unwrap().block_on(async {
            let mut database = sqlx::SqliteConnection::connect(&self.database).await.unwrap();
            sqlx::query(statement).execute(&mut database).await.unwrap();
        });
    }

    /// The set-up code for the first admin.
    pub(crate) fn setup_code(&self) -> String {
        self.offered_setup().unwrap()
    }

    /// The same; `None` if there is an admin already.
    pub(crate) fn offered_setup(&self) -> Option<String> {
        let runtime = self.runtime.as_ref().unwrap();
        let code = runtime.block_on(self.site.create_setup_code()).unwrap();
        code.map(|code| code.reveal().to_owned())
    }

    /// Creates a token in the database, and waits until the overview knows it.
    /// What changed since this cursor, as a page asks for it with these headers.
    #[track_caller]
    pub(crate) fn poll(&self, headers: &[(&str, &str)], cursor: &str) -> OverviewDelta {
        let headers = [headers, &[("content-type", "application/json")]].concat();
        let body = json!({"cursor": cursor}).to_string();
        let answer = self.send("POST", "/fn/overview", &headers, body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.body);
        unpack(answer.body.as_str().unwrap()).unwrap()
    }

    pub(crate) fn token(&self, role: &str) -> String {
        let by = Actor::command();
        let role = TokenRole::parse(role).unwrap();
        let wish =
            NewToken { role, name: format!("{} of a story", role.as_str()), expires_at: None };
        let (secret, token) = wish.into_token(&by, cluster_overview::clock::wall()).unwrap();
        let entry = AuditEntry::done(&by, Action::CreateToken, "for a story");
        self.change_access(&[AccessChange::AddToken(secret.hash(), token)], &entry);
        let bearer = format!("Bearer {}", secret.reveal());
        let path = if role == TokenRole::Join { "/api/v1/heartbeats" } else { "/api/v1/overview" };
        let method = if role == TokenRole::Join { "POST" } else { "GET" };
        // The overview notices it within two seconds.
        wait_until_ok("the overview to know the token", NOTICED, || {
            let status = self.send(method, path, &[("authorization", &bearer)], &[]).status;
            if status == 401 { Err(status) } else { Ok(()) }
        });
        secret.reveal().to_owned()
    }

    /// The audit log, newest first.
    pub(crate) fn audit(&self, admin: &str) -> Vec<Value> {
        let answer = self.send("GET", "/api/v1/audit", &bearer_headers(admin), &[]);
        answer.body["entries"].as_array().unwrap().clone()
    }

    /// The accounts, tokens and sessions in the database.
    pub(crate) fn auth_cache(&self) -> AuthCache {
        let address = self.database();
        let read = async { AdminStore::open(&address).await.unwrap().auth_cache().await.unwrap() };
        Runtime::new().unwrap().block_on(read)
    }

    /// Changes accounts or tokens in the database, as another process would.
    pub(crate) fn change_access(&self, grants: &[AccessChange], entry: &AuditEntry) {
        let address = self.database();
        let granted = Runtime::new().unwrap().block_on(async {
            AdminStore::open(&address).await.unwrap().change_access(grants, entry).await
        });
        assert!(granted.unwrap());
    }

    /// Sets the shortest timers, for tests in which time passes.
    pub(crate) fn use_short_timers(&self) {
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

fn address(folder: &std::path::Path) -> String {
    format!("sqlite:{}", folder.join("overview.db").display())
}

/// The lock of another process on the database.
pub(crate) struct Locked {
    away: Option<ExclusiveLock>,
    runtime: Runtime,
}

impl Drop for Locked {
    fn drop(&mut self) {
        if let Some(away) = self.away.take() {
            self.runtime.block_on(away.release()).unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(2));
        }
    }
}
pub(crate) fn component<'a>(overview: &'a Value, server: &str, role: &str) -> Option<&'a Value> {
    overview["servers"].as_array()?.iter().find(|found| found["name"] == server)?["components"]
        .as_array()?
        .iter()
        .find(|found| found["role"] == role)
}

/// What a browser sends with a form, and with requests of our own page.
pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
pub(crate) const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

/// What a browser sends with a navigation over plain HTTP.
pub(crate) const NAVIGATION: (&str, &str) =
    ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

/// Sends the form of the sign-in page, with more headers.
pub(crate) fn sign_in(
    overview: &Running,
    name: &str,
    password: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let form = format!("name={name}&password={}", password.replace(' ', "+"));
    overview.send("POST", "/sign-in", &[&[FORM, OWN], headers].concat(), form.as_bytes())
}

/// The cookie of an answer as a browser sends it back.
pub(crate) fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}
