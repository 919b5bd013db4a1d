//! Codes that let a product's people see the page inside the product's own page.

use app::cluster::FieldError;
use app::protocol::UserRole;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::auth::EmbedUser;
use crate::http::api::dto::EmbedRole;
use crate::http::json::FromJson;
use crate::ingest::json_fields::Fields;

/// Who may come in.
#[derive(Debug, ToSchema)]
pub(crate) struct NewEmbed {
    /// The person's name, as the product has it: the page and the audit show it.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What they may do.
    role: EmbedRole,
}

impl FromJson for NewEmbed {
    fn from_json(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::from_value(value);
        let name = fields.read("name", |value| {
            let name = value.and_then(Value::as_str).unwrap_or_default();
            EmbedUser::new(name, UserRole::Viewer).map_err(|error| error.message)
        });
        let role = fields.read("role", |value| {
            let rank = value.and_then(Value::as_str).and_then(UserRole::parse);
            rank.map(EmbedRole::from).ok_or("must be viewer or admin")
        });
        let read = name.zip(role);
        fields.finish(read.map(|(user, role)| Self { name: user.name, role }))
    }
}

impl From<NewEmbed> for EmbedUser {
    fn from(NewEmbed { name, role }: NewEmbed) -> Self {
        Self { name, role: role.into() }
    }
}

/// A code that lets a person in.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct CreatedEmbed {
    /// By which the product can end the visit.
    pub(crate) id: String,
    /// What the browser brings to `/embed?code=`: 64 hex digits, valid once.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub(crate) code: String,
    /// For how many seconds it is valid.
    pub(crate) good_for_s: i64,
}
