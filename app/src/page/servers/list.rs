//! Searches, filters, sorts and pages the servers, and makes the toolbar for that.

use std::cmp::{Ordering, Reverse};
use std::ops::Range;

use crate::cluster::hints::Arg;
use crate::cluster::order::sorted_indices;
use crate::cluster::{ComponentStatus, Health, Overview, Role, ServerStatus, version};
use crate::i18n::MessageKey;
use crate::page::route::{Group, List, Route, Sort};
use crate::page::servers::columns::{COLUMNS, said_once};
use crate::page::servers::groups::{Groups, MIN_SERVERS, group_servers};
use crate::page::servers::search::Search;
use crate::page::status_style;
use crate::page::view_context::ViewContext;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toolbar {
    /// One for each status, with the number of servers that have it.
    pub(crate) filters: Vec<Filter>,
    /// One for each role, product and version, where there are several.
    pub(crate) facets: Vec<Filter>,
    /// What the list can be grouped by, if it is long enough for that.
    pub(crate) group_options: Vec<Filter>,
    pub(crate) sort_options: Vec<SortOption>,
    pub(crate) search: String,
    /// The address of the list without search and filter.
    pub(crate) clear_address: String,
    /// What the search form sends besides the search, so that the rest of the route stays.
    pub(crate) hidden_params: Vec<(&'static str, String)>,
    /// Which columns say nothing, because all servers say the same.
    pub(crate) said_once: [bool; COLUMNS.len()],
    /// Why no server is shown although there are some.
    pub(crate) empty_text: Option<String>,
    /// `None` if all servers are in the document anyway.
    pub(crate) pager: Option<Pager>,
}

/// How much of the list a document shows if the address names no page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The first page: as rendered on the server.
    Page,
    /// Everything: in a browser, where only rows near the screen are in the document.
    Whole,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SortOption {
    pub(crate) sort: Sort,
    pub(crate) address: String,
    /// The value of `aria-sort`; `None` if the list is sorted by something else.
    pub(crate) direction: Option<&'static str>,
}

/// A link that shows only the servers with one status, role, product or version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Part of the element's id.
    pub(crate) name: String,
    pub(crate) label: String,
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
    /// The address of the list in pages, or as a whole, and what its link says: the browser's own search finds only
    /// what is in the document.
    pub(crate) other_extent: Option<(String, MessageKey)>,
}

/// A list of at most so many servers is in the document as a whole: then the browser's own search finds all of them.
pub(crate) const MAX_WHOLE: usize = 60;

/// How many servers are on a page.
const PAGE_LENGTH: usize = 200;

/// What the list shows.
pub(crate) struct Listed {
    pub(crate) toolbar: Toolbar,
    /// The positions in `overview.servers` of all that are found.
    pub(crate) found: Vec<usize>,
    /// Those that have a row: all, or one page of them; in groups if the route says so.
    pub(crate) rows: Groups,
}

/// Lists the servers as the route says.
pub(crate) fn list_servers(context: &ViewContext<'_>, extent: Extent) -> Listed {
    let list = &context.route.list;
    let search = Search::parse(&list.search, context.overview);
    let all = &context.overview.servers;
    let mut found: Vec<Found<'_>> =
        all.iter().enumerate().filter(|(at, server)| search.finds(*at, server)).collect();
    let filters = filters(context, &found);
    found.retain(|(_, server)| list.state.is_none_or(|state| server.health == state));
    let found = sort_servers(&found, list, context.last_known);
    let empty_text = (found.is_empty() && !all.is_empty()).then(|| empty_text(context));
    let rows = match list.group {
        None => Groups { order: found.clone(), heads: Vec::new() },
        Some(group) => group_servers(group, &found, context),
    };
    let total = rows.order.len();
    let is_whole = extent == Extent::Whole && list.page.is_none();
    let length = if is_whole { usize::MAX } else { PAGE_LENGTH };
    // A page number beyond the last page means the last page.
    let page = list.page.unwrap_or_default().min(total.saturating_sub(1) / length);
    let first = page.saturating_mul(length);
    let rows = rows.page(first, length);
    let shown = first..first + rows.order.len();
    let toolbar = Toolbar {
        filters,
        facets: facets(context),
        group_options: group_options(context),
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
        said_once: said_once(context.overview),
        empty_text,
        pager: pager(context, page, shown, total, extent),
    };
    Listed { toolbar, found, rows }
}

/// A server and its position in `overview.servers`.
type Found<'a> = (usize, &'a ServerStatus);

