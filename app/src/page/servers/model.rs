//! The servers' blocks: a line per component, a cell per verdict, each with the way to its hint.

use std::mem;
use std::sync::Arc;

use crate::cluster::hints::{self, Finding, HintId, dom_safe};
use crate::cluster::{
    ComponentStatus, Health, Overview, Pulse, Role, ServerName, ServerStatus, Settings, Snapshot,
    Timestamp, VersionCheck,
};
use crate::i18n::Words;
use crate::page::model::Scene;
use crate::page::route::{Open, Sort, written};
use crate::page::status_style::{self, Look};

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
    pub(crate) look: Option<Look>,
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
pub(crate) struct Line {
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
pub(crate) struct Block {
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
    pub(crate) lines: Vec<Line>,
}

/// A hint that is there about a server or the cluster, by which a cell may be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Due {
    finding: Finding,
    /// Whether it shares a summary with others.
    summed: bool,
}

impl Due {
    /// The same wherever the server stands among the others.
    fn is_same(self, other: Self) -> bool {
        let of = |Self { finding, summed }: Self| (finding.id, finding.role, summed);
        of(self) == of(other)
    }

    /// Where its hint stands, and what it is called.
    fn hint(self, scene: &Scene<'_>) -> (String, String) {
        let Finding { id, server, role } = self.finding;
        let server = server.and_then(|place| scene.overview.servers.get(place));
        let anchor = if self.summed {
            hints::summary_anchor(id)
        } else {
            hints::anchor(id, server.map(|server| &server.name), role)
        };
        let args = self.finding.title_args(scene.overview);
        (anchor, scene.words.say(&format!("{}.title", id.as_str()), &args))
    }
}

/// What a server's block was made of beside its verdicts, and the block.
#[derive(Debug, Default)]
struct Made {
    due: Vec<Due>,
    refused: Option<String>,
    /// None while it is not shown.
    block: Option<Arc<Block>>,
}

/// What all blocks have in common.
#[derive(Debug, Default, PartialEq, Eq)]
struct Common {
    settings: Settings,
    blind_since: Option<Timestamp>,
}

/// The blocks as they were made last: a server of which nothing is new keeps its own, so that news
/// of a few does not cost the making of thousands.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    common: Common,
    /// Which hints there were about the cluster.
    cluster: Vec<HintId>,
    /// By name, and what was made of each, in the same order.
    servers: Vec<ServerStatus>,
    made: Vec<Made>,
}

impl Kept {
    /// Whether a server is among those shown, of those that were just made into blocks.
    pub(crate) fn shows(&self, server: &ServerName, overview: &Overview) -> bool {
        let place = overview.servers.binary_search_by(|known| known.name.cmp(server));
        place.is_ok_and(|place| self.made.get(place).is_some_and(|made| made.block.is_some()))
    }

    /// Keeps the verdicts that the blocks were made of.
    pub(crate) fn keep(&mut self, overview: Overview) {
        self.servers = overview.servers;
    }
}

/// The moments of the heartbeats of a server's components.
pub(crate) type Beats = [Timestamp; 2];

