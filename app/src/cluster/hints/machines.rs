//! Which two servers seem to be one machine under two names?

use super::rules::RuleContext;
use crate::cluster::health::{ComponentStatus, ServerStatus};
use crate::cluster::order::sorted_indices;
use crate::cluster::shared_addresses::identifies_machine;

/// A live server that could be half of a machine.
struct Candidate<'a> {
    place: usize,
    server: &'a ServerStatus,
    address: &'a str,
    first_label: String,
}

impl RuleContext<'_> {
    /// Pairs of servers that are probably one machine, by their places: both live, of one product, without a role in common,
    /// at one address, and with the same host name apart from the domain.
    pub(super) fn same_machines(self) -> Vec<(usize, usize)> {
        let servers = self.overview.servers.iter().enumerate();
        let all: Vec<Candidate<'_>> =
            servers.filter_map(|(place, server)| Candidate::new(place, server)).collect();
        let key = |place: usize| (all[place].address, all[place].first_label.as_str());
        let order = sorted_indices(all.len(), &|a, b| key(a).cmp(&key(b)));
        let alike = order.chunk_by(|a, b| key(*a) == key(*b));
        // More than two names at one address are a router's or a proxy's.
        let pairs = alike.filter(|alike| alike.len() == 2).filter_map(|pair| {
            let (a, b) = (all.get(*pair.first()?)?, all.get(*pair.last()?)?);
            a.completes(b).then_some((a.place.min(b.place), a.place.max(b.place)))
        });
        let mut pairs: Vec<(usize, usize)> = pairs.collect();
        pairs.sort_unstable();
        pairs
    }
}

impl<'a> Candidate<'a> {
    fn new(place: usize, server: &'a ServerStatus) -> Option<Self> {
        // A server with both roles has one in common with every other.
        if server.components.len() > 1 {
            return None;
        }
        let is_live = |status: &&ComponentStatus| status.live && !status.component.is_observer();
        let address = &server.components.iter().find(is_live)?.component.facts.ip;
        let first_label = server.name.folded().split('.').next()?.to_owned();
        identifies_machine(address).then_some(Self {
            place,
            server,
            address: address.as_str(),
            first_label,
        })
    }

    /// Whether the two have one product, and different roles.
    fn completes(&self, other: &Self) -> bool {
        self.server.components.iter().all(|own| {
            other.server.components.iter().all(|of_other| {
                own.component.role != of_other.component.role
                    && own.component.facts.product == of_other.component.facts.product
            })
        })
    }
}
