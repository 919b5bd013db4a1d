//! The servers of a list as they were judged, from which the rows near the screen are built.

use crate::cluster::order::sorted_indices;
use crate::cluster::{Finding, Overview};
use crate::page::servers::columns::COLUMNS;
use crate::page::servers::groups::Groups;
use crate::page::servers::hint_link::HintLink;

/// The servers of a list in its order, and what their rows are built from.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    pub(crate) rows: Groups,
    /// The links to hints with the positions of their servers, by position.
    links: Vec<(usize, HintLink)>,
    pub(crate) cluster_links: Vec<HintLink>,
    /// Which columns say nothing, because all servers say the same.
    pub(crate) said_once: [bool; COLUMNS.len()],
}

impl Listing {
    pub(crate) fn new(overview: &Overview, rows: Groups, said_once: [bool; COLUMNS.len()]) -> Self {
        let mut links: Vec<(usize, HintLink)> = Vec::new();
        let mut cluster_links = Vec::new();
        let same_hints = |a: &Finding, b: &Finding| (a.id, a.severity) == (b.id, b.severity);
        for same in overview.findings.chunk_by(same_hints) {
            let (listed, _) = Finding::split(same);
            for (number, finding) in same.iter().enumerate() {
                let link = HintLink { finding: *finding, is_in_summary: number >= listed.len() };
                match finding.server {
                    Some(server) => links.push((server, link)),
                    None => cluster_links.push(link),
                }
            }
        }
        // The most urgent link of a server stays its first.
        let by_server = sorted_indices(links.len(), &|a, b| links[a].0.cmp(&links[b].0));
        let links = by_server.into_iter().map(|place| links[place]).collect();
        Self { rows, links, cluster_links, said_once }
    }

    pub(crate) fn links_of(&self, server: usize) -> Vec<HintLink> {
        let first = self.links.partition_point(|(of, _)| *of < server);
        let same = self.links.iter().skip(first).take_while(|(of, _)| *of == server);
        same.map(|(_, link)| *link).collect()
    }
}
