//! What travels through the API, in the words of JSON Schema. Tests hold every answer against it.
//!
//! The rules live in a crate that is also the browser's and stays small, so their types are described
//! here instead of there.

#![allow(
    dead_code,
    clippy::large_enum_variant,
    reason = "these types describe what travels; nobody makes one"
)]

use serde::Serialize;
use utoipa::ToSchema;

/// Which component of a server.
#[derive(Serialize, ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Role {
    Web,
    Service,
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

/// How well something is.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Health {
    Ok,
    Unknown,
    Warning,
    Error,
}

/// An operating system. Both texts keep the rules of `version`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Os {
    #[schema(min_length = 1, max_length = 100, example = "Debian GNU/Linux")]
    name: String,
    #[schema(min_length = 1, max_length = 100, example = "12")]
    version: String,
}

/// One heartbeat, at most 16 KiB. Texts hold nothing of Unicode's Cc, Cf, Zl and Zp and neither begin
/// nor end with a blank. Null is as good as absent.
#[derive(Serialize, ToSchema)]
pub(crate) struct Heartbeat {
    /// Names the server; neither `.` nor `..`; compared without ASCII case, shown as first reported.
    #[schema(min_length = 1, max_length = 253, pattern = r"^[^/\\]+$", example = "web-1")]
    server: String,
    role: Role,
    /// A label on the screen.
    #[schema(max_length = 100)]
    product: Option<String>,
    #[schema(min_length = 1, max_length = 100, example = "2026.2.1")]
    version: String,
    os: Os,
    /// One IPv4 or IPv6 address.
    #[schema(example = "10.0.0.11")]
    ip: String,
    /// New at each start of the process.
    #[schema(format = "uuid", pattern = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")]
    boot_id: String,
    /// Grows with each heartbeat of one boot; milliseconds since 1970 will do.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    sequence: i64,
    /// The sender's own clock: tells its skew and nothing else.
    #[schema(format = DateTime)]
    sent_at: Option<String>,
    /// HMAC-SHA256 of `cluster-overview/key-check/v1` with the encryption key as key.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    key_check: Option<String>,
    /// The same of the machine key.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    machine_key_check: Option<String>,
    /// Where the messenger listens, where there is one.
    #[schema(minimum = 1, maximum = 65_535, format = "uint16")]
    messenger_port: Option<u16>,
    /// The component is about to stop.
    leaving: Option<bool>,
}

/// One heartbeat, or several.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Heartbeats {
    One(Heartbeat),
    Many(Batch),
}

/// Heartbeats that are taken in order, whole or not at all.
#[derive(Serialize, ToSchema)]
#[schema(min_items = 1, max_items = 1_000)]
pub(crate) struct Batch(Vec<Heartbeat>);

/// The heartbeats are durable.
#[derive(ToSchema)]
pub(crate) struct Taken {
    /// When the heartbeat that counts came.
    #[schema(format = DateTime)]
    received_at: String,
    applied: Applied,
    /// When to beat again: 0.8 to 1.0 of the interval, at random.
    next_in_ms: u32,
}

/// Whether the heartbeat changed anything; for an array, how many did.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Applied {
    One(bool),
    Many(u32),
}

/// The settings of the cluster, in whole seconds.
#[derive(ToSchema)]
pub(crate) struct Settings {
    /// Requests are spread over several web components.
    load_balancing: bool,
    /// Another service takes over when one goes stale.
    automatic_failover: bool,
    /// How often a service beats.
    #[schema(minimum = 1, maximum = 3_600)]
    heartbeat_interval_s: u32,
    /// Silence after which a service is stale; at least twice the interval.
    #[schema(minimum = 2, maximum = 86_400)]
    stale_timeout_s: u32,
    /// Silence after which a web component is stale; at least twice the interval.
    #[schema(minimum = 60, maximum = 2_592_000)]
    web_window_s: u32,
}

/// Which key is the cluster's.
#[derive(ToSchema)]
pub(crate) struct ReferenceKey {
    /// The first digits of a check that a component reports.
    #[schema(pattern = "^[0-9a-f]{8,64}$")]
    key_check: String,
}

/// Which kind of key.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum KeyKind {
    Encryption,
    Machine,
}

/// Why a request was refused, as RFC 9457 has it.
#[derive(ToSchema)]
pub(crate) struct Problem {
    r#type: String,
    title: String,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What was wrong and what would be right.
    detail: String,
    /// One for each bad field, where fields are bad.
    #[schema(nullable = false)]
    errors: Option<Vec<FieldError>>,
}

/// One bad field.
#[derive(ToSchema)]
pub(crate) struct FieldError {
    /// Its name: `os.name` for a nested one, `[2].role` in an array.
    field: String,
    message: String,
}

/// Any JSON object.
#[derive(ToSchema)]
#[schema(value_type = Object)]
pub(crate) struct AnyObject(serde_json::Value);

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
    spells: Vec<Spell>,
    health: Health,
    settings: Settings,
    counts: Counts,
    /// Versions in use, newest first.
    versions: Vec<VersionCount>,
    /// Servers by name.
    servers: Vec<Server>,
    /// What to do, the most urgent first.
    hints: Vec<Hint>,
}

/// A time in which nobody watched.
#[derive(ToSchema)]
pub(crate) struct Spell {
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

/// How widely one version runs.
#[derive(ToSchema)]
pub(crate) struct VersionCount {
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
    /// Web before service.
    #[schema(min_items = 1, max_items = 2)]
    components: Vec<Component>,
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
