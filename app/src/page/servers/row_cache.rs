//! Builds the rows of the table and keeps those whose text did not change. A change of a few servers does not
//! build thousands of rows again.

use std::mem;
use std::sync::Arc;

use crate::cluster::{
    ComponentStatus, Overview, Pulse, ServerName, ServerStatus, Settings, Snapshot, Timestamp,
    VersionCheck,
};
use crate::cluster::{Finding, HintId};
use crate::page::servers::hint_link::HintLink;
use crate::page::servers::model::{ServerRow, server_row};
use crate::page::view_context::ViewContext;

/// A row, and its inputs apart from the verdicts on its server.
#[derive(Debug, Default)]
struct CachedRow {
    links: Vec<HintLink>,
    rejected: Option<String>,
    /// `None` if the row is not shown.
    row: Option<Arc<ServerRow>>,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct SharedInputs {
    settings: Settings,
    blind_since: Option<Timestamp>,
}

#[derive(Debug, Default)]
pub(crate) struct RowCache {
    shared: SharedInputs,
    cluster_hints: Vec<HintId>,
    /// Sorted by name. `cached` has the same order.
    servers: Vec<ServerStatus>,
    cached: Vec<CachedRow>,
}

impl RowCache {
    /// Whether the row of a server is among those shown.
    pub(crate) fn shows(&self, server: &ServerName, overview: &Overview) -> bool {
        let position = overview.servers.binary_search_by(|known| known.name.cmp(server));
        position.is_ok_and(|at| self.cached.get(at).is_some_and(|cached| cached.row.is_some()))
    }

    /// Stores the verdicts that the rows were built from.
    pub(crate) fn remember(&mut self, overview: Overview) {
        self.servers = overview.servers;
    }

    /// Gives each server the links to its hints, and returns those to hints about the cluster.
    fn distribute_links(&mut self, findings: &[Finding]) -> Vec<HintLink> {
        let mut cluster_links = Vec::new();
        for same in findings.chunk_by(|a, b| (a.id, a.severity) == (b.id, b.severity)) {
            let (listed, _) = Finding::split(same);
            for (number, finding) in same.iter().enumerate() {
                let link = HintLink { finding: *finding, is_in_summary: number >= listed.len() };
                match finding.server.and_then(|at| self.cached.get_mut(at)) {
                    Some(cached) => cached.links.push(link),
                    None => cluster_links.push(link),
                }
            }
        }
        cluster_links
    }

    /// For each of these servers, where it is in this cache, if it is. Both are sorted by name, so one pass finds all.
    fn positions(&self, servers: &[ServerStatus]) -> Vec<usize> {
        let mut at = 0;
        let position = servers.iter().map(|server| {
            while self.servers.get(at).is_some_and(|known| known.name < server.name) {
                at += 1;
            }
            at
        });
        position.collect()
    }

    /// The row at this position, if it is of this server and would be built with the same text.
    fn take_row(
        &mut self,
        at: usize,
        server: &ServerStatus,
        now: &CachedRow,
    ) -> Option<Arc<ServerRow>> {
        let (before, known) = (self.servers.get(at)?, self.cached.get_mut(at)?);
        let is_same = before.name == server.name
            && known.rejected == now.rejected
            && known.links.len() == now.links.len()
            && known.links.iter().zip(&now.links).all(|(a, b)| a.leads_like(*b))
            && has_same_text(before, server, &now.links);
        if is_same { known.row.take() } else { None }
    }
}

/// The last heartbeat of each component of a server.
pub(crate) type HeartbeatTimes = [Timestamp; 2];

/// Builds the rows of the servers at these positions.
pub(crate) fn build_rows(
    shown: &[usize],
    context: &ViewContext<'_>,
    findings: &[Finding],
    cache: &mut RowCache,
) -> Vec<(Arc<ServerRow>, HeartbeatTimes)> {
    let Snapshot { settings, blind_since, .. } = *context.snapshot;
    let mut before = mem::take(cache);
    let servers = &context.overview.servers;
    cache.cached.resize_with(servers.len(), CachedRow::default);
    cache.shared = SharedInputs { settings, blind_since };
    let cluster_links = cache.distribute_links(findings);
    cache.cluster_hints = cluster_links.iter().map(|link| link.finding.id).collect();
    let all_changed = before.shared != cache.shared;
    let cluster_hints_changed = before.cluster_hints != cache.cluster_hints;
    let old_positions = before.positions(servers);
    let mut rows = Vec::with_capacity(shown.len());
    for at in shown {
        let (Some(server), Some(cached)) = (servers.get(*at), cache.cached.get_mut(*at)) else {
            continue;
        };
        cached.rejected = rejection(server, context);
        let changed = all_changed || cluster_hints_changed && can_link_to_cluster_hints(server);
        let old_row =
            if changed { None } else { before.take_row(old_positions[*at], server, cached) };
        let row = old_row.unwrap_or_else(|| {
            let rejected = cached.rejected.clone();
            Arc::new(server_row(server, &cached.links, rejected, context, &cluster_links))
        });
        let mut heartbeats = HeartbeatTimes::default();
        for (time, status) in heartbeats.iter_mut().zip(&server.components) {
            *time = status.component.last_heartbeat;
        }
        cached.row = Some(Arc::clone(&row));
        rows.push((row, heartbeats));
    }
    rows
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
        Change, ComponentFacts, Heartbeat, HeartbeatUpdate, KeyCheck, KeyKind, Os, Settings, Span,
    };
    use crate::cluster::{Role, Source};
    use crate::i18n::{Catalog, Language};
    use crate::page::model::PageModel;
    use crate::page::route::Route;
    use crate::page::servers::columns::Cell;

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

