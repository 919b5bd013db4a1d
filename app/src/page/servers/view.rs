//! The table of the servers: a row group for each server, a row for each component.

use std::sync::Arc;

use leptos::html::Div;
use leptos::prelude::*;

use crate::cluster::hints::Arg;
use crate::cluster::{Health, Role, Timestamp};
use crate::i18n::{Catalog, MessageKey};
use crate::page::servers::columns::{COLUMNS, Cell};
use crate::page::servers::model::{ComponentRow, ServerRow};
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

fn server_rows(
    server: &Arc<ServerRow>,
    state: PageState,
    row: &RowSignals,
) -> impl IntoView + use<> {
    let components: Vec<_> = server
        .components
        .iter()
        .enumerate()
        .map(|(place, component)| {
            component_row(
                component,
                &server.id,
                &Age { catalog: state.catalog(), tick: state.tick, row: row.clone(), place },
            )
        })
        .collect();
    let query = server.details_query.clone();
    view! {
        <div role="row" class="server-name">
            <div role="rowheader" aria-colspan=COLUMNS.len() + 1>
                {status_style::icon_alone(status_style::health(server.health), state.catalog())}
                <a id=format!("open-{}", server.id) href=move || state.address(&query)>
                    <bdi>{server.name.clone()}</bdi>
                </a>
                <span class="muted">{server.facts.clone()}</span>
                {server.rejected.clone().map(|rejected| view! { <span class="rejected">{rejected}</span> })}
            </div>
        </div>
        {components}
    }
}

fn component_row(component: &ComponentRow, server: &str, age: &Age) -> impl IntoView + use<> {
    let role = match component.role {
        Role::Web => age.catalog.text(MessageKey::RoleWeb),
        Role::Service => age.catalog.text(MessageKey::RoleService),
    };
    let mark = (component.health > Health::Unknown)
        .then(|| status_style::icon_alone(status_style::health(component.health), age.catalog));
    let columns: Vec<_> = COLUMNS
        .iter()
        .zip(&component.cells)
        .map(|(column, cells)| {
            let id = format!("hint-link-{server}-{}-{}", component.role.as_str(), column.name);
            view! {
                <div role="cell" data-label=age.catalog.text(column.heading)>{column_cells(cells, &id, age)}</div>
            }
        })
        .collect();
    view! {
        <div
            role="row"
            class="table-row"
            data-role=component.role.as_str()
            data-pulse=component.pulse.as_str()
            data-health=component.health.as_str()
        >
            <div role="rowheader" class="role">
                {role}" "{mark}<span class="muted product">{component.product.clone()}</span>
            </div>
            {columns}
        </div>
    }
}

/// A dash if nothing is known.
fn column_cells(cells: &[Cell], id: &str, age: &Age) -> impl IntoView + use<> {
    let empty_text = cells.is_empty().then(|| view! { <span class="muted">"–"</span> });
    let cells = cells.iter().enumerate();
    let cells: Vec<_> = cells.map(|(place, one)| cell(one, format!("{id}-{place}"), age)).collect();
    view! {
        {empty_text}
        {cells}
    }
}

fn cell(cell: &Cell, id: String, age: &Age) -> impl IntoView + use<> {
    let catalog = age.catalog;
    let text = cell.text.clone();
    let class = match cell.style {
        Some(style) if style.emphasized => format!("emphasized {}", style.icon),
        _ => String::new(),
    };
    // If the text does not contain the verdict's word, the icon has it as its label.
    let icon = cell.style.map(|style| status_style::icon_beside(style, &text, catalog));
    let class_name = if icon.is_some() { "cell with-icon" } else { "cell" };
    let age = cell.shows_age.then(|| age.clone());
    let age = age.map(|age| view! { <span class="muted">" · "{move || age.text()}</span> });
    let hint = cell.hint.clone().map(|(anchor, title)| {
        let reason = catalog.text(MessageKey::HintsHowToFix);
        let label = format!("{reason}: {title}");
        view! { " "<a id=id href=format!("#{anchor}") aria-label=label>{reason}</a> }
    });
    let reason =
        cell.reason.clone().map(|reason| view! { <span class="reason muted">{reason}</span> });
    view! {
        <span class=class_name>
            {icon} " " <span class=class>{text}</span>{age}{hint}
        </span>
        {reason}
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
