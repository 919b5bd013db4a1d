//! What is known of a trouble, from its first hint to its last?

use std::fmt;

use serde::{Deserialize, Serialize};

use super::component_key::Role;
use super::digest::digest;
use super::finding::{HintFamily, HintId, Severity};
use super::server_name::ServerName;
use super::time::{Span, Timestamp};

/// An incident that ended goes on if its trouble comes back within this time.
const COMES_BACK_WITHIN: Span = Span::minutes(15);
/// An incident that began once has really ended when it has been calm for so long. Each turn doubles it.
const CALM: Span = Span::seconds(60);
const MAX_CALM: Span = Span::minutes(30);
/// An incident that ended longer ago never goes on, and its end has been told. A little longer than that takes, so that whoever
/// tells the end still knows the incident.
pub const MAX_REST: Span = Span::minutes(40);

/// A trouble of one subject: it lasts from the first hint of a family until none is left. A hint that is replaced by another
/// one does not end it, and nothing ends while the overview is blind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    /// Which advice is due, or was due last.
    pub hint: HintId,
    /// How urgent that is.
    pub severity: Severity,
    /// Since when advice that is as urgent as this is due, in this turn.
    pub advised_since: Timestamp,
    /// How urgent it was at its worst.
    pub worst: Severity,
    /// The server it is about; `None` for the cluster.
    pub server: Option<ServerName>,
    /// The component it is about; `None` for the whole server or cluster.
    pub role: Option<Role>,
    /// When its first hint was due.
    pub began: Timestamp,
    /// When a hint was last due again, after a time without any; at first the beginning.
    pub turned: Timestamp,
    /// Since when no hint is left; `None` while it is open.
    pub ended: Option<Timestamp>,
    /// How often it began: 1, and one more each time that it came back.
    pub turns: u32,
    /// The hint that explains its own one, which is not shown meanwhile.
    pub replaced_by: Option<HintId>,
    pub acknowledged: Option<Acknowledgement>,
}

/// Somebody takes care of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who says so.
    pub by: String,
    pub at: Timestamp,
    /// What they add for the others; may be empty.
    pub note: String,
}

/// What an incident is about: only one incident of a subject is open at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentSubject {
    pub server: Option<ServerName>,
    pub role: Option<Role>,
    pub family: HintFamily,
}

impl Incident {
    /// The first hint of a trouble is due since `began`.
    pub fn begin(
        hint: HintId,
        severity: Severity,
        server: Option<ServerName>,
        role: Option<Role>,
        began: Timestamp,
    ) -> Self {
        let family = format!("{:?}", hint.family());
        let name = server.as_ref().map(ServerName::folded).unwrap_or_default();
        let digest = digest(&[&family, role.map_or("", Role::as_str), &name]);
        Self {
            id: IncidentId(format!("{}-{digest:016x}", began.0)),
            hint,
            severity,
            advised_since: began,
            worst: severity,
            server,
            role,
            began,
            turned: began,
            ended: None,
            turns: 1,
            replaced_by: None,
            acknowledged: None,
        }
    }

    pub fn subject(&self) -> IncidentSubject {
        let Self { server, role, .. } = self;
        IncidentSubject { server: server.clone(), role: *role, family: self.hint.family() }
    }

    /// Whether people who are not looking are told of it. A late service is not yet: it becomes stale when it has been silent for
    /// as long as the settings allow, and often it is only slow.
    pub fn is_told(&self) -> bool {
        self.hint != HintId::ServiceLate
    }

    pub const fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// For how long nothing must have been due until its end is certain: longer, the more often it came back.
    pub fn calm(&self) -> Span {
        let doublings = self.turns.saturating_sub(1).min(5);
        CALM.times(1 << doublings).min(MAX_CALM)
    }

    /// Whether its end is certain: nothing has been due for so long. Until then people read that it is open.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.over_at().is_some_and(|over_at| over_at <= now)
    }

    /// When its end is certain; `None` while it is open.
    pub fn over_at(&self) -> Option<Timestamp> {
        self.ended.map(|ended| ended + self.calm())
    }

    /// Whether it would go on if its trouble came back at `now`.
    pub fn may_come_back(&self, now: Timestamp) -> bool {
        self.ended.is_none_or(|ended| now - ended <= COMES_BACK_WITHIN.max(self.calm()))
    }

    /// How urgent it is; of one that ended, how urgent it was at its worst.
    pub const fn urgency(&self) -> Severity {
        if self.is_open() { self.severity } else { self.worst }
    }

    /// A moment at which its hint was due, for a link to that moment: just before its end. `None` while it is open.
    pub fn last_moment(&self) -> Option<Timestamp> {
        self.ended.map(|ended| self.turned.max(ended - Span::TICK))
    }

    /// How long it lasted until `now`, times without a hint between its turns included.
    pub fn lasted(&self, now: Timestamp) -> Span {
        self.ended.unwrap_or(now) - self.began
    }
}

/// Names an incident, for good: it does not change when the clock is set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(String);

impl IncidentId {
    /// From its text.
    pub fn parse(text: &str) -> Option<Self> {
        let (began, digest) = text.split_once('-')?;
        let is_digest = digest.len() == 16 && digest.bytes().all(|b| b.is_ascii_hexdigit());
        let is_moment = began.len() <= 16 && began.bytes().all(|b| b.is_ascii_digit());
        (is_digest && is_moment && !began.is_empty()).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
