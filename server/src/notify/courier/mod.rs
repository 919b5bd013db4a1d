//! Who tells a channel what is due, until it has arrived?

mod attempt;
mod blindness;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use app::cluster::incident::MAX_REST;
use app::cluster::news::{ChannelRules, News, Outlook};
use app::cluster::{HintId, Incident, IncidentId, Timestamp};
use tokio::sync::Notify;

use crate::clock::Stopwatch;
use crate::live::LiveState;
use crate::notify::channel::Channel;
use crate::notify::failure::{Delivered, DeliveryFailure};
use crate::notify::message::{Heading, Message, new_message_id};
use crate::notify::public_url::ClusterPage;
use crate::store::task::run_to_end;
use crate::store::{ChannelState, Delivery, DeliveryOutcome, IncidentRecord, StoreError};

/// How often the state of a channel is read again, in case somebody paused it at another web server.
const READ_INTERVAL: Duration = Duration::from_secs(30);
/// The wait after the database could not be used.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// Tells one channel.
#[derive(Debug)]
pub(crate) struct Courier {
    live: Arc<LiveState>,
    channel: Channel,
    page: ClusterPage,
    /// Somebody has paused the channel, or lets it go on.
    nudged: Notify,
    /// Held during a try, which goes on if this web server leads no more: no message is sent twice at a time.
    attempting: Arc<tokio::sync::Mutex<()>>,
    /// Before this the receiver asked for no request.
    not_before: std::sync::Mutex<Timestamp>,
}

impl Courier {
    pub(crate) fn new(live: Arc<LiveState>, channel: Channel, page: ClusterPage) -> Self {
        Self {
            live,
            channel,
            page,
            nudged: Notify::new(),
            attempting: Arc::default(),
            not_before: std::sync::Mutex::new(Timestamp(0)),
        }
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
        tokio::join!(self.deliver_while_leading(), self.tell_blindness());
    }

    async fn deliver_while_leading(self: &Arc<Self>) {
        let mut leads = self.live.leads();
        while leads.wait_for(|leads| *leads).await.is_ok() {
            let mut still_leads = leads.clone();
            tokio::select! {
                _ = still_leads.wait_for(|leads| !leads) => {}
                () = self.deliver() => {}
            }
        }
    }