/// All servers, and each status that a server has or that is selected. The numbers are those of the current
/// search.
fn filters(context: &ViewContext<'_>, found: &[Found<'_>]) -> Vec<Filter> {
    let (list, catalog) = (&context.route.list, context.catalog);
    let filter = |state: Option<Health>, count| Filter {
        name: state.map_or("all", Health::as_str).to_owned(),
        label: state
            .map_or_else(
                || catalog.text(MessageKey::ListAll),
                |state| status_style::health(state).label(catalog),
            )
            .to_owned(),
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

/// A click groups the list, or takes the groups away.
fn group_options(context: &ViewContext<'_>) -> Vec<Filter> {
    let list = &context.route.list;
    if context.overview.servers.len() < MIN_SERVERS && list.group.is_none() {
        return Vec::new();
    }
    let option = |group: Group| {
        let current = list.group == Some(group);
        let next = (!current).then_some(group);
        Filter {
            name: group.as_str().to_owned(),
            label: context.catalog.text(group.message()).to_owned(),
            count: 0,
            address: context.route.with_list(list.grouped(next)).address(),
            current,
        }
    };
    Group::ALL.into_iter().map(option).collect()
}

/// At most so many filters of one field: what is more varied is searched for.
const MAX_FACETS: usize = 6;

/// How many servers have each role, product and version. A click adds the filter to the search, or takes it out.
fn facets(context: &ViewContext<'_>) -> Vec<Filter> {
    type Text = fn(&ComponentStatus) -> Option<&str>;
    let fields: [(&str, Text); 3] = [
        ("role", |status| Some(status.component.role.as_str())),
        ("product", |status| status.component.facts.product.as_deref()),
        ("version", |status| Some(&status.component.facts.version)),
    ];
    let mut facets = Vec::new();
    for (field, text) in fields {
        let counts = count_texts(&context.overview.servers, text);
        if counts.len() < 2 || counts.len() > MAX_FACETS {
            continue;
        }
        for (place, (text, count)) in counts.into_iter().enumerate() {
            let list = &context.route.list;
            let (search, current) = Search::toggled(&list.search, field, text);
            let role = Role::parse(text).filter(|_| field == "role");
            let label = role.map_or(text, |role| context.catalog.role_name(role));
            facets.push(Filter {
                name: format!("{field}-{place}"),
                label: label.to_owned(),
                count,
                address: context.route.with_list(list.searched(search)).address(),
                current,
            });
        }
    }
    facets
}

/// The first texts of the servers' components, at most one more than there are filters for, each with the number of
/// servers that have it.
fn count_texts(
    servers: &[ServerStatus],
    text: fn(&ComponentStatus) -> Option<&str>,
) -> Vec<(&str, usize)> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for server in servers {
        let mut before = None;
        for text in server.components.iter().filter_map(text) {
            // A server has at most two components.
            if before == Some(text) {
                continue;
            }
            before = Some(text);
            if let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == text) {
                *count += 1;
            } else if counts.len() > MAX_FACETS {
                return counts;
            } else {
                counts.push((text, 1));
            }
        }
    }
    counts
}

/// While nothing is known of the servers, they stay in the order of what was last known.
fn sort_servers(servers: &[Found<'_>], list: &List, last_known: Option<&Overview>) -> Vec<usize> {
    let judged = |place: usize| {
        let (at, server) = servers[place];
        last_known.and_then(|known| known.servers.get(at)).unwrap_or(server)
    };
    // The servers are sorted by name, and the sort is stable.
    let order = sorted_indices(servers.len(), &|one, other| {
        let (a, b) = (judged(one), judged(other));
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
    extent: Extent,
) -> Option<Pager> {
    let list = &context.route.list;
    let to = |page| context.route.with_list(List { page, ..list.clone() }).address();
    let other_extent = match (extent, list.page) {
        (Extent::Page, _) => None,
        (Extent::Whole, None) if total <= MAX_WHOLE => None,
        (Extent::Whole, None) => Some((to(Some(0)), MessageKey::ListShowPages)),
        (Extent::Whole, Some(_)) => Some((to(None), MessageKey::ListShowWhole)),
    };
    (shown.len() < total || other_extent.is_some()).then(|| Pager {
        range: context.catalog.format(
            MessageKey::ListPages,
            &[
                ("first", Arg::Number(shown.start + 1)),
                ("last", Arg::Number(shown.end)),
                ("total", Arg::Number(total)),
            ],
        ),
        previous: page.checked_sub(1).map(|page| to(Some(page))),
        next: (shown.end < total).then(|| to(Some(page + 1))),
        other_extent,
    })
}

/// Another search keeps everything but the old search and the page number.
fn hidden_params(route: &Route) -> Vec<(&'static str, String)> {
    let list = List { search: String::new(), page: None, ..route.list.clone() };
    route.with_list(list).persistent_params()
}
