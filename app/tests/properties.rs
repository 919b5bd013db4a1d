//! Which properties hold for every cluster? Checked with random ones.

mod common;

use std::sync::Arc;

use cluster_overview_app::cluster::observation::{exceeds_at, silence};
use cluster_overview_app::cluster::{
    BlindPeriod, Change, Component, HeartbeatUpdate, Hint, Judgement, KeyKind, Overview, Pulse,
    Role, Settings, Snapshot, Span, Timestamp, version,
};
use common::{address, key, ms, service, snapshot, web, with_facts};
use proptest::prelude::*;

fn config() -> ProptestConfig {
    ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() }
}

/// Blind periods of up to two minutes, in order, without overlap; they may touch.
fn blind_periods() -> impl Strategy<Value = Vec<BlindPeriod>> {
    blind_periods_after(ms(-100_000), 120_000)
}

fn blind_periods_after(from: Timestamp, max_ms: i64) -> impl Strategy<Value = Vec<BlindPeriod>> {
    prop::collection::vec((0..max_ms, 1..max_ms), 0..5).prop_map(move |pairs| {
        let mut moment = from;
        pairs
            .into_iter()
            .map(|(gap, length)| {
                let start = moment + Span(gap);
                moment = start + Span(length);
                BlindPeriod { start, end: moment, clock_set: false }
            })
            .collect()
    })
}

fn component() -> impl Strategy<Value = Component> {
    let versions = prop::sample::select(vec!["2026.2", "2026.9", "2026.10", "5.3.0.1"]);
    let keys = prop::option::weighted(0.7, 1_u8..4);
    (0_u8..5, any::<bool>(), versions, -500_000_i64..100_000, 1_i64..200, 0_u8..8, keys).prop_map(
        |(server, is_web, version, heard, told, case, byte)| {
            let server = format!("server-{server}");
            let component = if is_web { web(&server) } else { service(&server) };
            with_facts(
                Component {
                    last_heartbeat: ms(heard),
                    told_interval: Span::seconds(told),
                    stopped: case == 0,
                    came_back: (case == 1).then(|| ms(heard)),
                    ..component
                },
                |facts| {
                    facts.version = version.into();
                    facts.key_check = byte.map(key);
                    facts.ip = address(case);
                },
            )
        },
    )
}

fn settings() -> impl Strategy<Value = Settings> {
    (1_u32..100, any::<bool>(), any::<bool>(), 0_u32..600).prop_map(
        |(heartbeat_interval_s, load_balancing, automatic_failover, more)| Settings {
            load_balancing,
            automatic_failover,
            heartbeat_interval_s,
            stale_timeout_s: 2 * heartbeat_interval_s + more,
            web_window_s: 200 + more,
        },
    )
}

fn cluster() -> impl Strategy<Value = Snapshot> {
    let components = prop::collection::vec(component(), 0..8);
    (components, settings(), blind_periods(), any::<bool>(), -600_000_i64..0).prop_map(
        |(components, settings, blind_periods, has_reference, changed)| {
            let mut made = Snapshot {
                settings,
                blind_periods,
                changed_at: ms(changed),
                ..snapshot(components)
            };
            if has_reference {
                made.references.accept(KeyKind::Encryption, key(1));
            }
            made
        },
    )
}

/// Everything that a reader sees at `now`, except `as_of`.
fn visible_state(snapshot: &Snapshot, now: Timestamp) -> (Overview, Vec<Hint>) {
    let overview = snapshot.overview(now);
    let hints = snapshot.hints(&overview);
    (Overview { as_of: Timestamp::default(), ..overview }, hints)
}