    /// Tells what is due, again and again.
    async fn deliver(self: &Arc<Self>) {
        let mut changes = self.live.subscribe();
        let mut known = None;
        loop {
            changes.mark_unchanged();
            let wait = match self.step(&mut known).await {
                Ok(wait) => wait,
                Err(error) => {
                    let channel = &self.channel.name;
                    tracing::warn!(%error, channel, "what the channel is told could not be read or written; it is tried again soon");
                    known = None;
                    RETRY_INTERVAL
                }
            };
            tokio::select! {
                closed = changes.changed() => if closed.is_err() { return },
                () = self.nudged.notified() => known = None,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Tells what is due now, and returns how long to wait. `known` is what was last read of the channel; `None`: it is read again.
    async fn step(self: &Arc<Self>, known: &mut Option<Known>) -> Result<Duration, StoreError> {
        self.live.wait_until_readable().await;
        let recent = known.take().filter(|known| known.age.elapsed() < READ_INTERVAL);
        let Known { state, age } = match recent {
            Some(known) => known,
            None => Known { age: Stopwatch::start(), state: self.read().await? },
        };
        let now = self.live.now();
        if !self.is_due(&state, now) {
            let wait = self.wait(&state, now).min(READ_INTERVAL.saturating_sub(age.elapsed()));
            *known = Some(Known { state, age });
            return Ok(wait);
        }
        let attempt = Arc::clone(&self.attempting).lock_owned().await;
        // Somebody may have paused it at another web server, or acknowledged an incident.
        let state = self.read().await?;
        if self.is_due(&state, now) {
            self.tell(state, now, attempt).await?;
        }
        Ok(Duration::ZERO)
    }

    /// Begins a message if there is something to say, else tries the one that is on its way.
    async fn tell(
        self: &Arc<Self>,
        state: ChannelState,
        now: Timestamp,
        attempt: tokio::sync::OwnedMutexGuard<()>,
    ) -> Result<(), StoreError> {
        let outlook = self.outlook(&state, now);
        if !outlook.tell.is_empty() {
            return self.begin(&state, outlook, now).await;
        }
        let Some(pending) = state.pending.clone().filter(|pending| is_due(pending, now)) else {
            return Ok(());
        };
        // What was sent is noted even if another web server leads meanwhile.
        let courier = Arc::clone(self);
        run_to_end(async move {
            let _attempt = attempt;
            courier.attempt(&state, pending).await
        })
        .await
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
        drop_forgotten(&mut incidents, state.read_at);
        let is_live = |one: &Arc<Incident>| {
            app::cluster::incidents::find(&incidents, one.id.as_str()).is_some()
        };
        let others: Vec<Arc<Incident>> =
            state.incidents.iter().filter(|one| !is_live(one)).cloned().collect();
        incidents.extend(others);
        // That it fails itself is for other channels: whoever reads it here reads that it works.
        let is_own =
            state.failing.is_some() || !self.live.is_another_channel_failing(&self.channel.name);
        incidents.retain(|one| {
            let is_known = state.told.incidents.contains_key(&one.id);
            one.hint != HintId::ChannelFailing || is_known || !is_own
        });
        incidents
    }

    fn is_due(&self, state: &ChannelState, now: Timestamp) -> bool {
        let is_pending = state.pending.as_ref().is_some_and(|pending| is_due(pending, now));
        !state.is_paused(now) && (is_pending || !self.outlook(state, now).tell.is_empty())
    }

    /// Until there may be something to do, if nothing changes.
    fn wait(&self, state: &ChannelState, now: Timestamp) -> Duration {
        let undisturbed = || {
            let retry = state.pending.as_ref().and_then(|pending| pending.next_try);
            [self.outlook(state, now).next, retry].into_iter().flatten().min()
        };
        let pause = state.pause.as_ref().filter(|pause| pause.until > now);
        let next = pause.map_or_else(undisturbed, |pause| Some(pause.until));
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
        let by_id: BTreeMap<&IncidentId, &Incident> =
            incidents.iter().map(|incident| (&incident.id, incident.as_ref())).collect();
        let news: Vec<(&Incident, News)> = outlook
            .tell
            .iter()
            .filter_map(|(id, what)| by_id.get(id).map(|incident| (*incident, *what)))
            .collect();
        let mut told = state.told.clone();
        told.note(&news, now);
        let is_told_anew: BTreeSet<&IncidentId> = outlook.tell.iter().map(|(id, _)| id).collect();
        let earlier = state.pending.iter().flat_map(|pending| &pending.news);
        let earlier = earlier.filter(|(id, _)| !is_told_anew.contains(id)).cloned();
        let all = outlook.tell.iter().cloned().chain(earlier).collect();
        let delivery = Delivery {
            id: new_message_id(),
            channel: self.channel.name.clone(),
            news: all,
            begun: now,
            tries: 0,
            next_try: Some(now.max(self.not_before())),
            ended: None,
            outcome: DeliveryOutcome::Pending,
            answer: None,
        };
        self.live.store().begin_delivery(state, &delivery, &told).await?;
        Ok(())
    }

    fn heading(&self, id: String, sent_at: Timestamp) -> Heading {
        Heading {
            id,
            cluster: self.page.cluster.borrow().clone(),
            page: self.page.url.to_string(),
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
        // If it was accepted, what waits is tried at once.
        self.nudge();
        Ok(sent)
    }
}

/// What was read of the channel.
struct Known {
    state: ChannelState,
    age: Stopwatch,
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

/// The picture keeps what has ended for longer than it is known whether the channel was told of it.
fn drop_forgotten(incidents: &mut Vec<Arc<Incident>>, read_at: Timestamp) {
    let oldest = read_at - MAX_REST;
    incidents.retain(|one| one.ended.is_none_or(|ended| ended >= oldest));
}

#[cfg(test)]
mod tests {
    use app::cluster::news::Told;
    use app::cluster::{Role, ServerName, Severity, Span};

    use super::*;

    #[test]
    fn what_ended_long_ago_is_not_told_again_though_the_picture_still_has_it() {
        let now = Timestamp(1_795_348_800_000);
        let began = now - Span::minutes(60);
        let server = ServerName::parse("web-1").unwrap();
        let (hint, role) = (HintId::ServiceStale, Some(Role::Service));
        let stale = Incident::begin(hint, Severity::Error, Some(server), role, began);
        let ended = |minutes| Some(now - Span::minutes(minutes));
        let mut incidents: Vec<Arc<Incident>> = [ended(41), ended(39), None]
            .map(|ended| Arc::new(Incident { ended, ..stale.clone() }))
            .into();
        let told = Told { since: began, ..Told::default() };
        let rules = ChannelRules::default();
        let tells = |incidents: &[Arc<Incident>]| rules.outlook(incidents, &told, now).tell.len();
        assert_eq!(tells(&incidents), 3, "nobody knows what it was told");
        drop_forgotten(&mut incidents, now);
        assert_eq!(tells(&incidents), 2);
        assert_eq!(incidents[0].ended, ended(39));
    }
}
