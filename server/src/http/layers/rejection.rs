//! Why somebody is not let in, and how they are answered: what they lack, and what to do.

use std::net::IpAddr;

use app::cluster::hints::Arg;
use axum::http::{HeaderName, StatusCode};

use crate::Site;
use crate::access::Mode;
use crate::access::caller::Unproved;
use crate::access::proxied::ProxyNameError;
use crate::http::layers::authorize::Need;
use crate::http::problem::{Problem, Values};

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// Who are you?
    Unproved(Unproved),
    /// Prove it again: the session has not acted for long.
    Lapsed,
    /// You may not.
    Forbidden(Bar),
}

/// What somebody is, that may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bar {
    /// A viewer, where only an admin may.
    Viewer,
    /// A guest, where only whoever signed in here may.
    Guest,
    /// A server or whoever enrols servers, where people may.
    Node,
    /// A person's token, where servers may.
    PersonsToken,
    /// Whoever enrols servers, where each has a credential of its own.
    Unenrolled,
}

impl Bar {
    /// What a program is told.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "a viewer may look, and only an admin may change things",
            Self::Guest => {
                "people whom a product let into its page create no tokens: sign in to the overview itself, or use an admin's token"
            }
            Self::Node => {
                "a server's credential or a join token lets nobody look: use a viewer's or an admin's token"
            }
            Self::PersonsToken => "a person's token sends no heartbeats: use the join token",
            Self::Unenrolled => {
                "this overview takes heartbeats only with a server's own credential: enrol first, at /api/v1/enrolments"
            }
        }
    }

    /// The key of what a person is told.
    const fn key(self) -> &'static str {
        match self {
            Self::Viewer => "plain.refused.viewer",
            Self::Guest => "plain.refused.guest",
            Self::Node | Self::PersonsToken | Self::Unenrolled => "plain.refused.node",
        }
    }
}

impl Denied {
    /// The answer. `peer`: whose connection the request came by.
    pub(crate) fn problem(self, site: &Site, need: Need, peer: Option<IpAddr>) -> Problem {
        let unauthorized = |detail: &str| Problem::unauthorized(detail);
        let of_servers = matches!(need, Need::HeartbeatUpdate | Need::Enrol);
        match self {
            Self::Forbidden(bar) => {
                Problem::new(StatusCode::FORBIDDEN, bar.as_str()).for_people(bar.key(), Vec::new())
            }
            Self::Lapsed => said("plain.unproved.lapsed", Vec::new()),
            Self::Unproved(Unproved::BadToken) if of_servers => unauthorized(
                "the token in the Authorization header is no join token of this overview and no server's credential, or it was revoked; compare it with the file `serve` named at its start",
            ),
            Self::Unproved(Unproved::BadToken) => said("plain.unproved.token", Vec::new()),
            Self::Unproved(_) if of_servers => unauthorized(
                "a heartbeat needs the join token or a server's credential: Authorization: Bearer TOKEN",
            ),
            Self::Unproved(Unproved::Proxy(why)) => unnamed(site, why, peer),
            Self::Unproved(Unproved::Silent | Unproved::BadSession) => {
                match site.access.policy.mode {
                    Mode::Proxy { .. } | Mode::Host(_) => {
                        said("plain.unproved.product", Vec::new())
                    }
                    Mode::Open | Mode::Password => {
                        let page = Arg::Text(format!("{}/sign-in", site.base));
                        said("plain.unproved.sign-in", vec![("page", page)])
                    }
                }
            }
        }
    }
}

fn said(key: &'static str, values: Values) -> Problem {
    Problem::said(StatusCode::UNAUTHORIZED, key, values)
}

/// Why the proxy's headers name nobody, and what it must send.
fn unnamed(site: &Site, why: ProxyNameError, peer: Option<IpAddr>) -> Problem {
    let Mode::Proxy { user, role } = &site.access.policy.mode else {
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
