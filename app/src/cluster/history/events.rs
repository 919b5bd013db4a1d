//! What people read of the past: an event for each change, and for each turn of a verdict on heartbeats and steadiness.
//! Nothing of this is stored.

use std::collections::BTreeSet;

use super::cluster_history::ClusterHistory;
use super::component_history::{ComponentHistory, StateChange, add_interruptions};
use super::event::{Event, Happening, LongSilence, PulseCause};
use super::record::{ArrivalKind, ComponentRecord, Silence, last_begun};
use super::timeline::{Interval, PastState, Segment};
use crate::cluster::component::ComponentFacts;
use crate::cluster::component_key::ComponentKey;
use crate::cluster::health::{Pulse, Stability};
use crate::cluster::interruptions::Interruptions;
use crate::cluster::keys::KeyKind;
use crate::cluster::observation::{BlindPeriod, last_before};
use crate::cluster::reference_keys::ReferenceKeys;
use crate::cluster::settings::SETTINGS;
use crate::cluster::time::{Span, Timestamp};

/// How steady a component is follows from what happened within this span.
pub const STABILITY_SPAN: Span = Span::minutes(24 * 60);

impl ClusterHistory {
    /// The events of a span, newest first.
    pub fn events(&self, span: Interval) -> Vec<Event> {
        let mut events = self.events_of_cluster();
        for (key, component) in &self.components {
            let writer = ComponentEvents { history: self, key, component, span };
            writer.write(&mut events);
        }
        events.retain(|event| span.contains(event.at));
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
        for record in &self.component.records {
            self.write_record(record, events);
        }
        self.write_states(events);
        self.write_pulses(events);
        self.write_stability(events);
    }

    /// Adds an event, if it is in the span.
    fn add(&self, events: &mut Vec<Event>, at: Timestamp, what: impl FnOnce() -> Happening) {
        if self.span.contains(at) {
            events.push(Event { at, subject: Some(self.key.clone()), what: what() });
        }
    }

    fn write_record(&self, record: &ComponentRecord, events: &mut Vec<Event>) {
        if let Some((first, last)) = record.starts.first().zip(record.starts.last()) {
            self.add(events, first.at, || Happening::Start {
                count: record.start_count,
                last: last.at,
                ran: last.ran,
                stopped_cleanly: last.stopped_cleanly,
            });
        }
        if let Some((first, last)) = record.returns.first().zip(record.returns.last()) {
            self.add(events, first.at, || {
                let (count, address) = (record.return_count, last.ip.to_string());
                Happening::BootReturned { count, address }
            });
        }
    }

    fn write_states(&self, events: &mut Vec<Event>) {
        let mut known: Option<&ComponentFacts> = None;
        for (at, change) in self.component.state_changes() {
            known = match (change, known) {
                (StateChange::Removed, _) => {
                    self.add(events, at, || Happening::Removed);
                    None
                }
                (StateChange::Present { facts, arrival: Some(ArrivalKind::New) }, _) => {
                    self.add(events, at, || {
                        let version = facts.version.clone();
                        Happening::FirstSeen { version }
                    });
                    Some(facts)
                }
                (StateChange::Present { facts, arrival: Some(ArrivalKind::Back) }, _) => {
                    self.add(events, at, || Happening::Returned);
                    Some(facts)
                }
                (StateChange::Present { facts, arrival: None }, before) => {
                    if let Some(before) = before {
                        self.write_facts(at, before, facts, events);
                    }
                    Some(facts)
                }
            };
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
            let (from, to) = (&before.version, &after.version);
            self.add(events, at, || Happening::Version { from: from.clone(), to: to.clone() });
        }
        if before.ip != after.ip {
            let (from, to) = (&before.ip, &after.ip);
            let what = || Happening::Address { from: from.to_string(), to: to.to_string() };
            self.add(events, at, what);
        }
        let checks = |facts: &ComponentFacts| {
            [(KeyKind::Encryption, facts.key_check), (KeyKind::Machine, facts.machine_key_check)]
        };
        for ((kind, from), (_, to)) in checks(before).into_iter().zip(checks(after)) {
            if from != to {
                self.add(events, at, || Happening::Key { kind, from, to });
            }
        }
    }

