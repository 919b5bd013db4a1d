//! Everything that proves somebody, in memory as the database has it: no request costs a query.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

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

/// What the database has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthCache {
    /// Who can sign in, by [`name_key`].
    pub people: BTreeMap<String, Account>,
    /// Who is signed in.
    pub sessions: HashMap<Hash, Session>,
    /// Tokens and credentials, also those that are over.
    pub tokens: HashMap<Hash, Arc<Token>>,
    /// Each server's credentials, by its name in lower case.
    credentials: HashMap<String, HashSet<Hash>>,
    /// The join tokens among them.
    join_tokens: HashSet<Hash>,
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

/// What changed in the database about who may ask for what.
#[derive(Clone, Debug, Default)]
pub struct AuthCacheChanges {
    /// People, by name in lower case; without an account those who may no longer sign in.
    pub people: Vec<(String, Option<Account>)>,
    /// Sessions; without data those that ended.
    pub sessions: Vec<(Hash, Option<Session>)>,
    /// Guests, and whether their visit was ended.
    pub guests: Vec<(Hash, Guest, bool)>,
    /// Tokens and credentials.
    pub tokens: Vec<(Hash, Token)>,
    /// The code that makes the first admin.
    pub setup_code: Option<SetupCode>,
}

impl Token {
    /// The order of tokens, the newest first.
    fn by_age(&self, other: &Self) -> Ordering {
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

impl AuthCache {
    /// Applies what changed in the database.
    pub fn apply(&mut self, changes: AuthCacheChanges) {
        for (key, account) in changes.people {
            match account {
                Some(account) => self.people.insert(key, account),
                None => self.people.remove(&key),
            };
        }
        for (hash, session) in changes.sessions {
            match session {
                Some(session) => self.sessions.insert(hash, session),
                None => self.sessions.remove(&hash),
            };
        }
        for (hash, guest, ended) in changes.guests {
            // Where a code was used, the guest is known by the session from now on.
            if guest.begun.is_some() || ended {
                self.guests.retain(|_, known| known.id != guest.id);
            }
            if !ended {
                self.guests.insert(hash, guest);
            }
        }
        for (hash, token) in changes.tokens {
            if let Some(server) = &token.server {
                self.credentials.entry(server.folded()).or_default().insert(hash);
            }
            if token.role == TokenRole::Join {
                self.join_tokens.insert(hash);
            }
            self.tokens.insert(hash, Arc::new(token));
        }
        if changes.setup_code.is_some() {
            self.setup_code = changes.setup_code;
        }
    }

    /// Notes when tokens were last used.
    pub fn note_uses(&mut self, uses: &[(Hash, Timestamp)]) {
        for (hash, used) in uses {
            if let Some(token) = self.tokens.get_mut(hash) {
                let token = Arc::make_mut(token);
                token.used = token.used.max(Some(*used));
            }
        }
    }

    /// Forgets what has been over for longer than anybody asks: `keep` is how long a token stays that was
    /// revoked, or has expired.
    pub fn purge(&mut self, now: Timestamp, keep: Span) {
        self.sessions.retain(|_, session| !session.has_ended(now));
        self.guests.retain(|_, guest| {
            guest.may_enter(now) || guest.begun.is_some_and(|begun| now - begun < SESSION)
        });
        let is_kept = |token: &Token| {
            let over = [token.revoked, token.expires].into_iter().flatten().min();
            over.is_none_or(|over| now - over < keep)
        };
        self.tokens.retain(|_, token| is_kept(token));
        let tokens = &self.tokens;
        self.join_tokens.retain(|hash| tokens.contains_key(hash));
        self.credentials.retain(|_, hashes| {
            hashes.retain(|hash| tokens.contains_key(hash));
            !hashes.is_empty()
        });
    }

    /// Whether so many servers have a credential that is good, this one not among them.
    pub fn is_full_for(&self, server: &ServerName, most: usize, now: Timestamp) -> bool {
        if self.credentials.len() < most || self.credentials.contains_key(&server.folded()) {
            return false;
        }
        let is_good =
            |hashes: &&HashSet<Hash>| hashes.iter().any(|hash| self.token(*hash, now).is_some());
        self.credentials.values().filter(is_good).count() >= most
    }

    /// The credentials of a server that are good, the newest first.
    pub fn credentials_of(&self, server: &ServerName, now: Timestamp) -> Vec<Hash> {
        self.good(self.credentials.get(&server.folded()).into_iter().flatten(), now)
    }

    /// The join tokens that are good, the newest first.
    pub fn join_tokens(&self, now: Timestamp) -> Vec<Hash> {
        self.good(self.join_tokens.iter(), now)
    }

    /// Those of these tokens that are good, the newest first.
    fn good<'h>(&self, hashes: impl Iterator<Item = &'h Hash>, now: Timestamp) -> Vec<Hash> {
        let mut good: Vec<(&Hash, &Token)> =
            hashes.filter_map(|hash| Some((hash, self.token(*hash, now)?))).collect();
        good.sort_by(|(_, one), (_, other)| one.by_age(other));
        good.into_iter().map(|(hash, _)| *hash).collect()
    }

    /// The tokens that end with somebody, and those that end with these.
    pub fn made_by<'k>(&'k self, maker: &Maker) -> Vec<&'k Token> {
        let mut makers = vec![maker.clone()];
        let mut made: Vec<&Token> = Vec::new();
        while let Some(maker) = makers.pop() {
            let is_new = |token: &&Token| {
                token.maker.as_ref() == Some(&maker)
                    && token.role != TokenRole::Node
                    && !made.iter().any(|known| known.id == token.id)
            };
            let all = self.tokens.values().map(AsRef::as_ref);
            let found: Vec<&Token> = all.filter(is_new).collect();
            makers.extend(found.iter().map(|token| Maker::Token(token.id.clone())));
            made.extend(found);
        }
        made
    }

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
        self.people.values().any(|person| person.rank == UserRole::Admin)
    }

    /// All tokens and credentials, the newest first.
    pub fn newest_first(&self) -> Vec<&Token> {
        let mut tokens: Vec<&Token> = self.tokens.values().map(AsRef::as_ref).collect();
        tokens.sort_by(|one, other| one.by_age(other));
        tokens
    }

    /// The token with this secret, if it proves anything.
    pub fn token(&self, hash: Hash, now: Timestamp) -> Option<&Token> {
        self.tokens.get(&hash).map(AsRef::as_ref).filter(|token| token.is_good(now))
    }
}

/// A name as its key: people do not remember the case of a name, and their systems write its letters in different
/// forms.
pub fn name_key(name: &str) -> String {
    composed(&composed(name.trim()).to_lowercase()).into_owned()
}
