//! The whole judgement at one moment: the verdicts, and the health that follows from the hints.

use std::sync::Arc;

use super::finding::Finding;
use super::health::{Health, Overview};
use super::hints::SharedCauses;
use super::observation::BlindPeriod;
use super::order::sorted_indices;
use super::overview::{Comparison, counts};
use super::reference_keys::ReferenceKeys;
use super::rejected::RejectedHeartbeat;
use super::settings::Settings;
use super::snapshot::{Snapshot, Turns};
use super::time::Timestamp;
use super::upkeep::Upkeep;

impl Snapshot {
    /// All verdicts at `now` and the hints that are due: one pure function, the same on the server and in the browser. While
    /// the observer is blind these are the verdicts of its last successful read, with every pulse and health unknown.
    ///
    /// A hint that is a warning or an error raises the health of the component, the server or the cluster that it is about:
    /// nothing is ever green above a warning.
    pub fn overview(&self, now: Timestamp) -> Overview {
        let mut judgement = Judgement::default();
        judgement.update(self, now);
        judgement.overview
    }
}

/// An overview that is kept up to date. It always equals [`Snapshot::overview`], but judges only servers whose facts have
/// changed or of which a verdict is due, unless what all of them are compared with has changed.
#[derive(Debug, Default)]
pub struct Judgement {
    overview: Overview,
    judged_at: Timestamp,
    /// `None` before the first judgement.
    facts: Option<ClusterFacts>,
    comparison: Comparison,
    causes: SharedCauses,
    /// Of each server.
    turns: Vec<Turns>,
    /// What is due about servers, in their order.
    about_servers: Vec<Finding>,
}

/// The facts of a snapshot that are not of one component.
#[derive(Debug)]
struct ClusterFacts {
    settings: Settings,
    references: ReferenceKeys,
    blind_periods: Vec<BlindPeriod>,
    counts_gone: bool,
    upkeep: Upkeep,
    rejected: Vec<RejectedHeartbeat>,
}

impl ClusterFacts {
    fn of(snapshot: &Snapshot) -> Self {
        Self {
            settings: snapshot.settings,
            references: snapshot.references,
            blind_periods: snapshot.blind_periods.clone(),
            counts_gone: snapshot.counts_gone(),
            upkeep: snapshot.upkeep.clone(),
            rejected: snapshot.rejected.clone(),
        }
    }

    fn are_of(&self, snapshot: &Snapshot) -> bool {
        self.settings == snapshot.settings
            && self.references == snapshot.references
            && self.blind_periods == snapshot.blind_periods
            && self.counts_gone == snapshot.counts_gone()
            && self.upkeep == snapshot.upkeep
            && self.rejected == snapshot.rejected
    }
}

impl Judgement {
    pub fn overview(&self) -> &Overview {
        &self.overview
    }

    /// Makes it the judgement of this snapshot at `now`.
    pub fn update(&mut self, snapshot: &Snapshot, now: Timestamp) {
        let now = snapshot.blind_since.unwrap_or(now);
        let changed = self.changed_servers(snapshot, now);
        let mut changed = changed.unwrap_or_else(|| self.begin(snapshot));
        self.take_pulses(&changed, snapshot, now);
        let (comparison, versions) = Comparison::new(&self.overview);
        let causes = snapshot.shared_causes(&self.overview, now);
        if (&comparison, &causes) != (&self.comparison, &self.causes) {
            changed = (0..self.overview.servers.len()).collect();
            (self.comparison, self.causes) = (comparison, causes);
        }
        for place in &changed {
            self.overview.servers[*place].judge(snapshot, &self.comparison, now);
        }
        let (as_of, next_turn) = self.cluster_turns(snapshot, now);
        let servers = std::mem::take(&mut self.overview.servers);
        self.overview = Overview {
            as_of,
            next_turn,
            blind_since: snapshot.blind_since,
            health: Health::default(),
            counts: counts(&servers),
            reference_version: self.comparison.reference_version().map(str::to_owned),
            versions,
            servers,
            findings: Vec::new(),
        };
        self.find(&changed, snapshot, now);
        self.judged_at = now;
        if snapshot.blind_since.is_some() {
            self.overview.health = Health::Unknown;
            self.facts = None;
        }
    }

