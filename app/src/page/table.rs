//! The servers: a block each, a line per component, a cell per verdict.

use std::sync::Arc;

use leptos::html::Div;
use leptos::prelude::*;

use super::look;
use super::seen;
use super::view::{Block, Cell, Line, Row, Screen};
use crate::cluster::{Health, Role, Timestamp};

#[component]
pub(super) fn Servers(
    /// The signals of the page.
    screen: Screen,
) -> impl IntoView {
    let empty = move || screen.rows.with(Vec::is_empty);
    view! {
        <section class="card servers" aria-labelledby="servers">
            <h2 id="servers">"Servers"</h2>
            <div role="table" aria-labelledby="servers" class="table">
                <div role="rowgroup" class="heads">
                    <div role="row" class="line">
                        <span role="columnheader">"Server"</span>
                        <span role="columnheader">"Heartbeat"</span>
                        <span role="columnheader">"Version"</span>
                        <span role="columnheader">"Encryption key"</span>
                        <span role="columnheader">"Messenger"</span>
                    </div>
                </div>
                <For
                    each=move || screen.rows.get()
                    key=|row| row.block.with_untracked(|block| block.id.clone())
                    children=move |row| view! { <ServerBlock screen row /> }
                />
            </div>
            <Show when=empty>
                <AddServers />
            </Show>
        </section>
    }
}

/// The empty state: the two lines that add a server.
#[component]
fn AddServers() -> impl IntoView {
    view! {
        <div class="empty">
            <p>"On each server of the product, let one process beat for each component:"</p>
            <pre>
                "cluster-overview agent --role service --overview URL --token-file FILE\n"
                "cluster-overview agent --role web --overview URL --token-file FILE"
            </pre>
            <p class="muted">"The first heartbeat puts the server on this page."</p>
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

fn rows(block: &Arc<Block>, screen: Screen, row: Row) -> AnyView {
    let lines: Vec<AnyView> = block
        .lines
        .iter()
        .enumerate()
        .map(|(place, line)| component_line(line, move || age(screen, row, place)))
        .collect();
    view! {
        <div role="row" class="name">
            <div role="rowheader" aria-colspan="5">
                {look::icon_alone(look::health(block.health))}
                <b><bdi>{block.name.clone()}</bdi></b>
                <span class="muted">{block.facts.clone()}</span>
            </div>
        </div>
        {lines}
    }
    .into_any()
}

fn component_line(line: &Line, age: impl Fn() -> String + Send + Sync + 'static) -> AnyView {
    let role = match line.role {
        Role::Web => "Web",
        Role::Service => "Service",
    };
    let mark = (line.health > Health::Unknown).then(|| look::icon_alone(look::health(line.health)));
    let why = line.why.clone().map(|why| view! { <span class="why muted">{why}</span> });
    let [heartbeat, version, key, machine_key, messenger] = line.cells.clone();
    let age = view! { <span class="muted">" · "{age}</span> }.into_any();
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
            <div role="cell" data-label="Heartbeat">{cell(heartbeat, Some(age))}{why}</div>
            <div role="cell" data-label="Version">{cell(version, None)}</div>
            <div role="cell" data-label="Encryption key">
                {cell(key, None)}{machine_key.map(|machine| cell(Some(machine), None))}
            </div>
            <div role="cell" data-label="Messenger">{cell(messenger, None)}</div>
        </div>
    }
    .into_any()
}

/// A verdict with its shape, its words, what follows them, and the way to its hint.
fn cell(cell: Option<Cell>, after: Option<AnyView>) -> AnyView {
    let Some(cell) = cell else {
        return view! { <span class="muted">"–"</span> }.into_any();
    };
    let class = match cell.look {
        Some(look) if look.loud => format!("loud {}", look.shape),
        _ => String::new(),
    };
    let why = cell.hint.map(|anchor| {
        let label = format!("why: {}", cell.text);
        view! { " "<a href=format!("#{anchor}") aria-label=label>"why"</a> }
    });
    view! {
        <span class="cell">
            {cell.look.map(|look| shape(look, &cell.text))}<span class=class>{cell.text}</span>{after}{why}
        </span>
    }
    .into_any()
}

/// The shape before a cell's words. Where the words do not say what the shape says, it says it itself.
fn shape(look: look::Look, text: &str) -> AnyView {
    let says_it = text.contains(look.word);
    if says_it { look::icon(look) } else { look::icon_alone(look) }
}

/// How long ago a component was heard of. Ticks only while its row is on the screen.
fn age(screen: Screen, row: Row, place: usize) -> String {
    let beat = row.beats.with(|beats| beats.get(place).copied()).unwrap_or_default();
    let now = if row.seen.get() { screen.tick.get() } else { screen.tick.get_untracked() };
    ago(now, beat)
}

fn ago(now: Timestamp, then: Timestamp) -> String {
    let span = now - then;
    if span.0 < 2_000 { "just now".to_owned() } else { format!("{span} ago") }
}
