//! Removing many servers, and accepting a reference key.

use app::cluster::keys::check_digits;
use app::cluster::removal::{NamePattern, RemovalFilter};
use app::cluster::{FieldError, Span};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::json::FromJson;
use crate::ingest::json_fields::{Fields, string};

/// The longest silence that can be asked for, in seconds: ten years.
pub(crate) const MAX_STALE_FOR_S: i64 = 10 * 365 * 86_400;

/// Which servers to remove together: at least one of both.
#[derive(Debug, ToSchema)]
pub(crate) struct Removal {
    /// Only servers of which no component has been live for so many seconds.
    #[schema(minimum = 0, maximum = 315_360_000)]
    stale_for_s: Option<i64>,
    /// Only servers whose names match: `*` stands for any characters.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 253)]
    name: Option<NamePattern>,
}

impl FromJson for Removal {
    fn from_json(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::from_value(value);
        let stale_for_s = fields.optional("stale_for_s", |value| {
            let seconds = value.as_i64().filter(|seconds| (0..=MAX_STALE_FOR_S).contains(seconds));
            let range = || format!("must be a whole number of seconds from 0 to {MAX_STALE_FOR_S}");
            seconds.ok_or_else(range)
        });
        let name = fields.optional("name", |value| NamePattern::parse(string(value)?));
        if !fields.has_errors() && stale_for_s.is_none() && name.is_none() {
            fields.add("stale_for_s", "is required, or name: a removal needs at least one of both");
        }
        fields.finish(Some(Self { stale_for_s, name }))
    }
}

impl From<Removal> for RemovalFilter {
    fn from(Removal { stale_for_s, name }: Removal) -> Self {
        Self { stale_for: stale_for_s.map(Span::seconds), name }
    }
}

/// The servers that were removed, or would be.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Removed {
    pub(crate) removed: Vec<String>,
}

/// Which key is the cluster's.
#[derive(Debug, ToSchema)]
pub(crate) struct ReferenceKey {
    /// The first digits of a check that a component reports.
    #[schema(pattern = "^[0-9a-f]{8,64}$")]
    pub(crate) key_check: String,
}

impl FromJson for ReferenceKey {
    fn from_json(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::from_value(value);
        let key_check = fields.read("key_check", |value| {
            let digits = value.and_then(Value::as_str).unwrap_or_default();
            check_digits(digits).map(|()| digits.to_owned())
        });
        fields.finish(key_check.map(|key_check| Self { key_check }))
    }
}
