//! Does the page say what it was given, and is what was well short?

use super::*;
use crate::cluster::history::availability::Observation;
use crate::cluster::history::{
    ClusterAim, ClusterHistory, ComponentHistory, Happening, Observed, PastState, Segment,
};
use crate::cluster::{ComponentKey, Pulse, Role, ServerName, Span};
use crate::i18n::{Catalog, Language};
use crate::page::appearance::Appearance;
use crate::protocol::{PageBranding, SiteInfo};

const NOON: Timestamp = Timestamp(1_795_348_800_000);

fn context(query: &str) -> DocumentContext {
    let site = SiteInfo {
        base: "/base".to_owned(),
        assets: "/base/assets".to_owned(),
        admin_url: None,
        frame_ancestors: String::new(),
        branding: PageBranding::default(),
    };
    let appearance = Appearance::parse(query);
    let catalog = Catalog::for_language(appearance.language.unwrap_or(Language::English));
    DocumentContext { site, appearance, catalog, user: None }
}

fn page(query: &str) -> HistoryPage {
    let range = HistoryRange::parse(query);
    let span = Interval { from: NOON - range.length(), until: NOON };
    HistoryPage {
        context: context(query),
        range,
        span,
        begins: span.from,
        filter: HistoryFilter::parse(query),
        strips: Strips {
            cluster: vec![(ClusterAim::All, vec![(span.from, Observed::Up)])],
            ..Strips::default()
        },
        has_all_strips: query.contains("servers=all"),
        events: Vec::new(),
        older: None,
        is_older: false,
    }
}

/// A service that was stale in the last minutes of the day.
fn server(name: &str, stale_minutes: i64) -> ServerStrip {
    let (from, turn) = (NOON - HistoryRange::Day.length(), NOON - Span::minutes(stale_minutes));
    let segment = |from, until, pulse| Segment { from, until, state: PastState::Pulse(pulse) };
    let mut segments = vec![segment(from, turn, Pulse::Alive)];
    let mut observed: Vec<Observation> = vec![(from, Observed::Up)];
    if turn < NOON {
        segments.push(segment(turn, NOON, Pulse::Stale));
        observed.push((turn, Observed::Down));
    }
    let name = ServerName::parse(name).unwrap();
    ServerStrip { name, components: vec![(Role::Service, segments)], observed }
}

fn removed(server: &str) -> Event {
    let server = ServerName::parse(server).unwrap();
    let subject = Some(ComponentKey { server, role: Role::Web });
    Event { at: NOON - Span::minutes(1), subject, what: Happening::Removed }
}

fn places<const N: usize>(html: &str, texts: [&str; N]) -> [usize; N] {
    texts.map(|text| html.find(text).unwrap_or_else(|| panic!("{text} is not in {html}")))
}

#[test]
fn a_quiet_server_differs_from_the_next_one_by_its_name_only_and_is_short() {
    let mut day = page("");
    day.strips.servers = vec![server("web-1", 0), server("web-2", 0)];
    let html = servers::server_strips(&day).into_string();
    let rows: Vec<&str> = html.split("<li>").skip(1).collect();
    let [one, other] = rows.as_slice() else { panic!("{html}") };
    assert_eq!(one.replace("web-1", "web-2"), other.replace("</ul>", ""));
    assert!(one.len() < 320, "{one}");
    assert!(one.contains("100 %") && one.contains("no interruptions"), "{one}");
}

#[test]
fn a_server_that_was_not_there_in_the_span_has_no_strip() {
    let key = ComponentKey { server: ServerName::parse("web-1").unwrap(), role: Role::Web };
    let components = [(key, ComponentHistory::default())].into();
    let history = ClusterHistory { components, ..ClusterHistory::default() };
    let strips = Strips::new(&history, page("").span, None);
    assert!(strips.servers.is_empty());
    assert_eq!(strips.cluster.len(), ClusterAim::ALL.len());
}

#[test]
fn what_was_in_trouble_comes_first_and_many_quiet_servers_are_folded() {
    let mut day = page("");
    day.strips.servers = (1..=11).map(|number| server(&format!("quiet-{number}"), 0)).collect();
    day.strips.servers.extend([server("ill-1", 10), server("ill-2", 20)]);
    let html = render(day).html;
    let order = [">ill-2<", ">ill-1<", "11 servers without interruptions", ">quiet-1<"];
    assert!(places(&html, order).is_sorted());
    assert!(html.contains("1 interruption, 20 min") && html.contains("98.61 %"), "{html}");
}

#[test]
fn of_many_servers_with_interruptions_the_worst_hundred_are_shown_and_a_link_leads_to_all() {
    let shown = |query: &str| {
        let mut month = page(query);
        month.strips.servers = (1..=150).map(|ill| server(&format!("ill-{ill}"), ill)).collect();
        servers::server_strips(&month).into_string()
    };
    let html = shown("span=30d&kind=start");
    assert_eq!(html.matches("<li>").count(), 100);
    assert!(html.contains(">ill-150<") && !html.contains(">ill-50<"), "{html}");
    let link = "<a href=\"?kind=start&amp;servers=all&amp;span=30d\">50 more servers with";
    assert!(html.contains(link), "{html}");
    assert_eq!(shown("span=30d&kind=start&servers=all").matches("<li>").count(), 150);
}

#[test]
fn the_time_of_an_event_leads_to_the_overview_as_it_was_then() {
    let mut week = page("lang=de&span=7d");
    week.events = vec![removed("web-1")];
    let html = events::days(&week).into_string();
    let order = [
        "2026-11-22 UTC",
        "<a href=\"/base/?at=2026-11-22T11%3A59%3A00.000Z&amp;lang=de\">",
        "<time datetime=\"2026-11-22T11:59:00.000Z\" data-utc>11:59:00Z</time>",
        "<a href=\"?server=web-1&amp;span=7d&amp;lang=de\">",
        "Entfernt",
    ];
    assert!(places(&html, order).is_sorted());
}

#[test]
fn the_form_keeps_what_was_typed_and_the_span() {
    let mut filtered = page("span=30d&kind=removed&text=%22%3E%3Cscript%3E");
    filtered.strips.names = vec![ServerName::parse("web-1").unwrap()];
    filtered.older = Some("before=1".to_owned());
    let html = render(filtered).html;
    for kept in [
        "<input type=\"hidden\" name=\"span\" value=\"30d\">",
        "value=\"removed\" selected",
        "<option value=\"web-1\">",
        "value=\"&quot;&gt;&lt;script&gt;\"",
        "No matching events.",
        "href=\"?before=1#events\"",
        "href=\"?span=7d&amp;kind=removed&amp;text=%22%3E%3Cscript%3E\"",
    ] {
        assert!(html.contains(kept), "{kept} is not in {html}");
    }
}

#[test]
fn the_last_page_says_where_the_record_begins() {
    let mut day = page("");
    day.begins = NOON - Span::minutes(60);
    let says =
        |page| render(page).html.contains("Nothing is recorded before 2026-11-22 11:00:00Z.");
    assert!(says(day.clone()));
    day.older = Some("before=1".to_owned());
    assert!(!says(day));
}
