//! What was: events, availability, and rehearsed timeouts.

use app::cluster::history::{Availability, Event, Happening, StaleCounts, Timeouts};
use app::cluster::{self, KeyCheck, SettingValue, Span};
use app::i18n::Catalog;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EventKind, Role};

/// What happened, newest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct EventPage {
    /// Before this moment nothing is recorded.
    #[schema(format = DateTime)]
    pub(crate) complete_since: String,
    pub(crate) events: Vec<HistoryEvent>,
    /// What `before` is for the events before these; null where there are none.
    #[schema(required)]
    pub(crate) next_before: Option<String>,
}

/// Something that happened.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct HistoryEvent {
    /// The same on every web server.
    id: String,
    #[schema(format = DateTime)]
    pub(crate) at: String,
    kind: EventKind,
    /// Null if it is about the cluster.
    #[schema(required)]
    pub(crate) server: Option<String>,
    #[schema(required)]
    pub(crate) role: Option<Role>,
    /// What it was before, where that is known.
    #[schema(required)]
    from: Option<String>,
    /// What it was then.
    #[schema(required)]
    to: Option<String>,
    /// Why a pulse turned, which key or setting changed, or how a process ended.
    #[schema(required)]
    why: Option<String>,
    /// How long the former state, the former process, or the absence of the overview lasted.
    #[schema(required)]
    lasted_s: Option<i64>,
    /// How much of that time nobody observed.
    #[schema(required)]
    blind_s: Option<i64>,
    /// How often it happened: what happens to a component within a minute is counted in one event.
    #[schema(minimum = 1)]
    count: u32,
    /// The same in a sentence.
    pub(crate) text: String,
}

/// The parts of an event that depend on its kind.
#[derive(Default)]
struct Parts {
    from: Option<String>,
    to: Option<String>,
    why: Option<&'static str>,
    lasted: Option<Span>,
    blind: Option<Span>,
    count: Option<u32>,
}

impl From<&Event> for HistoryEvent {
    fn from(event: &Event) -> Self {
        let Parts { from, to, why, lasted, blind, count } = Parts::of(&event.what);
        let subject = event.subject.as_ref();
        Self {
            id: event.id().to_string(),
            at: event.at.rfc3339(),
            kind: event.kind().into(),
            server: subject.map(|subject| subject.server.to_string()),
            role: subject.map(|subject| subject.role.into()),
            from,
            to,
            why: why.map(str::to_owned),
            lasted_s: lasted.map(whole_seconds),
            blind_s: blind.map(whole_seconds),
            count: count.unwrap_or(1),
            text: Catalog::english().event(event),
        }
    }
}

impl Parts {
    fn of(what: &Happening) -> Self {
        let turn = |from: &str, to: &str| Self {
            from: Some(from.to_owned()),
            to: Some(to.to_owned()),
            ..Self::default()
        };
        let keys = |kind: &cluster::KeyKind, from: &Option<KeyCheck>, to: &Option<KeyCheck>| Self {
            from: from.map(|check| check.short()),
            to: to.map(|check| check.short()),
            why: Some(kind.as_str()),
            ..Self::default()
        };
        match what {
            Happening::Pulse { from, to, why, lasted, blind, .. } => Self {
                why: Some(why.as_str()),
                lasted: *lasted,
                blind: lasted.map(|_| *blind),
                ..turn(from.as_str(), to.as_str())
            },
            Happening::Stability { from, to } => turn(from.as_str(), to.as_str()),
            Happening::Start { count, ran, stopped_cleanly, .. } => Self {
                why: Some(if *stopped_cleanly { "goodbye" } else { "crash" }),
                lasted: Some(*ran),
                count: Some(*count),
                ..Self::default()
            },
            Happening::Version { from, to } | Happening::Address { from, to } => turn(from, to),
            Happening::Key { kind, from, to } | Happening::ReferenceKey { kind, from, to } => {
                keys(kind, from, to)
            }
            Happening::FirstSeen { version } => {
                Self { to: Some(version.clone()), ..Self::default() }
            }
            Happening::Removed => Self::default(),
            Happening::Returned => Self { why: Some("removal"), ..Self::default() },
            Happening::BootReturned { count, address } => Self {
                to: Some(address.clone()),
                why: Some("boot"),
                count: Some(*count),
                ..Self::default()
            },
            Happening::Setting { name, from, to } => {
                Self { why: Some(name), ..turn(&setting(*from), &setting(*to)) }
            }
            Happening::Blind { lasted } => Self { lasted: Some(*lasted), ..Self::default() },
            Happening::Clock { by } => Self {
                why: Some(if by.0 < 0 { "back" } else { "forward" }),
                lasted: Some(Span(by.0.abs())),
                ..Self::default()
            },
        }
    }
}

