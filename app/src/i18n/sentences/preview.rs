//! What would follow from a change, in sentences?

use crate::cluster::hints::Arg;
use crate::cluster::{Pulse, Role, Settings, Snapshot, Timestamp};
use crate::i18n::{Catalog, MessageKey};

/// Which changes of a component's status are announced. A web component is never late.
const CHANGES: [(Pulse, Role, MessageKey); 3] = [
    (Pulse::Stale, Role::Service, MessageKey::PreviewStaleService),
    (Pulse::Stale, Role::Web, MessageKey::PreviewStaleWeb),
    (Pulse::Late, Role::Service, MessageKey::PreviewLateService),
];

impl Catalog {
    /// What would follow at once if these settings were in force: a sentence for each thing.
    pub fn effects(&self, snapshot: &Snapshot, settings: &Settings, now: Timestamp) -> Vec<String> {
        let degraded = snapshot.degraded_by(settings, now);
        let mut effects = Vec::new();
        for (pulse, role, key) in CHANGES {
            let servers: Vec<String> = degraded
                .iter()
                .filter(|(key, would)| key.role == role && *would == pulse)
                .map(|(key, _)| key.server.to_string())
                .collect();
            if !servers.is_empty() {
                effects.push(self.format(key, &[("servers", Arg::List(servers.into()))]));
            }
        }
        effects.extend(snapshot.hints_added_by(settings, now).iter().map(|hint| {
            self.format(MessageKey::PreviewNewHint, &[("title", Arg::Text(self.title(hint)))])
        }));
        effects
    }
}
