//! Where a request comes from: the peer itself, or whom a trusted proxy names; over TLS or not.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, header};
use uuid::Uuid;

use crate::auth::proxy::forwarded::{Forwarded, client_header};
use crate::auth::proxy::trusted::Proxies;

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The peer of the connection; none in a host product that does not say.
    pub peer: Option<IpAddr>,
    /// Whom it is for: the peer, or whom a trusted one names.
    pub client: Option<IpAddr>,
    /// Whether the peer's word on who asks is taken.
    pub trusted: bool,
    /// Whether the browser's side of the connection is encrypted, as far as is known.
    pub encrypted: bool,
    /// The header by which a peer that is not trusted names a client: it may be a proxy that nobody named.
    pub unbelieved: Option<&'static str>,
    /// The header in which a trusted peer names a client in a form that cannot be read.
    pub unreadable: Option<&'static str>,
    /// What identifies the request in answers, log lines and audit entries.
    pub request_id: Option<RequestId>,
}

/// What identifies one request in its answer, in log lines and in audit entries: an extension of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(Uuid);

impl RequestId {
    /// The ID that a proxy sent, if it is a UUID: with or without hyphens, as nginx writes it.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }

    /// A new one.
    pub fn generate() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// A connection that came over TLS of our own: an extension of its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverTls;

impl Origin {
    /// Of a request with these headers and extensions.
    pub fn of(headers: &HeaderMap, extensions: &Extensions, proxies: &Proxies) -> Self {
        let peer =
            extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
        let trusted = peer.is_some_and(|peer| proxies.trust(peer));
        let said = if trusted { Forwarded::read(headers, proxies) } else { Forwarded::default() };
        Self {
            peer,
            client: said.client.or(peer),
            trusted,
            encrypted: said.encrypted || extensions.get::<OverTls>().is_some(),
            unbelieved: if trusted { None } else { client_header(headers) },
            unreadable: said.unreadable,
            request_id: extensions.get::<RequestId>().copied(),
        }
    }
}

impl Origin {
    /// Whether a proxy seems to have handed it on.
    pub(crate) fn is_proxied(&self) -> bool {
        self.trusted || self.unbelieved.is_some()
    }
}

/// The host, and maybe a port, under which a browser knows the overview.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnHost {
    /// As the header has it.
    pub(crate) authority: String,
    /// The header that says so.
    pub(crate) header: &'static str,
}

impl OwnHost {
    /// What a trusted proxy names, else `Host`; `None` if nothing does, or two lines do.
    pub(crate) fn of(headers: &HeaderMap, origin: &Origin, proxies: &Proxies) -> Option<Self> {
        let said = if origin.trusted { Forwarded::read(headers, proxies).host } else { None };
        let own = |(authority, header)| Self { authority, header };
        said.map(own).or_else(|| host(headers).map(|host| own((host.to_owned(), "Host"))))
    }

    /// Whether it is a loopback name or address.
    pub(crate) fn is_loopback(&self) -> bool {
        is_loopback(&self.authority)
    }

    /// Whether a page of this origin (`https://HOST:PORT`) is one of ours.
    pub(crate) fn is_origin(&self, origin: &str) -> bool {
        let (authority, port) = if let Some(authority) = origin.strip_prefix("https://") {
            (authority, ":443")
        } else if let Some(authority) = origin.strip_prefix("http://") {
            (authority, ":80")
        } else {
            return false;
        };
        // Browsers leave out the scheme's own port, some proxies do not.
        let own = self.authority.strip_suffix(port).unwrap_or(&self.authority);
        authority.strip_suffix(port).unwrap_or(authority).eq_ignore_ascii_case(own)
    }
}

/// The one `Host` of a request.
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

    fn origin(peer: &str, headers: &[(&'static str, &str)]) -> Origin {
        let proxies = Proxies::parse(&["10.0.0.0/8".to_owned(), "::1".to_owned()]).unwrap();
        let mut extensions = Extensions::new();
        let peer: IpAddr = peer.parse().unwrap();
        extensions.insert(ConnectInfo(SocketAddr::new(peer, 4_000)));
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Origin::of(&map, &extensions, &proxies)
    }

    #[test]
    fn a_strangers_word_on_its_address_is_not_taken() {
        let said =
            origin("192.0.2.1", &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https")]);
        assert_eq!(said.client, Some([192, 0, 2, 1].into()));
        assert!(!said.trusted && !said.encrypted);
        assert_eq!(said.unbelieved, Some("X-Forwarded-For"));
        assert_eq!(
            origin("192.0.2.1", &[("forwarded", "for=1.1.1.1")]).unbelieved,
            Some("Forwarded")
        );
        assert_eq!(origin("10.0.0.9", &[("x-forwarded-for", "1.1.1.1")]).unbelieved, None);
    }

    #[test]
    fn of_a_proxys_list_the_last_stranger_is_the_client() {
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
    fn only_loopback_names_and_addresses_are_on_this_machine() {
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
    fn a_page_is_ours_if_its_host_and_port_are() {
        let own = |authority: &str| OwnHost { authority: authority.to_owned(), header: "Host" };
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
    fn a_trusted_proxy_says_under_which_host_it_was_asked_and_nobody_else_does() {
        let named = |peer: &str| {
            let lines = [("x-forwarded-host", "a.example:8080"), ("host", "127.0.0.1:3000")];
            let proxies = Proxies::parse(&["10.0.0.0/8".to_owned()]).unwrap();
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(name, value.parse().unwrap());
            }
            let own = OwnHost::of(&headers, &origin(peer, &lines), &proxies).unwrap();
            (own.authority, own.header)
        };
        assert_eq!(named("10.0.0.9"), ("a.example:8080".to_owned(), "X-Forwarded-Host"));
        assert_eq!(named("192.0.2.1"), ("127.0.0.1:3000".to_owned(), "Host"));
    }

    #[test]
    fn an_address_that_is_none_is_refused_in_words() {
        let wrong = Proxies::parse(&["10.0.0.0/8".to_owned(), "proxy.example".to_owned()]);
        assert!(wrong.unwrap_err().contains("proxy.example"));
    }
}
