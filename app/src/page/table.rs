//! The servers: a block each, a line per component, a cell per verdict.

use std::sync::Arc;

use leptos::html::Div;
use leptos::prelude::*;

use super::age::ago;
use super::look;
use super::screen::{Row, Screen};
use super::seen;
use super::tools::{Filters, Heads, More};
use super::view::{Block, Cell, Line};
use crate::cluster::{Health, Role, Timestamp};

#[component]
pub(super) fn Servers(
    /// The signals of the page.
    screen: Screen,
) -> impl IntoView {
    let empty = move || {
        screen.rows.with(Vec::is_empty) && screen.tools.with(|tools| tools.nothing.is_none())
    };
    view! {
        <section class="card servers" aria-labelledby="servers">
            <div class="servers-head">
                <h2 id="servers" tabindex="-1">"Servers"</h2>
                <Filters screen />
            </div>
            <div role="table" aria-labelledby="servers" class="table">
                <Heads screen />
                <For
                    each=move || screen.rows.get()
                    key=|row| row.block.with_untracked(|block| block.id.clone())
                    children=move |row| view! { <ServerBlock screen row /> }
                />
            </div>
            <Show when=empty>
                <AddServers screen />
            </Show>
            <More screen />
        </section>
    }
}

/// The empty state: the two lines that add a server.
#[component]
fn AddServers(
    /// The signals of the page.
    screen: Screen,
) -> impl IntoView {
    let base = screen.site.with_value(|site| site.base.clone());
    view! {
        <div class="empty">
            <p>"On each server of the product, let one process beat for each component:"</p>
            <pre>
                "cluster-overview agent --role service --overview URL --token-file FILE\n"
                "cluster-overview agent --role web --overview URL --token-file FILE"
            </pre>
            <p class="muted">
                "URL is the address of this page"
                {(!base.is_empty()).then(|| format!(" with its path {base}"))}
                ", FILE holds the join token that "<code>"serve"</code>
                " named when it started. The first heartbeat puts the server on this page."
            </p>
        </div>
    }
}

#[component]
fn ServerBlock(
    /// The signals of the page.
    screen: Screen,
    /// This server's.
    row: Row,
) -> impl IntoView {
    let element = NodeRef::<Div>::new();
    seen::watch(element, row.seen);
    let block = row.block;
    view! {
        <div
            role="rowgroup"
            class="server"
            node_ref=element
            id=move || block.with(|block| block.id.clone())
            data-server=move || block.with(|block| block.name.clone())
            data-health=move || block.with(|block| block.health.as_str())
        >
            {move || rows(&block.get(), screen, row)}
        </div>
    }
}

fn rows(block: &Arc<Block>, screen: Screen, row: Row) -> impl IntoView + use<> {
    let lines: Vec<_> = block
        .lines
        .iter()
        .enumerate()
        .map(|(place, line)| component_line(line, &block.id, Age { tick: screen.tick, row, place }))
        .collect();
    let opens = block.opens.clone();
    view! {
        <div role="row" class="name">
            <div role="rowheader" aria-colspan="5">
                {look::icon_alone(look::health(block.health))}
                <a id=format!("open-{}", block.id) href=move || screen.address(&opens)>
                    <bdi>{block.name.clone()}</bdi>
                </a>
                <span class="muted">{block.facts.clone()}</span>
            </div>
        </div>
        {lines}
    }
}

fn component_line(line: &Line, server: &str, age: Age) -> impl IntoView + use<> {
    let role = match line.role {
        Role::Web => "Web",
        Role::Service => "Service",
    };
    let mark = (line.health > Health::Unknown).then(|| look::icon_alone(look::health(line.health)));
    let why = line.why.clone().map(|why| view! { <span class="why muted">{why}</span> });
    let id = |column: &str| format!("why-{server}-{}-{column}", line.role.as_str());
    let [heartbeat, version, key, machine_key, messenger] = &line.cells;
    view! {
        <div
            role="row"
            class="line"
            data-role=line.role.as_str()
            data-pulse=line.pulse.as_str()
            data-health=line.health.as_str()
        >
            <div role="rowheader" class="role">
                {role}" "{mark}<span class="muted product">{line.label.clone()}</span>
            </div>
            <div role="cell" data-label="Heartbeat">
                {cell(heartbeat.as_ref(), id("heartbeat"), Some(age))}{why}
            </div>
            <div role="cell" data-label="Version">
                {cell(version.as_ref(), id("version"), None)}
            </div>
            <div role="cell" data-label="Encryption key">
                {cell(key.as_ref(), id("key"), None)}
                {machine_key.as_ref().map(|machine| cell(Some(machine), id("machine-key"), None))}
            </div>
            <div role="cell" data-label="Messenger">
                {cell(messenger.as_ref(), id("messenger"), None)}
            </div>
        </div>
    }
}

/// A verdict with its shape, its words, its age, and the way to its hint.
fn cell(cell: Option<&Cell>, id: String, age: Option<Age>) -> impl IntoView + use<> {
    let text = cell.map_or_else(|| "–".to_owned(), |cell| cell.text.clone());
    let look = cell.and_then(|cell| cell.look);
    let class = match (cell, look) {
        (None, _) => "muted".to_owned(),
        (Some(_), Some(look)) if look.loud => format!("loud {}", look.shape),
        (Some(_), _) => String::new(),
    };
    // Where the words do not say what the shape says, it says it itself.
    let shape = look.map(|look| look::icon_beside(look, &text));
    let age = age.map(|age| view! { <span class="muted">" · "{move || age.said()}</span> });
    let why = cell.and_then(|cell| cell.hint.as_ref()).map(|anchor| {
        let label = format!("why: {text}");
        view! { " "<a id=id href=format!("#{anchor}") aria-label=label>"why"</a> }
    });
    view! {
        <span class="cell">
            {shape}<span class=class>{text}</span>{age}{why}
        </span>
    }
}

/// When a component was heard of: which row, which of its components.
#[derive(Clone, Copy)]
struct Age {
    tick: RwSignal<Timestamp>,
    row: Row,
    place: usize,
}

impl Age {
    /// How long ago that was. Ticks only while its row is on the screen.
    fn said(self) -> String {
        let Self { tick, row, place } = self;
        let beat = row.beats.with(|beats| beats.get(place).copied()).unwrap_or_default();
        let now = if row.seen.get() { tick.get() } else { tick.get_untracked() };
        ago(now, beat)
    }
}
