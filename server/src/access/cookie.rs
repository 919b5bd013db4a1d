//! The one cookie there is: it carries a session's secret, and nothing reads it but the overview.

use axum::http::{HeaderMap, HeaderValue, header};

use super::Access;
use super::keyring::SESSION;
use super::origin::Origin;
use super::secret::{Hash, Secret};
use crate::http::guard::is_loopback_host;

impl Access {
    /// The cookie's name and whether a browser may send it over TLS alone: always, except to a
    /// loopback name without TLS, where it never leaves the machine.
    fn cookie_name(&self, headers: &HeaderMap, origin: &Origin) -> (String, bool) {
        let secure = origin.encrypted || !is_loopback_host(headers);
        let prefix = match (secure, self.base.is_empty()) {
            (true, true) => "__Host-",
            (true, false) => "__Secure-",
            (false, _) => "",
        };
        (format!("{prefix}{}", self.cookie), secure)
    }

    /// The session a request belongs to. A browser that sends two was made to; neither counts.
    pub(crate) fn session_of(&self, headers: &HeaderMap, origin: &Origin) -> Option<Hash> {
        let (name, _) = self.cookie_name(headers, origin);
        let mut found = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(known, _)| *known == name)
            .map(|(_, value)| value);
        let secret = found.next()?;
        found.next().is_none().then(|| Hash::of(secret))
    }

    /// Sets the cookie, or with no secret takes it away.
    pub(crate) fn set_cookie(
        &self,
        headers: &HeaderMap,
        origin: &Origin,
        secret: Option<&Secret>,
    ) -> Option<HeaderValue> {
        let (name, secure) = self.cookie_name(headers, origin);
        let path = if self.base.is_empty() { "/" } else { &self.base };
        let (value, age) = secret.map_or(("", 0), |secret| (secret.reveal(), SESSION.0 / 1_000));
        let secure = if secure { "; Secure" } else { "" };
        let cookie =
            format!("{name}={value}; Path={path}; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
        let mut cookie = HeaderValue::from_str(&cookie).ok()?;
        cookie.set_sensitive(true);
        Some(cookie)
    }
}
