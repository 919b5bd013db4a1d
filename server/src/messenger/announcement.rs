//! The address of a service's messenger, as its heartbeats announce it.

use std::net::SocketAddr;

use app::cluster::{Component, ComponentKey, Heartbeat, Role};

/// What a connection is for. Another target needs another connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DialTarget {
    pub(super) address: SocketAddr,
    /// A service that was restarted is dialled again.
    pub(super) boot_id: String,
}

/// What a service announced over HTTP about a messenger on this machine.
#[derive(Debug)]
pub(super) struct HttpAnnouncement {
    pub(super) target: DialTarget,
    /// Whether the request came directly from this machine, not through a proxy.
    pub(super) directly: bool,
}

/// A messenger in a heartbeat.
#[derive(Debug)]
pub(crate) struct AnnouncedMessenger {
    pub(super) key: ComponentKey,
    pub(super) target: DialTarget,
}

impl AnnouncedMessenger {
    pub(crate) fn from_heartbeats(heartbeats: &[Heartbeat]) -> Vec<Self> {
        let announced = |heartbeat: &Heartbeat| {
            let address =
                SocketAddr::from((heartbeat.facts.ip.ip()?, heartbeat.facts.messenger_port?));
            (heartbeat.role == Role::Service && !heartbeat.leaving).then(|| Self {
                key: heartbeat.key(),
                target: DialTarget { address, boot_id: heartbeat.boot_id.clone() },
            })
        };
        heartbeats.iter().filter_map(announced).collect()
    }
}

/// The target of a component that announces a messenger and is not stopped.
pub(super) fn dial_target(component: &Component) -> Option<DialTarget> {
    let address = SocketAddr::from((component.facts.ip.ip()?, component.facts.messenger_port?));
    (component.role == Role::Service && !component.stopped)
        .then(|| DialTarget { address, boot_id: component.boots.current.id.clone() })
}
