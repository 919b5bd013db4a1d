//! All facts of one cluster at one moment, and the moments at which a verdict may turn.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::capacity::{GONE_FOR, nearly_reached};
use super::component::{CAME_BACK_FOR, Component};
use super::component_key::{ComponentKey, Role};
use super::incident::Incident;
use super::observation::{self, BlindPeriod, DatabaseOutage, exceeds_at};
use super::pulse::{BUSY_INTERVALS, unused_after};
use super::reference_keys::ReferenceKeys;
use super::rejected::RejectedHeartbeat;
use super::server_name::ServerName;
use super::settings::Settings;
use super::time::{Span, Timestamp};
use super::unsteady;
use super::upkeep::Upkeep;

/// The facts from which all verdicts are computed: the same on the server and in the browser. They
/// travel as a [`super::Change`], the first time as the change from nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The cluster's settings.
    pub settings: Settings,
    /// The keys that all others are compared with.
    pub references: ReferenceKeys,
    /// The blind periods of the last 30 days, in order.
    pub blind_periods: Vec<BlindPeriod>,
    /// Since when the observer cannot read and write its database.
    pub blind_since: Option<Timestamp>,
    /// Why, where that is known.
    pub outage: Option<DatabaseOutage>,
    /// How many servers the web server that shows this accepts; `None` if that is not known. Others that share its
    /// database may accept more or fewer.
    pub max_servers: Option<usize>,
    /// What the overview itself needs, and when that runs out.
    pub upkeep: Upkeep,
    /// Recently rejected heartbeats, ordered by server and by the component whose probe fails.
    pub rejected: Vec<RejectedHeartbeat>,
    /// The moment of the last change of a fact.
    pub changed_at: Timestamp,
    /// The incidents that are open, and those that ended so recently that they may go on; ordered by id.
    pub incidents: Vec<Arc<Incident>>,
    /// Every component, by server and role.
    pub components: BTreeMap<ComponentKey, Arc<Component>>,
    /// What the history does not say, if this is a past moment; `None` if it is now. It does not travel.
    pub unrecorded: Option<Unrecorded>,
}

/// What the history does not say of a past moment, besides all that is never recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unrecorded {
    /// The records of these components are complete only since a later moment: their pulse is unknown.
    pub forgotten: BTreeMap<ComponentKey, Timestamp>,
    /// These were heard so recently that they were alive, but when is not known. [`Component::last_heartbeat`] is the moment
    /// itself.
    pub heard: BTreeSet<ComponentKey>,
}

impl Snapshot {
    /// Puts a component in, or in place of the one with its key.
    pub fn insert(&mut self, component: Arc<Component>) {
        self.components.insert(component.key(), component);
    }

    /// Puts incidents in, or in place of what was known of them. Those that cannot go on any more are forgotten.
    pub fn note_incidents(&mut self, mut changed: Vec<Arc<Incident>>) {
        if changed.is_empty() {
            return;
        }
        let now = self.changed_at;
        changed.sort_by(|one, other| one.id.cmp(&other.id));
        let is_changed =
            |known: &Incident| changed.binary_search_by(|one| one.id.cmp(&known.id)).is_ok();
        self.incidents.retain(|known| known.may_come_back(now) && !is_changed(known));
        self.incidents.append(&mut changed);
        self.incidents.sort_by(|one, other| one.id.cmp(&other.id));
    }

    /// The moment of the last change of a fact or of a verdict up to `now`: the same for every
    /// reader. While blind it is the moment of the last successful read.
    pub fn as_of(&self, now: Timestamp) -> Timestamp {
        self.turns(now).0
    }

