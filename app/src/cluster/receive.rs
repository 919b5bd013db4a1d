//! What a heartbeat changes: replays, restarts, returns after a removal.

use std::sync::Arc;

use super::boot::{BootMatch, Boots};
use super::component::{Component, Skew, Tombstone};
use super::heartbeat::Heartbeat;
use super::time::{Span, Timestamp};

/// What the store holds under a component's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// A component.
    Present(Arc<Component>),
    /// What a removal left.
    Removed(Tombstone),
}

impl Stored {
    /// The last heartbeat that changed something.
    pub fn last_heartbeat(&self) -> Timestamp {
        match self {
            Self::Present(component) => component.last_heartbeat,
            Self::Removed(tombstone) => tombstone.last_heartbeat,
        }
    }
}

/// Receives a heartbeat at `stamp` whose response names the interval `told`: the component from then on, or `None` if the
/// heartbeat changes nothing.
///
/// A row that the overview reports about itself is replaced by a node of the same name, and never replaces one.
pub fn receive(
    stored: Option<&Stored>,
    heartbeat: &Heartbeat,
    stamp: Timestamp,
    told: Span,
) -> Option<Component> {
    let fresh = || component(heartbeat, Boots::first(heartbeat.boot()), stamp, told);
    match stored {
        None => Some(fresh()),
        Some(Stored::Present(known)) => {
            let own = heartbeat.facts.source.is_own();
            let known_own = known.facts.source.is_own();
            match (own, known_own) {
                (true, false) => None,
                (false, true) => Some(fresh()),
                (true, true) | (false, false) => continue_boot(known, heartbeat, stamp, told),
            }
        }
        Some(Stored::Removed(tombstone)) => {
            let boot_match = tombstone.boots.classify(&heartbeat.boot(), heartbeat.leaving);
            match boot_match {
                BootMatch::Unchanged => None,
                BootMatch::Started => Some(fresh()),
                // It stops after it was removed: the removal stays.
                BootMatch::Continued | BootMatch::Returned if heartbeat.leaving => None,
                BootMatch::Continued | BootMatch::Returned => {
                    let boots = tombstone.boots.after(heartbeat.boot(), boot_match, stamp);
                    let back = component(heartbeat, boots, stamp, told);
                    Some(Component { came_back: Some(stamp), ..back })
                }
            }
        }
    }
}

/// A known component's next heartbeat.
fn continue_boot(
    known: &Component,
    heartbeat: &Heartbeat,
    stamp: Timestamp,
    told: Span,
) -> Option<Component> {
    let boot_match = known.boots.classify(&heartbeat.boot(), heartbeat.leaving);
    if boot_match == BootMatch::Unchanged {
        return None;
    }
    let boots = known.boots.after(heartbeat.boot(), boot_match, stamp);
    let next = component(heartbeat, boots, stamp, told);
    let listens = next.facts.messenger_port.is_some();
    let facts = if next.facts == known.facts { &known.facts } else { &next.facts };
    Some(Component {
        server: known.server.clone(),
        facts: Arc::clone(facts),
        first_seen: known.first_seen,
        skew: next.skew.map(|skew| Skew { before: known.skew.map(|skew| skew.last), ..skew }),
        came_back: known.came_back.filter(|_| boot_match == BootMatch::Continued),
        messengers: if listens { known.messengers.clone() } else { Vec::new() },
        ..next
    })
}

fn component(heartbeat: &Heartbeat, boots: Boots, stamp: Timestamp, told: Span) -> Component {
    Component {
        server: heartbeat.server.clone(),
        role: heartbeat.role,
        facts: Arc::new(heartbeat.facts.clone()),
        stopped: heartbeat.leaving,
        boots,
        first_seen: stamp,
        last_heartbeat: stamp,
        told_interval: told,
        skew: heartbeat.sent_at.map(|sent| Skew { last: sent - stamp, before: None }),
        came_back: None,
        messengers: Vec::new(),
    }
}
