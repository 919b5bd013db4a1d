//! Hints: their ids, their evidence, and what they are about.
//!
//! [`rules`] finds for whom advice is due (a [`Finding`]: cheap, one for each server in trouble); [`evidence`] makes the
//! hints, with their evidence: a bounded number. Both cost as much as there are servers, never their square.
//!
//! To add a hint: a line with its name, severity and action in the table of [`id`], when it is due in [`rules`], its evidence in [`evidence`], and its
//! sentences in the message files.

mod evidence;
mod hint;
mod id;
mod note;
mod rules;
mod shared_evidence;

pub use self::hint::{
    Arg, Finding, Hint, MAX_HINTS_OF_ONE_ID, Names, anchor, dom_safe, summary_anchor,
};
pub use self::id::{HintAction, HintId, Severity};
pub use self::note::Note;
use self::rules::RuleContext;
use super::health::Overview;
use super::snapshot::Snapshot;
use super::time::Timestamp;

impl Snapshot {
    /// All hints at `now`, most urgent first, at most [`MAX_HINTS_OF_ONE_ID`] of each id. `overview` is
    /// this snapshot's own at `now`. While the observer is blind that is the only thing to say: nobody can
    /// tell about the servers.
    pub fn hints(&self, overview: &Overview, now: Timestamp) -> Vec<Hint> {
        self.hints_of(overview, &self.findings(overview, now))
    }

    /// For what advice is due at `now`, in the order of the hints. `overview` is this snapshot's own at
    /// `now`.
    pub fn findings(&self, overview: &Overview, now: Timestamp) -> Vec<Finding> {
        if self.blind_since.is_some() {
            return vec![Finding::for_cluster(HintId::OverviewBlind)];
        }
        let case = RuleContext { snapshot: self, overview };
        let mut found = case.about_cluster();
        for (place, server) in overview.servers.iter().enumerate() {
            case.about_server(server, now, |id, role| {
                found.push(Finding { id, server: Some(place), role });
            });
        }
        // They were found in the order of servers and components; what is left is that of the ids.
        let mut findings = Vec::with_capacity(found.len());
        for severity in [Severity::Error, Severity::Warning, Severity::Info] {
            for id in HintId::ALL.iter().filter(|id| id.severity() == severity) {
                findings.extend(found.iter().filter(|finding| finding.id == *id));
            }
        }
        findings
    }

    /// The hints that these findings of one overview make.
    pub fn hints_of(&self, overview: &Overview, findings: &[Finding]) -> Vec<Hint> {
        let case = RuleContext { snapshot: self, overview };
        let mut hints = Vec::new();
        for same in findings.chunk_by(|a, b| a.id == b.id) {
            case.add_hints(same, &mut hints);
        }
        hints
    }

    /// Which hints about the cluster as a whole are due at `now`.
    pub(super) fn cluster_hints(&self, now: Timestamp) -> Vec<Hint> {
        let overview = self.overview(now);
        let findings = if self.blind_since.is_some() {
            self.findings(&overview, now)
        } else {
            RuleContext { snapshot: self, overview: &overview }.about_cluster()
        };
        self.hints_of(&overview, &findings)
    }
}
