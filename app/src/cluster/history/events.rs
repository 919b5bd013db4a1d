//! What people read of the past: an event for each change, and for each turn of a verdict on heartbeats and steadiness.
//! Nothing of this is stored.

use super::cluster_history::ClusterHistory;
use super::component_history::{ComponentHistory, add_interruptions};
use super::event::{Event, Happening, PulseCause};
use super::record::{ArrivalKind, ComponentRecord, RecordedState};
use super::timeline::{Interval, PastState, Segment};
use crate::cluster::component::ComponentFacts;
use crate::cluster::component_key::ComponentKey;
use crate::cluster::health::{Pulse, Stability};
use crate::cluster::interruptions::Interruptions;
use crate::cluster::keys::KeyKind;
use crate::cluster::observation::BlindPeriod;
use crate::cluster::reference_keys::ReferenceKeys;
use crate::cluster::settings::SETTINGS;
use crate::cluster::time::{Span, Timestamp};

impl ClusterHistory {
    /// The events of a span, newest first.
    pub fn events(&self, span: Interval) -> Vec<Event> {
        let mut events = self.events_of_cluster();
        for (key, component) in &self.components {
            let writer = ComponentEvents { history: self, key, component, span };
            writer.write(&mut events);
        }
        events.retain(|event| span.from <= event.at && event.at < span.until);
        events.sort_by_cached_key(|event| std::cmp::Reverse(event.id()));
        events
    }

    fn events_of_cluster(&self) -> Vec<Event> {
        let event = |at, what| Event { at, subject: None, what };
        let mut events = Vec::new();
        for pair in self.settings.windows(2) {
            let [(_, before), (at, after)] = pair else { continue };
            for setting in &SETTINGS {
                let (from, to) = (setting.get(before), setting.get(after));
                let what = Happening::Setting { name: setting.name, from, to };
                events.extend((from != to).then(|| event(*at, what)));
            }
        }
        for (place, (at, after)) in self.references.iter().enumerate() {
            let before = place.checked_sub(1).and_then(|before| self.references.get(before));
            for kind in KeyKind::ALL {
                let check = |keys: &ReferenceKeys| keys.get(kind).map(|reference| reference.check);
                let (from, to) = (before.and_then(|(_, before)| check(before)), check(after));
                let what = Happening::ReferenceKey { kind, from, to };
                events.extend((from != to).then(|| event(*at, what)));
            }
        }
        for BlindPeriod { start, end, clock_set } in &self.blind_periods {
            let lasted = *end - *start;
            let what = if *clock_set {
                Happening::Clock { by: lasted }
            } else {
                Happening::Blind { lasted }
            };
            events.push(event(*start, what));
        }
        let steps = self.clock_steps.iter();
        events.extend(steps.map(|(at, by)| event(*at, Happening::Clock { by: *by })));
        events
    }
}

/// Writes the events of one component.
struct ComponentEvents<'a> {
    history: &'a ClusterHistory,
    key: &'a ComponentKey,
    component: &'a ComponentHistory,
    span: Interval,
}

