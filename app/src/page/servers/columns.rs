//! The columns of the table: each has its heading, its sort order and the function that makes its cells.
//!
//! To add a column, add a line to [`COLUMNS`], a function for its cells, one that says whether all servers agree, and its
//! heading to the message files. A cell
//! that is a problem gets a line of its own below the server's.

use crate::cluster::HintId;
use crate::cluster::{ComponentStatus, KeyVerdict, Overview, Pulse, VersionCheck};
use crate::i18n::MessageKey;
use crate::page::route::Sort;
use crate::page::servers::hint_link::HintLink;
use crate::page::status_style::{self, StatusStyle};
use crate::page::view_context::ViewContext;

/// Beside the server's name: its components, each with its pulse.
pub(crate) static PULSE: Column = Column {
    name: "heartbeat",
    heading: MessageKey::ColumnHeartbeat,
    sort: Some(Sort::Heartbeat),
    cells: heartbeat,
    is_said_once: |_| false,
};

/// After them, from left to right.
pub(crate) static COLUMNS: [Column; 3] = [
    Column {
        name: "version",
        heading: MessageKey::ColumnVersion,
        sort: Some(Sort::Version),
        cells: version,
        is_said_once: is_one_version,
    },
    Column {
        name: "encryption-key",
        heading: MessageKey::ColumnEncryptionKey,
        sort: None,
        cells: keys,
        is_said_once: is_one_key,
    },
    Column {
        name: "messenger",
        heading: MessageKey::ColumnMessenger,
        sort: None,
        cells: messenger,
        is_said_once: all_messengers_connect,
    },
];

/// All columns of the table: the name, the components, [`COLUMNS`], and the facts.
pub(crate) const COLUMN_COUNT: usize = COLUMNS.len() + 3;

#[derive(Debug)]
pub(crate) struct Column {
    /// Its name in an element's id.
    pub(crate) name: &'static str,
    pub(crate) heading: MessageKey,
    /// The heading is a link that sorts by this.
    pub(crate) sort: Option<Sort>,
    /// Empty where nothing is known.
    pub(crate) cells: fn(&CellInputs<'_>) -> Vec<Cell>,
    /// Whether all servers say the same, so that the strip above says it once and the column says nothing.
    pub(crate) is_said_once: fn(&Overview) -> bool,
}

/// Which of [`COLUMNS`] say nothing now.
pub(crate) fn said_once(overview: &Overview) -> [bool; COLUMNS.len()] {
    let has_several = overview.servers.len() > 1 && overview.blind_since.is_none();
    let mut columns = COLUMNS.iter().map(|column| has_several && (column.is_said_once)(overview));
    std::array::from_fn(|_| columns.next().unwrap_or_default())
}

fn is_one_version(overview: &Overview) -> bool {
    let is_in_sync = |check| matches!(check, None | Some(VersionCheck::InSync));
    overview.versions.len() == 1 && overview.components().all(|status| is_in_sync(status.version))
}

/// Also if nobody reports one.
fn is_one_key(overview: &Overview) -> bool {
    let mut verdicts = overview.components().flat_map(|status| [status.key, status.machine_key]);
    verdicts.all(|verdict| matches!(verdict, None | Some(KeyVerdict::InSync)))
}

/// Also if no service has one.
fn all_messengers_connect(overview: &Overview) -> bool {
    let mut messengers = overview.components().filter_map(|status| status.messenger.as_ref());
    messengers.all(|messenger| messenger.failure.is_none())
}

/// A verdict and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// `None` if the value is shown without a verdict.
    pub(crate) style: Option<StatusStyle>,
    pub(crate) text: String,
    /// What the server's line shows if this is a problem, which then has a line of its own: empty for the icon alone.
    pub(crate) brief: String,
    /// The anchor and the title of the hint that explains it.
    pub(crate) hint: Option<(String, String)>,
    pub(crate) reason: Option<String>,
}

impl Cell {
    /// Whether it gets a line of its own.
    pub(crate) fn is_problem(&self) -> bool {
        self.hint.is_some() || self.reason.is_some() || self.style.is_some_and(|s| s.emphasized)
    }
}

pub(crate) struct CellInputs<'a> {
    pub(crate) status: &'a ComponentStatus,
    pub(crate) context: &'a ViewContext<'a>,
    /// Hints about the server first, then hints about the cluster.
    pub(crate) hints: &'a [HintLink],
}

/// Hints that a component can have although its heartbeats arrive in time.
const HINTS_IF_ALIVE: &[HintId] = &[
    HintId::DuplicateName,
    HintId::ProbeFailing,
    HintId::SameMachine,
    HintId::ClockSkew,
    HintId::WebUnused,
    HintId::CameBack,
];

