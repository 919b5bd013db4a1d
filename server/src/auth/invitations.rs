//! Invitations: one-time links with which a new person, or one who forgot it, chooses a password.

use std::fmt;

use app::cluster::Timestamp;
use app::protocol::UserRole;

use crate::auth::audit::{Action, Actor, AuditEntry, AuthMethod};
use crate::auth::model::{Account, INVITATION_LIFETIME, Invitation, Session, parse_name};
use crate::auth::origin::RequestOrigin;
use crate::auth::rate_limit::AttemptOrigin;
use crate::auth::secret::{Secret, SecretHash};
use crate::auth::sign_in::limited;
use crate::auth::{AuthService, PeopleError, SignInError};
use crate::store::AccessChange;

/// A new invitation. Its code is shown only once.
pub(crate) struct InvitationLink {
    /// The person's name, as it is kept.
    pub(crate) name: String,
    code: Secret,
    pub(crate) expires_at: Timestamp,
}

impl fmt::Debug for InvitationLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InvitationLink").field("name", &self.name).finish_non_exhaustive()
    }
}

impl InvitationLink {
    /// The path with the code. The code is in the fragment, which browsers send to nobody, so that no log has it.
    pub(crate) fn path(&self) -> String {
        format!("/invitation#{}", self.code.reveal())
    }
}

impl AuthService {
    /// Invites somebody. `form`: the random text in the form that asked for it, which works once.
    pub(crate) async fn invite(
        &self,
        name: &str,
        role: UserRole,
        form: Option<SecretHash>,
        by: &Actor,
    ) -> Result<InvitationLink, PeopleError> {
        let name = parse_name(name)?;
        let (link, invitation) = self.new_invitation(name.clone())?;
        let target = format!("{name}, {}", role.as_str());
        let entry = AuditEntry::done(by, Action::Invite, target);
        let password = String::new();
        let account = Account { name, role, password, invitation: Some(invitation) };
        let change = AccessChange::InvitePerson(account);
        let changes = form.map(AccessChange::UseForm).into_iter().chain([change]).collect();
        self.change_person(&link.name, changes, entry).await?;
        Ok(link)
    }

    /// Creates a link with which a person chooses another password. The present one works until then, and a former link
    /// no longer does.
    pub(crate) async fn reset_password(
        &self,
        name: &str,
        form: Option<SecretHash>,
        by: &Actor,
    ) -> Result<InvitationLink, PeopleError> {
        let (name_key, account) = self.person(name).await?;
        let (link, invitation) = self.new_invitation(account.name)?;
        let entry = AuditEntry::done(by, Action::ResetPassword, &link.name);
        let change = AccessChange::SetInvitation { name_key, invitation };
        let changes = form.map(AccessChange::UseForm).into_iter().chain([change]).collect();
        self.change_person(&link.name, changes, entry).await?;
        Ok(link)
    }

    /// The person whom a link with this code invites. No attempt is counted: [`Self::invited`] has checked the code for
    /// this request.
    pub(crate) fn account_invited_by(&self, code: &str) -> Option<Account> {
        let hash = SecretHash::from_generated(code.trim())?;
        let auth_cache = self.live.auth_cache();
        auth_cache.invited(hash, self.live.now()).map(|(_, account)| account.clone())
    }

    fn new_invitation(&self, name: String) -> Result<(InvitationLink, Invitation), PeopleError> {
        let code = Secret::generate()?;
        let expires_at = self.store.now() + INVITATION_LIFETIME;
        let invitation = Invitation { hash: code.hash(), expires_at };
        Ok((InvitationLink { name, code, expires_at }, invitation))
    }

    /// The person whom a link with this code invites.
    ///
    /// # Errors
    /// The code is not valid, or there were too many attempts.
    pub(crate) async fn invited(
        &self,
        code: &str,
        origin: &RequestOrigin,
    ) -> Result<Account, SignInError> {
        let (_, account, _) = self.find_invited(code, origin).await?;
        Ok(account)
    }

    /// Sets the password that an invited person chose, and returns the secret of their session. A session that the
    /// browser had before ends, and so do all sessions of the person. `product`: the name of the product around the
    /// overview, which no password may be made of.
    pub(crate) async fn accept_invitation(
        &self,
        code: &str,
        password: String,
        origin: &RequestOrigin,
        former: Option<SecretHash>,
        product: Option<&str>,
    ) -> Result<Secret, SignInError> {
        let (name_key, account, code) = self.find_invited(code, origin).await?;
        let password = self.passwords.accept(limited(password), &account.name, product).await??;
        let password = self.passwords.hash(password).await?;
        let secret = Secret::generate()?;
        let begun_at = self.store.now();
        let session = Session {
            name_key: name_key.clone(),
            signed_in_at: begun_at,
            last_change_at: begun_at,
            address: origin.client,
        };
        let sessions = &self.live.auth_cache().sessions;
        let is_other = |session: &Session| session.name_key != name_key;
        let former = former.filter(|former| sessions.get(former).is_some_and(is_other));
        let start =
            AccessChange::StartSession { hash: secret.hash(), session, password: password.clone() };
        let accept = AccessChange::AcceptInvitation { name_key, code, password };
        let mut changes = vec![accept, start];
        changes.extend(former.map(AccessChange::EndSession));
        let actor = Actor::new(account.name, AuthMethod::Invitation, origin);
        let entry = AuditEntry::done(&actor, Action::AcceptInvitation, "");
        if !self.change_access(&changes, Some(&entry)).await? {
            return Err(SignInError::BadInvitation);
        }
        Ok(secret)
    }

    /// The key and the account that a code is for, and the hash of the code.
    async fn find_invited(
        &self,
        code: &str,
        origin: &RequestOrigin,
    ) -> Result<(String, Account, SecretHash), SignInError> {
        self.live.refresh().await;
        let now = self.live.now();
        let hash = SecretHash::from_generated(code.trim());
        let attempt = AttemptOrigin::new(origin, false);
        // Strangers who know the person's name cannot use up the attempts of who has the link.
        let key = hash.map(SecretHash::to_hex).unwrap_or_default();
        self.rate_limiter.check(&key, attempt, now).map_err(SignInError::TooManyAttempts)?;
        let auth_cache = self.live.auth_cache();
        let found = hash.and_then(|hash| Some((hash, auth_cache.invited(hash, now)?)));
        let Some((hash, (name_key, account))) = found else {
            self.record_refusal(None, Action::AcceptInvitation, origin, "not a valid link").await;
            return Err(SignInError::BadInvitation);
        };
        Ok((name_key.clone(), account.clone(), hash))
    }
}
