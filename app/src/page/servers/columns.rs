//! The columns of the table: for each its heading, its sort order, and what its cells say of a component.
//!
//! To add a column: a line in [`COLUMNS`] with a function that makes its cells, and its heading in the message files.

use crate::cluster::hints::HintId;
use crate::cluster::{ComponentStatus, Pulse};
use crate::page::route::Sort;
use crate::page::servers::hint_link::HintLink;
use crate::page::status_style::{self, StatusStyle};
use crate::page::view_context::ViewContext;

/// The columns after the server's name, from left to right.
pub(crate) static COLUMNS: [Column; 4] = [
    Column { key: "column.heartbeat", sort: Some(Sort::Heartbeat), cells: heartbeat },
    Column { key: "column.version", sort: Some(Sort::Version), cells: version },
    Column { key: "column.encryption-key", sort: None, cells: keys },
    Column { key: "column.messenger", sort: None, cells: messenger },
];

#[derive(Debug)]
pub(crate) struct Column {
    /// The message key of its heading.
    pub(crate) key: &'static str,
    /// The order that its heading sets.
    pub(crate) sort: Option<Sort>,
    /// What it says of a component; nothing where nothing is known.
    pub(crate) cells: fn(&CellContext<'_>) -> Vec<Cell>,
}

/// A verdict with its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// `None` where nothing is judged.
    pub(crate) style: Option<StatusStyle>,
    pub(crate) text: String,
    /// The hint that explains it: its anchor and its title.
    pub(crate) hint: Option<(String, String)>,
    /// Why it is so, in a sentence.
    pub(crate) why: Option<String>,
    /// Whether it shows the time since the last heartbeat.
    pub(crate) aged: bool,
}

/// What the cells of a component are made from.
pub(crate) struct CellContext<'a> {
    pub(crate) status: &'a ComponentStatus,
    pub(crate) context: &'a ViewContext<'a>,
    /// The hints about the server, then those about the cluster.
    pub(crate) hints: &'a [HintLink],
}

/// What may be wrong with a component that is alive.
const HINTS_IF_ALIVE: &[HintId] = &[HintId::DuplicateName, HintId::CameBack, HintId::ClockSkew];

/// What may explain a pulse that is not alive.
const HINTS_IF_SILENT: &[HintId] = &[
    HintId::ServiceStale,
    HintId::ServiceLate,
    HintId::WebIdle,
    HintId::WebStale,
    HintId::ServiceStopped,
    HintId::WebStopped,
    HintId::OverviewBlind,
];

fn heartbeat(of: &CellContext<'_>) -> Vec<Cell> {
    let CellContext { status, context, .. } = *of;
    let is_alive = status.pulse == Pulse::Alive;
    let style = status_style::pulse(status.pulse, status.component.role);
    vec![Cell {
        hint: of.hint(if is_alive { HINTS_IF_ALIVE } else { HINTS_IF_SILENT }),
        // While the overview is blind the page says so once, and not again in every row.
        why: (!is_alive && status.pulse != Pulse::Unknown)
            .then(|| context.words.why_pulse(status, context.snapshot)),
        aged: true,
        ..of.cell(style, style.word(context.words).to_owned(), &[])
    }]
}

fn version(of: &CellContext<'_>) -> Vec<Cell> {
    let version = &of.status.component.facts.version;
    vec![match of.status.version.map(status_style::version) {
        Some(style) if style.loud => {
            let text = format!("{version}, {}", style.word(of.context.words));
            of.cell(style, text, &[HintId::VersionSkew])
        }
        style => Cell { style, text: version.clone(), hint: None, why: None, aged: false },
    }]
}

fn keys(of: &CellContext<'_>) -> Vec<Cell> {
    let CellContext { status, .. } = *of;
    let key = status.key.map(status_style::key);
    let key = key.map(|key| of.verdict(key, &[HintId::KeyMismatch, HintId::KeyMissing]));
    let machine_key = status.machine_key.map(status_style::machine_key);
    let machine_key = machine_key.map(|key| of.verdict(key, &[HintId::MachineKeyMismatch]));
    key.into_iter().chain(machine_key).collect()
}

fn messenger(of: &CellContext<'_>) -> Vec<Cell> {
    let messenger = of.status.messenger.as_ref().map(|messenger| Cell {
        why: of.context.words.why_messenger(messenger),
        ..of.verdict(status_style::messenger(messenger), &[HintId::MessengerUnreachable])
    });
    messenger.into_iter().collect()
}

impl CellContext<'_> {
    /// The first hint of these about this component, its server or the cluster.
    fn hint(&self, ids: &[HintId]) -> Option<(String, String)> {
        let role = self.status.component.role;
        let link = self.hints.iter().find(|link| link.explains(ids, role));
        link.map(|link| link.anchor_and_title(self.context))
    }

    fn cell(&self, style: StatusStyle, text: String, ids: &[HintId]) -> Cell {
        let hint = if style.icon == "ok" { None } else { self.hint(ids) };
        Cell { style: Some(style), text, hint, why: None, aged: false }
    }

    /// A cell that says no more than the verdict.
    fn verdict(&self, style: StatusStyle, ids: &[HintId]) -> Cell {
        self.cell(style, style.word(self.context.words).to_owned(), ids)
    }
}
