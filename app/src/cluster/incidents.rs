//! Which incidents begin, go on and end? One pure step from those that are known and the hints that are due.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::finding::{HintFamily, HintId};
use super::health::Overview;
use super::hints::{DueHint, DueHints, Hint};
use super::incident::{Incident, IncidentSubject};
use super::observation::{BLIND_PERIOD_RETENTION, BlindPeriod};
use super::server_name::ServerName;
use super::snapshot::Snapshot;
use super::time::{Span, Timestamp};

/// A blind period that ended longer ago is not made an incident: nobody was there to judge it, as in a database of an earlier
/// version.
const RECENTLY: Span = Span::minutes(15);

/// An incident as it is from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentChange {
    pub incident: Incident,
    /// Its advice, if that is another one than before.
    pub hint: Option<Hint>,
}

impl Snapshot {
    /// The incidents of this snapshot that change at `now`, as they are from then on. `overview` is its own at that moment.
    ///
    /// After a time in which nobody judged, what time alone brought about has its own moment, and what a fact brought about that
    /// of the last change. While the overview is blind nothing changes.
    pub fn changed_incidents(&self, overview: &Overview, now: Timestamp) -> Vec<IncidentChange> {
        if self.blind_since.is_some() {
            return Vec::new();
        }
        let mut known: BTreeMap<IncidentSubject, &Incident> = BTreeMap::new();
        for incident in &self.incidents {
            let of_subject = known.entry(incident.subject()).or_insert(incident);
            if of_subject.began < incident.began {
                *of_subject = incident;
            }
        }
        let due_hints = DueHints::new(self, overview);
        let due = one_of_each_subject(&due_hints);
        let moment = overview.as_of.min(now);
        let mut changed: Vec<IncidentChange> = due
            .iter()
            .filter_map(|(subject, hint)| {
                let known = known.get(subject).copied();
                let next = take_up(known, hint, moment, now);
                let is_new_advice = known
                    .is_none_or(|known| (known.hint, known.severity) != (next.hint, next.severity));
                (known != Some(&next)).then(|| IncidentChange {
                    hint: due_hints.hint(hint).filter(|_| is_new_advice),
                    incident: next,
                })
            })
            .collect();
        let open = known
            .iter()
            .filter(|(subject, incident)| incident.is_open() && !due.contains_key(*subject));
        let gone_on = open.filter_map(|(_, incident)| without_hint(incident, &due_hints, moment));
        changed.extend(gone_on.map(|incident| IncidentChange { incident, hint: None }));
        if let Some(incident) = self.blind_incident(now) {
            let hint = self.hint_of_blindness(incident.turned);
            changed.push(IncidentChange { incident, hint });
        }
        changed
    }

    /// What is advised while the overview is blind since then.
    pub fn hint_of_blindness(&self, since: Timestamp) -> Option<Hint> {
        let blind = Self { blind_since: Some(since), outage: None, ..self.clone() };
        blind.hints(&blind.overview(since)).pop()
    }

    /// The incident of the last blind period, if that is not known yet.
    fn blind_incident(&self, now: Timestamp) -> Option<Incident> {
        let is_new = |period: &&BlindPeriod| !period.clock_set && now - period.end <= RECENTLY;
        let period = self.blind_periods.iter().rev().find(is_new)?;
        let known = self.known_blindness();
        if known.is_some_and(|known| known.turned >= period.start) {
            return None;
        }
        Some(Incident { ended: Some(period.end), ..self.blindness(period.start) })
    }

    /// The incident of an overview that is blind since then: the same for every web server, though each noticed it at another
    /// moment, and for whoever judges it when it is over.
    pub fn blindness(&self, since: Timestamp) -> Incident {
        let hint = HintId::OverviewBlind;
        let known = self.known_blindness().filter(|known| known.may_come_back(since));
        if let Some(known) = known {
            return Incident {
                turned: since,
                advised_since: since,
                ended: None,
                turns: known.turns + 1,
                ..known.clone()
            };
        }
        let before = self.blind_periods.iter().rfind(|period| period.end <= since);
        let month = Timestamp(since.0 - since.0.rem_euclid(BLIND_PERIOD_RETENTION.0));
        let named_after = before.map_or(month, |period| period.end);
        let named = Incident::begin(hint, hint.severity(), None, None, named_after);
        Incident { began: since, turned: since, advised_since: since, ..named }
    }

