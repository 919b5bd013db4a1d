//! Channels, what each was sent, and their pauses.

use app::cluster::server_name::check_text;
use app::cluster::{FieldError, Span, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::Severity;
use crate::http::json::FromJson;
use crate::http::moment;
use crate::ingest::json_fields::{Fields, string};
use crate::notify;
use crate::store::{self, ChannelState};

const MAX_REASON_CHARS: usize = 200;

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Channels {
    pub(crate) channels: Vec<Channel>,
}

/// How a channel is at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ChannelHealth {
    /// It accepted what was sent last, or nothing was sent yet.
    Ok,
    /// It did not accept what was sent last.
    Failing,
    /// Nothing is sent at present.
    Paused,
}

/// A channel, without its address and its secrets.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Channel {
    name: String,
    /// `webhook`, `email`, `slack`, `teams`, `ntfy` or `pagerduty`.
    kind: String,
    state: ChannelHealth,
    /// It is told incidents that are at least as urgent.
    from: Severity,
    /// If not zero: it is told only errors that nobody has acknowledged for so long.
    after_s: i64,
    /// How often it is reminded of an error that nobody has acknowledged; zero: never.
    remind_s: i64,
    /// The language of its messages.
    lang: String,
    #[schema(required)]
    paused: Option<Pause>,
    /// Since when it has not accepted any message.
    #[schema(format = "date-time", required)]
    failing_since: Option<String>,
    /// What went wrong last.
    #[schema(required)]
    last_error: Option<String>,
    /// When a message was last begun.
    #[schema(format = "date-time", required)]
    last_message_at: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ChannelPause)]
pub(crate) struct Pause {
    /// Nothing is sent before.
    #[schema(format = "date-time")]
    until: String,
    by: String,
    reason: String,
}

impl Channel {
    pub(crate) fn new(channel: &notify::Channel, state: Option<&ChannelState>) -> Self {
        let pause = state.and_then(|state| state.pause.as_ref());
        let failing = state.and_then(|state| state.failing.as_ref());
        let last_message = state.and_then(|state| state.told.last_message);
        let health = match (pause, failing) {
            (Some(_), _) => ChannelHealth::Paused,
            (None, Some(_)) => ChannelHealth::Failing,
            (None, None) => ChannelHealth::Ok,
        };
        Self {
            name: channel.name.clone(),
            kind: channel.kind().to_owned(),
            state: health,
            from: channel.from.into(),
            after_s: seconds(channel.after),
            remind_s: seconds(channel.remind),
            lang: channel.language.as_str().to_owned(),
            paused: pause.map(|pause| Pause {
                until: pause.until.rfc3339(),
                by: pause.by.clone(),
                reason: pause.reason.clone(),
            }),
            failing_since: failing.map(|(since, _)| since.rfc3339()),
            last_error: failing.map(|(_, error)| error.clone()),
            last_message_at: last_message.map(|last| last.at.rfc3339()),
        }
    }
}

fn seconds(span: Span) -> i64 {
    span.0 / 1_000
}

/// Until when nothing is sent.
#[derive(Debug, ToSchema)]
pub(crate) struct NewPause {
    /// A time in the future; null ends a pause.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    pub(crate) until: Option<Timestamp>,
    /// Why, for the others.
    #[schema(max_length = 200)]
    pub(crate) reason: String,
}

impl FromJson for NewPause {
    fn from_json(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::from_value(value);
        let until = fields.read("until", |value| match value {
            None => Err("is required: a time of RFC 3339, or null to end a pause".to_owned()),
            Some(Value::Null) => Ok(None),
            Some(value) => {
                let moment = string(value).map(|text| moment::exact("until", text))?;
                moment.map(Some).map_err(|error| error.message)
            }
        });
        let reason = fields.optional("reason", |value| {
            let reason = string(value)?;
            check_text(reason, 0, MAX_REASON_CHARS).map(|()| reason.to_owned())
        });
        let reason = reason.unwrap_or_default();
        fields.finish(until.map(|until| Self { until, reason }))
    }
}

/// What a receiver answered to a test.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TestedChannel {
    pub(crate) answer: String,
}

/// Messages to a channel, the latest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Deliveries {
    pub(crate) deliveries: Vec<Delivery>,
    /// What `before` is for the messages before these; null where there are none.
    #[schema(format = "date-time", required)]
    pub(crate) next_before: Option<String>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryOutcome {
    /// It is on its way.
    Pending,
    Delivered,
    /// A later message says the same and more.
    Merged,
    /// It was tried for a day, or it was a test.
    GivenUp,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Delivery {
    /// The same for every try.
    id: String,
    /// When it should have been sent.
    #[schema(format = "date-time")]
    begun_at: String,
    tries: u32,
    #[schema(format = "date-time", required)]
    next_try_at: Option<String>,
    #[schema(format = "date-time", required)]
    ended_at: Option<String>,
    outcome: DeliveryOutcome,
    /// What the receiver answered last, or what went wrong.
    #[schema(required)]
    answer: Option<String>,
    /// None if it was a test.
    news: Vec<IncidentNews>,
}

/// What a message says about an incident.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct IncidentNews {
    /// The incident's id.
    incident: String,
    /// `begun`, `worse`, `flapping`, `reminder` or `ended`.
    news: String,
}

impl From<&store::Delivery> for Delivery {
    fn from(delivery: &store::Delivery) -> Self {
        let outcome = match delivery.outcome {
            store::DeliveryOutcome::Pending => DeliveryOutcome::Pending,
            store::DeliveryOutcome::Delivered => DeliveryOutcome::Delivered,
            store::DeliveryOutcome::Merged => DeliveryOutcome::Merged,
            store::DeliveryOutcome::GivenUp => DeliveryOutcome::GivenUp,
        };
        let news = delivery.news.iter().map(|(id, what)| IncidentNews {
            incident: id.to_string(),
            news: what.as_str().to_owned(),
        });
        Self {
            id: delivery.id.clone(),
            begun_at: delivery.begun.rfc3339(),
            tries: delivery.tries,
            next_try_at: delivery.next_try.map(Timestamp::rfc3339),
            ended_at: delivery.ended.map(Timestamp::rfc3339),
            outcome,
            answer: delivery.answer.clone(),
            news: news.collect(),
        }
    }
}
