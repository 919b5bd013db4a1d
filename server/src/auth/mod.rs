//! Who asks, and how they prove it: sign-in, the product's proxy, tokens, servers' credentials.
//!
//! What each may is told in one place, where the routes are: `http/layers/authorize.rs`.

pub mod audit;
pub mod cache;
pub mod cookie;
mod embed_sessions;
mod host_auth;
pub mod identity;
pub mod model;
mod normalization;
pub mod origin;
pub mod password;
pub mod proxy;
pub mod rate_limit;
pub mod secret;
mod sign_in;
pub mod startup_warnings;
mod tokens;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use app::cluster::{ServerName, Span, Timestamp};
use axum::http::{HeaderMap, HeaderName};

use crate::auth::model::Token;
use crate::auth::origin::Origin;
use crate::auth::password::Passwords;
use crate::auth::proxy::trusted::Proxies;
use crate::auth::proxy::unnamed::UnnamedProxyWarning;
use crate::auth::proxy::unreadable::UnreadableForwardingWarning;
use crate::auth::rate_limit::Limits;
use crate::auth::secret::Hash;
use crate::live::LiveState;
use crate::store::Store;

pub(crate) use crate::auth::embed_sessions::EmbedRefusal;
pub use crate::auth::embed_sessions::Invitation;
pub use crate::auth::host_auth::{Authenticate, Host, HostPerson};
pub use crate::auth::normalization::composed;
pub use crate::auth::sign_in::{SetupCodeText, SignIn, SignInError, Signed, new_account};
pub use crate::auth::tokens::{NewToken, TokenChange, describe_token};

/// How often the last uses of tokens are written to the database.
const USES_PERIOD: Duration = Duration::from_mins(1);
/// How often a token's last use is written down at most.
const USES_EVERY: Span = Span::minutes(10);

/// How people prove who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Not at all: whoever reaches the listener may look and change. Loopback only.
    Open,
    /// By name and password.
    Password,
    /// The product's proxy says who it is.
    Proxy {
        /// The header with the person's name.
        user: HeaderName,
        /// The header with their roles.
        role: HeaderName,
    },
    /// The host product that nests the overview knows who it is.
    Host(Host),
}

/// What a site is told of access at its start.
#[derive(Clone, Debug)]
pub struct Policy {
    /// How people prove who they are.
    pub mode: Mode,
    /// The proxies whose word is taken.
    pub proxies: Proxies,
    /// Whether heartbeats want a credential: the join token then only enrols.
    pub require_enrolment: bool,
    /// Whether anybody may read the metrics.
    pub metrics_public: bool,
}

impl Policy {
    /// Nobody signs in: for a loopback listener.
    pub fn open() -> Self {
        Self::of(Mode::Open)
    }

    /// This mode, and nothing beyond what it needs.
    pub fn of(mode: Mode) -> Self {
        let proxies = Proxies::default();
        Self { mode, proxies, require_enrolment: false, metrics_public: false }
    }
}

/// What the doors need to know beside the keyring.
#[derive(Debug)]
pub struct Access {
    store: Arc<Store>,
    live: Arc<LiveState>,
    /// What it was told at its start.
    pub(crate) policy: Policy,
    /// What nodes prove themselves with at first contact.
    join_token: RwLock<Option<Hash>>,
    /// What the cookie of this overview is called, without its prefix.
    cookie: String,
    base: String,
    limits: Limits,
    unnamed_proxies: UnnamedProxyWarning,
    unread_proxies: UnreadableForwardingWarning,
    passwords: Passwords,
    /// Tokens' last uses that are not written down yet.
    uses: Mutex<HashMap<String, Timestamp>>,
}

/// How many credentials of a server, and how many join tokens, a node is thought to bear.
const MOST_BORNE: usize = 3;

impl Access {
    /// Access below `base` to the cluster with this database.
    pub fn new(policy: Policy, join_token: Option<Hash>, base: &str, live: Arc<LiveState>) -> Self {
        let store = Arc::clone(live.store());
        let database_id = store.name();
        Self {
            store,
            live,
            policy,
            join_token: RwLock::new(join_token),
            // Cookies know no ports: two overviews on one machine must not share one.
            cookie: format!("cluster-overview-{}", database_id.get(..8).unwrap_or(&database_id)),
            base: base.to_owned(),
            limits: Limits::default(),
            unnamed_proxies: UnnamedProxyWarning::default(),
            unread_proxies: UnreadableForwardingWarning::default(),
            passwords: Passwords::default(),
            uses: Mutex::default(),
        }
    }

    /// What nodes prove themselves with at first contact, beside the join tokens in the database.
    fn join_token(&self) -> Option<Hash> {
        *self.join_token.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it is this one, and the former one proves nothing.
    pub(crate) fn set_join_token(&self, token: Hash) {
        *self.join_token.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    /// What a server's components may bear: its credentials, the newest first, then the join tokens.
    pub(crate) fn borne_by(&self, server: &ServerName) -> Vec<Hash> {
        let (keyring, now) = (self.live.keyring(), self.live.now());
        let joins = keyring.join_tokens(now).into_iter().take(MOST_BORNE);
        let own = keyring.credentials_of(server, now).into_iter().take(MOST_BORNE);
        own.chain(self.join_token()).chain(joins).collect()
    }

    /// Warns, now and then, of a proxy that forwards this request and is not trusted, or cannot be read.
    pub(crate) fn notice_proxy(&self, origin: &Origin, headers: &HeaderMap) {
        // A host product knows its own proxies.
        if !matches!(self.policy.mode, Mode::Host(_)) {
            self.unnamed_proxies.notice(origin);
            self.unread_proxies.notice(origin, headers);
        }
    }

    /// Somebody proved themselves by this token.
    fn note_use(&self, token: &Token, now: Timestamp) {
        if token.used.is_none_or(|used| now - used >= USES_EVERY) {
            let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
            uses.entry(token.id.clone()).or_insert(now);
        }
    }

    /// Writes down, once a minute, which tokens were used, until it is dropped.
    pub(crate) async fn run_use_recorder(self: Arc<Self>) {
        let mut minutes = tokio::time::interval(USES_PERIOD);
        loop {
            minutes.tick().await;
            let uses = self.take_uses();
            // While the database cannot be written, a use more or less is not missed.
            if self.live.is_blind() || (uses.is_empty() && !self.store.is_shared()) {
                continue;
            }
            // What another web server wrote just before its clock's last minute is read twice.
            let since = self.store.now() - Span::minutes(3);
            if let Err(error) = self.live.note_uses(uses, since).await {
                tracing::warn!(%error, "when tokens were last used was not written down");
            }
        }
    }

    /// The uses noted since this was last asked.
    fn take_uses(&self) -> Vec<(String, Timestamp)> {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        uses.drain().collect()
    }
}
