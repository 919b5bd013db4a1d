//! SSRF protection: which of the addresses that servers report may be dialled. The dialer asks before each connection.
//!
//! A server can report any address as its own. Through the web server it must not reach other programs on the web
//! server's machine, link-local or multicast addresses, or the overview itself.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Version};

use crate::agent::host;
use crate::net::address_scope::AddressScope;

/// Which services on its own machine the overview dials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DialLoopback {
    /// Services whose heartbeats come directly from this machine.
    #[default]
    Own,
    /// All services that report one of its addresses.
    All,
    None,
}

impl DialLoopback {
    pub const ALL: [Self; 3] = [Self::Own, Self::All, Self::None];

    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::All => "all",
            Self::None => "none",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == word)
    }
}

/// What an address belongs to, as far as dialling is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressClass {
    OtherMachine,
    /// The overview's own machine, but not its own listener.
    ThisMachine,
    /// No service can be there: it is never dialled.
    Forbidden,
}

/// Classifies a target for an overview that listens at `listening`.
pub(super) fn classify(target: SocketAddr, listening: SocketAddr) -> AddressClass {
    let ip = target.ip();
    let is_forbidden = match AddressScope::of(ip) {
        AddressScope::LinkLocal | AddressScope::EmbeddedV4 | AddressScope::NoHost => true,
        AddressScope::Public | AddressScope::Private | AddressScope::Loopback => false,
    };
    if is_forbidden {
        AddressClass::Forbidden
    } else if !is_on_this_machine(ip) {
        AddressClass::OtherMachine
    } else if target.port() == listening.port() {
        AddressClass::Forbidden
    } else {
        AddressClass::ThisMachine
    }
}

/// Whether an address is one of the machine that this process runs on.
fn is_on_this_machine(ip: IpAddr) -> bool {
    ip.is_loopback() || host::is_own(ip)
}

/// Headers that proxies add, besides those that begin with `x-forwarded-`.
const PROXY_HEADERS: [&str; 10] = [
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-original-forwarded-for",
    "x-request-start",
];

/// Whether a request was sent by a process of this machine, as far as can be known: the connection comes from one of
/// its addresses, and the request has no header of a proxy. A proxy that adds none cannot be recognized.
pub(crate) fn came_directly(peer: Option<IpAddr>, headers: &HeaderMap, version: Version) -> bool {
    let by_proxy = headers.keys().any(|name| {
        name.as_str().starts_with("x-forwarded-") || PROXY_HEADERS.contains(&name.as_str())
    });
    // Agents use HTTP/1.1; many proxies use HTTP/1.0 by default.
    version >= Version::HTTP_11 && !by_proxy && peer.is_some_and(is_on_this_machine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class_of(target: &str, listening: &str) -> AddressClass {
        classify(target.parse().unwrap(), listening.parse().unwrap())
    }

    /// 60 spellings of addresses that are not dialled because a server reports them.
    const NOT_OTHER_MACHINES: [&str; 60] = [
        "0.0.0.0",
        "0.0.0.1",
        "0.1.2.3",
        "0.255.255.255",
        "127.0.0.1",
        "127.0.0.2",
        "127.1.1.1",
        "127.255.255.254",
        "169.254.0.1",
        "169.254.169.254",
        "169.254.255.255",
        "224.0.0.0",
        "224.0.0.1",
        "224.0.0.251",
        "232.1.2.3",
        "239.255.255.250",
        "239.255.255.255",
        "240.0.0.1",
        "250.1.1.1",
        "255.255.255.254",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::2]",
        "[::127.0.0.1]",
        "[::7f00:1]",
        "[::169.254.169.254]",
        "[::10.0.0.11]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::FFFF:127.0.0.1]",
        "[0:0:0:0:0:ffff:7f00:1]",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[::ffff:0.0.0.0]",
        "[::ffff:10.0.0.11]",
        "[::ffff:255.255.255.255]",
        "[::ffff:224.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::169.254.169.254]",
        "[64:ff9b::10.0.0.11]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2002:7f00:1::1]",
        "[2002:a9fe:a9fe::1]",
        "[2002:a00:b::1]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[2001::1]",
        "[fe80::1]",
        "[fe80::1%2]",
        "[febf::1]",
        "[FE80:0:0:0:1:2:3:4]",
        "[fec0::1]",
        "[feff::1]",
        "[ff02::1]",
        "[ff01::1]",
        "[ff05::2]",
        "[ff0e::1]",
    ];

    #[test]
    fn no_spelling_of_a_local_reserved_or_embedded_address_is_another_machine() {
        for address in NOT_OTHER_MACHINES {
            let ip = address.trim_start_matches('[');
            let loopback = ip.starts_with("127.") || ["::1]", "0:0:0:0:0:0:0:1]"].contains(&ip);
            let expected =
                if loopback { AddressClass::ThisMachine } else { AddressClass::Forbidden };
            for listening in ["10.0.0.1:3000", "127.0.0.1:3000", "0.0.0.0:3000", "[::]:3000"] {
                let found = class_of(&format!("{address}:33237"), listening);
                assert_eq!(found, expected, "{address}, from {listening}");
            }
        }
    }

    #[test]
    fn addresses_of_other_servers_are_other_machines() {
        for address in [
            "10.0.0.11",
            "192.168.1.9",
            "172.16.3.4",
            "100.64.0.1",
            "8.8.8.8",
            "[fd00::1]",
            "[2a00:1450::1]",
        ] {
            let found = class_of(&format!("{address}:33237"), "10.0.0.1:3000");
            assert_eq!(found, AddressClass::OtherMachine, "{address}");
        }
    }

    #[test]
    fn the_overview_does_not_dial_itself() {
        for listening in ["127.0.0.1:3000", "0.0.0.0:3000", "[::]:3000"] {
            for address in ["127.0.0.1:3000", "127.0.0.2:3000", "[::1]:3000"] {
                assert_eq!(
                    class_of(address, listening),
                    AddressClass::Forbidden,
                    "{address} {listening}"
                );
            }
        }
        assert_eq!(
            class_of("10.0.0.2:3000", "10.0.0.1:3000"),
            AddressClass::OtherMachine,
            "another's"
        );
    }

    #[test]
    fn an_address_of_this_machine_is_recognized_in_every_network() {
        let towards = SocketAddr::from(([192, 0, 2, 1], 9));
        let Some(own) = host::address_towards(towards) else { return };
        let target = SocketAddr::new(own, 5_432);
        assert_eq!(classify(target, ([127, 0, 0, 1], 3_000).into()), AddressClass::ThisMachine);
    }

    #[test]
    fn a_heartbeat_through_a_proxy_did_not_come_directly() {
        let direct = |peer: &str, name: Option<&'static str>, version| {
            let headers = name.map(|name| (name.parse().unwrap(), "1".parse().unwrap()));
            let headers = headers.into_iter().collect();
            came_directly(Some(peer.parse().unwrap()), &headers, version)
        };
        assert!(direct("127.0.0.1", None, Version::HTTP_11));
        assert!(direct("::1", Some("user-agent"), Version::HTTP_11));
        assert!(!direct("10.0.0.9", None, Version::HTTP_11), "from another machine");
        assert!(!direct("127.0.0.1", None, Version::HTTP_10));
        for name in ["x-forwarded-for", "x-forwarded-proto", "forwarded", "via", "x-real-ip"] {
            assert!(!direct("127.0.0.1", Some(name), Version::HTTP_11), "{name}");
        }
        assert!(!came_directly(None, &HeaderMap::new(), Version::HTTP_11), "nobody knows");
    }
}