    fn with_version(version: &str) -> Heartbeat {
        let mut heartbeat = heartbeat(30, 2);
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

    fn page_model(snapshot: &Snapshot, cache: &mut RowCache) -> PageModel {
        let catalog = Catalog::for_language(Language::English);
        PageModel::new(snapshot, NOON, &Route::default(), usize::MAX, cache, catalog)
    }

    fn rebuilt_servers(before: &PageModel, after: &PageModel) -> BTreeSet<String> {
        let is_known = |row: &Arc<ServerRow>| before.rows.iter().any(|(b, _)| Arc::ptr_eq(b, row));
        let rebuilt = after.rows.iter().filter(|(row, _)| !is_known(row));
        rebuilt.map(|(row, _)| row.name.clone()).collect()
    }

    #[test]
    fn a_cell_with_a_problem_links_to_its_hint_or_to_the_summary() {
        let model = page_model(&cluster(), &mut RowCache::default());
        let anchors: BTreeSet<&String> =
            model.hints.iter().flat_map(|group| &group.hints).map(|hint| &hint.anchor).collect();
        let cells = |row: &Arc<ServerRow>| -> Vec<Cell> {
            row.problems.iter().map(|problem| problem.cell.clone()).collect()
        };
        let mut in_summary = 0;
        for (row, _) in &model.rows {
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
        assert_eq!(
            model.hints[0].heading.as_deref(),
            Some("59 servers use a different encryption key")
        );
    }

    #[test]
    fn a_change_of_one_server_rebuilds_only_its_own_row() {
        let (mut snapshot, mut cache) = (cluster(), RowCache::default());
        let first = page_model(&snapshot, &mut cache);
        let again = page_model(&snapshot, &mut cache);
        assert_eq!(rebuilt_servers(&first, &again), BTreeSet::new());
        insert(&mut snapshot, &with_version("2026.1"));
        let skewed = page_model(&snapshot, &mut cache);
        assert_eq!(rebuilt_servers(&again, &skewed), BTreeSet::from(["server-30".to_owned()]));
        insert(&mut snapshot, &with_version("2026.0"));
        insert(&mut snapshot, &heartbeat(99, 1));
        let later = page_model(&snapshot, &mut cache);
        let expected = ["server-30", "server-99"].map(str::to_owned);
        assert_eq!(rebuilt_servers(&skewed, &later), BTreeSet::from(expected));
    }

    #[test]
    fn a_heartbeat_in_time_rebuilds_no_row() {
        let (mut snapshot, mut cache) = (cluster(), RowCache::default());
        let before = page_model(&snapshot, &mut cache);
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
        let after = page_model(&snapshot, &mut cache);
        assert_eq!(rebuilt_servers(&before, &after), BTreeSet::new());
        let heartbeats = |model: &PageModel| {
            let mut rows = model.rows.iter();
            rows.find(|(row, _)| row.name == "server-07").unwrap().1
        };
        assert_eq!(heartbeats(&after)[0], NOON + Span::seconds(20));
        assert_ne!(heartbeats(&before), heartbeats(&after));
    }
}
