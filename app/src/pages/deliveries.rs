//! The log of a channel: what it was sent, and what became of each message.

use maud::{Markup, html};

use crate::cluster::hints::Arg;
use crate::cluster::news::News;
use crate::cluster::{Health, Timestamp};
use crate::i18n::MessageKey;
use crate::page::route::query::to_query;
use crate::page::status_style;
use crate::pages::incidents::{cell, moment, stacked_table};
use crate::pages::layout::DocumentContext;

/// A page of the log.
#[derive(Clone, Debug)]
pub struct ShownLog {
    /// The latest first.
    pub messages: Vec<ShownDelivery>,
    /// When the last message of this page was begun, if there is another page.
    pub older: Option<Timestamp>,
    /// Whether this is not the first page.
    pub is_older: bool,
    /// The address of the first page.
    pub latest: String,
}

/// A message, and what became of it.
#[derive(Clone, Debug)]
pub struct ShownDelivery {
    pub begun: Timestamp,
    pub tries: u32,
    pub next_try: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub outcome: Outcome,
    /// What the receiver answered last, or what went wrong.
    pub answer: Option<String>,
    /// About how many incidents it has news of each kind; empty if it is a test.
    pub news: Vec<(News, usize)>,
    /// The first of these incidents.
    pub incidents: Vec<NamedIncident>,
}

/// An incident of a message.
#[derive(Clone, Debug)]
pub struct NamedIncident {
    pub id: String,
    pub title: String,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Pending,
    Delivered,
    /// A later message says the same and more.
    Merged,
    /// It was tried for a day, or it was a test.
    GivenUp,
}

impl ShownDelivery {
    fn is_test(&self) -> bool {
        self.news.is_empty()
    }

    /// What the receiver answered, or what went wrong.
    pub(super) fn answer(&self, context: &DocumentContext) -> Markup {
        let label = if self.outcome == Outcome::Delivered {
            MessageKey::PagesChannelAnswer
        } else {
            MessageKey::PagesChannelLastError
        };
        html! {
            @if let Some(answer) = &self.answer {
                @let args = [("error", Arg::Text(answer.clone()))];
                small.answer { (context.catalog.format(label, &args)) }
            }
        }
    }

    /// How it ended and when, or when it is tried next.
    fn outcome(&self, context: &DocumentContext) -> Markup {
        html! {
            @if self.is_test() && self.outcome == Outcome::GivenUp {
                (mark(context, Health::Error, MessageKey::PagesChannelOutcomeRejected))
            } @else {
                (self.outcome.mark(context))
            }
            @if let Some(ended) = self.ended { small { (moment(ended)) } }
            @if let Some(next) = self.next_try.filter(|_| self.tries > 0) {
                small { (context.text(MessageKey::PagesChannelNextTry)) " " (moment(next)) }
            }
            (self.answer(context))
        }
    }

    /// `2 new, 1 over`, and the incidents.
    fn about(&self, context: &DocumentContext) -> Markup {
        let total: usize = self.news.iter().map(|(_, count)| count).sum();
        let more = [("count", Arg::Number(total.saturating_sub(self.incidents.len())))];
        let counts = self.news.iter().map(|(what, count)| {
            context.catalog.format(news(*what), &[("count", Arg::Number(*count))])
        });
        html! {
            @if self.is_test() { (context.text(MessageKey::PagesChannelTest)) } @else {
                (counts.collect::<Vec<_>>().join(", "))
                @for incident in &self.incidents {
                    small { a href=(context.address(&format!("incidents/{}", incident.id))) { (incident.title) } }
                }
                @if total > self.incidents.len() {
                    small { (context.catalog.format(MessageKey::PagesNotifyMore, &more)) }
                }
            }
        }
    }
}

impl Outcome {
    /// In words, with a shape.
    pub(super) fn mark(self, context: &DocumentContext) -> Markup {
        let (health, word) = match self {
            Self::Pending => (Health::Unknown, MessageKey::PagesChannelOutcomePending),
            Self::Delivered => (Health::Ok, MessageKey::PagesChannelOutcomeDelivered),
            Self::Merged => (Health::Unknown, MessageKey::PagesChannelOutcomeMerged),
            Self::GivenUp => (Health::Error, MessageKey::PagesChannelOutcomeGivenUp),
        };
        mark(context, health, word)
    }
}

fn mark(context: &DocumentContext, health: Health, word: MessageKey) -> Markup {
    html! {
        span.channel-state {
            (status_style::icon(status_style::health(health)))
            (context.text(word))
        }
    }
}

const fn news(what: News) -> MessageKey {
    match what {
        News::Begun => MessageKey::PagesChannelNewsBegun,
        News::Worse => MessageKey::PagesChannelNewsWorse,
        News::Flapping => MessageKey::PagesChannelNewsFlapping,
        News::Reminder => MessageKey::PagesChannelNewsReminder,
        News::Ended => MessageKey::PagesChannelNewsEnded,
    }
}

/// `log`: `None` while the database cannot be read.
pub(super) fn section(context: &DocumentContext, log: Option<&ShownLog>) -> Markup {
    let text = |key| context.text(key);
    html! {
        section {
            h2 #messages { (text(MessageKey::PagesChannelMessages)) }
            p.muted { (text(MessageKey::PagesChannelMessagesLead)) }
            @match log {
                None => p.error-text { (text(MessageKey::PagesChannelMessagesBlind)) },
                Some(log) => {
                    @if log.messages.is_empty() {
                        p { (text(MessageKey::PagesChannelMessagesNone)) }
                    } @else {
                        (table(context, &log.messages))
                    }
                    (pager(context, log))
                }
            }
        }
    }
}

const HEADERS: [MessageKey; 4] = [
    MessageKey::PagesChannelColumnSent,
    MessageKey::PagesChannelColumnAbout,
    MessageKey::PagesChannelColumnTries,
    MessageKey::PagesChannelColumnOutcome,
];

fn table(context: &DocumentContext, messages: &[ShownDelivery]) -> Markup {
    let rows = html! {
        @for message in messages {
            tr role="row" {
                th role="rowheader" scope="row" { (moment(message.begun)) }
                (cell(context, MessageKey::PagesChannelColumnAbout, message.about(context)))
                (cell(context, MessageKey::PagesChannelColumnTries, html! { (message.tries) }))
                (cell(context, MessageKey::PagesChannelColumnOutcome, message.outcome(context)))
            }
        }
    };
    stacked_table(context, "messages", &HEADERS, rows)
}

fn pager(context: &DocumentContext, log: &ShownLog) -> Markup {
    let kept = context.appearance.pairs().into_iter();
    let older = log.older.map(|before| [("before", before.rfc3339())].into_iter().chain(kept));
    html! {
        @if older.is_some() || log.is_older {
            p.buttons {
                @if let Some(older) = older {
                    a.button href={ "?" (to_query(older)) "#messages" } { (context.text(MessageKey::PagesAuditOlder)) }
                }
                @if log.is_older {
                    a.button href={ (log.latest) "#messages" } { (context.text(MessageKey::PagesChannelMessagesLatest)) }
                }
            }
        }
    }
}
