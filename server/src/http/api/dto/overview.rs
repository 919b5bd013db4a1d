//! What the whole picture holds: facts, verdicts and hints.

use utoipa::ToSchema;

use super::{Health, Os, Role, Settings};

/// The whole picture with verdicts.
#[derive(ToSchema)]
pub(crate) struct Overview {
    /// The moment of the last change of a fact or verdict; the last sight while blind.
    #[schema(format = DateTime)]
    as_of: String,
    /// Since when the overview cannot read and write its database.
    #[schema(required = true, format = DateTime)]
    blind_since: Option<String>,
    /// When nobody watched.
    blind_periods: Vec<BlindPeriod>,
    health: Health,
    settings: Settings,
    counts: Counts,
    /// Versions in use, newest first.
    versions: Vec<VersionCount>,
    /// Servers by name.
    servers: Vec<Server>,
    /// What to do, the most urgent first. At most 50 of one id: the last of them may be a summary that stands for more servers,
    /// and then names none in `server`.
    hints: Vec<Hint>,
}

/// A time in which nobody watched.
#[derive(ToSchema)]
pub(crate) struct BlindPeriod {
    #[schema(format = DateTime)]
    start: String,
    #[schema(format = DateTime)]
    end: String,
}

/// How many servers there are, components of each role, and components of each pulse.
#[derive(ToSchema)]
pub(crate) struct Counts {
    servers: u32,
    web: u32,
    service: u32,
    alive: u32,
    late: u32,
    stale: u32,
    stopped: u32,
    unknown: u32,
}

/// How widely one version runs. Versions that differ in build metadata or spelling alone are counted as one.
#[derive(ToSchema)]
pub(crate) struct VersionCount {
    /// In the spelling that most live components report.
    version: String,
    components: u32,
    servers: u32,
}

/// One server with its components; system and address as the component heard of last has them.
#[derive(ToSchema)]
pub(crate) struct Server {
    name: String,
    #[schema(required = true)]
    os: Option<Os>,
    #[schema(required = true)]
    ip: Option<String>,
    health: Health,
    /// Heartbeats in its name that were refused within the last ten minutes.
    #[schema(required = true)]
    refused: Option<Refused>,
    /// Components whose agent sends no heartbeat, for the product answers no probe.
    failing_probes: Vec<FailingProbe>,
    /// Web before service.
    #[schema(min_items = 1, max_items = 2)]
    components: Vec<Component>,
}

/// Heartbeats that were refused.
#[derive(ToSchema)]
pub(crate) struct Refused {
    /// When the first of them came.
    #[schema(format = DateTime)]
    since: String,
    /// Why: no token that is good, another server's credential, or a join token where a credential is
    /// required.
    reason: RejectionReason,
    /// Where the last of them came from.
    #[schema(required = true)]
    address: Option<String>,
}

/// A product that answers no probe.
#[derive(ToSchema)]
pub(crate) struct FailingProbe {
    role: Role,
    /// Since when.
    #[schema(format = DateTime)]
    since: String,
    /// What the product, or its agent, says of it.
    detail: String,
}

/// Why heartbeats are refused.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum RejectionReason {
    Token,
    Foreign,
    NotEnrolled,
}

/// One component with its verdicts.
#[derive(ToSchema)]
pub(crate) struct Component {
    role: Role,
    #[schema(required = true)]
    product: Option<String>,
    version: String,
    pulse: Pulse,
    health: Health,
    /// Why its health is what it is: moments and limits, never ages.
    why: String,
    /// It is the overview's own, and not compared with others.
    observer: bool,
    /// An agent speaks for it, which asks it for its health.
    probed: bool,
    #[schema(format = DateTime)]
    first_seen: String,
    #[schema(format = DateTime)]
    last_heartbeat: String,
    /// Null where not judged.
    #[schema(required = true)]
    version_in_sync: Option<bool>,
    /// Null where not judged.
    #[schema(required = true)]
    key_in_sync: Option<bool>,
    /// Null where not judged.
    #[schema(required = true)]
    machine_key_in_sync: Option<bool>,
    /// The first digits of its encryption key's check.
    #[schema(required = true, pattern = "^[0-9a-f]{8}$")]
    key_digits: Option<String>,
    ip: String,
    #[schema(format = "uuid")]
    boot_id: String,
    /// How far its clock is ahead of the overview's.
    #[schema(required = true)]
    clock_skew_ms: Option<i64>,
    /// The interval it was last told.
    told_interval_ms: u32,
    #[schema(required = true, minimum = 1, maximum = 65_535)]
    messenger_port: Option<u16>,
    #[schema(required = true)]
    messenger: Option<Messenger>,
}

/// What came of dialling a service's messenger.
#[derive(ToSchema)]
pub(crate) struct Reconnected {
    messenger: Messenger,
}

/// Whether a service's messenger can be reached.
#[derive(ToSchema)]
pub(crate) struct Messenger {
    state: MessengerState,
    /// Why it is unreachable.
    #[schema(required = true)]
    reason: Option<MessengerFailure>,
    #[schema(format = DateTime)]
    since: String,
    port: u16,
    /// The web server that tried.
    seen_by: String,
}

/// How the connection is.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum MessengerState {
    Connecting,
    Connected,
    Unreachable,
}

/// Why there is no connection.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum MessengerFailure {
    Refused,
    TimedOut,
    Unreachable,
    NotAMessenger,
    WrongKey,
    Protocol,
}

/// One piece of advice.
#[derive(ToSchema)]
pub(crate) struct Hint {
    /// Which advice, like `key-mismatch`.
    id: String,
    /// Where it stands on the page.
    anchor: String,
    severity: Severity,
    title: String,
    /// How one knows: moments and limits, never ages.
    evidence: String,
    /// What to do, in order.
    steps: Vec<String>,
    /// What not to do, where that matters.
    #[schema(required = true)]
    avoid: Option<String>,
    /// The server it is about, if it is about one.
    #[schema(required = true)]
    server: Option<String>,
    #[schema(required = true)]
    role: Option<Role>,
}

/// How urgent.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Severity {
    Error,
    Warning,
    Info,
}

/// How a component's heartbeat is; unknown while the overview cannot read its database.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Pulse {
    Alive,
    Late,
    Stale,
    Stopped,
    Unknown,
}
