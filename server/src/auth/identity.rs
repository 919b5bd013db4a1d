//! Who sends a request: found out from its headers, in memory.

use std::net::IpAddr;
use std::sync::Arc;

use app::cluster::{RejectionReason, ServerName, Span, Timestamp};
use app::protocol::UserRole;
use axum::http::{Extensions, HeaderMap, header};

use crate::auth::audit::{Actor, AuthMethod};
use crate::auth::cache::AuthCache;
use crate::auth::model::{MAX_BLIND_SESSION_USE, Token, TokenOwner, TokenRole, name_key};
use crate::auth::origin::{RequestId, RequestOrigin};
use crate::auth::proxy::user_headers::{self, ProxyNameError};
use crate::auth::secret::SecretHash;
use crate::auth::{AuthMode, AuthService, HostUser};

/// Who sends a request.
#[derive(Clone, Debug)]
pub enum Identity {
    Anonymous(AuthFailure),
    User(User),
    /// A server with its own credential.
    Server {
        server: ServerName,
        /// The ID of the credential.
        credential: String,
    },
    JoinToken {
        /// The token's name.
        token: String,
    },
}

/// Why somebody is anonymous.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthFailure {
    NoCredentials,
    /// The token is unknown, expired or revoked.
    BadToken,
    /// The session has ended or never existed.
    BadSession,
    /// The proxy's headers name no user.
    Proxy(ProxyNameError),
}

/// A person, or a program with a viewer's or an admin's token.
#[derive(Clone, Debug)]
pub struct User {
    pub name: String,
    pub role: UserRole,
    pub auth_method: AuthMethod,
    pub address: Option<IpAddr>,
    pub request_id: Option<RequestId>,
    pub session: Option<SecretHash>,
    pub token: Option<SecretHash>,
    /// What owns the tokens that they create.
    pub owner: Option<TokenOwner>,
    /// False if the session has to ask for the password before it changes something.
    pub may_change: bool,
}

impl User {
    /// Without a session, a token or an owner of tokens.
    fn new(name: String, role: UserRole, auth_method: AuthMethod, origin: &RequestOrigin) -> Self {
        Self {
            name,
            role,
            auth_method,
            address: origin.client,
            request_id: origin.request_id,
            session: None,
            token: None,
            owner: None,
            may_change: true,
        }
    }

    /// Everybody's user where nobody signs in.
    pub(crate) fn anyone(origin: &RequestOrigin) -> Self {
        Self::new("anybody".to_owned(), UserRole::Admin, AuthMethod::Nothing, origin)
    }

    /// Whether they have an embed session, which the product can end.
    pub(crate) fn is_embedded(&self) -> bool {
        self.auth_method == AuthMethod::Host && self.session.is_some()
    }

    /// The user as the audit log names them.
    pub fn actor(&self) -> Actor {
        Actor {
            name: self.name.clone(),
            auth_method: self.auth_method,
            address: self.address,
            request_id: self.request_id,
            session: self.session,
            owner: self.owner.clone(),
        }
    }
}

impl Identity {
    /// Whether a bearer token proved it. No page of another site can make a browser send one.
    pub fn has_token(&self) -> bool {
        match self {
            Self::Anonymous(_) => false,
            Self::User(user) => user.auth_method == AuthMethod::Token,
            Self::Server { .. } | Self::JoinToken { .. } => true,
        }
    }
}

/// What every way to authenticate looks at, besides the headers.
#[derive(Clone, Copy, Debug)]
struct Context<'a> {
    auth_cache: &'a AuthCache,
    origin: &'a RequestOrigin,
    now: Timestamp,
    /// For how long the database has not been reachable.
    blind_for: Span,
}

