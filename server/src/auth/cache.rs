//! The authentication cache: all accounts, sessions and tokens in memory, so that no request costs a query.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use app::cluster::{ServerName, Span, Timestamp};
use app::protocol::UserRole;

use crate::auth::model::{Account, EmbedSession, Session, SetupCode, Token, TokenOwner, TokenRole};
use crate::auth::secret::SecretHash;

/// Everything that authenticates somebody, as the database has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthCache {
    /// By [`name_key`](super::model::name_key).
    pub accounts: BTreeMap<String, Account>,
    pub sessions: HashMap<SecretHash, Session>,
    /// Tokens and credentials, also those that are revoked or expired.
    pub tokens: HashMap<SecretHash, Arc<Token>>,
    /// Each server's credentials, by its name in lower case.
    credentials: HashMap<String, HashSet<SecretHash>>,
    /// Which of the tokens are join tokens.
    join_tokens: HashSet<SecretHash>,
    /// By the code until it is redeemed, then by the session's secret.
    pub embed_sessions: HashMap<SecretHash, EmbedSession>,
    /// Creates the first admin; used up then.
    pub setup_code: Option<SetupCode>,
}

/// What changed in the database.
#[derive(Clone, Debug, Default)]
pub struct AuthCacheChanges {
    /// By [`name_key`](super::model::name_key); `None` for an account that was removed.
    pub accounts: Vec<(String, Option<Account>)>,
    /// `None` for a session that ended.
    pub sessions: Vec<(SecretHash, Option<Session>)>,
    /// Each with whether it was ended.
    pub embed_sessions: Vec<(SecretHash, EmbedSession, bool)>,
    pub tokens: Vec<(SecretHash, Token)>,
    pub setup_code: Option<SetupCode>,
}

impl AuthCache {
    pub fn apply(&mut self, changes: AuthCacheChanges) {
        for (key, account) in changes.accounts {
            match account {
                Some(account) => self.accounts.insert(key, account),
                None => self.accounts.remove(&key),
            };
        }
        for (hash, session) in changes.sessions {
            match session {
                Some(session) => self.sessions.insert(hash, session),
                None => self.sessions.remove(&hash),
            };
        }
        for (hash, session, has_ended) in changes.embed_sessions {
            // A redeemed code is replaced by the session's own secret.
            if session.redeemed_at.is_some() || has_ended {
                self.embed_sessions.retain(|_, known| known.id != session.id);
            }
            if !has_ended {
                self.embed_sessions.insert(hash, session);
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
    pub fn record_token_uses(&mut self, uses: &[(SecretHash, Timestamp)]) {
        for (hash, used_at) in uses {
            if let Some(token) = self.tokens.get_mut(hash) {
                let token = Arc::make_mut(token);
                token.last_used_at = token.last_used_at.max(Some(*used_at));
            }
        }
    }

    /// Forgets sessions that ended, and tokens that were revoked or expired longer than `keep_tokens` ago.
    pub fn purge(&mut self, now: Timestamp, keep_tokens: Span) {
        self.sessions.retain(|_, session| !session.has_ended(now));
        self.embed_sessions
            .retain(|_, session| session.is_redeemable(now) || session.is_active(now));
        let is_kept = |token: &Token| {
            let ended_at = [token.revoked_at, token.expires_at].into_iter().flatten().min();
            ended_at.is_none_or(|ended_at| now - ended_at < keep_tokens)
        };
        self.tokens.retain(|_, token| is_kept(token));
        let tokens = &self.tokens;
        self.join_tokens.retain(|hash| tokens.contains_key(hash));
        self.credentials.retain(|_, hashes| {
            hashes.retain(|hash| tokens.contains_key(hash));
            !hashes.is_empty()
        });
    }

    /// Whether at least `max_servers` other servers have a valid credential.
    pub fn is_full_for(&self, server: &ServerName, max_servers: usize, now: Timestamp) -> bool {
        if self.credentials.len() < max_servers || self.credentials.contains_key(&server.folded()) {
            return false;
        }
        let is_enrolled = |hashes: &&HashSet<SecretHash>| {
            hashes.iter().any(|hash| self.token(*hash, now).is_some())
        };
        self.credentials.values().filter(is_enrolled).count() >= max_servers
    }

    /// The valid credentials of a server, the newest first.
    pub fn credentials_of(&self, server: &ServerName, now: Timestamp) -> Vec<SecretHash> {
        self.valid(self.credentials.get(&server.folded()).into_iter().flatten(), now)
    }

    /// The valid join tokens, the newest first.
    pub fn join_tokens(&self, now: Timestamp) -> Vec<SecretHash> {
        self.valid(self.join_tokens.iter(), now)
    }

    fn valid<'h>(
        &self,
        hashes: impl Iterator<Item = &'h SecretHash>,
        now: Timestamp,
    ) -> Vec<SecretHash> {
        let mut valid: Vec<(&SecretHash, &Token)> =
            hashes.filter_map(|hash| Some((hash, self.token(*hash, now)?))).collect();
        valid.sort_by(|(_, one), (_, other)| one.newest_first(other));
        valid.into_iter().map(|(hash, _)| *hash).collect()
    }

    /// The tokens that are revoked together with this owner: those it created, and those created with these.
    pub fn owned_by<'k>(&'k self, owner: &TokenOwner) -> Vec<&'k Token> {
        let mut owners = vec![owner.clone()];
        let mut tokens: Vec<&Token> = Vec::new();
        while let Some(owner) = owners.pop() {
            let is_new = |token: &&Token| {
                token.owner.as_ref() == Some(&owner)
                    && token.role != TokenRole::Server
                    && !tokens.iter().any(|known| known.id == token.id)
            };
            let all = self.tokens.values().map(AsRef::as_ref);
            let found: Vec<&Token> = all.filter(is_new).collect();
            owners.extend(found.iter().map(|token| TokenOwner::Token(token.id.clone())));
            tokens.extend(found);
        }
        tokens
    }

