//! What a component reports about itself.

use super::boot::Boot;
use super::component::ComponentFacts;
use super::component_key::{ComponentKey, Role};
use super::server_name::ServerName;
use super::time::Timestamp;

/// What a component sends, already checked. No time in it is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    pub server: ServerName,
    pub role: Role,
    /// New at each start of the process: a hyphenated UUID in lower case.
    pub boot_id: String,
    /// Grows with each heartbeat of one boot; below 2^53.
    pub sequence: i64,
    /// The node's own clock, used for its clock skew only.
    pub sent_at: Option<Timestamp>,
    /// It is about to stop.
    pub leaving: bool,
    pub facts: ComponentFacts,
}

impl Heartbeat {
    /// What names the component that sent it.
    pub fn key(&self) -> ComponentKey {
        ComponentKey { server: self.server.clone(), role: self.role }
    }

    /// The boot this heartbeat makes current.
    pub fn boot(&self) -> Boot {
        let ip = self.facts.ip.clone();
        Boot { id: self.boot_id.clone(), sequence: self.sequence, ip, returned_at: None }
    }
}
