//! The history page: when the servers were up, and what happened. It works without scripts.

mod events;
mod query;
mod servers;
mod strip;
mod words;

use leptos::prelude::*;
use maud::html;

pub use self::query::{HistoryFilter, HistoryRange, MAX_TEXT_CHARS};
pub use self::servers::{ALL_STRIPS, ServerStrip, Strips};
use crate::cluster::Timestamp;
use crate::cluster::hints::Arg;
use crate::cluster::history::{Event, EventKind, Interval};
use crate::i18n::MessageKey;
use crate::page::route::query::to_query;
use crate::page::status_style;
use crate::pages::layout::{
    Document, DocumentContext, copy_label, document, hidden_inputs, page_header,
};

#[derive(Clone, Debug)]
pub struct HistoryPage {
    pub context: DocumentContext,
    pub range: HistoryRange,
    pub span: Interval,
    /// Nothing is recorded before it.
    pub begins: Timestamp,
    pub filter: HistoryFilter,
    pub strips: Strips,
    /// Whether also those are shown that would make the page long.
    pub has_all_strips: bool,
    /// Those of this page that pass the filter, newest first.
    pub events: Vec<Event>,
    /// The query of the next page, if there is one.
    pub older: Option<String>,
    /// Whether this is not the first page.
    pub is_older: bool,
}

pub fn render(page: HistoryPage) -> Document {
    let context = &page.context;
    let title = MessageKey::PagesHistory;
    let body = view! {
        <div class="icon-sprite" inner_html=format!("{}{}", status_style::SPRITE, strip::PATTERNS)></div>
        {page_header(context, title)}
        <main class="wide-page history">
            <div class="section-head">
                <h1>{context.text(title)}</h1>
                <button type="button" class="copy">
                    {copy_label(context, MessageKey::ActionCopyMarkdown)}
                </button>
            </div>
            {availability_section(&page)}
            {events_section(&page)}
        </main>
    };
    document(context, context.text(title), body)
}

/// The last day of a server as strips, if it was there, and its last events, newest first: for its details.
pub fn recent(
    context: &DocumentContext,
    last_day: Interval,
    server: Option<&ServerStrip>,
    events: &[Event],
) -> String {
    let parts = html! {
        @if let Some(server) = server { (servers::recent_strip(context, server, last_day)) }
        (events::recent_events(context, events))
    };
    parts.into_string()
}

