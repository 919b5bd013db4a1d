//! Which hint replaces which: a consequence is never shown beside its cause.

use crate::cluster::finding::{Finding, HintId};

/// Of these about one component only those of the first group that applies are shown.
const CAUSES_FIRST: [&[HintId]; 7] = [
    &[HintId::EveryoneSilent, HintId::ManySilent],
    &[HintId::DuplicateName],
    &[HintId::HeartbeatsRefused, HintId::ProbeFailing],
    &[HintId::ServiceRestarting, HintId::WebRestarting],
    &[HintId::ServiceStale, HintId::WebStale, HintId::WebIdle],
    &[HintId::ServiceLate],
    &[HintId::ServiceFlapping],
];

/// Also replaced by a hint, wherever that is due.
const ALSO_REPLACED: [(HintId, HintId); 3] = [
    (HintId::ServiceStale, HintId::MessengerUnreachable),
    (HintId::EveryoneSilent, HintId::FailoverThin),
    (HintId::ManySilent, HintId::FailoverThin),
];

/// Removes from the findings about one component those that follow from another one. `cause_of_cluster`: what is due for
/// the cluster and explains this component's silence.
pub(super) fn keep_causes(findings: &mut Vec<Finding>, cause_of_cluster: Option<HintId>) {
    let all: Vec<HintId> =
        findings.iter().map(|finding| finding.id).chain(cause_of_cluster).collect();
    let group = |id: HintId| CAUSES_FIRST.iter().position(|group| group.contains(&id));
    let first = all.iter().filter_map(|id| group(*id)).min();
    findings.retain(|finding| {
        let is_cause = group(finding.id).is_none_or(|own| Some(own) == first);
        is_cause && !is_also_replaced(finding.id, &all)
    });
}

/// Removes what follows from another hint about the cluster.
pub(super) fn keep_causes_of_cluster(findings: &mut Vec<Finding>) {
    let all: Vec<HintId> = findings.iter().map(|finding| finding.id).collect();
    findings.retain(|finding| !is_also_replaced(finding.id, &all));
}

/// Whether a hint about the same component, or one about the cluster that names it, leaves no room for another.
pub(super) fn replaces(cause: HintId, consequence: HintId) -> bool {
    let group = |id: HintId| CAUSES_FIRST.iter().position(|group| group.contains(&id));
    let comes_first = match (group(cause), group(consequence)) {
        (Some(cause), Some(consequence)) => cause < consequence,
        _ => false,
    };
    comes_first || is_also_replaced(consequence, &[cause])
}

fn is_also_replaced(id: HintId, due: &[HintId]) -> bool {
    ALSO_REPLACED.iter().any(|(cause, consequence)| *consequence == id && due.contains(cause))
}
