//! What is kept of the channels, so that no message is lost or repeated: what each was told, and the message that is on its way.

use std::collections::BTreeMap;
use std::sync::Arc;

use app::cluster::incident::MAX_REST;
use app::cluster::news::{LastMessage, News, Told, ToldIncident};
use app::cluster::{Incident, IncidentId, Severity, Timestamp};
use serde_json::json;

use crate::auth::audit::AuditEntry;
use crate::store::deliveries::{self, Delivery, DeliveryOutcome, select_deliveries};
use crate::store::incidents;
use crate::store::statement::{Row, sql, sql_with_json_rows, with_json_rows};
use crate::store::task::run_to_end;
use crate::store::tx::Tx;
use crate::store::{Store, StoreError};

/// What is known of a channel.
#[derive(Clone, Debug)]
pub struct ChannelState {
    pub name: String,
    /// Counts its messages.
    version: i64,
    pub told: Told,
    /// Nothing is sent meanwhile. `None`: it was over when this was read.
    pub pause: Option<Pause>,
    /// When the last pause ended, if it has.
    pub resumed: Option<Timestamp>,
    /// Since when no message was accepted, and what went wrong last.
    pub failing: Option<(Timestamp, String)>,
    /// The message that is on its way.
    pub pending: Option<Delivery>,
    /// When this was read.
    pub read_at: Timestamp,
    /// The incidents that are open or may go on, and those whose end the channel has not been told.
    pub incidents: Vec<Arc<Incident>>,
}

impl ChannelState {
    /// Whether nothing is sent at `now`.
    pub fn is_paused(&self, now: Timestamp) -> bool {
        self.pause.as_ref().is_some_and(|pause| pause.until > now)
    }
}

/// Nothing is sent until a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    pub until: Timestamp,
    pub by: String,
    pub reason: String,
}

const UPSERT_TOLD: [&str; 2] = with_json_rows!(
    "insert into told (channel, incident, severity, told_at, flapping, ended)
     select $2, value ->> 0, value ->> 1, cast(value ->> 2 as bigint),
         cast(value ->> 3 as boolean), cast(value ->> 4 as boolean) from ",
    " where true
     on conflict (channel, incident) do update set
         severity = excluded.severity, told_at = excluded.told_at,
         flapping = excluded.flapping, ended = excluded.ended"
);

const NOTE_OVER: [&str; 2] = with_json_rows!(
    "update told set ended = true where channel = $2 and incident in (select value ->> 0 from ",
    ")"
);