/// The query of a link on this page to itself: it keeps the span and the appearance.
fn link_query(page: &HistoryPage, pairs: &[(&'static str, String)]) -> String {
    let kept = page.range.pairs().into_iter().chain(page.context.appearance.pairs());
    format!("?{}", to_query(pairs.iter().cloned().chain(kept)))
}

fn availability_section(page: &HistoryPage) -> impl IntoView + use<> {
    let context = &page.context;
    let all = (!page.filter.server.is_empty()).then(|| {
        view! {
            <a class="button" href=link_query(page, &[])>
                {context.text(MessageKey::PagesHistoryAllServers)}
            </a>
        }
    });
    let [from, until] = [("from", page.span.from), ("until", page.span.until)]
        .map(|(name, at)| (name, Arg::Text(at.date_and_clock())));
    let from_until = context.catalog.format(MessageKey::PagesHistoryFromUntil, &[from, until]);
    view! {
        <section aria-labelledby="availability">
            <div class="section-head">
                <h2 id="availability">{context.text(MessageKey::PagesHistoryAvailability)}</h2>
                {range_links(page)}
            </div>
            <p class="muted from-until">{from_until}</p>
            <div inner_html=servers::cluster_strips(page).into_string()></div>
            <div class="section-head">
                <h3>{context.text(MessageKey::ListTitle)}</h3>
                {all}
            </div>
            <div inner_html=servers::server_strips(page).into_string()></div>
            <div inner_html=servers::legend(page).into_string()></div>
            <p class="muted">{context.text(MessageKey::PagesHistoryNotes)}</p>
            <p class="muted">{context.text(MessageKey::PagesPastNotRecorded)}</p>
        </section>
    }
}

fn range_links(page: &HistoryPage) -> impl IntoView + use<> {
    let link = |range: HistoryRange| {
        let pairs = range.pairs().into_iter().chain(page.filter.pairs());
        let query = to_query(pairs.chain(page.context.appearance.pairs()));
        let current = (range == page.range).then_some("true");
        view! {
            <a class="filter" href=format!("?{query}") aria-current=current>
                {page.context.text(range.message())}
            </a>
        }
    };
    let links = HistoryRange::ALL.map(link).to_vec();
    view! {
        <nav class="filter-list" aria-label=page.context.text(MessageKey::PagesHistorySpan)>
            {links}
        </nav>
    }
}

fn events_section(page: &HistoryPage) -> impl IntoView + use<> {
    let context = &page.context;
    let filtered = page.filter != HistoryFilter::default();
    let none = page.events.is_empty().then(|| {
        let key = if filtered || page.is_older {
            MessageKey::PagesHistoryNoneMatching
        } else {
            MessageKey::PagesHistoryNone
        };
        view! { <p class="no-events">{context.text(key)}</p> }
    });
    let older = page.older.as_ref().map(|query| {
        view! {
            <a class="button" href=format!("?{query}#events")>
                {context.text(MessageKey::PagesAuditOlder)}
            </a>
        }
    });
    let newest = (page.is_older || filtered).then(|| {
        view! {
            <a class="button" href=link_query(page, &[])>
                {context.text(MessageKey::PagesHistoryAllEvents)}
            </a>
        }
    });
    let begins = (page.older.is_none() && page.span.from < page.begins).then(|| {
        let begins = [("begins", Arg::Date(page.begins))];
        let text = context.catalog.format(MessageKey::PagesHistoryBegins, &begins);
        view! { <p class="muted">{text}</p> }
    });
    view! {
        <section aria-labelledby="events">
            <h2 id="events">{context.text(MessageKey::PagesHistoryEvents)}</h2>
            <p class="muted">{context.text(MessageKey::PagesHistoryEventsLead)}</p>
            {filter_form(page)}
            {none}
            <div inner_html=events::days(page).into_string()></div>
            {begins}
            <p class="buttons">{older} {newest}</p>
        </section>
    }
}

fn filter_form(page: &HistoryPage) -> impl IntoView + use<> {
    let context = &page.context;
    let HistoryFilter { server, kind: chosen, text } = page.filter.clone();
    let kept: Vec<_> = page.range.pairs().into_iter().chain(context.appearance.pairs()).collect();
    // For names that can be chosen from a list.
    let field = |id: &'static str, label: MessageKey, value: String, list: Option<&'static str>| {
        let most = MAX_TEXT_CHARS.to_string();
        view! {
            <div class="field">
                <label for=id>{context.text(label)}</label>
                <input type="search" id=id name=id value=value list=list maxlength=most autocapitalize="none" spellcheck="false" />
            </div>
        }
    };
    let kind = |kind: EventKind| {
        view! {
            <option value=kind.as_str() selected=chosen == Some(kind)>
                {context.catalog.event_kind(kind)}
            </option>
        }
    };
    let names = html! { @for name in &page.strips.names { option value=(name) {} } };
    let kinds = EventKind::ALL.map(kind).to_vec();
    view! {
        <form class="inline-form" method="get" action=format!("{}/history", context.site.base) role="search">
            {hidden_inputs(&kept)}
            <datalist id="names" inner_html=names.into_string()></datalist>
            {field("server", MessageKey::ColumnServer, server, Some("names"))}
            <div class="field">
                <label for="kind">{context.text(MessageKey::PagesHistoryFilterKind)}</label>
                <select id="kind" name="kind">
                    <option value="">{context.text(MessageKey::PagesHistoryFilterAllKinds)}</option>
                    {kinds}
                </select>
            </div>
            {field("text", MessageKey::PagesHistoryFilterText, text, None)}
            <button>{context.text(MessageKey::PagesAuditFilterApply)}</button>
        </form>
    }
}

#[cfg(test)]
mod tests;
