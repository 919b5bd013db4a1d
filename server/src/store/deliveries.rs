//! What people read about the channels: how each is, the log of its messages, and who was told of an incident.

use std::sync::Arc;

use app::cluster::{IncidentId, Timestamp};

use crate::store::channels::{LOG_RETENTION, parse_delivery, select_deliveries};
use crate::store::statement::{Row, sql};
use crate::store::{Delivery, Pause, Store, StoreError};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// It is on its way.
    Pending,
    Delivered,
    /// There was more to say before it arrived: a later message says it all.
    Merged,
    /// It was tried for a day.
    GivenUp,
}

impl DeliveryOutcome {
    const ALL: [Self; 4] = [Self::Pending, Self::Delivered, Self::Merged, Self::GivenUp];

    /// The word in the database and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Merged => "merged",
            Self::GivenUp => "given-up",
        }
    }

    pub(super) fn parse(word: &str) -> Result<Self, StoreError> {
        let known = Self::ALL.into_iter().find(|known| known.as_str() == word);
        known.ok_or(StoreError::UnreadableValue("outcome"))
    }
}

/// How a channel is, without what it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelCondition {
    pub name: String,
    pub pause: Option<Pause>,
    /// Since when no message was accepted, and what went wrong last.
    pub failing: Option<(Timestamp, String)>,
    /// When a message last arrived, of those in the log.
    pub last_delivered: Option<Timestamp>,
}

/// A channel that was told of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldChannel {
    pub name: String,
    /// The last time.
    pub at: Timestamp,
    /// That the incident comes and goes.
    pub flapping: bool,
    /// The end of the incident.
    pub ended: bool,
    /// What became of the last message about it; `None` if that is no longer in the log.
    pub outcome: Option<DeliveryOutcome>,
}

impl Store {
    /// How each channel is, also those that are no longer used.
    pub async fn channel_conditions(self: &Arc<Self>) -> Result<Vec<ChannelCondition>, StoreError> {
        let now = self.now();
        self.read(move |tx| {
            Box::pin(async move {
                let select =
                    sql("select name, paused_until, paused_by, pause_reason, failing_since,
                         last_error,
                         (select d.ended_at from deliveries d
                          where d.channel = c.name and d.outcome = 'delivered'
                          order by d.begun_at desc limit 1)
                     from channels c order by name");
                let rows = select.rows(tx).await?;
                rows.iter().map(|row| parse_condition(row, now)).collect()
            })
        })
        .await
    }

    /// The messages of a channel, the latest first.
    pub async fn deliveries(
        self: &Arc<Self>,
        channel: &str,
        before: Option<Timestamp>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        let channel = channel.to_owned();
        self.read(move |tx| {
            Box::pin(async move {
                let select = sql(select_deliveries!(
                    "where channel = $1 and begun_at < $2 order by begun_at desc, id limit $3"
                ));
                let before = before.map_or(i64::MAX, |before| before.0);
                let rows = select.bind(channel).bind(before).bind(limit).rows(tx).await?;
                rows.iter().map(parse_delivery).collect()
            })
        })
        .await
    }

    /// The last test of a channel.
    pub async fn last_test(
        self: &Arc<Self>,
        channel: &str,
    ) -> Result<Option<Delivery>, StoreError> {
        let channel = channel.to_owned();
        self.read(move |tx| {
            Box::pin(async move {
                let select = sql(select_deliveries!(
                    "where channel = $1 and news = '[]' order by begun_at desc, id limit 1"
                ));
                let rows = select.bind(channel).rows(tx).await?;
                rows.first().map(parse_delivery).transpose()
            })
        })
        .await
    }

    /// The channels that were told of an incident, the first that was told first.
    ///
    /// A message says all that those before it said that did not arrive: what became of the first one after them, became of them.
    pub async fn channels_told(
        self: &Arc<Self>,
        incident: &IncidentId,
    ) -> Result<Vec<ToldChannel>, StoreError> {
        let (incident, logged_since) = (incident.clone(), self.now() - LOG_RETENTION);
        self.read(move |tx| {
            Box::pin(async move {
                let select = sql("select t.channel, t.told_at, t.flapping, t.ended,
                         (select d.outcome from deliveries d
                          where d.channel = t.channel and d.begun_at >= t.told_at
                              and t.told_at >= $2 and d.outcome <> 'merged' and d.news <> '[]'
                          order by d.begun_at limit 1)
                     from channels c join told t on t.channel = c.name and t.incident = $1
                     order by t.told_at, t.channel");
                let select = select.bind(incident.as_str()).bind(logged_since.0);
                select.rows(tx).await?.iter().map(parse_told).collect()
            })
        })
        .await
    }
}

fn parse_condition(row: &Row, now: Timestamp) -> Result<ChannelCondition, StoreError> {
    let time = |place| Ok::<_, StoreError>(row.get::<Option<i64>>(place)?.map(Timestamp));
    let text = |place| Ok::<_, StoreError>(row.get::<Option<String>>(place)?.unwrap_or_default());
    let (by, reason, error) = (text(2)?, text(3)?, text(5)?);
    Ok(ChannelCondition {
        name: row.get(0)?,
        pause: time(1)?.filter(|until| *until > now).map(|until| Pause { until, by, reason }),
        failing: time(4)?.map(|since| (since, error)),
        last_delivered: time(6)?,
    })
}

fn parse_told(row: &Row) -> Result<ToldChannel, StoreError> {
    let outcome = row.get::<Option<&str>>(4)?.map(DeliveryOutcome::parse).transpose()?;
    Ok(ToldChannel {
        name: row.get(0)?,
        at: Timestamp(row.get(1)?),
        flapping: row.get(2)?,
        ended: row.get(3)?,
        outcome,
    })
}
