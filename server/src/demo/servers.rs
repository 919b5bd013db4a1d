//! The servers of the demo's cluster, and what each reports when nothing is wrong.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use app::cluster::Role::{self, Service, Web};
use app::cluster::{ComponentFacts, Heartbeat, KeyCheck, Os, ServerName, Source};

use crate::files::key::check_of;

const PRODUCT: &str = "ProGet";
pub(super) const VERSION: &str = "2026.2.1";
const MESSENGER_PORT: u16 = 33_237;
/// The address of a second machine that uses the name of another server.
pub(super) const SECOND_MACHINE_ADDRESS: IpAddr = v4(25);

#[derive(Debug)]
pub(super) struct SimServer {
    pub(super) name: &'static str,
    pub(super) roles: &'static [Role],
    os: [&'static str; 2],
    pub(super) ip: IpAddr,
    /// Otherwise it is there only while it has a scene.
    pub(super) permanent: bool,
}

const DEBIAN: [&str; 2] = ["Debian GNU/Linux", "12"];
const UBUNTU: [&str; 2] = ["Ubuntu", "24.04"];
const WINDOWS: [&str; 2] = ["Windows Server", "2022"];

pub(super) static SERVERS: &[SimServer] = &[
    permanent("web-1", &[Web, Service], DEBIAN, v4(11)),
    permanent("web-2", &[Web, Service], DEBIAN, v4(12)),
    permanent("web-3", &[Web, Service], WINDOWS, v4(13)),
    permanent("app-4", &[Service], WINDOWS, v4(14)),
    permanent("app-5", &[Service], UBUNTU, v4(15)),
    permanent("app-6", &[Web, Service], DEBIAN, V6),
    temporary("web-4", &[Web], DEBIAN, v4(17)),
    temporary("app-7", &[Web, Service], UBUNTU, v4(18)),
    temporary("app-8", &[Service], UBUNTU, v4(19)),
    temporary("app-9", &[Service], UBUNTU, v4(20)),
    temporary("app-10", &[Service], UBUNTU, v4(21)),
    // One machine under two names.
    temporary("db-1", &[Web], WINDOWS, v4(31)),
    temporary("DB-1.corp.example", &[Service], WINDOWS, v4(31)),
    // More servers than there are permanent ones, in a network of their own.
    temporary("worker-1", &[Service], UBUNTU, in_other_network(11)),
    temporary("worker-2", &[Service], UBUNTU, in_other_network(12)),
    temporary("worker-3", &[Service], UBUNTU, in_other_network(13)),
    temporary("worker-4", &[Service], UBUNTU, in_other_network(14)),
    temporary("worker-5", &[Service], UBUNTU, in_other_network(15)),
    temporary("worker-6", &[Service], UBUNTU, in_other_network(16)),
    temporary("worker-7", &[Service], UBUNTU, in_other_network(17)),
];

/// It was there until app-6 replaced it, before the first round.
pub(super) static REPLACED: SimServer = permanent("app-3", &[Service], WINDOWS, v4(16));

/// What all servers ran before they were upgraded.
pub(super) const FORMER_VERSION: &str = "2026.1.4";
/// The address of web-3 before its machine moved.
pub(super) const FORMER_ADDRESS: IpAddr = v4(23);

const fn permanent(
    name: &'static str,
    roles: &'static [Role],
    os: [&'static str; 2],
    ip: IpAddr,
) -> SimServer {
    SimServer { name, roles, os, ip, permanent: true }
}

const fn temporary(
    name: &'static str,
    roles: &'static [Role],
    os: [&'static str; 2],
    ip: IpAddr,
) -> SimServer {
    SimServer { permanent: false, ..permanent(name, roles, os, ip) }
}

/// Every component, those of temporary servers included.
pub(super) fn components() -> impl Iterator<Item = (&'static SimServer, Role)> {
    SERVERS.iter().flat_map(|server| server.roles.iter().map(move |role| (server, *role)))
}

pub(super) fn is_permanent(name: &str) -> bool {
    SERVERS.iter().any(|server| server.permanent && server.name == name)
}

const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 10, 0, 0, 0, 16));

const fn v4(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
}

const fn in_other_network(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 7, last))
}

/// The encryption key that all servers share.
pub(super) fn key() -> KeyCheck {
    check_of(b"the encryption key of the demo")
}

/// The machine key of the servers that have one.
pub(super) fn machine_key() -> KeyCheck {
    check_of(b"the machine key of the demo")
}

/// A key that differs from both.
pub(super) fn other_key() -> KeyCheck {
    check_of(b"a key that was copied from somewhere else")
}

impl SimServer {
    /// The heartbeat of this component when nothing is wrong. The boot ID, the sequence number and the time are still
    /// missing.
    pub(super) fn heartbeat(&self, name: ServerName, role: Role) -> Heartbeat {
        let [os, os_version] = self.os.map(str::to_owned);
        Heartbeat {
            server: name,
            role,
            boot_id: String::new(),
            sequence: 0,
            sent_at: None,
            leaving: false,
            facts: ComponentFacts {
                product: Some(PRODUCT.to_owned()),
                version: VERSION.to_owned(),
                os: Os { name: os, version: os_version },
                ip: self.ip.into(),
                key_check: Some(key()),
                machine_key_check: None,
                messenger_port: (role == Service).then_some(MESSENGER_PORT),
                source: Source::Node,
            },
        }
    }
}
