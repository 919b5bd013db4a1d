//! Which addresses a web server dials, of all that a node may name.
//!
//! A node that is let in may still name any address as its own. Whoever dials what it names must not
//! become its arm: into this machine, onto the link, to everybody, or back to itself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::node;

/// Whether a service may be dialled there by an overview that listens at `listening`.
pub(super) fn may_be_dialled(target: SocketAddr, listening: SocketAddr) -> bool {
    let fits = match target.ip() {
        IpAddr::V4(ip) => fits_v4(ip, listening),
        IpAddr::V6(ip) => fits_v6(ip, listening),
    };
    fits && !is_own(target, listening)
}

fn fits_v4(ip: Ipv4Addr, listening: SocketAddr) -> bool {
    let [first, ..] = ip.octets();
    // 0/8 is this network, and 240/4 nobody's.
    let nowhere = first == 0 || first >= 240;
    let near = ip.is_link_local() || ip.is_multicast() || nowhere;
    !near && (!ip.is_loopback() || listening.ip().is_loopback())
}

fn fits_v6(ip: Ipv6Addr, listening: SocketAddr) -> bool {
    let [first, .., sixth, _, _] = ip.segments();
    // Addresses of version 4 in the clothes of version 6: mapped, compatible, translated, 6to4, Teredo.
    let disguised = ip.to_ipv4().is_some() && !ip.is_loopback() && !ip.is_unspecified()
        || (first == 0x64 && ip.segments()[1] == 0xff9b && sixth <= 1)
        || first == 0x2002
        || (first == 0x2001 && ip.segments()[1] == 0);
    // Site-local addresses are out of use, and routed nowhere that is known.
    let near = ip.is_unicast_link_local() || first & 0xffc0 == 0xfec0;
    let nowhere = ip.is_multicast() || ip.is_unspecified();
    !disguised && !near && !nowhere && (!ip.is_loopback() || listening.ip().is_loopback())
}

/// Whether it is the overview's own listener.
fn is_own(target: SocketAddr, listening: SocketAddr) -> bool {
    target.port() == listening.port()
        && (target.ip() == listening.ip()
            || listening.ip().is_unspecified() && node::is_own(target.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dials(target: &str, listening: &str) -> bool {
        may_be_dialled(target.parse().unwrap(), listening.parse().unwrap())
    }

    /// 60 ways to name what is not to be dialled.
    const FORBIDDEN: [&str; 60] = [
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
    fn no_spelling_of_an_address_near_to_us_nowhere_or_in_disguise_is_dialled() {
        for address in FORBIDDEN {
            assert!(!dials(&format!("{address}:33237"), "10.0.0.1:3000"), "{address}");
        }
    }

    #[test]
    fn an_overview_on_loopback_dials_what_is_on_loopback_and_nothing_else_that_is_forbidden() {
        for address in FORBIDDEN {
            let ip = address.trim_start_matches('[');
            let loopback = ip.starts_with("127.") || ["::1]", "0:0:0:0:0:0:0:1]"].contains(&ip);
            assert_eq!(dials(&format!("{address}:33237"), "127.0.0.1:3000"), loopback, "{address}");
        }
    }

    #[test]
    fn what_servers_have_is_dialled() {
        for address in [
            "10.0.0.11",
            "192.168.1.9",
            "172.16.3.4",
            "100.64.0.1",
            "8.8.8.8",
            "[fd00::1]",
            "[2a00:1450::1]",
        ] {
            assert!(dials(&format!("{address}:33237"), "10.0.0.1:3000"), "{address}");
        }
    }

    #[test]
    fn the_overview_does_not_dial_itself() {
        assert!(!dials("10.0.0.1:3000", "10.0.0.1:3000"));
        assert!(dials("10.0.0.2:3000", "10.0.0.1:3000"), "another machine's");
        assert!(!dials("127.0.0.1:3000", "127.0.0.1:3000"));
    }
}
