//! The strips of the cluster and of the servers, and the words beside them. What is in trouble comes first; many servers
//! that were always alive are folded.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use maud::{Markup, PreEscaped, html};

use super::strip::{self, Mark};
use super::words::Summary;
use super::{HistoryPage, link_query};
use crate::cluster::hints::Arg;
use crate::cluster::history::availability::Observation;
use crate::cluster::history::{
    Availability, ClusterAim, ClusterHistory, Interval, Observations, PastState, Segment,
};
use crate::cluster::{Role, ServerName, Span, Timestamp};
use crate::i18n::{Catalog, MessageKey};
use crate::page::route::query::to_query;
use crate::pages::layout::DocumentContext;

/// So many quiet servers are shown beside the others; more are folded.
const MAX_QUIET_SHOWN: usize = 10;
/// So many others are shown, those that were down for longest; a link leads to all.
const MAX_TROUBLED_SHOWN: usize = 100;
/// The query parameter of that link, and its value.
pub const ALL_STRIPS: (&str, &str) = ("servers", "all");

/// What the strips of a span show.
#[derive(Clone, Debug, Default)]
pub struct Strips {
    /// What was observed of the cluster.
    pub cluster: Vec<(ClusterAim, Vec<Observation>)>,
    /// In the order of their names.
    pub servers: Vec<ServerStrip>,
    /// Of all servers, also of those that are not shown.
    pub names: Vec<ServerName>,
}

/// One server over a span.
#[derive(Clone, Debug)]
pub struct ServerStrip {
    pub name: ServerName,
    pub components: Vec<(Role, Vec<Segment>)>,
    /// What was observed of the server as a whole.
    pub observed: Vec<Observation>,
}

impl Strips {
    /// `span`: it ends now. `only`: the servers that are shown, if not all are. Servers that were not there in the span are left
    /// out.
    pub fn new(
        history: &ClusterHistory,
        span: Interval,
        only: Option<&BTreeSet<ServerName>>,
    ) -> Self {
        let mut observations = Observations { span, components: Vec::new() };
        let mut servers: Vec<ServerStrip> = Vec::new();
        for (key, component) in &history.components {
            let (segments, observed) = history.timeline_and_observations(key.role, component, span);
            observations.components.push((key.server.clone(), key.role, observed));
            let is_shown = only.is_none_or(|only| only.contains(&key.server));
            if !is_shown || segments.iter().all(|segment| segment.state == PastState::Absent) {
                continue;
            }
            match servers.last_mut().filter(|last| last.name == key.server) {
                Some(server) => server.components.push((key.role, segments)),
                None => servers.push(ServerStrip {
                    name: key.server.clone(),
                    components: vec![(key.role, segments)],
                    observed: Vec::new(),
                }),
            }
        }
        let mut of_servers = observations.by_server();
        let of_cluster = |aim: ClusterAim| match aim {
            ClusterAim::All => aim.of_parts(of_servers.values().map(Vec::as_slice)),
            ClusterAim::AnyService | ClusterAim::AnyWeb => observations.of_cluster(aim),
        };
        let cluster = ClusterAim::ALL.map(|aim| (aim, of_cluster(aim)));
        for server in &mut servers {
            server.observed = of_servers.remove(&server.name).unwrap_or_default();
        }
        let mut names: Vec<_> = history.components.keys().map(|key| key.server.clone()).collect();
        names.dedup();
        Self { cluster: cluster.into(), servers, names }
    }
}

impl Strips {
    /// All strips, from those of the parts of a history.
    pub fn join(parts: Vec<Self>) -> Self {
        let of_parts = |aim: ClusterAim| {
            let of_aim = parts.iter().flat_map(|part| &part.cluster).filter(|(of, _)| *of == aim);
            aim.of_parts(of_aim.map(|(_, observed)| observed.as_slice()))
        };
        let mut joined = Self {
            cluster: ClusterAim::ALL.map(|aim| (aim, of_parts(aim))).into(),
            ..Self::default()
        };
        for part in parts {
            joined.servers.extend(part.servers);
            joined.names.extend(part.names);
        }
        joined
    }
}

