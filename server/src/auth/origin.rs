//! Where a request comes from: from the peer itself, or from the client that a trusted proxy names; over TLS or not.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::uri::Authority;
use axum::http::{Extensions, HeaderMap, header};
use uuid::Uuid;

use crate::auth::proxy::forwarded::{Forwarded, client_header};
use crate::auth::proxy::trusted::TrustedProxies;

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestOrigin {
    /// The peer of the connection. A host product may not tell it.
    pub peer: Option<IpAddr>,
    /// The peer, or the client that it names if it is a trusted proxy.
    pub client: Option<IpAddr>,
    /// Whether the peer is a trusted proxy.
    pub trusted: bool,
    /// Whether the client uses TLS, as far as is known.
    pub encrypted: bool,
    /// The header in which a peer that is not trusted names a client: the peer may be a proxy that
    /// `--trusted-proxies` should name.
    pub untrusted_header: Option<&'static str>,
    /// The header of a trusted proxy whose address cannot be read.
    pub unreadable_header: Option<&'static str>,
    pub request_id: Option<RequestId>,
}

/// Identifies a request in its answer, in log lines and in the audit log. An extension of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(Uuid);

impl RequestId {
    /// Reads a proxy's ID if it is a UUID. nginx writes it without hyphens.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }

    pub fn generate() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// An extension of requests that came over the overview's own TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverTls;

impl RequestOrigin {
    pub fn from_request(
        headers: &HeaderMap,
        extensions: &Extensions,
        proxies: &TrustedProxies,
    ) -> Self {
        let peer =
            extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
        let trusted = peer.is_some_and(|peer| proxies.contains(peer));
        let said = if trusted { Forwarded::read(headers, proxies) } else { Forwarded::default() };
        Self {
            peer,
            client: said.client.or(peer),
            trusted,
            encrypted: said.encrypted || extensions.get::<OverTls>().is_some(),
            untrusted_header: if trusted { None } else { client_header(headers) },
            unreadable_header: said.unreadable_header,
            request_id: extensions.get::<RequestId>().copied(),
        }
    }

    /// Whether it seems to have come through a proxy.
    pub(crate) fn is_proxied(&self) -> bool {
        self.trusted || self.untrusted_header.is_some()
    }
}

/// The host, with a port if there is one, under which the browser reached the overview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicHost {
    pub(crate) authority: String,
    /// The header that it was read from.
    pub(crate) header: &'static str,
}

impl PublicHost {
    /// The host that a trusted proxy names, else `Host`. `None` if there is none, or more than one `Host`.
    pub(crate) fn from_request(
        headers: &HeaderMap,
        origin: &RequestOrigin,
        proxies: &TrustedProxies,
    ) -> Option<Self> {
        let said = if origin.trusted { Forwarded::read(headers, proxies).host } else { None };
        let own = |(authority, header)| Self { authority, header };
        said.map(own).or_else(|| host(headers).map(|host| own((host.to_owned(), "Host"))))
    }

    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.authority)
    }

    /// The address of a page below this host, if the host is one. `path` begins with a slash.
    pub(crate) fn address(&self, encrypted: bool, path: &str) -> Option<String> {
        let authority: Authority = self.authority.parse().ok()?;
        let scheme = if encrypted { "https" } else { "http" };
        // A name in front of the host would hide where the address leads, and the address is part of commands for a shell.
        let is_plain =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
        authority.as_str().chars().all(is_plain).then(|| format!("{scheme}://{authority}{path}"))
    }

    /// Whether a page of this web origin (`https://HOST:PORT`) is one of ours.
    pub(crate) fn is_origin(&self, origin: &str) -> bool {
        let (authority, port) = if let Some(authority) = origin.strip_prefix("https://") {
            (authority, ":443")
        } else if let Some(authority) = origin.strip_prefix("http://") {
            (authority, ":80")
        } else {
            return false;
        };
        // Browsers omit the default port of the scheme; some proxies do not.
        let own = self.authority.strip_suffix(port).unwrap_or(&self.authority);
        authority.strip_suffix(port).unwrap_or(authority).eq_ignore_ascii_case(own)
    }
}

/// The `Host` of a request, if there is exactly one.
pub(crate) fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then_some(host)
}

