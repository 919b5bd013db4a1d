//! The silence of a component and its pulse, with blind periods.

use cluster_overview_app::cluster::observation::{exceeds_at, silence};
use cluster_overview_app::cluster::{BlindPeriod, Component, Pulse, Role, Settings, Span};
use proptest::prelude::*;

use crate::common::{ms, service};
use crate::random::{blind_periods, blind_periods_after, component, config, settings};

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
    fn a_web_component_is_never_late(component in component(), blind_periods in blind_periods(), now in 0_i64..900_000) {
        let component = Component { role: Role::Web, ..component };
        prop_assert_ne!(component.pulse(&Settings::default(), &blind_periods, ms(now)), Pulse::Late);
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
}