/// Hints that explain missing heartbeats.
const HINTS_IF_SILENT: &[HintId] = &[
    HintId::EveryoneSilent,
    HintId::ManySilent,
    HintId::DuplicateName,
    HintId::HeartbeatsRefused,
    HintId::ProbeFailing,
    HintId::ServiceRestarting,
    HintId::WebRestarting,
    HintId::ServiceStale,
    HintId::ServiceLate,
    HintId::WebIdle,
    HintId::WebStale,
    HintId::ServiceStopped,
    HintId::WebStopped,
];

const HINTS_IF_UNSTEADY: &[HintId] =
    &[HintId::ServiceRestarting, HintId::WebRestarting, HintId::ServiceFlapping];

/// The pulse, and what is wrong with a component although its heartbeats arrive.
fn heartbeat(inputs: &CellInputs<'_>) -> Vec<Cell> {
    let CellInputs { status, context, .. } = *inputs;
    let style = status_style::pulse(status.pulse, status.component.role);
    // While the overview is blind, the banner gives the reason once for all rows.
    let is_silent = !matches!(status.pulse, Pulse::Alive | Pulse::Unknown);
    let pulse = Cell {
        hint: is_silent.then(|| inputs.hint(HINTS_IF_SILENT)).flatten(),
        reason: is_silent.then(|| context.catalog.why_pulse(status, context.snapshot)),
        ..inputs.verdict_cell(style, &[])
    };
    let hints = if status.pulse == Pulse::Alive { HINTS_IF_ALIVE } else { &[] };
    let although_alive = inputs.link(hints).map(|link| {
        let (anchor, title) = link.anchor_and_title(context);
        let style = status_style::severity(link.finding.severity);
        Cell { hint: Some((anchor, title.clone())), ..inputs.cell(style, title, &[]) }
    });
    let stability = status_style::stability(status.stability, status.health).map(|style| Cell {
        reason: context.catalog.why_unsteady(status, context.snapshot, context.now),
        ..inputs.verdict_cell(style, HINTS_IF_UNSTEADY)
    });
    std::iter::once(pulse).chain(although_alive).chain(stability).collect()
}

fn version(inputs: &CellInputs<'_>) -> Vec<Cell> {
    let version = &inputs.status.component.facts.version;
    vec![match inputs.status.version.map(status_style::version) {
        Some(style) if style.emphasized => {
            let text = format!("{version}, {}", style.label(inputs.context.catalog));
            let cell = inputs.cell(style, text, &[HintId::VersionSkew]);
            Cell { brief: version.clone(), ..cell }
        }
        style => {
            Cell { style, text: version.clone(), brief: String::new(), hint: None, reason: None }
        }
    }]
}

fn keys(inputs: &CellInputs<'_>) -> Vec<Cell> {
    let CellInputs { status, .. } = *inputs;
    let key = status.key.map(status_style::key);
    let key = key.map(|key| inputs.verdict_cell(key, &[HintId::KeyMismatch, HintId::KeyMissing]));
    let machine_key = status.machine_key.map(status_style::machine_key);
    let machine_key =
        machine_key.map(|key| inputs.verdict_cell(key, &[HintId::MachineKeyMismatch]));
    key.into_iter().chain(machine_key).collect()
}

fn messenger(inputs: &CellInputs<'_>) -> Vec<Cell> {
    let messenger = inputs.status.messenger.as_ref().map(|messenger| Cell {
        reason: inputs.context.catalog.why_messenger(messenger),
        ..inputs.verdict_cell(status_style::messenger(messenger), &[HintId::MessengerUnreachable])
    });
    messenger.into_iter().collect()
}

impl CellInputs<'_> {
    /// The first of these hints that is about this component, its server or the cluster.
    fn link(&self, ids: &[HintId]) -> Option<&HintLink> {
        let role = self.status.component.role;
        self.hints.iter().find(|link| link.explains(ids, role))
    }

    /// The anchor and the title of that hint.
    fn hint(&self, ids: &[HintId]) -> Option<(String, String)> {
        self.link(ids).map(|link| link.anchor_and_title(self.context))
    }

    fn cell(&self, style: StatusStyle, text: String, ids: &[HintId]) -> Cell {
        let hint = if style.icon == "ok" { None } else { self.hint(ids) };
        Cell { style: Some(style), text, brief: String::new(), hint, reason: None }
    }

    /// A cell whose text is the verdict itself.
    fn verdict_cell(&self, style: StatusStyle, ids: &[HintId]) -> Cell {
        self.cell(style, style.label(self.context.catalog).to_owned(), ids)
    }
}