impl ServerStrip {
    /// Whether it was alive whenever it was there and could be observed.
    fn is_quiet(&self) -> bool {
        let states = self.components.iter().flat_map(|(_, segments)| segments);
        let mut marks = states.filter_map(|segment| Mark::of_state(segment.state));
        marks.all(|mark| matches!(mark, Mark::Absent | Mark::Blind))
    }
}

/// The strips of the cluster, with the axis of time.
pub(super) fn cluster_strips(page: &HistoryPage) -> Markup {
    let catalog = page.context.catalog;
    html! {
        ul.strips.of-cluster {
            @for (aim, observed) in page.strips.cluster.iter().filter(|(_, all)| !all.is_empty()) {
                @let summary = Summary::of(observed, page.span);
                @let known = if *aim == ClusterAim::All { Span::ZERO } else { blind(page) };
                @let turns = observed.iter().map(|(at, what)| (*at, Mark::of_observed(*what)));
                li {
                    b { (catalog.text(aim_message(*aim))) }
                    (strip::strip("service", &turns.collect::<Vec<_>>(), page.span))
                    b { (summary.percent(catalog)) }
                    span.muted[summary.is_quiet()] { (summary.sentence(catalog, known)) }
                }
            }
            (axis(page.span))
        }
    }
}

/// For how long nobody observed the cluster: its last strip says it.
fn blind(page: &HistoryPage) -> Span {
    let all = page.strips.cluster.iter().find(|(aim, _)| *aim == ClusterAim::All);
    let availability = all.map(|(_, observed)| Availability::of(observed, page.span));
    availability.unwrap_or_default().blind
}

const fn aim_message(aim: ClusterAim) -> MessageKey {
    match aim {
        ClusterAim::AnyService => MessageKey::PagesHistoryAnyService,
        ClusterAim::AnyWeb => MessageKey::PagesHistoryAnyWeb,
        ClusterAim::All => MessageKey::PagesHistoryAll,
    }
}

/// The strips of the servers.
pub(super) fn server_strips(page: &HistoryPage) -> Markup {
    let (quiet, mut troubled): (Vec<_>, Vec<_>) =
        page.strips.servers.iter().partition(|server| server.is_quiet());
    troubled.sort_by_cached_key(|server| {
        Reverse(Summary::of(&server.observed, page.span).availability.down)
    });
    let shown = if page.has_all_strips { troubled.len() } else { MAX_TROUBLED_SHOWN };
    let left_out = troubled.split_off(troubled.len().min(shown)).len();
    let known = blind(page);
    let is_folded = quiet.len() > MAX_QUIET_SHOWN;
    let rows = |servers: &[&ServerStrip]| {
        html! { ul.strips { @for server in servers { (server_row(page, server, known)) } } }
    };
    if !is_folded && left_out == 0 {
        return rows(&[troubled, quiet].concat());
    }
    let catalog = page.context.catalog;
    let count = |key, count| catalog.format(key, &[("count", Arg::Number(count))]);
    let (name, value) = ALL_STRIPS;
    let all = link_query(page, &[page.filter.pairs(), vec![(name, value.to_owned())]].concat());
    html! {
        (rows(&troubled))
        @if left_out > 0 {
            p.more { a href=(all) { (count(MessageKey::PagesHistoryMoreStrips, left_out)) } }
        }
        @if !quiet.is_empty() {
            details.quiet {
                summary { (count(MessageKey::PagesHistoryQuiet, quiet.len())) }
                (rows(&quiet))
            }
        }
    }
}

/// The role of each component, and its strip.
fn component_strips(server: &ServerStrip, span: Interval, catalog: &Catalog) -> Markup {
    html! {
        @for (role, segments) in &server.components {
            small { (catalog.role_name(*role)) }
            (strip::of_segments(role.as_str(), segments, span))
        }
    }
}

