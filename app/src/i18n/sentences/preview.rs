//! How the effect of a change is said before it is made.

use crate::cluster::hints::Arg;
use crate::cluster::{ComponentKey, Pulse, Role, Settings, Snapshot, Timestamp};

use crate::i18n::Words;

impl Words {
    /// What would follow at once if these settings were in force: a sentence for each thing.
    pub fn effects(&self, snapshot: &Snapshot, settings: &Settings, now: Timestamp) -> Vec<String> {
        let worse = snapshot.degraded_by(settings, now);
        let mut said = Vec::new();
        for pulse in [Pulse::Stale, Pulse::Late] {
            for role in [Role::Service, Role::Web] {
                let names: Vec<String> = worse
                    .iter()
                    .filter(|(key, would)| key.role == role && *would == pulse)
                    .map(|(ComponentKey { server, .. }, _)| server.to_string())
                    .collect();
                if !names.is_empty() {
                    let key = format!("effect.{}.{}", pulse.as_str(), role.as_str());
                    said.push(self.say(&key, &[("servers", Arg::List(names.into()))]));
                }
            }
        }
        said.extend(snapshot.hints_added_by(settings, now).iter().map(|appearing| {
            self.say("effect.hint", &[("title", Arg::Text(self.title(appearing)))])
        }));
        said
    }
}
