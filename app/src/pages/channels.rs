//! What the pages about channels have in common: a channel as it is shown, and the list of all.

use maud::{Markup, html};

use crate::cluster::hints::Arg;
use crate::cluster::{Health, Pulse, Role, Severity, Span, Timestamp};
use crate::i18n::{Language, MessageKey};
use crate::page::status_style::{self, StatusStyle};
use crate::pages::incidents::{cell, moment, stacked_table};
use crate::pages::layout::DocumentContext;

/// A channel without its address and its secrets.
#[derive(Clone, Debug)]
pub struct ShownChannel {
    pub name: String,
    /// The path of its page below the base path.
    pub path: String,
    /// The word of its kind, such as `webhook`.
    pub kind: &'static str,
    /// It is told incidents that are at least as urgent.
    pub from: Severity,
    /// More than zero: it is told only errors that nobody has acknowledged for so long.
    pub after: Span,
    /// How often it is reminded of such an error. Zero: never.
    pub remind: Span,
    /// The language of its messages.
    pub language: Language,
    /// `None` while the database cannot be read.
    pub condition: Option<ShownCondition>,
}

/// How a channel is.
#[derive(Clone, Debug, Default)]
pub struct ShownCondition {
    pub pause: Option<ShownPause>,
    /// Since when no message was accepted, and what went wrong last.
    pub failing: Option<(Timestamp, String)>,
    /// When a message last arrived, of those in the log.
    pub last_delivered: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub struct ShownPause {
    /// `None`: until somebody ends it.
    pub until: Option<Timestamp>,
    pub by: String,
    /// May be empty.
    pub reason: String,
}

impl ShownChannel {
    /// The address of its page, or of one of its forms: `/test`.
    pub(super) fn address(&self, context: &DocumentContext, form: &str) -> String {
        context.address(&format!("{}{form}", self.path))
    }

    pub(super) fn kind(&self, context: &DocumentContext) -> &'static str {
        match self.kind {
            "webhook" => "Webhook",
            "email" => context.text(MessageKey::PagesChannelKindEmail),
            "slack" => "Slack",
            "teams" => "Microsoft Teams",
            "pagerduty" => "PagerDuty",
            other => other,
        }
    }

    /// Which incidents it is told.
    pub(super) fn scope(&self, context: &DocumentContext) -> String {
        if self.after > Span::ZERO {
            let after = [("after", Arg::Span(self.after))];
            return context.catalog.format(MessageKey::PagesChannelScopeAfter, &after);
        }
        let scope = match self.from {
            Severity::Error => MessageKey::PagesChannelScopeError,
            Severity::Warning => MessageKey::PagesChannelScopeWarning,
            Severity::Info => MessageKey::PagesChannelScopeInfo,
        };
        context.text(scope).to_owned()
    }
}

impl ShownCondition {
    fn word(&self) -> (StatusStyle, MessageKey) {
        if self.pause.is_some() {
            let stopped = status_style::pulse(Pulse::Stopped, Role::Service);
            (stopped, MessageKey::PagesChannelPaused)
        } else if self.failing.is_some() {
            (status_style::health(Health::Error), MessageKey::PagesChannelFailing)
        } else if self.last_delivered.is_some() {
            (status_style::health(Health::Ok), MessageKey::PagesChannelWorks)
        } else {
            (status_style::health(Health::Unknown), MessageKey::PagesChannelUnused)
        }
    }

    /// Its state in words, with a shape.
    pub(super) fn state(&self, context: &DocumentContext) -> Markup {
        let (style, word) = self.word();
        html! {
            span.channel-state { (status_style::icon(style)) b { (context.text(word)) } }
            @if let Some(pause) = &self.pause { (pause.details(context)) }
            @if let Some((since, error)) = &self.failing {
                @let error = [("error", Arg::Text(error.clone()))];
                small {
                    (context.text(MessageKey::PagesChannelFailingSince)) " " (moment(*since)) ". "
                    (context.catalog.format(MessageKey::PagesChannelLastError, &error))
                }
            }
        }
    }