    /// The next moment after `now` at which a verdict may turn though no fact changes.
    pub fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        self.turns(now).1
    }

    /// [`Self::as_of`] and [`Self::next_turn`], in one pass.
    fn turns(&self, now: Timestamp) -> (Timestamp, Option<Timestamp>) {
        if let Some(blind) = self.blind_since {
            return (blind, None);
        }
        let mut turns = Turns::default();
        let mut note = |turn| turns.note(turn, now);
        self.each_turn_of_cluster(&mut note);
        let counts_gone = self.counts_gone();
        for component in self.components.values() {
            self.each_turn_of(component, counts_gone, &mut note);
        }
        (turns.as_of(self.changed_at), turns.next)
    }

    /// Every moment at which time alone may turn a hint that does not follow from one component.
    pub(super) fn each_turn_of_cluster(&self, turn: &mut dyn FnMut(Timestamp)) {
        for refusal in &self.rejected {
            turn(refusal.until);
        }
        unsteady::each_turn(&self.blind_periods, turn);
        self.upkeep.each_turn(turn);
    }

    /// Whether it matters who has been gone for a day.
    pub(super) fn counts_gone(&self) -> bool {
        // A server has at most two components, so nearly always there is nothing to count.
        nearly_reached(self.max_servers, self.components.len()).is_some()
            && nearly_reached(self.max_servers, self.count_servers()).is_some()
    }

    /// When a component becomes stale, or was stopped, if it sends no further heartbeat.
    fn gone_since(&self, component: &Component) -> Timestamp {
        if component.stopped {
            return component.last_heartbeat;
        }
        let limit = component.stale_limit(&self.settings);
        exceeds_at(component.last_heartbeat, limit, &self.blind_periods)
    }

    /// Every moment at which time alone may turn a verdict on this component or a hint about it.
    pub(super) fn each_turn_of(
        &self,
        component: &Component,
        counts_gone: bool,
        turn: &mut dyn FnMut(Timestamp),
    ) {
        if counts_gone {
            turn(self.gone_since(component) + GONE_FOR);
        }
        let since = component.last_heartbeat;
        let after = |limit: Span| exceeds_at(since, limit, &self.blind_periods);
        if component.stopped {
            turn(after(self.settings.stale_timeout()));
        } else {
            turn(after(component.stale_limit(&self.settings)));
            if component.role == Role::Web && self.settings.load_balancing {
                turn(after(unused_after(&self.settings)));
                turn(after(self.settings.interval().times(BUSY_INTERVALS)));
            }
            if component.role == Role::Service {
                let limit = component.late_limit(&self.settings);
                turn(after(limit));
                // Nobody becomes late within the limit after a blind period: lateness may begin when that ends.
                for period in observation::after(since, &self.blind_periods) {
                    turn(period.end + limit + Span::TICK);
                }
            }
        }
        component.interruptions.each_turn(&self.settings, turn);
        if let Some(back) = component.came_back {
            turn(back + CAME_BACK_FOR + Span::TICK);
        }
        if let Some(until) = component.boots.duplicate_until() {
            turn(until);
        }
    }

    /// Since which later moment the records of a component are complete, if those of this moment were deleted.
    pub fn forgotten_until(&self, component: &Component) -> Option<Timestamp> {
        let forgotten = &self.unrecorded.as_ref()?.forgotten;
        (!forgotten.is_empty()).then(|| forgotten.get(&component.key()).copied())?
    }

    /// Whether any component of a server reports.
    pub fn has_server(&self, server: &ServerName) -> bool {
        Role::ALL.into_iter().any(|role| {
            self.components.contains_key(&ComponentKey { server: server.clone(), role })
        })
    }

    /// How many servers there are.
    pub fn count_servers(&self) -> usize {
        let mut last: Option<&ServerName> = None;
        let mut is_new = |server| last.replace(server) != Some(server);
        self.components.keys().filter(|key| is_new(&key.server)).count()
    }
}

/// The last turn up to a moment, and the first one after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Turns {
    pub(super) latest: Option<Timestamp>,
    pub(super) next: Option<Timestamp>,
}

impl Turns {
    /// The moment of the last change, of a fact or by a turn.
    pub(super) fn as_of(self, changed_at: Timestamp) -> Timestamp {
        self.latest.map_or(changed_at, |latest| latest.max(changed_at))
    }

    pub(super) fn note(&mut self, turn: Timestamp, now: Timestamp) {
        if turn <= now {
            self.latest = self.latest.max(Some(turn));
        } else if self.next.is_none_or(|next| turn < next) {
            self.next = Some(turn);
        }
    }
}
