//! The servers of the demo's cluster, and what each reports when nothing is wrong.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use app::cluster::Role::{self, Service, Web};
use app::cluster::{ComponentFacts, Heartbeat, KeyCheck, Os, ServerName, Source};

use crate::files::key::check_of;

const PRODUCT: &str = "ProGet";
const VERSION: &str = "2026.2.1";
const MESSENGER_PORT: u16 = 33_237;
/// The address of a second machine that uses the name of another server.
pub(super) const SECOND_MACHINE_ADDRESS: IpAddr = v4(25);

#[derive(Debug)]
pub(super) struct SimServer {
    pub(super) server: &'static str,
    pub(super) roles: &'static [Role],
    os: [&'static str; 2],
    pub(super) ip: IpAddr,
}

const DEBIAN: [&str; 2] = ["Debian GNU/Linux", "12"];
const UBUNTU: [&str; 2] = ["Ubuntu", "24.04"];
const WINDOWS: [&str; 2] = ["Windows Server", "2022"];

pub(super) static SERVERS: &[SimServer] = &[
    SimServer { server: "web-1", roles: &[Web, Service], os: DEBIAN, ip: v4(11) },
    SimServer { server: "web-2", roles: &[Web, Service], os: DEBIAN, ip: v4(12) },
    SimServer { server: "web-3", roles: &[Web, Service], os: WINDOWS, ip: v4(13) },
    SimServer { server: "app-4", roles: &[Service], os: WINDOWS, ip: v4(14) },
    SimServer { server: "app-5", roles: &[Service], os: UBUNTU, ip: v4(15) },
    SimServer { server: "app-6", roles: &[Web, Service], os: DEBIAN, ip: V6 },
];

const V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 10, 0, 0, 0, 16));

const fn v4(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
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
