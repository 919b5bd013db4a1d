//! Random clusters and their parts.

use cluster_overview_app::cluster::{
    BlindPeriod, Component, KeyKind, Settings, Snapshot, Span, Timestamp,
};
use proptest::prelude::*;

use crate::common::{address, key, ms, service, snapshot, web, with_facts};

pub(crate) fn config() -> ProptestConfig {
    ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() }
}

/// Blind periods of up to two minutes, in order, without overlap; they may touch.
pub(crate) fn blind_periods() -> impl Strategy<Value = Vec<BlindPeriod>> {
    blind_periods_after(ms(-100_000), 120_000)
}

pub(crate) fn blind_periods_after(
    from: Timestamp,
    max_ms: i64,
) -> impl Strategy<Value = Vec<BlindPeriod>> {
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

pub(crate) fn component() -> impl Strategy<Value = Component> {
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

pub(crate) fn settings() -> impl Strategy<Value = Settings> {
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

pub(crate) fn cluster() -> impl Strategy<Value = Snapshot> {
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