impl ComponentEvents<'_> {
    fn write(&self, events: &mut Vec<Event>) {
        let mut known: Option<&ComponentFacts> = None;
        for record in &self.component.records {
            known = self.write_record(record, known, events);
        }
        self.write_pulses(events);
        self.write_stability(events);
    }

    fn event(&self, at: Timestamp, what: Happening) -> Event {
        Event { at, subject: Some(self.key.clone()), what }
    }

    /// Returns what it reports after this record.
    fn write_record<'a>(
        &self,
        record: &'a ComponentRecord,
        known: Option<&'a ComponentFacts>,
        events: &mut Vec<Event>,
    ) -> Option<&'a ComponentFacts> {
        if let Some((first, last)) = record.starts.first().zip(record.starts.last()) {
            let what = Happening::Start {
                count: record.start_count,
                last: last.at,
                ran: last.ran,
                stopped_cleanly: last.stopped_cleanly,
            };
            // Of many starts the first are not kept.
            let at = if record.starts.len() < record.start_count as usize {
                record.at
            } else {
                first.at
            };
            events.push(self.event(at, what));
        }
        if let Some(back) = record.returns.last() {
            let (count, address) = (record.return_count, back.ip.to_string());
            events.push(self.event(back.at, Happening::BootReturned { count, address }));
        }
        let at = record.state_at;
        match &record.state {
            None => known,
            Some(RecordedState::Removed) => {
                events.push(self.event(at, Happening::Removed));
                None
            }
            Some(RecordedState::Present { facts, arrival }) => {
                match (arrival, known) {
                    (Some(ArrivalKind::New), _) => {
                        let version = facts.version.clone();
                        events.push(self.event(at, Happening::FirstSeen { version }));
                    }
                    (Some(ArrivalKind::Back), _) => {
                        events.push(self.event(at, Happening::Returned));
                    }
                    (None, Some(before)) => self.write_facts(at, before, facts, events),
                    (None, None) => {}
                }
                Some(facts)
            }
        }
    }

    fn write_facts(
        &self,
        at: Timestamp,
        before: &ComponentFacts,
        after: &ComponentFacts,
        events: &mut Vec<Event>,
    ) {
        if before.version != after.version {
            let (from, to) = (before.version.clone(), after.version.clone());
            events.push(self.event(at, Happening::Version { from, to }));
        }
        if before.ip != after.ip {
            let (from, to) = (before.ip.to_string(), after.ip.to_string());
            events.push(self.event(at, Happening::Address { from, to }));
        }
        let checks = |facts: &ComponentFacts| {
            [(KeyKind::Encryption, facts.key_check), (KeyKind::Machine, facts.machine_key_check)]
        };
        for ((kind, from), (_, to)) in checks(before).into_iter().zip(checks(after)) {
            if from != to {
                events.push(self.event(at, Happening::Key { kind, from, to }));
            }
        }
    }

    /// A blind period between two pulses is no event of the component: it is one of the cluster.
    fn write_pulses(&self, events: &mut Vec<Event>) {
        let span = Interval { from: self.begin_of_trouble(), ..self.span };
        let segments = self.history.timeline(self.key.role, self.component, span);
        let mut before: Option<(Pulse, Segment, Span)> = None;
        for segment in segments {
            let PastState::Pulse(pulse) = segment.state else {
                before = None;
                continue;
            };
            before = match before {
                Some((from, first, blind)) if pulse == Pulse::Unknown => {
                    Some((from, first, blind + segment.length()))
                }
                None if pulse == Pulse::Unknown => None,
                Some((from, first, blind)) if from == pulse => Some((from, first, blind)),
                Some((from, first, blind)) => {
                    let why = self.cause(segment.from, pulse);
                    let is_trouble = from != Pulse::Alive;
                    let lasted = is_trouble.then(|| segment.from - first.from);
                    let blind = if is_trouble { blind } else { Span::ZERO };
                    let what = Happening::Pulse { from, to: pulse, why, lasted, blind };
                    events.push(self.event(segment.from, what));
                    Some((pulse, segment, Span::ZERO))
                }
                None => Some((pulse, segment, Span::ZERO)),
            };
        }
    }

    /// The beginning of the span, or of the silences and blind periods without a break in which that lies.
    fn begin_of_trouble(&self) -> Timestamp {
        let mut from = self.span.from;
        loop {
            let silence = self.component.silences().find(|one| one.start < from && from <= one.end);
            let mut periods = self.history.blind_periods.iter();
            let period = periods.find(|one| one.start < from && from <= one.end);
            let starts = [silence.map(|one| one.start), period.map(|one| one.start)];
            match starts.into_iter().flatten().min() {
                Some(start) => from = start,
                None => return from,
            }
        }
    }

    fn cause(&self, at: Timestamp, pulse: Pulse) -> PulseCause {
        if self.history.settings.iter().any(|(since, _)| *since == at) {
            return PulseCause::Settings;
        }
        match pulse {
            Pulse::Stopped => PulseCause::Goodbye,
            Pulse::Late | Pulse::Stale => {
                let ends = |period: &BlindPeriod| period.end == at;
                let is_observed = self.history.blind_periods.iter().any(ends);
                if is_observed { PulseCause::Observed } else { PulseCause::Silence }
            }
            Pulse::Alive | Pulse::Unknown => {
                let starts = self.component.records.iter().flat_map(|record| &record.starts);
                let has_started = starts.into_iter().any(|start| start.at == at);
                if has_started { PulseCause::Start } else { PulseCause::Heartbeat }
            }
        }
    }

    fn write_stability(&self, events: &mut Vec<Event>) {
        let role = self.key.role;
        let mut interruptions = Interruptions::default();
        let mut before = Stability::Steady;
        let records = &self.component.records;
        for (place, record) in records.iter().enumerate() {
            if matches!(record.state, Some(RecordedState::Removed)) {
                (interruptions, before) = (Interruptions::default(), Stability::Steady);
            }
            add_interruptions(&mut interruptions, record, role, self.history, &|_| true);
            let settings = self.history.settings_at(record.until);
            let next = records.get(place + 1).map_or(self.span.until, |next| next.at);
            let mut turns = vec![record.until];
            interruptions.each_turn(&settings, &mut |turn| turns.push(turn));
            turns.retain(|turn| record.until <= *turn && *turn < next);
            turns.sort_unstable();
            for turn in turns {
                let (now, _) = interruptions.stability(role, &settings, turn);
                if now != before {
                    events.push(self.event(turn, Happening::Stability { from: before, to: now }));
                    before = now;
                }
            }
        }
    }
}
