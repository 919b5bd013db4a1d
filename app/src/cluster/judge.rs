//! The whole judgement at one moment: the verdicts, and the health that follows from the hints.

use super::finding::Finding;
use super::health::{Health, Overview};
use super::snapshot::Snapshot;
use super::time::Timestamp;

impl Snapshot {
    /// All verdicts at `now` and the hints that are due: one pure function, the same on the server and in the browser. While
    /// the observer is blind these are the verdicts of its last successful read, with every pulse and health unknown.
    ///
    /// A hint that is a warning or an error raises the health of the component, the server or the cluster that it is about:
    /// nothing is ever green above a warning.
    pub fn overview(&self, now: Timestamp) -> Overview {
        let mut overview = self.verdicts(now);
        overview.findings = self.findings(&overview, now);
        if self.blind_since.is_none() {
            overview.raise_health();
        }
        overview
    }
}

impl Overview {
    fn raise_health(&mut self) {
        let findings = std::mem::take(&mut self.findings);
        for Finding { id, severity, server, role } in &findings {
            let health = Health::of_hint(*severity);
            self.health = self.health.max(health);
            let Some(server) = server.and_then(|place| self.servers.get_mut(place)) else {
                continue;
            };
            server.health = server.health.max(health);
            let components = server.components.iter_mut();
            for status in components.filter(|status| Some(status.component.role) == *role) {
                if status.health < health {
                    (status.health, status.raised_by) = (health, Some(*id));
                }
            }
        }
        self.findings = findings;
    }
}
