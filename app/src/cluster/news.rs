//! What is a channel told of the incidents, and when? Pure: from what it was told before, and the time.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::finding::{HintId, Severity};
use super::incident::{Incident, IncidentId};
use super::time::{Span, Timestamp};

/// Advice that was due for less is kept, and nobody is told.
pub const LEAST_TOLD: Span = Span::seconds(30);
/// A message waits so long for incidents that have just begun, so that one message tells what happens together.
const WAITS_FOR_OTHERS: Span = Span::seconds(30);
/// The time between two messages of a channel.
pub const BETWEEN_MESSAGES: Span = Span::minutes(5);
/// From this turn on an incident is told as one that comes and goes.
pub const FLAPPING_TURN: u32 = 3;

/// What a channel wants to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChannelRules {
    /// The least urgent incidents that it is told.
    pub from: Severity,
    /// If not zero: it hears only of errors that nobody has acknowledged for so long.
    pub after: Span,
    /// How often it is reminded of an error that is open and that nobody has acknowledged; zero: never.
    pub remind: Span,
}

impl Default for ChannelRules {
    fn default() -> Self {
        Self { from: Severity::Warning, after: Span::ZERO, remind: Span::minutes(4 * 60) }
    }
}

/// What a channel was told of one incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToldIncident {
    /// How urgent it was at most when it was told.
    pub severity: Severity,
    /// When it was last told, or reminded.
    pub at: Timestamp,
    /// That it comes and goes.
    pub flapping: bool,
    /// Its end.
    pub ended: bool,
}

/// The last message to a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastMessage {
    pub at: Timestamp,
    /// How urgent it was at most: an end is only worth knowing.
    pub worst: Severity,
}

/// What a channel was told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Since when there is the channel: what ended before is not told.
    pub since: Timestamp,
    pub incidents: BTreeMap<IncidentId, ToldIncident>,
    pub last_message: Option<LastMessage>,
}

/// What is new about an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    Begun,
    /// It was a warning, and is an error now.
    Worse,
    /// It has come back again and again.
    Flapping,
    /// It is still open, and nobody has acknowledged it.
    Reminder,
    Ended,
}

impl News {
    /// The word in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Worse => "worse",
            Self::Flapping => "flapping",
            Self::Reminder => "reminder",
            Self::Ended => "ended",
        }
    }
}

/// What to do next for a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// What to tell now, in one message.
    pub tell: Vec<(IncidentId, News)>,
    /// When to look again if no incident changes; `None`: not before one does.
    pub next: Option<Timestamp>,
}

/// News and the moment from which it may be told.
struct DueNews<'a> {
    incident: &'a Incident,
    what: News,
    due: Timestamp,
}

impl ChannelRules {
    /// What to tell at `now`.
    pub fn outlook(&self, incidents: &[Arc<Incident>], told: &Told, now: Timestamp) -> Outlook {
        let news = incidents.iter().filter_map(|incident| self.news(incident, told, now));
        let news: Vec<DueNews<'_>> = news.collect();
        let (due, later): (Vec<&DueNews<'_>>, Vec<&DueNews<'_>>) =
            news.iter().partition(|news| news.due <= now);
        let next = later.iter().map(|news| news.due).min();
        let Some(first) = due.iter().map(|news| news.due).min() else {
            return Outlook { tell: Vec::new(), next };
        };
        let gathering = later.iter().filter(|news| news.what == News::Begun);
        let gathered =
            gathering.map(|news| news.due).filter(|due| *due <= first + WAITS_FOR_OTHERS);
        let earliest = match last_message_in_the_way(&due, incidents, told) {
            Some(last) => (last + BETWEEN_MESSAGES).max(first),
            None => gathered.max().unwrap_or(first),
        };
        if earliest > now {
            let next = next.map_or(earliest, |next| next.min(earliest));
            return Outlook { tell: Vec::new(), next: Some(next) };
        }
        let tell = due.iter().map(|news| (news.incident.id.clone(), news.what)).collect();
        Outlook { tell, next }
    }

