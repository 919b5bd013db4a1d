//! What an admin's change would do, told before it is made.

use super::facts::{Component, ComponentKey, Role, ServerName};
use super::hints::Hint;
use super::keys::{KeyCheck, KeyKind};
use super::settings::Settings;
use super::snapshot::Snapshot;
use super::status::Pulse;
use super::time::Timestamp;

/// Who would be right and who wrong if another key were accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acceptance {
    /// Servers that report another key: decryption failures from then on. In order, each once.
    pub wrong: Vec<ServerName>,
    /// Servers that report this one; likewise.
    pub right: Vec<ServerName>,
}

impl Acceptance {
    /// Of this key, among these components. What an observer row says does not count.
    pub fn of<'a>(
        kind: KeyKind,
        check: KeyCheck,
        components: impl Iterator<Item = &'a Component>,
    ) -> Self {
        let mut acceptance = Self::default();
        for component in components.filter(|component| !component.is_observer()) {
            let side = match kind.of(component) {
                None => continue,
                Some(reported) if reported == check => &mut acceptance.right,
                Some(_) => &mut acceptance.wrong,
            };
            if let Err(place) = side.binary_search(&component.server) {
                side.insert(place, component.server.clone());
            }
        }
        acceptance
    }
}

/// What a removal would take out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// The components.
    pub keys: Vec<ComponentKey>,
    /// One of them at least is live: it would be back with its next heartbeat.
    pub live: bool,
}

impl Snapshot {
    /// Whose pulse would be worse at once under these settings, and which it would be.
    pub fn worse_under(&self, settings: &Settings, now: Timestamp) -> Vec<(ComponentKey, Pulse)> {
        let now = self.blind_since.unwrap_or(now);
        self.components
            .iter()
            .filter_map(|(key, component)| {
                let is = component.pulse(&self.settings, &self.spells, now);
                let would = component.pulse(settings, &self.spells, now);
                (would.severity() > is.severity()).then(|| (key.clone(), would))
            })
            .collect()
    }

    /// The hints about the cluster as a whole that would appear under these settings, but for those
    /// that merely follow from [`Self::worse_under`].
    pub fn hints_under(&self, settings: &Settings, now: Timestamp) -> Vec<Hint> {
        let of_cluster = |snapshot: &Self| -> Vec<Hint> {
            let hints = snapshot.hints(&snapshot.overview(now), now);
            hints.into_iter().filter(|hint| hint.server.is_none()).collect()
        };
        let known = of_cluster(self);
        let mut would = of_cluster(&Self { settings: *settings, ..self.clone() });
        would.retain(|hint| known.iter().all(|known| known.id != hint.id));
        would
    }

    /// What removing a component, or with no role a whole server, would take out; `None` if there is
    /// no such component.
    pub fn removing(
        &self,
        server: &ServerName,
        role: Option<Role>,
        now: Timestamp,
    ) -> Option<Removal> {
        let overview = self.overview(now);
        let found = overview
            .components()
            .filter(|status| status.component.server == *server)
            .filter(|status| role.is_none_or(|role| status.component.role == role));
        let live = found.clone().any(|status| status.live);
        let keys: Vec<ComponentKey> = found.map(|status| status.component.key()).collect();
        (!keys.is_empty()).then_some(Removal { keys, live })
    }
}
