//! One overview: opens its parts, holds them, and closes them.

pub mod base_path;
pub mod branding;
pub mod frame_ancestors;
mod options;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use app::cluster::Span;
use app::i18n::Language;
use app::protocol::{Command, CommandResult};
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::branding::{Branding, BrandingError};
use self::frame_ancestors::Ancestor;
use crate::auth::Access;
use crate::auth::audit::Actor;
use crate::auth::secret::{Hash, SecretError};
use crate::auth::{SetupCodeText, SignInError};
use crate::commands::Commands;
use crate::files::kept::Kept;
use crate::ingest::Ingest;
use crate::live::LiveState;
use crate::messenger::{Dialer, Here};
use crate::self_report::Reporter;
use crate::store::{Store, StoreError};

pub use self::options::{MAX_SERVERS, Options};

/// How soon a changed join token counts: within two of the shortest heartbeat intervals.
const JOIN_TOKEN_PERIOD: Duration = Duration::from_secs(1);
/// How soon a changed branding is shown.
const BRANDING_PERIOD: Duration = Duration::from_secs(5);

/// One overview: its database, its live picture and what it was told at its start.
#[derive(Debug)]
pub struct Site {
    pub(crate) store: Arc<Store>,
    pub(crate) live: Arc<LiveState>,
    pub(crate) intake: Ingest,
    pub(crate) own: Option<Arc<Reporter>>,
    pub(crate) access: Arc<Access>,
    pub(crate) commands: Commands,
    pub(crate) dialer: Arc<Dialer>,
    /// The name under which it dials services.
    dials_as: Option<String>,
    /// Whether it has been asked to stop: what never ends by itself ends then.
    pub(crate) stopping: watch::Sender<bool>,
    /// Where it lives below its host: empty, or `/x` without a slash at its end.
    pub(crate) base: String,
    pub(crate) admin_url: Option<String>,
    /// The language it speaks; else each browser's.
    pub(crate) language: Option<Language>,
    /// For how long browsers are asked to come over TLS only, if it speaks TLS itself.
    pub(crate) hsts: Option<Span>,
    /// Whose pages may frame it.
    pub(crate) frame_ancestors: Vec<Ancestor>,
    /// What it borrows from the product it lives in.
    branding: RwLock<Arc<Branding>>,
    /// What works until it closes.
    background: Mutex<JoinSet<()>>,
}

/// The files of `serve` that may change while it runs. Its certificate and its encryption key are read again where
/// they are used.
#[derive(Debug, Default)]
pub struct FollowedFiles {
    /// What nodes prove themselves with at first contact.
    pub join_token: Option<Arc<Kept<Hash, SecretError>>>,
    /// What the page borrows from its product.
    pub branding: Option<Arc<Kept<Branding, BrandingError>>>,
}

impl Site {
    /// Opens the database and starts what works in the background.
    pub async fn open(options: Options) -> Result<Arc<Self>, StoreError> {
        // Leptos renders on this runtime; a second call in one process changes nothing.
        let _ = any_spawner::Executor::init_tokio();
        let store = Store::open(&options.database).await?;
        let live = LiveState::load(Arc::clone(&store)).await?;
        // A server's database need not be there yet: the page says so.
        live.check_database()
            .await
            .or_else(|error| if store.is_shared() { Ok(()) } else { Err(error) })?;
        live.limit_servers(options.max_servers);
        let intake = Ingest::start(Arc::clone(&live));
        let own =
            options.own.map(|(identity, roles)| Reporter::new(identity, roles, intake.clone()));
        if let Some(own) = &own {
            own.arrive().await;
            tokio::spawn(Arc::clone(own).live());
        }
        let mut background = JoinSet::new();
        let looking = Arc::clone(&live);
        background.spawn(async move { looking.run_database_checks().await });
        let hearing = Arc::clone(&live);
        background.spawn(async move { hearing.run_change_listener().await });
        let kept = Arc::clone(&live);
        background.spawn(async move { kept.run_housekeeping().await });
        let examined = Arc::clone(&store);
        background.spawn(async move { examined.run_integrity_checks().await });
        let shortened = Arc::clone(&store);
        background.spawn(async move { shortened.run_checkpoints().await });
        let access =
            Access::new(options.access, options.join_token, &options.base, Arc::clone(&live));
        let access = Arc::new(access);
        background.spawn(Arc::clone(&access).run_use_recorder());
        let dialer = Arc::new(Dialer::new(
            Arc::clone(&live),
            intake.clone(),
            Arc::clone(&access),
            options.dial_loopback,
            own.as_ref().map(|own| own.boot_id().to_owned()),
        ));
        let commands = Commands::new(Arc::clone(&live), Arc::clone(&dialer));
        let site = Arc::new(Self {
            store,
            live,
            intake,
            own,
            access,
            dialer,
            commands,
            dials_as: options.dials_as,
            stopping: watch::Sender::new(false),
            base: options.base,
            admin_url: options.admin_url,
            language: options.language,
            hsts: options.hsts,
            frame_ancestors: options.frame_ancestors,
            branding: RwLock::new(Arc::new(options.branding)),
            background: Mutex::new(background),
        });
        Ok(site)
    }

