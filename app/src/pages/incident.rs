//! The page of one incident: what is wrong, what to do, and the form with which somebody takes care of it.

use leptos::prelude::*;
use maud::{Markup, html};

use crate::cluster::hints::Arg;
use crate::cluster::{Span, Timestamp};
use crate::i18n::MessageKey;
use crate::page::hints::view::instructions;
use crate::page::status_style;
use crate::pages::deliveries::Outcome;
use crate::pages::incidents::{ShownIncident, acknowledgement, cell, fact, moment, stacked_table};
use crate::pages::layout::{Document, DocumentContext, document, page_header};

/// The longest note that the form takes.
const MAX_NOTE_CHARS: &str = "1000";

#[derive(Clone, Debug)]
pub struct IncidentPage {
    pub context: DocumentContext,
    pub incident: ShownIncident,
    /// Whether it is the reader who takes care of it.
    pub is_own: bool,
    /// How many other open incidents have the same advice, and nobody takes care of them.
    pub alike: usize,
    pub form: IncidentForm,
    pub told: Told,
}

/// Who was told of it.
#[derive(Clone, Debug)]
pub enum Told {
    /// The database cannot be read.
    Unreadable,
    /// Nobody, and why.
    Nobody(Option<MessageKey>),
    /// The first that was told first.
    Channels(Vec<ToldChannel>),
}

#[derive(Clone, Debug)]
pub struct ToldChannel {
    pub name: String,
    /// The path of its page below the base path; `None` if it is no longer in the channel file.
    pub path: Option<String>,
    /// The last time.
    pub at: Timestamp,
    /// That the incident comes and goes.
    pub flapping: bool,
    /// The end of the incident.
    pub ended: bool,
    /// What became of the last message about it; `None` if that is no longer in the log.
    pub outcome: Option<Outcome>,
}

/// The form as it was sent.
#[derive(Clone, Debug, Default)]
pub struct IncidentForm {
    pub note: String,
    /// Also the incidents with the same advice.
    pub with_alike: bool,
    /// Why it was rejected.
    pub error: Option<MessageKey>,
}

pub fn render(page: IncidentPage) -> Document {
    let context = &page.context;
    let main = html! {
        (summary(&page))
        (advice(&page))
        (attendance(&page))
        (told(&page))
    };
    let body = view! {
        <div class="icon-sprite" inner_html=status_style::SPRITE></div>
        {page_header(context, MessageKey::PagesIncident)}
        <main class="wide-page incident" inner_html=main.into_string()></main>
    };
    document(context, &page.incident.text.title, body)
}

/// What is wrong, since when, and for how long.
fn summary(page: &IncidentPage) -> Markup {
    let IncidentPage { context, incident, .. } = page;
    let text = |key| context.text(key);
    let lasted = if incident.ended.is_some() {
        MessageKey::PagesIncidentLasted
    } else {
        MessageKey::PagesIncidentLastedSoFar
    };
    let show = if incident.ended.is_some() {
        MessageKey::PagesIncidentShowThen
    } else {
        MessageKey::PagesIncidentShow
    };
    html! {
        section aria-labelledby="title" {
            h1 #title { span.severity { (incident.icon(context)) } (incident.text.title) }
            dl.fact-list {
                (fact(text(MessageKey::PagesIncidentState), html! { (text(state(incident))) }))
                (fact(text(MessageKey::PagesIncidentSince), moment(incident.since)))
                @if let Some(ended) = incident.ended {
                    (fact(text(MessageKey::PagesIncidentEnded), moment(ended)))
                }
                (fact(text(lasted), html! { (incident.duration()) }))
                @if incident.unobserved > Span::ZERO {
                    @let unobserved = incident.unobserved.to_nearest_second().to_string();
                    (fact(text(MessageKey::PagesIncidentUnobserved), html! { (unobserved) }))
                }
                @if incident.turns > 1 {
                    (fact(text(MessageKey::PagesIncidentRepeated), html! { (incident.turns) }))
                }
                @if incident.servers.len() > 1 {
                    @let servers = [("servers", Arg::List(incident.servers.clone().into()))];
                    (fact(
                        text(MessageKey::PagesIncidentServers),
                        html! { (context.catalog.format(MessageKey::PagesIncidentServerList, &servers)) },
                    ))
                }
                @if let Some(by) = &incident.acknowledged {
                    div.whole {
                        dt { (text(MessageKey::PagesIncidentAcknowledgedBy)) }
                        dd { (acknowledgement(by)) }
                    }
                }
            }
            p { a href=(incident.place) { (text(show)) } }
        }
    }
}

const fn state(incident: &ShownIncident) -> MessageKey {
    match (incident.ended, incident.is_replaced) {
        (Some(_), _) => MessageKey::PagesIncidentStateEnded,
        (None, true) => MessageKey::PagesIncidentStateReplaced,
        (None, false) => MessageKey::PagesIncidentStateOpen,
    }
}

