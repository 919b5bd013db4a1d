//! The table of the servers: a row group for each server, with one row for the server and one for each problem.

use std::sync::Arc;

use leptos::html::Div;
use leptos::prelude::*;
use maud::{Markup, html};

use crate::cluster::hints::Arg;
use crate::cluster::{Pulse, Timestamp};
use crate::i18n::{self, Catalog, MessageKey};
use crate::page::live_html::live_html;
use crate::page::servers::chunks::{Chunk, RowSignals};
use crate::page::servers::columns::{COLUMN_COUNT, COLUMNS, Cell};
use crate::page::servers::groups::GroupHead;
use crate::page::servers::map::view::ServerMap;
use crate::page::servers::model::{ComponentChip, Problem, ServerRow};
use crate::page::servers::nearness;
use crate::page::servers::toolbar::{HeaderRow, ListFooter, ToolbarView};
use crate::page::state::{PageState, Part};
use crate::page::status_style;
use crate::page::ui::time_since;

#[component]
pub(crate) fn Servers(state: PageState) -> impl IntoView {
    let empty = move || {
        let is_empty = state.chunks.get().is_empty()
            && state.model(Part::Toolbar).toolbar.empty_text.is_none();
        html! { @if is_empty { p.empty { (state.catalog().text(MessageKey::EmptyLead)) } } }
    };
    let once = move || {
        let said_once = COLUMNS.iter().zip(state.model(Part::Toolbar).toolbar.said_once);
        let names = said_once.filter(|(_, once)| *once).map(|(column, _)| column.name);
        names.collect::<Vec<_>>().join(" ")
    };
    view! {
        <section class="card servers" aria-labelledby="servers">
            <div class="servers-header">
                <h2 id="servers" tabindex="-1">{state.catalog().text(MessageKey::ListTitle)}</h2>
                <ToolbarView state />
            </div>
            <ServerMap state />
            <div role="table" aria-labelledby="servers" class="table" data-once=once>
                <HeaderRow state />
                <For
                    each=move || state.chunks.get()
                    key=|chunk| chunk.number
                    children=move |chunk| view! { <ChunkView state chunk /> }
                />
            </div>
            {live_html(Box::new(empty))}
            <ListFooter state />
        </section>
    }
}

#[component]
fn ChunkView(state: PageState, chunk: Chunk) -> impl IntoView {
    let element = NodeRef::<Div>::new();
    nearness::track(element, chunk.clone(), state);
    let Chunk { rows, empty_height, .. } = chunk;
    let height = move || empty_height.get().map(|height| format!("{height}px"));
    view! {
        <div role="none" class="chunk" node_ref=element style:height=height>
            <For
                each=move || rows.get()
                key=|row| row.key
                children=move |row| view! { <ServerRows state row /> }
            />
        </div>
    }
}

#[component]
fn ServerRows(state: PageState, row: RowSignals) -> impl IntoView {
    // A row belongs to one server for its whole life.
    let ServerRow { id, name, .. } = (*row.server.get_untracked()).clone();
    let server = row.server.clone();
    let health = move || server.get().health.as_str();
    view! {
        <div
            role="rowgroup"
            class="server"
            id=id
            data-server=name
            data-health=health
        >
            {move || server_rows(&row.server.get(), state, &row)}
        </div>
    }
}

/// The line of a server, and one for each problem.
fn server_rows(
    server: &Arc<ServerRow>,
    state: PageState,
    row: &RowSignals,
) -> impl IntoView + use<> {
    let catalog = state.catalog();
    let chips: Vec<_> = server
        .components
        .iter()
        .enumerate()
        .map(|(place, chip)| {
            let age = Age { catalog, tick: state.tick, row: row.clone(), place };
            component_chip(chip, age)
        })
        .collect();
    let mut columns = COLUMNS.iter().zip(&server.cells);
    let cells: [_; COLUMNS.len()] = std::array::from_fn(|_| {
        let column = columns.next();
        let cells = column.map_or(&[][..], |(_, cells)| cells);
        let class = column.map_or("", |(column, _)| column.name);
        let none = cells.is_empty().then_some("–");
        let values: Vec<_> = cells.iter().map(|cell| value(cell, catalog)).collect();
        view! { <div role="cell" class=class>{none}{values}</div> }
    });
    let problems: Vec<_> =
        server.problems.iter().map(|problem| problem_row(problem, &server.id, catalog)).collect();
    let icon = status_style::icon_alone(status_style::health(server.health), catalog);
    let query = server.details_query.clone();
    let head = server.head.as_ref().map(|head| group_head(head, catalog).into_string());
    let head = head.map(|head| view! { <div role="row" class="group-head" inner_html=head></div> });
    view! {
        {head}
        <div role="row" class="table-row">
            <div role="rowheader" class="server-name">
                <span inner_html=icon.into_string()></span>" "
                <a id=format!("open-{}", server.id) href=move || state.address(&query)>
                    <bdi>{server.name.clone()}</bdi>
                </a>
            </div>
            <div role="cell" class="chips">
                {chips}
            </div>
            {cells}
            <div role="cell" class="facts">{server.facts.clone()}</div>
            {row_menu(server, state)}
        </div>
        {problems}
    }
}

/// How many servers a group has, and how the worst of them is. A group of which all are well is a link that folds it.
fn group_head(head: &GroupHead, catalog: &Catalog) -> Markup {
    let icon = status_style::icon_alone(status_style::health(head.health), catalog);
    let text = html! { (icon) " " bdi { (head.name) } };
    html! {
        div role="rowheader" aria-colspan=(COLUMN_COUNT) {
            @if let Some(address) = &head.address {
                a href=(address) aria-expanded=(!head.is_folded) { (text) }
            } @else { b { (text) } }
            " " span.muted { (i18n::number(head.count)) }
        }
    }
}

