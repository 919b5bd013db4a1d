//! Makes the rows of the table, and makes anew only those that say something else than before.

use std::mem;
use std::sync::Arc;

use crate::cluster::hints::{Finding, HintId};
use crate::cluster::{
    ComponentStatus, Overview, Pulse, ServerName, ServerStatus, Settings, Snapshot, Timestamp,
    VersionCheck,
};
use crate::page::servers::hint_link::HintLink;
use crate::page::servers::model::{ServerRow, server_row};
use crate::page::view_context::ViewContext;

/// A row, and what it was made from apart from the verdicts on its server.
#[derive(Debug, Default)]
struct CachedRow {
    links: Vec<HintLink>,
    refused: Option<String>,
    /// `None` while it is not shown.
    row: Option<Arc<ServerRow>>,
}

/// What all rows depend on.
#[derive(Debug, Default, PartialEq, Eq)]
struct SharedInputs {
    settings: Settings,
    blind_since: Option<Timestamp>,
}

/// The rows as they were made last: a server without news keeps its row, so that news of a few servers does not
/// make thousands of rows anew.
#[derive(Debug, Default)]
pub(crate) struct RowCache {
    common: SharedInputs,
    /// The hints about the cluster.
    cluster: Vec<HintId>,
    /// By name; `cached` is in the same order.
    servers: Vec<ServerStatus>,
    cached: Vec<CachedRow>,
}

impl RowCache {
    /// Whether the row of a server is among those shown.
    pub(crate) fn shows(&self, server: &ServerName, overview: &Overview) -> bool {
        let place = overview.servers.binary_search_by(|known| known.name.cmp(server));
        place.is_ok_and(|place| self.cached.get(place).is_some_and(|cached| cached.row.is_some()))
    }

    /// Keeps the verdicts that the rows were made from.
    pub(crate) fn remember(&mut self, overview: Overview) {
        self.servers = overview.servers;
    }
}

/// The moments of the heartbeats of a server's components.
pub(crate) type HeartbeatTimes = [Timestamp; 2];

/// The rows of the servers at these places, with the moments of their heartbeats.
pub(crate) fn rows(
    shown: &[usize],
    context: &ViewContext<'_>,
    findings: &[Finding],
    cache: &mut RowCache,
) -> Vec<(Arc<ServerRow>, HeartbeatTimes)> {
    let Snapshot { settings, blind_since, .. } = *context.snapshot;
    let before = mem::take(cache);
    let servers = &context.overview.servers;
    cache.cached.resize_with(servers.len(), CachedRow::default);
    cache.common = SharedInputs { settings, blind_since };
    let mut common = Vec::new();
    for same in findings.chunk_by(|a, b| a.id == b.id) {
        let (told, _) = Finding::split(same);
        for (number, finding) in same.iter().enumerate() {
            let links = HintLink { finding: *finding, is_summed: number >= told.len() };
            match finding.server.and_then(|place| cache.cached.get_mut(place)) {
                Some(cached) => cached.links.push(links),
                None => common.push(links),
            }
        }
    }
    cache.cluster = common.iter().map(|links| links.finding.id).collect();
    let anew = before.common != cache.common;
    let skew_anew = before.cluster != cache.cluster;
    let mut made_before = before.cached;
    // Both are in the order of names: where a server stood is found by walking along.
    let mut stood = Vec::with_capacity(servers.len());
    let mut at = 0;
    for server in servers {
        while before.servers.get(at).is_some_and(|known| known.name < server.name) {
            at += 1;
        }
        stood.push(at);
    }
    let mut rows = Vec::with_capacity(shown.len());
    for place in shown {
        let (Some(server), Some(cached)) = (servers.get(*place), cache.cached.get_mut(*place))
        else {
            continue;
        };
        cached.refused = refused(server, context);
        let at = stood[*place];
        let row = match (before.servers.get(at), made_before.get_mut(at)) {
            (Some(was), Some(known))
                if was.name == server.name
                    && !(anew || skew_anew && is_skewed(server))
                    && known.refused == cached.refused
                    && known.links.len() == cached.links.len()
                    && known.links.iter().zip(&cached.links).all(|(a, b)| a.is_same(*b))
                    && reads_the_same(was, server, &cached.links) =>
            {
                known.row.take()
            }
            _ => None,
        };
        let row = row.unwrap_or_else(|| {
            let refused = cached.refused.clone();
            Arc::new(server_row(server, &cached.links, refused, context, &common))
        });
        let mut heartbeats = HeartbeatTimes::default();
        for (beat, status) in heartbeats.iter_mut().zip(&server.components) {
            *beat = status.component.last_heartbeat;
        }
        cached.row = Some(Arc::clone(&row));
        rows.push((row, heartbeats));
    }
    rows
}

/// Why heartbeats of this server are rejected.
fn refused(server: &ServerStatus, context: &ViewContext<'_>) -> Option<String> {
    let refusals = context.snapshot.rejected_of(&server.name, context.now);
    let refused: Vec<String> = refusals.map(|refusal| context.words.refused(refusal)).collect();
    (!refused.is_empty()).then(|| refused.join(". "))
}

/// Whether a cell may lead to a hint about the cluster: unless the overview is blind, only a version does.
fn is_skewed(server: &ServerStatus) -> bool {
    let mut versions = server.components.iter().filter_map(|status| status.version);
    versions.any(|version| version != VersionCheck::InSync)
}

