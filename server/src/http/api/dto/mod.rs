//! What travels through the API, in the words of JSON Schema. Tests hold every answer against it.
//!
//! The rules live in a crate that is also the browser's and stays small, so their types are described
//! here instead of there.

#![allow(
    dead_code,
    clippy::large_enum_variant,
    reason = "these types describe what travels; nobody makes one"
)]

mod access;
mod heartbeat;
mod overview;

use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::access::{
    Audit, CreatedToken, Embed, Enrolled, Enrolment, NewEmbed, NewToken, Tokens,
};
pub(crate) use self::heartbeat::{Heartbeats, ProbeFailure, Taken};
pub(crate) use self::overview::{Overview, Reconnected};

/// Which component of a server.
#[derive(Serialize, ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Role {
    Web,
    Service,
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

/// Which servers to remove together: at least one of both.
#[derive(ToSchema)]
pub(crate) struct Removals {
    /// Only servers of which no component has been live for so many seconds.
    #[schema(minimum = 0, maximum = 315_360_000)]
    stale_for_s: Option<i64>,
    /// Only servers whose names fit: `*` stands for any characters.
    #[schema(min_length = 1, max_length = 253)]
    name: Option<String>,
}

/// The servers that were removed, or would be.
#[derive(ToSchema)]
pub(crate) struct Removed {
    removed: Vec<String>,
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
    /// Of a removal that stopped before its end: the names of those that were removed.
    #[schema(nullable = false)]
    removed: Option<Vec<String>>,
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
