//! Heartbeats, with their limits, and the answer to them; and the report of a failed probe.

use app::cluster::server_name::check_text;
use app::cluster::{FieldError, KeyCheck, ServerName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{Os, Role};
use crate::http::body::Sender;
use crate::http::json::FromJson;
use crate::ingest::json_fields::Fields;
use crate::telemetry::outside_text::one_line;

/// The longest reason of a failed probe.
const MAX_REASON_CHARS: usize = 1_000;

/// One heartbeat, at most 16 KiB. Texts contain nothing of Unicode's Cc, Cf, Zl and Zp, and neither begin nor end with a
/// blank. Null means the same as absent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Heartbeat {
    /// Names the server; neither `.` nor `..`; compared without ASCII case, shown as first reported.
    #[schema(min_length = 1, max_length = 253, pattern = r"^[^/\\]+$", example = "web-1")]
    pub(crate) server: String,
    pub(crate) role: Role,
    /// A label on the screen.
    #[schema(max_length = 100)]
    pub(crate) product: Option<String>,
    #[schema(min_length = 1, max_length = 100, example = "2026.2.1")]
    pub(crate) version: String,
    pub(crate) os: Os,
    /// One IPv4 or IPv6 address.
    #[schema(example = "10.0.0.11")]
    pub(crate) ip: String,
    /// New at each start of the process.
    #[schema(format = "uuid", pattern = "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")]
    pub(crate) boot_id: String,
    /// Grows with each heartbeat of one boot; milliseconds since 1970 will do.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) sequence: i64,
    /// The sender's own clock: used for its skew and nothing else.
    #[schema(format = DateTime)]
    pub(crate) sent_at: Option<String>,
    /// HMAC-SHA256 of `cluster-overview/key-check/v1` with the encryption key as key.
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f]{64}$")]
    pub(crate) key_check: Option<KeyCheck>,
    /// The same of the machine key.
    #[schema(value_type = Option<String>, pattern = "^[0-9a-f]{64}$")]
    pub(crate) machine_key_check: Option<KeyCheck>,
    /// Where the messenger listens, where there is one.
    #[schema(minimum = 1, maximum = 65_535, format = "uint16")]
    pub(crate) messenger_port: Option<u16>,
    /// The component is about to stop.
    pub(crate) leaving: Option<bool>,
    /// Its agent asks it for its health, and it answered.
    pub(crate) probed: Option<bool>,
}

/// One heartbeat, or several.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, clippy::large_enum_variant, reason = "only describes what is read")]
pub(crate) enum Heartbeats {
    One(Heartbeat),
    Many(Batch),
}

/// Heartbeats that are received in order, all or none.
#[derive(ToSchema)]
#[schema(min_items = 1, max_items = 1_000)]
#[expect(dead_code, reason = "only describes what is read")]
pub(crate) struct Batch(Vec<Heartbeat>);

/// The heartbeats are durable.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReceivedHeartbeats {
    /// When the heartbeat that counts came.
    #[schema(format = DateTime)]
    pub(crate) received_at: String,
    pub(crate) applied: Applied,
    /// When to send the next one: 0.8 to 1.0 of the interval, at random.
    pub(crate) next_in_ms: u64,
    /// Of an array: the new names for which there was no room. Nothing of them was stored.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) over_limit: Option<Vec<String>>,
}

/// Whether the heartbeat changed anything; for an array, how many did.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Applied {
    One(bool),
    Many(usize),
}

/// A probe that failed.
#[derive(Debug, ToSchema)]
pub(crate) struct ProbeFailure {
    /// Whose.
    #[schema(value_type = String, min_length = 1, max_length = 253)]
    pub(crate) server: ServerName,
    pub(crate) role: Role,
    /// What the product, or its agent, says about it.
    #[schema(min_length = 1, max_length = 1_000)]
    pub(crate) reason: String,
}

impl FromJson for ProbeFailure {
    const SENDER: Sender = Sender::Node;

    fn from_json(value: &Value) -> Result<Self, Vec<FieldError>> {
        fn text(value: Option<&Value>) -> Result<&str, String> {
            let text = value.and_then(Value::as_str);
            text.ok_or_else(|| "is required, and must be a string".to_owned())
        }
        let mut fields = Fields::from_value(value);
        let server = fields.read("server", |value| ServerName::parse(text(value)?));
        let role = fields.read("role", |value| {
            let role = app::cluster::Role::parse(text(value)?).map(Role::from);
            role.ok_or_else(|| "must be \"web\" or \"service\"".to_owned())
        });
        let reason = fields.read("reason", |value| {
            let reason = one_line(text(value)?.trim());
            check_text(&reason, 1, MAX_REASON_CHARS).map(|()| reason)
        });
        let read = server.zip(role).zip(reason);
        fields.finish(read.map(|((server, role), reason)| Self { server, role, reason }))
    }
}
