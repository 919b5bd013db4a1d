//! What a browser may not know: the store, the intake, the watch, the routes, the nodes.
//!
//! A host product nests [`router`]; a program of its own calls [`serve`].

pub mod access;
mod acts;
pub mod agent;
mod back_off;
pub mod client;
pub mod clock;
pub mod config;
pub mod credential;
pub mod demo;
mod http;
pub mod intake;
pub mod listen;
pub mod messenger;
mod metrics;
pub mod node;
pub mod own;
pub mod report;
pub mod store;
pub mod watch;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use app::cluster::Role;
use tokio::sync::watch as signal;

use crate::access::secret::Hash;
use crate::access::{Access, Policy};
use crate::intake::Intake;
use crate::listen::Listener;
use crate::messenger::{Dialer, Here};
use crate::own::{Identity, Own};
use crate::store::{Store, StoreError};
use crate::watch::Watch;

/// One overview: its database, its live picture and what it was told at its start.
#[derive(Debug)]
pub struct Site {
    pub(crate) store: Arc<Store>,
    pub(crate) watch: Arc<Watch>,
    pub(crate) intake: Intake,
    pub(crate) own: Option<Arc<Own>>,
    pub(crate) access: Access,
    pub(crate) dialer: Dialer,
    /// The name under which it dials services.
    dials_as: Option<String>,
    /// Whether it has been asked to stop: what never ends by itself ends then.
    pub(crate) stopping: signal::Sender<bool>,
    /// Where it lives below its host: empty, or `/x` without a slash at its end.
    pub(crate) base: String,
    pub(crate) admin_url: Option<String>,
    /// The hash of the page's files: tells an open page that it is of another version.
    pub(crate) build: String,
    pub(crate) overview: http::overview::Cache,
    pub(crate) requests: metrics::Requests,
}

/// What a site is told at its start.
#[derive(Clone)]
pub struct Options {
    /// `sqlite:PATH`, or `postgres://USER@HOST/DATABASE`.
    pub database: String,
    /// What nodes prove themselves with, beside the join tokens in the database.
    pub join_token: Option<Hash>,
    /// Who may ask for what.
    pub access: Policy,
    /// Empty, or `/x` without a slash at its end.
    pub base: String,
    /// The target of the breadcrumb.
    pub admin_url: Option<String>,
    /// What it reports of itself, and which components.
    pub own: Option<(Identity, Vec<Role>)>,
    /// The web server's name, where it is to dial the services' messengers.
    pub dials_as: Option<String>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("database", &store::without_password(&self.database))
            .field("access", &self.access)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Site {
    /// Opens the database and starts what works in the background.
    pub async fn open(options: Options) -> Result<Arc<Self>, StoreError> {
        // Leptos renders on this runtime; a second call in one process changes nothing.
        let _ = any_spawner::Executor::init_tokio();
        let store = Arc::new(Store::open(&options.database).await?);
        let watch = Arc::new(Watch::load(Arc::clone(&store)).await?);
        // A server's database need not be there yet: the page says so.
        watch.look().await.or_else(|error| if store.is_shared() { Ok(()) } else { Err(error) })?;
        let intake = Intake::start(Arc::clone(&store), Arc::clone(&watch));
        let own = options.own.map(|(identity, roles)| Own::new(identity, roles, intake.clone()));
        if let Some(own) = &own {
            own.arrive().await;
            tokio::spawn(Arc::clone(own).live());
        }
        let looking = Arc::clone(&watch);
        tokio::spawn(async move { looking.keep_looking().await });
        let hearing = Arc::clone(&watch);
        tokio::spawn(async move { hearing.keep_hearing().await });
        let kept = Arc::clone(&watch);
        tokio::spawn(async move { kept.keep_house().await });
        let examined = Arc::clone(&store);
        tokio::spawn(async move { examined.keep_examining().await });
        let access = Access::new(options.access, options.join_token, &options.base, &store.name());
        let site = Arc::new(Self {
            store,
            watch,
            intake,
            own,
            access,
            dialer: Dialer::default(),
            dials_as: options.dials_as,
            stopping: signal::Sender::new(false),
            base: options.base,
            admin_url: options.admin_url,
            build: http::assets::hash(),
            overview: http::overview::Cache::default(),
            requests: metrics::Requests::default(),
        });
        tokio::spawn(Arc::clone(&site).note_uses());
        Ok(site)
    }

    /// Whether the database cannot be read and written.
    pub fn is_blind(&self) -> bool {
        self.watch.is_blind()
    }

    /// Waits until the database can be read and written.
    pub async fn in_sight(&self) {
        self.watch.in_sight().await;
    }

    /// Writes down, once a minute, which tokens were used.
    async fn note_uses(self: Arc<Self>) {
        let mut minutes = tokio::time::interval(std::time::Duration::from_mins(1));
        loop {
            minutes.tick().await;
            let uses = self.access.take_uses();
            // While the database cannot be written, a use more or less is not missed.
            if !uses.is_empty() && !self.watch.is_blind() {
                let _ = self.grant(&[store::Grant::Used(uses)], None).await;
            }
        }
    }
}

/// All routes of a site, its base path included.
pub fn router(site: Arc<Site>) -> axum::Router {
    http::router(site)
}

/// Serves a site on `listener` until `shutdown`: then takes no more requests, finishes those it has,
/// and says goodbye for its own components.
pub async fn serve(
    listener: impl Into<Listener>,
    site: Arc<Site>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    let listener = listener.into();
    let dialling = site.dials_as.clone().zip(listener.socket.local_addr().ok());
    let dialling = dialling.map(|(name, listening)| {
        tokio::spawn(Arc::clone(&site).keep_dialling(Here { name, listening }))
    });
    let stopping = Arc::clone(&site);
    let shutdown = async move {
        shutdown.await;
        stopping.stopping.send_replace(true);
    };
    listener.serve(router(Arc::clone(&site)), shutdown).await;
    if let Some(dialling) = dialling {
        dialling.abort();
        site.hang_up().await;
    }
    if let Some(own) = &site.own {
        own.leave().await;
    }
}