    fn known_blindness(&self) -> Option<&Incident> {
        let known = self.incidents.iter().map(Arc::as_ref);
        let known = known.filter(|incident| incident.hint.family() == HintFamily::Blind);
        known.max_by_key(|incident| incident.began)
    }
}

/// What there is to say about an incident at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    pub hint: Hint,
    /// All servers it is about, in order.
    pub servers: Vec<ServerName>,
}

impl Snapshot {
    /// The advice that is due about each of these incidents, in their order; `None` if none is: it ended, or another hint
    /// explains its own one. While the overview is blind, as it could last be judged.
    pub fn advice(&self, incidents: &[&Incident], now: Timestamp) -> Vec<Option<Advice>> {
        if incidents.iter().all(|incident| !incident.is_open()) {
            return vec![None; incidents.len()];
        }
        if let Some((before, overview)) = self.last_known() {
            let mut advice = before.advice_of(&overview, incidents);
            let blind = self.advice_of(&self.overview(now), incidents);
            for (advice, blind) in advice.iter_mut().zip(blind) {
                *advice = advice.take().or(blind);
            }
            return advice;
        }
        self.advice_of(&self.overview(now), incidents)
    }

    fn advice_of(&self, overview: &Overview, incidents: &[&Incident]) -> Vec<Option<Advice>> {
        let due_hints = DueHints::new(self, overview);
        let by_subject = one_of_each_subject(&due_hints);
        let due: Vec<Option<&DueHint>> = incidents
            .iter()
            .map(|incident| by_subject.get(&incident.subject()).filter(|_| incident.is_open()))
            .collect();
        let wanted: Vec<DueHint> = due.iter().copied().flatten().cloned().collect();
        let mut hints = due_hints.hints(&wanted).into_iter();
        due.into_iter()
            .map(|due| {
                let due = due?;
                let hint = hints.next().flatten()?;
                Some(Advice { hint, servers: due_hints.servers(due) })
            })
            .collect()
    }
}

/// Of each subject the most urgent hint that is due.
fn one_of_each_subject(due_hints: &DueHints<'_>) -> BTreeMap<IncidentSubject, DueHint> {
    let mut due = BTreeMap::new();
    for hint in due_hints.all() {
        let DueHint { id, ref server, role, .. } = hint;
        let subject = IncidentSubject { server: server.clone(), role, family: id.family() };
        due.entry(subject).or_insert(hint);
    }
    due
}

/// The incident of a hint that is due: begun, come back or gone on.
fn take_up(
    known: Option<&Incident>,
    hint: &DueHint,
    moment: Timestamp,
    now: Timestamp,
) -> Incident {
    let DueHint { id, severity, ref server, role, due_at, .. } = *hint;
    let due_at = due_at.unwrap_or(moment).min(now);
    let Some(known) = known.filter(|known| known.may_come_back(due_at)) else {
        return Incident::begin(id, severity, server.clone(), role, due_at);
    };
    let is_more_urgent = severity < known.severity || !known.is_told();
    let advised_since = match known.replaced_by {
        // Its cause is gone. It may only be slower to recover, so it is as new.
        Some(_) => due_at.max(moment),
        None if is_more_urgent => due_at,
        None => known.advised_since,
    };
    let gone_on = Incident {
        hint: id,
        advised_since,
        severity,
        worst: known.worst.min(severity),
        replaced_by: None,
        ..known.clone()
    };
    match known.ended {
        None => gone_on,
        Some(ended) => Incident {
            turned: due_at.max(ended),
            advised_since: due_at.max(ended),
            ended: None,
            turns: known.turns + 1,
            ..gone_on
        },
    }
}

/// An open incident without a hint of its own: it goes on under its cause, or it ends. One that ends together with its cause keeps
/// the name of that: nobody was told of it alone.
fn without_hint(incident: &Incident, due: &DueHints<'_>, moment: Timestamp) -> Option<Incident> {
    let Incident { hint, ref server, role, .. } = *incident;
    let cause = due.cause_of(hint, server.as_ref(), role);
    let ended = cause.is_none().then(|| moment.max(incident.turned));
    let replaced_by = cause.or(incident.replaced_by);
    let next = Incident { ended, replaced_by, ..incident.clone() };
    (next != *incident).then_some(next)
}

/// Incidents as they are kept in a list, by their ids.
pub fn find<'a>(incidents: &'a [Arc<Incident>], id: &str) -> Option<&'a Arc<Incident>> {
    let place = incidents.binary_search_by(|known| known.id.as_str().cmp(id)).ok()?;
    Some(&incidents[place])
}
