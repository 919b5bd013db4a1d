//! The page of one channel: how it is, a test, a pause, and what it was sent.

use leptos::prelude::*;
use maud::{Markup, html};

use crate::cluster::hints::Arg;
use crate::cluster::{Health, Span};
use crate::i18n::{Language, MessageKey};
use crate::page::status_style;
use crate::pages::channels::{ShownChannel, ShownCondition, test_form};
use crate::pages::deliveries::{self, Outcome, ShownDelivery, ShownLog};
use crate::pages::incidents::{fact, moment};
use crate::pages::layout::{Document, DocumentContext, document, page_header};

/// The longest reason for a pause.
pub const MAX_REASON_CHARS: usize = 200;

/// The pauses to choose from: the first is preselected.
pub const PAUSES: [Span; 6] = [
    Span::minutes(60),
    Span::minutes(4 * 60),
    Span::minutes(8 * 60),
    Span::minutes(DAY),
    Span::minutes(3 * DAY),
    Span::minutes(7 * DAY),
];
const DAY: i64 = 24 * 60;

#[derive(Clone, Debug)]
pub struct ChannelPage {
    pub context: DocumentContext,
    pub channel: ShownChannel,
    /// `None`: none is in the log.
    pub last_test: Option<ShownDelivery>,
    /// A test was sent a moment ago, and its receiver has not answered yet.
    pub awaits_answer: bool,
    /// Why the test that was wanted is not known to have been sent.
    pub test_error: Option<MessageKey>,
    pub form: PauseForm,
    /// `None` while the database cannot be read.
    pub log: Option<ShownLog>,
}

/// The form for a pause, as it was sent.
#[derive(Clone, Debug, Default)]
pub struct PauseForm {
    /// In seconds.
    pub duration: String,
    pub reason: String,
    /// Why it was rejected.
    pub error: Option<MessageKey>,
}

pub fn render(page: ChannelPage) -> Document {
    let context = &page.context;
    let main = html! {
        (summary(&page))
        @if context.is_admin() {
            (test(&page))
            (pause(&page))
        }
        (deliveries::section(context, page.log.as_ref()))
    };
    let body = view! {
        <div class="icon-sprite" inner_html=status_style::SPRITE></div>
        {page_header(context, MessageKey::PagesChannel)}
        <main class="wide-page notifications channel" inner_html=main.into_string()></main>
    };
    document(context, &page.channel.name, body)
}

/// What it is told, and how it is.
fn summary(page: &ChannelPage) -> Markup {
    let ChannelPage { context, channel, .. } = page;
    let text = |key| context.text(key);
    html! {
        section aria-labelledby="title" {
            h1 #title { bdi { (channel.name) } }
            @if channel.condition.is_none() {
                p.error-text role="alert" { (text(MessageKey::PagesChannelBlind)) }
            }
            dl.fact-list {
                @if let Some(condition) = &channel.condition { (state(context, condition)) }
                (fact(text(MessageKey::PagesChannelKind), html! { (channel.kind(context)) }))
                (fact(text(MessageKey::PagesChannelScope), html! { (channel.scope(context)) }))
                (fact(text(MessageKey::PagesChannelReminder), html! { (reminder(page)) }))
                (fact(text(MessageKey::PagesChannelLanguage), html! { (text(language(channel.language))) }))
            }
            p { a href=(context.address("notifications")) { (text(MessageKey::PagesChannelAll)) } }
        }
    }
}

fn state(context: &DocumentContext, condition: &ShownCondition) -> Markup {
    let text = |key| context.text(key);
    html! {
        div.whole {
            dt { (text(MessageKey::PagesIncidentState)) }
            dd { (condition.state(context)) }
        }
        (fact(text(MessageKey::PagesChannelLastDelivered), condition.last_delivered(context)))
    }
}

fn reminder(page: &ChannelPage) -> String {
    let ChannelPage { context, channel, .. } = page;
    let remind = [("remind", Arg::Span(channel.remind))];
    let key = if channel.remind > Span::ZERO {
        MessageKey::PagesChannelReminderEvery
    } else {
        MessageKey::PagesChannelReminderNever
    };
    context.catalog.format(key, &remind)
}

const fn language(language: Language) -> MessageKey {
    match language {
        Language::English => MessageKey::PagesChannelLanguageEn,
        Language::German => MessageKey::PagesChannelLanguageDe,
    }
}

