//! Who a request is from, found out in memory.

use std::net::IpAddr;

use app::cluster::{ServerName, Timestamp};
use app::protocol::UserRole;
use axum::http::{Extensions, HeaderMap, header};

use crate::auth::audit::{Actor, Proof};
use crate::auth::cache::AuthCache;
use crate::auth::model::{Maker, Token, TokenRole, WHILE_BLIND, name_key};
use crate::auth::origin::{Origin, RequestId};
use crate::auth::proxy::user_headers::{self, ProxyNameError};
use crate::auth::secret::Hash;
use crate::auth::{Access, HostPerson, Mode};

/// Who asks.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Somebody who proves nothing.
    Nobody(AuthFailure),
    /// Somebody who may look, at least.
    Person(Person),
    /// A server with its own credential.
    Node {
        /// Which server.
        server: ServerName,
        /// The credential's number.
        credential: String,
    },
    /// Somebody with a join token.
    Joiner {
        /// The token's name.
        token: String,
    },
}

/// Why somebody proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthFailure {
    /// They do not try.
    Silent,
    /// By a token that is unknown, expired or revoked.
    BadToken,
    /// By a session that is over or never was.
    BadSession,
    /// By a proxy whose headers name nobody.
    Proxy(ProxyNameError),
}

/// A person, or a program with a person's token.
#[derive(Clone, Debug)]
pub struct Person {
    /// Who.
    pub name: String,
    /// What they may.
    pub rank: UserRole,
    /// How they proved it.
    pub proof: Proof,
    /// Where from.
    pub address: Option<IpAddr>,
    /// The request that they send.
    pub request_id: Option<RequestId>,
    /// Their session.
    pub session: Option<Hash>,
    /// Their token, if that is their proof.
    pub token: Option<Hash>,
    /// With whose end the tokens they make end, if with anybody's.
    pub maker: Option<Maker>,
    /// Whether the session still acts, or must prove itself by the password first.
    pub may_act: bool,
}

impl Person {
    /// Whoever it is, where nobody signs in.
    pub(crate) fn anybody(origin: &Origin) -> Self {
        Self {
            name: "anybody".to_owned(),
            rank: UserRole::Admin,
            proof: Proof::Nothing,
            address: origin.client,
            request_id: origin.request_id,
            session: None,
            token: None,
            maker: None,
            may_act: true,
        }
    }

    /// Whether a product let them into a frame, by a session that it can end.
    pub(crate) fn is_guest(&self) -> bool {
        self.proof == Proof::Host && self.session.is_some()
    }

    /// How the audit names them.
    pub fn actor(&self) -> Actor {
        Actor {
            name: self.name.clone(),
            proof: self.proof,
            address: self.address,
            request_id: self.request_id,
            session: self.session,
            maker: self.maker.clone(),
        }
    }
}

impl Caller {
    /// Whether a bearer token proved it: no page elsewhere can make a browser send one.
    pub fn is_proved_by_token(&self) -> bool {
        match self {
            Self::Nobody(_) => false,
            Self::Person(person) => person.proof == Proof::Token,
            Self::Node { .. } | Self::Joiner { .. } => true,
        }
    }
}

/// What a caller is found out from.
#[derive(Clone, Copy, Debug)]
struct Moment {
    now: Timestamp,
    /// How long the database has not been seen.
    unseen: app::cluster::Span,
}

impl Access {
    /// Who this request is from. A token counts before anything else a request carries.
    pub(crate) fn caller(&self, headers: &HeaderMap, extensions: &Extensions) -> (Caller, Origin) {
        let origin = Origin::of(headers, extensions, &self.policy.proxies);
        let keyring = self.live.keyring();
        let now = self.live.now();
        let moment = Moment { now, unseen: now - self.live.last_sight() };
        let by_token = bearer(headers).map(|hash| match hash {
            Ok(hash) => self.bearer(&keyring, hash, &origin, moment),
            Err(why) => Caller::Nobody(why),
        });
        let caller = match (by_token, &self.policy.mode) {
            // Where nobody signs in, a token proves no less than none.
            (None | Some(Caller::Nobody(_)), Mode::Open) => {
                Caller::Person(Person::anybody(&origin))
            }
            (Some(caller), _) => caller,
            (None, Mode::Password) => self.signed_in(&keyring, headers, &origin, moment),
            (None, Mode::Proxy { user, role }) => {
                match user_headers::person(headers, &origin, user, role) {
                    Ok(person) => vouched_for(person, Proof::Proxy, &origin),
                    Err(why) => Caller::Nobody(AuthFailure::Proxy(why)),
                }
            }
            (None, Mode::Host(host)) => {
                let person = host.person(headers, extensions);
                person.map_or(Caller::Nobody(AuthFailure::Silent), |person| {
                    vouched_for(person, Proof::Host, &origin)
                })
            }
        };
        (caller, origin)
    }

