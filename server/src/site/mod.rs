//! One overview: opens its parts, connects them, and closes them.

pub mod base_path;
pub mod branding;
pub mod frame_ancestors;
mod options;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use app::cluster::Span;
use app::i18n::Language;
use app::protocol::{Command, CommandResult};
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::branding::{Branding, BrandingError};
use self::frame_ancestors::Ancestor;
use crate::auth::AuthService;
use crate::auth::audit::Actor;
use crate::auth::secret::{SecretError, SecretHash};
use crate::auth::{SetupCodeText, SignInError};
use crate::commands::Commands;
use crate::files::reloaded::ReloadedFile;
use crate::ingest::Ingest;
use crate::live::LiveState;
use crate::messenger::{Dialer, LocalWebServer};
use crate::net::tls::Tls;
use crate::notify::{Channel, ClusterPage, Courier, PublicUrl};
use crate::past::Past;
use crate::self_report::SelfReporter;
use crate::store::{Store, StoreError};

pub use self::options::{MAX_SERVERS, Options};

/// How often the join token file is read.
const JOIN_TOKEN_PERIOD: Duration = Duration::from_secs(1);
/// How often the branding file is read.
const BRANDING_PERIOD: Duration = Duration::from_secs(5);

/// One overview: its database, its live state, its services and its options.
#[derive(Debug)]
pub struct Site {
    pub(crate) store: Arc<Store>,
    pub(crate) live: Arc<LiveState>,
    pub(crate) past: Past,
    pub(crate) intake: Ingest,
    pub(crate) own: Option<Arc<SelfReporter>>,
    pub(crate) auth: Arc<AuthService>,
    pub(crate) commands: Commands,
    pub(crate) dialer: Arc<Dialer>,
    /// The name of this web server to the services that it dials. `None`: it dials none.
    dials_as: Option<String>,
    /// Ends what does not end by itself, such as event streams.
    pub(crate) stopping: watch::Sender<bool>,
    /// The base path: empty, or `/x` without a slash at its end.
    pub(crate) base: String,
    pub(crate) admin_url: Option<String>,
    /// The language of the page; else what the browser prefers.
    pub(crate) language: Option<Language>,
    /// The `max-age` of HSTS, if it is sent.
    pub(crate) hsts: Option<Span>,
    /// The origins whose pages may frame the page.
    pub(crate) frame_ancestors: Vec<Ancestor>,
    /// The address on which this process listens, if it does so itself.
    listening: OnceLock<SocketAddr>,
    branding: RwLock<Arc<Branding>>,
    /// The page that messages link to.
    public_url: PublicUrl,
    /// How messages name the cluster.
    cluster_name: watch::Sender<String>,
    /// Tasks that run until it closes.
    background: Mutex<JoinSet<()>>,
}

/// The files of `serve` that are read again while it runs. Certificate and encryption key are read again where they are used.
#[derive(Debug, Default)]
pub struct FollowedFiles {
    pub join_token: Option<Arc<ReloadedFile<SecretHash, SecretError>>>,
    pub branding: Option<Arc<ReloadedFile<Branding, BrandingError>>>,
}

impl Site {
    /// Opens the database and starts the background tasks.
    pub async fn open(options: Options) -> Result<Arc<Self>, StoreError> {
        let tls = options.tls.clone();
        let site = Self::open_without_upkeep_checks(options).await?;
        let live = Arc::clone(&site.live);
        let certificate = move || tls.as_ref().and_then(Tls::certificate);
        let channels = site.commands.channels().map(|channel| channel.name.clone()).collect();
        site.background().spawn(async move { live.run_upkeep_checks(certificate, channels).await });
        Ok(site)
    }

