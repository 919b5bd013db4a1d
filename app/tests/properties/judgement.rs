//! A judgement that follows the events of a cluster.

use std::sync::Arc;

use cluster_overview_app::cluster::{
    BlindPeriod, Component, Judgement, Settings, Snapshot, Span, Timestamp,
};
use proptest::prelude::*;

use crate::common::ms;
use crate::random::{cluster, component, config, settings};

/// What can happen to a cluster between two looks at it.
#[derive(Clone, Debug)]
enum Event {
    Nothing,
    /// A component is as in another cluster, or new.
    Component(Box<Component>),
    /// The component at this place, modulo their number, sends another heartbeat, with this silence before.
    Heartbeat(usize),
    Removal(usize),
    Settings(Settings),
    BlindPeriod,
    Blind,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => Just(Event::Nothing),
        4 => component().prop_map(|component| Event::Component(Box::new(component))),
        8 => any::<usize>().prop_map(Event::Heartbeat),
        1 => any::<usize>().prop_map(Event::Removal),
        1 => settings().prop_map(Event::Settings),
        1 => Just(Event::BlindPeriod),
        1 => Just(Event::Blind),
    ]
}

/// The snapshot after this event at `now`.
fn after_event(snapshot: &Snapshot, event: Event, now: Timestamp) -> Snapshot {
    let mut next = Snapshot { blind_since: None, changed_at: now, ..snapshot.clone() };
    let nth = |at: usize| snapshot.components.keys().nth(at % snapshot.components.len().max(1));
    match event {
        Event::Nothing => next.changed_at = snapshot.changed_at,
        Event::Component(component) => next.insert(Arc::new(*component)),
        Event::Heartbeat(at) => {
            if let Some(component) = nth(at).and_then(|key| next.components.get_mut(key)) {
                let heard = Component { last_heartbeat: now, ..(**component).clone() };
                *component = Arc::new(heard);
            }
        }
        Event::Removal(at) => {
            if let Some(key) = nth(at) {
                next.components.remove(key);
            }
        }
        Event::Settings(settings) => next.settings = settings,
        Event::BlindPeriod => {
            let start =
                next.blind_periods.last().map_or(now, |last| last.end.max(now - Span::seconds(40)));
            next.blind_periods.push(BlindPeriod { start, end: now.max(start), clock_set: false });
        }
        Event::Blind => next.blind_since = Some(now),
    }
    next
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_judgement_that_is_kept_up_to_date_equals_one_made_anew(
        first in cluster(),
        events in prop::collection::vec((event(), 0_i64..400_000), 1..24),
    ) {
        let (mut snapshot, mut now) = (first, ms(100_000));
        let mut judgement = Judgement::default();
        for (event, passed) in events {
            now = now + Span(passed);
            snapshot = after_event(&snapshot, event, now);
            judgement.update(&snapshot, now);
            prop_assert_eq!(judgement.overview(), &snapshot.overview(now));
        }
    }
}
