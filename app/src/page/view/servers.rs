//! The servers' blocks: a line per component, a cell per verdict, each with the way to its hint.

use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

use super::Scene;
use crate::cluster::hints::{HintId, dom_safe};
use crate::cluster::{
    ComponentStatus, Health, Hint, Pulse, Role, ServerName, ServerStatus, Settings, Snapshot,
    Timestamp,
};
use crate::page::look::{self, Look};
use crate::page::place::{Open, Sort, written};
use crate::words::Words;

/// The columns: the key of each one's head, and the order its head sets. What stands in them is made below, in
/// [`line`], in the same order.
pub(in crate::page) const COLUMNS: [(&str, Option<Sort>); 4] = [
    ("column.heartbeat", Some(Sort::Heartbeat)),
    ("column.version", Some(Sort::Version)),
    ("column.encryption-key", None),
    ("column.messenger", None),
];

/// A cell: shape, words, and where its hint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct Cell {
    /// How it looks; `None` where nothing is judged.
    pub(in crate::page) look: Option<Look>,
    /// What it says.
    pub(in crate::page) text: String,
    /// The hint that explains it: its anchor and its title.
    pub(in crate::page) hint: Option<(String, String)>,
    /// Why it is so, in a sentence.
    pub(in crate::page) why: Option<String>,
    /// Whether the time since the last heartbeat belongs to it.
    pub(in crate::page) aged: bool,
}

/// What stands in one column about a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct Column {
    /// The key of its head.
    pub(in crate::page) key: &'static str,
    /// What it says; nothing where nothing is known.
    pub(in crate::page) cells: Vec<Cell>,
}

/// One component's line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct Line {
    /// Its role.
    pub(in crate::page) role: Role,
    /// Its health.
    pub(in crate::page) health: Health,
    /// Its pulse.
    pub(in crate::page) pulse: Pulse,
    /// The product where the server's components differ in it, or that it is the overview itself.
    pub(in crate::page) label: String,
    /// What stands in the [`COLUMNS`].
    pub(in crate::page) columns: Vec<Column>,
}

/// One server's block, without what changes with each beat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct Block {
    /// The name as part of an element's id.
    pub(in crate::page) id: String,
    /// Its name.
    pub(in crate::page) name: String,
    /// Its health.
    pub(in crate::page) health: Health,
    /// What opens all about it, as it stands in an address.
    pub(in crate::page) opens: String,
    /// Operating system, address and product.
    pub(in crate::page) facts: String,
    /// That heartbeats in its name are refused.
    pub(in crate::page) refused: Option<String>,
    /// Its components.
    pub(in crate::page) lines: Vec<Line>,
}

/// Where a hint stands that explains a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pointer {
    id: HintId,
    role: Option<Role>,
    anchor: String,
    title: String,
}

impl Pointer {
    fn to(hint: &Hint, words: &Words) -> Self {
        Self { id: hint.id, role: hint.role, anchor: hint.anchor(), title: words.title(hint) }
    }
}

/// What a server's block is made of, beside what all have in common.
#[derive(Debug, Default, PartialEq, Eq)]
struct Given {
    components: Vec<ComponentStatus>,
    pointers: Vec<Pointer>,
    refused: Option<String>,
}

/// What all blocks have in common.
#[derive(Debug, Default, PartialEq, Eq)]
struct Common {
    settings: Settings,
    blind_since: Option<Timestamp>,
    pointers: Vec<Pointer>,
}

/// The blocks as they were made last: a server of which nothing is new keeps its own, so that news
/// of a few does not cost the making of a thousand.
#[derive(Debug, Default)]
pub(in crate::page) struct Kept {
    common: Common,
    blocks: HashMap<ServerName, (Given, Option<Arc<Block>>)>,
}

impl Kept {
    /// Whether a server is among those shown.
    pub(super) fn shows(&self, server: &ServerName) -> bool {
        self.blocks.get(server).is_some_and(|(_, block)| block.is_some())
    }
}

