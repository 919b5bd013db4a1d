//! The kinds of channels. Each file reads the fields of its kind, makes its text of a message, and sends it.

mod alertmanager;
mod email;
mod ntfy;
mod pagerduty;
mod slack;
mod teams;
mod webhook;

#[cfg(test)]
mod hostile_facts;

use super::failure::{Delivered, DeliveryFailure};
use super::fields::Fields;
use super::message::Message;

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Webhook(webhook::Webhook),
    Email(Box<email::Email>),
    Slack(slack::Slack),
    Teams(teams::Teams),
    Ntfy(ntfy::Ntfy),
    PagerDuty(pagerduty::PagerDuty),
}

const WORDS: [&str; 6] = ["webhook", "email", "slack", "teams", "ntfy", "pagerduty"];

impl Kind {
    pub(super) fn words() -> String {
        WORDS.join(", ")
    }

    pub(super) fn is_known(word: &str) -> bool {
        WORDS.contains(&word)
    }

    /// Reads the fields of this kind. `None`: they cannot be used, and `fields` knows why.
    pub(super) fn read(word: &str, fields: &mut Fields<'_>) -> Option<Self> {
        match word {
            "webhook" => webhook::Webhook::read(fields).map(Self::Webhook),
            "email" => email::Email::read(fields).map(Box::new).map(Self::Email),
            "slack" => slack::Slack::read(fields).map(Self::Slack),
            "teams" => teams::Teams::read(fields).map(Self::Teams),
            "ntfy" => ntfy::Ntfy::read(fields).map(Self::Ntfy),
            "pagerduty" => pagerduty::PagerDuty::read(fields).map(Self::PagerDuty),
            _ => {
                fields.problem("kind", &format!("must be one of {}", Self::words()));
                None
            }
        }
    }

    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Email(_) => "email",
            Self::Slack(_) => "slack",
            Self::Teams(_) => "teams",
            Self::Ntfy(_) => "ntfy",
            Self::PagerDuty(_) => "pagerduty",
        }
    }

    /// Whether its receiver keeps each incident as an event of its own: then none can be left out of a message.
    pub(super) fn needs_each_incident(&self) -> bool {
        match self {
            Self::PagerDuty(_) => true,
            Self::Webhook(webhook) => webhook.is_for_alertmanager(),
            Self::Email(_) | Self::Slack(_) | Self::Teams(_) | Self::Ntfy(_) => false,
        }
    }

    /// `channel`: the name of the channel.
    pub(super) async fn send(
        &self,
        channel: &str,
        message: &Message,
    ) -> Result<Delivered, DeliveryFailure> {
        match self {
            Self::Webhook(webhook) => webhook.send(channel, message).await,
            Self::Email(email) => email.send(message).await,
            Self::Slack(slack) => slack.send(message).await,
            Self::Teams(teams) => teams.send(message).await,
            Self::Ntfy(ntfy) => ntfy.send(message).await,
            Self::PagerDuty(pagerduty) => pagerduty.send(message).await,
        }
    }
}
