//! Builds the rows of the table that are in the document and keeps those whose text did not change. A change of a few
//! servers does not build other rows again, and of thousands of servers only those near the screen have a row.

use std::mem;
use std::ops::Range;
use std::sync::Arc;

use crate::cluster::{
    ComponentStatus, HintId, Pulse, ServerStatus, Settings, Snapshot, Timestamp, VersionCheck,
};
use crate::page::servers::columns::COLUMNS;
use crate::page::servers::hint_link::HintLink;
use crate::page::servers::listing::Listing;
use crate::page::servers::model::{ServerRow, server_row};
use crate::page::view_context::ViewContext;

/// A row with the last heartbeat of each component of its server.
pub(crate) type TimedRow = (Arc<ServerRow>, HeartbeatTimes);

/// The last heartbeat of each component of a server.
pub(crate) type HeartbeatTimes = [Timestamp; 2];

/// A row, and what it was built from.
#[derive(Debug)]
struct BuiltRow {
    server: ServerStatus,
    links: Vec<HintLink>,
    rejected: Option<String>,
    row: Arc<ServerRow>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct SharedInputs {
    settings: Settings,
    blind_since: Option<Timestamp>,
    said_once: [bool; COLUMNS.len()],
}

#[derive(Debug, Default)]
pub(crate) struct RowCache {
    shared: SharedInputs,
    cluster_hints: Vec<HintId>,
    rows: Vec<BuiltRow>,
}

impl RowCache {
    /// The rows at these places of the list, a vector for each range. Keeps no others.
    pub(crate) fn build(
        &mut self,
        places: &[Range<usize>],
        listing: &Listing,
        context: &ViewContext<'_>,
    ) -> Vec<Vec<TimedRow>> {
        let Snapshot { settings, blind_since, .. } = *context.snapshot;
        let said_once = listing.said_once;
        let shared = SharedInputs { settings, blind_since, said_once };
        let cluster_hints: Vec<HintId> =
            listing.cluster_links.iter().map(|link| link.finding.id).collect();
        if shared != self.shared {
            self.rows.clear();
        }
        if cluster_hints != self.cluster_hints {
            self.rows.retain(|known| !can_link_to_cluster_hints(&known.server));
        }
        (self.shared, self.cluster_hints) = (shared, cluster_hints);
        let mut known = mem::take(&mut self.rows);
        let servers = &context.overview.servers;
        let rows = places.iter().map(|range| {
            let order = listing.rows.order.iter().enumerate().skip(range.start).take(range.len());
            let servers = order.filter_map(|(place, at)| Some((place, *at, servers.get(*at)?)));
            let rows = servers.map(|(place, at, server)| {
                let head = listing.rows.head_at(place);
                let links = listing.links_of(at);
                let rejected = rejection(server, context);
                let built = take_row(&mut known, server, &links, rejected.as_deref());
                let built = built.filter(|row| row.head.as_ref() == head);
                let row = built.unwrap_or_else(|| {
                    let rejected = rejected.clone();
                    let row = server_row(server, &links, rejected, context, listing);
                    Arc::new(ServerRow { head: head.cloned(), ..row })
                });
                let mut heartbeats = HeartbeatTimes::default();
                for (time, status) in heartbeats.iter_mut().zip(&server.components) {
                    *time = status.component.last_heartbeat;
                }
                let server = server.clone();
                self.rows.push(BuiltRow { server, links, rejected, row: Arc::clone(&row) });
                (row, heartbeats)
            });
            rows.collect()
        });
        rows.collect()
    }
}

/// The row of this server, if one was built that says the same. Rows are asked for in the order in which they were
/// built, mostly, so the first is nearly always the one.
fn take_row(
    known: &mut Vec<BuiltRow>,
    server: &ServerStatus,
    links: &[HintLink],
    rejected: Option<&str>,
) -> Option<Arc<ServerRow>> {
    let place = known.iter().position(|known| known.server.name == server.name)?;
    let built = known.remove(place);
    let is_same = built.rejected.as_deref() == rejected
        && built.links.len() == links.len()
        && built.links.iter().zip(links).all(|(a, b)| a.leads_like(*b))
        && has_same_text(&built.server, server, links);
    is_same.then_some(built.row)
}

fn rejection(server: &ServerStatus, context: &ViewContext<'_>) -> Option<String> {
    let rejections = context.snapshot.rejected_of(&server.name, context.now);
    let rejected: Vec<String> =
        rejections.map(|heartbeat| context.catalog.rejected(heartbeat)).collect();
    (!rejected.is_empty()).then(|| rejected.join(" "))
}

/// Whether its cells can link to a hint about the cluster: apart from blindness, only silence and the version can.
fn can_link_to_cluster_hints(server: &ServerStatus) -> bool {
    server.components.iter().any(|status| {
        status.pulse != Pulse::Alive
            || status.version.is_some_and(|version| version != VersionCheck::InSync)
    })
}

/// Whether both give the same row. A heartbeat in time changes only an age, which is no part of a row.
fn has_same_text(before: &ServerStatus, after: &ServerStatus, links: &[HintLink]) -> bool {
    let latest = |server: &ServerStatus| server.latest().map(|component| component.role);
    let has_skew = links.iter().any(|links| links.finding.id == HintId::ClockSkew);
    before.components.len() == after.components.len()
        && before.components.iter().zip(&after.components).all(|(a, b)| {
            let is_in_time = a.pulse == Pulse::Alive && !has_skew;
            Arc::ptr_eq(&a.component, &b.component) && a == b
                || is_in_time && a.pulse == b.pulse && {
                    let (known, component) = (&a.component, &b.component);
                    let verdicts = |status: &ComponentStatus| {
                        (
                            status.health,
                            status.stability,
                            status.version,
                            status.key,
                            status.machine_key,
                        )
                    };
                    verdicts(a) == verdicts(b)
                        && a.messenger == b.messenger
                        && known.interruptions == component.interruptions
                        && known.role == component.role
                        && known.facts.version == component.facts.version
                        && known.facts.product == component.facts.product
                        && known.facts.os == component.facts.os
                        && known.facts.ip == component.facts.ip
                        && known.facts.source == component.facts.source
                        && known.server.as_str() == component.server.as_str()
                }
        })
        && latest(before) == latest(after)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::IpAddr;

    use super::*;
    use crate::cluster::Health;
    use crate::cluster::receive::{Arrival, receive};
    use crate::cluster::{
        Change, ComponentFacts, Heartbeat, HeartbeatUpdate, KeyCheck, KeyKind, Os, ServerName,
        Settings, Span,
    };
    use crate::cluster::{Role, Source};
    use crate::i18n::{Catalog, Language};
    use crate::page::hints::model::HintCard;
    use crate::page::model::PageModel;
    use crate::page::route::Route;
    use crate::page::servers::columns::Cell;
    use crate::page::servers::list::Extent;

    const NOON: Timestamp = Timestamp(1_795_348_800_000);
    const SERVERS: usize = 60;

    fn heartbeat(number: usize, key: u8) -> Heartbeat {
        Heartbeat {
            server: ServerName::parse(&format!("server-{number:02}")).unwrap(),
            role: Role::Service,
            boot_id: "0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11".into(),
            sequence: 1,
            sent_at: None,
            leaving: false,
            facts: ComponentFacts {
                product: None,
                version: "2026.2".into(),
                os: Os { name: "Debian GNU/Linux".into(), version: "12".into() },
                ip: IpAddr::from([10, 0, 0, 1]).into(),
                key_check: Some(KeyCheck::from_bytes([key; 32])),
                machine_key_check: None,
                messenger_port: None,
                source: Source::Node,
            },
        }
    }

    fn with_version(number: usize, version: &str) -> Heartbeat {
        let mut heartbeat = heartbeat(number, 2);
        heartbeat.facts.version = version.to_owned();
        heartbeat
    }

    fn insert(snapshot: &mut Snapshot, heartbeat: &Heartbeat) {
        let settings = Settings::default();
        let arrival = Arrival {
            at: NOON,
            settings: &settings,
            blind_periods: &[],
            ends_probe_failure: false,
        };
        let component = receive(None, heartbeat, &arrival).unwrap();
        snapshot.insert(Arc::new(component));
    }

    /// Sixty services. All but the first have another key than the cluster.
    fn cluster() -> Snapshot {
        let mut snapshot = Snapshot { changed_at: NOON, ..Snapshot::default() };
        for number in 0..SERVERS {
            insert(&mut snapshot, &heartbeat(number, if number == 0 { 1 } else { 2 }));
        }
        snapshot.references.accept(KeyKind::Encryption, KeyCheck::from_bytes([1; 32]));
        snapshot
    }

    fn page_model(snapshot: &Snapshot) -> (PageModel, Listing) {
        let catalog = Catalog::for_language(Language::English);
        PageModel::new(
            snapshot,
            &snapshot.overview(NOON),
            None,
            NOON,
            &Route::default(),
            Extent::Whole,
            catalog,
        )
    }

    /// The rows of all servers.
    fn rows(snapshot: &Snapshot, cache: &mut RowCache) -> Vec<TimedRow> {
        rows_at(&[0..0, 0..usize::MAX], snapshot, cache)
    }

    fn rows_at(
        places: &[Range<usize>],
        snapshot: &Snapshot,
        cache: &mut RowCache,
    ) -> Vec<TimedRow> {
        let (_, listing) = page_model(snapshot);
        let (overview, route) = (&snapshot.overview(NOON), &Route::default());
        let catalog = Catalog::for_language(Language::English);
        let context =
            ViewContext { snapshot, overview, last_known: None, now: NOON, route, catalog };
        cache.build(places, &listing, &context).concat()
    }

    fn rebuilt_servers(before: &[TimedRow], after: &[TimedRow]) -> BTreeSet<String> {
        let is_known = |row: &Arc<ServerRow>| before.iter().any(|(b, _)| Arc::ptr_eq(b, row));
        let rebuilt = after.iter().filter(|(row, _)| !is_known(row));
        rebuilt.map(|(row, _)| row.name.clone()).collect()
    }

    /// The ids of a card's elements to which cells link.
    fn places_of(card: &HintCard) -> impl Iterator<Item = &String> {
        let more = card.more.iter().map(|(_, anchor)| anchor);
        card.subjects.iter().map(|subject| &subject.anchor).chain(more).chain([&card.anchor])
    }

    #[test]
    fn a_cell_with_a_problem_links_to_its_hint_or_to_the_summary() {
        let (model, _) = page_model(&cluster());
        let anchors: BTreeSet<&String> = model.hints.iter().flat_map(places_of).collect();
        let cells = |row: &Arc<ServerRow>| -> Vec<Cell> {
            row.problems.iter().map(|problem| problem.cell.clone()).collect()
        };
        let mut in_summary = 0;
        for (row, _) in &rows(&cluster(), &mut RowCache::default()) {
            let links: Vec<_> = cells(row).into_iter().filter_map(|cell| cell.hint).collect();
            if row.health == Health::Ok {
                assert!(links.is_empty(), "{}: {links:?}", row.name);
                continue;
            }
            let [(anchor, title)] = &links[..] else { panic!("{}: {links:?}", row.name) };
            assert!(anchors.contains(anchor), "no hint has the anchor {anchor}");
            assert_eq!(*title, format!("{} uses a different encryption key", row.name));
            in_summary += usize::from(anchor == "hint-key-mismatch_summary");
        }
        assert_eq!(in_summary, SERVERS - 1 - 49);
        assert_eq!(model.hints[0].count, SERVERS - 1);
        assert_eq!(model.hints[0].title, "59 servers use a different encryption key");
    }

    #[test]
    fn a_change_of_one_server_rebuilds_only_its_own_row() {
        let (mut snapshot, mut cache) = (cluster(), RowCache::default());
        // Of one version alone the rows would say nothing.
        insert(&mut snapshot, &with_version(40, "2026.0"));
        let first = rows(&snapshot, &mut cache);
        let again = rows(&snapshot, &mut cache);
        assert_eq!(rebuilt_servers(&first, &again), BTreeSet::new());
        insert(&mut snapshot, &with_version(30, "2026.1"));
        let skewed = rows(&snapshot, &mut cache);
        assert_eq!(rebuilt_servers(&again, &skewed), BTreeSet::from(["server-30".to_owned()]));
        insert(&mut snapshot, &with_version(30, "2026.0"));
        insert(&mut snapshot, &heartbeat(99, 1));
        let later = rows(&snapshot, &mut cache);
        let expected = ["server-30", "server-99"].map(str::to_owned);
        assert_eq!(rebuilt_servers(&skewed, &later), BTreeSet::from(expected));
    }

    #[test]
    fn a_heartbeat_in_time_rebuilds_no_row() {
        let (mut snapshot, mut cache) = (cluster(), RowCache::default());
        let before = rows(&snapshot, &mut cache);
        let known = snapshot.components.values().nth(7).unwrap();
        let heartbeat = HeartbeatUpdate {
            at: NOON + Span::seconds(20),
            sequence: 2,
            ..HeartbeatUpdate::from_component(known)
        };
        snapshot.apply(Change {
            heartbeats: vec![heartbeat],
            changed_at: NOON,
            ..Change::default()
        });
        let after = rows(&snapshot, &mut cache);
        assert_eq!(rebuilt_servers(&before, &after), BTreeSet::new());
        let heartbeats = |rows: &[TimedRow]| {
            let mut rows = rows.iter();
            rows.find(|(row, _)| row.name == "server-07").unwrap().1
        };
        assert_eq!(heartbeats(&after)[0], NOON + Span::seconds(20));
        assert_ne!(heartbeats(&before), heartbeats(&after));
    }
    #[test]
    fn only_rows_that_are_asked_for_are_built_and_kept() {
        let (snapshot, mut cache) = (cluster(), RowCache::default());
        let first = rows_at(&[0..2, 20..22], &snapshot, &mut cache);
        assert_eq!(first.len(), 4);
        let scrolled = rows_at(&[20..24, 58..99], &snapshot, &mut cache);
        assert_eq!(scrolled.len(), 6, "the list ends at 60");
        let kept = rebuilt_servers(&scrolled, &first);
        assert_eq!(kept.len(), 2, "the rows at 20 and 21 are the same");
        let back = rows_at(&[0..1, 1..2], &snapshot, &mut cache);
        assert_eq!(rebuilt_servers(&first, &back).len(), 2, "those that left were not kept");
    }
}
