//! The cookies there are: each carries a session's secret, and nothing reads it but the overview. A guest's is
//! for a frame within a product of another site; a person's is not.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::auth::Access;
use crate::auth::model::SESSION;
use crate::auth::origin::{Origin, OwnHost};
use crate::auth::secret::{Hash, SECRET_BYTES, Secret};

/// How many cookies of ours a request may carry: two of a name count as none, and there are two names.
const MAX_OWN_COOKIES: usize = 4;

impl Access {
    /// The cookie's name and whether a browser may send it over TLS alone: always, except to a
    /// loopback name without TLS, where it never leaves the machine.
    fn cookie_name(&self, headers: &HeaderMap, origin: &Origin) -> (String, bool) {
        let secure = origin.encrypted || !self.is_on_loopback(headers, origin);
        let prefix = match (secure, self.base.is_empty()) {
            (true, true) => "__Host-",
            (true, false) => "__Secure-",
            (false, _) => "",
        };
        (format!("{prefix}{}", self.cookie), secure)
    }

    /// Whether a browser knows the overview by a loopback name: what it sends there stays on its machine.
    fn is_on_loopback(&self, headers: &HeaderMap, origin: &Origin) -> bool {
        let own = OwnHost::of(headers, origin, &self.policy.proxies);
        own.is_some_and(|own| own.is_loopback())
    }

    /// Whether the browser that sent this would keep a session: over TLS, or under a loopback name.
    pub(crate) fn is_session_kept(&self, headers: &HeaderMap, origin: &Origin) -> bool {
        is_secure_context(headers, origin) || self.is_on_loopback(headers, origin)
    }

    /// The session a request belongs to.
    pub(crate) fn session_of(&self, headers: &HeaderMap, origin: &Origin) -> Option<Hash> {
        let (name, _) = self.cookie_name(headers, origin);
        carried(headers, &name)
    }

    /// The guest a request is from.
    pub(crate) fn guest_of(&self, headers: &HeaderMap, origin: &Origin) -> Option<Hash> {
        let (name, _) = self.cookie_name(headers, origin);
        carried(headers, &guests(&name))
    }

    /// The overview's own cookies of a request, and no others.
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

    /// Sets the cookie, or with no secret takes it away.
    pub(crate) fn set_cookie(
        &self,
        headers: &HeaderMap,
        origin: &Origin,
        secret: Option<&Secret>,
    ) -> Option<HeaderValue> {
        let (name, secure) = self.cookie_name(headers, origin);
        let (value, age) = secret.map_or(("", 0), |secret| (secret.reveal(), SESSION.0 / 1_000));
        let secure = if secure { "; Secure" } else { "" };
        self.cookie_line(&format!("{name}={value}"), age, &format!("SameSite=Lax{secure}"))
    }

    /// Sets a guest's cookie: it is sent along from within other sites, but only from the one it was set
    /// in. Browsers take it over TLS, and from a loopback name.
    pub(crate) fn set_guest_cookie(
        &self,
        headers: &HeaderMap,
        origin: &Origin,
        secret: &Secret,
    ) -> Option<HeaderValue> {
        let (name, _) = self.cookie_name(headers, origin);
        let pair = format!("{}={}", guests(&name), secret.reveal());
        self.cookie_line(&pair, SESSION.0 / 1_000, "Secure; SameSite=None; Partitioned")
    }

    fn cookie_line(&self, pair: &str, age: i64, where_to: &str) -> Option<HeaderValue> {
        let path = if self.base.is_empty() { "/" } else { &self.base };
        let line = format!("{pair}; Path={path}; Max-Age={age}; HttpOnly; {where_to}");
        let mut cookie = HeaderValue::from_str(&line).ok()?;
        cookie.set_sensitive(true);
        Some(cookie)
    }
}

/// Whether a browser that sent this is known to have a secure context, in which it heeds all headers.
pub(crate) fn is_secure_context(headers: &HeaderMap, origin: &Origin) -> bool {
    // A proxy may speak TLS and not say so. Browsers send this header over TLS and to loopback names alone.
    let says_so = headers.contains_key("sec-fetch-site")
        || headers.get(header::ORIGIN).is_some_and(|page| page.as_bytes().starts_with(b"https:"));
    origin.encrypted || says_so
}

/// The name of a guest's cookie beside a person's.
fn guests(name: &str) -> String {
    format!("{name}-guest")
}

/// The secret in the cookie of this name, if it has the length of one. A browser that sends two was made to;
/// neither counts.
fn carried(headers: &HeaderMap, name: &str) -> Option<Hash> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(known, _)| *known == name)
        .map(|(_, value)| value);
    let secret = found.next()?;
    found.next().is_none().then(|| Hash::of_made_secret(secret)).flatten()
}
