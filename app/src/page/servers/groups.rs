//! Puts servers that have something in common together, under a head that counts them and says how the worst of them is.

use crate::cluster::in_common::network;
use crate::cluster::order::sorted_indices;
use crate::cluster::{Health, Overview, Role, ServerStatus};
use crate::page::route::Group;
use crate::page::view_context::ViewContext;

/// From so many servers on the page offers to group them.
pub(crate) const MIN_SERVERS: usize = 60;

/// The head of a group, above the row of its first server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupHead {
    pub(crate) name: String,
    pub(crate) count: usize,
    /// Of its worst server.
    pub(crate) health: Health,
    /// Its servers have no rows: all of them are well.
    pub(crate) is_folded: bool,
    /// Folds or unfolds it; `None` if not all of them are well.
    pub(crate) address: Option<String>,
}

/// A list in groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Groups {
    /// Positions in the overview. Of a folded group only the first server, which has its head.
    pub(crate) order: Vec<usize>,
    /// With the places in the order at which they are.
    pub(crate) heads: Vec<(usize, GroupHead)>,
}

impl Groups {
    /// Of its rows at most `length` from `first` on.
    pub(crate) fn page(mut self, first: usize, length: usize) -> Self {
        let end = first.saturating_add(length).min(self.order.len());
        self.order.truncate(end);
        self.order.drain(..first.min(end));
        self.heads.retain(|(place, _)| (first..end).contains(place));
        for (place, _) in &mut self.heads {
            *place -= first;
        }
        self
    }

    pub(crate) fn head_at(&self, place: usize) -> Option<&GroupHead> {
        let found = self.heads.binary_search_by_key(&place, |(at, _)| *at);
        found.ok().and_then(|found| self.heads.get(found)).map(|(_, head)| head)
    }
}

/// Groups servers, which are positions in the overview, and keeps their order within each group. The group with the worst
/// server comes first.
pub(crate) fn group_servers(group: Group, servers: &[usize], context: &ViewContext<'_>) -> Groups {
    let list = &context.route.list;
    let all = &context.overview.servers;
    let names: Vec<String> = servers
        .iter()
        .map(|at| all.get(*at).map(|server| name(group, server, context)).unwrap_or_default())
        .collect();
    let by_name = sorted_indices(names.len(), &|a, b| names[a].cmp(&names[b]));
    let groups: Vec<&[usize]> = by_name.chunk_by(|a, b| names[*a] == names[*b]).collect();
    let worst =
        |group: &[usize]| worst(context.overview, group.iter().map(|place| servers[*place]));
    let worst_first = sorted_indices(groups.len(), &|a, b| worst(groups[b]).cmp(&worst(groups[a])));
    let mut grouped = Groups::default();
    for members in worst_first.into_iter().map(|group| groups[group]) {
        let name = members.first().map(|place| names[*place].clone()).unwrap_or_default();
        let health = worst(members);
        let can_fold = health == Health::Ok && groups.len() > 1;
        let is_folded = can_fold && list.unfolded != name;
        let unfolding = if is_folded { name.as_str() } else { "" };
        let address =
            can_fold.then(|| context.route.with_list(list.unfolding(unfolding)).address());
        let head = GroupHead { name, count: members.len(), health, is_folded, address };
        grouped.heads.push((grouped.order.len(), head));
        let shown = if is_folded { 1 } else { members.len() };
        grouped.order.extend(members.iter().take(shown).map(|place| servers[*place]));
    }
    grouped
}

fn worst(overview: &Overview, servers: impl Iterator<Item = usize>) -> Health {
    let healths = servers.filter_map(|at| overview.servers.get(at)).map(|server| server.health);
    healths.max().unwrap_or_default()
}

/// The name of the group that a server is in.
fn name(group: Group, server: &ServerStatus, context: &ViewContext<'_>) -> String {
    let facts = server.latest().map(|component| &component.facts);
    let name = match group {
        Group::Product => facts.and_then(|facts| facts.product.clone()),
        Group::Version => facts.map(|facts| facts.version.clone()),
        Group::Network => facts.and_then(|facts| network(&facts.ip)),
        Group::Role => {
            let roles: Vec<Role> =
                server.components.iter().map(|status| status.component.role).collect();
            let names: Vec<&str> =
                roles.iter().map(|role| context.catalog.role_name(*role)).collect();
            Some(names.join(" + "))
        }
        Group::Name => {
            // The number is in the first label of a name with a domain.
            let name = server.name.as_str();
            let label = name.split('.').next().unwrap_or(name);
            Some(label.trim_end_matches(|c: char| c.is_ascii_digit()).to_ascii_lowercase())
        }
    };
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "–".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(name: &str) -> GroupHead {
        let name = name.to_owned();
        GroupHead { name, count: 2, health: Health::Error, is_folded: false, address: None }
    }

    #[test]
    fn a_page_has_the_heads_of_the_groups_that_begin_on_it() {
        let heads = [(0, head("a")), (2, head("b")), (4, head("c"))];
        let groups = Groups { order: vec![5, 6, 7, 8, 9, 10], heads: heads.to_vec() };
        let second = groups.clone().page(2, 2);
        assert_eq!(second, Groups { order: vec![7, 8], heads: vec![(0, head("b"))] });
        assert_eq!(second.head_at(0), Some(&head("b")));
        assert_eq!(second.head_at(1), None);
        assert_eq!(groups.clone().page(0, usize::MAX), groups);
        assert_eq!(groups.page(99, 2), Groups::default());
    }
}
