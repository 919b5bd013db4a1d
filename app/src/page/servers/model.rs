//! The servers' blocks: a line per component, a cell per verdict, each with the way to its hint.

use std::mem;
use std::sync::Arc;

use crate::cluster::hints::{self, Finding, HintId, dom_safe};
use crate::cluster::{
    ComponentStatus, Health, Overview, Pulse, Role, ServerName, ServerStatus, Settings, Snapshot,
    Timestamp, VersionCheck,
};
use crate::i18n::Words;
use crate::page::model::ViewContext;
use crate::page::route::{Dialog, Sort, to_query};
use crate::page::status_style::{self, StatusStyle};

/// The columns: the key of each one's head, and the order its head sets. What stands in them is made below, in
/// [`line`], in the same order.
pub(crate) const COLUMNS: [(&str, Option<Sort>); 4] = [
    ("column.heartbeat", Some(Sort::Heartbeat)),
    ("column.version", Some(Sort::Version)),
    ("column.encryption-key", None),
    ("column.messenger", None),
];

/// A cell: shape, words, and where its hint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// How it looks; `None` where nothing is judged.
    pub(crate) look: Option<StatusStyle>,
    /// What it says.
    pub(crate) text: String,
    /// The hint that explains it: its anchor and its title.
    pub(crate) hint: Option<(String, String)>,
    /// Why it is so, in a sentence.
    pub(crate) why: Option<String>,
    /// Whether the time since the last heartbeat belongs to it.
    pub(crate) aged: bool,
}

/// What stands in one column about a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The key of its head.
    pub(crate) key: &'static str,
    /// What it says; nothing where nothing is known.
    pub(crate) cells: Vec<Cell>,
}

/// One component's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ComponentRow {
    /// Its role.
    pub(crate) role: Role,
    /// Its health.
    pub(crate) health: Health,
    /// Its pulse.
    pub(crate) pulse: Pulse,
    /// The product where the server's components differ in it, or that it is the overview itself.
    pub(crate) label: String,
    /// What stands in the [`COLUMNS`].
    pub(crate) columns: Vec<Column>,
}

/// One server's block, without what changes with each beat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerRow {
    /// The name as part of an element's id.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Its health.
    pub(crate) health: Health,
    /// What opens all about it, as it stands in an address.
    pub(crate) opens: String,
    /// Operating system, address and product.
    pub(crate) facts: String,
    /// That heartbeats in its name are refused.
    pub(crate) refused: Option<String>,
    /// Its components.
    pub(crate) lines: Vec<ComponentRow>,
}

/// A hint that is there about a server or the cluster, by which a cell may be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CandidateHint {
    finding: Finding,
    /// Whether it shares a summary with others.
    summed: bool,
}

impl CandidateHint {
    /// The same wherever the server stands among the others.
    fn is_same(self, other: Self) -> bool {
        let of = |Self { finding, summed }: Self| (finding.id, finding.role, summed);
        of(self) == of(other)
    }

    /// Where its hint stands, and what it is called.
    fn hint(self, context: &ViewContext<'_>) -> (String, String) {
        let Finding { id, server, role } = self.finding;
        let server = server.and_then(|place| context.overview.servers.get(place));
        let anchor = if self.summed {
            hints::summary_anchor(id)
        } else {
            hints::anchor(id, server.map(|server| &server.name), role)
        };
        let args = self.finding.title_args(context.overview);
        (anchor, context.words.say(&format!("{}.title", id.as_str()), &args))
    }
}

/// What a server's block was made of beside its verdicts, and the block.
#[derive(Debug, Default)]
struct CachedRow {
    candidates: Vec<CandidateHint>,
    refused: Option<String>,
    /// None while it is not shown.
    row: Option<Arc<ServerRow>>,
}

/// What all blocks have in common.
#[derive(Debug, Default, PartialEq, Eq)]
struct SharedInputs {
    settings: Settings,
    blind_since: Option<Timestamp>,
}

/// The blocks as they were made last: a server of which nothing is new keeps its own, so that news
/// of a few does not cost the making of thousands.
#[derive(Debug, Default)]
pub(crate) struct RowCache {
    common: SharedInputs,
    /// Which hints there were about the cluster.
    cluster: Vec<HintId>,
    /// By name, and what was made of each, in the same order.
    servers: Vec<ServerStatus>,
    cached: Vec<CachedRow>,
}

