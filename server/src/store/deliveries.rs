//! The messages of the channels, and what people read about them: how each channel is, its log, and who was told of an incident.

use std::sync::Arc;

use app::cluster::news::News;
use app::cluster::{IncidentId, Span, Timestamp};
use serde_json::json;

use crate::store::statement::{Row, sql};
use crate::store::tx::Tx;
use crate::store::{Pause, Store, StoreError};

/// How long a message is listed after its end.
pub(super) const LOG_RETENTION: Span = Span::minutes(30 * 24 * 60);

/// A message: which news, and what became of it. Its text is made when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The same for every try.
    pub id: String,
    pub channel: String,
    pub news: Vec<(IncidentId, News)>,
    /// When it should have been sent.
    pub begun: Timestamp,
    pub tries: u32,
    /// When it is tried next; `None` if its outcome is known.
    pub next_try: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub outcome: DeliveryOutcome,
    /// What the receiver said last, or what went wrong.
    pub answer: Option<String>,
}

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

macro_rules! select_deliveries {
    ($where:literal) => {
        concat!(
            "select id, channel, news, begun_at, tries, next_try_at, ended_at, outcome, answer
             from deliveries ",
            $where
        )
    };
}
pub(super) use select_deliveries;

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
                rows.iter().map(parse).collect()
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
                rows.first().map(parse).transpose()
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

pub(super) async fn insert(tx: &mut Tx, delivery: &Delivery) -> Result<(), StoreError> {
    let insert =
        sql("insert into deliveries (id, channel, news, begun_at, tries, next_try_at, ended_at,
             outcome, answer)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)");
    let insert = insert
        .bind(&delivery.id)
        .bind(&delivery.channel)
        .bind(json!(delivery.news).to_string())
        .bind(delivery.begun.0)
        .bind(i64::from(delivery.tries))
        .bind(delivery.next_try.map(|at| at.0))
        .bind(delivery.ended.map(|at| at.0))
        .bind(delivery.outcome.as_str())
        .bind(delivery.answer.clone());
    insert.execute(tx).await.map(drop)
}

pub(super) fn parse(row: &Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: row.get(0)?,
        channel: row.get(1)?,
        news: row.json(2)?,
        begun: Timestamp(row.get(3)?),
        tries: u32::try_from(row.get::<i64>(4)?).unwrap_or(u32::MAX),
        next_try: row.get::<Option<i64>>(5)?.map(Timestamp),
        ended: row.get::<Option<i64>>(6)?.map(Timestamp),
        outcome: DeliveryOutcome::parse(row.get(7)?)?,
        answer: row.get(8)?,
    })
}
