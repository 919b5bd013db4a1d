//! The audit log: who did what to what, from where, and with which result.

use std::net::IpAddr;

use app::cluster::{ServerName, Timestamp};

use crate::auth::model::TokenOwner;
use crate::auth::origin::{RequestId, RequestOrigin};
use crate::auth::secret::SecretHash;
use crate::telemetry::outside_text::{MAX_LIST_LINE_CHARS, list_line, one_line};

/// How somebody was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// Nobody signs in here, or the sign-in failed.
    Nothing,
    Password,
    /// The code that creates the first admin.
    SetupCode,
    /// The link with which an invited person chooses a password.
    Invitation,
    Session,
    /// The headers of a trusted proxy.
    Proxy,
    /// The product around the overview: as its host, or by an embed code.
    Host,
    /// A token or a server's credential.
    Token,
    /// The command line of the machine that has the database.
    Command,
}

impl AuthMethod {
    pub const ALL: [Self; 9] = [
        Self::Nothing,
        Self::Password,
        Self::SetupCode,
        Self::Invitation,
        Self::Session,
        Self::Proxy,
        Self::Host,
        Self::Token,
        Self::Command,
    ];

    /// The word in the database and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Password => "password",
            Self::SetupCode => "set-up code",
            Self::Invitation => "invitation",
            Self::Session => "session",
            Self::Proxy => "proxy",
            Self::Host => "host",
            Self::Token => "token",
            Self::Command => "command",
        }
    }
}

/// Who does something.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The name of a user or of a token.
    pub name: String,
    pub auth_method: AuthMethod,
    pub address: Option<IpAddr>,
    /// A change in a session postpones the moment when it has to ask for the password again.
    pub session: Option<SecretHash>,
    /// What owns the tokens that they create.
    pub owner: Option<TokenOwner>,
    pub request_id: Option<RequestId>,
}

impl Actor {
    /// Somebody outside of a session, who sends a request.
    pub(super) fn new(name: String, auth_method: AuthMethod, origin: &RequestOrigin) -> Self {
        Self {
            name,
            auth_method,
            address: origin.client,
            session: None,
            owner: None,
            request_id: origin.request_id,
        }
    }

    /// Somebody at the command line of the machine that has the database.
    pub fn command() -> Self {
        Self {
            name: "command line".to_owned(),
            auth_method: AuthMethod::Command,
            address: None,
            session: None,
            owner: None,
            request_id: None,
        }
    }
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Also a sign-in that failed.
    SignIn,
    SignOut,
    /// The first admin was created with the set-up code.
    FirstAdmin,
    SetPassword,
    /// Somebody was invited.
    Invite,
    /// Somebody got a new link with which they choose another password.
    ResetPassword,
    /// An invited person chose a password.
    AcceptInvitation,
    ChangeRole,
    /// An admin ended somebody's sessions.
    EndSessions,
    RemoveUser,
    Configure,
    /// A component or whole servers were removed.
    Remove,
    /// A reported key became a reference key.
    AcceptKey,
    /// A service messenger was dialled because somebody asked for it.
    Reconnect,
    /// A test was sent through a channel.
    TestChannel,
    /// A channel was paused, or goes on.
    PauseChannel,
    /// Somebody takes care of an incident.
    Acknowledge,
    WithdrawAcknowledgement,
    CreateToken,
    /// A token or a server's credential was revoked.
    RevokeToken,
    /// A server got a credential.
    Enrol,
}

impl Action {
    pub const ALL: [Self; 21] = [
        Self::SignIn,
        Self::SignOut,
        Self::FirstAdmin,
        Self::SetPassword,
        Self::Invite,
        Self::ResetPassword,
        Self::AcceptInvitation,
        Self::ChangeRole,
        Self::EndSessions,
        Self::RemoveUser,
        Self::Configure,
        Self::Remove,
        Self::AcceptKey,
        Self::Reconnect,
        Self::TestChannel,
        Self::PauseChannel,
        Self::Acknowledge,
        Self::WithdrawAcknowledgement,
        Self::CreateToken,
        Self::RevokeToken,
        Self::Enrol,
    ];

