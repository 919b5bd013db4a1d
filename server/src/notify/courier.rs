//! Who tells a channel what is due, until it has arrived?

use std::sync::Arc;
use std::time::Duration;

use app::cluster::news::{ChannelRules, News, Outlook};
use app::cluster::{FailingChannel, Incident, IncidentId, Severity, Span, Timestamp};
use tokio::sync::Notify;

use super::channel::Channel;
use super::composer::Composer;
use super::failure::{Delivered, DeliveryFailure};
use super::message::{Heading, Message, new_message_id};
use super::public_url::PublicUrl;
use super::retries;
use crate::live::{LiveState, LiveView};
use crate::store::{ChannelState, Delivery, DeliveryOutcome, IncidentRecord, Pause, StoreError};

/// How often the state of a channel is read again, in case somebody paused it at another web server.
const READ_INTERVAL: Duration = Duration::from_secs(30);
/// The wait after the database could not be used.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// An overview that was blind for less is not told while it lasts.
const BLIND_TOLD_AFTER: Span = Span::seconds(60);
/// How often a message about blindness is tried from memory.
const BLIND_TRIES: u32 = 5;
/// Until when a channel is paused whose receiver says that it is gone: 9999-12-31.
const FOR_GOOD: Timestamp = Timestamp(253_402_214_400_000);
const GONE: &str = "the receiver says that it is gone for good";

/// Tells one channel.
#[derive(Debug)]
pub(crate) struct Courier {
    live: Arc<LiveState>,
    channel: Channel,
    page: PublicUrl,
    /// Somebody has paused the channel, or lets it go on.
    nudged: Notify,
}

impl Courier {
    pub(crate) fn new(live: Arc<LiveState>, channel: Channel, page: PublicUrl) -> Self {
        Self { live, channel, page, nudged: Notify::new() }
    }

    pub(crate) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Makes it look again at once.
    pub(crate) fn nudge(&self) {
        self.nudged.notify_one();
    }

    /// Tells the channel until the process ends: what is kept in the database if this web server leads, and that the overview is
    /// blind from memory.
    pub(crate) async fn run(self: Arc<Self>) {
        tokio::join!(self.deliver_while_leading(), self.tell_blindness(), self.show_failures());
    }

    async fn deliver_while_leading(&self) {
        let mut leads = self.live.leads();
        while leads.wait_for(|leads| *leads).await.is_ok() {
            let mut still_leads = leads.clone();
            tokio::select! {
                _ = still_leads.wait_for(|leads| !leads) => {}
                () = self.deliver() => {}
            }
        }
    }

    /// Shows on the page of this web server whether the channel fails, whichever web server tells it.
    async fn show_failures(&self) {
        let name = &self.channel.name;
        loop {
            self.live.wait_until_readable().await;
            if let Ok(failing) = self.live.store().channel_failure(name).await {
                let failing = failing.map(|(since, error)| FailingChannel {
                    name: name.clone(),
                    since,
                    error,
                });
                self.live.note_channel(name, failing);
            }
            tokio::time::sleep(READ_INTERVAL).await;
        }
    }

    /// Tells what is due, again and again.
    async fn deliver(&self) {
        let mut changes = self.live.subscribe();
        let mut state = None;
        loop {
            changes.mark_unchanged();
            let wait = match self.step(&mut state).await {
                Ok(wait) => wait,
                Err(error) => {
                    let channel = &self.channel.name;
                    tracing::warn!(%error, channel, "what the channel is told could not be read or written; it is tried again soon");
                    state = None;
                    RETRY_INTERVAL
                }
            };
            tokio::select! {
                closed = changes.changed() => if closed.is_err() { return },
                () = self.nudged.notified() => state = None,
                () = tokio::time::sleep(wait) => state = state.filter(|_| wait < READ_INTERVAL),
            }
        }
    }

    /// Tells what is due now, and returns how long to wait. `state` is what was last read of the channel; `None`: it is read again.
    async fn step(&self, state: &mut Option<ChannelState>) -> Result<Duration, StoreError> {
        self.live.wait_until_readable().await;
        let known = match state.take() {
            Some(known) => known,
            None => self.read().await?,
        };
        let now = self.live.now();
        if !self.is_due(&known, now) {
            let wait = self.wait(&known, now);
            *state = Some(known);
            return Ok(wait);
        }
        // Somebody may have paused it at another web server, or acknowledged an incident.
        let known = self.read().await?;
        if known.pause.is_none() {
            let outlook = self.outlook(&known, now);
            if outlook.tell.is_empty() {
                if let Some(pending) = known.pending.clone().filter(|pending| is_due(pending, now))
                {
                    self.attempt(&known, pending).await?;
                }
            } else {
                self.begin(&known, outlook, now).await?;
            }
        }
        Ok(Duration::ZERO)
    }

