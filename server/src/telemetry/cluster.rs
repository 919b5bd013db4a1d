//! The metrics of the cluster, computed when they are scraped.

use app::cluster::KeyVerdict;
use app::cluster::{
    ComponentStatus, Health, HintId, Incident, Pulse, Severity, Snapshot, Span, Stability,
    Timestamp, VersionCheck,
};

use crate::telemetry::exposition::{Kind, Text};

/// The value of a component; `None` leaves it out.
type ComponentValue = fn(&ComponentStatus, Timestamp) -> Option<f64>;

/// Name, help and value of each metric.
const COMPONENT_METRICS: &[(&str, &str, ComponentValue)] = &[
    (
        "cluster_overview_component_up",
        "1 while alive or late, else 0; absent while blind.",
        |status, _| (status.pulse != Pulse::Unknown).then(|| flag(status.pulse.is_heard())),
    ),
    (
        "cluster_overview_component_stopped",
        "1 after a clean stop, else 0, also where it is silent; absent while blind.",
        |status, _| (status.pulse != Pulse::Unknown).then(|| flag(status.pulse == Pulse::Stopped)),
    ),
    (
        "cluster_overview_component_restarting",
        "1 while its process starts again and again, else 0; absent while blind.",
        |status, _| {
            (status.pulse != Pulse::Unknown)
                .then(|| flag(status.stability == Stability::Restarting))
        },
    ),
    (
        "cluster_overview_component_flapping",
        "1 while its heartbeats stop and come back again and again, else 0; absent while blind.",
        |status, _| {
            (status.pulse != Pulse::Unknown).then(|| flag(status.stability == Stability::Flapping))
        },
    ),
    (
        "cluster_overview_component_heartbeat_age_seconds",
        "Time since the last heartbeat; blind periods are included.",
        |status, now| Some(seconds(now - status.component.last_heartbeat)),
    ),
    (
        "cluster_overview_component_version_in_sync",
        "1 if it runs the cluster's reference version, else 0; absent where not judged.",
        |status, _| status.version.map(|check| flag(check == VersionCheck::InSync)),
    ),
    (
        "cluster_overview_component_key_in_sync",
        "1 if its encryption key is the cluster's, else 0; absent where not judged.",
        |status, _| status.key.map(|verdict| flag(verdict == KeyVerdict::InSync)),
    ),
    (
        "cluster_overview_component_machine_key_in_sync",
        "1 if its machine key is the cluster's, else 0; absent where not judged.",
        |status, _| status.machine_key.map(|verdict| flag(verdict == KeyVerdict::InSync)),
    ),
    (
        "cluster_overview_component_clock_skew_seconds",
        "How far its clock is ahead of the overview's; absent where it sends no time.",
        |status, _| status.component.skew.map(|skew| seconds(skew.last)),
    ),
];

/// Writes the metrics of the cluster at `now`.
pub(crate) fn write(text: &mut Text, snapshot: &Snapshot, now: Timestamp) {
    let overview = snapshot.overview(now);
    text.family(
        "cluster_overview_blind",
        Kind::Gauge,
        "1 while the database cannot be read or written, else 0; look here before anywhere else.",
    );
    text.sample(&[], flag(overview.blind_since.is_some()));
    text.family(
        "cluster_overview_health",
        Kind::Gauge,
        "1 for the cluster's health, 0 for the three others.",
    );
    for health in Health::WORST_FIRST {
        text.sample(&[("health", health.as_str())], flag(health == overview.health));
    }
    text.family("cluster_overview_servers", Kind::Gauge, "Servers of each health.");
    for health in Health::WORST_FIRST {
        let count = overview.servers.iter().filter(|server| server.health == health).count();
        text.sample(&[("health", health.as_str())], count);
    }
    text.family("cluster_overview_components", Kind::Gauge, "Components of each pulse.");
    for pulse in Pulse::ALL {
        let count = overview.components().filter(|status| status.pulse == pulse).count();
        text.sample(&[("pulse", pulse.as_str())], count);
    }
    text.family("cluster_overview_hints", Kind::Gauge, "Hints of each kind that apply.");
    for id in HintId::ALL {
        let count = overview.findings.iter().filter(|finding| finding.id == *id).count();
        text.sample(&[("hint", id.as_str())], count);
    }
    text.family(
        "cluster_overview_open_incidents",
        Kind::Gauge,
        "Open incidents of each severity; while blind also that it is.",
    );
    let blind = snapshot.blind_since.map(|since| snapshot.blindness(since));
    let known = snapshot.incidents.iter().map(AsRef::as_ref);
    let open: Vec<&Incident> = known.chain(&blind).filter(|incident| incident.is_open()).collect();
    for severity in Severity::ALL {
        let count = open.iter().filter(|incident| incident.severity == severity).count();
        text.sample(&[("severity", severity.as_str())], count);
    }
    for (name, help, value) in COMPONENT_METRICS {
        text.family(name, Kind::Gauge, help);
        for status in overview.components() {
            if let Some(value) = value(status, now) {
                let facts = &status.component;
                let role = facts.role.as_str();
                text.sample(&[("server", facts.server.as_str()), ("role", role)], value);
            }
        }
    }
}

fn flag(yes: bool) -> f64 {
    f64::from(u8::from(yes))
}

pub(super) fn seconds(span: Span) -> f64 {
    let length = std::time::Duration::from_millis(span.0.unsigned_abs()).as_secs_f64();
    if span < Span::ZERO { -length } else { length }
}
