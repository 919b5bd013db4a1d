//! Why a caller is rejected, and the problem that says what to do.

use std::net::IpAddr;

use app::cluster::hints::Arg;
use app::i18n::MessageKey;
use axum::http::{HeaderName, StatusCode};

use crate::auth::AuthMode;
use crate::auth::identity::AuthFailure;
use crate::auth::proxy::user_headers::ProxyNameError;
use crate::http::layers::permission::Permission;
use crate::http::problem::{Problem, Values};
use crate::site::Site;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    Unauthenticated(AuthFailure),
    /// The session has been idle for too long to make changes: the person must sign in again.
    SessionLapsed,
    Forbidden(ForbiddenReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForbiddenReason {
    /// A viewer, on an admin's route.
    Viewer,
    /// A person in an embedded page, on a route for people who signed in here.
    EmbeddedGuest,
    /// A server's credential or a join token, on a person's route.
    ServerToken,
    /// A person's token, on a server's route.
    PersonToken,
    /// A join token, with `--require-enrolment`.
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
    const fn message(self) -> MessageKey {
        match self {
            Self::Viewer => MessageKey::PagesForbiddenViewer,
            Self::EmbeddedGuest => MessageKey::PagesForbiddenGuest,
            Self::ServerToken | Self::PersonToken | Self::EnrolmentRequired => {
                MessageKey::PagesForbiddenServerToken
            }
        }
    }
}

impl Rejection {
    /// `peer`: the other end of the connection.
    pub(crate) fn problem(
        self,
        site: &Site,
        permission: Permission,
        peer: Option<IpAddr>,
    ) -> Problem {
        let unauthorized = |detail: &str| Problem::unauthorized(detail);
        let for_servers = matches!(permission, Permission::SendHeartbeats | Permission::Enrol);
        match self {
            Self::Forbidden(reason) => Problem::new(StatusCode::FORBIDDEN, reason.as_str())
                .for_people(reason.message(), Vec::new()),
            Self::SessionLapsed => {
                unauthorized_with_message(MessageKey::PagesNotSignedInLapsed, Vec::new())
            }
            Self::Unauthenticated(AuthFailure::BadToken) if for_servers => unauthorized(
                "the token in the Authorization header is neither a join token nor a server's credential of this overview, or it was revoked; compare it with the file that `serve` named at its start",
            ),
            Self::Unauthenticated(AuthFailure::BadToken) => {
                unauthorized_with_message(MessageKey::PagesNotSignedInToken, Vec::new())
            }
            Self::Unauthenticated(_) if for_servers => unauthorized(
                "a heartbeat needs the join token or a server's credential: Authorization: Bearer TOKEN",
            ),
            Self::Unauthenticated(AuthFailure::Proxy(why)) => proxy_problem(site, why, peer),
            Self::Unauthenticated(AuthFailure::NoCredentials | AuthFailure::BadSession) => {
                match site.auth.policy.mode {
                    AuthMode::Proxy { .. } | AuthMode::Host(_) => {
                        unauthorized_with_message(MessageKey::PagesNotSignedInProduct, Vec::new())
                    }
                    AuthMode::Open | AuthMode::Password => {
                        let page = Arg::Text(format!("{}/sign-in", site.base));
                        unauthorized_with_message(
                            MessageKey::PagesNotSignedIn,
                            vec![("page", page)],
                        )
                    }
                }
            }
        }
    }
}

fn unauthorized_with_message(key: MessageKey, values: Values) -> Problem {
    Problem::translated(StatusCode::UNAUTHORIZED, key, values)
}

/// What is wrong with the proxy's headers, and what the proxy must send.
fn proxy_problem(site: &Site, why: ProxyNameError, peer: Option<IpAddr>) -> Problem {
    let AuthMode::Proxy { user, role } = &site.auth.policy.mode else {
        return unauthorized_with_message(MessageKey::PagesNotSignedInProduct, Vec::new());
    };
    let (key, header) = match why {
        ProxyNameError::Direct => (MessageKey::PagesProxyNotTrusted, user),
        ProxyNameError::Missing => (MessageKey::PagesProxyMissing, user),
        ProxyNameError::Empty => (MessageKey::PagesProxyEmpty, user),
        ProxyNameError::TwoNames => (MessageKey::PagesProxyTwice, user),
        ProxyNameError::TwoRoles => (MessageKey::PagesProxyTwice, role),
        ProxyNameError::Long => (MessageKey::PagesProxyLong, user),
        ProxyNameError::Unprintable => (MessageKey::PagesProxyUnprintable, user),
        ProxyNameError::Encoding => (MessageKey::PagesProxyEncoding, user),
    };
    let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
    let line = format!("--trusted-proxies {peer}");
    let values = [("header", display_name(header)), ("line", line), ("peer", peer)];
    unauthorized_with_message(
        key,
        values.into_iter().map(|(name, value)| (name, Arg::Text(value))).collect(),
    )
}

/// The usual spelling of a header: `X-Forwarded-User`.
fn display_name(header: &HeaderName) -> String {
    let capitalize = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    header.as_str().split('-').map(capitalize).collect::<Vec<_>>().join("-")
}