    async fn read(&self) -> Result<ChannelState, StoreError> {
        self.live.store().channel(&self.channel.name).await
    }

    fn rules(&self) -> ChannelRules {
        let Channel { from, after, remind, .. } = self.channel;
        ChannelRules { from, after, remind }
    }

    /// What to tell, by the incidents as they are now.
    fn outlook(&self, state: &ChannelState, now: Timestamp) -> Outlook {
        self.rules().outlook(&self.incidents(state), &state.told, now)
    }

    fn incidents(&self, state: &ChannelState) -> Vec<Arc<Incident>> {
        let mut incidents = self.live.incidents();
        let is_live = |one: &Arc<Incident>| {
            app::cluster::incidents::find(&incidents, one.id.as_str()).is_some()
        };
        let others: Vec<Arc<Incident>> =
            state.incidents.iter().filter(|one| !is_live(one)).cloned().collect();
        incidents.extend(others);
        incidents
    }

    fn is_due(&self, state: &ChannelState, now: Timestamp) -> bool {
        let is_pending = state.pending.as_ref().is_some_and(|pending| is_due(pending, now));
        state.pause.is_none() && (is_pending || !self.outlook(state, now).tell.is_empty())
    }

    /// Until there may be something to do, if nothing changes.
    fn wait(&self, state: &ChannelState, now: Timestamp) -> Duration {
        let undisturbed = || {
            let retry = state.pending.as_ref().and_then(|pending| pending.next_try);
            [self.outlook(state, now).next, retry].into_iter().flatten().min()
        };
        let next = state.pause.as_ref().map_or_else(undisturbed, |pause| Some(pause.until));
        let wait = next.and_then(|next| u64::try_from((next - now).0).ok());
        wait.map_or(READ_INTERVAL, Duration::from_millis).min(READ_INTERVAL)
    }

    /// Begins a message with this news, and with that of the one that has not arrived: it is written before it is tried.
    async fn begin(
        &self,
        state: &ChannelState,
        outlook: Outlook,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let incidents = self.incidents(state);
        let find = |id: &IncidentId| incidents.iter().find(|known| known.id == *id);
        let news: Vec<(&Incident, News)> = outlook
            .tell
            .iter()
            .filter_map(|(id, what)| find(id).map(|incident| (incident.as_ref(), *what)))
            .collect();
        let mut told = state.told.clone();
        told.note(&news, now);
        let mut all = outlook.tell;
        let earlier = state.pending.iter().flat_map(|pending| pending.news.iter().cloned());
        for (id, what) in earlier {
            if !all.iter().any(|(known, _)| *known == id) {
                all.push((id, what));
            }
        }
        let delivery = Delivery {
            id: new_message_id(),
            channel: self.channel.name.clone(),
            news: all,
            begun: now,
            tries: 0,
            next_try: Some(now),
            ended: None,
            outcome: DeliveryOutcome::Pending,
            answer: None,
        };
        self.live.store().begin_delivery(state, &delivery, &told).await?;
        Ok(())
    }

    /// Tries a message once, and writes how that ended.
    async fn attempt(&self, state: &ChannelState, pending: Delivery) -> Result<(), StoreError> {
        let ids = pending.news.iter().map(|(id, _)| id.clone()).collect();
        let records = self.live.store().incident_records(ids).await?;
        let failing_since = state.failing.as_ref().map(|(at, _)| *at);
        let message = self.compose(pending.id.clone(), Records::Kept(records), failing_since);
        let outcome = match message.await {
            Some(message) => self.channel.send(&message).await,
            None => Err(DeliveryFailure::new("the message could not be made; the log says why")),
        };
        let now = self.live.now();
        let tried = Delivery { tries: pending.tries + 1, ..pending };
        match outcome {
            Ok(delivered) => self.note_delivered(tried, delivered, now).await,
            Err(failure) => self.note_failure(state, tried, &failure, now).await,
        }
    }

    async fn note_delivered(
        &self,
        tried: Delivery,
        Delivered { answer }: Delivered,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let delivery = Delivery {
            next_try: None,
            ended: Some(now),
            outcome: DeliveryOutcome::Delivered,
            answer: Some(answer),
            ..tried
        };
        self.live.store().note_try(&delivery, None).await
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
        // What a receiver that is gone has not accepted waits until somebody lets the channel go on.
        let next_try = if failure.is_gone() {
            Some(now)
        } else {
            retries::next_try(delivery.begun, tries, failure.next_try, now)
        };
        let outcome =
            if next_try.is_some() { DeliveryOutcome::Pending } else { DeliveryOutcome::GivenUp };
        let (ended, answer) = (next_try.is_none().then_some(now), Some(failure.to_string()));
        let delivery = Delivery { next_try, ended, outcome, answer, ..delivery };
        let since = state.failing.as_ref().map_or(now, |(since, _)| *since);
        let failing = Some((since, failure.to_string()));
        self.live.store().note_try(&delivery, failing).await?;
        if failure.is_gone() {
            let pause =
                Pause { until: FOR_GOOD, by: "the receiver".to_owned(), reason: GONE.to_owned() };
            let paused = self.live.store().pause_channel(channel, Some(pause), None).await?;
            self.live.apply(paused);
        }
        Ok(())
    }