    /// Whether a request brings a proof that nobody here has heard of.
    pub(crate) fn brings_unknown(&self, headers: &HeaderMap, extensions: &Extensions) -> bool {
        let keyring = self.live.keyring();
        if let Some(hash) = bearer(headers) {
            return hash.is_ok_and(|hash| {
                Some(hash) != self.join_token() && !keyring.tokens.contains_key(&hash)
            });
        }
        let origin = Origin::of(headers, extensions, &self.policy.proxies);
        let unknown_person = |session: Hash| !keyring.sessions.contains_key(&session);
        let unknown_guest = |session: Hash| !keyring.guests.contains_key(&session);
        self.policy.mode == Mode::Password
            && (self.session_of(headers, &origin).is_some_and(unknown_person)
                || self.guest_of(headers, &origin).is_some_and(unknown_guest))
    }

    fn bearer(&self, keyring: &AuthCache, hash: Hash, origin: &Origin, moment: Moment) -> Caller {
        if Some(hash) == self.join_token() {
            return Caller::Joiner { token: "join token".to_owned() };
        }
        let Some(token) = keyring.token(hash, moment.now) else {
            return Caller::Nobody(AuthFailure::BadToken);
        };
        self.note_use(token, moment.now);
        of_token(token, hash, origin)
    }

    fn signed_in(
        &self,
        keyring: &AuthCache,
        headers: &HeaderMap,
        origin: &Origin,
        moment: Moment,
    ) -> Caller {
        let (own, guests) = (self.session_of(headers, origin), self.guest_of(headers, origin));
        if own.is_none() && guests.is_none() {
            return Caller::Nobody(AuthFailure::Silent);
        }
        let person = |name: &str, rank, proof, hash, may_act| Person {
            name: name.to_owned(),
            rank,
            proof,
            address: origin.client,
            request_id: origin.request_id,
            session: Some(hash),
            token: None,
            maker: (proof == Proof::Session).then(|| Maker::Person(name_key(name))),
            may_act,
        };
        let by_password = own.and_then(|hash| {
            let (account, session) = keyring.session(hash, moment.now)?;
            let may_act = session.may_act(moment.now);
            Some(person(&account.name, account.rank, Proof::Session, hash, may_act))
        });
        // Whoever signed in themselves is who they say, whatever a product around the page says.
        let by_product = || {
            let hash = guests?;
            let guest = keyring.guest(hash, moment.now)?;
            Some(person(&guest.name, guest.rank, Proof::Host, hash, guest.may_act(moment.now)))
        };
        by_password
            .or_else(by_product)
            .filter(|_| moment.unseen <= WHILE_BLIND)
            .map_or(Caller::Nobody(AuthFailure::BadSession), Caller::Person)
    }
}

fn of_token(token: &Token, hash: Hash, origin: &Origin) -> Caller {
    match (token.role, &token.server) {
        (TokenRole::Person(rank), _) => Caller::Person(Person {
            name: token.name.clone(),
            rank,
            proof: Proof::Token,
            address: origin.client,
            request_id: origin.request_id,
            session: None,
            token: Some(hash),
            maker: Some(Maker::Token(token.id.clone())),
            may_act: true,
        }),
        (TokenRole::Node, Some(server)) => {
            Caller::Node { server: server.clone(), credential: token.id.clone() }
        }
        (TokenRole::Join, _) => Caller::Joiner { token: token.name.clone() },
        // A credential of no server proves nothing; the store makes none.
        (TokenRole::Node, None) => Caller::Nobody(AuthFailure::BadToken),
    }
}

/// Whoever the product says it is: when their sign-in ends is its business.
fn vouched_for(person: HostPerson, proof: Proof, origin: &Origin) -> Caller {
    let HostPerson { name, rank } = person;
    Caller::Person(Person {
        name,
        rank,
        proof,
        address: origin.client,
        request_id: origin.request_id,
        session: None,
        token: None,
        maker: None,
        may_act: true,
    })
}

/// The hash of the secret of `Authorization: Bearer`, also of an empty one: whoever tries a token wants it
/// judged. What is longer than any token is a bad one.
fn bearer(headers: &HeaderMap) -> Option<Result<Hash, AuthFailure>> {
    let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, secret) = given.split_once(' ').unwrap_or((given, ""));
    let hash = || Hash::of_token(secret.trim()).ok_or(AuthFailure::BadToken);
    scheme.eq_ignore_ascii_case("bearer").then(hash)
}
