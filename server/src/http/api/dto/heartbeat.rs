//! What a heartbeat is, with its limits, and how it is answered.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Os, Role};

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
    /// Its agent asks it for its health, and it answered.
    probed: Option<bool>,
}

/// A probe that failed.
#[derive(ToSchema)]
pub(crate) struct ProbeFailure {
    /// Whose.
    #[schema(min_length = 1, max_length = 253)]
    server: String,
    role: Role,
    /// What the product, or its agent, says of it.
    #[schema(min_length = 1, max_length = 1_000)]
    reason: String,
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
    /// Of an array: the new names for which there was no room. Nothing of them was stored.
    over_limit: Option<Vec<String>>,
}

/// Whether the heartbeat changed anything; for an array, how many did.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Applied {
    One(bool),
    Many(u32),
}
