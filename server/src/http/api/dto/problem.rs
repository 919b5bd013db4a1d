//! A rejected request, as RFC 9457 has it.

use app::cluster;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was rejected, as RFC 9457 has it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Problem {
    pub(crate) r#type: String,
    pub(crate) title: String,
    #[schema(minimum = 400, maximum = 599)]
    pub(crate) status: u16,
    /// What was wrong and what would be right.
    pub(crate) detail: String,
    /// The request, as its answer's `X-Request-Id`, log lines and audit entries name it: `urn:uuid:` and its ID.
    #[schema(format = "uri")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) instance: Option<String>,
    /// One for each bad field, where fields are bad.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) errors: Option<Vec<BadField>>,
    /// Of a removal that stopped before its end: the names of those that were removed.
    #[schema(nullable = false)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) removed: Option<Vec<String>>,
    /// Of a request about a time before the record: when that begins.
    #[schema(nullable = false, format = DateTime)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) begins: Option<String>,
}

/// One bad field.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = FieldError)]
pub(crate) struct BadField {
    /// Its name: `os.name` for a nested one, `[2].role` in an array.
    field: String,
    message: String,
}

impl From<cluster::FieldError> for BadField {
    fn from(cluster::FieldError { field, message }: cluster::FieldError) -> Self {
        Self { field, message }
    }
}

/// Any JSON object.
#[derive(ToSchema)]
#[schema(value_type = Object)]
#[expect(dead_code, reason = "only describes")]
pub(crate) struct AnyObject(serde_json::Value);
