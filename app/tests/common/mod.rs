//! Builders for the tests of the core. Every moment is an argument; nothing reads a clock.

#![allow(dead_code, reason = "every test file uses only some of the builders")]
#![allow(clippy::unwrap_used, reason = "the values are constants of the tests")]

pub(crate) mod hints;
pub(crate) mod past;

use std::net::IpAddr;
use std::sync::Arc;

use cluster_overview_app::cluster::Source;
use cluster_overview_app::cluster::receive::{Arrival, Stored, receive};
use cluster_overview_app::cluster::{
    Address, BlindPeriod, Component, ComponentFacts, ComponentStatus, Health, Heartbeat, Hint,
    HintId, KeyCheck, Os, Overview, Pulse, RejectionReason, Role, ServerName, Settings, Snapshot,
    Span, Timestamp, Tombstone,
};

/// 2026-11-22T12:00:00Z: the last heartbeat of every built component.
pub(crate) const NOON: Timestamp = Timestamp(1_795_348_800_000);

/// This many milliseconds after noon.
pub(crate) fn ms(milliseconds: i64) -> Timestamp {
    NOON + Span(milliseconds)
}

/// This many seconds after noon.
pub(crate) fn s(seconds: i64) -> Timestamp {
    NOON + Span::seconds(seconds)
}

/// A period from one second after noon to another.
pub(crate) fn period(start: i64, end: i64) -> BlindPeriod {
    BlindPeriod { start: s(start), end: s(end), clock_set: false }
}

pub(crate) fn name(server: &str) -> ServerName {
    ServerName::parse(server).unwrap()
}

/// A key check whose digits repeat this byte.
pub(crate) fn key(byte: u8) -> KeyCheck {
    KeyCheck::from_bytes([byte; 32])
}

/// The id of the n-th start of a process.
pub(crate) fn boot(number: u8) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

/// The address that the process with this boot reports.
pub(crate) fn address(number: u8) -> Address {
    IpAddr::from([10, 0, 0, number]).into()
}

/// The first heartbeat of a process.
pub(crate) fn heartbeat(server: &str, role: Role) -> Heartbeat {
    Heartbeat {
        server: name(server),
        role,
        boot_id: boot(1),
        sequence: 1,
        sent_at: None,
        leaving: false,
        facts: ComponentFacts {
            product: None,
            version: "2026.2".into(),
            os: Os { name: "Debian GNU/Linux".into(), version: "12".into() },
            ip: address(1),
            key_check: None,
            machine_key_check: None,
            messenger_port: None,
            source: Source::Node,
        },
    }
}

/// A heartbeat of the service of `web-1`: of the n-th boot, with this sequence.
pub(crate) fn of_boot(number: u8, sequence: i64) -> Heartbeat {
    reporting(
        Heartbeat { boot_id: boot(number), sequence, ..heartbeat("web-1", Role::Service) },
        |facts| facts.ip = address(number),
    )
}

/// The heartbeat with other facts.
pub(crate) fn reporting(
    mut heartbeat: Heartbeat,
    change: impl FnOnce(&mut ComponentFacts),
) -> Heartbeat {
    change(&mut heartbeat.facts);
    heartbeat
}

/// The component with other facts.
pub(crate) fn with_facts(
    mut component: Component,
    change: impl FnOnce(&mut ComponentFacts),
) -> Component {
    change(Arc::make_mut(&mut component.facts));
    component
}

/// A heartbeat arrives at `at`, under the default settings and without blind periods.
pub(crate) fn arrive(
    stored: Option<&Stored>,
    heartbeat: &Heartbeat,
    at: Timestamp,
) -> Option<Component> {
    receive(stored, heartbeat, &arrival(at, &Settings::default()))
}

pub(crate) fn arrival(at: Timestamp, settings: &Settings) -> Arrival<'_> {
    Arrival { at, settings, blind_periods: &[], ends_probe_failure: false }
}

/// The component after this first heartbeat at noon.
pub(crate) fn known(first: &Heartbeat) -> Component {
    arrive(None, first, NOON).unwrap()
}

/// A web component whose last heartbeat was at noon.
pub(crate) fn web(server: &str) -> Component {
    known(&heartbeat(server, Role::Web))
}

/// A service whose last heartbeat was at noon.
pub(crate) fn service(server: &str) -> Component {
    known(&heartbeat(server, Role::Service))
}

/// Heartbeats in this server's name are rejected at `at`. Returns whether that is news.
pub(crate) fn reject(
    snapshot: &mut Snapshot,
    server: &ServerName,
    why: RejectionReason,
    from: Option<Address>,
    at: Timestamp,
) -> bool {
    let Some(run) = snapshot.reject(server, why, from, at) else { return false };
    snapshot.rejected.retain(|before| at < before.until && before.key() != run.key());
    snapshot.rejected.push(run);
    snapshot.rejected.sort_by(|one, other| one.key().cmp(&other.key()));
    snapshot.changed_at = snapshot.changed_at.max(at);
    true
}

/// The stored state of a component.
pub(crate) fn present(component: &Component) -> Stored {
    Stored::Present(Arc::new(component.clone()))
}

/// The stored state of a removed component.
pub(crate) fn removed(component: &Component) -> Stored {
    Stored::Removed(Tombstone {
        key: component.key(),
        boots: component.boots.clone(),
        last_heartbeat: component.last_heartbeat,
        source: component.facts.source,
    })
}

/// A snapshot of these components under the default settings.
pub(crate) fn snapshot(components: impl IntoIterator<Item = Component>) -> Snapshot {
    let mut snapshot = Snapshot { changed_at: NOON, ..Snapshot::default() };
    for component in components {
        snapshot.insert(Arc::new(component));
    }
    snapshot
}

/// The status of one component.
pub(crate) fn status<'a>(overview: &'a Overview, server: &str, role: Role) -> &'a ComponentStatus {
    let server = name(server);
    overview
        .components()
        .find(|status| status.component.server == server && status.component.role == role)
        .unwrap()
}

/// The pulse of a single component, with the default settings.
pub(crate) fn pulse(component: &Component, blind_periods: &[BlindPeriod], now: Timestamp) -> Pulse {
    pulse_under(Settings::default(), component, blind_periods, now)
}

/// The pulse of a single component in the overview.
pub(crate) fn pulse_under(
    settings: Settings,
    component: &Component,
    blind_periods: &[BlindPeriod],
    now: Timestamp,
) -> Pulse {
    let alone = Snapshot {
        settings,
        blind_periods: blind_periods.to_vec(),
        ..snapshot([component.clone()])
    };
    alone.overview(now).servers[0].components[0].pulse
}

/// The health of a cluster of this single component, with the default settings.
pub(crate) fn health(component: &Component, now: Timestamp) -> Health {
    snapshot([component.clone()]).overview(now).health
}

pub(crate) fn hints(snapshot: &Snapshot, now: Timestamp) -> Vec<Hint> {
    snapshot.hints(&snapshot.overview(now))
}

pub(crate) fn ids(snapshot: &Snapshot, now: Timestamp) -> Vec<HintId> {
    hints(snapshot, now).iter().map(|hint| hint.id).collect()
}