impl RowCache {
    /// Whether a server is among those shown, of those that were just made into blocks.
    pub(crate) fn shows(&self, server: &ServerName, overview: &Overview) -> bool {
        let place = overview.servers.binary_search_by(|known| known.name.cmp(server));
        place.is_ok_and(|place| self.cached.get(place).is_some_and(|cached| cached.row.is_some()))
    }

    /// Keeps the verdicts that the blocks were made of.
    pub(crate) fn remember(&mut self, overview: Overview) {
        self.servers = overview.servers;
    }
}

/// The moments of the heartbeats of a server's components.
pub(crate) type HeartbeatTimes = [Timestamp; 2];

/// The blocks of the servers at these places, with the moments of their heartbeats.
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
            let candidates = CandidateHint { finding: *finding, summed: number >= told.len() };
            match finding.server.and_then(|place| cache.cached.get_mut(place)) {
                Some(cached) => cached.candidates.push(candidates),
                None => common.push(candidates),
            }
        }
    }
    cache.cluster = common.iter().map(|candidates| candidates.finding.id).collect();
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
                    && known.candidates.len() == cached.candidates.len()
                    && known
                        .candidates
                        .iter()
                        .zip(&cached.candidates)
                        .all(|(a, b)| a.is_same(*b))
                    && reads_the_same(was, server, &cached.candidates) =>
            {
                known.row.take()
            }
            _ => None,
        };
        let row = row.unwrap_or_else(|| Arc::new(server_row(server, cached, context, &common)));
        let mut heartbeats = HeartbeatTimes::default();
        for (beat, status) in heartbeats.iter_mut().zip(&server.components) {
            *beat = status.component.last_heartbeat;
        }
        cached.row = Some(Arc::clone(&row));
        rows.push((row, heartbeats));
    }
    rows
}

/// That heartbeats in a server's name are refused.
fn refused(server: &ServerStatus, context: &ViewContext<'_>) -> Option<String> {
    let refusals = context.snapshot.rejected_of(&server.name, context.now);
    let refused: Vec<String> = refusals.map(|refusal| context.words.refused(refusal)).collect();
    (!refused.is_empty()).then(|| refused.join(". "))
}

/// Whether a cell may lead to a hint about the cluster: while the overview sees, only a version does.
fn is_skewed(server: &ServerStatus) -> bool {
    let mut versions = server.components.iter().filter_map(|status| status.version);
    versions.any(|version| version != VersionCheck::InSync)
}

