//! The hints as text, grouped by id.

use crate::cluster::hints::{Arg, dom_safe};
use crate::cluster::{Hint, KeyKind, Timestamp};
use crate::cluster::{HintAction, HintId, Severity};
use crate::i18n::{Catalog, MessageKey};
use crate::page::route::dialog::Dialog;
use crate::page::route::query::to_query;
use crate::page::route::{List, Route};
use crate::page::view_context::ViewContext;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HintCard {
    pub(crate) id: &'static str,
    /// The id of its element.
    pub(crate) anchor: String,
    /// The server it is about, and the address of the server's row.
    pub(crate) server: Option<(String, String)>,
    pub(crate) title: String,
    pub(crate) evidence: String,
    /// Only the title and the evidence are shown until it is opened.
    pub(crate) is_folded: bool,
    pub(crate) steps: Vec<String>,
    pub(crate) avoid: Option<String>,
    /// What an admin can do about it on this page.
    pub(crate) action: Option<DialogLink>,
}

/// A link that opens a dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DialogLink {
    pub(crate) text: String,
    /// The query parameters of the dialog.
    pub(crate) query: String,
}

impl DialogLink {
    pub(crate) fn opening(text: impl Into<String>, dialog: &Dialog) -> Self {
        Self { text: text.into(), query: to_query(dialog.pairs()) }
    }
}

/// The hints of one id; folded under one heading if there are many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HintGroup {
    pub(crate) id: &'static str,
    /// Also counts the hints that a summary stands for.
    pub(crate) count: usize,
    /// `Some` if they are folded.
    pub(crate) heading: Option<String>,
    pub(crate) severity: Severity,
    pub(crate) hints: Vec<HintCard>,
}

/// If there are more hints of one id, they are folded.
const MAX_UNFOLDED: usize = 5;

/// Up to so many hints are open; of more only the first.
const MAX_OPEN: usize = 3;

/// Each hint links to its server's row if the server is one of those `shown`, which are positions in the overview.
pub(crate) fn hint_groups(
    hints: &[Hint],
    shown: &[usize],
    context: &ViewContext<'_>,
) -> Vec<HintGroup> {
    let all_silent = hints.iter().any(|hint| hint.id == HintId::EveryoneSilent);
    // What is in a folded group has been asked for, so it is not folded again.
    let folds_cards = hints.len() > MAX_OPEN;
    let mut is_first = true;
    hints
        .chunk_by(|a, b| (a.id, a.severity) == (b.id, b.severity))
        .filter_map(|same| {
            let id = same.first()?.id;
            let is_silence = matches!(id, HintId::ServiceStale | HintId::ServiceLate);
            let fold = same.len() > MAX_UNFOLDED || (all_silent && is_silence);
            let count = same.iter().map(Hint::weight).sum();
            let mut card = |hint| {
                let is_folded = folds_cards && !fold && !is_first;
                is_first = false;
                hint_card(hint, is_folded, shown, context)
            };
            Some(HintGroup {
                id: id.as_str(),
                count,
                heading: fold.then(|| context.catalog.title_of_many(id, count)),
                severity: same.first()?.severity,
                hints: same.iter().map(&mut card).collect(),
            })
        })
        .collect()
}

fn hint_card(hint: &Hint, is_folded: bool, shown: &[usize], context: &ViewContext<'_>) -> HintCard {
    let text = context.catalog.hint(hint);
    HintCard {
        id: hint.id.as_str(),
        anchor: hint.anchor(),
        server: hint.server.as_ref().map(|server| {
            let row_anchor = format!("#server-{}", dom_safe(server));
            let servers = &context.overview.servers;
            let at = servers.binary_search_by(|known| known.name.cmp(server));
            if at.is_ok_and(|at| shown.contains(&at)) {
                return (server.to_string(), row_anchor);
            }
            // The filter or the page leaves its row out: a search for the server shows it.
            let list = List { search: server.to_string(), ..List::default() };
            let search =
                Route { list, appearance: context.route.appearance.clone(), ..Route::default() };
            (server.to_string(), format!("{}{row_anchor}", search.address()))
        }),
        title: text.title,
        evidence: text.evidence,
        is_folded,
        steps: text.steps,
        avoid: text.avoid,
        action: hint_action(hint, context.catalog),
    }
}

fn hint_action(hint: &Hint, catalog: &Catalog) -> Option<DialogLink> {
    let accept = |kind| {
        let digits = hint.text("key")?.to_owned();
        let key = match kind {
            KeyKind::Encryption => MessageKey::ActionAcceptEncryptionKey,
            KeyKind::Machine => MessageKey::ActionAcceptMachineKey,
        };
        let text = catalog.format(key, &[("key", Arg::Text(digits.clone()))]);
        Some(DialogLink::opening(text, &Dialog::AcceptKey { kind, digits }))
    };
    let remove = || {
        let (server, role) = (hint.server.clone()?, hint.role);
        Some(DialogLink::opening(
            catalog.text(MessageKey::ActionRemove),
            &Dialog::Removal { server, role, again: false },
        ))
    };
    let reconnect = || {
        Some(DialogLink::opening(
            catalog.text(MessageKey::ActionReconnect),
            &Dialog::Details(hint.server.clone()?),
        ))
    };
    let configure = || {
        Some(DialogLink::opening(
            catalog.text(MessageKey::ActionEditSettings),
            &Dialog::Settings(None),
        ))
    };
    match hint.id.action() {
        HintAction::Nothing => None,
        HintAction::AcceptEncryptionKey => accept(KeyKind::Encryption),
        HintAction::AcceptMachineKey => accept(KeyKind::Machine),
        HintAction::Remove => remove(),
        HintAction::Reconnect => reconnect(),
        HintAction::EditSettings => configure(),
    }
}

/// The only hint of a page that has had no update since `since`. `error_detail` is the overview's reason if it
/// rejects this page's requests.
pub(crate) fn cut_off(since: Timestamp, error_detail: &str, catalog: &Catalog) -> HintGroup {
    let args = [("since", Arg::Moment(since)), ("detail", Arg::Text(error_detail.to_owned()))];
    let [title, evidence, step] = if error_detail.is_empty() {
        [MessageKey::CutOffTitle, MessageKey::CutOffEvidence, MessageKey::CutOffStep]
    } else {
        [
            MessageKey::CutOffRejectedTitle,
            MessageKey::CutOffRejectedEvidence,
            MessageKey::CutOffRejectedStep,
        ]
    };
    let hint_card = HintCard {
        id: "cut-off",
        anchor: "hint-cut-off".to_owned(),
        server: None,
        title: catalog.format(title, &args),
        evidence: catalog.format(evidence, &args),
        is_folded: false,
        steps: catalog.format_all(step, &args),
        avoid: None,
        action: None,
    };
    HintGroup {
        id: "cut-off",
        count: 1,
        heading: None,
        severity: Severity::Error,
        hints: vec![hint_card],
    }
}
