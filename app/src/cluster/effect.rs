//! What an admin's change would do, told before it is made.

use super::facts::{ComponentKey, Role, ServerName};
use super::hints::Hint;
use super::keys::{KeyCheck, KeyKind};
use super::settings::Settings;
use super::snapshot::Snapshot;
use super::status::Pulse;
use super::time::Timestamp;

/// Who would be right and who wrong if another key were accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acceptance {
    /// Servers that report another key: decryption failures from then on.
    pub wrong: Vec<ServerName>,
    /// Servers that report this one.
    pub right: Vec<ServerName>,
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

    /// Who would be right and who wrong if this key were the one all others are held against.
    pub fn accepting(&self, kind: KeyKind, check: KeyCheck) -> Acceptance {
        let mut acceptance = Acceptance::default();
        for (key, component) in &self.components {
            let Some(reported) = kind.of(component).filter(|_| !component.is_observer()) else {
                continue;
            };
            let side =
                if reported == check { &mut acceptance.right } else { &mut acceptance.wrong };
            if side.last() != Some(&key.server) {
                side.push(key.server.clone());
            }
        }
        acceptance
    }

    /// The checks of this kind that are reported and begin with `digits`, each once.
    pub fn reported_keys(&self, kind: KeyKind, digits: &str) -> Vec<KeyCheck> {
        let mut fitting: Vec<KeyCheck> = self
            .components
            .values()
            .filter(|component| !component.is_observer())
            .filter_map(|component| kind.of(component))
            .filter(|check| check.digits().starts_with(digits))
            .collect();
        fitting.sort_unstable();
        fitting.dedup();
        fitting
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
