//! How the effect of a change is said before it is made.

use crate::cluster::hints::Arg;
use crate::cluster::{ComponentKey, Pulse, Role, ServerName, Settings, Snapshot, Timestamp};

use super::{say, title};

/// A list names so many before it merely counts.
const NAMED: usize = 6;

/// Names for a sentence: the first few, and how many more there are.
pub fn named<'a>(names: impl IntoIterator<Item = &'a ServerName>) -> Arg {
    let mut names = names.into_iter();
    let mut said: Vec<String> = names.by_ref().take(NAMED).map(ToString::to_string).collect();
    let more = names.count();
    if more > 0 {
        said.push(say("effect.more", &[("count", Arg::Number(more))]));
    }
    Arg::List(said)
}

/// What would follow at once if these settings were in force: a sentence for each thing.
pub fn effects(snapshot: &Snapshot, settings: &Settings, now: Timestamp) -> Vec<String> {
    let worse = snapshot.worse_under(settings, now);
    let mut said = Vec::new();
    for pulse in [Pulse::Stale, Pulse::Late] {
        for role in [Role::Service, Role::Web] {
            let names: Vec<_> = worse
                .iter()
                .filter(|(key, would)| key.role == role && *would == pulse)
                .map(|(ComponentKey { server, .. }, _)| server)
                .collect();
            if !names.is_empty() {
                let key = format!("effect.{}.{}", pulse.as_str(), role.as_str());
                said.push(say(&key, &[("servers", named(names))]));
            }
        }
    }
    said.extend(
        snapshot
            .hints_under(settings, now)
            .iter()
            .map(|appearing| say("effect.hint", &[("title", Arg::Text(title(appearing)))])),
    );
    said
}
