//! Which components a removal takes out.

use super::component::Component;
use super::component_key::{ComponentKey, Role};
use super::health::Pulse;
use super::server_name::{ServerName, check_text};
use super::snapshot::Snapshot;
use super::time::{Span, Timestamp};

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

/// How a server that is not live ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastSeen {
    /// Its component that ended last.
    pub role: Role,
    /// That component's pulse: stale or stopped.
    pub pulse: Pulse,
    /// Since when.
    pub since: Timestamp,
    /// Of any of its components.
    pub last_heartbeat: Timestamp,
}

impl Snapshot {
    /// How a server that a filter found ended; `None` if it is not there any more, or the observer is blind.
    pub fn last_seen(&self, server: &RemovedServer, now: Timestamp) -> Option<LastSeen> {
        let components = || server.keys.iter().filter_map(|key| self.components.get(key));
        let last_heartbeat = components().map(|component| component.last_heartbeat).max()?;
        let ends = components().filter_map(|component| {
            let pulse = component.pulse(&self.settings, &self.blind_periods, now);
            let since = component.pulse_since(pulse, &self.settings, &self.blind_periods)?;
            Some(LastSeen { role: component.role, pulse, since, last_heartbeat })
        });
        ends.max_by_key(|end| end.since)
    }

    /// The servers that a filter finds, in the order of their names.
    pub fn servers_to_remove(&self, filter: &RemovalFilter, now: Timestamp) -> Vec<RemovedServer> {
        // Who is neither alive nor late, then as now.
        let is_gone = |component: &Component, at: Timestamp| {
            component.last_heartbeat <= at
                && match component.pulse(&self.settings, &self.blind_periods, at) {
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