    /// What the channel is to be told of an incident, now or later.
    fn news<'a>(&self, incident: &'a Incident, told: &Told, now: Timestamp) -> Option<DueNews<'a>> {
        let (what, due) = match told.incidents.get(&incident.id) {
            Some(known) => self.further_news(incident, known, now)?,
            None => self.first_news(incident, told.since, now)?,
        };
        Some(DueNews { incident, what, due })
    }

    /// What the channel is told first of an incident, and when.
    fn first_news(
        &self,
        incident: &Incident,
        since: Timestamp,
        now: Timestamp,
    ) -> Option<(News, Timestamp)> {
        if !self.wants(incident) {
            return None;
        }
        if self.is_flapping(incident, now) {
            return Some((News::Flapping, incident.turned));
        }
        let (Some(ended), Some(over_at)) = (incident.ended, incident.over_at()) else {
            return Some((News::Begun, incident.advised_since + self.delay()));
        };
        // It ended before it could be told: while another message had just gone out, or while nobody could see it. Or it was
        // there too often to be kept to oneself, though never for long.
        let is_worth_it =
            ended - incident.advised_since >= self.delay() || self.comes_and_goes(incident);
        // A channel that failed says in its next message since when.
        let is_known = incident.hint == HintId::ChannelFailing;
        (ended > since && is_worth_it && !is_known).then_some((News::Ended, over_at))
    }

    /// What the channel is told of an incident that it knows, and when.
    fn further_news(
        &self,
        incident: &Incident,
        known: &ToldIncident,
        now: Timestamp,
    ) -> Option<(News, Timestamp)> {
        let is_wanted = self.wants(incident);
        if is_wanted && !known.flapping && self.is_flapping(incident, now) {
            return Some((News::Flapping, incident.turned));
        }
        if let Some(over_at) = incident.over_at() {
            return (!known.ended).then_some((News::Ended, over_at));
        }
        if !is_wanted {
            return None;
        }
        let due = incident.advised_since + self.delay();
        if known.ended {
            return Some((News::Begun, due));
        }
        if incident.severity < known.severity {
            return Some((News::Worse, due));
        }
        let reminds = self.remind > Span::ZERO && is_unattended_error(incident);
        reminds.then(|| (News::Reminder, known.at + self.remind))
    }

    /// Whether the channel is to hear that this is due.
    fn wants(&self, incident: &Incident) -> bool {
        incident.severity <= self.from
            && incident.is_told()
            && incident.replaced_by.is_none()
            && (self.after == Span::ZERO || is_unattended_error(incident))
    }

    /// For how long advice must have been due.
    fn delay(&self) -> Span {
        self.after.max(LEAST_TOLD)
    }

    /// Whether to tell now that an incident comes and goes.
    fn is_flapping(&self, incident: &Incident, now: Timestamp) -> bool {
        self.comes_and_goes(incident) && !incident.is_over(now)
    }

    /// An escalation is about what stays.
    fn comes_and_goes(&self, incident: &Incident) -> bool {
        incident.turns >= FLAPPING_TURN && self.after == Span::ZERO
    }
}

/// When the last message was sent, unless this news may follow it sooner: an error when only warnings were told, and the end
/// of the last open incident.
fn last_message_in_the_way(
    due: &[&DueNews<'_>],
    incidents: &[Arc<Incident>],
    told: &Told,
) -> Option<Timestamp> {
    let last = told.last_message?;
    let is_error = |news: &&&DueNews<'_>| {
        news.what != News::Ended && news.incident.severity == Severity::Error
    };
    let is_worse = last.worst > Severity::Error && due.iter().any(|news| is_error(&news));
    let ends = |incident: &Incident| {
        let is_it =
            |news: &&DueNews<'_>| news.what == News::Ended && news.incident.id == incident.id;
        due.iter().any(is_it)
    };
    let is_open = |incident: &&Arc<Incident>| {
        let told = told.incidents.get(&incident.id);
        told.is_some_and(|told| !told.ended) && !ends(incident)
    };
    let is_over = due.iter().all(|news| news.what == News::Ended)
        && !incidents.iter().any(|incident| is_open(&incident));
    (!is_worse && !is_over).then_some(last.at)
}

fn is_unattended_error(incident: &Incident) -> bool {
    incident.severity == Severity::Error && incident.acknowledged.is_none()
}

impl Told {
    /// Notes that a message with this news goes out at `at`.
    pub fn note(&mut self, news: &[(&Incident, News)], at: Timestamp) {
        let urgency = |(incident, what): &(&Incident, News)| {
            if *what == News::Ended { Severity::Info } else { incident.severity }
        };
        let worst = news.iter().map(urgency).min();
        self.last_message = worst.map(|worst| LastMessage { at, worst }).or(self.last_message);
        for (incident, what) in news {
            let known = self.incidents.get(&incident.id);
            // What comes back is told anew, so it can become worse anew.
            let before = known.filter(|_| *what != News::Begun);
            let severity =
                before.map_or(incident.severity, |known| known.severity.min(incident.severity));
            let flapping = *what == News::Flapping || known.is_some_and(|known| known.flapping);
            let ended = !incident.is_open() && *what != News::Flapping;
            let next = ToldIncident { severity, at, flapping, ended };
            self.incidents.insert(incident.id.clone(), next);
        }
    }
}
