//! A row of the table for each server: a line for each component, with its cells.

use crate::cluster::hints::dom_safe;
use crate::cluster::{ComponentStatus, Health, Pulse, Role, ServerStatus};
use crate::i18n::Words;
use crate::page::route::dialog::Dialog;
use crate::page::route::query::to_query;
use crate::page::servers::columns::{COLUMNS, Cell, CellContext};
use crate::page::servers::hint_link::HintLink;
use crate::page::view_context::ViewContext;

/// A server, without what changes with each heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerRow {
    /// The name as part of an element's id.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) health: Health,
    /// The query that opens its details.
    pub(crate) opens: String,
    /// Operating system, address and product.
    pub(crate) facts: String,
    /// Why heartbeats of this server are rejected.
    pub(crate) refused: Option<String>,
    pub(crate) lines: Vec<ComponentRow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ComponentRow {
    pub(crate) role: Role,
    pub(crate) health: Health,
    pub(crate) pulse: Pulse,
    /// The product if the server's components differ in it, or that it is the overview itself.
    pub(crate) label: String,
    /// For each of the [`COLUMNS`].
    pub(crate) cells: [Vec<Cell>; COLUMNS.len()],
}

pub(crate) fn server_row(
    server: &ServerStatus,
    links: &[HintLink],
    refused: Option<String>,
    context: &ViewContext<'_>,
    cluster_links: &[HintLink],
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
    let links: Vec<HintLink> = links.iter().chain(cluster_links).copied().collect();
    let components = server.components.iter().map(|status| {
        let label = if shared.is_some() { String::new() } else { product(status, context.words) };
        component_row(status, context, label, &links)
    });
    ServerRow {
        id: format!("server-{}", dom_safe(&server.name)),
        name: server.name.to_string(),
        opens: to_query(Dialog::Details(server.name.clone()).pairs()),
        health: server.health,
        facts: facts.join(" · "),
        refused,
        lines: components.collect(),
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

fn component_row(
    status: &ComponentStatus,
    context: &ViewContext<'_>,
    label: String,
    hints: &[HintLink],
) -> ComponentRow {
    let component = &status.component;
    let of = CellContext { status, context, hints };
    ComponentRow {
        role: component.role,
        health: status.health,
        pulse: status.pulse,
        label,
        cells: COLUMNS.each_ref().map(|column| (column.cells)(&of)),
    }
}