/// Similar versions, and some unrealistic ones.
fn version_text() -> impl Strategy<Value = String> {
    let part = "[vV]|[0-2]|00|[.+_ ~-]|[aAbcx]|rc|RC|Beta|hotfix|sp|ß|99999999999999999999999";
    prop_oneof![prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat()), ".{0,8}"]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn health_never_improves_as_silence_grows(
        component in component(),
        settings in settings(),
        blind_periods in blind_periods(),
        moments in (0_i64..900_000, 0_i64..900_000),
        earlier in 0_i64..300_000,
    ) {
        let (first, then) = (ms(moments.0.min(moments.1)), ms(moments.0.max(moments.1)));
        let health = |component: &Component, now| {
            component.pulse(&settings, &blind_periods, now).health(component.role)
        };
        prop_assert!(health(&component, then) >= health(&component, first), "as time passes");
        let silent = Component {
            last_heartbeat: component.last_heartbeat - Span(earlier),
            ..component.clone()
        };
        prop_assert!(health(&silent, then) >= health(&component, then), "with an older heartbeat");
    }

    #[test]
    fn a_server_whose_heartbeats_were_on_time_is_never_late_while_the_mark_can_be_judged(
        settings in settings(),
        marked in 0_i64..900_000,
        percent in 0..=100_i64,
    ) {
        let interval = settings.interval();
        let silence = Span(interval.0 * percent / 100);
        let punctual = Component {
            last_heartbeat: ms(marked) - silence,
            told_interval: interval,
            ..service("web-1")
        };
        let latest = ms(marked) + settings.max_mark_age();
        prop_assert_eq!(punctual.pulse(&settings, &[], latest), Pulse::Alive);
    }

    #[test]
    fn no_verdict_depends_on_the_order_in_which_components_were_added(
        shuffled in cluster().prop_flat_map(|cluster| {
            let order: Vec<Arc<Component>> = cluster.components.values().cloned().collect();
            (Just(cluster), Just(order).prop_shuffle())
        }),
        now in 0_i64..900_000,
    ) {
        let (cluster, order) = shuffled;
        let mut other = Snapshot { components: std::collections::BTreeMap::new(), ..cluster.clone() };
        for component in order {
            other.insert(component);
        }
        prop_assert_eq!(visible_state(&other, ms(now)), visible_state(&cluster, ms(now)));
    }

    #[test]
    fn applying_a_change_once_or_twice_gives_the_full_snapshot(
        before in cluster(),
        after in cluster(),
        beats in prop::collection::vec(1_i64..100_000, 8),
    ) {
        let mut after = after;
        // Half of the components exist before and after, and only sent a heartbeat.
        for (component, later) in before.components.values().zip(&beats).step_by(2) {
            let mut next = Component::clone(component);
            next.boots.current.sequence += later;
            next.last_heartbeat = next.last_heartbeat + Span(*later);
            after.insert(Arc::new(next));
        }
        let mut change = Change { components: Vec::new(), ..Change::whole(&after) };
        change.whole = false;
        change.removed = before
            .components
            .keys()
            .filter(|key| !after.components.contains_key(key))
            .cloned()
            .collect();
        for (key, component) in &after.components {
            match before.components.get(key) {
                Some(known) if HeartbeatUpdate::is_only_difference(known, component) => {
                    change.heartbeats.push(HeartbeatUpdate::from_component(component));
                }
                _ => change.components.push(Arc::clone(component)),
            }
        }
        let mut reader = before;
        reader.apply(change.clone());
        prop_assert_eq!(&reader, &after);
        reader.apply(change);
        prop_assert_eq!(&reader, &after);
    }

    #[test]
    fn a_blind_period_neither_ends_staleness_nor_makes_a_component_late(
        component in component(),
        settings in settings(),
        blind_periods in blind_periods(),
        start in 0_i64..600_000,
        length in 1_i64..10_000_000,
        after in 0_i64..400_000,
    ) {
        let start = blind_periods.last().map_or(ms(start), |last| last.end.max(ms(start)));
        let outage = BlindPeriod { start, end: start + Span(length), clock_set: false };
        let with_it: Vec<BlindPeriod> = blind_periods.iter().copied().chain([outage]).collect();
        let before = component.pulse(&settings, &blind_periods, start);
        let pulse = |now| component.pulse(&settings, &with_it, now);
        prop_assert_eq!(pulse(outage.end), before, "the blind period itself changes no pulse");
        if before == Pulse::Stale {
            prop_assert_eq!(pulse(outage.end + Span(after)), Pulse::Stale);
        }
        if before == Pulse::Alive {
            let late_limit = component.late_limit(&settings);
            let later = outage.end + Span(after.min(late_limit.0));
            let stale_at =
                exceeds_at(component.last_heartbeat, component.stale_limit(&settings), &with_it);
            let due = if later >= stale_at { Pulse::Stale } else { Pulse::Alive };
            prop_assert_eq!(pulse(later), due, "no component becomes late so soon after it");
            // With a timeout of four intervals, a component that was on time does not become stale so soon either.
            let silent = silence(component.last_heartbeat, start, &blind_periods);
            if silent <= late_limit && component.stale_limit(&settings) >= late_limit.times(2) {
                prop_assert_eq!(pulse(later), Pulse::Alive);
            }
        }
    }

    #[test]
    fn exceeds_at_is_the_first_moment_with_silence_beyond_the_limit(
        since in -10_i64..20,
        limit in 0_i64..20,
        // So close together that they often begin and end exactly at the limits.
        blind_periods in blind_periods_after(ms(-10), 9),
    ) {
        let (since, limit) = (ms(since), Span(limit));
        let first = exceeds_at(since, limit, &blind_periods);
        prop_assert!(silence(since, first, &blind_periods) > limit);
        prop_assert!(silence(since, first - Span::TICK, &blind_periods) <= limit);
    }

    #[test]
    fn versions_are_in_a_total_order(
        a in version_text(),
        b in version_text(),
        c in version_text(),
    ) {
        prop_assert_eq!(version::compare(&a, &b), version::compare(&b, &a).reverse());
        prop_assert!(version::compare(&a, &a).is_eq());
        let mut sorted_indices = [a, b, c];
        sorted_indices.sort_by(|left, right| version::compare(left, right));
        let [low, middle, high] = &sorted_indices;
        prop_assert!(version::compare(low, middle).is_le());
        prop_assert!(version::compare(middle, high).is_le());
        prop_assert!(version::compare(low, high).is_le(), "{low:?} {middle:?} {high:?}");
        if version::compare(low, high).is_eq() {
            prop_assert!(version::compare(low, middle).is_eq());
        }
    }

    #[test]
    fn parts_that_do_not_count_in_a_version_never_change_its_order(
        version in version_text(),
        other in version_text(),
        build in version_text(),
    ) {
        let order = version::compare(&version, &other);
        for same in [
            format!("{version}+{build}"),
            version.to_ascii_uppercase(),
            version.replace('-', "_").replace('.', " "),
        ] {
            prop_assert!(version::compare(&version, &same).is_eq(), "{version:?} {same:?}");
            prop_assert_eq!(version::compare(&same, &other), order, "{:?}", same);
        }
    }

    #[test]
    fn a_word_after_a_version_makes_it_older_or_newer_and_never_the_same(
        numbers in "[0-9]{1,3}([.-][0-9]{1,3}){0,3}",
        separator in "[._ -]?",
        number in "([.-]?[0-9]{1,3})?",
        word in "[a-zA-Z]{1,8}",
        pre in prop::sample::select(vec![
            "alpha", "beta", "a", "b", "rc", "pre", "preview", "dev", "snapshot", "nightly", "ci",
            "milestone",
        ]),
    ) {
        let older = format!("{numbers}{separator}{pre}{number}");
        prop_assert!(version::compare(&older, &numbers).is_lt(), "{older}");
        let is_pre = [
            "alpha", "beta", "a", "b", "rc", "pre", "preview", "dev", "snapshot", "nightly", "ci",
            "milestone",
        ].contains(&word.to_lowercase().as_str());
        let suffixed = format!("{numbers}{separator}{word}{number}");
        let order = version::compare(&suffixed, &numbers);
        prop_assert_eq!(order.is_lt(), is_pre, "{}", suffixed);
        prop_assert!(order.is_ne(), "{suffixed}");
    }

    #[test]
    fn nothing_visible_changes_between_two_turns(
        cluster in cluster(),
        from in 0_i64..900_000,
    ) {
        let mut now = ms(from);
        // At each of the next turns, as-of changes.
        for _ in 0..4 {
            let Some(turn) = cluster.next_turn(now) else { break };
            prop_assert!(turn > now);
            let last = turn - Span::TICK;
            prop_assert_eq!(visible_state(&cluster, now), visible_state(&cluster, last));
            prop_assert_eq!(cluster.as_of(now), cluster.as_of(last));
            prop_assert_eq!(cluster.as_of(turn), turn.max(cluster.changed_at));
            now = turn;
        }
        if cluster.next_turn(now).is_none() {
            let late = now + Span::minutes(100_000);
            prop_assert_eq!(visible_state(&cluster, now), visible_state(&cluster, late));
        }
    }

    #[test]
    fn a_web_component_is_never_late(component in component(), blind_periods in blind_periods(), now in 0_i64..900_000) {
        let component = Component { role: Role::Web, ..component };
        prop_assert_ne!(component.pulse(&Settings::default(), &blind_periods, ms(now)), Pulse::Late);
    }
}

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