    /// When a message last arrived.
    pub(super) fn last_delivered(&self, context: &DocumentContext) -> Markup {
        html! {
            @match self.last_delivered {
                Some(at) => (moment(at)),
                None => span.muted { (context.text(MessageKey::PagesChannelNeverDelivered)) },
            }
        }
    }
}

impl ShownPause {
    /// Until when, by whom and why.
    fn details(&self, context: &DocumentContext) -> Markup {
        let by = [("by", Arg::Text(self.by.clone())), ("reason", Arg::Text(self.reason.clone()))];
        let why = if self.reason.is_empty() {
            MessageKey::PagesChannelPausedBy
        } else {
            MessageKey::PagesChannelPausedBecause
        };
        html! {
            small {
                @match self.until {
                    Some(until) => { (context.text(MessageKey::PagesChannelPausedUntil)) " " (moment(until)) }
                    None => (context.text(MessageKey::PagesChannelPausedForGood)),
                }
                ". " (context.catalog.format(why, &by))
            }
        }
    }
}

/// The part of the notifications page about channels.
pub(super) fn section(context: &DocumentContext, channels: &[ShownChannel]) -> Markup {
    let text = |key| context.text(key);
    let is_readable = channels.iter().all(|channel| channel.condition.is_some());
    html! {
        section {
            h2 #channels { (text(MessageKey::PagesChannels)) }
            @if channels.is_empty() {
                p { (text(MessageKey::PagesChannelsNone)) }
                p.muted { (text(MessageKey::PagesChannelsBegin)) }
            } @else {
                p.muted { (text(MessageKey::PagesChannelsLead)) }
                @if !is_readable {
                    p.error-text role="alert" { (text(MessageKey::PagesChannelsBlind)) }
                }
                (channel_table(context, channels))
            }
        }
    }
}

fn channel_table(context: &DocumentContext, channels: &[ShownChannel]) -> Markup {
    let mut headers = vec![
        MessageKey::PagesChannel,
        MessageKey::PagesChannelScope,
        MessageKey::PagesIncidentState,
        MessageKey::PagesChannelLastDelivered,
    ];
    if context.is_admin() {
        headers.push(MessageKey::PagesChannelTest);
    }
    let rows = html! { @for channel in channels { (channel_row(context, channel)) } };
    stacked_table(context, "channels", &headers, rows)
}

fn channel_row(context: &DocumentContext, channel: &ShownChannel) -> Markup {
    let unknown = || html! { span.muted { "–" } };
    let condition = channel.condition.as_ref();
    let state = condition.map_or_else(unknown, |known| known.state(context));
    let last = condition.map_or_else(unknown, |known| known.last_delivered(context));
    html! {
        tr role="row" {
            th role="rowheader" scope="row" {
                a href=(channel.address(context, "")) { bdi { (channel.name) } }
                small { (channel.kind(context)) }
            }
            (cell(context, MessageKey::PagesChannelScope, html! { (channel.scope(context)) }))
            (cell(context, MessageKey::PagesIncidentState, state))
            (cell(context, MessageKey::PagesChannelLastDelivered, last))
            @if context.is_admin() {
                (cell(context, MessageKey::PagesChannelTest, test_form(context, channel, true)))
            }
        }
    }
}

/// The button that sends a test. `is_one_of_many`: its name for screen readers says through which channel.
pub(super) fn test_form(
    context: &DocumentContext,
    channel: &ShownChannel,
    is_one_of_many: bool,
) -> Markup {
    let send = context.text(MessageKey::PagesChannelTestSend);
    let label = is_one_of_many.then(|| format!("{send}: {}", channel.name));
    html! {
        form method="post" action=(channel.address(context, "/test")) {
            button aria-label=[label] { (send) }
        }
    }
}