    /// The same for a cluster that is simulated with all it needs.
    pub(crate) async fn open_without_upkeep_checks(
        options: Options,
    ) -> Result<Arc<Self>, StoreError> {
        // Leptos renders on this runtime; a second call in one process changes nothing.
        let _ = any_spawner::Executor::init_tokio();
        let store = Store::open_keeping(&options.database, options.keep_history).await?;
        let live = LiveState::load(Arc::clone(&store)).await?;
        // PostgreSQL may be unavailable at the start: the page shows that, and the overview waits for it.
        live.check_database()
            .await
            .or_else(|error| if store.is_shared() { Ok(()) } else { Err(error) })?;
        live.set_max_servers(options.max_servers);
        let intake = Ingest::start(Arc::clone(&live));
        let own =
            options.own.map(|(identity, roles)| SelfReporter::new(identity, roles, intake.clone()));
        if let Some(own) = &own {
            own.start().await;
            tokio::spawn(Arc::clone(own).run());
        }
        let mut background = JoinSet::new();
        let task = Arc::clone(&live);
        background.spawn(async move { task.run_database_checks().await });
        let task = Arc::clone(&live);
        background.spawn(async move { task.run_change_listener().await });
        let task = Arc::clone(&live);
        background.spawn(async move { task.run_rejection_writer().await });
        let task = Arc::clone(&live);
        background.spawn(async move { task.run_housekeeping().await });
        let task = Arc::clone(&live);
        background.spawn(async move { task.run_incident_judge().await });
        let task = Arc::clone(&store);
        background.spawn(async move { task.run_integrity_checks().await });
        let task = Arc::clone(&store);
        background.spawn(async move { task.run_checkpoints().await });
        if let Some(monitor) = options.ping_url {
            background.spawn(monitor.report(Arc::clone(&live)));
        }
        let public_url =
            options.public_url.unwrap_or_else(|| PublicUrl::of_this_host(&options.base));
        let (cluster_name, cluster) =
            watch::channel(public_url.cluster_name(options.branding.name()));
        let page = ClusterPage { url: public_url.clone(), cluster };
        let courier = |channel: &Channel| {
            Arc::new(Courier::new(Arc::clone(&live), channel.clone(), page.clone()))
        };
        let couriers: Vec<Arc<Courier>> = options.channels.iter().map(courier).collect();
        for courier in &couriers {
            background.spawn(Arc::clone(courier).run());
        }
        let auth =
            AuthService::new(options.auth, options.join_token, &options.base, Arc::clone(&live));
        let auth = Arc::new(auth);
        background.spawn(Arc::clone(&auth).run_use_recorder());
        let dialer = Arc::new(Dialer::new(
            Arc::clone(&live),
            intake.clone(),
            Arc::clone(&auth),
            options.dial_loopback,
            own.as_ref().map(|own| own.boot_id().to_owned()),
        ));
        let commands = Commands::new(Arc::clone(&live), Arc::clone(&dialer), couriers);
        let site = Arc::new(Self {
            store,
            past: Past::new(Arc::clone(&live)),
            live,
            intake,
            own,
            auth,
            dialer,
            commands,
            dials_as: options.dials_as,
            stopping: watch::Sender::new(false),
            base: options.base,
            admin_url: options.admin_url,
            language: options.language,
            hsts: options.hsts,
            frame_ancestors: options.frame_ancestors,
            listening: OnceLock::new(),
            branding: RwLock::new(Arc::new(options.branding)),
            public_url,
            cluster_name,
            background: Mutex::new(background),
        });
        Ok(site)
    }

    /// Reads these files again and again, and uses their new content whenever it changes.
    pub fn follow_files(self: &Arc<Self>, files: FollowedFiles) {
        if let Some(file) = files.join_token {
            let site = Arc::clone(self);
            self.background().spawn(
                file.follow(JOIN_TOKEN_PERIOD, move |token| site.auth.set_join_token(token)),
            );
        }
        if let Some(file) = files.branding {
            let site = Arc::clone(self);
            self.background().spawn(file.follow(BRANDING_PERIOD, move |branding| {
                let name = site.public_url.cluster_name(branding.name());
                site.cluster_name.send_replace(name);
                let mut used = site.branding.write().unwrap_or_else(PoisonError::into_inner);
                *used = Arc::new(branding);
            }));
        }
    }

    /// The branding that is in use now.
    pub(crate) fn branding(&self) -> Arc<Branding> {
        Arc::clone(&self.branding.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the database cannot be read and written.
    pub fn is_blind(&self) -> bool {
        self.live.is_blind()
    }

    /// Creates a set-up code for the first admin. `None` if there is an admin already.
    pub async fn create_setup_code(&self) -> Result<Option<SetupCodeText>, SignInError> {
        self.auth.create_setup_code().await
    }

    /// Runs an admin's command and writes it to the audit log, both or neither.
    pub async fn act(&self, command: Command, by: &Actor) -> CommandResult {
        self.commands.run(command, by).await
    }

    /// Opens the messenger of this process's service component, so that the other web servers can dial it.
    pub async fn open_messenger(&self, port: u16) {
        // With SQLite there are no other web servers.
        if let Some(own) = self.own.clone().filter(|_| self.store.is_shared()) {
            own.open_messenger(port, Arc::clone(&self.auth)).await;
        }
    }

    /// Waits until the database can be read and written.
    pub async fn wait_until_readable(&self) {
        self.live.wait_until_readable().await;
    }

    /// The reporter of this process's own components, if they are reported.
    pub fn reporter(&self) -> Option<&SelfReporter> {
        self.own.as_deref()
    }

    /// The address on which this process listens; `None` in a product that nests it.
    pub(crate) fn listening(&self) -> Option<SocketAddr> {
        self.listening.get().copied()
    }

    /// Dials the services' messengers until it stops, if it has a name for that. `listening`: the address on which this process
    /// listens, which is never dialled.
    pub fn connect_to_services(self: &Arc<Self>, listening: SocketAddr) {
        self.listening.get_or_init(|| listening);
        if let Some(name) = self.dials_as.clone() {
            let local = LocalWebServer { name, listening };
            tokio::spawn(Arc::clone(&self.dialer).run(local, self.stopping.subscribe()));
        }
    }

    /// Ends what does not end by itself, such as event streams, so that a server can finish its requests before it stops.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Reports its own components as stopped and closes the database. Call it after the last request.
    pub async fn close(&self) {
        self.stop();
        self.dialer.stop().await;
        if let Some(own) = &self.own {
            own.stop().await;
        }
        // A write that has begun is finished, because it runs in a task of its own.
        self.background().abort_all();
        let store = Arc::clone(&self.store);
        self.live.with_write_lock(async move { store.close().await }).await;
    }

    fn background(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.background.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
