//! The advice: each hint in words, where it leads, and many of one id under one heading.

use crate::cluster::hints::{Arg, HintAction, HintId, Severity, dom_safe};
use crate::cluster::{Hint, KeyKind, Timestamp};
use crate::i18n::Words;
use crate::page::route::dialog::Dialog;
use crate::page::route::query::to_query;
use crate::page::route::{List, Route};
use crate::page::servers::row_cache::RowCache;
use crate::page::view_context::ViewContext;

/// One hint in words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HintCard {
    pub(crate) id: &'static str,
    /// Its place on the page.
    pub(crate) anchor: String,
    /// The server it is about, and the address of its row.
    pub(crate) server: Option<(String, String)>,
    /// What is wrong.
    pub(crate) title: String,
    /// How one knows.
    pub(crate) evidence: String,
    /// What to do.
    pub(crate) steps: Vec<String>,
    /// What not to do.
    pub(crate) avoid: Option<String>,
    /// What can be done about it on this page.
    pub(crate) action: Option<DialogLink>,
}

/// Something that can be opened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DialogLink {
    /// What its link says.
    pub(crate) text: String,
    /// What it opens, as it stands in an address.
    pub(crate) opens: String,
}

impl DialogLink {
    /// A link that opens something.
    pub(crate) fn with_dialog(text: impl Into<String>, dialog: &Dialog) -> Self {
        Self { text: text.into(), opens: to_query(dialog.pairs()) }
    }
}

/// Hints of one id, folded under one heading where they are many.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct HintGroup {
    /// The id they share.
    pub(crate) id: &'static str,
    /// How many there are, those that a summary stands for too.
    pub(crate) count: usize,
    /// The heading, if they are folded.
    pub(crate) heading: Option<String>,
    pub(crate) severity: Severity,
    pub(crate) hints: Vec<HintCard>,
}

/// More hints than this of one id stand under one heading.
const FOLD_OVER: usize = 5;

/// The hints, each leading to its server's row if that is among those `shown`.
pub(crate) fn hint_groups(
    hints: &[Hint],
    shown: &RowCache,
    context: &ViewContext<'_>,
) -> Vec<HintGroup> {
    let everyone = hints.iter().any(|hint| hint.id == HintId::EveryoneSilent);
    hints
        .chunk_by(|a, b| a.id == b.id)
        .filter_map(|same| {
            let id = same.first()?.id;
            let silent = matches!(id, HintId::ServiceStale | HintId::ServiceLate);
            let fold = same.len() > FOLD_OVER || (everyone && silent);
            let count = same.iter().map(Hint::weight).sum();
            Some(HintGroup {
                id: id.as_str(),
                count,
                heading: fold.then(|| context.words.many(id, count)),
                severity: id.severity(),
                hints: same.iter().map(|hint| advice(hint, shown, context)).collect(),
            })
        })
        .collect()
}

fn advice(hint: &Hint, shown: &RowCache, context: &ViewContext<'_>) -> HintCard {
    let said = context.words.hint(hint);
    HintCard {
        id: hint.id.as_str(),
        anchor: hint.anchor(),
        server: hint.server.as_ref().map(|server| {
            let row = format!("#server-{}", dom_safe(server));
            if shown.shows(server, context.overview) {
                return (server.to_string(), row);
            }
            // Its row is left out by the filter, or on another page: a search for it shows it.
            let list = List { search: server.to_string(), ..List::default() };
            let search =
                Route { list, appearance: context.route.appearance.clone(), ..Route::default() };
            (server.to_string(), format!("{}{row}", search.address()))
        }),
        title: said.title,
        evidence: said.evidence,
        steps: said.steps,
        avoid: said.avoid,
        action: action(hint, context.words),
    }
}

/// What can be done about a hint on this page.
fn action(hint: &Hint, words: &Words) -> Option<DialogLink> {
    let accept = |kind| {
        let digits = hint.text("key")?.to_owned();
        let key = match kind {
            KeyKind::Encryption => "action.accept.encryption",
            KeyKind::Machine => "action.accept.machine",
        };
        let text = words.say(key, &[("key", Arg::Text(digits.clone()))]);
        Some(DialogLink::with_dialog(text, &Dialog::AcceptKey { kind, digits }))
    };
    let remove = || {
        let (server, role) = (hint.server.clone()?, hint.role);
        Some(DialogLink::with_dialog(
            words.label("action.remove"),
            &Dialog::Removal { server, role, again: false },
        ))
    };
    let reconnect = || {
        Some(DialogLink::with_dialog(
            words.label("action.reconnect"),
            &Dialog::Details(hint.server.clone()?),
        ))
    };
    let configure =
        || Some(DialogLink::with_dialog(words.label("page.configure"), &Dialog::Settings(None)));
    match hint.id.action() {
        HintAction::Nothing => None,
        HintAction::AcceptEncryptionKey => accept(KeyKind::Encryption),
        HintAction::AcceptMachineKey => accept(KeyKind::Machine),
        HintAction::Remove => remove(),
        HintAction::Reconnect => reconnect(),
        HintAction::EditSettings => configure(),
    }
}

/// What a page says that has had no news since `since`, though the overview refused some with these words.
pub(crate) fn cut_off(since: Timestamp, refusal: &str, words: &Words) -> HintGroup {
    let args = [("since", Arg::Moment(since)), ("detail", Arg::Text(refusal.to_owned()))];
    let [title, evidence, step] = if refusal.is_empty() {
        ["cut-off.title", "cut-off.evidence", "cut-off.step"]
    } else {
        ["cut-off.refused", "cut-off.refused.evidence", "cut-off.refused.step"]
    };
    let advice = HintCard {
        id: "cut-off",
        anchor: "hint-cut-off".to_owned(),
        server: None,
        title: words.say(title, &args),
        evidence: words.say(evidence, &args),
        steps: words.all(step, &args),
        avoid: None,
        action: None,
    };
    HintGroup {
        id: "cut-off",
        count: 1,
        heading: None,
        severity: Severity::Error,
        hints: vec![advice],
    }
}
