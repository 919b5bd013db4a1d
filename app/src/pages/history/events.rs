//! The events, by day, newest first. The time of each leads to the overview as it stood then.

use maud::{Markup, html};

use super::{HistoryPage, link_query};
use crate::cluster::hints::Arg;
use crate::cluster::history::{Event, Happening};
use crate::cluster::{ComponentKey, Health, Pulse, Role, Span, Stability, Timestamp};
use crate::i18n::MessageKey;
use crate::page::route::query::to_query;
use crate::page::status_style::{self, StatusStyle};
use crate::pages::layout::DocumentContext;

/// The last events of a server, newest first, as a list for its details. The server is not named.
pub(super) fn recent_events(context: &DocumentContext, events: &[Event]) -> Markup {
    let time = |at: Timestamp| html! { time datetime=(at.rfc3339()) { (at.date_and_clock()) } };
    let role = |subject: Option<&ComponentKey>| {
        let role = subject.map(|subject| context.catalog.role_name(subject.role));
        html! { @if let Some(role) = role { small { (role) } } }
    };
    rows(events, context, &time, &role)
}

/// A list for each day, below its heading. Days are those of UTC.
pub(super) fn days(page: &HistoryPage) -> Markup {
    // Below the heading of a day in UTC.
    let time = |at: Timestamp| html! { time datetime=(at.rfc3339()) data-utc { (at.clock()) } };
    let subject = |subject: Option<&ComponentKey>| subject_link(page, subject);
    html! {
        @for day in page.events.chunk_by(|one, other| date(one.at) == date(other.at)) {
            @if let Some(first) = day.first() {
                @let date = [("day", Arg::Text(date(first.at)))];
                h3 { (page.context.catalog.format(MessageKey::PagesHistoryDay, &date)) }
                (rows(day, &page.context, &time, &subject))
            }
        }
    }
}

fn date(at: Timestamp) -> String {
    at.rfc3339()[..10].to_owned()
}

/// A row for what happened to one component at one moment, such as a start with another version: first what became of it.
fn rows(
    events: &[Event],
    context: &DocumentContext,
    time: &dyn Fn(Timestamp) -> Markup,
    subject: &dyn Fn(Option<&ComponentKey>) -> Markup,
) -> Markup {
    let is_same = |one: &Event, other: &Event| (one.at, &one.subject) == (other.at, &other.subject);
    html! {
        ol.events {
            @for row in events.chunk_by(is_same) {
                @if let Some(first) = row.first() {
                    li {
                        a href=(address_at(context, shown_at(first))) {
                            (time(first.at))
                        }
                        (subject(first.subject.as_ref()))
                        div { @for event in row.iter().rev() { (event_sentence(event, context)) } }
                    }
                }
            }
        }
    }
}

/// The event in a sentence, after the shape of the state that began.
fn event_sentence(event: &Event, context: &DocumentContext) -> Markup {
    html! {
        p {
            @if let Some(style) = style(event) { (status_style::icon(style)) }
            (context.catalog.event(event))
        }
    }
}

/// The first moment at which the overview shows an event: a blind period begins after the last mark before it.
fn shown_at(event: &Event) -> Timestamp {
    let is_blind = matches!(event.what, Happening::Blind { .. });
    if is_blind { event.at + Span::TICK } else { event.at }
}

/// The address of the overview as it stood then.
fn address_at(context: &DocumentContext, at: Timestamp) -> String {
    let pairs = [("at", at.rfc3339())].into_iter().chain(context.appearance.pairs());
    format!("{}/?{}", context.site.base, to_query(pairs))
}

fn subject_link(page: &HistoryPage, subject: Option<&ComponentKey>) -> Markup {
    let catalog = page.context.catalog;
    let Some(ComponentKey { server, role }) = subject else {
        return html! { span { (catalog.text(MessageKey::PagesHistoryCluster)) } };
    };
    let address = link_query(page, &[("server", server.to_string())]);
    html! {
        span {
            a href=(address) { bdi { (server) } }
            " "
            small { (catalog.role_name(*role)) }
        }
    }
}

/// The shape of the state that began; `None` if none did.
fn style(event: &Event) -> Option<StatusStyle> {
    let role = event.subject.as_ref().map_or(Role::Service, |subject| subject.role);
    match &event.what {
        Happening::Pulse { to, .. } => Some(status_style::pulse(*to, role)),
        Happening::Stability { to: Stability::Steady, .. } => {
            Some(status_style::pulse(Pulse::Alive, role))
        }
        Happening::Stability { to: to @ (Stability::Flapping | Stability::Restarting), .. } => {
            status_style::stability(*to, Health::Warning)
        }
        Happening::Blind { .. } => Some(status_style::pulse(Pulse::Unknown, role)),
        Happening::Start { .. }
        | Happening::Version { .. }
        | Happening::Key { .. }
        | Happening::Address { .. }
        | Happening::FirstSeen { .. }
        | Happening::Removed
        | Happening::Returned
        | Happening::BootReturned { .. }
        | Happening::Setting { .. }
        | Happening::ReferenceKey { .. }
        | Happening::Clock { .. } => None,
    }
}
