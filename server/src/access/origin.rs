//! Where a request comes from: the peer itself, or whom a trusted proxy names; over TLS or not.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, HeaderName};
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");
pub(crate) const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The proxies whose word is taken; of anybody else the same headers mean nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// These networks; a bare address is a network of one.
    pub fn parse(networks: &[String]) -> Result<Self, String> {
        let parse = |text: &String| {
            let text = text.trim();
            text.parse::<IpNet>()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| format!("{text:?} is no address and no network such as 10.0.0.0/8"))
        };
        networks.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this address is one of theirs.
    pub fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

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
        let named = trusted.then(|| forwarded_for(headers, proxies)).flatten();
        let encrypted =
            (trusted && forwarded_over_tls(headers)) || extensions.get::<OverTls>().is_some();
        let unbelieved = (!trusted).then(|| forwarding_header(headers)).flatten();
        Self { peer, client: named.or(peer), trusted, encrypted, unbelieved }
    }
}

/// The header by which a proxy says whom it asks for, if there is one.
fn forwarding_header(headers: &HeaderMap) -> Option<&'static str> {
    let named = [(FORWARDED_FOR, "X-Forwarded-For"), (FORWARDED, "Forwarded")];
    named.into_iter().find(|(name, _)| headers.contains_key(name)).map(|(_, shown)| shown)
}

/// Whether the last proxy says that it was reached over TLS.
fn forwarded_over_tls(headers: &HeaderMap) -> bool {
    let said = headers.get_all(FORWARDED_PROTO).iter().next_back();
    let last = said.and_then(|said| said.to_str().ok()?.rsplit(',').next());
    last.is_some_and(|last| last.trim().eq_ignore_ascii_case("https"))
}

/// The last address that no trusted proxy has: everything before it anybody may have written.
fn forwarded_for(headers: &HeaderMap, proxies: &Proxies) -> Option<IpAddr> {
    let lines: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()).collect();
    for text in lines.iter().flat_map(|line| line.split(',')).rev() {
        let address: IpAddr = text.trim().parse().ok()?;
        if !proxies.trust(address) {
            return Some(address.to_canonical());
        }
    }
    None
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
    fn an_address_that_is_none_is_refused_in_words() {
        let wrong = Proxies::parse(&["10.0.0.0/8".to_owned(), "proxy.example".to_owned()]);
        assert!(wrong.unwrap_err().contains("proxy.example"));
    }
}
