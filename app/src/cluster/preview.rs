//! What a change of the settings or of a reference key would do, before it is made.

use super::component::Component;
use super::component_key::ComponentKey;
use super::health::Pulse;
use super::hints::Hint;
use super::keys::{KeyCheck, KeyKind};
use super::server_name::ServerName;
use super::settings::Settings;
use super::snapshot::Snapshot;
use super::time::Timestamp;

/// Who would be right and who wrong if another key were accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyChangePreview {
    /// Servers that report another key: decryption failures from then on. In order, each once.
    pub wrong: Vec<ServerName>,
    /// Servers that report this one; likewise.
    pub right: Vec<ServerName>,
}

impl KeyChangePreview {
    /// Which of these components would match the key `check`. Observer rows do not count.
    pub fn compute<'a>(
        kind: KeyKind,
        check: KeyCheck,
        components: impl Iterator<Item = &'a Component>,
    ) -> Self {
        let mut preview = Self::default();
        for component in components.filter(|component| !component.is_observer()) {
            let side = match component.check(kind) {
                None => continue,
                Some(reported) if reported == check => &mut preview.right,
                Some(_) => &mut preview.wrong,
            };
            if let Err(place) = side.binary_search(&component.server) {
                side.insert(place, component.server.clone());
            }
        }
        preview
    }
}

impl Snapshot {
    /// Whose pulse would be worse at once under these settings, and which it would be.
    pub fn degraded_by(&self, settings: &Settings, now: Timestamp) -> Vec<(ComponentKey, Pulse)> {
        let now = self.blind_since.unwrap_or(now);
        self.components
            .iter()
            .filter_map(|(key, component)| {
                let is = component.pulse(&self.settings, &self.blind_periods, now);
                let would = component.pulse(settings, &self.blind_periods, now);
                (would.severity() > is.severity()).then(|| (key.clone(), would))
            })
            .collect()
    }

    /// The hints about the cluster as a whole that would appear under these settings, but for those
    /// that merely follow from [`Self::degraded_by`].
    pub fn hints_added_by(&self, settings: &Settings, now: Timestamp) -> Vec<Hint> {
        let known = self.cluster_hints(now);
        let mut would = Self { settings: *settings, ..self.clone() }.cluster_hints(now);
        would.retain(|hint| known.iter().all(|known| known.id != hint.id));
        would
    }
}