/// `localhost`, a name below it, or a loopback address, with or without a port.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(peer: &str, headers: &[(&'static str, &str)]) -> RequestOrigin {
        let proxies = TrustedProxies::parse(&["10.0.0.0/8".to_owned(), "::1".to_owned()]).unwrap();
        let mut extensions = Extensions::new();
        let peer: IpAddr = peer.parse().unwrap();
        extensions.insert(ConnectInfo(SocketAddr::new(peer, 4_000)));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        RequestOrigin::from_request(&map, &extensions, &proxies)
    }

    #[test]
    fn forwarded_headers_of_a_stranger_are_ignored() {
        let said =
            origin("192.0.2.1", &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https")]);
        assert_eq!(said.client, Some([192, 0, 2, 1].into()));
        assert!(!said.trusted && !said.encrypted);
        assert_eq!(said.untrusted_header, Some("X-Forwarded-For"));
        assert_eq!(
            origin("192.0.2.1", &[("forwarded", "for=1.1.1.1")]).untrusted_header,
            Some("Forwarded")
        );
        assert_eq!(origin("10.0.0.9", &[("x-forwarded-for", "1.1.1.1")]).untrusted_header, None);
    }

    #[test]
    fn the_client_is_the_last_address_that_is_no_trusted_proxy() {
        for (list, client) in [
            ("192.0.2.7", "192.0.2.7"),
            ("1.1.1.1, 192.0.2.7", "192.0.2.7"),
            ("1.1.1.1, 192.0.2.7, 10.1.1.1", "192.0.2.7"),
            ("nonsense", "10.0.0.9"),
            ("1.1.1.1, nonsense", "10.0.0.9"),
            ("10.2.2.2", "10.0.0.9"),
        ] {
            let said = origin("10.0.0.9", &[("x-forwarded-for", list)]);
            assert_eq!(said.client, Some(client.parse().unwrap()), "{list}");
        }
        let two = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "192.0.2.7")];
        assert_eq!(origin("10.0.0.9", &two).client, Some([192, 0, 2, 7].into()));
    }

    #[test]
    fn only_loopback_names_and_addresses_are_loopback() {
        for here in [
            "localhost",
            "LOCALHOST:3000",
            "a.localhost",
            "127.0.0.1:80",
            "[::1]:3000",
            "127.9.9.9",
        ] {
            assert!(is_loopback(here), "{here}");
        }
        for foreign in ["evil.example", "localhost.evil.example:3000", "10.0.0.1", "[::2]:80", ""] {
            assert!(!is_loopback(foreign), "{foreign}");
        }
    }

    #[test]
    fn a_page_is_ours_if_host_and_port_are_the_same() {
        let own = |authority: &str| PublicHost { authority: authority.to_owned(), header: "Host" };
        for (authority, page) in [
            ("a.example", "http://a.example"),
            ("A.example", "https://a.EXAMPLE"),
            ("a.example:8080", "http://a.example:8080"),
            ("a.example:80", "http://a.example"),
            ("a.example:443", "https://a.example"),
            ("[2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
        ] {
            assert!(own(authority).is_origin(page), "{page} at {authority}");
        }
        for (authority, page) in [
            ("a.example", "http://a.example:8080"),
            ("a.example", "http://evil.example"),
            ("a.example:80", "https://a.example"),
            ("a.example", "null"),
            ("a.example", "a.example"),
            ("a.example", "ftp://a.example"),
            ("a.example", "http://a.example.evil"),
        ] {
            assert!(!own(authority).is_origin(page), "{page} at {authority}");
        }
    }

    #[test]
    fn only_a_trusted_proxy_names_the_host_that_the_browser_used() {
        let named = |peer: &str| {
            let lines = [("x-forwarded-host", "a.example:8080"), ("host", "127.0.0.1:3000")];
            let proxies = TrustedProxies::parse(&["10.0.0.0/8".to_owned()]).unwrap();
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(name, value.parse().unwrap());
            }
            let own = PublicHost::from_request(&headers, &origin(peer, &lines), &proxies).unwrap();
            (own.authority, own.header)
        };
        assert_eq!(named("10.0.0.9"), ("a.example:8080".to_owned(), "X-Forwarded-Host"));
        assert_eq!(named("192.0.2.1"), ("127.0.0.1:3000".to_owned(), "Host"));
    }

    #[test]
    fn an_invalid_proxy_address_is_named_in_the_error() {
        let wrong = TrustedProxies::parse(&["10.0.0.0/8".to_owned(), "proxy.example".to_owned()]);
        assert!(wrong.unwrap_err().contains("proxy.example"));
    }
}
