//! Small parts that several views use.

use maud::{Markup, html};

use crate::cluster::hints::Arg;
use crate::cluster::{Span, Timestamp};
use crate::i18n::{Catalog, MessageKey};
use crate::page::state::PageState;

/// A plain link.
pub(crate) fn link(id: &str, class: &str, href: &str, text: &str) -> Markup {
    html! { a id=(id) class=(class) href=(href) { (text) } }
}

/// A link that opens a dialog of a command. A viewer sees none: the header says who may.
pub(crate) fn permitted_link(
    state: PageState,
    id: &str,
    class: &str,
    query: &str,
    text: &str,
) -> Markup {
    html! { @if !state.is_read_only() { (link(id, class, &state.address(query), text)) } }
}

pub(crate) fn hidden_fields(pairs: &[(&'static str, String)]) -> Markup {
    html! { @for (name, value) in pairs { input type="hidden" name=(name) value=(value); } }
}

/// A button that copies `text`. `what` says
/// what is copied to those who do not see what stands beside the button. `copy.js` does it.
pub(crate) fn copy_button(catalog: &Catalog, what: &str, text: &str) -> Markup {
    let copy = catalog.text(MessageKey::ActionCopy);
    html! {
        button.copy type="button" data-copy=(text) aria-label={ (copy) ": " (what) } { (copy) }
    }
}

/// `12 s ago`, the coarser the longer ago, so that a list of many servers is not drawn anew each second.
pub(crate) fn time_since(catalog: &Catalog, now: Timestamp, then: Timestamp) -> String {
    let span = now - then;
    let step = match span.0 {
        ..2_000 => return catalog.text(MessageKey::AgeNow).to_owned(),
        2_000..10_000 => Span::seconds(1),
        10_000..60_000 => Span::seconds(5),
        _ => Span::minutes(1),
    };
    let span = Span(span.0 - span.0 % step.0);
    catalog.format(MessageKey::AgeAgo, &[("span", Arg::Span(span))])
}
