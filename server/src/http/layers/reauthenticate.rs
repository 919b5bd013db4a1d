//! Checks again, while a long answer goes on, whether its reader may still have it.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, header};

use crate::auth::origin::OverTls;
use crate::auth::proxy::forwarded::{FORWARDED, X_FOR, X_HOST, X_PROTO};
use crate::auth::{AuthMode, AuthService};
use crate::http::layers::permission::{Permission, check};
use crate::site::Site;

/// The longest header that is kept of a stream's request: a list of roles may be long.
const MAX_KEPT_HEADER_BYTES: usize = 8 << 10;

/// What proves who the reader is, copied: a header that is kept by reference keeps the 8 kB buffer that the whole request
/// was read into.
pub(crate) struct Reauthenticator {
    headers: HeaderMap,
    extensions: Extensions,
}

impl Reauthenticator {
    /// For the sender of this request. What a host product puts into a request is known to it alone, so all of it is kept.
    pub(crate) fn new(request: &Parts, auth: &AuthService) -> Self {
        let Parts { headers, extensions, .. } = request;
        let kept: &[&HeaderName] = match &auth.policy.mode {
            AuthMode::Host(_) => {
                return Self { headers: headers.clone(), extensions: extensions.clone() };
            }
            AuthMode::Proxy { user, role } => &[&header::AUTHORIZATION, user, role],
            // The cookie's name depends on how the overview is reached.
            AuthMode::Password => &[
                &header::AUTHORIZATION,
                &header::HOST,
                &X_FOR.0,
                &X_HOST.0,
                &X_PROTO.0,
                &FORWARDED.0,
            ],
            AuthMode::Open => &[],
        };
        let mut copies = HeaderMap::new();
        for name in kept {
            let short = |value: &&HeaderValue| value.len() <= MAX_KEPT_HEADER_BYTES;
            for value in headers.get_all(*name).iter().filter(short) {
                let name = HeaderName::from_bytes(name.as_str().as_bytes());
                if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
                    copies.append(name, value);
                }
            }
        }
        if let Some(cookies) = auth.own_cookies(headers) {
            copies.insert(header::COOKIE, cookies);
        }
        let mut extensions = Extensions::new();
        if let Some(peer) = request.extensions.get::<ConnectInfo<SocketAddr>>() {
            extensions.insert(*peer);
        }
        if let Some(tls) = request.extensions.get::<OverTls>() {
            extensions.insert(*tls);
        }
        Self { headers: copies, extensions }
    }

    /// Whether the reader may view the overview now.
    pub(crate) fn may_view(&self, site: &Site) -> bool {
        let (identity, _) = site.auth.identify(&self.headers, &self.extensions);
        check(&site.auth.policy, Permission::View, &identity).is_ok()
    }
}