    /// Takes over the components of the snapshot. Returns the places of the servers that differ or are due; `None` if
    /// everything has to be judged anew.
    fn changed_servers(&mut self, snapshot: &Snapshot, now: Timestamp) -> Option<Vec<usize>> {
        let facts = self.facts.as_ref()?;
        let mut is_due = now < self.judged_at || snapshot.blind_since.is_some();
        snapshot.each_turn_of_cluster(&mut |turn| is_due |= self.judged_at < turn && turn <= now);
        if is_due || !facts.are_of(snapshot) {
            return None;
        }
        let mut changed = Vec::new();
        let mut components = snapshot.components.values();
        let servers = self.overview.servers.iter_mut().zip(&self.turns);
        for (place, (server, turns)) in servers.enumerate() {
            let mut differs = turns.next.is_some_and(|next| next <= now);
            for status in &mut server.components {
                let component = components.next()?;
                if Arc::ptr_eq(component, &status.component) {
                    continue;
                }
                let known = &status.component;
                if (component.role, component.server.as_str())
                    != (known.role, known.server.as_str())
                {
                    return None;
                }
                status.component = Arc::clone(component);
                differs = true;
            }
            if differs {
                changed.push(place);
            }
        }
        components.next().is_none().then_some(changed)
    }

    /// Begins anew with the servers of the snapshot, all of which are to be judged.
    fn begin(&mut self, snapshot: &Snapshot) -> Vec<usize> {
        let servers = snapshot.unjudged_servers();
        let all = (0..servers.len()).collect();
        *self = Self {
            turns: vec![Turns::default(); servers.len()],
            overview: Overview { servers, ..Overview::default() },
            facts: Some(ClusterFacts::of(snapshot)),
            ..Self::default()
        };
        all
    }

    fn take_pulses(&mut self, places: &[usize], snapshot: &Snapshot, now: Timestamp) {
        let counts_gone = snapshot.counts_gone();
        for place in places {
            let server = &mut self.overview.servers[*place];
            server.take_pulses(snapshot, now);
            let mut turns = Turns::default();
            for status in &server.components {
                let component = &status.component;
                snapshot.each_turn_of(component, counts_gone, &mut |turn| turns.note(turn, now));
            }
            self.turns[*place] = turns;
        }
    }

    /// The moment of the last change of a fact or verdict, and of the next one if no fact changes.
    fn cluster_turns(&self, snapshot: &Snapshot, now: Timestamp) -> (Timestamp, Option<Timestamp>) {
        if let Some(blind) = snapshot.blind_since {
            return (blind, None);
        }
        let mut all = Turns::default();
        snapshot.each_turn_of_cluster(&mut |turn| all.note(turn, now));
        for turns in &self.turns {
            for turn in [turns.latest, turns.next].into_iter().flatten() {
                all.note(turn, now);
            }
        }
        (all.as_of(snapshot.changed_at), all.next)
    }

    /// Finds the hints that are due, of servers only about these, and raises the health of whom they are about.
    fn find(&mut self, places: &[usize], snapshot: &Snapshot, now: Timestamp) {
        let Self { overview, causes, about_servers, .. } = self;
        let mut is_changed = vec![false; overview.servers.len()];
        for place in places {
            is_changed[*place] = true;
        }
        let changes = |finding: &Finding| finding.server.is_some_and(|place| is_changed[place]);
        about_servers.retain(|finding| !changes(finding));
        about_servers.extend(snapshot.findings_about(places, overview, now, causes));
        let order = sorted_indices(about_servers.len(), &|a, b| {
            about_servers[a].server.cmp(&about_servers[b].server)
        });
        *about_servers = order.into_iter().map(|place| about_servers[place]).collect();
        let findings = snapshot.findings(overview, now, causes, about_servers);
        if snapshot.blind_since.is_none() {
            let raises = |finding: &&Finding| finding.server.is_none() || changes(finding);
            for finding in findings.iter().filter(raises) {
                overview.raise_health(*finding);
            }
            let servers = overview.servers.iter().map(|server| server.health);
            overview.health = servers.fold(overview.health, Health::max);
        }
        overview.findings = findings;
    }
}

impl Overview {
    /// Of the component, the server or the cluster that the hint is about.
    fn raise_health(&mut self, Finding { id, severity, server, role }: Finding) {
        let health = Health::of_hint(severity);
        let Some(server) = server.and_then(|place| self.servers.get_mut(place)) else {
            self.health = self.health.max(health);
            return;
        };
        server.health = server.health.max(health);
        let components = server.components.iter_mut();
        for status in components.filter(|status| Some(status.component.role) == role) {
            if status.health < health {
                (status.health, status.raised_by) = (health, Some(id));
            }
        }
    }
}
