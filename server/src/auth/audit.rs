//! What is written down of every action and every sign-in: who, from where, what, and what came of it.

use std::net::IpAddr;

use app::cluster::{ServerName, Timestamp};

use crate::auth::model::Maker;
use crate::auth::origin::RequestId;
use crate::auth::secret::Hash;
pub use crate::telemetry::outside_text::one_line;
use crate::telemetry::outside_text::{MAX_LIST_LINE_CHARS, list_line};

/// How somebody proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Not at all: nobody signs in here.
    Nothing,
    /// By a password, this moment.
    Password,
    /// By the code that makes the first admin.
    SetupCode,
    /// By a session.
    Session,
    /// The product's proxy says so.
    Proxy,
    /// The product that nests the overview says so.
    Host,
    /// By a token or a credential.
    Token,
    /// By a command on the machine that has the database.
    Command,
}

impl Proof {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Nothing,
        Self::Password,
        Self::SetupCode,
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
    /// A person, a token's name, or the command.
    pub name: String,
    /// How they proved it.
    pub proof: Proof,
    /// Where from.
    pub address: Option<IpAddr>,
    /// The session it is done in: acting keeps it acting.
    pub session: Option<Hash>,
    /// With whose end that ends which they make, if with anybody\'s.
    pub maker: Option<Maker>,
    /// The request that it is done by, if it is done by one.
    pub request_id: Option<RequestId>,
}

impl Actor {
    /// Somebody at the command line of the machine that has the database.
    pub fn command() -> Self {
        let name = "command line".to_owned();
        Self {
            name,
            proof: Proof::Command,
            address: None,
            session: None,
            maker: None,
            request_id: None,
        }
    }
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Somebody signed in, or was refused.
    SignIn,
    /// Somebody signed out, here or everywhere.
    SignOut,
    /// The first admin was made with the set-up code.
    FirstAdmin,
    /// A password was set, and with it who may sign in.
    SetPassword,
    /// A person may no longer sign in.
    RemovePerson,
    /// The settings were changed.
    Configure,
    /// A component or a server was removed.
    Remove,
    /// A key was accepted.
    AcceptKey,
    /// A service messenger was dialled.
    Reconnect,
    /// A token was made.
    CreateToken,
    /// A token or a credential was revoked.
    RevokeToken,
    /// A server got a credential.
    Enrol,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::SignIn,
        Self::SignOut,
        Self::FirstAdmin,
        Self::SetPassword,
        Self::RemovePerson,
        Self::Configure,
        Self::Remove,
        Self::AcceptKey,
        Self::Reconnect,
        Self::CreateToken,
        Self::RevokeToken,
        Self::Enrol,
    ];

    /// The word in the database, in the API and in the pane's filter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::SignOut => "sign-out",
            Self::FirstAdmin => "first-admin",
            Self::SetPassword => "set-password",
            Self::RemovePerson => "remove-person",
            Self::Configure => "configure",
            Self::Remove => "remove",
            Self::AcceptKey => "accept-key",
            Self::Reconnect => "reconnect",
            Self::CreateToken => "create-token",
            Self::RevokeToken => "revoke-token",
            Self::Enrol => "enrol",
        }
    }
}

/// One line to be written.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// To what, as one line. Never a secret.
    pub target: String,
    /// `done`, or why not.
    pub outcome: String,
}

impl Entry {
    /// Something that was done.
    pub fn done(actor: &Actor, action: Action, target: impl Into<String>) -> Self {
        let (target, outcome) = (one_line(&target.into()), "done".to_owned());
        Self { actor: actor.clone(), action, target, outcome }
    }

    /// A removal of several servers, which it names, if [`Self::names_fit`].
    pub fn removal(actor: &Actor, servers: &[ServerName]) -> Self {
        let names: Vec<&str> = servers.iter().map(ServerName::as_str).collect();
        let target = match names.as_slice() {
            [name] => (*name).to_owned(),
            names => format!("{} servers: {}", names.len(), names.join(", ")),
        };
        Self { target: list_line(&target), ..Self::done(actor, Action::Remove, "") }
    }

    /// How many of these servers, from the first, one entry can name.
    pub fn names_fit<'a>(servers: impl Iterator<Item = &'a ServerName>) -> usize {
        /// What stands before the names.
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

/// One line as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its number: they grow.
    pub id: i64,
    /// When, by the database's clock.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// How they proved it.
    pub proof: String,
    /// Where from.
    pub address: Option<String>,
    /// What.
    pub action: String,
    /// To what.
    pub target: String,
    /// What came of it.
    pub outcome: String,
    /// How often: equal entries within an hour share a line.
    pub count: usize,
    /// When it last happened.
    pub last_at: Timestamp,
    /// The request by which it was done, the first one if several share the line.
    pub request_id: Option<String>,
}

/// Which lines are wanted; newest first.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those before this number.
    pub before: Option<i64>,
    /// Only this action.
    pub action: Option<String>,
    /// Only those whose who or target holds this text.
    pub text: Option<String>,
    /// How many at most.
    pub limit: u32,
}

/// Whether a text is a name: one line of at least one character and at most so many.
pub fn is_name(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count()) && one_line(text) == text
}
