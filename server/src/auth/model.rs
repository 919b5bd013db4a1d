//! People, sessions and tokens: what the store stores of who may ask for what.

use std::cmp::Ordering;
use std::fmt;
use std::net::IpAddr;

use app::cluster::{ServerName, Span, Timestamp};
use app::protocol::UserRole;

use crate::auth::normalization::composed;
use crate::auth::secret::Hash;

/// How long after signing in a session ends.
pub const SESSION: Span = Span::minutes(12 * 60);
/// How long after the last action a session still acts; then it only looks.
pub const ACTING: Span = Span::minutes(30);
/// How long a code lets somebody in.
pub const CODE: Span = Span::seconds(60);
/// How long a session goes on looking while the database cannot say whether it was ended.
pub const WHILE_BLIND: Span = Span::minutes(60);

/// A person who can sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The name as it was set.
    pub name: String,
    /// What they may.
    pub rank: UserRole,
    /// The hash of their password, as a PHC string.
    pub password: String,
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("name", &self.name)
            .field("rank", &self.rank)
            .finish_non_exhaustive()
    }
}

/// A person who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The person's name in lower case.
    pub name_key: String,
    /// When they signed in.
    pub begun: Timestamp,
    /// When they last changed something.
    pub acted: Timestamp,
    /// Where they signed in from.
    pub address: Option<IpAddr>,
}

impl Session {
    /// Whether it is over.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        now - self.begun >= SESSION
    }

    /// Whether it may change anything, or must prove itself by the password first.
    pub fn may_act(&self, now: Timestamp) -> bool {
        now - self.acted < ACTING
    }
}

/// A person whom a product lets in, into a frame: by a one-time code, and then by a session of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Names it to the product.
    pub id: String,
    /// The person's name, as the product has it.
    pub name: String,
    /// What they may.
    pub rank: UserRole,
    /// The token of the product that vouches for them.
    pub token: Hash,
    /// When the code was made.
    pub made: Timestamp,
    /// When it was used.
    pub begun: Option<Timestamp>,
    /// When they last changed something.
    pub acted: Timestamp,
}

impl Guest {
    /// Whether the code still lets somebody in.
    pub fn may_enter(&self, now: Timestamp) -> bool {
        self.begun.is_none() && now - self.made < CODE
    }

    /// Whether they may change anything, or must come in again first.
    pub fn may_act(&self, now: Timestamp) -> bool {
        now - self.acted < ACTING
    }
}

/// What a token lets its bearer do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRole {
    /// Enrol servers, and send heartbeats where no enrolment is required.
    Join,
    /// What a person of this rank may.
    Person(UserRole),
    /// Send one server's heartbeats: its credential.
    Node,
}

impl TokenRole {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Join, Self::Person(UserRole::Viewer), Self::Person(UserRole::Admin), Self::Node];

    /// The word on the command line, in the API and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Join => "join",
            Self::Person(rank) => rank.as_str(),
            Self::Node => "node",
        }
    }

    /// The role of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// A token or a server's credential; of its secret only the hash is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Names it in lists and in the audit.
    pub id: String,
    /// What its bearer may.
    pub role: TokenRole,
    /// What it is for; of a credential, the server's name.
    pub name: String,
    /// Whose credential it is.
    pub server: Option<ServerName>,
    /// When it was made.
    pub made: Timestamp,
    /// By whom, or by which token: a name for people to read.
    pub made_by: String,
    /// With whose end it ends too, if with anybody's.
    pub maker: Option<Maker>,
    /// Where from.
    pub address: Option<IpAddr>,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub used: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

/// Who made a token: it ends with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Maker {
    /// A person who signs in here, by name in lower case.
    Person(String),
    /// A token, by its number.
    Token(String),
}

impl Maker {
    /// How the database has it.
    pub fn to_text(&self) -> String {
        match self {
            Self::Person(name_key) => format!("person {name_key}"),
            Self::Token(id) => format!("token {id}"),
        }
    }

    /// From what the database has.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(' ')?;
        match kind {
            "person" => Some(Self::Person(id.to_owned())),
            "token" => Some(Self::Token(id.to_owned())),
            _ => None,
        }
    }
}

impl Token {
    /// The order of tokens, the newest first.
    pub(super) fn by_age(&self, other: &Self) -> Ordering {
        (other.made, &other.id).cmp(&(self.made, &self.id))
    }

    /// Whether it proves anything.
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|expires| now < expires)
    }
}

/// The one code that makes the first admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupCode {
    /// Its hash.
    pub hash: Hash,
    /// When it ends by itself.
    pub expires: Timestamp,
}

/// A name as its key: people do not remember the case of a name, and their systems write its letters in different
/// forms.
pub fn name_key(name: &str) -> String {
    composed(&composed(name.trim()).to_lowercase()).into_owned()
}