    /// The message as it is true now. Judging a large cluster takes long, so a thread for blocking work does.
    async fn compose(
        &self,
        id: String,
        records: Records,
        failing_since: Option<Timestamp>,
    ) -> Option<Message> {
        let LiveView { snapshot, now, .. } = self.live.view();
        let heading = self.heading(id, now);
        let (page, language) = (self.page.clone(), self.channel.language);
        let composed = tokio::task::spawn_blocking(move || {
            let records = match records {
                Records::Kept(records) => records,
                Records::BlindSince(since) => {
                    vec![IncidentRecord { incident: snapshot.blindness(since), hint: None }]
                }
            };
            let unanswered = failing_since.map(|since| (since, now));
            Composer { snapshot: &snapshot, page: &page, language, now, unanswered }
                .compose(&records)
        });
        Some(Message::new(heading, composed.await.ok()?))
    }

    fn heading(&self, id: String, sent_at: Timestamp) -> Heading {
        Heading {
            id,
            cluster: self.page.host().to_owned(),
            page: self.page.to_string(),
            sent_at,
            language: self.channel.language,
        }
    }

    /// Sends a test, and adds it to the log.
    pub(crate) async fn test(&self) -> Result<Result<Delivered, DeliveryFailure>, StoreError> {
        let begun = self.live.now();
        let id = new_message_id();
        let message = Message::test(self.heading(id.clone(), begun), &self.channel.name);
        let sent = self.channel.send(&message).await;
        let (outcome, answer) = match &sent {
            Ok(delivered) => (DeliveryOutcome::Delivered, delivered.answer.clone()),
            Err(failure) => (DeliveryOutcome::GivenUp, failure.to_string()),
        };
        let delivery = Delivery {
            id,
            channel: self.channel.name.clone(),
            news: Vec::new(),
            begun,
            tries: 1,
            next_try: None,
            ended: Some(self.live.now()),
            outcome,
            answer: Some(answer),
        };
        self.live.store().log_delivery(&delivery).await?;
        Ok(sent)
    }

    /// Tells from memory, once each time, that the overview cannot use its database.
    async fn tell_blindness(&self) {
        let mut changes = self.live.subscribe();
        loop {
            while !self.live.is_blind() {
                changes.mark_unchanged();
                if !self.live.is_blind() && changes.changed().await.is_err() {
                    return;
                }
            }
            let LiveView { snapshot, now, .. } = self.live.view();
            let since = snapshot.blind_since.unwrap_or(now);
            let due = since + self.channel.after.max(BLIND_TOLD_AFTER);
            let wait = u64::try_from((due - now).0).unwrap_or_default();
            tokio::select! {
                () = self.live.wait_until_readable() => continue,
                () = tokio::time::sleep(Duration::from_millis(wait)) => {}
            }
            if self.channel.from >= Severity::Error {
                self.send_from_memory(since).await;
            }
            self.live.wait_until_readable().await;
        }
    }

    /// The same message from each web server: a receiver knows it by its id.
    async fn send_from_memory(&self, since: Timestamp) {
        for tries in 1..=BLIND_TRIES {
            let LiveView { snapshot, now, .. } = self.live.view();
            if snapshot.blind_since.is_none() {
                return;
            }
            let incident = snapshot.blindness(since);
            let id = format!("msg_{}_{}", incident.id, incident.turns);
            let message = self.compose(id, Records::BlindSince(since), None).await;
            let Some(message) = message else { return };
            let Err(failure) = self.channel.send(&message).await else { return };
            let channel = &self.channel.name;
            tracing::warn!(%failure, channel, tries, "the message that the overview is blind was not accepted");
            let Some(next) = retries::next_try(now, tries, failure.next_try, now) else { return };
            let wait = u64::try_from((next - now).0).unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
    }
}

/// What a message is about.
enum Records {
    Kept(Vec<IncidentRecord>),
    /// That the overview is blind, which is known in memory only.
    BlindSince(Timestamp),
}

fn is_due(delivery: &Delivery, now: Timestamp) -> bool {
    delivery.next_try.is_some_and(|next| next <= now)
}
