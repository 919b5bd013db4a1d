//! What happens when a message is tried once?

use std::sync::{Arc, PoisonError};

use app::cluster::{IncidentId, Timestamp};

use super::{Courier, Records};
use crate::live::LiveView;
use crate::notify::composer::{Composed, Composer};
use crate::notify::failure::{Delivered, DeliveryFailure, NextTry};
use crate::notify::message::Message;
use crate::notify::retries;
use crate::store::{
    ChannelState, Delivery, DeliveryOutcome, IncidentRecord, Pause, Store, StoreError,
};

/// Until when a channel is paused whose receiver says that it is gone: 9999-12-31.
const FOR_GOOD: Timestamp = Timestamp(253_402_214_400_000);
const GONE: &str = "the receiver says that it is gone for good";

impl Courier {
    /// Tries a message once, and writes how that ended.
    pub(super) async fn attempt(
        self: &Arc<Self>,
        state: &ChannelState,
        pending: Delivery,
    ) -> Result<(), StoreError> {
        let ids = pending.news.iter().map(|(id, _)| id.clone()).collect();
        let records = self.live.store().incident_records(ids).await?;
        let failing_since = state.failing.as_ref().map(|(at, _)| *at);
        let composed = self.compose(pending.id.clone(), Records::Kept(records), failing_since);
        let (sent, over) = if let Some(Composed { messages, over }) = composed.await {
            (self.send(&messages).await, over)
        } else {
            let why = "the message could not be made; the log says why";
            (Err(DeliveryFailure::new(why)), Vec::new())
        };
        let now = self.live.now();
        // After a try whose answer was lost the receiver may have an earlier text under the same ID, and drop this one.
        let over = if pending.tries == 0 { over } else { Vec::new() };
        let tried = Delivery { tries: pending.tries + 1, ..pending };
        match sent {
            Ok(delivered) => {
                self.live.note_channel_works(&self.channel.name);
                self.note_delivered(tried, delivered, &over, now).await
            }
            Err(failure) => self.note_failure(state, tried, &failure, now).await,
        }
    }

    /// Before when the receiver asked for no request.
    pub(super) fn not_before(&self) -> Timestamp {
        *self.not_before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends them one after another, until one is not accepted. Returns what was answered last.
    pub(super) async fn send(&self, messages: &[Message]) -> Result<Delivered, DeliveryFailure> {
        let mut delivered = Delivered::new("there was nothing to send");
        for message in messages {
            delivered = self.channel.send(message).await?;
        }
        Ok(delivered)
    }

    async fn note_delivered(
        &self,
        tried: Delivery,
        Delivered { answer }: Delivered,
        over: &[IncidentId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let delivery = Delivery {
            next_try: None,
            ended: Some(now),
            outcome: DeliveryOutcome::Delivered,
            answer: Some(answer),
            ..tried
        };
        self.live.store().note_try(&delivery, None, over).await
    }

    async fn note_failure(
        &self,
        state: &ChannelState,
        delivery: Delivery,
        failure: &DeliveryFailure,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (channel, tries) = (&self.channel.name, delivery.tries);
        tracing::warn!(%failure, channel, tries, "a message was not accepted");
        if let NextTry::NotBefore(pause) = failure.next_try {
            *self.not_before.lock().unwrap_or_else(PoisonError::into_inner) = now + pause;
        }
        // What a receiver that is gone has not accepted waits until somebody lets the channel go on.
        let next_try = if failure.is_gone() {
            Some(now)
        } else {
            let tried_since = state.resumed.map_or(delivery.begun, |at| at.max(delivery.begun));
            retries::next_try(tried_since, tries, failure.next_try, now)
        };
        let outcome =
            if next_try.is_some() { DeliveryOutcome::Pending } else { DeliveryOutcome::GivenUp };
        let (ended, answer) = (next_try.is_none().then_some(now), Some(failure.to_string()));
        let delivery = Delivery { next_try, ended, outcome, answer, ..delivery };
        let since = state.failing.as_ref().map_or(now, |(since, _)| *since);
        let failing = Some((since, failure.to_string()));
        self.live.store().note_try(&delivery, failing, &[]).await?;
        if failure.is_gone() { self.pause_for_good().await } else { Ok(()) }
    }

    async fn pause_for_good(&self) -> Result<(), StoreError> {
        let channel = self.channel.name.clone();
        tracing::warn!(
            channel,
            "the channel is paused, because its receiver says that it is gone for good; correct it, and resume the channel on the page Notifications"
        );
        let pause =
            Pause { until: FOR_GOOD, by: "the receiver".to_owned(), reason: GONE.to_owned() };
        let write = |store: Arc<Store>| async move {
            Ok(((), store.pause_channel(&channel, Some(pause), None).await?))
        };
        self.live.change(write).await
    }

    /// What is true now. Judging a large cluster takes long, so a thread for blocking work does.
    pub(super) async fn compose(
        &self,
        id: String,
        records: Records,
        failing_since: Option<Timestamp>,
    ) -> Option<Composed> {
        let LiveView { snapshot, now, .. } = self.live.view();
        let heading = self.heading(id, now);
        let (page, language) = (self.page.url.clone(), self.channel.language);
        let needs_each_incident = self.channel.needs_each_incident();
        let composed = tokio::task::spawn_blocking(move || {
            let records = match records {
                Records::Kept(records) => records,
                Records::BlindSince(since) => {
                    vec![IncidentRecord { incident: snapshot.blindness(since), hint: None }]
                }
            };
            let (snapshot, page) = (&snapshot, &page);
            Composer { snapshot, page, language, now, failing_since, needs_each_incident }
                .compose(heading, records)
        });
        composed.await.ok()
    }
}
