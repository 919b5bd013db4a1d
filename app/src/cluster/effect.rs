//! What an admin's change would do, told before it is made.

use super::facts::{Component, ComponentKey, Role, ServerName, check_text};
use super::hints::Hint;
use super::keys::{KeyCheck, KeyKind};
use super::settings::Settings;
use super::snapshot::Snapshot;
use super::status::Pulse;
use super::time::{Span, Timestamp};

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

/// Which servers to remove together. A live one never is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemovalFilter {
    /// Only those of which no component has been live for at least so long.
    pub stale_for: Option<Span>,
    /// Only those whose names fit.
    pub name: Option<NamePattern>,
}

/// A pattern of server names: `*` stands for any characters, also none; letters are compared without ASCII
/// case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(String);

impl NamePattern {
    /// The longest pattern, in characters: as long as a name.
    pub const MAX_CHARS: usize = 253;

    /// Takes a pattern of 1 to 253 characters.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        check_text(pattern, 1, Self::MAX_CHARS)?;
        Ok(Self(pattern.to_ascii_lowercase()))
    }

    /// Whether a name fits. Takes time for the name's length times the pattern's at most.
    pub fn fits(&self, name: &ServerName) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.folded());
        let name = name.as_bytes();
        let (mut in_pattern, mut in_name) = (0, 0);
        // The last star, and how far it reaches so far.
        let mut star = None;
        while in_name < name.len() {
            if pattern.get(in_pattern) == Some(&b'*') {
                star = Some((in_pattern, in_name));
                in_pattern += 1;
            } else if pattern.get(in_pattern) == name.get(in_name) {
                (in_pattern, in_name) = (in_pattern + 1, in_name + 1);
            } else if let Some((place, reach)) = star {
                star = Some((place, reach + 1));
                (in_pattern, in_name) = (place + 1, reach + 1);
            } else {
                return false;
            }
        }
        pattern[in_pattern..].iter().all(|byte| *byte == b'*')
    }
}

/// A server that a filter finds, with all its components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedServer {
    /// Its name.
    pub name: ServerName,
    /// Its components.
    pub keys: Vec<ComponentKey>,
}

impl Snapshot {
    /// The servers that a filter finds, in the order of their names.
    pub fn removing_all(&self, filter: &RemovalFilter, now: Timestamp) -> Vec<RemovedServer> {
        // Who is neither alive nor late, then as now.
        let is_gone = |component: &Component, at: Timestamp| {
            component.last_heartbeat <= at
                && match component.pulse(&self.settings, &self.spells, at) {
                    Pulse::Stale | Pulse::Stopped => true,
                    Pulse::Unknown | Pulse::Late | Pulse::Alive => false,
                }
        };
        let since = now - filter.stale_for.unwrap_or(Span::ZERO);
        let mut found: Vec<RemovedServer> = Vec::new();
        let mut components = self.components.iter().peekable();
        while let Some((key, component)) = components.next() {
            let mut keys = vec![key.clone()];
            let mut gone = is_gone(component, now) && is_gone(component, since);
            while let Some((key, component)) =
                components.next_if(|(other, _)| other.server == key.server)
            {
                keys.push(key.clone());
                gone &= is_gone(component, now) && is_gone(component, since);
            }
            if gone && filter.name.as_ref().is_none_or(|name| name.fits(&key.server)) {
                found.push(RemovedServer { name: key.server.clone(), keys });
            }
        }
        found
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
        let known = self.cluster_hints(now);
        let mut would = Self { settings: *settings, ..self.clone() }.cluster_hints(now);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        let fits = |pattern: &str, name: &str| {
            NamePattern::parse(pattern).unwrap().fits(&ServerName::parse(name).unwrap())
        };
        for (pattern, name) in [
            ("proget-*", "proget-7f9c"),
            ("proget-*", "PROGET-"),
            ("*", "web-1"),
            ("*-1", "web-1-1"),
            ("w*b-*1", "web-web-11"),
            ("Web-1", "wEB-1"),
            ("a**b", "ab"),
        ] {
            assert!(fits(pattern, name), "{pattern} fits {name}");
        }
        for (pattern, name) in [
            ("proget-*", "proget"),
            ("*-1", "web-11"),
            ("web", "web-1"),
            ("w*x", "web"),
            ("?eb", "web"),
        ] {
            assert!(!fits(pattern, name), "{pattern} does not fit {name}");
        }
    }

    #[test]
    fn a_pattern_of_many_stars_is_matched_in_time() {
        let pattern = NamePattern::parse(&"a*".repeat(126)).unwrap();
        assert!(!pattern.fits(&ServerName::parse(&format!("{}b", "a".repeat(100))).unwrap()));
    }
}
