//! Hints: their ids, their evidence, and what they are about.
//!
//! [`rules`] finds for whom advice is due (a [`Finding`]: cheap, one for each server in trouble), [`causes`] leaves out what
//! follows from another one, and [`evidence`] makes the hints: a bounded number. All cost as much as there are servers, never
//! their square.
//!
//! To add a hint: a line with its name, severity and action in the table of [`super::finding`], when it is due in [`rules`],
//! its evidence in [`evidence`], and its sentences in the message files.

mod causes;
mod due;
mod evidence;
mod hint;
mod interruptions;
mod kept;
mod machines;
mod note;
mod rules;
mod shared_evidence;
mod simultaneous_silence;
mod since;
mod upkeep;

pub use self::due::{DueHint, DueHints};
pub use self::hint::{Arg, Hint, Names, anchor, dom_safe, summary_anchor};
pub use self::kept::UnreadableHint;
pub use self::note::Note;
use self::rules::RuleContext;
use self::simultaneous_silence::SimultaneousSilence;
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

    /// What advice about one server depends on besides that server. `overview` has this snapshot's pulses at `now`.
    pub(super) fn shared_causes(&self, overview: &Overview, now: Timestamp) -> SharedCauses {
        let context = RuleContext::new(self, overview, now);
        SharedCauses {
            together: context.together,
            has_busy_web: context.has_busy_web,
            same_machines: context.same_machines(),
        }
    }

    /// What is due about the servers at these places, in their order. `overview` has this snapshot's verdicts at `now`.
    pub(super) fn findings_about(
        &self,
        places: &[usize],
        overview: &Overview,
        now: Timestamp,
        causes: &SharedCauses,
    ) -> Vec<Finding> {
        let context = causes.context(self, overview, now);
        let mut found = Vec::new();
        for place in places {
            if let Some(server) = overview.servers.get(*place) {
                context.about_server(*place, server, &mut found);
            }
        }
        found
    }

    /// For what advice is due at `now`, in the order of the hints: about the cluster, besides what is due `about_servers`.
    pub(super) fn findings(
        &self,
        overview: &Overview,
        now: Timestamp,
        causes: &SharedCauses,
        about_servers: &[Finding],
    ) -> Vec<Finding> {
        if self.blind_since.is_some() {
            return vec![Finding::for_cluster(HintId::OverviewBlind)];
        }
        let mut found = causes.context(self, overview, now).about_cluster();
        found.extend(about_servers);
        found.extend(causes.same_machines.iter().map(|(first, _)| Finding {
            server: Some(*first),
            ..Finding::for_cluster(HintId::SameMachine)
        }));
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
        let overview = self.overview(now);
        let mut found = overview.findings.clone();
        found.retain(|finding| finding.server.is_none());
        self.hints_of(&overview, &found)
    }
}

/// What advice about one server depends on besides that server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SharedCauses {
    together: Option<SimultaneousSilence>,
    has_busy_web: bool,
    /// By their places.
    same_machines: Vec<(usize, usize)>,
}

impl SharedCauses {
    fn context<'a>(
        &self,
        snapshot: &'a Snapshot,
        overview: &'a Overview,
        now: Timestamp,
    ) -> RuleContext<'a> {
        let Self { together, has_busy_web, .. } = *self;
        RuleContext { snapshot, overview, now, together, has_busy_web }
    }
}

/// The most urgent first, and within one id in the order in which they were found: that of servers and components.
fn in_order_of_hints(found: &[Finding]) -> Vec<Finding> {
    let key = |place: usize| (found[place].severity, found[place].id);
    let order = sorted_indices(found.len(), &|a, b| key(a).cmp(&key(b)));
    order.into_iter().map(|place| found[place]).collect()
}