/// The blocks of these servers, with the moments of their heartbeats.
pub(super) fn blocks(
    servers: &[&ServerStatus],
    scene: &Scene<'_>,
    hints: &[Hint],
    kept: &mut Kept,
) -> Vec<(Arc<Block>, Vec<Timestamp>)> {
    let Snapshot { settings, blind_since, .. } = *scene.snapshot;
    let mut before = mem::take(kept);
    kept.common = Common { settings, blind_since, pointers: Vec::new() };
    for hint in hints {
        let pointers = match &hint.server {
            Some(server) => &mut kept.blocks.entry(server.clone()).or_default().0.pointers,
            None => &mut kept.common.pointers,
        };
        pointers.push(Pointer::to(hint, scene.words));
    }
    if before.common != kept.common {
        before.blocks.clear();
    }
    let shown = servers.iter().map(|server| {
        let (given, made) = kept.blocks.entry(server.name.clone()).or_default();
        given.components.clone_from(&server.components);
        let refusals = scene.snapshot.refusals_of(&server.name, scene.now);
        let refused: Vec<String> = refusals.map(|refusal| scene.words.refused(refusal)).collect();
        given.refused = (!refused.is_empty()).then(|| refused.join(". "));
        let known = before.blocks.remove(&server.name).filter(|(known, _)| known == given);
        let known = known.and_then(|(_, block)| block);
        let block = known.unwrap_or_else(|| Arc::new(block(server, given, scene, &kept.common)));
        let beats = server.components.iter().map(|s| s.component.last_heartbeat).collect();
        (Arc::clone(made.insert(block)), beats)
    });
    shown.collect()
}

fn block(server: &ServerStatus, given: &Given, scene: &Scene<'_>, common: &Common) -> Block {
    let shared = shared_product(server, scene.words);
    let mut facts: Vec<String> = server
        .latest()
        .map(|latest| {
            vec![format!("{} {}", latest.os.name, latest.os.version), latest.ip.to_string()]
        })
        .unwrap_or_default();
    facts.extend(shared.clone());
    // The hints about a server come before those about the cluster.
    let pointers: Vec<&Pointer> = given.pointers.iter().chain(&common.pointers).collect();
    let lines = server.components.iter().map(|status| {
        let label = if shared.is_some() { String::new() } else { product(status, scene.words) };
        line(status, scene, label, &pointers)
    });
    Block {
        id: format!("server-{}", dom_safe(&server.name)),
        name: server.name.to_string(),
        opens: written(Open::Details(server.name.clone()).pairs()),
        health: server.health,
        facts: facts.join(" · "),
        refused: given.refused.clone(),
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
        status.component.product.clone().unwrap_or_default()
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

fn line(status: &ComponentStatus, scene: &Scene<'_>, label: String, pointers: &[&Pointer]) -> Line {
    let component = &status.component;
    let words = scene.words;
    // The hint about this very component, or its server, or the cluster.
    let hint = |ids: &[HintId]| {
        pointers
            .iter()
            .find(|hint| {
                ids.contains(&hint.id) && hint.role.is_none_or(|role| role == component.role)
            })
            .map(|hint| (hint.anchor.clone(), hint.title.clone()))
    };
    let cell = |look: Look, text: String, ids: &[HintId]| {
        let hint = if look.shape == "ok" { None } else { hint(ids) };
        Cell { look: Some(look), text, hint, why: None, aged: false }
    };
    let pulse = look::pulse(status.pulse, component.role);
    let heartbeat = Cell {
        hint: hint(if status.pulse == Pulse::Alive { ABOUT_BEATS } else { ABOUT_SILENCE }),
        // While blind the page says so once, and not again in every row.
        why: (!matches!(status.pulse, Pulse::Alive | Pulse::Unknown))
            .then(|| words.why_pulse(status, scene.snapshot)),
        aged: true,
        ..cell(pulse, pulse.word(words).to_owned(), &[])
    };
    let version = match status.version.map(look::version) {
        Some(look) if look.loud => cell(
            look,
            format!("{}, {}", component.version, look.word(words)),
            &[HintId::VersionSkew],
        ),
        look => Cell { look, text: component.version.clone(), hint: None, why: None, aged: false },
    };
    let of_look = |look: Look, ids| cell(look, look.word(words).to_owned(), ids);
    let key =
        status.key.map(|key| of_look(look::key(key), &[HintId::KeyMismatch, HintId::KeyMissing]));
    let machine_key = status
        .machine_key
        .map(|key| of_look(look::machine_key(key), &[HintId::MachineKeyMismatch]));
    let messenger = status.messenger.as_ref().map(|state| Cell {
        why: words.why_messenger(state),
        ..of_look(look::messenger(state), &[HintId::MessengerUnreachable])
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
