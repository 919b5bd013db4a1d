//! The table of the servers: a row group for each server, with one row for the server and one for each problem.

use std::sync::Arc;

use leptos::html::Div;
use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::cluster::{Pulse, Role, Timestamp};
use crate::i18n::{Catalog, MessageKey};
use crate::page::servers::columns::{COLUMN_COUNT, COLUMNS, Cell};
use crate::page::servers::model::{ComponentChip, Problem, ServerRow};
use crate::page::servers::row_signals::RowSignals;
use crate::page::servers::toolbar::{HeaderRow, ListFooter, ToolbarView};
use crate::page::servers::visibility;
use crate::page::state::PageState;
use crate::page::status_style;
use crate::page::ui::time_since;

#[component]
pub(crate) fn Servers(state: PageState) -> impl IntoView {
    let empty = move || {
        state.rows.with(Vec::is_empty) && state.toolbar.with(|toolbar| toolbar.empty_text.is_none())
    };
    view! {
        <section class="card servers" aria-labelledby="servers">
            <div class="servers-header">
                <h2 id="servers" tabindex="-1">{state.catalog().text(MessageKey::ListTitle)}</h2>
                <ToolbarView state />
            </div>
            <div role="table" aria-labelledby="servers" class="table">
                <HeaderRow state />
                <For
                    each=move || state.rows.get().into_iter().filter(|row| row.rendered)
                    key=|row| row.key
                    children=move |row| view! { <ServerRows state row /> }
                />
            </div>
            <Show when=empty>
                <AddServers state />
            </Show>
            <ListFooter state />
        </section>
    }
}

/// What an empty cluster shows: the commands that add a server.
#[component]
fn AddServers(state: PageState) -> impl IntoView {
    let catalog = state.catalog();
    let base = state.page_context(|context| context.site.base.clone());
    let url = if base.is_empty() { MessageKey::EmptyUrl } else { MessageKey::EmptyUrlWithPath };
    view! {
        <div class="empty">
            <p>{catalog.text(MessageKey::EmptyLead)}</p>
            <pre>
                "cluster-overview agent --role service --overview URL --token-file FILE\n"
                "cluster-overview agent --role web --overview URL --token-file FILE"
            </pre>
            <p class="muted">
                {catalog.format(url, &[("path", Arg::Text(base))])}" "{catalog.text(MessageKey::EmptyFile)}
            </p>
        </div>
    }
}

#[component]
fn ServerRows(state: PageState, row: RowSignals) -> impl IntoView {
    let element = NodeRef::<Div>::new();
    visibility::track(element, row.visible.clone());
    // A row belongs to one server for its whole life.
    let (id, name) = row.server.with_untracked(|server| (server.id.clone(), server.name.clone()));
    let server = row.server.clone();
    let health = move || server.with(|server| server.health.as_str());
    view! {
        <div
            role="rowgroup"
            class="server"
            node_ref=element
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
    let cells: Vec<_> = COLUMNS
        .iter()
        .zip(&server.cells)
        .map(|(column, cells)| {
            let values: Vec<_> = cells.iter().map(|cell| value(cell, catalog)).collect();
            view! {
                <div role="cell" class=column.name>
                    {cells.is_empty().then_some("–")}
                    {values}
                </div>
            }
        })
        .collect();
    let problems: Vec<_> =
        server.problems.iter().map(|problem| problem_row(problem, &server.id, catalog)).collect();
    let query = server.details_query.clone();
    view! {
        <div role="row" class="table-row">
            <div role="rowheader" class="server-name">
                {status_style::icon_alone(status_style::health(server.health), catalog)}" "
                <a id=format!("open-{}", server.id) href=move || state.address(&query)>
                    <bdi>{server.name.clone()}</bdi>
                </a>
            </div>
            <div role="cell" class="chips">
                {chips}
            </div>
            {cells}
            <div role="cell" class="facts">
                {server.facts.clone()}
            </div>
        </div>
        {problems}
    }
}

/// A component: its pulse, its name, and when it last sent a heartbeat.
fn component_chip(chip: &ComponentChip, age: Age) -> impl IntoView + use<> {
    let catalog = age.catalog;
    let mut text = role_name(chip.role, catalog).to_owned();
    if chip.pulse != Pulse::Alive {
        text = format!("{text} {}", chip.style.label(catalog));
    }
    let icon = status_style::icon_beside(chip.style, &text, catalog);
    let product = format!(" {} · ", chip.product);
    let class = if chip.style.emphasized { chip.style.icon } else { "" };
    view! {
        <span
            class=format!("chip {class}")
            data-role=chip.role.as_str()
            data-pulse=chip.pulse.as_str()
        >
            {icon}" "{text}<span class="muted">{product}{move || age.text()}</span>
        </span>
    }
}

fn role_name(role: Role, catalog: &Catalog) -> &'static str {
    match role {
        Role::Web => catalog.text(MessageKey::RoleWeb),
        Role::Service => catalog.text(MessageKey::RoleService),
    }
}

/// What the line of a server says of a cell: of a problem only its shape, because the problem has a line of its own.
fn value(cell: &Cell, catalog: &'static Catalog) -> impl IntoView + use<> {
    let text = if cell.is_problem() { cell.brief.clone() } else { cell.text.clone() };
    // If the text does not contain the verdict's word, the icon has it as its label.
    let icon = cell.style.map(|style| status_style::icon_beside(style, &text, catalog));
    view! { <span class="value">{icon}" "{text}</span>" " }
}

fn problem_row(
    problem: &Problem,
    server: &str,
    catalog: &'static Catalog,
) -> impl IntoView + use<> {
    let Problem { roles, column, place, cell } = problem;
    let icon = cell.style.map(|style| status_style::icon_beside(style, &cell.text, catalog));
    // The title of a hint names its server itself.
    let is_title = cell.hint.as_ref().is_some_and(|(_, title)| *title == cell.text);
    let subjects = if is_title { &[] } else { &roles[..] };
    let names: Vec<&str> = subjects.iter().map(|role| role_name(*role, catalog)).collect();
    let about: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    let class = cell.style.filter(|style| style.emphasized).map_or("", |style| style.icon);
    let hint = cell.hint.clone().map(|(anchor, title)| {
        let how = catalog.text(MessageKey::HintsHowToFix);
        // Without the role, so that the link keeps its id and its focus when the other component gets the same problem.
        let id = format!("hint-link-{server}-{column}-{place}");
        let label = format!("{how}: {title}");
        view! { <a id=id href=format!("#{anchor}") aria-label=label>{how}</a> }
    });
    let text = if names.is_empty() {
        cell.text.clone()
    } else {
        format!("{} {}", names.join(", "), cell.text)
    };
    let reason = cell.reason.as_ref().map(|reason| format!(" · {reason}"));
    view! {
        <div
            role="row"
            class="problem"
            data-about=about.join(" ")
            data-column=*column
        >
            <div role="cell" aria-colspan=COLUMN_COUNT>
                {icon}" "
                <span class=format!("emphasized {class}")>{text}</span>
                <span class="reason">{reason}</span>
                " "{hint}
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
    /// Subscribes to the tick only while the row is on the screen.
    fn text(&self) -> String {
        let Self { catalog, tick, row, place } = self;
        let time = row.heartbeats.with(|times| times.get(*place).copied()).unwrap_or_default();
        let now = if row.visible.get() { tick.get() } else { tick.get_untracked() };
        time_since(catalog, now, time)
    }
}