/// The blocks of the servers at these places, with the moments of their heartbeats.
pub(crate) fn blocks(
    shown: &[usize],
    scene: &Scene<'_>,
    findings: &[Finding],
    kept: &mut Kept,
) -> Vec<(Arc<Block>, Beats)> {
    let Snapshot { settings, blind_since, .. } = *scene.snapshot;
    let before = mem::take(kept);
    let servers = &scene.overview.servers;
    kept.made.resize_with(servers.len(), Made::default);
    kept.common = Common { settings, blind_since };
    let mut common = Vec::new();
    for same in findings.chunk_by(|a, b| a.id == b.id) {
        let (told, _) = Finding::split(same);
        for (number, finding) in same.iter().enumerate() {
            let due = Due { finding: *finding, summed: number >= told.len() };
            match finding.server.and_then(|place| kept.made.get_mut(place)) {
                Some(made) => made.due.push(due),
                None => common.push(due),
            }
        }
    }
    kept.cluster = common.iter().map(|due| due.finding.id).collect();
    let anew = before.common != kept.common;
    let skew_anew = before.cluster != kept.cluster;
    let mut made_before = before.made;
    // Both are in the order of names: where a server stood is found by walking along.
    let mut stood = Vec::with_capacity(servers.len());
    let mut at = 0;
    for server in servers {
        while before.servers.get(at).is_some_and(|known| known.name < server.name) {
            at += 1;
        }
        stood.push(at);
    }
    let mut blocks = Vec::with_capacity(shown.len());
    for place in shown {
        let (Some(server), Some(made)) = (servers.get(*place), kept.made.get_mut(*place)) else {
            continue;
        };
        made.refused = refused(server, scene);
        let at = stood[*place];
        let block = match (before.servers.get(at), made_before.get_mut(at)) {
            (Some(was), Some(known))
                if was.name == server.name
                    && !(anew || skew_anew && is_skewed(server))
                    && known.refused == made.refused
                    && known.due.len() == made.due.len()
                    && known.due.iter().zip(&made.due).all(|(a, b)| a.is_same(*b))
                    && reads_the_same(was, server, &made.due) =>
            {
                known.block.take()
            }
            _ => None,
        };
        let block = block.unwrap_or_else(|| Arc::new(block_of(server, made, scene, &common)));
        let mut beats = Beats::default();
        for (beat, status) in beats.iter_mut().zip(&server.components) {
            *beat = status.component.last_heartbeat;
        }
        made.block = Some(Arc::clone(&block));
        blocks.push((block, beats));
    }
    blocks
}

/// That heartbeats in a server's name are refused.
fn refused(server: &ServerStatus, scene: &Scene<'_>) -> Option<String> {
    let refusals = scene.snapshot.rejected_of(&server.name, scene.now);
    let refused: Vec<String> = refusals.map(|refusal| scene.words.refused(refusal)).collect();
    (!refused.is_empty()).then(|| refused.join(". "))
}

/// Whether a cell may lead to a hint about the cluster: while the overview sees, only a version does.
fn is_skewed(server: &ServerStatus) -> bool {
    let mut versions = server.components.iter().filter_map(|status| status.version);
    versions.any(|version| version != VersionCheck::InSync)
}

