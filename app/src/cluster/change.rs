//! What changed since a reader's cursor, and how to apply it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::component::{Component, Skew};
use super::component_key::{ComponentKey, Role};
use super::incident::Incident;
use super::observation::{BlindPeriod, DatabaseOutage};
use super::reference_keys::ReferenceKeys;
use super::rejected::RejectedHeartbeat;
use super::server_name::ServerName;
use super::settings::Settings;
use super::snapshot::Snapshot;
use super::time::{Span, Timestamp};
use super::upkeep::Upkeep;

/// The difference between two snapshots. Applying it twice does no harm: every part holds a state,
/// none an increment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Since when the observer is blind; in every change.
    #[serde(default)]
    pub blind_since: Option<Timestamp>,
    /// Why; in every change.
    #[serde(default)]
    pub outage: Option<DatabaseOutage>,
    /// How many servers the web server accepts; in every change.
    #[serde(default)]
    pub max_servers: Option<usize>,
    /// What the overview itself needs, if that changed.
    #[serde(default)]
    pub upkeep: Option<Upkeep>,
    /// All recently rejected heartbeats, if that changed.
    #[serde(default)]
    pub rejected: Option<Vec<RejectedHeartbeat>>,
    /// The moment of the last change of a fact; in every change.
    pub changed_at: Timestamp,
    /// What follows is everything: the reader forgets what it had.
    #[serde(default)]
    pub whole: bool,
    /// The settings, if they changed.
    #[serde(default)]
    pub settings: Option<Settings>,
    /// The reference keys, if they changed.
    #[serde(default)]
    pub references: Option<ReferenceKeys>,
    /// All blind periods, if they changed.
    #[serde(default)]
    pub blind_periods: Option<Vec<BlindPeriod>>,
    /// Incidents that changed.
    #[serde(default)]
    pub incidents: Vec<Arc<Incident>>,
    /// Components of which more than the time changed.
    #[serde(default)]
    pub components: Vec<Arc<Component>>,
    /// Components that only sent another heartbeat.
    #[serde(default)]
    pub heartbeats: Vec<HeartbeatUpdate>,
    /// Components that were removed.
    #[serde(default)]
    pub removed: Vec<ComponentKey>,
}

/// What an ordinary heartbeat changes: a hundred bytes instead of the whole component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatUpdate {
    /// On which server.
    pub server: ServerName,
    /// Of which component.
    pub role: Role,
    /// Its sequence.
    pub sequence: i64,
    /// When it came.
    pub at: Timestamp,
    /// The interval that the response named.
    pub told: Span,
    /// How far the sender's clock is off.
    #[serde(default)]
    pub skew: Option<Skew>,
}

impl HeartbeatUpdate {
    /// The last heartbeat of `component`.
    pub fn from_component(component: &Component) -> Self {
        Self {
            server: component.server.clone(),
            role: component.role,
            sequence: component.boots.current.sequence,
            at: component.last_heartbeat,
            told: component.told_interval,
            skew: component.skew,
        }
    }

    /// Whose heartbeat it was.
    pub fn key(&self) -> ComponentKey {
        ComponentKey { server: self.server.clone(), role: self.role }
    }

    /// `component` after this heartbeat.
    pub fn applied_to(&self, component: &Component) -> Component {
        let mut next = component.clone();
        next.boots.current.sequence = self.sequence;
        next.last_heartbeat = self.at;
        next.told_interval = self.told;
        next.skew = self.skew;
        next
    }

    /// Whether a heartbeat is all that lies between these two states of one component.
    pub fn is_only_difference(before: &Component, after: &Component) -> bool {
        Self::from_component(after).applied_to(before) == *after
    }
}

impl Change {
    /// The whole of a snapshot, for a reader that has nothing to build on.
    pub fn whole(snapshot: &Snapshot) -> Self {
        Self {
            blind_since: snapshot.blind_since,
            outage: snapshot.outage,
            max_servers: snapshot.max_servers,
            upkeep: Some(snapshot.upkeep.clone()),
            rejected: Some(snapshot.rejected.clone()),
            changed_at: snapshot.changed_at,
            whole: true,
            settings: Some(snapshot.settings),
            references: Some(snapshot.references),
            blind_periods: Some(snapshot.blind_periods.clone()),
            incidents: snapshot.incidents.clone(),
            components: snapshot.components.values().cloned().collect(),
            heartbeats: Vec::new(),
            removed: Vec::new(),
        }
    }
}

impl Snapshot {
    /// Applies a change; applying it twice gives the same.
    pub fn apply(&mut self, change: Change) {
        if change.whole {
            self.components.clear();
            self.incidents.clear();
        }
        self.blind_since = change.blind_since;
        self.outage = change.outage;
        self.max_servers = change.max_servers;
        if let Some(upkeep) = change.upkeep {
            self.upkeep = upkeep;
        }
        if let Some(rejected) = change.rejected {
            self.rejected = rejected;
        }
        self.changed_at = change.changed_at;
        if let Some(settings) = change.settings {
            self.settings = settings;
        }
        if let Some(references) = change.references {
            self.references = references;
        }
        if let Some(blind_periods) = change.blind_periods {
            self.blind_periods = blind_periods;
        }
        self.note_incidents(change.incidents);
        for key in &change.removed {
            self.components.remove(key);
        }
        for component in change.components {
            self.insert(component);
        }
        for heartbeat in change.heartbeats {
            if let Some(component) = self.components.get_mut(&heartbeat.key()) {
                *component = Arc::new(heartbeat.applied_to(component));
            }
        }
    }
}
