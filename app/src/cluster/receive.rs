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
    /// The last heartbeat that counted.
    pub fn last_heartbeat(&self) -> Timestamp {
        match self {
            Self::Present(component) => component.last_heartbeat,
            Self::Removed(tombstone) => tombstone.last_heartbeat,
        }
    }
}

/// Takes a heartbeat received at `stamp` and answered with the interval `told`: the component as it
/// is from then on, or `None` where the heartbeat changes nothing.
///
/// A row that the overview reports of itself steps aside for a node of the same name, and never
/// displaces one.
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
                (true, true) | (false, false) => go_on(known, heartbeat, stamp, told),
            }
        }
        Some(Stored::Removed(tombstone)) => {
            let reception = tombstone.boots.classify(&heartbeat.boot(), heartbeat.leaving);
            match reception {
                BootMatch::Unchanged => None,
                BootMatch::Started => Some(fresh()),
                // Its goodbye after the removal is the removal's own wish: nothing to bring back.
                BootMatch::Continued | BootMatch::Returned if heartbeat.leaving => None,
                BootMatch::Continued | BootMatch::Returned => {
                    let boots = tombstone.boots.after(heartbeat.boot(), reception, stamp);
                    let back = component(heartbeat, boots, stamp, told);
                    Some(Component { came_back: Some(stamp), ..back })
                }
            }
        }
    }
}

/// A known component's next heartbeat.
fn go_on(
    known: &Component,
    heartbeat: &Heartbeat,
    stamp: Timestamp,
    told: Span,
) -> Option<Component> {
    let reception = known.boots.classify(&heartbeat.boot(), heartbeat.leaving);
    if reception == BootMatch::Unchanged {
        return None;
    }
    let boots = known.boots.after(heartbeat.boot(), reception, stamp);
    let next = component(heartbeat, boots, stamp, told);
    let listens = next.facts.messenger_port.is_some();
    let facts = if next.facts == known.facts { &known.facts } else { &next.facts };
    Some(Component {
        server: known.server.clone(),
        facts: Arc::clone(facts),
        first_seen: known.first_seen,
        skew: next.skew.map(|skew| Skew { before: known.skew.map(|skew| skew.last), ..skew }),
        came_back: known.came_back.filter(|_| reception == BootMatch::Continued),
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
