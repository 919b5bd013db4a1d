//! The servers: a block each, a line per component, a cell per verdict.

use std::sync::Arc;

use leptos::html::Div;
use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::cluster::{Health, Role, Timestamp};
use crate::i18n::Words;
use crate::page::servers::columns::{COLUMNS, Cell};
use crate::page::servers::model::{ComponentRow, ServerRow};
use crate::page::servers::toolbar::{Filters, HeaderRow, ListFooter};
use crate::page::state::{PageState, Row};
use crate::page::status_style;
use crate::page::ui::time_since;
use crate::page::servers::visibility;

#[component]
pub(crate) fn Servers(state: PageState) -> impl IntoView {
    let empty = move || {
        state.rows.with(Vec::is_empty) && state.toolbar.with(|tools| tools.nothing.is_none())
    };
    view! {
        <section class="card servers" aria-labelledby="servers">
            <div class="servers-head">
                <h2 id="servers" tabindex="-1">{state.words().label("page.servers")}</h2>
                <Filters state />
            </div>
            <div role="table" aria-labelledby="servers" class="table">
                <HeaderRow state />
                <For
                    each=move || state.rows.get().into_iter().filter(|row| row.drawn)
                    key=|row| row.number
                    children=move |row| view! { <ServerBlock state row /> }
                />
            </div>
            <Show when=empty>
                <AddServers state />
            </Show>
            <ListFooter state />
        </section>
    }
}

/// The empty state: the two lines that add a server.
#[component]
fn AddServers(state: PageState) -> impl IntoView {
    let words = state.words();
    let base = state.page_context(|context| context.site.base.clone());
    let url = if base.is_empty() { "empty.url" } else { "empty.url.path" };
    view! {
        <div class="empty">
            <p>{words.label("empty.lead")}</p>
            <pre>
                "cluster-overview agent --role service --overview URL --token-file FILE\n"
                "cluster-overview agent --role web --overview URL --token-file FILE"
            </pre>
            <p class="muted">
                {words.say(url, &[("path", Arg::Text(base))])}" "{words.label("empty.file")}
            </p>
        </div>
    }
}

#[component]
fn ServerBlock(
    state: PageState,
    /// This server's.
    row: Row,
) -> impl IntoView {
    let element = NodeRef::<Div>::new();
    visibility::watch(element, row.visible.clone());
    // A row is of one server for as long as it is there.
    let (id, name) = row.server.with_untracked(|block| (block.id.clone(), block.name.clone()));
    let block = row.server.clone();
    let health = move || block.with(|block| block.health.as_str());
    view! {
        <div
            role="rowgroup"
            class="server"
            node_ref=element
            id=id
            data-server=name
            data-health=health
        >
            {move || rows(&row.server.get(), state, &row)}
        </div>
    }
}

fn rows(block: &Arc<ServerRow>, state: PageState, row: &Row) -> impl IntoView + use<> {
    let lines: Vec<_> = block
        .lines
        .iter()
        .enumerate()
        .map(|(place, line)| {
            component_line(
                line,
                &block.id,
                &Age { words: state.words(), tick: state.tick, row: row.clone(), place },
            )
        })
        .collect();
    let opens = block.opens.clone();
    view! {
        <div role="row" class="name">
            <div role="rowheader" aria-colspan="5">
                {status_style::icon_alone(status_style::health(block.health), state.words())}
                <a id=format!("open-{}", block.id) href=move || state.address(&opens)>
                    <bdi>{block.name.clone()}</bdi>
                </a>
                <span class="muted">{block.facts.clone()}</span>
                {block.refused.clone().map(|refused| view! { <span class="refused">{refused}"."</span> })}
            </div>
        </div>
        {lines}
    }
}

fn component_line(line: &ComponentRow, server: &str, age: &Age) -> impl IntoView + use<> {
    let role = match line.role {
        Role::Web => age.words.label("role.web"),
        Role::Service => age.words.label("role.service"),
    };
    let mark = (line.health > Health::Unknown)
        .then(|| status_style::icon_alone(status_style::health(line.health), age.words));
    let columns: Vec<_> = COLUMNS
        .iter()
        .zip(&line.cells)
        .map(|(column, made)| {
            let name = column.key.trim_start_matches("column.");
            let id = format!("why-{server}-{}-{name}", line.role.as_str());
            view! {
                <div role="cell" data-label=age.words.label(column.key)>{cells(made, &id, age)}</div>
            }
        })
        .collect();
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
            {columns}
        </div>
    }
}

/// What a column says of a component: a dash where nothing is known.
fn cells(cells: &[Cell], id: &str, age: &Age) -> impl IntoView + use<> {
    let nothing = cells.is_empty().then(|| view! { <span class="muted">"–"</span> });
    let cells = cells.iter().enumerate();
    let cells: Vec<_> = cells.map(|(place, one)| cell(one, format!("{id}-{place}"), age)).collect();
    view! {
        {nothing}
        {cells}
    }
}

/// A verdict with its shape, its words, its age, and the way to its hint.
fn cell(cell: &Cell, id: String, age: &Age) -> impl IntoView + use<> {
    let words = age.words;
    let text = cell.text.clone();
    let class = match cell.style {
        Some(style) if style.loud => format!("loud {}", style.icon),
        _ => String::new(),
    };
    // Where the words do not say what the shape says, it says it itself.
    let icon = cell.style.map(|style| status_style::icon_beside(style, &text, words));
    let kind = if icon.is_some() { "cell marked" } else { "cell" };
    let age = cell.aged.then(|| age.clone());
    let age = age.map(|age| view! { <span class="muted">" · "{move || age.said()}</span> });
    let hint = cell.hint.clone().map(|(anchor, title)| {
        let why = words.label("page.why");
        let label = format!("{why}: {title}");
        view! { " "<a id=id href=format!("#{anchor}") aria-label=label>{why}</a> }
    });
    let why = cell.why.clone().map(|why| view! { <span class="why muted">{why}</span> });
    view! {
        <span class=kind>
            {icon} " " <span class=class>{text}</span>{age}{hint}
        </span>
        {why}
    }
}

/// When a component was heard of: which row, which of its components.
#[derive(Clone)]
struct Age {
    words: &'static Words,
    tick: RwSignal<Timestamp>,
    row: Row,
    place: usize,
}

impl Age {
    /// How long ago that was. Ticks only while its row is on the screen.
    fn said(&self) -> String {
        let Self { words, tick, row, place } = self;
        let beat = row.heartbeats.with(|beats| beats.get(*place).copied()).unwrap_or_default();
        let now = if row.visible.get() { tick.get() } else { tick.get_untracked() };
        time_since(words, now, beat)
    }
}
