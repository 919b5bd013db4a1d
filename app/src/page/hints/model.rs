//! The hints as text, a card for each cause.

use std::sync::Arc;

use crate::cluster::hints::{Arg, dom_safe};
use crate::cluster::{ComponentStatus, Hint, Incident, KeyKind, Pulse, ServerName, Timestamp};
use crate::cluster::{HintAction, HintId, Severity};
use crate::i18n::{self, Catalog, MessageKey};
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
    /// Since when, if that is known.
    pub(crate) since: Option<Timestamp>,
    /// When it was last known to be due, if nothing is known now.
    pub(crate) as_of: Option<Timestamp>,
    /// Only the title and the evidence are shown until it is opened.
    pub(crate) is_folded: bool,
    /// Its servers, if it stands for several hints.
    pub(crate) subjects: Vec<Subject>,
    /// How many servers it stands for besides, and the id of the element that says so.
    pub(crate) more: Option<(String, String)>,
    pub(crate) steps: Vec<String>,
    pub(crate) avoid: Option<String>,
    /// What follows from it and has no card of its own.
    pub(crate) also: Option<String>,
    /// Leads to its server, or to a list of its servers: the text and the address.
    pub(crate) show: Option<(String, String)>,
    /// What an admin can do about it on this page.
    pub(crate) action: Option<DialogLink>,
    /// A server whose messenger can be dialled again at once.
    pub(crate) reconnect: Option<ServerName>,
    /// The id of its incident; of several hints that of the first that nobody takes care of.
    pub(crate) incident: Option<String>,
    /// Who takes care of it and what they add, if somebody takes care of all.
    pub(crate) acknowledged: Option<String>,
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
    let incidents = || hints.iter().filter_map(|hint| context.incident(hint));
    let unattended = incidents().find(|incident| incident.acknowledged.is_none());
    let incident = unattended.or_else(|| incidents().next());
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
        since: hints
            .iter()
            .filter_map(|hint| hint.since)
            .min()
            .or_else(|| incidents().map(|incident| incident.began).min()),
        as_of: None,
        is_folded: false,
        subjects: subjects.collect(),
        more,
        steps: text.steps,
        avoid: text.avoid,
        also: context.also(hints),
        show,
        action,
        reconnect: first
            .server
            .clone()
            .filter(|_| is_one && first.id.action() == HintAction::Reconnect),
        incident: incident.map(|incident| incident.id.to_string()),
        acknowledged: incident.and_then(|incident| context.acknowledgement(incident)),
    })
}

/// The hints that were due when the overview became blind, folded. `context` is of that moment.
pub(crate) fn last_known_cards(shown: &[usize], context: &ViewContext<'_>) -> Vec<HintCard> {
    let ViewContext { snapshot, overview, .. } = *context;
    let mut cards = hint_cards(&snapshot.hints(overview), shown, context);
    for card in &mut cards {
        card.is_folded = true;
        card.as_of = Some(overview.as_of);
        card.action = None;
        card.reconnect = None;
        card.incident = None;
    }
    cards
}

/// Says that no key is compared, where several servers report none. It is advice of the page alone: the cluster is as well as it
/// can tell.
pub(crate) fn keys_not_checked(context: &ViewContext<'_>) -> Option<HintCard> {
    let ViewContext { overview, catalog, .. } = *context;
    let reports = |status: &ComponentStatus| status.component.facts.key_check.is_some();
    let compared = || {
        overview
            .servers
            .iter()
            .filter(|server| server.components.iter().any(|status| !status.component.is_observer()))
    };
    let count = compared().count();
    let is_due = overview.blind_since.is_none()
        && count > 1
        && !compared().flat_map(|server| &server.components).any(reports);
    let args = [("count", Arg::Number(count))];
    is_due.then(|| HintCard {
        title: catalog.text(MessageKey::HintsNotCheckedTitle).to_owned(),
        evidence: catalog.format(MessageKey::HintsNotCheckedEvidence, &args),
        steps: catalog.format_all(MessageKey::HintsNotCheckedStep, &[]),
        is_folded: true,
        ..HintCard::of_page("keys-not-checked", Severity::Info)
    })
}

impl HintCard {
    /// Advice that only the page gives.
    fn of_page(id: &'static str, severity: Severity) -> Self {
        Self {
            id,
            severity,
            place: 0,
            anchor: format!("hint-{id}"),
            count: 1,
            title: String::new(),
            evidence: String::new(),
            since: None,
            as_of: None,
            is_folded: false,
            subjects: Vec::new(),
            more: None,
            steps: Vec::new(),
            avoid: None,
            also: None,
            show: None,
            action: None,
            reconnect: None,
            incident: None,
            acknowledged: None,
        }
    }
}

impl ViewContext<'_> {
    /// What follows from these hints: of silent services nobody can reach the messenger either.
    fn also(&self, hints: &[&Hint]) -> Option<String> {
        let explains = [HintId::ServiceStale, HintId::ManySilent, HintId::EveryoneSilent];
        let is_about = |status: &&ComponentStatus| {
            let server = &status.component.server;
            hints.iter().any(|hint| match &hint.server {
                Some(known) => known == server,
                None => status.pulse == Pulse::Stale,
            })
        };
        let first = hints.first().filter(|hint| explains.contains(&hint.id))?;
        let unreachable = |status: &&ComponentStatus| {
            status.messenger.as_ref().is_some_and(|messenger| messenger.unreachable().is_some())
        };
        let count = self.overview.components().filter(unreachable).filter(is_about).count();
        let args = [("count", Arg::Number(count))];
        (count > 0 && first.summed().is_none())
            .then(|| self.catalog.format(MessageKey::HintsAlso, &args))
    }

    /// The open incident of a hint.
    fn incident(&self, hint: &Hint) -> Option<&Incident> {
        let mut known = self.snapshot.incidents.iter().filter(|incident| incident.is_open());
        let is_its_own = |incident: &&Arc<Incident>| {
            (&incident.server, incident.role) == (&hint.server, hint.role)
                && incident.hint.family() == hint.id.family()
        };
        known.find(is_its_own).map(Arc::as_ref)
    }

    /// Who takes care of an incident, since when, and what they add.
    fn acknowledgement(&self, incident: &Incident) -> Option<String> {
        let by = incident.acknowledged.as_ref()?;
        let moment = Arg::Text(i18n::recent(by.at, self.now));
        let args = [("by", Arg::Text(by.by.clone())), ("moment", moment)];
        let mut text = self.catalog.format(MessageKey::HintsAcknowledged, &args);
        if !by.note.is_empty() {
            text.push_str(": ");
            text.push_str(&by.note);
        }
        Some(text)
    }

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
    let configure = || {
        Some(DialogLink::opening(
            catalog.text(MessageKey::ActionEditSettings),
            &Dialog::Settings(None),
        ))
    };
    match hint.id.action() {
        HintAction::Nothing | HintAction::Reconnect => None,
        HintAction::AcceptEncryptionKey => accept(KeyKind::Encryption),
        HintAction::AcceptMachineKey => accept(KeyKind::Machine),
        HintAction::Remove => remove(),
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
        title: catalog.format(title, &args),
        evidence: catalog.format(evidence, &args),
        steps: catalog.format_all(step, &args),
        ..HintCard::of_page("cut-off", Severity::Error)
    }
}
