//! Which servers does an export contain? Those that the page shows with the same query.

use crate::cluster::{Overview, ServerStatus, Snapshot, Timestamp};
use crate::i18n::Catalog;
use crate::page::route::{List, Route};
use crate::page::servers::list::{Extent, list_servers};
use crate::page::view_context::ViewContext;

/// The servers that the page with this query shows, on all its pages, in its order. `overview` is the snapshot's at `now`.
pub fn exported_servers<'a>(
    snapshot: &Snapshot,
    overview: &'a Overview,
    now: Timestamp,
    query: &str,
) -> Vec<&'a ServerStatus> {
    let route = Route::parse(query);
    let route = route.with_list(List { page: None, ..route.list.clone() });
    let context = ViewContext {
        snapshot,
        overview,
        last_known: None,
        now,
        route: &route,
        catalog: Catalog::english(),
    };
    let listed = list_servers(&context, Extent::Whole);
    listed.found.into_iter().filter_map(|place| overview.servers.get(place)).collect()
}
