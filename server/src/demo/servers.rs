//! Who plays: the servers of the demo's cluster, and what each says of itself on a good day.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use app::cluster::Role::{self, Service, Web};
use app::cluster::{ComponentFacts, Heartbeat, KeyCheck, Os, ServerName, Source};

use crate::files::key::check_of;

/// What they all run.
const PRODUCT: &str = "ProGet";
/// And which version of it.
const VERSION: &str = "2026.2.1";
/// Where their service messengers listen.
const MESSENGER_PORT: u16 = 33_237;
/// The address of a second machine that bears the name of a first.
pub(super) const TWINS_ADDRESS: IpAddr = v4(25);

/// One server.
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

/// All servers.
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

/// The check of the key they share.
pub(super) fn key() -> KeyCheck {
    check_of(b"the encryption key of the demo")
}

/// The check of the machine key that those have who have one.
pub(super) fn machine_key() -> KeyCheck {
    check_of(b"the machine key of the demo")
}

/// The check of a key that is neither.
pub(super) fn other_key() -> KeyCheck {
    check_of(b"a key that was copied from somewhere else")
}

impl SimServer {
    /// The first heartbeat of this component on a good day; its start, its sequence and its time are
    /// for its node to fill in.
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
