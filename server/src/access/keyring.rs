//! Everything that proves somebody, in memory as the database has it: no request costs a query.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::IpAddr;

use app::api::Rank;
use app::cluster::{ServerName, Span, Timestamp};

use super::secret::Hash;

/// How long after signing in a session ends.
pub const SESSION: Span = Span::minutes(12 * 60);
/// How long after the last action a session still acts; then it only looks.
pub const ACTING: Span = Span::minutes(30);
/// How long a code lets somebody in.
pub const CODE: Span = Span::seconds(60);
/// How long a session goes on looking while the database cannot say whether it was ended.
pub const WHILE_BLIND: Span = Span::minutes(60);

/// What the database has.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    /// Who can sign in, by name in lower case.
    pub people: BTreeMap<String, Account>,
    /// Who is signed in.
    pub sessions: HashMap<Hash, Session>,
    /// Tokens and credentials, also those that are over.
    pub tokens: HashMap<Hash, Token>,
    /// Whom products let in: by the code until it is used, then by the session it began.
    pub guests: HashMap<Hash, Guest>,
    /// What makes the first admin, as long as there is none.
    pub setup_code: Option<SetupCode>,
}

/// A person who can sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The name as it was set.
    pub name: String,
    /// What they may.
    pub rank: Rank,
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
    pub rank: Rank,
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
    Person(Rank),
    /// Send one server's heartbeats: its credential.
    Node,
}

impl TokenRole {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Join, Self::Person(Rank::Viewer), Self::Person(Rank::Admin), Self::Node];

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
    /// By whom, or by which token.
    pub made_by: String,
    /// Where from.
    pub address: Option<IpAddr>,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub used: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

impl Token {
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

impl Keyring {
    /// The person of a session that is not over, and the session.
    pub fn session(&self, hash: Hash, now: Timestamp) -> Option<(&Account, &Session)> {
        let session = self.sessions.get(&hash).filter(|session| !session.has_ended(now))?;
        Some((self.people.get(&session.name_key)?, session))
    }

    /// The guest of a session that is not over, if the product's token is still good.
    pub fn guest(&self, hash: Hash, now: Timestamp) -> Option<&Guest> {
        let guest = self.guests.get(&hash)?;
        let is_in = guest.begun.is_some_and(|begun| now - begun < SESSION);
        (is_in && self.token(guest.token, now).is_some()).then_some(guest)
    }

    /// Whether somebody can sign in who may change things.
    pub fn has_admin(&self) -> bool {
        self.people.values().any(|person| person.rank == Rank::Admin)
    }

    /// All tokens and credentials, the newest first.
    pub fn newest_first(&self) -> Vec<&Token> {
        let mut tokens: Vec<&Token> = self.tokens.values().collect();
        tokens.sort_by(|one, other| (other.made, &other.id).cmp(&(one.made, &one.id)));
        tokens
    }

    /// The token with this secret, if it proves anything.
    pub fn token(&self, hash: Hash, now: Timestamp) -> Option<&Token> {
        self.tokens.get(&hash).filter(|token| token.is_good(now))
    }
}

/// A name as its key: people do not remember the case of a name.
pub fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}
