//! A server as the table shows it: its name and facts, and a row of cells for each component.

use crate::cluster::hints::dom_safe;
use crate::cluster::{ComponentStatus, Health, Pulse, Role, ServerStatus};
use crate::i18n::{Catalog, MessageKey};
use crate::page::route::dialog::Dialog;
use crate::page::route::query::to_query;
use crate::page::servers::columns::{COLUMNS, Cell, CellInputs};
use crate::page::servers::hint_link::HintLink;
use crate::page::view_context::ViewContext;

/// Everything but the times of heartbeats, so that a heartbeat in time changes no `ServerRow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerRow {
    /// The id of its element.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) health: Health,
    pub(crate) details_query: String,
    /// Operating system, address and product.
    pub(crate) facts: String,
    pub(crate) rejected: Option<String>,
    pub(crate) components: Vec<ComponentRow>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ComponentRow {
    pub(crate) role: Role,
    pub(crate) health: Health,
    pub(crate) pulse: Pulse,
    /// Empty if all components of the server have the same product.
    pub(crate) product: String,
    pub(crate) cells: [Vec<Cell>; COLUMNS.len()],
}

pub(crate) fn server_row(
    server: &ServerStatus,
    links: &[HintLink],
    rejected: Option<String>,
    context: &ViewContext<'_>,
    cluster_links: &[HintLink],
) -> ServerRow {
    let shared = shared_product(server, context.catalog);
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
    // A cell takes the first hint that explains it: those about its server are more precise.
    let links: Vec<HintLink> = links.iter().chain(cluster_links).copied().collect();
    let components = server.components.iter().map(|status| {
        let product =
            if shared.is_some() { String::new() } else { product(status, context.catalog) };
        component_row(status, context, product, &links)
    });
    ServerRow {
        id: format!("server-{}", dom_safe(&server.name)),
        name: server.name.to_string(),
        details_query: to_query(Dialog::Details(server.name.clone()).pairs()),
        health: server.health,
        facts: facts.join(" · "),
        rejected,
        components: components.collect(),
    }
}

/// The product of all components of a server, if they have the same.
fn shared_product(server: &ServerStatus, catalog: &Catalog) -> Option<String> {
    let mut products = server.components.iter().map(|status| product(status, catalog));
    let first = products.next().filter(|first| !first.is_empty())?;
    products.all(|other| other == first).then_some(first)
}

fn product(status: &ComponentStatus, catalog: &Catalog) -> String {
    if status.component.is_observer() {
        catalog.text(MessageKey::ListThisOverview).to_owned()
    } else {
        status.component.facts.product.clone().unwrap_or_default()
    }
}

fn component_row(
    status: &ComponentStatus,
    context: &ViewContext<'_>,
    product: String,
    hints: &[HintLink],
) -> ComponentRow {
    let component = &status.component;
    let inputs = CellInputs { status, context, hints };
    ComponentRow {
        role: component.role,
        health: status.health,
        pulse: status.pulse,
        product,
        cells: COLUMNS.each_ref().map(|column| (column.cells)(&inputs)),
    }
}
