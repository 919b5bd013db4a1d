//! Which servers the table shows: searched, filtered, ordered, and what stands above them.

use std::cmp::{Ordering, Reverse};
use std::ops::Range;

use crate::cluster::hints::Arg;
use crate::cluster::order::sorted_indices;
use crate::cluster::{Health, ServerStatus, version};
use crate::page::route::{List, Route, Sort};
use crate::page::status_style;
use crate::page::view_context::ViewContext;

/// What stands above the servers: how they are ordered and which are left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toolbar {
    /// Every state there is, and how many servers are in it.
    pub(crate) chips: Vec<Filter>,
    /// The orders there are.
    pub(crate) orders: Vec<SortOption>,
    /// What was searched for.
    pub(crate) search: String,
    /// The list without search and filter.
    pub(crate) everything: String,
    /// The rest of the place, for a form that searches.
    pub(crate) hidden_params: Vec<(&'static str, String)>,
    /// Why nothing is shown though there are servers.
    pub(crate) nothing: Option<String>,
    /// The way to the other pages.
    pub(crate) pager: Option<Pager>,
}

/// An order of the servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SortOption {
    pub(crate) sort: Sort,
    pub(crate) address: String,
    /// In which direction, as a column header says it; `None` if it is not the one now.
    pub(crate) direction: Option<&'static str>,
}

/// A filter by state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Filter {
    /// What it shows, in its element's id too: `all`, or a health.
    pub(crate) name: &'static str,
    pub(crate) word: &'static str,
    /// How many servers it shows.
    pub(crate) count: usize,
    pub(crate) address: String,
    /// Whether it is the one now.
    pub(crate) current: bool,
}

/// Where in a long list one is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pager {
    /// `201 to 400 of 1000`
    pub(crate) place: String,
    /// The address of the page before.
    pub(crate) before: Option<String>,
    /// The address of the page after.
    pub(crate) after: Option<String>,
}

/// The places of the servers a list shows, at most `rows` of them, and what stands above them.
pub(crate) fn list(context: &ViewContext<'_>, rows: usize) -> (Toolbar, Vec<usize>) {
    let list = &context.route.list;
    let wanted = list.search.to_ascii_lowercase();
    let all = &context.overview.servers;
    let mut found: Vec<Found<'_>> = all
        .iter()
        .enumerate()
        .filter(|(_, server)| wanted.is_empty() || holds(server, &wanted))
        .collect();
    let chips = chips(context, &found);
    found.retain(|(_, server)| list.state.is_none_or(|state| server.health == state));
    let found = order(&found, list);
    let nothing = (found.is_empty() && !all.is_empty()).then(|| nothing(context));
    let total = found.len();
    // A page beyond the last is the last; where all are shown there is one.
    let page = list.page.min(total.saturating_sub(1) / rows);
    let first = page.saturating_mul(rows);
    let shown: Vec<usize> = found.into_iter().skip(first).take(rows).collect();
    let tools = Toolbar {
        chips,
        orders: Sort::ALL
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
        everything: Route { appearance: context.route.appearance.clone(), ..Route::default() }
            .address(),
        nothing,
        pager: pager(context, page, first..first + shown.len(), total),
    };
    (tools, shown)
}

/// A server and its place among all.
type Found<'a> = (usize, &'a ServerStatus);

fn holds(server: &ServerStatus, wanted: &str) -> bool {
    let has = |text: &str| text.to_ascii_lowercase().contains(wanted);
    has(server.name.as_str())
        || server.components.iter().any(|status| {
            has(&status.component.facts.version) || has(&status.component.facts.ip.to_string())
        })
}

/// All, and each state in which there is a server or which is the one now. What a chip counts is
/// what it shows.
fn chips(context: &ViewContext<'_>, found: &[Found<'_>]) -> Vec<Filter> {
    let (list, words) = (&context.route.list, context.words);
    let chip = |state: Option<Health>, count| Filter {
        name: state.map_or("all", Health::as_str),
        word: state.map_or_else(
            || words.label("list.all"),
            |state| status_style::health(state).word(words),
        ),
        count,
        address: context.route.with_list(list.filtered(state)).address(),
        current: list.state == state,
    };
    let of_state = Health::WORST_FIRST.into_iter().map(|state| {
        let count = found.iter().filter(|(_, server)| server.health == state).count();
        chip(Some(state), count)
    });
    std::iter::once(chip(None, found.len()))
        .chain(of_state.filter(|chip| chip.count > 0 || chip.current))
        .collect()
}

/// The places of these servers in the order of the list.
fn order(servers: &[Found<'_>], list: &List) -> Vec<usize> {
    // They come ordered by name, and every order keeps that among equals.
    let order = sorted_indices(servers.len(), &|one, other| {
        let (a, b) = (servers[one].1, servers[other].1);
        match list.sort {
            Sort::Name => Ordering::Equal,
            Sort::Trouble => b.health.cmp(&a.health),
            Sort::Heartbeat => silence(a).cmp(&silence(b)),
            Sort::Version => version::compare(oldest(a), oldest(b)),
        }
    });
    let mut places: Vec<usize> = order.into_iter().map(|place| servers[place].0).collect();
    if list.reversed {
        places.reverse();
    }
    places
}

/// How far from alive, then since when: among those that beat in time the order stands still.
fn silence(server: &ServerStatus) -> (Reverse<u8>, Option<crate::cluster::Timestamp>) {
    let worst = server.components.iter().max_by_key(|status| status.pulse.severity());
    let severity = worst.map_or(0, |status| status.pulse.severity());
    let since = worst.filter(|_| severity > 0).map(|status| status.component.last_heartbeat);
    (Reverse(severity), since)
}

fn oldest(server: &ServerStatus) -> &str {
    let versions = server.components.iter().map(|status| status.component.facts.version.as_str());
    versions.min_by(|a, b| version::compare(a, b)).unwrap_or_default()
}

fn nothing(context: &ViewContext<'_>) -> String {
    let (list, words) = (&context.route.list, context.words);
    let state = list.state.map_or("", |state| status_style::health(state).word(words));
    let key = match (state, list.search.as_str()) {
        ("", _) => "list.none.search",
        (_, "") => "list.none.state",
        (_, _) => "list.none.both",
    };
    let text = |text: &str| Arg::Text(text.to_owned());
    words.say(key, &[("state", text(state)), ("search", text(&list.search))])
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
        place: context.words.say(
            "list.pages",
            &[
                ("first", Arg::Number(shown.start + 1)),
                ("last", Arg::Number(shown.end)),
                ("total", Arg::Number(total)),
            ],
        ),
        before: page.checked_sub(1).map(to),
        after: (shown.end < total).then(|| to(page + 1)),
    })
}

/// The parameters that another search keeps.
fn hidden_params(route: &Route) -> Vec<(&'static str, String)> {
    let list = List { search: String::new(), page: 0, ..route.list.clone() };
    route.with_list(list).persistent_params()
}