    /// Reads these files again and again, and uses what they hold whenever it changes.
    pub fn follow_files(self: &Arc<Self>, files: FollowedFiles) {
        if let Some(file) = files.join_token {
            let site = Arc::clone(self);
            self.background().spawn(
                file.follow(JOIN_TOKEN_PERIOD, move |token| site.access.set_join_token(token)),
            );
        }
        if let Some(file) = files.branding {
            let site = Arc::clone(self);
            self.background().spawn(file.follow(BRANDING_PERIOD, move |branding| {
                let mut used = site.branding.write().unwrap_or_else(PoisonError::into_inner);
                *used = Arc::new(branding);
            }));
        }
    }

    /// What it borrows from its product now.
    pub(crate) fn branding(&self) -> Arc<Branding> {
        Arc::clone(&self.branding.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the database cannot be read and written.
    pub fn is_blind(&self) -> bool {
        self.live.is_blind()
    }

    /// A new code that makes the first admin, if there is none yet.
    pub async fn offer_setup(&self) -> Result<Option<SetupCodeText>, SignInError> {
        self.access.offer_setup().await
    }

    /// Does what an admin wants, whole or not at all, and records who wanted it.
    pub async fn act(&self, command: Command, by: &Actor) -> CommandResult {
        self.commands.act(command, by).await
    }

    /// Lets the other web servers of the cluster dial the service in this process, at this port.
    pub async fn listen_as_service(&self, port: u16) {
        // Where nobody else is, nothing is opened.
        if let Some(own) = self.own.clone().filter(|_| self.store.is_shared()) {
            own.listen_as_service(port, Arc::clone(&self.access)).await;
        }
    }

    /// Waits until the database can be read and written.
    pub async fn wait_until_readable(&self) {
        self.live.wait_until_readable().await;
    }

    /// What reports the components of this process, if it does.
    pub fn reporter(&self) -> Option<&Reporter> {
        self.own.as_deref()
    }

    /// Dials the services' messengers under the name it was given, until it stops. `listening` is
    /// where this process listens: its own port on this machine is never dialled.
    pub fn connect_to_services(self: &Arc<Self>, listening: SocketAddr) {
        if let Some(name) = self.dials_as.clone() {
            let here = Here { name, listening };
            tokio::spawn(Arc::clone(&self.dialer).run(here, self.stopping.subscribe()));
        }
    }

    /// Ends what would never end by itself, as the stream: a server that finishes its requests before it
    /// stops need not wait for that.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Reports its own components as stopped, and closes the database, once no more requests are answered.
    pub async fn close(&self) {
        self.stop();
        self.dialer.hang_up().await;
        if let Some(own) = &self.own {
            own.leave().await;
        }
        // What is being written is written to its end: only the next round does not begin.
        self.background().abort_all();
        let store = Arc::clone(&self.store);
        self.live.with_write_lock(async move { store.close().await }).await;
    }

    fn background(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.background.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
