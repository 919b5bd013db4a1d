//! Authentication: who sends a request, by password, session, token, the product's proxy or the host product.
//!
//! What each identity may do is decided in one place, next to the routes: `http/layers/permission.rs`.

pub mod audit;
pub mod cache;
pub mod cookie;
mod embed_sessions;
mod host_auth;
pub mod identity;
mod invitations;
pub mod model;
mod normalization;
pub mod origin;
mod own_password;
pub mod password;
mod people;
pub mod proxy;
pub mod rate_limit;
pub mod secret;
mod setup_code;
mod sign_in;
pub mod startup_warnings;
mod token_uses;
mod tokens;

use std::sync::{Arc, PoisonError, RwLock};

use app::cluster::ServerName;
use axum::http::{HeaderMap, HeaderName};

use crate::auth::origin::RequestOrigin;
use crate::auth::password::PasswordManager;
use crate::auth::proxy::trusted::TrustedProxies;
use crate::auth::proxy::unnamed::UnnamedProxyWarning;
use crate::auth::proxy::unreadable::UnreadableForwardingWarning;
use crate::auth::rate_limit::RateLimiter;
use crate::auth::secret::SecretHash;
use crate::auth::token_uses::TokenUses;
use crate::live::LiveState;
use crate::store::{AccessChange, Store, StoreError};

pub(crate) use crate::auth::embed_sessions::EmbedError;
pub use crate::auth::embed_sessions::EmbedUser;
pub use crate::auth::host_auth::{Authenticate, HostAuth, HostUser};
pub(crate) use crate::auth::invitations::InvitationLink;
pub use crate::auth::normalization::composed;
pub(crate) use crate::auth::own_password::PasswordChange;
pub(crate) use crate::auth::people::PeopleError;
pub use crate::auth::setup_code::SetupCodeText;
pub use crate::auth::sign_in::{SignInError, SignInRequest, new_account};
pub use crate::auth::tokens::{NewToken, TokenError, describe_token};

/// How users are authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthMode {
    /// Not at all: everybody who reaches the listener is an admin. For loopback addresses only.
    Open,
    /// By name and password.
    Password,
    /// By the headers of a trusted proxy.
    Proxy {
        /// The header with the user's name.
        user: HeaderName,
        /// The header with the user's roles.
        role: HeaderName,
    },
    /// By the host product that nests the overview.
    Host(HostAuth),
}

/// Who may use a site, and how they are authenticated.
#[derive(Clone, Debug)]
pub struct AuthPolicy {
    pub mode: AuthMode,
    /// The proxies whose headers are believed.
    pub proxies: TrustedProxies,
    /// Whether heartbeats need a server's own credential. The join token then only enrols.
    pub require_enrolment: bool,
    /// Whether the metrics need no token.
    pub metrics_public: bool,
}

impl AuthPolicy {
    /// Nobody signs in: for a loopback listener.
    pub fn open() -> Self {
        Self::new(AuthMode::Open)
    }

    /// This mode, with no trusted proxies, no required enrolment and no public metrics.
    pub fn new(mode: AuthMode) -> Self {
        let proxies = TrustedProxies::default();
        Self { mode, proxies, require_enrolment: false, metrics_public: false }
    }
}

/// Authenticates requests, and changes accounts, sessions and tokens.
#[derive(Debug)]
pub struct AuthService {
    store: Arc<Store>,
    live: Arc<LiveState>,
    pub(crate) policy: AuthPolicy,
    /// The join token from the file of `serve`; those in the database are others.
    join_token: RwLock<Option<SecretHash>>,
    /// The name of the session cookie without its prefix.
    cookie: String,
    /// The base path: the path of the cookies.
    base: String,
    rate_limiter: RateLimiter,
    unnamed_proxies: UnnamedProxyWarning,
    unreadable_proxies: UnreadableForwardingWarning,
    passwords: PasswordManager,
    token_uses: TokenUses,
}

/// How many credentials of a server, and how many join tokens, are tried as the secret of its messenger.
const MAX_CANDIDATES_PER_KIND: usize = 3;

impl AuthService {
    pub fn new(
        policy: AuthPolicy,
        join_token: Option<SecretHash>,
        base: &str,
        live: Arc<LiveState>,
    ) -> Self {
        let store = Arc::clone(live.store());
        let database_id = store.name();
        Self {
            store,
            live,
            policy,
            join_token: RwLock::new(join_token),
            // Cookies ignore ports: two overviews on one machine must not share one.
            cookie: format!("cluster-overview-{}", database_id.get(..8).unwrap_or(&database_id)),
            base: base.to_owned(),
            rate_limiter: RateLimiter::default(),
            unnamed_proxies: UnnamedProxyWarning::default(),
            unreadable_proxies: UnreadableForwardingWarning::default(),
            passwords: PasswordManager::default(),
            token_uses: TokenUses::default(),
        }
    }

    fn join_token(&self) -> Option<SecretHash> {
        *self.join_token.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the join token: the former one is invalid from now on.
    pub(crate) fn set_join_token(&self, token: SecretHash) {
        *self.join_token.write().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    /// The secrets that a server's components may have: its credentials, the newest first, then the join tokens.
    pub(crate) fn candidate_secrets(&self, server: &ServerName) -> Vec<SecretHash> {
        let (auth_cache, now) = (self.live.auth_cache(), self.live.now());
        let joins = auth_cache.join_tokens(now).into_iter().take(MAX_CANDIDATES_PER_KIND);
        let own = auth_cache.credentials_of(server, now).into_iter().take(MAX_CANDIDATES_PER_KIND);
        own.chain(self.join_token()).chain(joins).collect()
    }

    /// Warns of a proxy that forwards this request and is not trusted, or whose headers cannot be read.
    pub(crate) fn warn_of_proxy(&self, origin: &RequestOrigin, headers: &HeaderMap) {
        // A host product knows its own proxies.
        if !matches!(self.policy.mode, AuthMode::Host(_)) {
            self.unnamed_proxies.notice(origin);
            self.unreadable_proxies.notice(origin, headers);
        }
    }

    /// Writes changes, and an entry in the audit log, in one transaction; false if there was nothing to change.
    async fn change_access(
        &self,
        changes: &[AccessChange],
        entry: Option<&audit::AuditEntry>,
    ) -> Result<bool, StoreError> {
        let (changes, entry, slot) =
            (changes.to_vec(), entry.cloned(), self.live.reserve_change_slot()?);
        let change = self.live.change(|store| async move {
            let _slot = slot;
            let commit = store.change_access(&changes, entry.as_ref()).await?;
            Ok((commit.is_some(), commit))
        });
        change.await
    }
}