/// Whether a block says the same of both: a heartbeat in time changes nothing in it but an age.
fn reads_the_same(
    before: &ServerStatus,
    after: &ServerStatus,
    candidates: &[CandidateHint],
) -> bool {
    let latest = |server: &ServerStatus| server.latest().map(|component| component.role);
    let skewed = candidates.iter().any(|candidates| candidates.finding.id == HintId::ClockSkew);
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

fn server_row(
    server: &ServerStatus,
    cached: &CachedRow,
    context: &ViewContext<'_>,
    common: &[CandidateHint],
) -> ServerRow {
    let shared = shared_product(server, context.words);
    let mut facts: Vec<String> = server
        .latest()
        .map(|latest| {
            vec![
                format!("{} {}", latest.facts.os.name, latest.facts.os.version),
                latest.facts.ip.to_string(),
            ]
        })
        .unwrap_or_default();
    facts.extend(shared.clone());
    // The hints about a server come before those about the cluster.
    let candidates: Vec<CandidateHint> = cached.candidates.iter().chain(common).copied().collect();
    let lines = server.components.iter().map(|status| {
        let label = if shared.is_some() { String::new() } else { product(status, context.words) };
        line(status, context, label, &candidates)
    });
    ServerRow {
        id: format!("server-{}", dom_safe(&server.name)),
        name: server.name.to_string(),
        opens: to_query(Dialog::Details(server.name.clone()).pairs()),
        health: server.health,
        facts: facts.join(" · "),
        refused: cached.refused.clone(),
        lines: lines.collect(),
    }
}

/// What all components of a server say they belong to, if they agree.
fn shared_product(server: &ServerStatus, words: &Words) -> Option<String> {
    let mut products = server.components.iter().map(|status| product(status, words));
    let first = products.next().filter(|first| !first.is_empty())?;
    products.all(|other| other == first).then_some(first)
}

fn product(status: &ComponentStatus, words: &Words) -> String {
    if status.component.is_observer() {
        words.label("page.this-overview").to_owned()
    } else {
        status.component.facts.product.clone().unwrap_or_default()
    }
}

/// What may be wrong with a component that beats in time.
const ABOUT_BEATS: &[HintId] = &[HintId::DuplicateName, HintId::CameBack, HintId::ClockSkew];

/// What may explain a pulse that is not alive.
const ABOUT_SILENCE: &[HintId] = &[
    HintId::ServiceStale,
    HintId::ServiceLate,
    HintId::WebIdle,
    HintId::WebStale,
    HintId::ServiceStopped,
    HintId::WebStopped,
    HintId::OverviewBlind,
];

fn line(
    status: &ComponentStatus,
    context: &ViewContext<'_>,
    label: String,
    candidates: &[CandidateHint],
) -> ComponentRow {
    let component = &status.component;
    let words = context.words;
    // The hint about this very component, or its server, or the cluster.
    let hint = |ids: &[HintId]| {
        let explains = |CandidateHint { finding, .. }: &&CandidateHint| {
            ids.contains(&finding.id) && finding.role.is_none_or(|role| role == component.role)
        };
        candidates.iter().find(explains).map(|candidates| candidates.hint(context))
    };
    let cell = |look: StatusStyle, text: String, ids: &[HintId]| {
        let hint = if look.shape == "ok" { None } else { hint(ids) };
        Cell { look: Some(look), text, hint, why: None, aged: false }
    };
    let pulse = status_style::pulse(status.pulse, component.role);
    let heartbeat = Cell {
        hint: hint(if status.pulse == Pulse::Alive { ABOUT_BEATS } else { ABOUT_SILENCE }),
        // While blind the page says so once, and not again in every row.
        why: (!matches!(status.pulse, Pulse::Alive | Pulse::Unknown))
            .then(|| words.why_pulse(status, context.snapshot)),
        aged: true,
        ..cell(pulse, pulse.word(words).to_owned(), &[])
    };
    let version = match status.version.map(status_style::version) {
        Some(look) if look.loud => cell(
            look,
            format!("{}, {}", component.facts.version, look.word(words)),
            &[HintId::VersionSkew],
        ),
        look => {
            Cell { look, text: component.facts.version.clone(), hint: None, why: None, aged: false }
        }
    };
    let of_look = |look: StatusStyle, ids| cell(look, look.word(words).to_owned(), ids);
    let key = status
        .key
        .map(|key| of_look(status_style::key(key), &[HintId::KeyMismatch, HintId::KeyMissing]));
    let machine_key = status
        .machine_key
        .map(|key| of_look(status_style::machine_key(key), &[HintId::MachineKeyMismatch]));
    let messenger = status.messenger.as_ref().map(|state| Cell {
        why: words.why_messenger(state),
        ..of_look(status_style::messenger(state), &[HintId::MessengerUnreachable])
    });
    let columns: [Vec<Cell>; COLUMNS.len()] = [
        vec![heartbeat],
        vec![version],
        key.into_iter().chain(machine_key).collect(),
        messenger.into_iter().collect(),
    ];
    let heads = COLUMNS.into_iter().map(|(key, _)| key);
    ComponentRow {
        role: component.role,
        health: status.health,
        pulse: status.pulse,
        label,
        columns: heads.zip(columns).map(|(key, cells)| Column { key, cells }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::IpAddr;

    use super::*;
    use crate::cluster::Source;
    use crate::cluster::receive::receive;
    use crate::cluster::{
        Change, ComponentFacts, Heartbeat, HeartbeatUpdate, KeyCheck, KeyKind, Os, Span,
    };
    use crate::i18n::Language;
    use crate::page::model::PageModel;
    use crate::page::route::Route;

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
            let columns = row.lines.iter().flat_map(|line| &line.columns);
            columns.flat_map(|column| column.cells.clone()).collect()
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
            assert_eq!(*title, format!("{} has another encryption key", row.name));
            summed += usize::from(anchor == "hint-key-mismatch_summary");
        }
        assert_eq!(summed, SERVERS - 1 - 49);
        assert_eq!(view.hints[0].count, SERVERS - 1);
        assert_eq!(
            view.hints[0].heading.as_deref(),
            Some("59 servers have another encryption key")
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
            ..HeartbeatUpdate::of(known)
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
