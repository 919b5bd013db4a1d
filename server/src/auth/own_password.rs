//! People change their own passwords.

use crate::auth::audit::{Action, Actor, AuditEntry, AuthMethod};
use crate::auth::identity::User;
use crate::auth::model::TokenOwner;
use crate::auth::origin::RequestOrigin;
use crate::auth::password::PasswordMatch;
use crate::auth::rate_limit::AttemptOrigin;
use crate::auth::secret::SecretHash;
use crate::auth::sign_in::limited;
use crate::auth::{AuthService, SignInError};
use crate::store::AccessChange;

/// What somebody enters to change their password.
pub(crate) struct PasswordChange {
    pub(crate) current: String,
    pub(crate) new: String,
}

impl User {
    /// The key of the account and the session of somebody who signed in here with a password.
    pub(crate) fn own_account(&self) -> Option<(&str, SecretHash)> {
        match (self.auth_method, &self.owner, self.session) {
            (AuthMethod::Session, Some(TokenOwner::User(name_key)), Some(session)) => {
                Some((name_key, session))
            }
            _ => None,
        }
    }
}

impl AuthService {
    /// Changes the password of this account, and ends its sessions except for this one. `product`: the name of the
    /// product around the overview, which no password may be made of.
    pub(crate) async fn change_password(
        &self,
        (name_key, session): (&str, SecretHash),
        change: PasswordChange,
        origin: &RequestOrigin,
        product: Option<&str>,
    ) -> Result<(), SignInError> {
        self.live.refresh().await;
        let attempt = AttemptOrigin::new(origin, origin.client.is_some());
        let now = self.live.now();
        self.rate_limiter.check(name_key, attempt, now).map_err(SignInError::TooManyAttempts)?;
        let account = self.live.auth_cache().accounts.get(name_key).cloned();
        let account = account.ok_or(SignInError::WrongPassword)?;
        let PasswordChange { current, new } = change;
        let hash = Some(account.password.clone()).filter(|_| account.has_password());
        if self.passwords.verify(limited(current), hash).await? == PasswordMatch::No {
            self.record_refusal(Some(&account), Action::SetPassword, origin, "wrong password")
                .await;
            return Err(SignInError::WrongPassword);
        }
        let new = self.passwords.accept(limited(new), &account.name, product).await??;
        let change = AccessChange::ChangePassword {
            name_key: name_key.to_owned(),
            from: account.password.clone(),
            to: self.passwords.hash(new).await?,
            session,
        };
        let actor = Actor {
            session: Some(session),
            ..Actor::new(account.name.clone(), AuthMethod::Password, origin)
        };
        let entry = AuditEntry::done(&actor, Action::SetPassword, account.name);
        if !self.change_access(&[change], Some(&entry)).await? {
            return Err(SignInError::WrongPassword);
        }
        self.rate_limiter.reset(name_key, attempt);
        Ok(())
    }
}
