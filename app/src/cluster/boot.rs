//! The starts of a component's process: which of them sends a heartbeat, and whether two machines use one name.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};

use super::time::{Span, Timestamp};

/// An IPv4 or IPv6 address in its canonical spelling. It is kept as text, because a browser only
/// shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(Arc<str>);

impl Address {
    /// The spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it means.
    pub fn ip(&self) -> Option<IpAddr> {
        self.0.parse().ok()
    }
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Self {
        Self(ip.to_string().into())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Three returns to a former boot within this span mean that two machines use one name. After so long without a
/// return they no longer do.
pub const DUPLICATE_WINDOW: Span = Span::minutes(10);

/// How many returns within [`DUPLICATE_WINDOW`] make a duplicate name.
const RETURNS: usize = 3;

/// How many former boots are kept. With the current one, so many machines with the same name can be told apart.
const MAX_FORMER: usize = 7;

/// One start of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// Its id, a UUID.
    #[serde(serialize_with = "for_servers")]
    pub id: String,
    /// The highest sequence received from it.
    pub sequence: i64,
    /// The address it had.
    pub ip: Address,
    /// When it last became current again after another boot.
    #[serde(default)]
    pub returned_at: Option<Timestamp>,
}

/// Writes the id in JSON only. Pages are sent a binary format (`packed.rs`); they never compare two starts, and random ids
/// would be most of its bytes.
fn for_servers<S: Serializer>(id: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let is_for_a_page = !serializer.is_human_readable();
    serializer.serialize_str(if is_for_a_page { "" } else { id })
}

/// The current and the former boots of a component, and how often they took turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boots {
    /// The start that sends heartbeats now.
    pub current: Boot,
    /// Those before it, the latest first, at most 7.
    #[serde(default)]
    pub former: Vec<Boot>,
    /// The latest returns to a former boot, oldest first; three at most.
    #[serde(default)]
    pub returns: Vec<Timestamp>,
    /// Three returns came within the window, and each later one within the window of the one before.
    #[serde(default)]
    pub duplicate: bool,
}

/// How a heartbeat relates to the known boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BootMatch {
    /// A replay, a late arrival, or a former boot that says it is stopping: changes nothing.
    Unchanged,
    /// The current boot goes on.
    Continued,
    /// A former boot is current again.
    Returned,
    /// A start that was not known.
    Started,
}

impl Boots {
    /// The boots of a new component.
    pub fn first(boot: Boot) -> Self {
        Self { current: boot, former: Vec::new(), returns: Vec::new(), duplicate: false }
    }

    /// How this heartbeat relates to these boots.
    pub fn classify(&self, boot: &Boot, leaving: bool) -> BootMatch {
        if boot.id == self.current.id {
            return if boot.sequence > self.current.sequence {
                BootMatch::Continued
            } else {
                BootMatch::Unchanged
            };
        }
        match self.former.iter().find(|former| former.id == boot.id) {
            Some(former) if boot.sequence > former.sequence && !leaving => BootMatch::Returned,
            Some(_) => BootMatch::Unchanged,
            None => BootMatch::Started,
        }
    }

    /// The boots after this heartbeat, received at `stamp`.
    pub(super) fn after(&self, boot: Boot, boot_match: BootMatch, stamp: Timestamp) -> Self {
        let mut next = self.clone();
        match boot_match {
            BootMatch::Unchanged => {}
            BootMatch::Continued => {
                next.current = Boot { returned_at: self.current.returned_at, ..boot };
            }
            BootMatch::Started => next.replace_current(boot),
            BootMatch::Returned => {
                next.former.retain(|former| former.id != boot.id);
                next.replace_current(Boot { returned_at: Some(stamp), ..boot });
                next.note_return(stamp);
            }
        }
        next
    }

    fn replace_current(&mut self, boot: Boot) {
        self.former.insert(0, std::mem::replace(&mut self.current, boot));
        self.former.truncate(MAX_FORMER);
    }

    /// The addresses of the machines that use this name, one for each boot that returned shortly before the last
    /// return, the current one first.
    pub fn addresses_of_duplicates(&self) -> Vec<&Address> {
        let all = std::iter::once(&self.current).chain(&self.former);
        let last = self.returns.last();
        let returned = |boot: &&Boot| {
            let both = boot.returned_at.zip(last.copied());
            both.is_some_and(|(returned, last)| last - returned <= DUPLICATE_WINDOW)
        };
        all.filter(returned).map(|boot| &boot.ip).collect()
    }

    fn note_return(&mut self, stamp: Timestamp) {
        let is_still = self.is_duplicate(stamp);
        self.returns.push(stamp);
        if self.returns.len() > RETURNS {
            self.returns.remove(0);
        }
        let is_crowded =
            self.returns.len() == RETURNS && stamp - self.returns[0] <= DUPLICATE_WINDOW;
        self.duplicate = is_still || is_crowded;
    }

    /// Whether several machines use this name at `now`.
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