    /// A session that has not ended, with its account.
    pub fn session(&self, hash: SecretHash, now: Timestamp) -> Option<(&Account, &Session)> {
        let session = self.sessions.get(&hash).filter(|session| !session.has_ended(now))?;
        Some((self.accounts.get(&session.name_key)?, session))
    }

    /// An embed session that has not ended, if the product's token is still valid.
    pub fn embed_session(&self, hash: SecretHash, now: Timestamp) -> Option<&EmbedSession> {
        let session = self.embed_sessions.get(&hash).filter(|session| session.is_active(now))?;
        self.token(session.token, now).is_some().then_some(session)
    }

    /// Whether an admin can sign in: one who was only invited cannot.
    pub fn has_admin(&self) -> bool {
        self.accounts
            .values()
            .any(|account| account.role == UserRole::Admin && account.has_password())
    }

    /// The sessions of an account that have not ended.
    pub fn sessions_of(
        &self,
        name_key: &str,
        now: Timestamp,
    ) -> impl Iterator<Item = (&SecretHash, &Session)> {
        let is_live =
            move |session: &Session| session.name_key == name_key && !session.has_ended(now);
        self.sessions.iter().filter(move |(_, session)| is_live(session))
    }

    /// The account that somebody with this code may choose a password for.
    pub fn invited(&self, code: SecretHash, now: Timestamp) -> Option<(&String, &Account)> {
        let has_code = |account: &Account| {
            account.open_invitation(now).is_some_and(|invitation| invitation.hash == code)
        };
        self.accounts.iter().find(|(_, account)| has_code(account))
    }

    /// Whether the account or the token exists that somebody acts with, and is an admin's.
    pub fn is_admin(&self, owner: &TokenOwner, now: Timestamp) -> bool {
        match owner {
            TokenOwner::User(name_key) => {
                self.accounts.get(name_key).is_some_and(|account| account.role == UserRole::Admin)
            }
            TokenOwner::Token(id) => self.tokens.values().any(|token| {
                token.id == *id
                    && token.role == TokenRole::User(UserRole::Admin)
                    && token.is_valid(now)
            }),
        }
    }

    /// All tokens and credentials, the newest first.
    pub fn newest_tokens_first(&self) -> Vec<&Token> {
        let mut tokens: Vec<&Token> = self.tokens.values().map(AsRef::as_ref).collect();
        tokens.sort_by(|one, other| one.newest_first(other));
        tokens
    }

    /// The token with this secret, if it is valid.
    pub fn token(&self, hash: SecretHash, now: Timestamp) -> Option<&Token> {
        self.tokens.get(&hash).map(AsRef::as_ref).filter(|token| token.is_valid(now))
    }
}
