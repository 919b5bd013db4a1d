//! Where a service's messenger is, as its heartbeats name it.

use std::net::SocketAddr;

use app::cluster::{Component, ComponentKey, Heartbeat, Role};

/// What makes a line another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    /// A service that starts anew is dialled anew.
    pub(super) boot: String,
}

/// What a service said over HTTP of a messenger on this machine.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) target: Target,
    /// Whether it said so directly, and not through a proxy: then it is one of this machine.
    pub(super) directly: bool,
}

/// A messenger that a heartbeat names.
#[derive(Debug)]
pub(crate) struct Announced {
    pub(super) key: ComponentKey,
    pub(super) target: Target,
}

impl Announced {
    /// Those that these heartbeats name.
    pub(crate) fn of_all(heartbeats: &[Heartbeat]) -> Vec<Self> {
        let announced = |heartbeat: &Heartbeat| {
            let address =
                SocketAddr::from((heartbeat.facts.ip.ip()?, heartbeat.facts.messenger_port?));
            (heartbeat.role == Role::Service && !heartbeat.leaving).then(|| Self {
                key: heartbeat.key(),
                target: Target { address, boot: heartbeat.boot_id.clone() },
            })
        };
        heartbeats.iter().filter_map(announced).collect()
    }
}

/// Where a service is dialled, if it is.
pub(super) fn dialled_at(component: &Component) -> Option<Target> {
    let address = SocketAddr::from((component.facts.ip.ip()?, component.facts.messenger_port?));
    (component.role == Role::Service && !component.stopped)
        .then(|| Target { address, boot: component.boots.current.id.clone() })
}
