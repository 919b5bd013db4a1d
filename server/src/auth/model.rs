//! What the store keeps of accounts, sessions, tokens and embed sessions.

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;

use app::cluster::{ServerName, Span, Timestamp};
use app::protocol::UserRole;

use crate::auth::normalization::composed;
use crate::auth::secret::SecretHash;
use crate::telemetry::outside_text::is_line;

/// How long after signing in a session ends, whatever is done in it.
pub const SESSION_LIFETIME: Span = Span::minutes(12 * 60);
/// How long after its last change a session may change something without the password. It can still read then.
pub const REAUTHENTICATION_INTERVAL: Span = Span::minutes(30);
/// How long an invitation can be accepted.
pub const INVITATION_LIFETIME: Span = Span::minutes(24 * 60);
/// How long an embed code can be redeemed.
pub const EMBED_CODE_LIFETIME: Span = Span::seconds(60);
/// How long sessions stay valid while the database cannot say whether they were ended.
pub const MAX_BLIND_SESSION_USE: Span = Span::minutes(60);

/// The longest name of an account, of a token and of a user in a frame.
pub const MAX_NAME_CHARS: usize = 100;

/// The reason why a name is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one line of 1 to {MAX_NAME_CHARS} characters")]
pub struct NameError;

/// The name of an account, of a token or of a user in a frame, in the form in which it is kept.
///
/// # Errors
/// It is empty, too long, or has line breaks or invisible characters.
pub(crate) fn parse_name(text: &str) -> Result<String, NameError> {
    let name = composed(text.trim());
    if is_line(&name, MAX_NAME_CHARS) { Ok(name.into_owned()) } else { Err(NameError) }
}

/// Somebody who can sign in with a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The name as it was set.
    pub name: String,
    pub role: UserRole,
    /// The hash of the password, as a PHC string; empty until one is chosen.
    pub password: String,
    /// The link with which the person chooses a password, if one was sent and is neither used nor replaced.
    pub invitation: Option<Invitation>,
}

/// A link with which a person chooses a password, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The hash of the code in the link.
    pub hash: SecretHash,
    pub expires_at: Timestamp,
}

impl Account {
    /// Without it nobody can sign in as this person.
    pub fn has_password(&self) -> bool {
        !self.password.is_empty()
    }

    /// The invitation that can be accepted now.
    pub fn open_invitation(&self, now: Timestamp) -> Option<Invitation> {
        self.invitation.filter(|invitation| now < invitation.expires_at)
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// A session that began with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The account, by [`name_key`].
    pub name_key: String,
    pub signed_in_at: Timestamp,
    pub last_change_at: Timestamp,
    /// The address that signed in.
    pub address: Option<IpAddr>,
}

impl Session {
    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        now - self.signed_in_at >= SESSION_LIFETIME
    }

    /// Whether it may change something, or has to ask for the password first.
    pub fn may_change(&self, now: Timestamp) -> bool {
        now - self.last_change_at < REAUTHENTICATION_INTERVAL
    }
}

/// A user whom a product shows the overview in a frame: known by a one-time code first, then by a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbedSession {
    /// The product ends the session by this ID.
    pub id: String,
    /// The user's name in the product.
    pub name: String,
    pub role: UserRole,
    /// The product's token. The session ends with it.
    pub token: SecretHash,
    /// When the code was created.
    pub created_at: Timestamp,
    /// When the code was redeemed: the session began then.
    pub redeemed_at: Option<Timestamp>,
    pub last_change_at: Timestamp,
}

impl EmbedSession {
    /// Whether the code can still be redeemed.
    pub fn is_redeemable(&self, now: Timestamp) -> bool {
        self.redeemed_at.is_none() && now - self.created_at < EMBED_CODE_LIFETIME
    }

    /// Whether the code was redeemed and the session has not ended.
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.redeemed_at.is_some_and(|redeemed_at| now - redeemed_at < SESSION_LIFETIME)
    }

    /// Whether it may change something, or the product has to open the frame again first.
    pub fn may_change(&self, now: Timestamp) -> bool {
        now - self.last_change_at < REAUTHENTICATION_INTERVAL
    }
}

/// What a token permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRole {
    /// Enrol servers, and send heartbeats where enrolment is not required.
    Join,
    /// The same as a user with this role.
    User(UserRole),
    /// Send one server's heartbeats: its credential.
    Server,
}

impl TokenRole {
    pub const ALL: [Self; 4] =
        [Self::Join, Self::User(UserRole::Viewer), Self::User(UserRole::Admin), Self::Server];

    /// The word on the command line, in the API and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::User(role) => role.as_str(),
            Self::Server => "node",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// A token or a server's credential. Its secret is kept as a hash only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Names it in lists and in the audit log.
    pub id: String,
    pub role: TokenRole,
    /// What it is for; the server's name if it is a credential.
    pub name: String,
    /// The server whose credential it is.
    pub server: Option<ServerName>,
    pub created_at: Timestamp,
    /// The user or the token that created it, as a name to read.
    pub created_by: String,
    /// It is revoked together with its owner, if it has one.
    pub owner: Option<TokenOwner>,
    /// The address from which it was created.
    pub address: Option<IpAddr>,
    pub expires_at: Option<Timestamp>,
    /// To ten minutes.
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl Token {
    pub(super) fn newest_first(&self, other: &Self) -> Ordering {
        (other.created_at, &other.id).cmp(&(self.created_at, &self.id))
    }

    /// Whether it is neither revoked nor expired.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }
}

/// The account or the token that created a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenOwner {
    /// An account, by [`name_key`].
    User(String),
    /// A token, by its ID.
    Token(String),
}

impl TokenOwner {
    /// The text in the database.
    pub fn to_text(&self) -> String {
        match self {
            Self::User(name_key) => format!("person {name_key}"),
            Self::Token(id) => format!("token {id}"),
        }
    }

    /// Reads the text in the database.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(' ')?;
        match kind {
            "person" => Some(Self::User(id.to_owned())),
            "token" => Some(Self::Token(id.to_owned())),
            _ => None,
        }
    }
}

/// The code that creates the first admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupCode {
    pub hash: SecretHash,
    pub expires_at: Timestamp,
}

/// The key by which an account is found: the case of the name does not count, nor do the forms in which Unicode
/// can write its letters.
pub fn name_key(name: &str) -> String {
    composed(&composed(name.trim()).to_lowercase()).into_owned()
}
