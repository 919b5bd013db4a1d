//! Manages the people who sign in with a password: roles, sessions, removal, each with an entry in the audit log.

use app::protocol::UserRole;

use crate::auth::AuthService;
use crate::auth::audit::{Action, Actor, AuditEntry};
use crate::auth::model::{Account, NameError, name_key};
use crate::auth::secret::SecretError;
use crate::store::{AccessChange, StoreError};

/// Why a person was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeopleError {
    #[error("there is no person with this name")]
    Unknown,
    #[error("there is a person with this name already; reset their password to get a new link")]
    NameTaken,
    #[error(transparent)]
    InvalidName(#[from] NameError),
    #[error(
        "this is the last admin who can sign in; make another person an admin first, who has chosen a password"
    )]
    LastAdmin,
    #[error(
        "you are no longer an admin, or your token was revoked; another admin changed that a moment ago"
    )]
    NotAdmin,
    #[error(
        "this form was sent before; nothing was created again. If you no longer have its link, create a new one"
    )]
    FormSentBefore,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Random(#[from] SecretError),
}

impl AuthService {
    /// Gives a person another role, in the sessions they have, too. Nothing is done if they have it already.
    pub(crate) async fn set_role(
        &self,
        name: &str,
        role: UserRole,
        by: &Actor,
    ) -> Result<(), PeopleError> {
        let (name_key, account) = self.person(name).await?;
        if account.role == role {
            return Ok(());
        }
        let target = format!("{}, {} to {}", account.name, account.role.as_str(), role.as_str());
        let entry = AuditEntry::done(by, Action::ChangeRole, target);
        let guard = AccessChange::RequireOtherAdmin(name_key.clone());
        let change = AccessChange::SetRole { name_key, role };
        self.change_person(&account.name, vec![guard, change], entry).await
    }

    /// Removes a person: their sessions and their open invitation end, and the tokens that they created are revoked.
    pub(crate) async fn remove_person(&self, name: &str, by: &Actor) -> Result<(), PeopleError> {
        let (name_key, account) = self.person(name).await?;
        let entry = AuditEntry::done(by, Action::RemoveUser, &account.name);
        let guard = AccessChange::RequireOtherAdmin(name_key.clone());
        let change = AccessChange::RemoveAccount(name_key);
        self.change_person(&account.name, vec![guard, change], entry).await
    }

    /// Ends all sessions of a person. They can sign in again.
    pub(crate) async fn end_sessions_of(&self, name: &str, by: &Actor) -> Result<(), PeopleError> {
        let (name_key, account) = self.person(name).await?;
        let entry = AuditEntry::done(by, Action::EndSessions, &account.name);
        // False: there was no session that could end.
        self.change_access(&[AccessChange::EndAllSessions(name_key)], Some(&entry)).await?;
        Ok(())
    }

    /// The account with this name as the database has it now, and its key.
    pub(super) async fn person(&self, name: &str) -> Result<(String, Account), PeopleError> {
        self.live.refresh().await;
        let name_key = name_key(name);
        let account = self.live.auth_cache().accounts.get(&name_key).cloned();
        account.map(|account| (name_key, account)).ok_or(PeopleError::Unknown)
    }

    /// Makes these changes of a person, if the user who makes them is still an admin.
    pub(super) async fn change_person(
        &self,
        name: &str,
        changes: Vec<AccessChange>,
        entry: AuditEntry,
    ) -> Result<(), PeopleError> {
        let requirement = entry.actor.owner.clone().map(AccessChange::RequireAdmin);
        let changes: Vec<AccessChange> = requirement.into_iter().chain(changes).collect();
        if self.change_access(&changes, Some(&entry)).await? {
            return Ok(());
        }
        let error = self.why_not_changed(name, &changes, &entry.actor).await;
        if matches!(error, PeopleError::LastAdmin) {
            let AuditEntry { actor, action, target, .. } = entry;
            let refused = AuditEntry::refused(&actor, action, target, "the last admin");
            self.live.record(refused).await?;
        }
        Err(error)
    }

    /// Which of these changes was not possible.
    async fn why_not_changed(
        &self,
        name: &str,
        changes: &[AccessChange],
        by: &Actor,
    ) -> PeopleError {
        self.live.refresh().await;
        let auth_cache = self.live.auth_cache();
        let now = self.live.now();
        let exists = auth_cache.accounts.contains_key(&name_key(name));
        let has = |is: fn(&AccessChange) -> bool| changes.iter().any(is);
        if by.owner.as_ref().is_some_and(|owner| !auth_cache.is_admin(owner, now)) {
            PeopleError::NotAdmin
        } else if exists && has(|change| matches!(change, AccessChange::InvitePerson(_))) {
            PeopleError::NameTaken
        } else if has(|change| matches!(change, AccessChange::UseForm(_))) {
            PeopleError::FormSentBefore
        } else if exists && has(|change| matches!(change, AccessChange::RequireOtherAdmin(_))) {
            PeopleError::LastAdmin
        } else {
            PeopleError::Unknown
        }
    }
}
