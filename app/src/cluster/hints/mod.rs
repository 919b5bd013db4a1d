//! Hints: their ids, their evidence, and what they are about.
//!
//! [`rules`] finds for whom advice is due (a [`Finding`]: cheap, one for each server in trouble), [`causes`] leaves out what
//! follows from another one, and [`evidence`] makes the hints: a bounded number. All cost as much as there are servers, never
//! their square.
//!
//! To add a hint: a line with its name, severity and action in the table of [`super::finding`], when it is due in [`rules`],
//! its evidence in [`evidence`], and its sentences in the message files.

mod causes;
mod evidence;
mod hint;
mod interruptions;
mod machines;
mod note;
mod rules;
mod shared_evidence;
mod simultaneous_silence;
mod upkeep;

pub use self::hint::{Arg, Hint, Names, anchor, dom_safe, summary_anchor};
pub use self::note::Note;
use self::rules::RuleContext;
use super::finding::{Finding, HintId};
use super::health::Overview;
use super::order::sorted_indices;
use super::snapshot::Snapshot;
use super::time::Timestamp;

impl Snapshot {
    /// All hints, most urgent first, at most [`super::finding::MAX_HINTS_OF_ONE_ID`] of each id. `overview` is this
    /// snapshot's own. While the observer is blind that is the only hint: nothing about the servers can be checked.
    pub fn hints(&self, overview: &Overview) -> Vec<Hint> {
        self.hints_of(overview, &overview.findings)
    }

    /// For what advice is due at `now`, in the order of the hints. `overview` has this snapshot's verdicts at `now`.
    pub(super) fn findings(&self, overview: &Overview, now: Timestamp) -> Vec<Finding> {
        if self.blind_since.is_some() {
            return vec![Finding::for_cluster(HintId::OverviewBlind)];
        }
        let context = RuleContext::new(self, overview, now);
        let mut found = context.about_cluster();
        for (place, server) in overview.servers.iter().enumerate() {
            context.about_server(place, server, &mut found);
        }
        context.about_pairs(&mut found);
        in_order_of_hints(&found)
    }

    fn hints_of(&self, overview: &Overview, findings: &[Finding]) -> Vec<Hint> {
        if findings.is_empty() {
            return Vec::new();
        }
        let context = RuleContext::new(self, overview, overview.as_of);
        let mut hints = Vec::new();
        for same in findings.chunk_by(|a, b| (a.id, a.severity) == (b.id, b.severity)) {
            context.add_hints(same, &mut hints);
        }
        hints
    }

    /// Which hints about the cluster as a whole are due at `now`.
    pub(super) fn cluster_hints(&self, now: Timestamp) -> Vec<Hint> {
        let overview = self.verdicts(now);
        let found = if self.blind_since.is_some() {
            vec![Finding::for_cluster(HintId::OverviewBlind)]
        } else {
            RuleContext::new(self, &overview, now).about_cluster()
        };
        self.hints_of(&overview, &in_order_of_hints(&found))
    }
}

/// The most urgent first, and within one id in the order in which they were found: that of servers and components.
fn in_order_of_hints(found: &[Finding]) -> Vec<Finding> {
    let key = |place: usize| (found[place].severity, found[place].id);
    let order = sorted_indices(found.len(), &|a, b| key(a).cmp(&key(b)));
    order.into_iter().map(|place| found[place]).collect()
}
