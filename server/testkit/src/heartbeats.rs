//! Heartbeats as JSON.

use serde_json::{Value, json};

/// The join token of every overview in the tests.
pub const TOKEN: &str = "a-join-token-for-stories";

pub const BOOT: &str = "0b0e8a6e-3c0a-4d5e-9f7e-3d1b9f0c2a11";

/// A complete heartbeat of a server's component.
pub fn heartbeat(server: &str, role: &str, sequence: i64) -> Value {
    json!({
        "server": server, "role": role, "product": "ProGet", "version": "2026.2.1",
        "os": {"name": "Debian GNU/Linux", "version": "12"}, "ip": "10.0.0.11",
        "boot_id": BOOT, "sequence": sequence,
        "sent_at": null, "key_check": "9f".repeat(32), "machine_key_check": null,
        "messenger_port": null, "leaving": false
    })
}

#[must_use]
pub fn with_field(mut heartbeat: Value, field: &str, value: Value) -> Value {
    heartbeat[field] = value;
    heartbeat
}
