//! Why a caller is rejected, and the answer: what they lack, and what to do.

use std::net::IpAddr;

use app::cluster::hints::Arg;
use axum::http::{HeaderName, StatusCode};

use crate::auth::AuthMode;
use crate::auth::identity::AuthFailure;
use crate::auth::proxy::user_headers::ProxyNameError;
use crate::http::layers::permission::Permission;
use crate::http::problem::{Problem, Values};
use crate::site::Site;

/// Why a caller does not get what they asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// Nothing proves who they are.
    Unauthenticated(AuthFailure),
    /// Their session has been idle for too long to change anything: they must sign in again.
    SessionLapsed,
    /// They may not do this.
    Forbidden(ForbiddenReason),
}

/// Why a known caller may not do this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForbiddenReason {
    /// A viewer, on an admin's route.
    Viewer,
    /// Somebody who came in through an embedded page, on a route for those who signed in here.
    EmbeddedGuest,
    /// A server's credential or a join token, on a person's route.
    ServerToken,
    /// A person's token, on a server's route.
    PersonToken,
    /// A join token, where each server needs a credential of its own.
    EnrolmentRequired,
}

impl ForbiddenReason {
    /// For programs.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "read-only: only an admin can make changes",
            Self::EmbeddedGuest => {
                "people in an embedded page cannot create tokens: sign in to the overview itself, or use an admin's token"
            }
            Self::ServerToken => {
                "a server's credential or a join token does not give access to this: use a viewer's or an admin's token"
            }
            Self::PersonToken => "a person's token cannot send heartbeats: use the join token",
            Self::EnrolmentRequired => {
                "this overview accepts heartbeats only with a server's own credential: enrol first, at /api/v1/enrolments"
            }
        }
    }

    /// The key of the sentence for people.
    const fn key(self) -> &'static str {
        match self {
            Self::Viewer => "plain.refused.viewer",
            Self::EmbeddedGuest => "plain.refused.guest",
            Self::ServerToken | Self::PersonToken | Self::EnrolmentRequired => "plain.refused.node",
        }
    }
}

impl Rejection {
    /// The answer. `peer`: the other end of the connection.
    pub(crate) fn problem(
        self,
        site: &Site,
        permission: Permission,
        peer: Option<IpAddr>,
    ) -> Problem {
        let unauthorized = |detail: &str| Problem::unauthorized(detail);
        let for_servers = matches!(permission, Permission::SendHeartbeats | Permission::Enrol);
        match self {
            Self::Forbidden(bar) => {
                Problem::new(StatusCode::FORBIDDEN, bar.as_str()).for_people(bar.key(), Vec::new())
            }
            Self::SessionLapsed => said("plain.unproved.lapsed", Vec::new()),
            Self::Unauthenticated(AuthFailure::BadToken) if for_servers => unauthorized(
                "the token in the Authorization header is neither a join token of this overview nor a server's credential, or it was revoked; compare it with the file that `serve` named at its start",
            ),
            Self::Unauthenticated(AuthFailure::BadToken) => {
                said("plain.unproved.token", Vec::new())
            }
            Self::Unauthenticated(_) if for_servers => unauthorized(
                "a heartbeat needs the join token or a server's credential: Authorization: Bearer TOKEN",
            ),
            Self::Unauthenticated(AuthFailure::Proxy(why)) => unnamed(site, why, peer),
            Self::Unauthenticated(AuthFailure::NoCredentials | AuthFailure::BadSession) => {
                match site.auth.policy.mode {
                    AuthMode::Proxy { .. } | AuthMode::Host(_) => {
                        said("plain.unproved.product", Vec::new())
                    }
                    AuthMode::Open | AuthMode::Password => {
                        let page = Arg::Text(format!("{}/sign-in", site.base));
                        said("plain.unproved.sign-in", vec![("page", page)])
                    }
                }
            }
        }
    }
}

fn said(key: &'static str, values: Values) -> Problem {
    Problem::translated(StatusCode::UNAUTHORIZED, key, values)
}

/// Why the proxy's headers name nobody, and what the proxy must send.
fn unnamed(site: &Site, why: ProxyNameError, peer: Option<IpAddr>) -> Problem {
    let AuthMode::Proxy { user, role } = &site.auth.policy.mode else {
        return said("plain.unproved.product", Vec::new());
    };
    let (key, header) = match why {
        ProxyNameError::Direct => ("plain.proxy.direct", user),
        ProxyNameError::Missing => ("plain.proxy.missing", user),
        ProxyNameError::Empty => ("plain.proxy.empty", user),
        ProxyNameError::TwoNames => ("plain.proxy.twice", user),
        ProxyNameError::TwoRoles => ("plain.proxy.twice", role),
        ProxyNameError::Long => ("plain.proxy.long", user),
        ProxyNameError::Unprintable => ("plain.proxy.unprintable", user),
        ProxyNameError::Encoding => ("plain.proxy.encoding", user),
    };
    let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
    let line = format!("--trusted-proxies {peer}");
    let values = [("header", shown(header)), ("line", line), ("peer", peer)];
    said(key, values.into_iter().map(|(name, value)| (name, Arg::Text(value))).collect())
}

/// A header's name as documentation writes it: `X-Forwarded-User`.
fn shown(header: &HeaderName) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    header.as_str().split('-').map(capital).collect::<Vec<_>>().join("-")
}
