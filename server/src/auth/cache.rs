//! Everything that proves somebody, in memory as the database has it: no request costs a query.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use app::cluster::{ServerName, Span, Timestamp};
use app::protocol::UserRole;

use crate::auth::model::{Account, Guest, Maker, SESSION, Session, SetupCode, Token, TokenRole};
use crate::auth::secret::Hash;

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