/// Whether a row says the same of both: a heartbeat in time changes only an age.
fn reads_the_same(before: &ServerStatus, after: &ServerStatus, links: &[HintLink]) -> bool {
    let latest = |server: &ServerStatus| server.latest().map(|component| component.role);
    let skewed = links.iter().any(|links| links.finding.id == HintId::ClockSkew);
    before.components.len() == after.components.len()
        && before.components.iter().zip(&after.components).all(|(a, b)| {
            let beats = a.pulse == Pulse::Alive && !skewed;
            Arc::ptr_eq(&a.component, &b.component) && a == b
                || beats && a.pulse == b.pulse && {
                    let (known, component) = (&a.component, &b.component);
                    let of = |status: &ComponentStatus| {
                        (status.health, status.version, status.key, status.machine_key)
                    };
                    of(a) == of(b)
                        && a.messenger == b.messenger
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
    use crate::cluster::receive::receive;
    use crate::cluster::{
        Change, ComponentFacts, Heartbeat, HeartbeatUpdate, KeyCheck, KeyKind, Os, Span,
    };
    use crate::cluster::{Role, Source};
    use crate::i18n::{Language, Words};
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

    /// The heartbeat of one more server, of this version.
    fn of_version(version: &str) -> Heartbeat {
        let mut heartbeat = heartbeat(30, 2);
        heartbeat.facts.version = version.to_owned();
        heartbeat
    }

    fn insert(snapshot: &mut Snapshot, heartbeat: &Heartbeat) {
        let component = receive(None, heartbeat, NOON, Span::seconds(30)).unwrap();
        snapshot.insert(Arc::new(component));
    }

    /// Sixty services, of which all but the first have another key than the cluster.
    fn cluster() -> Snapshot {
        let mut snapshot = Snapshot { changed_at: NOON, ..Snapshot::default() };
        for number in 0..SERVERS {
            insert(&mut snapshot, &heartbeat(number, if number == 0 { 1 } else { 2 }));
        }
        snapshot.references.accept(KeyKind::Encryption, KeyCheck::from_bytes([1; 32]));
        snapshot
    }

    fn view(snapshot: &Snapshot, cache: &mut RowCache) -> PageModel {
        let words = Words::of(Language::English);
        PageModel::new(snapshot, NOON, &Route::default(), usize::MAX, cache, words)
    }

    /// The names of the servers whose block was made anew.
    fn made_anew(before: &PageModel, after: &PageModel) -> BTreeSet<String> {
        let is_known = |row: &Arc<ServerRow>| before.rows.iter().any(|(b, _)| Arc::ptr_eq(b, row));
        let anew = after.rows.iter().filter(|(row, _)| !is_known(row));
        anew.map(|(row, _)| row.name.clone()).collect()
    }

    #[test]
    fn a_red_cell_leads_to_its_hint_or_to_the_summary_that_stands_for_it() {
        let view = view(&cluster(), &mut RowCache::default());
        let places: BTreeSet<&String> =
            view.hints.iter().flat_map(|group| &group.hints).map(|hint| &hint.anchor).collect();
        let cells = |row: &Arc<ServerRow>| -> Vec<Cell> {
            let columns = row.lines.iter().flat_map(|line| &line.cells);
            columns.flatten().cloned().collect()
        };
        let mut summed = 0;
        for (row, _) in &view.rows {
            let ways: Vec<_> = cells(row).into_iter().filter_map(|cell| cell.hint).collect();
            if row.health == Health::Ok {
                assert!(ways.is_empty(), "{}: {ways:?}", row.name);
                continue;
            }
            let [(anchor, title)] = &ways[..] else { panic!("{}: {ways:?}", row.name) };
            assert!(places.contains(anchor), "{anchor} is nowhere");
            assert_eq!(*title, format!("{} uses a different encryption key", row.name));
            summed += usize::from(anchor == "hint-key-mismatch_summary");
        }
        assert_eq!(summed, SERVERS - 1 - 49);
        assert_eq!(view.hints[0].count, SERVERS - 1);
        assert_eq!(
            view.hints[0].heading.as_deref(),
            Some("59 servers use a different encryption key")
        );
    }

    #[test]
    fn news_of_one_server_makes_only_its_own_block_anew() {
        let (mut snapshot, mut cache) = (cluster(), RowCache::default());
        let first = view(&snapshot, &mut cache);
        let again = view(&snapshot, &mut cache);
        assert_eq!(made_anew(&first, &again), BTreeSet::new());
        insert(&mut snapshot, &of_version("2026.1"));
        let skewed = view(&snapshot, &mut cache);
        assert_eq!(made_anew(&again, &skewed), BTreeSet::from(["server-30".to_owned()]));
        insert(&mut snapshot, &of_version("2026.0"));
        insert(&mut snapshot, &heartbeat(99, 1));
        let later = view(&snapshot, &mut cache);
        let anew = ["server-30", "server-99"].map(str::to_owned);
        assert_eq!(made_anew(&skewed, &later), BTreeSet::from(anew));
    }

    #[test]
    fn a_heartbeat_in_time_changes_an_age_and_makes_no_block_anew() {
        let (mut snapshot, mut cache) = (cluster(), RowCache::default());
        let before = view(&snapshot, &mut cache);
        let known = snapshot.components.values().nth(7).unwrap();
        let beat = HeartbeatUpdate {
            at: NOON + Span::seconds(20),
            sequence: 2,
            ..HeartbeatUpdate::from_component(known)
        };
        snapshot.apply(Change { heartbeats: vec![beat], changed_at: NOON, ..Change::default() });
        let after = view(&snapshot, &mut cache);
        assert_eq!(made_anew(&before, &after), BTreeSet::new());
        let heard = |view: &PageModel| {
            let mut rows = view.rows.iter();
            rows.find(|(row, _)| row.name == "server-07").unwrap().1
        };
        assert_eq!(heard(&after)[0], NOON + Span::seconds(20));
        assert_ne!(heard(&before), heard(&after));
    }
}