    /// A blind period between two pulses is no event of the component: it is one of the cluster.
    fn write_pulses(&self, events: &mut Vec<Event>) {
        let span = Interval { from: self.begin_of_trouble(), ..self.span };
        let segments = self.history.timeline(self.key.role, self.component, span);
        let starts: BTreeSet<Timestamp> = self
            .component
            .records
            .iter()
            .flat_map(|record| record.starts.iter().map(|start| start.at))
            .filter(|start| self.span.contains(*start))
            .collect();
        let silences = self.component.silences_in(span);
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
                    self.add(events, segment.from, || {
                        let is_trouble = from != Pulse::Alive;
                        Happening::Pulse {
                            from,
                            to: pulse,
                            why: self.cause(segment.from, pulse, &starts),
                            silence: self.long_silence(segment.from, pulse, &silences),
                            lasted: is_trouble.then(|| segment.from - first.from),
                            blind: if is_trouble { blind } else { Span::ZERO },
                        }
                    });
                    Some((pulse, segment, Span::ZERO))
                }
                None => Some((pulse, segment, Span::ZERO)),
            };
        }
    }

    /// The silence that made its pulse late or stale at a moment. `silences` in order.
    fn long_silence(
        &self,
        at: Timestamp,
        pulse: Pulse,
        silences: &[Silence],
    ) -> Option<LongSilence> {
        let last = last_begun(silences, at)?.last_heartbeat(self.key.role);
        let settings = self.history.settings_at(at);
        let limit = match pulse {
            Pulse::Late => last.late_limit(&settings),
            Pulse::Stale => last.stale_limit(&settings),
            Pulse::Alive | Pulse::Stopped | Pulse::Unknown => return None,
        };
        Some(LongSilence { since: last.at, limit })
    }

    /// From when on the pulse is judged: from a moment before the span, because it may change at the first moment of the span;
    /// or, if that moment lies in silences and blind periods without a break, from the beginning of these.
    fn begin_of_trouble(&self) -> Timestamp {
        let mut from = self.span.from - Span::TICK;
        let silences: Vec<Silence> =
            self.component.silences().take_while(|one| one.start < from).collect();
        let periods = &self.history.blind_periods;
        loop {
            let silence = last_begun(&silences, from - Span::TICK).filter(|one| from <= one.end);
            let period = last_before(from, periods).filter(|one| from <= one.end);
            let starts = [silence.map(|one| one.start), period.map(|one| one.start)];
            match starts.into_iter().flatten().min() {
                Some(start) => from = start,
                None => return from,
            }
        }
    }

    /// `starts`: the moments at which its process started.
    fn cause(&self, at: Timestamp, pulse: Pulse, starts: &BTreeSet<Timestamp>) -> PulseCause {
        if self.history.settings.iter().any(|(since, _)| *since == at) {
            return PulseCause::Settings;
        }
        match pulse {
            Pulse::Stopped => PulseCause::Goodbye,
            Pulse::Late | Pulse::Stale => {
                let periods = &self.history.blind_periods;
                let is_observed = periods.binary_search_by_key(&at, |period| period.end).is_ok();
                if is_observed { PulseCause::Observed } else { PulseCause::Silence }
            }
            Pulse::Alive | Pulse::Unknown if starts.contains(&at) => PulseCause::Start,
            Pulse::Alive | Pulse::Unknown => PulseCause::Heartbeat,
        }
    }

    fn write_stability(&self, events: &mut Vec<Event>) {
        let mut watch = StabilityWatch::new(self);
        let since = self.span.from - STABILITY_SPAN;
        let records = &self.component.records;
        let earlier = records.partition_point(|record| record.at < since);
        let records = records.iter().skip(earlier);
        for record in records.take_while(|record| record.at < self.span.until) {
            let starts = record.starts.iter().map(|start| start.at);
            let moments = starts.chain(record.silences.iter().map(|silence| silence.end));
            for moment in moments.collect::<BTreeSet<Timestamp>>() {
                watch.let_pass_until(moment, events);
                watch.add(record, moment);
                watch.judge(moment, events);
            }
            if record.comes_or_goes() {
                watch = StabilityWatch::new(self);
            }
        }
        watch.let_pass_until(self.span.until, events);
    }
}

/// Judges from start to gap, and whenever time or a setting alone may turn the verdict, how steady a component is.
struct StabilityWatch<'a> {
    of: &'a ComponentEvents<'a>,
    interruptions: Interruptions,
    /// The last verdict, and its moment.
    before: Stability,
    judged_at: Timestamp,
}

impl<'a> StabilityWatch<'a> {
    fn new(of: &'a ComponentEvents<'a>) -> Self {
        let interruptions = Interruptions::default();
        Self { of, interruptions, before: Stability::Steady, judged_at: Timestamp::default() }
    }

    /// Adds what happened at a moment.
    fn add(&mut self, record: &ComponentRecord, moment: Timestamp) {
        let ComponentEvents { history, key, .. } = self.of;
        add_interruptions(&mut self.interruptions, record, key.role, history, &|at| at == moment);
    }

    fn judge(&mut self, moment: Timestamp, events: &mut Vec<Event>) {
        let settings = self.of.history.settings_at(moment);
        let (now, _) = self.interruptions.stability(self.of.key.role, &settings, moment);
        if now != self.before {
            let from = self.before;
            self.of.add(events, moment, || Happening::Stability { from, to: now });
        }
        (self.before, self.judged_at) = (now, moment);
    }

    /// Judges at each moment before `until` at which the verdict may turn though nothing happens.
    fn let_pass_until(&mut self, until: Timestamp, events: &mut Vec<Event>) {
        while let Some(turn) = self.next_turn().filter(|turn| *turn < until) {
            self.judge(turn, events);
        }
    }

    fn next_turn(&self) -> Option<Timestamp> {
        if self.interruptions.is_empty() {
            return None;
        }
        let settings = &self.of.history.settings;
        let changed = settings.partition_point(|(since, _)| *since <= self.judged_at);
        let mut next = settings.get(changed).map(|(since, _)| *since);
        let in_force = self.of.history.settings_at(self.judged_at);
        self.interruptions.each_turn(&in_force, &mut |turn| {
            if turn > self.judged_at && next.is_none_or(|next| turn < next) {
                next = Some(turn);
            }
        });
        next
    }
}
