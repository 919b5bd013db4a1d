//! Which heartbeats count: the rule of starts, replays, duplicate names and removals.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::facts::{Address, Component, Heartbeat, Skew, Tombstone};
use super::time::{Span, Timestamp};

/// Three returns to a former boot within this span are two machines of one name; so long without a
/// return, and the name is single again.
pub const DUPLICATE_WINDOW: Span = Span::minutes(10);

/// How many returns within [`DUPLICATE_WINDOW`] make a duplicate name.
const RETURNS: usize = 3;

/// One start of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// Its id, a UUID.
    pub id: String,
    /// The highest sequence heard of it.
    pub sequence: i64,
    /// The address it had.
    pub ip: Address,
}

/// The two boots a component is known by, and how often they took turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boots {
    /// The start that beats now.
    pub current: Boot,
    /// The start before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<Boot>,
    /// The latest returns to a former boot, oldest first; three at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returns: Vec<Timestamp>,
    /// Three returns came within the window, and none has been further from the next since.
    #[serde(default)]
    pub duplicate: bool,
}

/// What a heartbeat is to the boots known so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reception {
    /// A replay, a latecomer, or a former boot's goodbye: changes nothing.
    Unchanged,
    /// The current boot goes on.
    Continued,
    /// The former boot is current again.
    Returned,
    /// A start never heard of.
    Started,
}

impl Boots {
    /// The boots of a component heard of for the first time.
    pub fn first(boot: Boot) -> Self {
        Self { current: boot, former: None, returns: Vec::new(), duplicate: false }
    }

    /// What this heartbeat is to these boots.
    pub fn judge(&self, heartbeat: &Heartbeat) -> Reception {
        if heartbeat.boot_id == self.current.id {
            return if heartbeat.sequence > self.current.sequence {
                Reception::Continued
            } else {
                Reception::Unchanged
            };
        }
        match &self.former {
            Some(former) if former.id == heartbeat.boot_id => {
                if heartbeat.sequence > former.sequence && !heartbeat.leaving {
                    Reception::Returned
                } else {
                    Reception::Unchanged
                }
            }
            _ => Reception::Started,
        }
    }

    /// The boots after this heartbeat, received at `stamp`.
    fn after(&self, heartbeat: &Heartbeat, reception: Reception, stamp: Timestamp) -> Self {
        let mut next = self.clone();
        match reception {
            Reception::Unchanged => {}
            Reception::Continued => next.current = heartbeat.boot(),
            Reception::Started | Reception::Returned => {
                next.former = Some(std::mem::replace(&mut next.current, heartbeat.boot()));
            }
        }
        if reception == Reception::Returned {
            next.note_return(stamp);
        }
        next
    }

    fn note_return(&mut self, stamp: Timestamp) {
        let still = self.is_duplicate(stamp);
        self.returns.push(stamp);
        if self.returns.len() > RETURNS {
            self.returns.remove(0);
        }
        let crowded = self.returns.len() == RETURNS && stamp - self.returns[0] <= DUPLICATE_WINDOW;
        self.duplicate = still || crowded;
    }

    /// Whether two machines bear this name at `now`.
    pub fn is_duplicate(&self, now: Timestamp) -> bool {
        self.duplicate && self.returns.last().is_some_and(|last| now - *last <= DUPLICATE_WINDOW)
    }

    /// When [`Self::is_duplicate`] ends, if it holds at all.
    pub fn duplicate_until(&self) -> Option<Timestamp> {
        self.returns
            .last()
            .filter(|_| self.duplicate)
            .map(|last| *last + DUPLICATE_WINDOW + Span::TICK)
    }
}

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
            let own = heartbeat.reporter.is_own();
            let known_own = known.reporter.is_own();
            match (own, known_own) {
                (true, false) => None,
                (false, true) => Some(fresh()),
                (true, true) | (false, false) => go_on(known, heartbeat, stamp, told),
            }
        }
        Some(Stored::Removed(tombstone)) => {
            let reception = tombstone.boots.judge(heartbeat);
            match reception {
                Reception::Unchanged => None,
                Reception::Started => Some(fresh()),
                // Its goodbye after the removal is the removal's own wish: nothing to bring back.
                Reception::Continued | Reception::Returned if heartbeat.leaving => None,
                Reception::Continued | Reception::Returned => {
                    let boots = tombstone.boots.after(heartbeat, reception, stamp);
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
    let reception = known.boots.judge(heartbeat);
    if reception == Reception::Unchanged {
        return None;
    }
    let boots = known.boots.after(heartbeat, reception, stamp);
    let next = component(heartbeat, boots, stamp, told);
    let listens = next.messenger_port.is_some();
    Some(Component {
        server: known.server.clone(),
        first_seen: known.first_seen,
        skew: next.skew.map(|skew| Skew { before: known.skew.map(|skew| skew.last), ..skew }),
        came_back: known.came_back.filter(|_| reception == Reception::Continued),
        messengers: if listens { known.messengers.clone() } else { Vec::new() },
        ..next
    })
}

fn component(heartbeat: &Heartbeat, boots: Boots, stamp: Timestamp, told: Span) -> Component {
    let Heartbeat { server, role, product, version, os, ip, sent_at, .. } = heartbeat.clone();
    Component {
        server,
        role,
        product,
        version,
        os,
        ip,
        key_check: heartbeat.key_check,
        machine_key_check: heartbeat.machine_key_check,
        messenger_port: heartbeat.messenger_port,
        stopped: heartbeat.leaving,
        boots,
        first_seen: stamp,
        last_heartbeat: stamp,
        told_interval: told,
        skew: sent_at.map(|sent| Skew { last: sent - stamp, before: None }),
        reporter: heartbeat.reporter,
        came_back: None,
        messengers: Vec::new(),
    }
}
