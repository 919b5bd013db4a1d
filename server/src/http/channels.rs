//! The channels as pages show them, and who was told of an incident.

use std::collections::BTreeMap;

use app::cluster::{HintId, Incident, IncidentId, Severity, Span, Timestamp};
use app::i18n::{Catalog, MessageKey};
use app::pages::channels::{ShownChannel, ShownCondition, ShownPause};
use app::pages::deliveries::{NamedIncident, Outcome, ShownDelivery};
use app::pages::incident::{Told, ToldChannel};

use crate::http::query::encode_value;
use crate::notify::Channel;
use crate::site::Site;
use crate::store::{
    ChannelCondition, Delivery, DeliveryOutcome, IncidentRecord, Pause, StoreError,
};

/// So many incidents of a message are named.
const MAX_NAMED_INCIDENTS: usize = 5;
/// Nobody chooses a longer pause: it lasts until somebody ends it.
const FOR_GOOD: Span = Span::minutes(100 * 365 * 24 * 60);

/// The path of the page of a channel, below the base path.
pub(crate) fn path(channel: &str) -> String {
    format!("notifications/channels/{}", encode_value(channel))
}

/// All channels, in the order of their file.
pub(crate) async fn all(site: &Site) -> Vec<ShownChannel> {
    let conditions = conditions(site).await;
    let now = site.live.now();
    site.commands.channels().map(|channel| shown(channel, conditions.as_deref(), now)).collect()
}

/// The channel with this name, as its file spells it.
pub(crate) async fn find(site: &Site, name: &str) -> Option<ShownChannel> {
    let channel = site.commands.channels().find(|channel| channel.name == name)?;
    Some(shown(channel, conditions(site).await.as_deref(), site.live.now()))
}

/// `None` while the database cannot be read.
async fn conditions(site: &Site) -> Option<Vec<ChannelCondition>> {
    if site.live.is_blind() { None } else { site.store.channel_conditions().await.ok() }
}

fn shown(
    channel: &Channel,
    conditions: Option<&[ChannelCondition]>,
    now: Timestamp,
) -> ShownChannel {
    let condition = |known: &[ChannelCondition]| {
        let own = known.iter().find(|one| one.name == channel.name);
        own.map(|one| shown_condition(one, now)).unwrap_or_default()
    };
    ShownChannel {
        name: channel.name.clone(),
        path: path(&channel.name),
        kind: channel.kind(),
        from: channel.from,
        after: channel.after,
        remind: channel.remind,
        language: channel.language,
        condition: conditions.map(condition),
    }
}

fn shown_condition(condition: &ChannelCondition, now: Timestamp) -> ShownCondition {
    let pause = |Pause { until, by, reason }: Pause| ShownPause {
        until: (until - now < FOR_GOOD).then_some(until),
        by,
        reason,
    };
    ShownCondition {
        pause: condition.pause.clone().map(pause),
        failing: condition.failing.clone(),
        last_delivered: condition.last_delivered,
    }
}

/// Messages with the titles of their first incidents.
pub(crate) async fn name_incidents(
    site: &Site,
    catalog: &Catalog,
    messages: &[Delivery],
) -> Result<Vec<ShownDelivery>, StoreError> {
    let first = |message: &Delivery| {
        let ids = message.news.iter().map(|(id, _)| id.clone());
        ids.take(MAX_NAMED_INCIDENTS).collect::<Vec<_>>()
    };
    let ids = messages.iter().flat_map(first).collect();
    let records = site.store.incident_records(ids).await?;
    let titles: BTreeMap<&IncidentId, String> =
        records.iter().map(|one| (&one.incident.id, title(one, catalog))).collect();
    let named = |message: &Delivery| {
        let incident = |id: IncidentId| {
            let title = titles.get(&id)?.clone();
            Some(NamedIncident { id: id.to_string(), title })
        };
        let incidents = first(message).into_iter().filter_map(incident).collect();
        ShownDelivery { incidents, ..shown_delivery(message) }
    };
    Ok(messages.iter().map(named).collect())
}

fn title(IncidentRecord { incident, hint }: &IncidentRecord, catalog: &Catalog) -> String {
    let about = || catalog.title_about(incident.hint, incident.server.as_ref());
    hint.as_ref().map_or_else(about, |hint| catalog.hint(hint).title)
}

/// Without the names of its incidents.
pub(crate) fn shown_delivery(delivery: &Delivery) -> ShownDelivery {
    let mut counts = BTreeMap::new();
    for (_, what) in &delivery.news {
        *counts.entry(*what).or_insert(0) += 1;
    }
    ShownDelivery {
        begun: delivery.begun,
        tries: delivery.tries,
        next_try: delivery.next_try,
        ended: delivery.ended,
        outcome: outcome(delivery.outcome),
        answer: delivery.answer.clone(),
        news: counts.into_iter().collect(),
        incidents: Vec::new(),
    }
}

const fn outcome(outcome: DeliveryOutcome) -> Outcome {
    match outcome {
        DeliveryOutcome::Pending => Outcome::Pending,
        DeliveryOutcome::Delivered => Outcome::Delivered,
        DeliveryOutcome::Merged => Outcome::Merged,
        DeliveryOutcome::GivenUp => Outcome::GivenUp,
    }
}

/// Who was told of an incident, or why nobody was.
pub(crate) async fn told(site: &Site, incident: &Incident) -> Told {
    if site.live.is_blind() {
        return Told::Unreadable;
    }
    let Ok(told) = site.store.channels_told(&incident.id).await else { return Told::Unreadable };
    if told.is_empty() {
        let why = why_nobody(&all(site).await, incident);
        return Told::Nobody(why);
    }
    let channels = told.into_iter().map(|one| ToldChannel {
        path: site.commands.channel_name(&one.name).map(|name| path(&name)),
        name: one.name,
        at: one.at,
        flapping: one.flapping,
        ended: one.ended,
        outcome: one.outcome.map(outcome),
    });
    Told::Channels(channels.collect())
}

/// Why nobody has been told, where that is simple.
fn why_nobody(channels: &[ShownChannel], incident: &Incident) -> Option<MessageKey> {
    if channels.is_empty() {
        return Some(MessageKey::PagesChannelsNone);
    }
    if incident.hint == HintId::ServiceLate {
        return Some(MessageKey::PagesIncidentToldLate);
    }
    let wants = |channel: &&ShownChannel| {
        let least = if channel.after > Span::ZERO { Severity::Error } else { channel.from };
        incident.severity <= least
    };
    let wanting: Vec<&ShownChannel> = channels.iter().filter(wants).collect();
    let is_paused = |channel: &&ShownChannel| {
        channel.condition.as_ref().is_some_and(|known| known.pause.is_some())
    };
    if wanting.is_empty() {
        Some(MessageKey::PagesIncidentToldTooMild)
    } else if incident.ended.is_some() {
        None
    } else if incident.replaced_by.is_some() {
        Some(MessageKey::PagesIncidentToldReplaced)
    } else if wanting.iter().all(is_paused) {
        Some(MessageKey::PagesIncidentToldPaused)
    } else if wanting.iter().all(|channel| channel.after > Span::ZERO) {
        Some(MessageKey::PagesIncidentToldAfter)
    } else {
        Some(MessageKey::PagesIncidentToldSoon)
    }
}