/// Whether a block says the same of both: a heartbeat in time changes nothing in it but an age.
fn reads_the_same(before: &ServerStatus, after: &ServerStatus, due: &[Due]) -> bool {
    let latest = |server: &ServerStatus| server.latest().map(|component| component.role);
    let skewed = due.iter().any(|due| due.finding.id == HintId::ClockSkew);
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

fn block_of(server: &ServerStatus, made: &Made, scene: &Scene<'_>, common: &[Due]) -> Block {
    let shared = shared_product(server, scene.words);
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
    let due: Vec<Due> = made.due.iter().chain(common).copied().collect();
    let lines = server.components.iter().map(|status| {
        let label = if shared.is_some() { String::new() } else { product(status, scene.words) };
        line(status, scene, label, &due)
    });
    Block {
        id: format!("server-{}", dom_safe(&server.name)),
        name: server.name.to_string(),
        opens: written(Open::Details(server.name.clone()).pairs()),
        health: server.health,
        facts: facts.join(" · "),
        refused: made.refused.clone(),
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

fn line(status: &ComponentStatus, scene: &Scene<'_>, label: String, due: &[Due]) -> Line {
    let component = &status.component;
    let words = scene.words;
    // The hint about this very component, or its server, or the cluster.
    let hint = |ids: &[HintId]| {
        let explains = |Due { finding, .. }: &&Due| {
            ids.contains(&finding.id) && finding.role.is_none_or(|role| role == component.role)
        };
        due.iter().find(explains).map(|due| due.hint(scene))
    };
    let cell = |look: Look, text: String, ids: &[HintId]| {
        let hint = if look.shape == "ok" { None } else { hint(ids) };
        Cell { look: Some(look), text, hint, why: None, aged: false }
    };
    let pulse = status_style::pulse(status.pulse, component.role);
    let heartbeat = Cell {
        hint: hint(if status.pulse == Pulse::Alive { ABOUT_BEATS } else { ABOUT_SILENCE }),
        // While blind the page says so once, and not again in every row.
        why: (!matches!(status.pulse, Pulse::Alive | Pulse::Unknown))
            .then(|| words.why_pulse(status, scene.snapshot)),
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
    let of_look = |look: Look, ids| cell(look, look.word(words).to_owned(), ids);
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
    Line {
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
    use crate::page::model::View;
    use crate::page::route::Place;

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

    fn view(snapshot: &Snapshot, kept: &mut Kept) -> View {
        let words = Words::of(Language::English);
        View::of(snapshot, NOON, &Place::default(), usize::MAX, kept, words)
    }

    /// The names of the servers whose block was made anew.
    fn made_anew(before: &View, after: &View) -> BTreeSet<String> {
        let is_known =
            |block: &Arc<Block>| before.blocks.iter().any(|(b, _)| Arc::ptr_eq(b, block));
        let anew = after.blocks.iter().filter(|(block, _)| !is_known(block));
        anew.map(|(block, _)| block.name.clone()).collect()
    }

    #[test]
    fn a_red_cell_leads_to_its_hint_or_to_the_summary_that_stands_for_it() {
        let view = view(&cluster(), &mut Kept::default());
        let places: BTreeSet<&String> =
            view.groups.iter().flat_map(|group| &group.hints).map(|hint| &hint.anchor).collect();
        let cells = |block: &Arc<Block>| -> Vec<Cell> {
            let columns = block.lines.iter().flat_map(|line| &line.columns);
            columns.flat_map(|column| column.cells.clone()).collect()
        };
        let mut summed = 0;
        for (block, _) in &view.blocks {
            let ways: Vec<_> = cells(block).into_iter().filter_map(|cell| cell.hint).collect();
            if block.health == Health::Ok {
                assert!(ways.is_empty(), "{}: {ways:?}", block.name);
                continue;
            }
            let [(anchor, title)] = &ways[..] else { panic!("{}: {ways:?}", block.name) };
            assert!(places.contains(anchor), "{anchor} is nowhere");
            assert_eq!(*title, format!("{} has another encryption key", block.name));
            summed += usize::from(anchor == "hint-key-mismatch_summary");
        }
        assert_eq!(summed, SERVERS - 1 - 49);
        assert_eq!(view.groups[0].count, SERVERS - 1);
        assert_eq!(
            view.groups[0].heading.as_deref(),
            Some("59 servers have another encryption key")
        );
    }

    #[test]
    fn news_of_one_server_makes_only_its_own_block_anew() {
        let (mut snapshot, mut kept) = (cluster(), Kept::default());
        let first = view(&snapshot, &mut kept);
        let again = view(&snapshot, &mut kept);
        assert_eq!(made_anew(&first, &again), BTreeSet::new());
        insert(&mut snapshot, &of_version("2026.1"));
        let skewed = view(&snapshot, &mut kept);
        assert_eq!(made_anew(&again, &skewed), BTreeSet::from(["server-30".to_owned()]));
        insert(&mut snapshot, &of_version("2026.0"));
        insert(&mut snapshot, &heartbeat(99, 1));
        let later = view(&snapshot, &mut kept);
        let anew = ["server-30", "server-99"].map(str::to_owned);
        assert_eq!(made_anew(&skewed, &later), BTreeSet::from(anew));
    }

    #[test]
    fn a_heartbeat_in_time_changes_an_age_and_makes_no_block_anew() {
        let (mut snapshot, mut kept) = (cluster(), Kept::default());
        let before = view(&snapshot, &mut kept);
        let known = snapshot.components.values().nth(7).unwrap();
        let beat = HeartbeatUpdate {
            at: NOON + Span::seconds(20),
            sequence: 2,
            ..HeartbeatUpdate::of(known)
        };
        snapshot.apply(Change { heartbeats: vec![beat], changed_at: NOON, ..Change::default() });
        let after = view(&snapshot, &mut kept);
        assert_eq!(made_anew(&before, &after), BTreeSet::new());
        let heard = |view: &View| {
            let mut blocks = view.blocks.iter();
            blocks.find(|(block, _)| block.name == "server-07").unwrap().1
        };
        assert_eq!(heard(&after)[0], NOON + Span::seconds(20));
        assert_ne!(heard(&before), heard(&after));
    }
}
