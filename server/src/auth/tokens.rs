//! Creates and revokes tokens and servers' credentials, each with an entry in the audit log.

use app::cluster::{ServerName, Timestamp};

use crate::auth::AuthService;
use crate::auth::audit::{Action, Actor, AuditEntry};
use crate::auth::model::{NameError, Token, TokenRole, parse_name};
use crate::auth::secret::{Secret, SecretError, SecretHash};
use crate::store::{AccessChange, StoreError};

/// A token to create.
#[derive(Clone, Debug)]
pub struct NewToken {
    pub role: TokenRole,
    /// What it is for.
    pub name: String,
    pub expires_at: Option<Timestamp>,
}

/// Why a token was not created.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error(transparent)]
    InvalidName(#[from] NameError),
    #[error(
        "the user who creates this token was removed a moment ago, or the token that creates it was revoked; sign in again, or use another token"
    )]
    OwnerGone,
    #[error(
        "this form was sent before; nothing was created again. If you no longer have its token, create a new one"
    )]
    FormSentBefore,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Random(#[from] SecretError),
}

impl NewToken {
    /// The token as it is stored, and its secret.
    pub fn into_token(self, by: &Actor, at: Timestamp) -> Result<(Secret, Token), TokenError> {
        let token = Token {
            name: parse_name(&self.name)?,
            id: new_id()?,
            role: self.role,
            server: None,
            created_at: at,
            created_by: by.name.clone(),
            owner: by.owner.clone(),
            address: by.address,
            expires_at: self.expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        Ok((Secret::generate()?, token))
    }
}

/// The token as the audit log names it.
pub fn describe_token(token: &Token) -> String {
    match token.role {
        TokenRole::Server => format!("credential {} of {}", token.id, token.name),
        TokenRole::Join | TokenRole::User(_) => {
            format!("{} token {} ({})", token.role.as_str(), token.name, token.id)
        }
    }
}

/// A random ID of 16 hex digits.
pub(super) fn new_id() -> Result<String, SecretError> {
    let secret = Secret::generate()?;
    Ok(secret.reveal().chars().take(16).collect())
}

impl AuthService {
    /// Creates a token. Its secret cannot be read again later. `form`: the random text in the form that asked for it, which
    /// works once.
    pub(crate) async fn create_token(
        &self,
        new: NewToken,
        form: Option<SecretHash>,
        by: &Actor,
    ) -> Result<(Secret, Token), TokenError> {
        let (secret, token) = new.into_token(by, self.store.now())?;
        self.add_token(Action::CreateToken, (secret, token), form, by).await
    }

    /// Creates a credential for a server. Its former ones stay valid, because the server may not receive this one;
    /// of too many, the oldest is revoked.
    pub(crate) async fn enrol(
        &self,
        server: ServerName,
        by: &Actor,
    ) -> Result<(Secret, Token), TokenError> {
        let token = Token {
            id: new_id()?,
            role: TokenRole::Server,
            name: server.to_string(),
            server: Some(server),
            created_at: self.store.now(),
            created_by: by.name.clone(),
            owner: None,
            address: by.address,
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
        };
        self.add_token(Action::Enrol, (Secret::generate()?, token), None, by).await
    }

    async fn add_token(
        &self,
        action: Action,
        (secret, token): (Secret, Token),
        form: Option<SecretHash>,
        by: &Actor,
    ) -> Result<(Secret, Token), TokenError> {
        let entry = AuditEntry::done(by, action, describe_token(&token));
        let change = AccessChange::AddToken(secret.hash(), token.clone());
        let changes: Vec<AccessChange> =
            form.map(AccessChange::UseForm).into_iter().chain([change]).collect();
        if self.change_access(&changes, Some(&entry)).await? {
            return Ok((secret, token));
        }
        self.live.refresh().await;
        let (auth_cache, now) = (self.live.auth_cache(), self.live.now());
        let is_gone = by.owner.as_ref().is_some_and(|owner| !auth_cache.is_admin(owner, now));
        let was_sent = form.is_some() && !is_gone;
        Err(if was_sent { TokenError::FormSentBefore } else { TokenError::OwnerGone })
    }

    /// Revokes a token or a credential; false if there is none with this ID that is not revoked yet.
    pub(crate) async fn revoke_token(&self, id: &str, by: &Actor) -> Result<bool, StoreError> {
        self.live.refresh().await;
        let auth_cache = self.live.auth_cache();
        let Some(token) = auth_cache.tokens.values().find(|token| token.id == id) else {
            return Ok(false);
        };
        let entry = AuditEntry::done(by, Action::RevokeToken, describe_token(token));
        self.change_access(&[AccessChange::RevokeToken(id.to_owned())], Some(&entry)).await
    }
}