    /// Those whose target may be one server.
    pub const ABOUT_SERVERS: [Self; 6] = [
        Self::Remove,
        Self::Reconnect,
        Self::Acknowledge,
        Self::WithdrawAcknowledgement,
        Self::Enrol,
        Self::RevokeToken,
    ];

    /// The word in the database, in the API and in the filter of the audit page.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignOut => "sign-out",
            Self::FirstAdmin => "first-admin",
            Self::SetPassword => "set-password",
            Self::Invite => "invite",
            Self::ResetPassword => "reset-password",
            Self::AcceptInvitation => "accept-invitation",
            Self::ChangeRole => "change-role",
            Self::EndSessions => "end-sessions",
            Self::RemoveUser => "remove-person",
            Self::Configure => "configure",
            Self::Remove => "remove",
            Self::AcceptKey => "accept-key",
            Self::Reconnect => "reconnect",
            Self::TestChannel => "test-channel",
            Self::PauseChannel => "pause-channel",
            Self::Acknowledge => "acknowledge",
            Self::WithdrawAcknowledgement => "withdraw-acknowledgement",
            Self::CreateToken => "create-token",
            Self::RevokeToken => "revoke-token",
            Self::Enrol => "enrol",
        }
    }
}

/// An entry to write.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    pub actor: Actor,
    pub action: Action,
    /// What it was done to, as one line. Never a secret.
    pub target: String,
    /// `done`, or why not.
    pub outcome: String,
}

impl AuditEntry {
    /// Something that was done.
    pub fn done(actor: &Actor, action: Action, target: impl Into<String>) -> Self {
        let (target, outcome) = (one_line(&target.into()), "done".to_owned());
        Self { actor: actor.clone(), action, target, outcome }
    }

    /// The removal of several servers, by their names. See [`Self::names_that_fit`].
    pub fn removal(actor: &Actor, servers: &[ServerName]) -> Self {
        let names: Vec<&str> = servers.iter().map(ServerName::as_str).collect();
        let target = match names.as_slice() {
            [name] => (*name).to_owned(),
            names => format!("{} servers: {}", names.len(), names.join(", ")),
        };
        Self { target: list_line(&target), ..Self::done(actor, Action::Remove, "") }
    }

    /// How many of these servers, from the first one, [`Self::removal`] can name.
    pub fn names_that_fit<'a>(servers: impl Iterator<Item = &'a ServerName>) -> usize {
        /// More than the text before the names.
        const COUNT_CHARS: usize = 40;
        let mut chars = COUNT_CHARS;
        let fits = |name: &&ServerName| {
            chars += name.as_str().chars().count() + ", ".len();
            chars <= MAX_LIST_LINE_CHARS
        };
        servers.take_while(fits).count()
    }

    /// Something that was refused.
    pub fn refused(actor: &Actor, action: Action, target: impl Into<String>, why: &str) -> Self {
        let (target, outcome) = (one_line(&target.into()), format!("refused: {why}"));
        Self { actor: actor.clone(), action, target, outcome }
    }
}

/// An entry as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Newer entries have greater IDs.
    pub id: i64,
    /// By the database's clock.
    pub at: Timestamp,
    pub who: String,
    pub auth_method: String,
    pub address: Option<String>,
    pub action: String,
    pub target: String,
    pub outcome: String,
    /// How often it happened: equal entries within an hour are counted in one.
    pub count: usize,
    pub last_at: Timestamp,
    /// The request that did it; of equal entries, the first one.
    pub request_id: Option<String>,
}

/// Which entries to read, the newest first.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Only entries with smaller IDs.
    pub before: Option<i64>,
    pub action: Option<String>,
    /// Only entries whose actor, address or target contains this text.
    pub text: Option<String>,
    /// Only entries of which at least the last is not earlier.
    pub from: Option<Timestamp>,
    /// Only entries of which at least the first is earlier.
    pub until: Option<Timestamp>,
    pub limit: u32,
}