impl AuthService {
    /// Who sends this request, and where it comes from. A token has precedence over everything else that a request
    /// brings.
    pub(crate) fn identify(
        &self,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> (Identity, RequestOrigin) {
        let origin = RequestOrigin::from_request(headers, extensions, &self.policy.proxies);
        let auth_cache = self.live.auth_cache();
        let now = self.live.now();
        let blind_for = now - self.live.last_readable_at();
        let context = Context { auth_cache: &auth_cache, origin: &origin, now, blind_for };
        let by_token = bearer_token(headers).map(|hash| match hash {
            Ok(hash) => self.identify_by_token(hash, context),
            Err(failure) => Identity::Anonymous(failure),
        });
        let identity = match (by_token, &self.policy.mode) {
            // Where nobody signs in, a bad token must not permit less than no token.
            (None | Some(Identity::Anonymous(_)), AuthMode::Open) => {
                Identity::User(User::anyone(&origin))
            }
            (Some(identity), _) => identity,
            (None, AuthMode::Password) => self.identify_by_session(headers, context),
            (None, AuthMode::Proxy { user, role }) => {
                match user_headers::read_user(headers, &origin, user, role) {
                    Ok(user) => external_user(user, AuthMethod::Proxy, &origin),
                    Err(error) => Identity::Anonymous(AuthFailure::Proxy(error)),
                }
            }
            (None, AuthMode::Host(host)) => match host.user(headers, extensions) {
                Some(user) => external_user(user, AuthMethod::Host, &origin),
                None => Identity::Anonymous(AuthFailure::NoCredentials),
            },
        };
        (identity, origin)
    }

    /// Whether a request brings a token or a session that the cache does not have.
    pub(crate) fn has_unknown_credential(
        &self,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> bool {
        let auth_cache = self.live.auth_cache();
        if let Some(hash) = bearer_token(headers) {
            return hash.is_ok_and(|hash| {
                Some(hash) != self.join_token() && !auth_cache.tokens.contains_key(&hash)
            });
        }
        let origin = RequestOrigin::from_request(headers, extensions, &self.policy.proxies);
        let is_unknown = |session| !auth_cache.sessions.contains_key(&session);
        let is_unknown_embed = |session| !auth_cache.embed_sessions.contains_key(&session);
        self.policy.mode == AuthMode::Password
            && (self.session_cookie(headers, &origin).is_some_and(is_unknown)
                || self.embed_session_cookie(headers, &origin).is_some_and(is_unknown_embed))
    }

    /// Why heartbeats of this server that have this token are rejected: the token was valid for them once, or never.
    pub(crate) fn why_token_rejected(
        &self,
        headers: &HeaderMap,
        server: &ServerName,
    ) -> RejectionReason {
        let auth_cache = self.live.auth_cache();
        let token = bearer_token(headers).and_then(Result::ok);
        let token = token.and_then(|hash| auth_cache.tokens.get(&hash));
        let was_valid = |token: &&Arc<Token>| match token.role {
            TokenRole::Join => true,
            TokenRole::Server => token.server.as_ref() == Some(server),
            TokenRole::User(_) => false,
        };
        match token.filter(was_valid) {
            Some(token) if token.revoked_at.is_some() => RejectionReason::Revoked,
            Some(token) if !token.is_valid(self.live.now()) => RejectionReason::Expired,
            Some(_) | None => RejectionReason::Token,
        }
    }

    fn identify_by_token(&self, hash: SecretHash, context: Context<'_>) -> Identity {
        if Some(hash) == self.join_token() {
            return Identity::JoinToken { token: "join token".to_owned() };
        }
        let Some(token) = context.auth_cache.token(hash, context.now) else {
            return Identity::Anonymous(AuthFailure::BadToken);
        };
        self.note_use(token, context.now);
        token_identity(token, hash, context.origin)
    }

    fn identify_by_session(&self, headers: &HeaderMap, context: Context<'_>) -> Identity {
        let Context { auth_cache, origin, now, blind_for } = context;
        let cookie = self.session_cookie(headers, origin);
        let embed_cookie = self.embed_session_cookie(headers, origin);
        if cookie.is_none() && embed_cookie.is_none() {
            return Identity::Anonymous(AuthFailure::NoCredentials);
        }
        let by_password = cookie.and_then(|hash| {
            let (account, session) = auth_cache.session(hash, now)?;
            let name = account.name.clone();
            Some(User {
                session: Some(hash),
                owner: Some(TokenOwner::User(name_key(&name))),
                may_change: session.may_change(now),
                ..User::new(name, account.role, AuthMethod::Session, origin)
            })
        });
        // Somebody's own sign-in has precedence over what the product around the page says.
        let by_product = || {
            let hash = embed_cookie?;
            let session = auth_cache.embed_session(hash, now)?;
            Some(User {
                session: Some(hash),
                may_change: session.may_change(now),
                ..User::new(session.name.clone(), session.role, AuthMethod::Host, origin)
            })
        };
        by_password
            .or_else(by_product)
            .filter(|_| blind_for <= MAX_BLIND_SESSION_USE)
            .map_or(Identity::Anonymous(AuthFailure::BadSession), Identity::User)
    }
}

fn token_identity(token: &Token, hash: SecretHash, origin: &RequestOrigin) -> Identity {
    match (token.role, &token.server) {
        (TokenRole::User(role), _) => Identity::User(User {
            token: Some(hash),
            owner: Some(TokenOwner::Token(token.id.clone())),
            ..User::new(token.name.clone(), role, AuthMethod::Token, origin)
        }),
        (TokenRole::Server, Some(server)) => {
            Identity::Server { server: server.clone(), credential: token.id.clone() }
        }
        (TokenRole::Join, _) => Identity::JoinToken { token: token.name.clone() },
        // The store creates no credential without a server.
        (TokenRole::Server, None) => Identity::Anonymous(AuthFailure::BadToken),
    }
}

/// A user whom the product has signed in: when that sign-in ends is the product's decision.
fn external_user(user: HostUser, auth_method: AuthMethod, origin: &RequestOrigin) -> Identity {
    Identity::User(User::new(user.name, user.role, auth_method, origin))
}

/// The hash of the token in `Authorization: Bearer`. An empty token counts as a bad one, as does one that is longer
/// than any token: neither is the same as no token.
fn bearer_token(headers: &HeaderMap) -> Option<Result<SecretHash, AuthFailure>> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    let hash = || SecretHash::from_token(token.trim()).ok_or(AuthFailure::BadToken);
    scheme.eq_ignore_ascii_case("bearer").then(hash)
}
