//! Tokens and servers' credentials: made, renewed and revoked, each time written down.

use app::cluster::{ServerName, Timestamp};

use crate::auth::Access;
use crate::auth::audit::{Action, Actor, Entry, is_name};
use crate::auth::model::{Token, TokenRole};
use crate::auth::normalization::composed;
use crate::auth::secret::{Secret, SecretError};
use crate::store::{AccessChange, StoreError};

/// The longest name of a token, in characters.
const LONGEST_NAME: usize = 100;

/// What token is wanted.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What its bearer may.
    pub role: TokenRole,
    /// What it is for.
    pub name: String,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenChange {
    /// A name that is none.
    #[error("must have 1 to {LONGEST_NAME} characters, on one line")]
    Name,
    /// The person or token that creates it was removed or revoked meanwhile.
    #[error(
        "the person who creates this token was removed, or the token used for it was revoked, a moment ago"
    )]
    MakerEnded,
    /// The database does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no randomness.
    #[error(transparent)]
    Random(#[from] SecretError),
}

impl NewToken {
    /// A new token of this kind, and its secret.
    pub fn made(self, by: &Actor, at: Timestamp) -> Result<(Secret, Token), TokenChange> {
        let name = composed(self.name.trim());
        if !is_name(&name, LONGEST_NAME) {
            return Err(TokenChange::Name);
        }
        let token = Token {
            id: new_id()?,
            role: self.role,
            name: name.into_owned(),
            server: None,
            made: at,
            made_by: by.name.clone(),
            maker: by.maker.clone(),
            address: by.address,
            expires: self.expires,
            used: None,
            revoked: None,
        };
        Ok((Secret::new()?, token))
    }
}

/// How the audit names a token.
pub fn describe_token(token: &Token) -> String {
    match token.role {
        TokenRole::Node => format!("credential {} of {}", token.id, token.name),
        TokenRole::Join | TokenRole::Person(_) => {
            format!("{} token {} ({})", token.role.as_str(), token.name, token.id)
        }
    }
}

/// Names a token: 16 hex digits, at random.
pub(super) fn new_id() -> Result<String, SecretError> {
    let secret = Secret::new()?;
    Ok(secret.reveal().chars().take(16).collect())
}

impl Access {
    /// Makes a token; its secret is told this once.
    pub(crate) async fn create_token(
        &self,
        wish: NewToken,
        by: &Actor,
    ) -> Result<(Secret, Token), TokenChange> {
        let (secret, token) = wish.made(by, self.store.now())?;
        let entry = Entry::done(by, Action::CreateToken, describe_token(&token));
        let grant = AccessChange::Token(secret.hash(), token.clone());
        if self.grant(&[grant], Some(&entry)).await? {
            Ok((secret, token))
        } else {
            Err(TokenChange::MakerEnded)
        }
    }

    /// Revokes a token or a credential; false if there is none that is still good.
    pub(crate) async fn revoke_token(&self, id: &str, by: &Actor) -> Result<bool, StoreError> {
        self.live.refresh().await;
        let keyring = self.live.keyring();
        let Some(token) = keyring.tokens.values().find(|token| token.id == id) else {
            return Ok(false);
        };
        let entry = Entry::done(by, Action::RevokeToken, describe_token(token));
        self.grant(&[AccessChange::Revoke(id.to_owned())], Some(&entry)).await
    }

    /// Gives a server a credential of its own. Former ones stay good, for it may not have got this one; of many
    /// the oldest ends.
    pub(crate) async fn enrol(
        &self,
        server: ServerName,
        by: &Actor,
    ) -> Result<(Secret, Token), TokenChange> {
        let secret = Secret::new()?;
        let token = Token {
            id: new_id()?,
            role: TokenRole::Node,
            name: server.to_string(),
            server: Some(server),
            made: self.store.now(),
            made_by: by.name.clone(),
            maker: None,
            address: by.address,
            expires: None,
            used: None,
            revoked: None,
        };
        let entry = Entry::done(by, Action::Enrol, describe_token(&token));
        let grant = AccessChange::Token(secret.hash(), token.clone());
        if self.grant(&[grant], Some(&entry)).await? {
            Ok((secret, token))
        } else {
            Err(TokenChange::MakerEnded)
        }
    }
}
