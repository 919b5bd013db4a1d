//! What a heartbeat changes: replays, restarts, returns after a removal.

use std::sync::Arc;

use super::boot::{BootMatch, Boots};
use super::component::{Component, Skew, Tombstone};
use super::component_key::Role;
use super::heartbeat::Heartbeat;
use super::interruptions::{Gap, Interruptions, Start};
use super::observation::BlindPeriod;
use super::settings::Settings;
use super::time::Timestamp;

/// What the store holds under a component's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// A component.
    Present(Arc<Component>),
    /// What a removal left.
    Removed(Tombstone),
}

impl Stored {
    /// The component, unless it was removed.
    pub fn present(&self) -> Option<&Arc<Component>> {
        match self {
            Self::Present(component) => Some(component),
            Self::Removed(_) => None,
        }
    }

    /// The last heartbeat that changed something.
    pub fn last_heartbeat(&self) -> Timestamp {
        match self {
            Self::Present(component) => component.last_heartbeat,
            Self::Removed(tombstone) => tombstone.last_heartbeat,
        }
    }
}

/// When and where a heartbeat arrives.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    pub at: Timestamp,
    /// The response names their interval.
    pub settings: &'a Settings,
    /// In order, not overlapping.
    pub blind_periods: &'a [BlindPeriod],
    /// Whether the component's agent reported before it that the product does not answer its probe.
    pub ends_probe_failure: bool,
}

/// Receives a heartbeat: the component from then on, or `None` if the heartbeat changes nothing.
///
/// A row that the overview reports about itself is replaced by a node of the same name, and never replaces one.
pub fn receive(
    stored: Option<&Stored>,
    heartbeat: &Heartbeat,
    arrival: &Arrival<'_>,
) -> Option<Component> {
    let fresh = || component(heartbeat, Boots::first(heartbeat.boot()), arrival);
    match stored {
        None => Some(fresh()),
        Some(Stored::Present(known)) => {
            let own = heartbeat.facts.source.is_own();
            let known_own = known.facts.source.is_own();
            match (own, known_own) {
                (true, false) => None,
                (false, true) => Some(fresh()),
                (true, true) | (false, false) => continue_boot(known, heartbeat, arrival),
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
                    let boots = tombstone.boots.after(heartbeat.boot(), boot_match, arrival.at);
                    let back = component(heartbeat, boots, arrival);
                    Some(Component { came_back: Some(arrival.at), ..back })
                }
            }
        }
    }
}

/// A known component's next heartbeat.
fn continue_boot(
    known: &Component,
    heartbeat: &Heartbeat,
    arrival: &Arrival<'_>,
) -> Option<Component> {
    let boot_match = known.boots.classify(&heartbeat.boot(), heartbeat.leaving);
    if boot_match == BootMatch::Unchanged {
        return None;
    }
    let boots = known.boots.after(heartbeat.boot(), boot_match, arrival.at);
    let next = component(heartbeat, boots, arrival);
    let listens = next.facts.messenger_port.is_some();
    let facts = if next.facts == known.facts { &known.facts } else { &next.facts };
    Some(Component {
        server: known.server.clone(),
        facts: Arc::clone(facts),
        first_seen: known.first_seen,
        interruptions: interruptions(known, heartbeat, boot_match, arrival),
        skew: next.skew.map(|skew| Skew { before: known.skew.map(|skew| skew.last), ..skew }),
        came_back: known.came_back.filter(|_| boot_match == BootMatch::Continued),
        messengers: if listens { known.messengers.clone() } else { Vec::new() },
        ..next
    })
}

/// The component's starts and gaps after this heartbeat. A process that answers its probe again has started, as far as
/// anybody can tell. What ends in a start or begins with a clean stop is no gap.
fn interruptions(
    known: &Component,
    heartbeat: &Heartbeat,
    boot_match: BootMatch,
    arrival: &Arrival<'_>,
) -> Interruptions {
    let mut next = known.interruptions.clone();
    if boot_match == BootMatch::Started || arrival.ends_probe_failure {
        next.add_start(Start {
            at: arrival.at,
            ran: known.last_heartbeat - known.started_at(),
            silence: arrival.at - known.last_heartbeat,
            stopped_cleanly: known.stopped,
            new_version: known.facts.version != heartbeat.facts.version,
        });
        return next;
    }
    let gap = Gap { start: known.last_heartbeat, end: arrival.at };
    let grace = known.late_limit(arrival.settings);
    let is_gap = match known.role {
        Role::Service => gap.counts(known.told_interval, grace, arrival.blind_periods),
        // A web component reports on requests only: it is silent for as long as none come.
        Role::Web => {
            known.silence(arrival.blind_periods, arrival.at) > known.stale_limit(arrival.settings)
        }
    };
    if is_gap && !known.stopped {
        next.add_gap(gap);
    }
    next
}

fn component(heartbeat: &Heartbeat, boots: Boots, arrival: &Arrival<'_>) -> Component {
    Component {
        server: heartbeat.server.clone(),
        role: heartbeat.role,
        facts: Arc::new(heartbeat.facts.clone()),
        stopped: heartbeat.leaving,
        boots,
        interruptions: Interruptions::default(),
        first_seen: arrival.at,
        last_heartbeat: arrival.at,
        told_interval: arrival.settings.interval(),
        skew: heartbeat.sent_at.map(|sent| Skew { last: sent - arrival.at, before: None }),
        came_back: None,
        messengers: Vec::new(),
    }
}
