//! What is shown, as plain values, and the signals that wake only what differs.

use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;

use super::look::{self, Look};
use crate::api::{Picture, Site};
use crate::cluster::hints::{HintId, Severity, dom_safe};
use crate::cluster::{
    ComponentStatus, Health, Hint, Overview, Pulse, Role, ServerName, ServerStatus, Snapshot, Span,
    Timestamp,
};
use crate::words;

/// The page's opening and what its header tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The first sentence.
    pub(super) headline: String,
    /// Who and why.
    pub(super) detail: String,
    /// The cluster's health.
    pub(super) health: Health,
    /// The values below are the last ones known.
    pub(super) blind: bool,
}

/// One fact of the configuration: label, value, detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    /// What it is.
    pub(super) label: &'static str,
    /// Its value.
    pub(super) value: String,
    /// What belongs to it.
    pub(super) detail: String,
}

/// A cell: shape, words, and where its hint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// How it looks; `None` where nothing is judged.
    pub(super) look: Option<Look>,
    /// What it says.
    pub(super) text: String,
    /// The anchor of the hint that explains it.
    pub(super) hint: Option<String>,
}

/// One component's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its role.
    pub(super) role: Role,
    /// Its health.
    pub(super) health: Health,
    /// Its pulse.
    pub(super) pulse: Pulse,
    /// The product, or that it is the overview itself.
    pub(super) label: String,
    /// Why it is not alive, in a sentence.
    pub(super) why: Option<String>,
    /// Heartbeat, version, key, machine key, messenger.
    pub(super) cells: [Option<Cell>; 5],
}

/// One server's block, without what changes with each beat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The name as part of an element's id.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
    /// Its health.
    pub(super) health: Health,
    /// Operating system and address.
    pub(super) facts: String,
    /// Its components.
    pub(super) lines: Vec<Line>,
}

/// One hint in words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Advice {
    /// Which.
    pub(super) id: HintId,
    /// Its place on the page.
    pub(super) anchor: String,
    /// The server it is about: name and element id.
    pub(super) server: Option<(String, String)>,
    /// What is wrong.
    pub(super) title: String,
    /// How one knows.
    pub(super) evidence: String,
    /// What to do.
    pub(super) steps: Vec<String>,
    /// What not to do.
    pub(super) avoid: Option<String>,
}

/// Hints of one id, folded under one heading where they are many.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Group {
    /// The heading, if they are folded.
    pub(super) heading: Option<String>,
    /// How urgent.
    pub(super) severity: Severity,
    /// The hints.
    pub(super) hints: Vec<Advice>,
}

/// Everything at one moment.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// The opening.
    pub(super) head: Head,
    /// The configuration.
    pub(super) facts: Vec<Fact>,
    /// The servers, trouble first, with the moments of their heartbeats.
    pub(super) blocks: Vec<(Arc<Block>, Vec<Timestamp>)>,
    /// The advice.
    pub(super) groups: Vec<Group>,
}

/// More hints than this of one id stand under one heading.
const FOLD_OVER: usize = 5;

impl View {
    /// What a snapshot shows at `now`.
    pub(super) fn of(snapshot: &Snapshot, now: Timestamp) -> Self {
        let overview = snapshot.overview(now);
        let hints = snapshot.hints(&overview, now);
        let said = words::verdict(&overview, &hints);
        let mut servers: Vec<&ServerStatus> = overview.servers.iter().collect();
        servers.sort_by_key(|server| std::cmp::Reverse(server.health));
        Self {
            head: Head {
                headline: said.headline,
                detail: said.detail,
                health: overview.health,
                blind: overview.blind_since.is_some(),
            },
            facts: facts(snapshot, &overview),
            blocks: {
                let index = Index::of(&hints);
                servers.into_iter().map(|server| block(server, snapshot, &index)).collect()
            },
            groups: groups(&hints),
        }
    }
}

fn facts(snapshot: &Snapshot, overview: &Overview) -> Vec<Fact> {
    let settings = &snapshot.settings;
    let counts = &overview.counts;
    let on = |on: bool| if on { "On" } else { "Off" }.to_owned();
    let judged: usize = overview
        .servers
        .iter()
        .filter(|s| s.components.iter().any(|c| !c.component.is_observer() && !c.component.stopped))
        .count();
    let reference = overview
        .reference_version
        .as_ref()
        .and_then(|reference| overview.versions.iter().find(|count| count.version == *reference));
    let fact = |label, value, detail| Fact { label, value, detail };
    vec![
        fact(
            "Servers in cluster",
            counts.servers.to_string(),
            format!("{} web, {} service", counts.web, counts.service),
        ),
        fact("Load balancing", on(settings.load_balancing), String::new()),
        fact(
            "Automatic failover",
            on(settings.automatic_failover),
            format!("stale after {}", settings.stale_timeout()),
        ),
        fact(
            "Heartbeat",
            format!("every {}", settings.interval()),
            format!("web window {}", hours(settings.web_window())),
        ),
        match reference {
            Some(count) => {
                fact("Software", count.version.clone(), format!("on {} of {judged}", count.servers))
            }
            None => fact("Software", "–".to_owned(), String::new()),
        },
    ]
}