/// How we know, and what to do.
fn advice(page: &IncidentPage) -> Markup {
    let IncidentPage { context, incident, .. } = page;
    let text = &incident.text;
    let heading = match incident.ended {
        Some(_) => MessageKey::PagesIncidentWhatWasToDo,
        None => MessageKey::PagesIncidentWhatToDo,
    };
    html! {
        @if !text.steps.is_empty() {
            section.advice aria-labelledby="what-to-do" {
                h2 #what-to-do { (context.text(heading)) }
                p { (text.evidence) }
                (instructions(&text.steps, text.avoid.as_deref(), context.catalog))
            }
        }
    }
}

/// Who takes care of it: forms, while it is open.
fn attendance(page: &IncidentPage) -> Markup {
    let IncidentPage { context, incident, .. } = page;
    let text = |key| context.text(key);
    let is_acknowledged = incident.acknowledged.is_some();
    html! {
        @if incident.ended.is_none() {
            section aria-labelledby="acknowledge" {
                h2 #acknowledge { (text(MessageKey::PagesIncidentAcknowledge)) }
                p.muted { (text(MessageKey::PagesIncidentAcknowledgeLead)) }
                (form(page))
                @if is_acknowledged {
                    form method="post" action=(action(page)) {
                        button name="withdraw" value="true" { (text(MessageKey::HintsWithdraw)) }
                    }
                }
            }
        }
    }
}

fn action(page: &IncidentPage) -> String {
    page.incident.address(&page.context)
}

fn form(page: &IncidentPage) -> Markup {
    let IncidentPage { context, alike, form, is_own, .. } = page;
    let text = |key| context.text(key);
    let button = match &page.incident.acknowledged {
        None => text(MessageKey::HintsAcknowledge).to_owned(),
        Some(_) if *is_own => text(MessageKey::PagesIncidentSaveNote).to_owned(),
        Some(by) => {
            let by = [("by", Arg::Text(by.by.clone()))];
            context.catalog.format(MessageKey::PagesIncidentTakeOver, &by)
        }
    };
    html! {
        form method="post" action=(action(page)) {
            label for="note" { (text(MessageKey::PagesIncidentNote)) }
            textarea #note name="note" rows="3" maxlength=(MAX_NOTE_CHARS) aria-describedby="note-help"
                aria-invalid=[form.error.map(|_| "true")] { (form.note) }
            small #note-help { (text(MessageKey::PagesIncidentNoteHelp)) }
            @if *alike > 0 {
                @let count = [("count", Arg::Number(*alike))];
                label.check {
                    input type="checkbox" name="alike" value="true" checked[form.with_alike];
                    (context.catalog.format(MessageKey::PagesIncidentAlike, &count))
                }
            }
            @if let Some(error) = form.error { p.error-text role="alert" { (text(error)) } }
            div { button.primary { (button) } }
        }
    }
}

/// Who was told of it, or why nobody was.
fn told(page: &IncidentPage) -> Markup {
    let IncidentPage { context, incident, told, .. } = page;
    let text = |key| context.text(key);
    let nobody = if incident.ended.is_some() {
        MessageKey::PagesIncidentToldNever
    } else {
        MessageKey::PagesIncidentToldNobody
    };
    html! {
        section {
            h2 #told { (text(MessageKey::PagesIncidentTold)) }
            @match told {
                Told::Unreadable => p.error-text { (text(MessageKey::PagesIncidentToldBlind)) },
                Told::Nobody(why) => p {
                    (text(nobody))
                    @if let Some(why) = why { " " (text(*why)) }
                },
                Told::Channels(channels) => (told_table(context, channels)),
            }
            p { a href=(context.address("notifications")) { (text(MessageKey::PagesChannelAll)) } }
        }
    }
}

const TOLD_HEADERS: [MessageKey; 3] = [
    MessageKey::PagesChannel,
    MessageKey::PagesIncidentToldLast,
    MessageKey::PagesChannelColumnAbout,
];

fn told_table(context: &DocumentContext, channels: &[ToldChannel]) -> Markup {
    let rows = html! {
        @for channel in channels {
            tr role="row" {
                th role="rowheader" scope="row" {
                    @match &channel.path {
                        Some(path) => a href=(context.address(path)) { bdi { (channel.name) } },
                        None => bdi { (channel.name) },
                    }
                }
                (cell(context, MessageKey::PagesIncidentToldLast, moment(channel.at)))
                (cell(context, MessageKey::PagesChannelColumnAbout, what_was_told(context, channel)))
            }
        }
    };
    stacked_table(context, "told", &TOLD_HEADERS, rows)
}

fn what_was_told(context: &DocumentContext, channel: &ToldChannel) -> Markup {
    let what = match (channel.ended, channel.flapping) {
        (true, _) => MessageKey::PagesIncidentToldEnd,
        (false, true) => MessageKey::PagesIncidentToldFlapping,
        (false, false) => MessageKey::PagesIncidentToldOpen,
    };
    html! {
        (context.text(what))
        @if let Some(outcome) = channel.outcome { small { (outcome.mark(context)) } }
    }
}
