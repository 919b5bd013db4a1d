//! What a component reports about itself.

use super::boot::{Address, Boot};
use super::component::{Os, Source};
use super::component_key::{ComponentKey, Role};
use super::keys::KeyCheck;
use super::server_name::ServerName;
use super::time::Timestamp;

/// What a component says of itself, already checked. It carries no time that anyone trusts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The server's name.
    pub server: ServerName,
    /// The component's role.
    pub role: Role,
    /// A label on the screen, at most 100 characters.
    pub product: Option<String>,
    /// The software version, 1 to 100 characters.
    pub version: String,
    /// The operating system.
    pub os: Os,
    /// The address it says it has.
    pub ip: Address,
    /// New at each start of the process: a hyphenated UUID in lower case.
    pub boot_id: String,
    /// Grows with each heartbeat of one boot; below 2^53.
    pub sequence: i64,
    /// The node's own clock; tells its skew and nothing else.
    pub sent_at: Option<Timestamp>,
    /// The check of its encryption key.
    pub key_check: Option<KeyCheck>,
    /// The check of its machine key (products up to 5.3).
    pub machine_key_check: Option<KeyCheck>,
    /// Where its messenger listens.
    pub messenger_port: Option<u16>,
    /// It is about to stop.
    pub leaving: bool,
    /// Who sends it.
    pub source: Source,
}

impl Heartbeat {
    /// What names the component that sent it.
    pub fn key(&self) -> ComponentKey {
        ComponentKey { server: self.server.clone(), role: self.role }
    }

    /// The boot this heartbeat makes current.
    pub fn boot(&self) -> Boot {
        Boot { id: self.boot_id.clone(), sequence: self.sequence, ip: self.ip.clone() }
    }
}
