//! The whole overview: facts, verdicts and hints.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Health, List, MessengerFailure, MessengerState, Pulse, RejectionReason, Role, Settings,
    Severity, Stability,
};

/// The whole overview with verdicts.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Overview<'a> {
    /// The moment of the last change of a fact or verdict; while blind, of the last time it could read
    /// its database.
    #[schema(format = DateTime)]
    pub(crate) as_of: String,
    /// Since when the overview cannot read and write its database.
    #[schema(required = true, format = DateTime)]
    pub(crate) blind_since: Option<String>,
    /// When nobody could observe.
    pub(crate) blind_periods: Vec<BlindPeriod>,
    pub(crate) health: Health,
    pub(crate) settings: Settings,
    pub(crate) counts: Counts,
    /// Versions in use, newest first.
    pub(crate) versions: Vec<VersionCount>,
    /// Servers by name.
    #[schema(value_type = Vec<Server>)]
    pub(crate) servers: List<'a, Server>,
    /// What to do, the most urgent first. At most 50 of one id: the last of them may be a summary of
    /// more servers, and then has no `server`.
    #[schema(value_type = Vec<Hint>)]
    pub(crate) hints: List<'a, Hint>,
}

/// A time in which nobody could observe.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct BlindPeriod {
    #[schema(format = DateTime)]
    pub(crate) start: String,
    #[schema(format = DateTime)]
    pub(crate) end: String,
}

/// How many servers there are, components of each role, and components of each pulse.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Counts {
    pub(crate) servers: usize,
    pub(crate) web: usize,
    pub(crate) service: usize,
    pub(crate) alive: usize,
    pub(crate) late: usize,
    pub(crate) stale: usize,
    pub(crate) stopped: usize,
    pub(crate) unknown: usize,
}

/// How widely one version runs. Versions that differ in build metadata or spelling alone are counted as one.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct VersionCount {
    /// In the spelling that most live components report.
    pub(crate) version: String,
    pub(crate) components: usize,
    pub(crate) servers: usize,
}

/// An operating system. Both texts follow the rules of `version`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Os {
    #[schema(min_length = 1, max_length = 100, example = "Debian GNU/Linux")]
    pub(crate) name: String,
    #[schema(min_length = 1, max_length = 100, example = "12")]
    pub(crate) version: String,
}

/// One server with its components; system and address as in the latest heartbeat.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Server {
    pub(crate) name: String,
    #[schema(required = true)]
    pub(crate) os: Option<Os>,
    #[schema(required = true)]
    pub(crate) ip: Option<String>,
    pub(crate) health: Health,
    /// Heartbeats in its name that were rejected within the last ten minutes.
    #[schema(required = true)]
    pub(crate) refused: Option<RejectedHeartbeats>,
    /// Components whose agent sends no heartbeat, because the product does not answer its probe.
    pub(crate) failing_probes: Vec<FailingProbe>,
    /// Web before service.
    #[schema(min_items = 1, max_items = 2)]
    pub(crate) components: Vec<Component>,
}

/// Heartbeats that were rejected.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RejectedHeartbeats {
    /// When the first of them came.
    #[schema(format = DateTime)]
    pub(crate) since: String,
    pub(crate) reason: RejectionReason,
    /// Where the last of them came from.
    #[schema(required = true)]
    pub(crate) address: Option<String>,
}

/// A product that does not answer its probe.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct FailingProbe {
    pub(crate) role: Role,
    /// Since when.
    #[schema(format = DateTime)]
    pub(crate) since: String,
    /// What the product, or its agent, says about it.
    pub(crate) detail: String,
}

/// One component with its verdicts.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Component {
    pub(crate) role: Role,
    #[schema(required = true)]
    pub(crate) product: Option<String>,
    pub(crate) version: String,
    pub(crate) pulse: Pulse,
    /// When its pulse last turned to this.
    #[schema(format = DateTime)]
    pub(crate) since: String,
    pub(crate) stability: Stability,
    pub(crate) health: Health,
    /// Why its health is what it is: moments and limits, never ages.
    pub(crate) why: String,
    /// It is the overview's own, and is not compared with others.
    pub(crate) observer: bool,
    /// An agent sends its heartbeats, and asks it for its health.
    pub(crate) probed: bool,
    #[schema(format = DateTime)]
    pub(crate) first_seen: String,
    #[schema(format = DateTime)]
    pub(crate) last_heartbeat: String,
    /// Null where not judged.
    #[schema(required = true)]
    pub(crate) version_in_sync: Option<bool>,
    /// Null where not judged.
    #[schema(required = true)]
    pub(crate) key_in_sync: Option<bool>,
    /// Null where not judged.
    #[schema(required = true)]
    pub(crate) machine_key_in_sync: Option<bool>,
    /// The first digits of its encryption key's check.
    #[schema(required = true, pattern = "^[0-9a-f]{8}$")]
    pub(crate) key_digits: Option<String>,
    pub(crate) ip: String,
    #[schema(format = "uuid")]
    pub(crate) boot_id: String,
    /// How far its clock is ahead of the overview's.
    #[schema(required = true)]
    pub(crate) clock_skew_ms: Option<i64>,
    /// The heartbeat interval that its last answer named.
    #[schema(value_type = u32)]
    pub(crate) told_interval_ms: i64,
    #[schema(required = true, minimum = 1, maximum = 65_535)]
    pub(crate) messenger_port: Option<u16>,
    #[schema(required = true)]
    pub(crate) messenger: Option<Messenger>,
}

/// The result of dialling a service's messenger.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Reconnected {
    pub(crate) messenger: Messenger,
}

/// Whether a service's messenger can be reached.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Messenger {
    pub(crate) state: MessengerState,
    /// Why it is unreachable.
    #[schema(required = true)]
    pub(crate) reason: Option<MessengerFailure>,
    #[schema(format = DateTime)]
    pub(crate) since: String,
    pub(crate) port: u16,
    /// The web server that tried.
    pub(crate) seen_by: String,
}

/// One piece of advice.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Hint {
    /// Which advice, like `key-mismatch`.
    pub(crate) id: String,
    /// Its place on the page.
    pub(crate) anchor: String,
    pub(crate) severity: Severity,
    pub(crate) title: String,
    /// How we know: moments and limits, never ages.
    pub(crate) evidence: String,
    /// What to do, in order.
    pub(crate) steps: Vec<String>,
    /// What not to do, where that matters.
    #[schema(required = true)]
    pub(crate) avoid: Option<String>,
    /// The server it is about, if it is about one.
    #[schema(required = true)]
    pub(crate) server: Option<String>,
    #[schema(required = true)]
    pub(crate) role: Option<Role>,
}