/// The button that sends a test, and what the receiver answered to the last one.
fn test(page: &ChannelPage) -> Markup {
    let ChannelPage { context, channel, last_test, awaits_answer, test_error, .. } = page;
    let text = |key| context.text(key);
    html! {
        section {
            h2 #test { (text(MessageKey::PagesChannelTest)) }
            p.muted { (text(MessageKey::PagesChannelTestLead)) }
            (test_form(context, channel, false))
            @if let Some(error) = test_error {
                p.error-text role="alert" { (text(*error)) }
            } @else if *awaits_answer {
                p role="status" { (text(MessageKey::PagesChannelTestWaiting)) }
            } @else if let Some(test) = last_test {
                (last_result(context, test))
            }
        }
    }
}

fn last_result(context: &DocumentContext, last: &ShownDelivery) -> Markup {
    let text = |key| context.text(key);
    let is_accepted = last.outcome == Outcome::Delivered;
    let (health, result) = if is_accepted {
        (Health::Ok, MessageKey::PagesChannelTestAccepted)
    } else {
        (Health::Error, MessageKey::PagesChannelTestRejected)
    };
    html! {
        div.test-result role="status" {
            p.channel-state {
                (status_style::icon(status_style::health(health)))
                span { b { (text(result)) } " " (moment(last.begun)) }
            }
            (last.answer(context))
            @if !is_accepted {
                ol {
                    @for step in context.catalog.format_all(MessageKey::PagesChannelTestStep, &[]) { li { (step) } }
                }
            }
        }
    }
}

/// The forms that begin a pause, change it and end it.
fn pause(page: &ChannelPage) -> Markup {
    let ChannelPage { context, channel, form, .. } = page;
    let text = |key| context.text(key);
    let action = channel.address(context, "/pause");
    let current = channel.condition.as_ref().and_then(|known| known.pause.as_ref());
    let button = if current.is_some() {
        MessageKey::PagesChannelPauseChange
    } else {
        MessageKey::PagesChannelPauseBegin
    };
    let known_reason = current.map_or("", |pause| pause.reason.as_str());
    let reason = if form.error.is_some() { &form.reason } else { known_reason };
    html! {
        section {
            h2 #channel-pause { (text(MessageKey::PagesChannelPause)) }
            p.muted { (text(MessageKey::PagesChannelPauseLead)) }
            form.inline-form method="post" action=(action) {
                (duration_field(context, form))
                (reason_field(context, form, reason))
                button { (text(button)) }
                @if let Some(error) = form.error {
                    p.error-text #pause-error role="alert" { (text(error)) }
                }
            }
            @if current.is_some() {
                form method="post" action=(action) {
                    button.primary name="resume" value="true" { (text(MessageKey::PagesChannelPauseResume)) }
                }
            }
        }
    }
}

fn duration_field(context: &DocumentContext, form: &PauseForm) -> Markup {
    let is_wrong = form.error == Some(MessageKey::PagesChannelPauseErrorDuration);
    html! {
        div.field {
            label for="duration" { (context.text(MessageKey::PagesChannelPauseDuration)) }
            select #duration name="duration" aria-invalid=[is_wrong.then_some("true")]
                aria-describedby=[is_wrong.then_some("pause-error")] {
                @for span in PAUSES {
                    @let seconds = (span.0 / 1_000).to_string();
                    option value=(seconds) selected[form.duration == seconds] { (length(context, span)) }
                }
            }
        }
    }
}

/// `8 hours`, `3 days`.
fn length(context: &DocumentContext, span: Span) -> String {
    let hours = usize::try_from(span.0 / Span::minutes(60).0).unwrap_or_default();
    let (key, count) = if hours < 24 {
        (MessageKey::PagesChannelPauseHours, hours)
    } else {
        (MessageKey::PagesChannelPauseDays, hours / 24)
    };
    context.catalog.format(key, &[("count", Arg::Number(count))])
}

fn reason_field(context: &DocumentContext, form: &PauseForm, reason: &str) -> Markup {
    let is_wrong = form.error == Some(MessageKey::PagesChannelPauseErrorReason);
    html! {
        div.field.reason {
            label for="reason" { (context.text(MessageKey::PagesChannelPauseReason)) }
            input #reason type="text" name="reason" value=(reason) autocomplete="off"
                maxlength=(MAX_REASON_CHARS) aria-invalid=[is_wrong.then_some("true")]
                aria-describedby=[is_wrong.then_some("pause-error")];
        }
    }
}
