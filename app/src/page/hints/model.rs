//! The hints as text, a card for each cause.

use crate::cluster::hints::{Arg, dom_safe};
use crate::cluster::{Hint, KeyKind, ServerName, Timestamp};
use crate::cluster::{HintAction, HintId, Severity};
use crate::i18n::{Catalog, MessageKey};
use crate::page::route::dialog::Dialog;
use crate::page::route::query::to_query;
use crate::page::view_context::ViewContext;

/// What is said about one cause: a hint, or all hints that it explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HintCard {
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    /// How many cards of this id and severity come before it.
    pub(crate) place: usize,
    /// The id of its element.
    pub(crate) anchor: String,
    /// How many hints it stands for.
    pub(crate) count: usize,
    pub(crate) title: String,
    pub(crate) evidence: String,
    /// Only the title and the evidence are shown until it is opened.
    pub(crate) is_folded: bool,
    /// Its servers, if it stands for several hints.
    pub(crate) subjects: Vec<Subject>,
    /// How many servers it stands for besides, and the id of the element that says so.
    pub(crate) more: Option<(String, String)>,
    pub(crate) steps: Vec<String>,
    pub(crate) avoid: Option<String>,
    /// Leads to its server, or to a list of its servers: the text and the address.
    pub(crate) show: Option<(String, String)>,
    /// What an admin can do about it on this page.
    pub(crate) action: Option<DialogLink>,
}

/// One of several servers that a card is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    /// The id of its element: the place of the server's own hint.
    pub(crate) anchor: String,
    pub(crate) name: String,
    /// Of its row.
    pub(crate) address: String,
    pub(crate) evidence: String,
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

/// Up to so many cards are open; of more only the first.
const MAX_OPEN: usize = 3;

/// A card for each cause. A server links to its row if it is one of those `shown`, which are positions in the overview.
pub(crate) fn hint_cards(
    hints: &[Hint],
    shown: &[usize],
    context: &ViewContext<'_>,
) -> Vec<HintCard> {
    let all_silent = hints.iter().any(|hint| hint.id == HintId::EveryoneSilent);
    let mut causes: Vec<Vec<&Hint>> = Vec::new();
    for hint in hints {
        let mut known = causes.iter_mut();
        match known.find(|cause| cause.iter().take(1).any(|first| first.has_same_cause(hint))) {
            Some(cause) => cause.push(hint),
            None => causes.push(vec![hint]),
        }
    }
    let folds = causes.len() > MAX_OPEN;
    let mut cards: Vec<HintCard> = Vec::with_capacity(causes.len());
    for cause in &causes {
        let Some(mut card) = hint_card(cause, shown, context) else { continue };
        let is_alike = |other: &&HintCard| (other.id, other.severity) == (card.id, card.severity);
        card.place = cards.iter().filter(is_alike).count();
        if !card.subjects.is_empty() {
            // The places of the servers' own hints are in it.
            let place = card.place;
            card.anchor = format!("hint-{}_{}_{place}", card.id, card.severity.as_str());
        }
        let is_silence = ["service-stale", "service-late"].contains(&card.id);
        card.is_folded = (folds && !cards.is_empty()) || (all_silent && is_silence);
        cards.push(card);
    }
    cards
}

fn hint_card(hints: &[&Hint], shown: &[usize], context: &ViewContext<'_>) -> Option<HintCard> {
    let first = *hints.first()?;
    let catalog = context.catalog;
    let own = || hints.iter().filter_map(|hint| Some((*hint, hint.server.as_ref()?)));
    let is_one = hints.len() == 1;
    let text = if is_one { catalog.hint(first) } else { catalog.hints_together(hints)? };
    let subjects = own().filter(|_| !is_one).map(|(hint, server)| Subject {
        anchor: hint.anchor(),
        name: server.to_string(),
        address: context.row_address(server, shown),
        evidence: catalog.hint(hint).evidence,
    });
    let count: usize = hints.iter().map(|hint| hint.weight()).sum();
    let summary = hints.iter().find(|hint| hint.summed().is_some() && !is_one);
    let more = summary.map(|summary| {
        let count = [("count", Arg::Number(summary.weight()))];
        (catalog.format(MessageKey::HintsMore, &count), summary.anchor())
    });
    let show = if is_one {
        first.server.as_ref().map(|server| {
            let name = [("server", Arg::Text(server.to_string()))];
            let text = catalog.format(MessageKey::HintsShowServer, &name);
            (text, context.row_address(server, shown))
        })
    } else {
        let text = catalog.format(MessageKey::HintsShowAll, &[("count", Arg::Number(count))]);
        Some((text, context.address_of_search(format!("hint:{}", first.id.as_str()))))
    };
    let is_about_one = matches!(first.id.action(), HintAction::Remove | HintAction::Reconnect);
    let action = if is_one || !is_about_one { hint_action(first, catalog) } else { None };
    Some(HintCard {
        id: first.id.as_str(),
        severity: first.severity,
        place: 0,
        anchor: first.anchor(),
        count,
        title: text.title,
        evidence: text.evidence,
        is_folded: false,
        subjects: subjects.collect(),
        more,
        steps: text.steps,
        avoid: text.avoid,
        show,
        action,
    })
}

impl ViewContext<'_> {
    /// The address of a server's row.
    fn row_address(&self, server: &ServerName, shown: &[usize]) -> String {
        let row_anchor = format!("#server-{}", dom_safe(server));
        let servers = &self.overview.servers;
        let at = servers.binary_search_by(|known| known.name.cmp(server));
        if at.is_ok_and(|at| shown.contains(&at)) {
            return row_anchor;
        }
        // The filter or the page leaves its row out: a search for the server shows it.
        format!("{}{row_anchor}", self.address_of_search(server.to_string()))
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
pub(crate) fn cut_off(since: Timestamp, error_detail: &str, catalog: &Catalog) -> HintCard {
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
    HintCard {
        id: "cut-off",
        severity: Severity::Error,
        place: 0,
        anchor: "hint-cut-off".to_owned(),
        count: 1,
        title: catalog.format(title, &args),
        evidence: catalog.format(evidence, &args),
        is_folded: false,
        subjects: Vec::new(),
        more: None,
        steps: catalog.format_all(step, &args),
        avoid: None,
        show: None,
        action: None,
    }
}
