//! The two cookies: one for sessions, one for embed sessions. Each has the session's secret as its value.
//!
//! Browsers send the embed cookie also from a frame within another site; the other one they do not.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::auth::AuthService;
use crate::auth::model::SESSION_LIFETIME;
use crate::auth::origin::{PublicHost, RequestOrigin};
use crate::auth::secret::{SECRET_BYTES, Secret, SecretHash};

/// How many of our cookies are kept of a request: there are two names, and of each name two are enough to reject both.
const MAX_OWN_COOKIES: usize = 4;

impl AuthService {
    /// The name of the session cookie, and whether it is marked `Secure`: always, except for a loopback name without
    /// TLS, where the cookie never leaves the machine.
    fn cookie_name(&self, headers: &HeaderMap, origin: &RequestOrigin) -> (String, bool) {
        let secure = origin.encrypted || !self.is_on_loopback(headers, origin);
        let prefix = match (secure, self.base.is_empty()) {
            (true, true) => "__Host-",
            (true, false) => "__Secure-",
            (false, _) => "",
        };
        (format!("{prefix}{}", self.cookie), secure)
    }

    /// Whether the browser uses a loopback name for the overview.
    fn is_on_loopback(&self, headers: &HeaderMap, origin: &RequestOrigin) -> bool {
        let own = PublicHost::from_request(headers, origin, &self.policy.proxies);
        own.is_some_and(|own| own.is_loopback())
    }

    /// Whether the browser would keep a session cookie: only over TLS, or for a loopback name.
    pub(crate) fn can_keep_session(&self, headers: &HeaderMap, origin: &RequestOrigin) -> bool {
        is_secure_context(headers, origin) || self.is_on_loopback(headers, origin)
    }

    /// The hash of the secret in the session cookie.
    pub(crate) fn session_cookie(
        &self,
        headers: &HeaderMap,
        origin: &RequestOrigin,
    ) -> Option<SecretHash> {
        let (name, _) = self.cookie_name(headers, origin);
        cookie_secret(headers, &name)
    }

    /// The hash of the secret in the cookie of an embed session.
    pub(crate) fn embed_session_cookie(
        &self,
        headers: &HeaderMap,
        origin: &RequestOrigin,
    ) -> Option<SecretHash> {
        let (name, _) = self.cookie_name(headers, origin);
        cookie_secret(headers, &embed_cookie_name(&name))
    }

    /// The overview's own cookies of a request, without those of other programs on the same host.
    pub(crate) fn own_cookies(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let pairs = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'));
        let is_own = |pair: &&str| {
            let value = pair.split_once('=').filter(|(name, _)| name.contains(&self.cookie));
            value.is_some_and(|(_, value)| value.len() == SECRET_BYTES)
        };
        let own: Vec<&str> = pairs.map(str::trim).filter(is_own).take(MAX_OWN_COOKIES).collect();
        HeaderValue::from_str(&own.join("; ")).ok().filter(|line| !line.is_empty())
    }

    /// The value of `Set-Cookie` for a session; without a secret it deletes the cookie.
    pub(crate) fn set_cookie(
        &self,
        headers: &HeaderMap,
        origin: &RequestOrigin,
        secret: Option<&Secret>,
    ) -> Option<HeaderValue> {
        let (name, secure) = self.cookie_name(headers, origin);
        let (value, age) =
            secret.map_or(("", 0), |secret| (secret.reveal(), SESSION_LIFETIME.0 / 1_000));
        let secure = if secure { "; Secure" } else { "" };
        self.cookie_line(&format!("{name}={value}"), age, &format!("SameSite=Lax{secure}"))
    }

    /// The value of `Set-Cookie` for an embed session. Browsers send this cookie also from a frame within another
    /// site, but only within the site in which it was set. They accept it over TLS and for loopback names.
    pub(crate) fn set_embed_cookie(
        &self,
        headers: &HeaderMap,
        origin: &RequestOrigin,
        secret: &Secret,
    ) -> Option<HeaderValue> {
        let (name, _) = self.cookie_name(headers, origin);
        let pair = format!("{}={}", embed_cookie_name(&name), secret.reveal());
        self.cookie_line(&pair, SESSION_LIFETIME.0 / 1_000, "Secure; SameSite=None; Partitioned")
    }

    fn cookie_line(&self, pair: &str, age: i64, attributes: &str) -> Option<HeaderValue> {
        let path = if self.base.is_empty() { "/" } else { &self.base };
        let line = format!("{pair}; Path={path}; Max-Age={age}; HttpOnly; {attributes}");
        let mut cookie = HeaderValue::from_str(&line).ok()?;
        cookie.set_sensitive(true);
        Some(cookie)
    }
}

/// Whether the browser is known to be in a secure context. It ignores some headers otherwise.
pub(crate) fn is_secure_context(headers: &HeaderMap, origin: &RequestOrigin) -> bool {
    // A proxy may use TLS without saying so. Browsers send `Sec-Fetch-Site` only over TLS and to loopback names.
    let by_browser = headers.contains_key("sec-fetch-site")
        || headers.get(header::ORIGIN).is_some_and(|page| page.as_bytes().starts_with(b"https:"));
    origin.encrypted || by_browser
}

fn embed_cookie_name(name: &str) -> String {
    format!("{name}-guest")
}

/// The hash of the secret in the cookie of this name. If there are two, somebody else set one of them, so neither
/// counts.
fn cookie_secret(headers: &HeaderMap, name: &str) -> Option<SecretHash> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value);
    let secret = found.next()?;
    found.next().is_none().then(|| SecretHash::from_generated(secret)).flatten()
}
