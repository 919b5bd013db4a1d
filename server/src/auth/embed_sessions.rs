//! Embed sessions: a product shows the overview to its own users, in a frame within its pages.
//!
//! The product's back end fetches a one-time code with its token. The user's browser redeems the code for a session,
//! within a minute.

use app::cluster::FieldError;
use app::protocol::UserRole;

use crate::auth::AuthService;
use crate::auth::audit::{Action, Actor, AuditEntry, AuthMethod};
use crate::auth::model::{EmbedSession, parse_name};
use crate::auth::origin::RequestOrigin;
use crate::auth::secret::{Secret, SecretError, SecretHash};
use crate::auth::tokens::new_id;
use crate::store::{AccessChange, StoreError};

/// How many codes and sessions there may be: all of them are in memory.
const MAX_EMBED_SESSIONS: usize = 10_000;
/// How many of them one product's token may have, so that no product uses up all of them.
const MAX_EMBED_SESSIONS_PER_TOKEN: usize = 2_000;

/// The user for whom a product asks for a code.
#[derive(Clone, Debug)]
pub struct EmbedUser {
    /// The name in the product.
    pub name: String,
    pub role: UserRole,
}

/// Why there is no code or no session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EmbedError {
    #[error(
        "too many embed sessions are open, or too many were created at once; try again in a minute"
    )]
    TooMany,
    #[error("the product's token was revoked a moment ago; use another one")]
    TokenEnded,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Random(#[from] SecretError),
}

impl EmbedUser {
    /// # Errors
    /// The name is not one line of 1 to 100 characters.
    pub fn new(name: &str, role: UserRole) -> Result<Self, FieldError> {
        let name = parse_name(name).map_err(|error| FieldError::new("name", error.to_string()))?;
        Ok(Self { name, role })
    }
}

impl AuthService {
    /// Creates a code for a user of the product that has this token. Returns the session's ID and the code.
    pub(crate) async fn create_embed_session(
        &self,
        EmbedUser { name, role }: EmbedUser,
        token: SecretHash,
    ) -> Result<(String, Secret), EmbedError> {
        let auth_cache = self.live.auth_cache();
        let sessions = auth_cache.embed_sessions.values();
        let of_this_token = sessions.filter(|session| session.token == token).count();
        if auth_cache.embed_sessions.len() >= MAX_EMBED_SESSIONS
            || of_this_token >= MAX_EMBED_SESSIONS_PER_TOKEN
            || self.rate_limiter.check_embed(token, self.live.now()).is_err()
        {
            return Err(EmbedError::TooMany);
        }
        let (id, code, now) = (new_id()?, Secret::generate()?, self.store.now());
        let session = EmbedSession {
            id: id.clone(),
            name,
            role,
            token,
            created_at: now,
            redeemed_at: None,
            last_change_at: now,
        };
        let change = AccessChange::CreateEmbedSession(code.hash(), session);
        if self.change_access(&[change], None).await? {
            Ok((id, code))
        } else {
            Err(EmbedError::TokenEnded)
        }
    }

    /// Redeems a code for the secret of a session. `None` if the code was redeemed already, is too old, or never
    /// existed.
    pub(crate) async fn redeem_embed_code(
        &self,
        code: &str,
        origin: &RequestOrigin,
    ) -> Result<Option<Secret>, EmbedError> {
        let Some(code) = SecretHash::from_generated(code) else { return Ok(None) };
        self.live.refresh().await;
        let now = self.live.now();
        let auth_cache = self.live.auth_cache();
        let is_valid = |session: &&EmbedSession| {
            session.is_redeemable(now) && auth_cache.token(session.token, now).is_some()
        };
        let Some(session) = auth_cache.embed_sessions.get(&code).filter(is_valid) else {
            return Ok(None);
        };
        let secret = Secret::generate()?;
        let actor = Actor::new(session.name.clone(), AuthMethod::Host, origin);
        let change = AccessChange::RedeemEmbedCode { code, session: secret.hash() };
        let entry = AuditEntry::done(&actor, Action::SignIn, "within a product's page");
        // The database decides if two requests bring the same code at once.
        Ok(self.change_access(&[change], Some(&entry)).await?.then_some(secret))
    }

    /// Ends a session of the product that has this token; false if the product has no such session.
    pub(crate) async fn revoke_embed_session(
        &self,
        id: &str,
        token: SecretHash,
    ) -> Result<bool, StoreError> {
        self.live.refresh().await;
        let auth_cache = self.live.auth_cache();
        let is_own = |session: &EmbedSession| session.id == id && session.token == token;
        if !auth_cache.embed_sessions.values().any(is_own) {
            return Ok(false);
        }
        self.change_access(&[AccessChange::RevokeEmbedSession(id.to_owned())], None).await
    }
}
