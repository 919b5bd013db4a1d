//! Which changes of accounts, sessions and tokens are there?

use crate::auth::model::{
    Account, EmbedSession, Invitation, Session, SetupCode, Token, TokenOwner,
};
use crate::auth::secret::SecretHash;
use app::protocol::UserRole;

/// One change of accounts, sessions or tokens.
#[derive(Clone, Debug)]
pub enum AccessChange {
    /// Creates or replaces an account; its sessions end. If it is not an admin's, the tokens that it created are
    /// revoked.
    SetAccount(Account),
    /// The same, if there is no admin yet and this set-up code is valid; the code is used up.
    CreateFirstAdmin(Account, SecretHash),
    /// Removes an account; its sessions end, and the tokens that it created are revoked.
    RemoveAccount(String),
    /// Creates an account without a password, if nobody has its name.
    InvitePerson(Account),
    /// Gives an account another invitation; the former one is no longer valid.
    SetInvitation {
        name_key: String,
        invitation: Invitation,
    },
    /// Sets the password of the account with this valid invitation; the invitation is used up, and all sessions of the
    /// account end.
    AcceptInvitation {
        name_key: String,
        /// The hash of the code.
        code: SecretHash,
        /// The hash of the new password.
        password: String,
    },
    /// Changes the role of an account. The tokens that it created are revoked if it becomes a viewer's.
    SetRole {
        name_key: String,
        role: UserRole,
    },
    /// Replaces the password, unless it was changed meanwhile; all other sessions of the account end, and an open
    /// invitation is no longer valid.
    ChangePassword {
        name_key: String,
        /// The old hash.
        from: String,
        /// The new hash.
        to: String,
        /// The session that goes on.
        session: SecretHash,
    },
    /// Changes nothing. Fails unless an admin can sign in without this account.
    RequireOtherAdmin(String),
    /// Changes nothing. Fails unless this account or token is an admin's.
    RequireAdmin(TokenOwner),
    /// Notes that a form was sent. Fails if it was sent before.
    UseForm(SecretHash),
    /// Begins a session, if the password is still the one that was checked.
    StartSession {
        /// Of the secret in the cookie.
        hash: SecretHash,
        session: Session,
        /// The hash of the password that was checked.
        password: String,
    },
    /// Stores a new hash of the same password, unless the password was changed meanwhile.
    RehashPassword {
        name_key: String,
        /// The old hash.
        from: String,
        /// The new hash.
        to: String,
    },
    EndSession(SecretHash),
    EndAllSessions(String),
    /// Creates an embedded session with a one-time code, if the product's token is still valid.
    CreateEmbedSession(SecretHash, EmbedSession),
    /// Uses up the code and begins the embedded session.
    RedeemEmbedCode {
        /// The hash of the code.
        code: SecretHash,
        /// The hash of the cookie's secret.
        session: SecretHash,
    },
    /// Ends the embedded session with this id.
    RevokeEmbedSession(String),
    /// Adds a token or a credential, if its owner may still create it.
    AddToken(SecretHash, Token),
    /// Revokes the token with this id, and the tokens that were created with it.
    RevokeToken(String),
    /// Sets the code that creates the first admin.
    SetSetupCode(SetupCode),
}