/// A day is what people call 24 hours here.
fn hours(span: Span) -> String {
    if span == Span::minutes(24 * 60) { "24 h".to_owned() } else { span.to_string() }
}

/// Which hints are about whom, so that a thousand servers do not each look through all of them.
struct Index<'a> {
    cluster: Vec<&'a Hint>,
    servers: HashMap<&'a ServerName, Vec<&'a Hint>>,
}

impl<'a> Index<'a> {
    fn of(hints: &'a [Hint]) -> Self {
        let mut index = Self { cluster: Vec::new(), servers: HashMap::new() };
        for hint in hints {
            match &hint.server {
                Some(server) => index.servers.entry(server).or_default().push(hint),
                None => index.cluster.push(hint),
            }
        }
        index
    }

    /// The hints about a server, then those about the cluster.
    fn about(&self, server: &ServerName) -> Vec<&'a Hint> {
        let own = self.servers.get(server).into_iter().flatten();
        own.chain(&self.cluster).copied().collect()
    }
}

fn block(
    server: &ServerStatus,
    snapshot: &Snapshot,
    index: &Index<'_>,
) -> (Arc<Block>, Vec<Timestamp>) {
    let hints = index.about(&server.name);
    let facts = server.latest().map_or_else(String::new, |latest| {
        format!("{} {} · {}", latest.os.name, latest.os.version, latest.ip)
    });
    let beats = server.components.iter().map(|s| s.component.last_heartbeat).collect();
    let lines = server.components.iter().map(|status| line(status, snapshot, &hints)).collect();
    let block = Block {
        id: format!("server-{}", dom_safe(&server.name)),
        name: server.name.to_string(),
        health: server.health,
        facts,
        lines,
    };
    (Arc::new(block), beats)
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

fn line(status: &ComponentStatus, snapshot: &Snapshot, hints: &[&Hint]) -> Line {
    let component = &status.component;
    // The hint about this very component, or its server, or the cluster.
    let hint = |ids: &[HintId]| {
        hints
            .iter()
            .find(|hint| {
                ids.contains(&hint.id) && hint.role.is_none_or(|role| role == component.role)
            })
            .map(|hint| hint.anchor())
    };
    let cell = |look: Look, text: String, ids: &[HintId]| {
        let hint = if look.shape == "ok" { None } else { hint(ids) };
        Some(Cell { look: Some(look), text, hint })
    };
    let pulse = look::pulse(status.pulse, component.role);
    let heartbeat = Some(Cell {
        look: Some(pulse),
        text: pulse.word.to_owned(),
        hint: hint(if status.pulse == Pulse::Alive { ABOUT_BEATS } else { ABOUT_SILENCE }),
    });
    let version = match status.version.map(look::version) {
        Some(look) if look.loud => {
            cell(look, format!("{}, {}", component.version, look.word), &[HintId::VersionSkew])
        }
        look => Some(Cell { look, text: component.version.clone(), hint: None }),
    };
    let key = status.key.map(look::key).and_then(|look| {
        cell(look, look.word.to_owned(), &[HintId::KeyMismatch, HintId::KeyMissing])
    });
    let machine_key = status
        .machine_key
        .map(look::machine_key)
        .and_then(|look| cell(look, look.word.to_owned(), &[HintId::MachineKeyMismatch]));
    let messenger = component.messenger.as_ref().and_then(|state| {
        let look = look::messenger(state);
        cell(look, look.word.to_owned(), &[HintId::MessengerUnreachable])
    });
    Line {
        role: component.role,
        health: status.health,
        pulse: status.pulse,
        label: if component.is_observer() {
            "this overview".to_owned()
        } else {
            component.product.clone().unwrap_or_default()
        },
        why: (status.pulse != Pulse::Alive).then(|| words::why_pulse(status, snapshot)),
        cells: [heartbeat, version, key, machine_key, messenger],
    }
}

fn groups(hints: &[Hint]) -> Vec<Group> {
    let everyone = hints.iter().any(|hint| hint.id == HintId::EveryoneSilent);
    hints
        .chunk_by(|a, b| a.id == b.id)
        .filter_map(|same| {
            let id = same.first()?.id;
            let fold = same.len() > FOLD_OVER || (everyone && id == HintId::ServiceStale);
            Some(Group {
                heading: fold.then(|| words::many(id, same.len())),
                severity: id.severity(),
                hints: same.iter().map(advice).collect(),
            })
        })
        .collect()
}

fn advice(hint: &Hint) -> Advice {
    let said = words::hint(hint);
    Advice {
        id: hint.id,
        anchor: hint.anchor(),
        server: hint
            .server
            .as_ref()
            .map(|server| (server.to_string(), format!("server-{}", dom_safe(server)))),
        title: said.title,
        evidence: said.evidence,
        steps: said.steps,
        avoid: said.avoid,
    }
}

/// One row on the screen: its block, and the moments its ages count from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// What it shows.
    pub(super) block: RwSignal<Arc<Block>>,
    /// When each of its components was last heard of.
    pub(super) beats: RwSignal<Vec<Timestamp>>,
    /// Whether it is on the screen: only then its ages tick.
    pub(super) seen: RwSignal<bool>,
}

