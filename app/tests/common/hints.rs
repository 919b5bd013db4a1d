//! Components and clusters with problems, for the tests of the hints.

use std::sync::Arc;

use super::{NOON, address, boot, key, s, service, snapshot, web, with_facts};
use cluster_overview_app::cluster::Boot;
use cluster_overview_app::cluster::Source;
use cluster_overview_app::cluster::interruptions::{Interruptions, Start};
use cluster_overview_app::cluster::{
    Boots, Certificate, Component, DiskSpace, ExpiringToken, FailingChannel, KeyKind, Messenger,
    MessengerFailure, Role, Settings, Skew, Snapshot, Span, Timestamp, Upkeep,
};

pub(crate) fn heard(component: Component, at: Timestamp) -> Component {
    Component { last_heartbeat: at, ..component }
}

pub(crate) fn stale(component: Component) -> Component {
    heard(component, s(-100_000))
}

pub(crate) fn stopped(component: Component) -> Component {
    Component { stopped: true, ..component }
}

pub(crate) fn running(server: &str, version: &str) -> Component {
    with_facts(service(server), |facts| facts.version = version.into())
}

pub(crate) fn keyed(component: Component, byte: u8) -> Component {
    with_facts(component, |facts| facts.key_check = Some(key(byte)))
}

pub(crate) fn machine_keyed(server: &str, byte: u8) -> Component {
    with_facts(web(server), |facts| facts.machine_key_check = Some(key(byte)))
}

pub(crate) fn observer(component: Component) -> Component {
    with_facts(component, |facts| facts.source = Source::Observer)
}

pub(crate) fn accepting(kind: KeyKind, byte: u8, mut snapshot: Snapshot) -> Snapshot {
    snapshot.references.accept(kind, key(byte));
    snapshot
}

pub(crate) fn under(settings: Settings, snapshot: Snapshot) -> Snapshot {
    Snapshot { settings, ..snapshot }
}

pub(crate) fn skewed(last: i64, before: i64) -> Component {
    Component {
        skew: Some(Skew { last: Span(last), before: Some(Span(before)) }),
        ..service("web-1")
    }
}

pub(crate) fn dialled(role: Role, failure: Option<MessengerFailure>) -> Snapshot {
    let seen = Messenger { failure, since: s(-60), port: 4_711, seen_by: "web-9".into() };
    snapshot([Component { role, messengers: vec![Arc::new(seen)], ..service("web-1") }])
}

/// The component of a name that two machines use by turns.
pub(crate) fn used_twice(component: Component) -> Component {
    let one = |number| Boot {
        id: boot(number),
        sequence: 9,
        ip: address(number),
        returned_at: Some(NOON),
    };
    let boots = Boots {
        current: one(1),
        former: vec![one(2)],
        returns: vec![s(-20), s(-10), NOON],
        duplicate: true,
    };
    Component { boots, ..component }
}

pub(crate) fn taking_turns() -> Component {
    heard(used_twice(service("web-1")), s(590))
}

/// A component that started again at these seconds after noon, each time after a crash.
pub(crate) fn crashed_at(component: Component, starts: &[i64]) -> Component {
    let start = |second: &i64| Start {
        at: s(*second),
        ran: Span::seconds(20),
        silence: Span::seconds(10),
        stopped_cleanly: false,
        new_version: false,
    };
    let starts = starts.iter().map(start).collect();
    Component { interruptions: Interruptions { starts, gaps: Vec::new() }, ..component }
}

/// A cluster of servers with both components, each changed by `make`.
pub(crate) fn cluster(servers: usize, make: impl Fn(usize, Component) -> Component) -> Snapshot {
    let mut all = snapshot((0..servers).flat_map(|number| {
        let server = format!("server-{number:05}.rack-7.example.com");
        [make(number, web(&server)), make(number, service(&server))]
    }));
    all.settings = Settings { automatic_failover: true, load_balancing: true, ..all.settings };
    all.references.accept(KeyKind::Encryption, key(0x11));
    all.references.accept(KeyKind::Machine, key(0x11));
    all
}

pub(crate) const FAILOVER: Settings = Settings {
    automatic_failover: true,
    load_balancing: false,
    heartbeat_interval_s: 30,
    stale_timeout_s: 300,
    web_window_s: 86_400,
};
pub(crate) const BALANCING: Settings =
    Settings { automatic_failover: false, load_balancing: true, ..FAILOVER };

/// A cluster whose web server presents a certificate that ends then.
pub(crate) fn with_certificate(expires_at: Timestamp) -> Snapshot {
    let certificate = Some(Certificate { file: "/etc/overview/tls.pem".into(), expires_at });
    with_upkeep(Upkeep { certificate, ..Upkeep::default() })
}

/// A cluster whose database is on a disk of `total` bytes.
pub(crate) fn with_disk(free: u64, total: u64) -> Snapshot {
    let disk = Some(DiskSpace { folder: "/var/lib/overview".into(), free, total });
    with_upkeep(Upkeep { disk, ..Upkeep::default() })
}

/// A cluster with one token that expires.
pub(crate) fn with_failing_channel(since: Timestamp) -> Snapshot {
    let error = "answered 500".into();
    let channels = vec![FailingChannel { name: "ops".into(), since, error }];
    with_upkeep(Upkeep { channels, ..Upkeep::default() })
}

pub(crate) fn with_token(expires_at: Timestamp, used_at: Timestamp) -> Snapshot {
    let (name, role) = ("backup".into(), "viewer".into());
    let tokens = vec![ExpiringToken { name, role, expires_at, used_at }];
    with_upkeep(Upkeep { tokens, ..Upkeep::default() })
}

fn with_upkeep(upkeep: Upkeep) -> Snapshot {
    Snapshot { upkeep, ..snapshot([service("web-1")]) }
}

/// A cluster with this many servers and this limit.
pub(crate) fn with_limit(servers: u32, limit: usize) -> Snapshot {
    let all = snapshot((0..servers).map(|number| service(&format!("s{number}"))));
    Snapshot { max_servers: Some(limit), ..all }
}

/// A stale web component, and a service of the same server with this last heartbeat.
pub(crate) fn idle_beside(service_heard: Timestamp) -> Snapshot {
    snapshot([stale(web("web-1")), heard(service("web-1"), service_heard)])
}
