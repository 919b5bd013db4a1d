//! What the pages about incidents have in common: an incident as it is shown.

use maud::{Markup, html};

use crate::cluster::hints::Arg;
use crate::cluster::{Acknowledgement, Severity, Span, Timestamp};
use crate::i18n::{HintText, MessageKey};
use crate::page::status_style;
use crate::pages::layout::DocumentContext;

/// An incident, with all there is to say about it.
#[derive(Clone, Debug)]
pub struct ShownIncident {
    pub id: String,
    /// How urgent it is, or was at its worst if it ended.
    pub severity: Severity,
    pub text: HintText,
    pub servers: Vec<String>,
    pub since: Timestamp,
    /// `None` while it is open.
    pub ended: Option<Timestamp>,
    /// How long it lasted, until now or its end.
    pub lasted: Span,
    /// For how much of that time nobody could observe.
    pub unobserved: Span,
    /// How often it began.
    pub turns: u32,
    /// Another hint explains it, and is shown in its place.
    pub is_replaced: bool,
    pub acknowledged: Option<Acknowledgement>,
    /// The address of the overview at that moment, at its hint.
    pub place: String,
}

impl ShownIncident {
    /// The address of its own page.
    pub(super) fn address(&self, context: &DocumentContext) -> String {
        context.address(&format!("incidents/{}", self.id))
    }

    /// How urgent it is, as a shape with a name.
    pub(super) fn icon(&self, context: &DocumentContext) -> Markup {
        status_style::icon_alone(status_style::severity(self.severity), context.catalog)
    }

    /// `12 min`, to the second.
    pub(super) fn duration(&self) -> String {
        self.lasted.to_nearest_second().to_string()
    }

    /// For how long nobody observed it, if at all.
    pub(super) fn not_observed(&self, context: &DocumentContext) -> Option<String> {
        let blind = [("blind", Arg::Span(self.unobserved.to_nearest_second()))];
        (self.unobserved > Span::ZERO)
            .then(|| context.catalog.format(MessageKey::PagesHistoryNotObserved, &blind))
    }

    /// How often it began, if more than once.
    pub(super) fn repeated(&self, context: &DocumentContext) -> Option<String> {
        let count = [("count", Arg::Number(usize::try_from(self.turns).unwrap_or(usize::MAX)))];
        (self.turns > 1).then(|| context.catalog.format(MessageKey::PagesIncidentTurns, &count))
    }
}

/// A moment, which `times.js` writes in the time of the reader.
pub(super) fn moment(at: Timestamp) -> Markup {
    html! { time datetime=(at.rfc3339()) { (at.date_and_clock()) } }
}

/// A term of a `dl`.
pub(super) fn fact(name: &str, value: Markup) -> Markup {
    html! { div { dt { (name) } dd { (value) } } }
}

/// Who takes care of it, since when, and what they add.
pub(super) fn acknowledgement(by: &Acknowledgement) -> Markup {
    html! {
        bdi { (by.by) } ", " (moment(by.at))
        @if !by.note.is_empty() { span.note { (by.note) } }
    }
}

/// A table whose rows are blocks on a narrow screen. `heading`: the id of the heading above.
pub(super) fn stacked_table(
    context: &DocumentContext,
    heading: &str,
    headers: &[MessageKey],
    rows: Markup,
) -> Markup {
    html! {
        div.table-scroll.stacked tabindex="0" role="region" aria-labelledby=(heading) {
            table role="table" {
                thead { tr role="row" { @for key in headers { th role="columnheader" scope="col" { (context.text(*key)) } } } }
                tbody { (rows) }
            }
        }
    }
}

/// A cell of such a table. Its column is named again where the rows are blocks.
pub(super) fn cell(context: &DocumentContext, column: MessageKey, value: Markup) -> Markup {
    html! { td role="cell" data-label=(context.text(column)) { (value) } }
}