fn setting(value: SettingValue) -> String {
    match value {
        SettingValue::Switch(on) => on.to_string(),
        SettingValue::Seconds(seconds) => seconds.to_string(),
    }
}

pub(super) fn whole_seconds(span: Span) -> i64 {
    span.0 / 1_000
}

/// For how much of a span the cluster, servers or components were up.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Availability)]
pub(crate) struct AvailabilityReport {
    #[schema(format = DateTime)]
    pub(crate) from: String,
    #[schema(format = DateTime)]
    pub(crate) until: String,
    /// Before this moment nothing is recorded.
    #[schema(format = DateTime)]
    pub(crate) complete_since: String,
    pub(crate) rows: Vec<AvailabilityRow>,
}

/// The availability of one thing, in seconds.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AvailabilityRow {
    /// Of the cluster: `any_service`, `any_web` or `all`, which is that nothing was down. Otherwise null.
    #[schema(required)]
    pub(crate) of: Option<String>,
    #[schema(required)]
    pub(crate) server: Option<String>,
    #[schema(required)]
    pub(crate) role: Option<Role>,
    pub(crate) up_s: i64,
    /// Stale or stopped. A silence that became stale is down from its last heartbeat on.
    pub(crate) down_s: i64,
    /// Nobody could observe.
    pub(crate) blind_s: i64,
    /// It was not there yet, or not any more, or what was is no longer recorded.
    pub(crate) unknown_s: i64,
    /// `up_s` of `up_s + down_s`, cut to two decimals: 100 only if nothing was down. Null if less than a hundredth of the span
    /// was observed.
    #[schema(required, minimum = 0, maximum = 100)]
    pub(crate) percent: Option<f64>,
}

impl AvailabilityRow {
    pub(crate) fn new(availability: Availability) -> Self {
        let Availability { up, down, blind, unknown } = availability;
        #[expect(clippy::cast_precision_loss, reason = "at most 10,000")]
        let percent = availability.hundredths().map(|hundredths| hundredths as f64 / 100.0);
        Self {
            of: None,
            server: None,
            role: None,
            up_s: whole_seconds(up),
            down_s: whole_seconds(down),
            blind_s: whole_seconds(blind),
            unknown_s: whole_seconds(unknown),
            percent,
        }
    }
}

/// What timeouts would have called stale.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Rehearsal {
    #[schema(format = DateTime)]
    pub(crate) from: String,
    #[schema(format = DateTime)]
    pub(crate) until: String,
    /// The settings of today.
    pub(crate) current: RehearsedTimeouts,
    pub(crate) proposed: RehearsedTimeouts,
}

/// Timeouts, and what they would have called stale.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RehearsedTimeouts {
    stale_timeout_s: u32,
    web_window_s: u32,
    /// How often something would have become stale.
    times: usize,
    /// Which servers, and each how often.
    servers: Vec<StaleServer>,
}

/// A server that would have become stale.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct StaleServer {
    server: String,
    #[schema(minimum = 1)]
    times: usize,
}

impl From<(Timeouts, StaleCounts)> for RehearsedTimeouts {
    fn from((timeouts, counts): (Timeouts, StaleCounts)) -> Self {
        let Timeouts { stale_timeout_s, web_window_s } = timeouts;
        let times = counts.values().sum();
        let servers = counts.into_iter();
        let servers = servers
            .map(|(server, times)| StaleServer { server: server.to_string(), times })
            .collect();
        Self { stale_timeout_s, web_window_s, times, servers }
    }
}
