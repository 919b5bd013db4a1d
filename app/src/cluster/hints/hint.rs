//! What a hint is: which advice, about whom, and the values that its sentences name.

use serde::{Deserialize, Serialize};

use super::note::Note;
use crate::cluster::component_key::Role;
use crate::cluster::finding::{HintId, Severity};
use crate::cluster::health::ComponentStatus;
use crate::cluster::messenger::MessengerFailure;
use crate::cluster::server_name::ServerName;
use crate::cluster::time::{Span, Timestamp};

/// A value in a hint's sentences. The words decide how it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Arg {
    /// A moment of which the time of day is enough.
    Moment(Timestamp),
    /// A moment on any day.
    Date(Timestamp),
    /// A length of time.
    Span(Span),
    /// A count.
    Number(usize),
    /// A name, a version, an address.
    Text(String),
    /// A component of this kind, or both of a server.
    Roles(Option<Role>),
    /// Why a messenger cannot be reached.
    MessengerFailure(MessengerFailure),
    /// Several of them, in order.
    List(Names),
}

/// A sentence lists this many names and counts the others.
const MAX_NAMES_IN_SENTENCE: usize = 6;
/// So many more are named rather than counted: that is as short.
const NAMED_RATHER_THAN_COUNTED: usize = 2;

/// Names in order: the first few, and how many there are. It never grows with the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    first: Vec<String>,
    total: usize,
    most: usize,
}

impl Default for Names {
    fn default() -> Self {
        Self::up_to(MAX_NAMES_IN_SENTENCE)
    }
}

impl From<Vec<String>> for Names {
    fn from(all: Vec<String>) -> Self {
        let mut names = Self::default();
        for name in &all {
            names.push(&|| name.clone());
        }
        names
    }
}

impl Names {
    /// None yet; of many, this number is named.
    pub(super) fn up_to(most: usize) -> Self {
        Self { first: Vec::new(), total: 0, most }
    }

    /// Adds one, which is made only if it may be named.
    pub(super) fn push(&mut self, name: &dyn Fn() -> String) {
        if self.total < self.most + NAMED_RATHER_THAN_COUNTED {
            self.first.push(name());
        }
        self.total += 1;
    }

    /// How many there are.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Those that are named, and how many are counted.
    pub fn named(&self) -> (&[String], usize) {
        match self.total - self.first.len() {
            0 => (&self.first, 0),
            _ => (&self.first[..self.most], self.total - self.most),
        }
    }
}

/// A summary names this number of servers and counts the others.
pub(super) const MAX_NAMES_IN_SUMMARY: usize = 20;

/// The place of a hint on the page: stable, and safe in an address and as an element's id.
pub fn anchor(id: HintId, server: Option<&ServerName>, role: Option<Role>) -> String {
    let mut anchor = format!("hint-{}", id.as_str());
    if let Some(server) = server {
        anchor.push('-');
        anchor.push_str(&dom_safe(server));
    }
    if let Some(role) = role {
        // No server's name has a `_` before a letter, so no two hints share an anchor.
        anchor.push('_');
        anchor.push_str(role.as_str());
    }
    anchor
}

/// The place of the summary of an id. No server's name leads there either.
pub fn summary_anchor(id: HintId, severity: Severity) -> String {
    let anchor = anchor(id, None, None) + "_summary";
    // A hint that can be more or less urgent may have a summary of each.
    if severity == id.severity() { anchor } else { anchor + "_" + severity.as_str() }
}

/// One piece of advice: data from which the words make sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Which advice.
    pub id: HintId,
    pub severity: Severity,
    /// The server it is about; `None` for the cluster.
    pub server: Option<ServerName>,
    /// The component it is about; `None` for the whole server or cluster.
    pub role: Option<Role>,
    /// Since when it is due, if that is known.
    pub since: Option<Timestamp>,
    /// Which optional sentences apply, in order.
    pub notes: Vec<Note>,
    /// The values its sentences name.
    pub args: Vec<(&'static str, Arg)>,
}

