//! Authenticates the reader of an event stream again while it goes on.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, header};

use crate::auth::origin::OverTls;
use crate::auth::proxy::forwarded::{FORWARDED, X_FOR, X_HOST, X_PROTO};
use crate::auth::{AuthMode, AuthService};
use crate::http::layers::permission::{Permission, check};
use crate::site::Site;

/// The longest header that is kept: a list of roles can be long.
const MAX_KEPT_HEADER_BYTES: usize = 8 << 10;

/// Copies of the headers that authenticate the reader. A reference to a header would keep the 8 kB buffer of the whole request.
pub(crate) struct Reauthenticator {
    headers: HeaderMap,
    extensions: Extensions,
}

impl Reauthenticator {
    /// With a host product, everything in the request is kept, because only the product knows what it needs.
    pub(crate) fn new(request: &Parts, auth: &AuthService) -> Self {
        let Parts { headers, extensions, .. } = request;
        let kept: &[&HeaderName] = match &auth.policy.mode {
            AuthMode::Host(_) => {
                return Self { headers: headers.clone(), extensions: extensions.clone() };
            }
            AuthMode::Proxy { user, role } => &[&header::AUTHORIZATION, user, role],
            // The cookie's name depends on the URL of the overview.
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

    pub(crate) fn may_view(&self, site: &Site) -> bool {
        let (identity, _) = site.auth.identify(&self.headers, &self.extensions);
        check(&site.auth.policy, Permission::View, &identity).is_ok()
    }
}
