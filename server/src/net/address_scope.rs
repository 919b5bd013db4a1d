//! What kind of network an IP address belongs to. SSRF protection decides by it where the program may connect to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressScope {
    Public,
    /// A network that is not the Internet: private (RFC 1918), unique local, shared by a provider (CGNAT), for
    /// documentation or benchmarks, or assigned to nobody.
    Private,
    Loopback,
    LinkLocal,
    /// An IPv4 address within an IPv6 one: mapped, compatible, translated, 6to4 or Teredo.
    EmbeddedV4,
    /// No host has such an address: unspecified, multicast, reserved, or of the deprecated site-local networks.
    NoHost,
}

/// An IPv6 network of the documentation or of benchmarks: its address and the length of its prefix.
const SPECIAL_V6_NETWORKS: [(Ipv6Addr, u32); 5] = [
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    (Ipv6Addr::new(0x2001, 2, 0, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x2001, 0x10, 0, 0, 0, 0, 0, 0), 28),
    (Ipv6Addr::new(0x2001, 0x20, 0, 0, 0, 0, 0, 0), 28),
];

impl AddressScope {
    pub(crate) fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::of_v4(ip),
            IpAddr::V6(ip) => Self::of_v6(ip),
        }
    }

    fn of_v4(ip: Ipv4Addr) -> Self {
        let octets = ip.octets();
        match octets {
            // 0/8 is "this network", and 240/4 is reserved.
            [0 | 224.., ..] => Self::NoHost,
            [127, ..] => Self::Loopback,
            [169, 254, ..] => Self::LinkLocal,
            [10, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [100, 64..=127, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _] => Self::Private,
            _ => Self::Public,
        }
    }

    fn of_v6(ip: Ipv6Addr) -> Self {
        let [first, second, .., sixth, _, _] = ip.segments();
        let has_ipv4 = ip.to_ipv4().is_some() && !ip.is_loopback() && !ip.is_unspecified()
            || (first == 0x64 && second == 0xff9b && sixth <= 1)
            || first == 0x2002
            || (first == 0x2001 && second == 0);
        let is_in = |(network, length): (Ipv6Addr, u32)| {
            (ip.to_bits() ^ network.to_bits()) >> (128 - length) == 0
        };
        // Site-local addresses are deprecated; where they lead is not known.
        if ip.is_unspecified() || ip.is_multicast() || first & 0xffc0 == 0xfec0 {
            Self::NoHost
        } else if has_ipv4 {
            Self::EmbeddedV4
        } else if ip.is_loopback() {
            Self::Loopback
        } else if ip.is_unicast_link_local() {
            Self::LinkLocal
        } else if first & 0xe000 == 0x2000 && !SPECIAL_V6_NETWORKS.into_iter().any(is_in) {
            Self::Public
        } else {
            Self::Private
        }
    }
}

/// Whether a channel may connect to this address. `allow_private`: also in networks that are not the Internet.
///
/// IPv6 networks that reach IPv4 through NAT64 have public IPv4 addresses within `64:ff9b::/96`.
pub(crate) fn may_connect(ip: IpAddr, allow_private: bool) -> bool {
    match AddressScope::of(ip) {
        AddressScope::Public => true,
        AddressScope::Private | AddressScope::Loopback | AddressScope::LinkLocal => allow_private,
        AddressScope::EmbeddedV4 => embedded_v4(ip).is_some_and(|(ip, is_translated)| {
            let scope = AddressScope::of_v4(ip);
            scope == AddressScope::Public && is_translated
                || scope != AddressScope::NoHost && allow_private
        }),
        AddressScope::NoHost => false,
    }
}

/// The IPv4 address within an address that is mapped, or translated by NAT64, and whether it is translated.
fn embedded_v4(ip: IpAddr) -> Option<(Ipv4Addr, bool)> {
    let IpAddr::V6(ip) = ip else { return None };
    match ip.octets() {
        [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c, d] => {
            Some((Ipv4Addr::new(a, b, c, d), true))
        }
        _ => ip.to_ipv4_mapped().map(|ip| (ip, false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reachable(address: &str) -> [bool; 2] {
        [false, true].map(|allow_private| may_connect(address.parse().unwrap(), allow_private))
    }

    #[test]
    fn a_channel_connects_to_private_addresses_only_where_that_is_allowed() {
        for address in [
            "127.0.0.1",
            "127.255.255.254",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.7",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12:3456::1",
            "2001:db8::1",
            "3fff:fff::1",
            "2001:2::1",
            "100::1",
            "5f00::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::10.0.0.1",
        ] {
            assert_eq!(reachable(address), [false, true], "{address}");
        }
    }

    #[test]
    fn a_channel_connects_to_public_addresses_and_never_to_what_no_host_has() {
        for address in [
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "2a00:1450::1",
            "2606:4700::1111",
            "64:ff9b::8.8.8.8",
        ] {
            assert_eq!(reachable(address), [true, true], "{address}");
        }
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "239.255.255.250",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "ff02::1",
            "fec0::1",
            "::ffff:0.0.0.0",
            "::ffff:224.0.0.1",
            "64:ff9b::255.255.255.255",
            "2002:7f00:1::",
            "2001::1",
            "::10.0.0.1",
        ] {
            assert_eq!(reachable(address), [false, false], "{address}");
        }
    }
}