impl Hint {
    pub(super) fn for_cluster(id: HintId) -> Self {
        let severity = id.severity();
        Self {
            id,
            severity,
            server: None,
            role: None,
            since: None,
            notes: Vec::new(),
            args: Vec::new(),
        }
    }

    pub(super) fn for_server(id: HintId, server: &ServerName) -> Self {
        Self { server: Some(server.clone()), ..Self::for_cluster(id) }
            .with("server", Arg::Text(server.to_string()))
    }

    pub(super) fn for_component(id: HintId, status: &ComponentStatus) -> Self {
        let component = &status.component;
        Self { role: Some(component.role), ..Self::for_server(id, &component.server) }
            .with("since", Arg::Moment(component.last_heartbeat))
            .with("address", Arg::Text(component.facts.ip.to_string()))
    }

    pub(super) fn with(mut self, name: &'static str, value: Arg) -> Self {
        self.args.push((name, value));
        self
    }

    /// Notes that another server plays a part, if one does, and names it.
    pub(super) fn with_other(
        self,
        note: Note,
        name: &'static str,
        other: Option<&ServerName>,
    ) -> Self {
        let named: Vec<String> = other.map(ToString::to_string).into_iter().collect();
        self.with_note(note, other.is_some()).with(name, Arg::List(named.into()))
    }

    pub(super) fn with_note(mut self, note: Note, applies: bool) -> Self {
        if applies {
            self.notes.push(note);
        }
        self
    }

    /// The text it names so: a name, digits, an address.
    pub fn text(&self, name: &str) -> Option<&str> {
        if let Arg::Text(text) = self.arg(name)? { Some(text) } else { None }
    }

    fn arg(&self, name: &str) -> Option<&Arg> {
        self.args.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The servers that it names: the one it is about, or the first of several.
    pub fn named_servers(&self) -> Vec<String> {
        let list = |name| match self.arg(name) {
            Some(Arg::List(names)) => names.named().0.to_vec(),
            _ => Vec::new(),
        };
        let own = self.server.iter().map(ToString::to_string);
        own.chain(list("servers")).collect()
    }

    /// Whether one cause explains both, so that one set of steps is for both servers. What another hint says of a cause, such
    /// as the key that a server uses, is part of it.
    pub fn has_same_cause(&self, other: &Self) -> bool {
        let is_alike =
            (self.id, self.severity) == (other.id, other.severity) && self.server.is_some();
        let explains = ["key", "successor", "neighbour"];
        let is_same = self.notes == other.notes
            && explains.into_iter().all(|name| self.arg(name) == other.arg(name));
        is_alike && (other.summed().is_some() || other.server.is_some() && is_same)
    }

    /// Of how many findings it is the summary; `None` for a hint about one.
    pub fn summed(&self) -> Option<usize> {
        let summary = self.notes.first() == Some(&Note::Summary);
        match self.arg("count").filter(|_| summary) {
            Some(Arg::Number(count)) => Some(*count),
            _ => None,
        }
    }

    /// How many findings it summarizes.
    pub fn weight(&self) -> usize {
        self.summed().unwrap_or(1)
    }

    /// Its place on the page: stable, and safe in an address and as an element's id.
    pub fn anchor(&self) -> String {
        match self.summed() {
            Some(_) => summary_anchor(self.id, self.severity),
            None => anchor(self.id, self.server.as_ref(), self.role),
        }
    }
}

/// A server's name as part of an element's id: letters, digits, `-` and `.` of ASCII stand, all else
/// becomes `_` and its number.
pub fn dom_safe(server: &ServerName) -> String {
    server.folded().chars().fold(String::new(), |mut safe, c| {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') {
            safe.push(c);
        } else {
            safe.push('_');
            safe.push_str(&u32::from(c).to_string());
            safe.push('_');
        }
        safe
    })
}
