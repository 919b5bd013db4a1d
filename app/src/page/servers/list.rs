//! Searches, filters, sorts and pages the servers, and makes the toolbar for that.

use std::cmp::{Ordering, Reverse};
use std::ops::Range;

use crate::cluster::hints::Arg;
use crate::cluster::order::sorted_indices;
use crate::cluster::{Health, ServerStatus, version};
use crate::i18n::MessageKey;
use crate::page::route::{List, Route, Sort};
use crate::page::servers::search::Search;
use crate::page::status_style;
use crate::page::view_context::ViewContext;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toolbar {
    /// One for each status, with the number of servers that have it.
    pub(crate) filters: Vec<Filter>,
    pub(crate) sort_options: Vec<SortOption>,
    pub(crate) search: String,
    /// The address of the list without search and filter.
    pub(crate) clear_address: String,
    /// What the search form sends besides the search, so that the rest of the route stays.
    pub(crate) hidden_params: Vec<(&'static str, String)>,
    /// Why no server is shown although there are some.
    pub(crate) empty_text: Option<String>,
    /// `None` if all servers fit on one page.
    pub(crate) pager: Option<Pager>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SortOption {
    pub(crate) sort: Sort,
    pub(crate) address: String,
    /// The value of `aria-sort`; `None` if the list is sorted by something else.
    pub(crate) direction: Option<&'static str>,
}

/// A link that shows only the servers with one status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// `all` or a health. Part of the element's id.
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    /// How many servers the filter shows.
    pub(crate) count: usize,
    pub(crate) address: String,
    pub(crate) current: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pager {
    /// `201 to 400 of 1000`
    pub(crate) range: String,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
}

/// The toolbar, and the positions in `overview.servers` of at most `rows` servers to show.
pub(crate) fn list_servers(context: &ViewContext<'_>, rows: usize) -> (Toolbar, Vec<usize>) {
    let list = &context.route.list;
    let search = Search::parse(&list.search);
    let all = &context.overview.servers;
    let mut found: Vec<Found<'_>> =
        all.iter().enumerate().filter(|(_, server)| search.finds(server)).collect();
    let filters = filters(context, &found);
    found.retain(|(_, server)| list.state.is_none_or(|state| server.health == state));
    let found = sort_servers(&found, list);
    let empty_text = (found.is_empty() && !all.is_empty()).then(|| empty_text(context));
    let total = found.len();
    // A page number beyond the last page means the last page.
    let page = list.page.min(total.saturating_sub(1) / rows);
    let first = page.saturating_mul(rows);
    let shown: Vec<usize> = found.into_iter().skip(first).take(rows).collect();
    let toolbar = Toolbar {
        filters,
        sort_options: Sort::ALL
            .into_iter()
            .map(|sort| {
                let direction = match (list.sort == sort, list.reversed) {
                    (false, _) => None,
                    (true, false) => Some("ascending"),
                    (true, true) => Some("descending"),
                };
                let address = context.route.with_list(list.sorted_by(sort)).address();
                SortOption { sort, address, direction }
            })
            .collect(),
        search: list.search.clone(),
        hidden_params: hidden_params(context.route),
        clear_address: Route { appearance: context.route.appearance.clone(), ..Route::default() }
            .address(),
        empty_text,
        pager: pager(context, page, first..first + shown.len(), total),
    };
    (toolbar, shown)
}

/// A server and its position in `overview.servers`.
type Found<'a> = (usize, &'a ServerStatus);

/// All servers, and each status that a server has or that is selected. The numbers are those of the current
/// search.
fn filters(context: &ViewContext<'_>, found: &[Found<'_>]) -> Vec<Filter> {
    let (list, catalog) = (&context.route.list, context.catalog);
    let filter = |state: Option<Health>, count| Filter {
        name: state.map_or("all", Health::as_str),
        label: state.map_or_else(
            || catalog.text(MessageKey::ListAll),
            |state| status_style::health(state).label(catalog),
        ),
        count,
        address: context.route.with_list(list.filtered(state)).address(),
        current: list.state == state,
    };
    let of_state = Health::WORST_FIRST.into_iter().map(|state| {
        let count = found.iter().filter(|(_, server)| server.health == state).count();
        filter(Some(state), count)
    });
    std::iter::once(filter(None, found.len()))
        .chain(of_state.filter(|filter| filter.count > 0 || filter.current))
        .collect()
}

fn sort_servers(servers: &[Found<'_>], list: &List) -> Vec<usize> {
    // The servers are sorted by name, and the sort is stable.
    let order = sorted_indices(servers.len(), &|one, other| {
        let (a, b) = (servers[one].1, servers[other].1);
        match list.sort {
            Sort::Name => Ordering::Equal,
            Sort::Trouble => b.health.cmp(&a.health),
            Sort::Heartbeat => heartbeat_sort_key(a).cmp(&heartbeat_sort_key(b)),
            Sort::Version => version::compare(oldest_version(a), oldest_version(b)),
        }
    });
    let mut places: Vec<usize> = order.into_iter().map(|place| servers[place].0).collect();
    if list.reversed {
        places.reverse();
    }
    places
}

/// The worst pulse first, then the longest silence. Components that are alive are equal, so that rows do not
/// change places with each heartbeat.
fn heartbeat_sort_key(server: &ServerStatus) -> (Reverse<u8>, Option<crate::cluster::Timestamp>) {
    let worst = server.components.iter().max_by_key(|status| status.pulse.severity());
    let severity = worst.map_or(0, |status| status.pulse.severity());
    let since = worst.filter(|_| severity > 0).map(|status| status.component.last_heartbeat);
    (Reverse(severity), since)
}

fn oldest_version(server: &ServerStatus) -> &str {
    let versions = server.components.iter().map(|status| status.component.facts.version.as_str());
    versions.min_by(|a, b| version::compare(a, b)).unwrap_or_default()
}

fn empty_text(context: &ViewContext<'_>) -> String {
    let (list, catalog) = (&context.route.list, context.catalog);
    let state = list.state.map_or("", |state| status_style::health(state).label(catalog));
    let key = match (state, list.search.as_str()) {
        ("", _) => MessageKey::ListNoneSearch,
        (_, "") => MessageKey::ListNoneStatus,
        (_, _) => MessageKey::ListNoneBoth,
    };
    let text = |text: &str| Arg::Text(text.to_owned());
    catalog.format(key, &[("state", text(state)), ("search", text(&list.search))])
}

fn pager(
    context: &ViewContext<'_>,
    page: usize,
    shown: Range<usize>,
    total: usize,
) -> Option<Pager> {
    let list = &context.route.list;
    let to = |page: usize| context.route.with_list(List { page, ..list.clone() }).address();
    (shown.len() < total).then(|| Pager {
        range: context.catalog.format(
            MessageKey::ListPages,
            &[
                ("first", Arg::Number(shown.start + 1)),
                ("last", Arg::Number(shown.end)),
                ("total", Arg::Number(total)),
            ],
        ),
        previous: page.checked_sub(1).map(to),
        next: (shown.end < total).then(|| to(page + 1)),
    })
}

/// Another search keeps everything but the old search and the page number.
fn hidden_params(route: &Route) -> Vec<(&'static str, String)> {
    let list = List { search: String::new(), page: 0, ..route.list.clone() };
    route.with_list(list).persistent_params()
}
