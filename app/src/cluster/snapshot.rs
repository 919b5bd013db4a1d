//! All facts of one cluster at one moment, and the moments at which a verdict may turn.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::blindness::Blindness;
use super::facts::{Component, ComponentKey, Role};
use super::hints::CAME_BACK_FOR;
use super::keys::References;
use super::refusal::Refusal;
use super::settings::Settings;
use super::silence::{Spell, exceeds_at};
use super::time::{Span, Timestamp};

/// The facts from which all verdicts are computed: the same on the server and in the browser. They
/// travel as a [`super::Change`], the first time as the change from nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The cluster's settings.
    pub settings: Settings,
    /// The keys all others are held against.
    pub references: References,
    /// When nobody watched, in order, the last 30 days.
    pub spells: Vec<Spell>,
    /// Since when the observer cannot read and write its database.
    pub blind_since: Option<Timestamp>,
    /// Why, where that is known.
    pub blindness: Option<Blindness>,
    /// Heartbeats that were refused lately, by server.
    pub refusals: Vec<Refusal>,
    /// The moment of the last change of a fact.
    pub changed_at: Timestamp,
    /// Every component, by server and role.
    pub components: BTreeMap<ComponentKey, Arc<Component>>,
}

impl Snapshot {
    /// Puts a component in, or in place of the one with its key.
    pub fn insert(&mut self, component: Arc<Component>) {
        self.components.insert(component.key(), component);
    }

    /// The moment of the last change of a fact or of a verdict up to `now`: the same for every
    /// reader. While blind it is the last sight.
    pub fn as_of(&self, now: Timestamp) -> Timestamp {
        if let Some(blind) = self.blind_since {
            return blind;
        }
        self.turns().filter(|turn| *turn <= now).fold(self.changed_at, Timestamp::max)
    }

    /// The next moment after `now` at which a verdict may turn though no fact changes.
    pub fn next_turn(&self, now: Timestamp) -> Option<Timestamp> {
        if self.blind_since.is_some() {
            return None;
        }
        self.turns().filter(|turn| *turn > now).min()
    }

    /// Every moment at which time alone may turn a verdict or a hint.
    fn turns(&self) -> impl Iterator<Item = Timestamp> + '_ {
        let told = self.refusals.iter().map(|refusal| refusal.until);
        self.components.values().flat_map(|component| self.turns_of(component)).chain(told)
    }

    fn turns_of(&self, component: &Component) -> Vec<Timestamp> {
        let since = component.last_heartbeat;
        let after = |limit: Span| exceeds_at(since, limit, &self.spells);
        let mut turns = Vec::with_capacity(4);
        if component.stopped {
            turns.push(after(self.settings.stale_timeout()));
        } else {
            turns.push(after(component.stale_limit(&self.settings)));
            if component.role == Role::Service {
                let limit = component.late_limit(&self.settings);
                turns.push(after(limit));
                // A service whose lateness was pardoned for a spell is late when the pardon ends.
                turns.extend(
                    self.spells
                        .iter()
                        .filter(|spell| spell.end > since)
                        .map(|spell| spell.end + limit + Span::TICK),
                );
            }
        }
        turns.extend(component.came_back.map(|back| back + CAME_BACK_FOR + Span::TICK));
        turns.extend(component.boots.duplicate_until());
        turns
    }
}
