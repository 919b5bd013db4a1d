//! Which versions run, how widely, and which is the reference.

use std::cmp::Reverse;

use super::component::Component;
use super::order::sorted_indices;
use super::server_name::ServerName;
use super::version;

/// How widely one spelling of a version is reported.
pub(super) struct Spelling<'a> {
    pub(super) text: &'a str,
    /// Components that are live.
    pub(super) live: usize,
    /// Components that are not stopped.
    pub(super) running: usize,
}

/// How widely one version is reported, in all its spellings.
pub(super) struct Running<'a> {
    /// Components that are live.
    pub(super) live: usize,
    /// Its label is the spelling that most live components report: build metadata that only some have, or
    /// that differs, does not stand for the others.
    pub(super) label: &'a Spelling<'a>,
    pub(super) components: usize,
    pub(super) servers: usize,
    /// The last server that was counted.
    pub(super) last: Option<&'a ServerName>,
}

/// Every spelling of a version among these components, and which of them each component reports. The components are in the
/// order of their servers, each with whether it is live.
pub(super) fn spellings<'a>(compared: &[(&'a Component, bool)]) -> (Vec<Spelling<'a>>, Vec<usize>) {
    // Nearly always neighbours report the same text, so that few texts have to be sorted.
    let text = |place: usize| compared[place].0.facts.version.as_str();
    let firsts: Vec<usize> =
        (0..compared.len()).filter(|at| *at == 0 || text(*at) != text(*at - 1)).collect();
    let by_text = sorted_indices(firsts.len(), &|a, b| text(firsts[a]).cmp(text(firsts[b])));
    let mut found: Vec<Spelling<'a>> = Vec::new();
    let mut reported = vec![0; compared.len()];
    for run in by_text {
        let end = firsts.get(run + 1).copied().unwrap_or(compared.len());
        let text = compared[firsts[run]].0.facts.version.as_str();
        if found.last().is_none_or(|last| last.text != text) {
            found.push(Spelling { text, live: 0, running: 0 });
        }
        let number = found.len() - 1;
        for place in firsts[run]..end {
            let (component, live) = compared[place];
            reported[place] = number;
            found[number].live += usize::from(live);
            found[number].running += usize::from(!component.stopped);
        }
    }
    (found, reported)
}

/// Every version among these components, newest first. Versions of equal order are one.
pub(super) fn versions<'a>(
    compared: &[(&'a Component, bool)],
    spellings: &'a [Spelling<'a>],
    reported: &[usize],
) -> Vec<Running<'a>> {
    let newest_first = sorted_indices(spellings.len(), &|a, b| {
        version::compare(spellings[b].text, spellings[a].text)
    });
    let commonness = |one: &Spelling<'_>| (one.live, one.running, Reverse(one.text.len()));
    let mut found: Vec<Running<'a>> = Vec::new();
    let mut version_of = vec![0; spellings.len()];
    for place in newest_first {
        let spelling = &spellings[place];
        match found.last_mut() {
            Some(last) if version::compare(last.label.text, spelling.text).is_eq() => {
                last.live += spelling.live;
                if commonness(spelling) > commonness(last.label) {
                    last.label = spelling;
                }
            }
            _ => found.push(Running {
                live: spelling.live,
                label: spelling,
                components: 0,
                servers: 0,
                last: None,
            }),
        }
        version_of[place] = found.len() - 1;
    }
    for ((component, _), spelling) in compared.iter().zip(reported) {
        let version = &mut found[version_of[*spelling]];
        if !component.stopped {
            version.components += 1;
            let before = version.last.replace(&component.server);
            version.servers += usize::from(before != Some(&component.server));
        }
    }
    found
}

/// The version most live components run, of these that are the newest first; a tie goes to the newer.
pub(super) fn reference_version<'a>(versions: &[Running<'a>]) -> Option<&'a str> {
    let live = versions.iter().rev().filter(|version| version.live > 0);
    live.max_by_key(|version| version.live).map(|version| version.label.text)
}
