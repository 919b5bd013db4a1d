//! Which servers does an export contain? Those that the page shows with the same query.

use crate::cluster::{Overview, ServerStatus};
use crate::page::route::Route;
use crate::page::servers::list::listed_servers;

/// The servers that the page with this query shows, on all its pages, in its order.
pub fn exported_servers<'a>(overview: &'a Overview, query: &str) -> Vec<&'a ServerStatus> {
    let list = Route::parse(query).list;
    listed_servers(overview, &list)
        .into_iter()
        .filter_map(|place| overview.servers.get(place))
        .collect()
}