/// What can be done with one server without opening its details.
fn row_menu(server: &ServerRow, state: PageState) -> impl IntoView + use<> {
    let catalog = state.catalog();
    let label = [("server", Arg::Text(server.name.clone()))];
    let label = catalog.format(MessageKey::ActionOfServer, &label);
    let copies = [
        (MessageKey::ActionCopyName, server.name.clone()),
        (MessageKey::ActionCopyAddress, server.address.clone()),
    ];
    let copies = html! {
        @for (label, text) in &copies {
            button.copy type="button" data-copy=(text) { (catalog.text(*label)) }
        }
        button.copy type="button" { (catalog.text(MessageKey::ActionCopyMarkdown)) }
    };
    let (id, query) = (format!("remove-{}", server.id), server.removal_query.clone());
    let remove = (!state.is_read_only()).then(|| {
        view! {
            <a class="button" id=id href=move || state.address(&query)>
                {catalog.text(MessageKey::ActionRemove)}
            </a>
        }
    });
    view! {
        <div role="cell" class="row-menu">
            <details class="menu">
                <summary id=format!("menu-{}", server.id) aria-label=label>"⋯"</summary>
                <div class="menu-items">
                    <div class="copies" inner_html=copies.into_string()></div>
                    {remove}
                </div>
            </details>
        </div>
    }
}

/// A component: its pulse, its name, and when it last sent a heartbeat.
fn component_chip(chip: &ComponentChip, age: Age) -> impl IntoView + use<> {
    let catalog = age.catalog;
    let mut text = catalog.role_name(chip.role).to_owned();
    if chip.pulse != Pulse::Alive {
        text = format!("{text} {}", pulse_label(chip, catalog));
    }
    let icon = status_style::icon_beside(chip.style, &text, catalog);
    let pulse = html! { (icon) " " (text) };
    let product = format!(" {} · ", chip.product);
    let class = if chip.style.emphasized { chip.style.icon } else { "" };
    view! {
        <span
            class=format!("chip {class}")
            data-role=chip.role.as_str()
            data-pulse=chip.pulse.as_str()
        >
            <span inner_html=pulse.into_string()></span>
            <span class="muted">{product}{move || age.text()}</span>
        </span>
    }
}

fn pulse_label(chip: &ComponentChip, catalog: &Catalog) -> String {
    let now = chip.style.label(catalog).to_owned();
    let Some(was) = chip.was else { return now };
    let before = was.label(catalog).to_owned();
    let args = [("now", Arg::Text(now)), ("before", Arg::Text(before))];
    catalog.format(MessageKey::StatusWas, &args)
}

/// What the line of a server says of a cell: of a problem only its shape, because the problem has a line of its own.
fn value(cell: &Cell, catalog: &Catalog) -> impl IntoView + use<> {
    let text = if cell.is_problem() { &cell.brief } else { &cell.text };
    // If the text does not contain the verdict's word, the icon has it as its label.
    let icon =
        cell.style.map(|style| status_style::icon_beside(style, text, catalog).into_string());
    view! { <span class="value"><span inner_html=icon.unwrap_or_default()></span>" "{text.clone()}</span>" " }
}

fn problem_row(problem: &Problem, server: &str, catalog: &Catalog) -> impl IntoView + use<> {
    let Problem { roles, column, place, cell } = problem;
    // The title of a hint names its server itself.
    let is_title = cell.hint.as_ref().is_some_and(|(_, title)| *title == cell.text);
    let subjects = if is_title { &[] } else { &roles[..] };
    let names: Vec<&str> = subjects.iter().map(|role| catalog.role_name(*role)).collect();
    let about: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    let class = cell.style.filter(|style| style.emphasized).map_or("", |style| style.icon);
    let how = catalog.text(MessageKey::HintsHowToFix);
    let icon =
        cell.style.map(|style| status_style::icon_beside(style, &cell.text, catalog).into_string());
    let separator = if names.is_empty() { "" } else { " " };
    let text = format!("{}{separator}{}", names.join(", "), cell.text);
    let more = html! {
        @if let Some(reason) = &cell.reason { span.reason { " · " (reason) } }
        " "
        // Without the role, so that the link keeps its id and its focus when the other component gets the same
        // problem.
        @if let Some((anchor, title)) = &cell.hint {
            a id={"hint-link-" (server) "-" (column) "-" (place)} href={"#" (anchor)} aria-label={(how) ": " (title)} {
                (how)
            }
        }
    };
    view! {
        <div role="row" class="problem" data-about=about.join(" ") data-column=*column>
            <div role="cell" aria-colspan=COLUMN_COUNT.to_string()>
                <span inner_html=icon.unwrap_or_default()></span>" "
                <span class=format!("emphasized {class}")>{text}</span>
                <span inner_html=more.into_string()></span>
            </div>
        </div>
    }
}

/// What the age of a component's last heartbeat is computed from.
#[derive(Clone)]
struct Age {
    catalog: &'static Catalog,
    tick: RwSignal<Timestamp>,
    row: RowSignals,
    place: usize,
}

impl Age {
    fn text(&self) -> String {
        let Self { catalog, tick, row, place } = self;
        time_since(catalog, tick.get(), row.last_heartbeat(*place))
    }
}
