//! A server as the table shows it: one line for what it is, and one more for each problem.

use crate::cluster::hints::dom_safe;
use crate::cluster::{ComponentStatus, Health, Pulse, Role, ServerStatus, Snapshot};
use crate::i18n::{Catalog, MessageKey};
use crate::page::route::dialog::Dialog;
use crate::page::route::query::to_query;
use crate::page::servers::columns::{COLUMNS, Cell, CellInputs, Column, PULSE};
use crate::page::servers::groups::GroupHead;
use crate::page::servers::hint_link::HintLink;
use crate::page::servers::listing::Listing;
use crate::page::status_style::{self, StatusStyle};
use crate::page::view_context::ViewContext;

/// Everything but the times of heartbeats, so that a heartbeat in time changes no `ServerRow`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerRow {
    /// The id of its element.
    pub(crate) id: String,
    pub(crate) name: String,
    /// The head of the group that begins with it.
    pub(crate) head: Option<GroupHead>,
    pub(crate) health: Health,
    pub(crate) details_query: String,
    pub(crate) removal_query: String,
    pub(crate) address: String,
    /// Address, operating system and product.
    pub(crate) facts: String,
    pub(crate) components: Vec<ComponentChip>,
    /// By column: what its components say, equal things once.
    pub(crate) cells: [Vec<Cell>; COLUMNS.len()],
    /// The most urgent first.
    pub(crate) problems: Vec<Problem>,
}

/// A component within the line of its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ComponentChip {
    pub(crate) role: Role,
    pub(crate) pulse: Pulse,
    pub(crate) style: StatusStyle,
    /// How it last was, while that is unknown, if it was not alive.
    pub(crate) was: Option<StatusStyle>,
    /// Empty if all components of the server have the same product.
    pub(crate) product: String,
}

/// A line about what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The components that have it; none for the server as a whole.
    pub(crate) roles: Vec<Role>,
    /// The name of the column that it is from; empty for the server as a whole.
    pub(crate) column: &'static str,
    /// How many problems of that column come before it.
    pub(crate) place: usize,
    pub(crate) cell: Cell,
}

impl Problem {
    fn urgency(&self) -> usize {
        let icon = self.cell.style.map_or("", |style| style.icon);
        ["error", "warning"].iter().position(|urgent| *urgent == icon).unwrap_or(2)
    }
}

fn last_pulse(status: &ComponentStatus, context: &ViewContext<'_>) -> Option<StatusStyle> {
    let Snapshot { settings, blind_periods, blind_since, .. } = context.snapshot;
    let pulse = status.component.pulse(settings, blind_periods, (*blind_since)?);
    (pulse != Pulse::Alive).then(|| status_style::pulse(pulse, status.component.role))
}

pub(crate) fn server_row(
    server: &ServerStatus,
    links: &[HintLink],
    rejected: Option<String>,
    context: &ViewContext<'_>,
    listing: &Listing,
) -> ServerRow {
    let shared = shared_product(server, context.catalog);
    let mut facts: Vec<String> = server
        .latest()
        .map(|latest| {
            vec![
                latest.facts.ip.to_string(),
                format!("{} {}", latest.facts.os.name, latest.facts.os.version),
            ]
        })
        .unwrap_or_default();
    facts.extend(shared.clone());
    // A cell takes the first hint that explains it: those about its server are more precise.
    let links: Vec<HintLink> = links.iter().chain(&listing.cluster_links).copied().collect();
    let components = server.components.iter().map(|status| ComponentChip {
        role: status.component.role,
        pulse: status.pulse,
        style: status_style::pulse(status.pulse, status.component.role),
        was: last_pulse(status, context),
        product: if shared.is_some() { String::new() } else { product(status, context.catalog) },
    });
    let mut cells: [Vec<Cell>; COLUMNS.len()] = Default::default();
    let mut problems: Vec<Problem> = rejected.map(rejection).into_iter().collect();
    for status in &server.components {
        let inputs = CellInputs { status, context, hints: &links };
        add_problems(&mut problems, status, &PULSE, &(PULSE.cells)(&inputs));
        let columns = COLUMNS.iter().zip(&mut cells).zip(listing.said_once);
        for ((column, said), _) in columns.filter(|(_, is_said_once)| !is_said_once) {
            let found = (column.cells)(&inputs);
            add_problems(&mut problems, status, column, &found);
            for cell in found {
                say_once(said, cell);
            }
        }
    }
    problems.sort_by_key(Problem::urgency);
    ServerRow {
        id: format!("server-{}", dom_safe(&server.name)),
        name: server.name.to_string(),
        head: None,
        details_query: to_query(Dialog::Details(server.name.clone()).pairs()),
        removal_query: to_query(
            Dialog::Removal { server: server.name.clone(), role: None, again: false }.pairs(),
        ),
        health: server.health,
        address: facts.first().cloned().unwrap_or_default(),
        facts: facts.join(" · "),
        components: components.collect(),
        cells,
        problems,
    }
}

/// A value that is said with a verdict is not said again without one.
fn say_once(said: &mut Vec<Cell>, cell: Cell) {
    match said.iter_mut().find(|known| known.text == cell.text) {
        Some(known) if known.style.is_none() => *known = cell,
        Some(known) if cell.style.is_none() || known.style == cell.style => {}
        _ => said.push(cell),
    }
}

/// Adds the problems among a component's cells of one column. What both components have is said once.
fn add_problems(
    problems: &mut Vec<Problem>,
    status: &ComponentStatus,
    column: &Column,
    cells: &[Cell],
) {
    let role = status.component.role;
    for cell in cells.iter().filter(|cell| cell.is_problem()) {
        let same_column = problems.iter_mut().filter(|known| known.column == column.name);
        let mut place = 0;
        let known = same_column.inspect(|_| place += 1).find(|known| known.cell == *cell);
        if let Some(known) = known {
            known.roles.push(role);
        } else {
            let (roles, column) = (vec![role], column.name);
            problems.push(Problem { roles, column, place, cell: cell.clone() });
        }
    }
}

/// That heartbeats in the server's name are rejected.
fn rejection(text: String) -> Problem {
    let style = Some(status_style::REJECTED);
    let cell = Cell { style, text, brief: String::new(), hint: None, reason: None };
    Problem { roles: Vec::new(), column: "", place: 0, cell }
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