/// The strips of a server for its details, and a link that says the same in words. What they need of the styles and patterns
/// of the history comes with them.
pub(super) fn recent_strip(
    context: &DocumentContext,
    server: &ServerStrip,
    span: Interval,
) -> Markup {
    let catalog = context.catalog;
    let summary = Summary::of(&server.observed, span);
    let pairs = [("server", server.name.to_string())].into_iter();
    let query = to_query(pairs.chain(context.appearance.pairs()));
    html! {
        link rel="stylesheet" href={ (context.site.assets) "/pages.css" };
        .icon-sprite { (PreEscaped(strip::PATTERNS)) }
        .last-day {
            (component_strips(server, span, catalog))
            a href={ (context.site.base) "/history?" (query) } {
                (catalog.text(MessageKey::PagesHistorySpanDay)) ": "
                (summary.percent(catalog)) ", " (summary.sentence(catalog, Span::ZERO))
            }
        }
    }
}

fn server_row(page: &HistoryPage, server: &ServerStrip, known: Span) -> Markup {
    let catalog = page.context.catalog;
    let summary = Summary::of(&server.observed, page.span);
    let name = server.name.to_string();
    let address = link_query(page, &[("server", name.clone())]);
    html! {
        li {
            a href=(address) { bdi { (name) } }
            (component_strips(server, page.span, catalog))
            b { (summary.percent(catalog)) }
            a.muted[server.is_quiet()] href={(address) "#events"} { (summary.sentence(catalog, known)) }
        }
    }
}

/// The moments below the strips, in UTC.
fn axis(span: Interval) -> Markup {
    html! {
        li.axis aria-hidden="true" {
            span { "UTC" }
            svg {
                @for (percent, label) in ticks(span) {
                    line x1={(percent) "%"} x2={(percent) "%"} y2="4" {}
                    text x={(percent) "%"} y="15" { (label) }
                }
            }
        }
    }
}

/// Where the moments of the axis are, in percent of the span, and what is written there.
fn ticks(span: Interval) -> Vec<(i64, String)> {
    const HOUR: i64 = 3_600_000;
    let whole = span.length().0.max(1);
    let step = match whole / HOUR {
        ..=24 => 6 * HOUR,
        25..=168 => 24 * HOUR,
        169..=720 => 5 * 24 * HOUR,
        _ => 15 * 24 * HOUR,
    };
    let first = Timestamp((span.from.0.div_euclid(step) + 1) * step);
    let mut ticks = Vec::new();
    let mut at = first;
    while at < span.until {
        let percent = i64::try_from(i128::from((at - span.from).0) * 100 / i128::from(whole));
        let text = at.rfc3339();
        let label = if step < 24 * HOUR { &text[11..16] } else { &text[5..10] };
        // At the edges there is no room for a label.
        if let Ok(percent @ 4..=96) = percent {
            ticks.push((percent, label.to_owned()));
        }
        at = at + Span(step);
    }
    ticks
}

/// What the shapes of a strip mean.
pub(super) fn legend(page: &HistoryPage) -> Markup {
    let catalog = page.context.catalog;
    let entries = [
        ("service", None, MessageKey::StatusAlive),
        ("service", Some(Mark::Late), MessageKey::StatusLate),
        ("service", Some(Mark::Stale), MessageKey::PagesHistoryLegendServiceStale),
        ("web", Some(Mark::Stale), MessageKey::PagesHistoryLegendWebStale),
        ("service", Some(Mark::Stopped), MessageKey::StatusStopped),
        ("service", Some(Mark::Blind), MessageKey::PagesHistoryLegendBlind),
        ("service", Some(Mark::Absent), MessageKey::PagesHistoryLegendAbsent),
    ];
    html! {
        ul.legend aria-label=(catalog.text(MessageKey::PagesHistoryLegend)) {
            @for (class, mark, key) in entries {
                li { (strip::sample(class, mark)) (catalog.text(key)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_names_round_moments_away_from_the_edges() {
        let until = Timestamp(1_795_348_800_000);
        let axis = |hours: i64| {
            let from = until - Span::minutes(60 * hours);
            ticks(Interval { from, until }).into_iter().map(|(at, label)| format!("{at} {label}"))
        };
        let day: Vec<_> = axis(24).collect();
        assert_eq!(day, ["25 18:00", "50 00:00", "75 06:00"]);
        let week: Vec<_> = axis(7 * 24).collect();
        assert_eq!(week.first().map(String::as_str), Some("7 11-16"));
        assert_eq!(week.len(), 7);
        assert_eq!([30, 90].map(|days| axis(days * 24).count()), [5, 6]);
    }
}