/// How news comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connection {
    /// By asking again and again.
    Polling,
    /// Not at all: an admin wants it to stand still.
    Paused,
    /// The overview does not answer; asking on.
    #[cfg_attr(not(feature = "hydrate"), expect(dead_code, reason = "only a browser can lose it"))]
    Reconnecting,
}

impl Connection {
    /// In a word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Polling => "Polling",
            Self::Paused => "Paused",
            Self::Reconnecting => "Reconnecting",
        }
    }
}

/// The signals of the page. Each is set only when it differs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    /// The opening.
    pub(super) head: RwSignal<Head>,
    /// The configuration.
    pub(super) facts: RwSignal<Vec<Fact>>,
    /// The rows, in order.
    pub(super) rows: RwSignal<Vec<Row>>,
    /// The advice.
    pub(super) groups: RwSignal<Vec<Group>>,
    /// Now, in whole seconds: what ages count to.
    pub(super) tick: RwSignal<Timestamp>,
    /// The moment of the last picture.
    pub(super) pictured: RwSignal<Timestamp>,
    /// How news comes.
    pub(super) connection: RwSignal<Connection>,
    /// The overview that answers is of another build than this page.
    pub(super) outdated: RwSignal<bool>,
    /// Where the page lives.
    pub(super) site: StoredValue<Site>,
}

impl Screen {
    /// A screen that shows `view`.
    pub(super) fn showing(view: View, picture: Picture) -> Self {
        let rows = view.blocks.into_iter().map(|(block, beats)| Row::new(block, beats)).collect();
        Self {
            head: RwSignal::new(view.head),
            facts: RwSignal::new(view.facts),
            rows: RwSignal::new(rows),
            groups: RwSignal::new(view.groups),
            tick: RwSignal::new(picture.now),
            pictured: RwSignal::new(picture.now),
            connection: RwSignal::new(Connection::Polling),
            outdated: RwSignal::new(false),
            site: StoredValue::new(picture.site),
        }
    }

    /// Shows another view: wakes only what differs.
    #[cfg(feature = "hydrate")]
    pub(super) fn show(&self, view: View) {
        set(self.head, view.head);
        set(self.facts, view.facts);
        set(self.groups, view.groups);
        let rows = self.rows.get_untracked();
        let id = |row: &Row| row.block.with_untracked(|block| block.id.clone());
        let known: HashMap<String, Row> = rows.iter().map(|row| (id(row), *row)).collect();
        let mut next = Vec::with_capacity(view.blocks.len());
        for (block, beats) in view.blocks {
            next.push(match known.get(&block.id) {
                Some(row) => {
                    set(row.block, block);
                    set(row.beats, beats);
                    *row
                }
                None => Row::new(block, beats),
            });
        }
        if rows.iter().map(id).ne(next.iter().map(id)) {
            self.rows.set(next);
        }
    }
}

impl Row {
    fn new(block: Arc<Block>, beats: Vec<Timestamp>) -> Self {
        Self {
            block: RwSignal::new(block),
            beats: RwSignal::new(beats),
            seen: RwSignal::new(false),
        }
    }
}

/// Sets a signal only if the value differs: who reads it sleeps otherwise.
#[cfg(feature = "hydrate")]
pub(super) fn set<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|known| *known != value) {
        signal.set(value);
    }
}