impl Store {
    /// What is known of this channel, which begins to exist if it did not.
    pub async fn channel(self: &Arc<Self>, name: &str) -> Result<ChannelState, StoreError> {
        let (now, known) = (self.now(), name.to_owned());
        let read =
            self.read(move |tx| Box::pin(async move { read_channel(tx, &known, now).await }));
        if let Some(state) = read.await? {
            return Ok(state);
        }
        let (store, name) = (Arc::clone(self), name.to_owned());
        run_to_end(async move {
            let mut tx = store.begin_write().await?;
            let create = sql("insert into channels (name, created_at) values ($1, $2)
                 on conflict (name) do nothing");
            create.bind(&name).bind(now.0).execute(&mut tx).await?;
            let state = read_channel(&mut tx, &name, now).await?;
            tx.commit().await?;
            state.ok_or(StoreError::UnreadableValue("channel"))
        })
        .await
    }

    /// What is known of all channels, also of those that are no longer used.
    pub async fn channel_states(self: &Arc<Self>) -> Result<Vec<ChannelState>, StoreError> {
        let now = self.now();
        self.read(move |tx| {
            Box::pin(async move {
                let mut states = Vec::new();
                for row in sql("select name from channels order by name").rows(tx).await? {
                    states.extend(read_channel(tx, row.get(0)?, now).await?);
                }
                Ok(states)
            })
        })
        .await
    }

    /// Begins a message with this news, in place of the one that is on its way: what the channel is told from now on is `told`.
    /// `false` if another web server has begun one meanwhile.
    pub async fn begin_delivery(
        self: &Arc<Self>,
        state: &ChannelState,
        delivery: &Delivery,
        told: &Told,
    ) -> Result<bool, StoreError> {
        let (store, state) = (Arc::clone(self), state.clone());
        let (delivery, told) = (delivery.clone(), told.clone());
        run_to_end(async move {
            let mut tx = store.begin_write().await?;
            let count = sql("update channels set version = version + 1, last_message_at = $3,
                     last_message_worst = $4
                 where name = $1 and version = $2");
            let count = count
                .bind(&state.name)
                .bind(state.version)
                .bind(told.last_message.map(|last| last.at.0))
                .bind(told.last_message.map(|last| last.worst.as_str()));
            if count.execute(&mut tx).await? == 0 {
                return tx.rollback().await.map(|()| false);
            }
            let merge =
                sql("update deliveries set outcome = 'merged', ended_at = $2, next_try_at = null
                 where channel = $1 and outcome = 'pending'");
            let merge = merge.bind(&state.name).bind(delivery.begun.0);
            let merged = merge.execute(&mut tx).await?;
            deliveries::insert(&mut tx, &delivery).await?;
            write_told(&mut tx, &state.name, &told, &delivery.news).await?;
            tx.commit().await?;
            store.delivery_metrics.count(&state.name, |counts| counts.merged += merged);
            Ok(true)
        })
        .await
    }

    /// Writes how a try ended, since when the channel fails, and whose end it was told: `over`.
    pub async fn note_try(
        self: &Arc<Self>,
        delivery: &Delivery,
        failing: Option<(Timestamp, String)>,
        over: &[IncidentId],
    ) -> Result<(), StoreError> {
        let (store, delivery) = (Arc::clone(self), delivery.clone());
        let over: Vec<_> = over.iter().map(|id| json!([id])).collect();
        run_to_end(async move {
            let mut tx = store.begin_write().await?;
            let note = sql("update deliveries set tries = $2, next_try_at = $3, ended_at = $4,
                     outcome = $5, answer = $6
                 where id = $1 and outcome = 'pending'");
            let note = note
                .bind(&delivery.id)
                .bind(i64::from(delivery.tries))
                .bind(delivery.next_try.map(|at| at.0))
                .bind(delivery.ended.map(|at| at.0))
                .bind(delivery.outcome.as_str())
                .bind(delivery.answer.clone());
            let noted = note.execute(&mut tx).await?;
            // A failure of a message that has ended meanwhile says nothing new.
            if noted > 0 || failing.is_none() {
                note_failing(&mut tx, &delivery.channel, failing).await?;
            }
            if !over.is_empty() {
                let told = sql_with_json_rows(&mut tx, NOTE_OVER).bind(json!(over).to_string());
                told.bind(&delivery.channel).execute(&mut tx).await?;
            }
            tx.commit().await?;
            store.count_try(&delivery, noted);
            Ok(())
        })
        .await
    }

    /// `noted`: 0 if another web server has merged the message meanwhile, else 1.
    fn count_try(&self, delivery: &Delivery, noted: u64) {
        self.delivery_metrics.count(&delivery.channel, |counts| match delivery.outcome {
            DeliveryOutcome::Delivered => counts.delivered += noted,
            DeliveryOutcome::GivenUp => {
                counts.failed_tries += 1;
                counts.given_up += noted;
            }
            DeliveryOutcome::Pending | DeliveryOutcome::Merged => counts.failed_tries += 1,
        });
    }

    /// Adds a message that was sent directly, such as a test, to the log. If it was accepted, what waits is tried at once; if nothing
    /// does, the channel works again.
    pub async fn log_delivery(self: &Arc<Self>, delivery: &Delivery) -> Result<(), StoreError> {
        let (store, delivery) = (Arc::clone(self), delivery.clone());
        run_to_end(async move {
            let mut tx = store.begin_write().await?;
            deliveries::insert(&mut tx, &delivery).await?;
            if delivery.outcome == DeliveryOutcome::Delivered {
                let works = sql("update channels set failing_since = null, last_error = null
                     where name = $1 and not exists
                         (select 1 from deliveries where channel = $1 and outcome = 'pending')");
                works.bind(&delivery.channel).execute(&mut tx).await?;
                try_at(&mut tx, &delivery.channel, store.now()).await?;
            }
            tx.commit().await
        })
        .await
    }

    /// Pauses a channel, or with `None` lets it go on: then what waits is tried at once. With an audit entry if somebody does.
    pub async fn pause_channel(
        self: &Arc<Self>,
        name: &str,
        pause: Option<Pause>,
        entry: Option<&AuditEntry>,
    ) -> Result<super::Commit, StoreError> {
        let (name, entry) = (name.to_owned(), entry.cloned());
        let written = self.write(move |change| {
            Box::pin(async move {
                let write = sql(
                    "insert into channels (name, created_at, paused_until, paused_by, pause_reason)
                     values ($1, $2, $3, $4, $5)
                     on conflict (name) do update set paused_until = excluded.paused_until,
                         paused_by = excluded.paused_by, pause_reason = excluded.pause_reason",
                );
                // A pause that ends is kept, for what waited meanwhile has not been tried for so long.
                let until = pause.as_ref().map_or(change.at, |pause| pause.until);
                let write = write
                    .bind(&name)
                    .bind(change.at.0)
                    .bind(until.0)
                    .bind(pause.as_ref().map(|pause| pause.by.clone()))
                    .bind(pause.as_ref().map(|pause| pause.reason.clone()));
                write.execute(&mut change.tx).await?;
                if pause.is_none() {
                    try_at(&mut change.tx, &name, change.at).await?;
                }
                match &entry {
                    Some(entry) => change.record(entry).await,
                    None => Ok(()),
                }
            })
        });
        written.await.map(|((), commit)| commit)
    }
}

async fn read_channel(
    tx: &mut Tx,
    name: &str,
    now: Timestamp,
) -> Result<Option<ChannelState>, StoreError> {
    let select =
        sql("select version, created_at, last_message_at, last_message_worst, paused_until,
             paused_by, pause_reason, failing_since, last_error
         from channels where name = $1");
    let rows = select.bind(name).rows(tx).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let time = |place| Ok::<_, StoreError>(row.get::<Option<i64>>(place)?.map(Timestamp));
    let text = |place| Ok::<_, StoreError>(row.get::<Option<String>>(place)?.unwrap_or_default());
    let last_message = match (time(2)?, severity(row, 3)?) {
        (Some(at), Some(worst)) => Some(LastMessage { at, worst }),
        _ => None,
    };
    let (by, reason, error) = (text(5)?, text(6)?, text(8)?);
    let paused_until = time(4)?;
    let pause = paused_until.filter(|until| *until > now).map(|until| Pause { until, by, reason });
    let pending = sql(select_deliveries!("where channel = $1 and outcome = 'pending'"));
    let pending = pending.bind(name).rows(tx).await?;
    Ok(Some(ChannelState {
        name: name.to_owned(),
        version: row.get(0)?,
        told: Told {
            since: Timestamp(row.get(1)?),
            incidents: told_incidents(tx, name, now).await?,
            last_message,
        },
        pause,
        resumed: paused_until.filter(|until| *until <= now),
        failing: time(7)?.map(|since| (since, error)),
        pending: pending.first().map(deliveries::parse).transpose()?,
        read_at: now,
        incidents: incidents::of_channel(tx, name, now).await?,
    }))
}

/// Of the incidents of [`incidents::of_channel`].
async fn told_incidents(
    tx: &mut Tx,
    channel: &str,
    now: Timestamp,
) -> Result<BTreeMap<IncidentId, ToldIncident>, StoreError> {
    let select = sql("select t.incident, t.severity, t.told_at, t.flapping, t.ended
         from told t join incidents i on i.id = t.incident
         where t.channel = $1 and (not t.ended or i.ended_at is null or i.ended_at >= $2)");
    let told = |row: &Row| {
        let told = ToldIncident {
            severity: severity(row, 1)?.ok_or(StoreError::UnreadableValue("severity"))?,
            at: Timestamp(row.get(2)?),
            flapping: row.get(3)?,
            ended: row.get(4)?,
        };
        Ok((incident_id(row.get(0)?)?, told))
    };
    let select = select.bind(channel).bind((now - MAX_REST).0);
    select.rows(tx).await?.iter().map(told).collect()
}

async fn note_failing(
    tx: &mut Tx,
    channel: &str,
    failing: Option<(Timestamp, String)>,
) -> Result<(), StoreError> {
    let (since, error) = failing.unzip();
    let note = sql("update channels set failing_since = $2, last_error = $3 where name = $1");
    let note = note.bind(channel).bind(since.map(|at: Timestamp| at.0)).bind(error);
    note.execute(tx).await.map(drop)
}

/// Makes the message that is on its way due at this time.
async fn try_at(tx: &mut Tx, channel: &str, at: Timestamp) -> Result<(), StoreError> {
    let due = sql("update deliveries set next_try_at = $2
         where channel = $1 and outcome = 'pending' and next_try_at > $2");
    due.bind(channel).bind(at.0).execute(tx).await.map(drop)
}

async fn write_told(
    tx: &mut Tx,
    channel: &str,
    told: &Told,
    news: &[(IncidentId, News)],
) -> Result<(), StoreError> {
    let row = |(id, _): &(IncidentId, News)| {
        let told = told.incidents.get(id)?;
        Some(json!([id, told.severity, told.at, told.flapping, told.ended]))
    };
    let rows: Vec<_> = news.iter().filter_map(row).collect();
    let write = sql_with_json_rows(tx, UPSERT_TOLD).bind(json!(rows).to_string());
    write.bind(channel).execute(tx).await.map(drop)
}

fn severity(row: &Row, place: usize) -> Result<Option<Severity>, StoreError> {
    let word: Option<&str> = row.get(place)?;
    let known = |word| Severity::parse(word).ok_or(StoreError::UnreadableValue("severity"));
    word.map(known).transpose()
}

fn incident_id(text: &str) -> Result<IncidentId, StoreError> {
    IncidentId::parse(text).ok_or(StoreError::UnreadableValue("incident's id"))
}

/// Deletes messages whose end is long ago, and what was told of incidents that are no longer known, at most `max` of each. Returns
/// whether there may be more.
pub(super) async fn delete_expired(
    tx: &mut Tx,
    now: Timestamp,
    max: u32,
) -> Result<bool, StoreError> {
    let old = sql("delete from deliveries where id in
         (select id from deliveries where ended_at < $1 limit $2)");
    let old = old.bind((now - deliveries::LOG_RETENTION).0).bind(max).execute(tx).await?;
    let forgotten = sql("delete from told where (channel, incident) in
         (select channel, incident from told t
          where not exists (select 1 from incidents i where i.id = t.incident) limit $1)");
    let forgotten = forgotten.bind(max).execute(tx).await?;
    Ok(old.max(forgotten) >= u64::from(max))
}
