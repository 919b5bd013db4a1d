//! Tokens and servers' credentials.

use app::cluster::{FieldError, ServerName, Span, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::auth::secret::Secret;
use crate::auth::{self, model};
use crate::http::api::dto::TokenRole;
use crate::http::body::Sender;
use crate::http::json::FromJson;
use crate::ingest::json_fields::{Fields, string};

/// The longest life of a token that expires: ten years.
const MAX_TOKEN_LIFE: Span = Span::minutes(10 * 366 * 24 * 60);

/// All tokens.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Tokens {
    pub(crate) tokens: Vec<Token>,
}

/// A token, without its secret.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Token {
    id: String,
    role: TokenRole,
    /// What it is for; of a credential, the server's name.
    name: String,
    #[schema(format = "date-time")]
    created_at: String,
    /// Who created it, or the token that enrolled.
    created_by: String,
    /// Where from.
    #[schema(required)]
    address: Option<String>,
    #[schema(format = "date-time", required)]
    expires_at: Option<String>,
    /// To ten minutes.
    #[schema(format = "date-time", required)]
    last_used_at: Option<String>,
    #[schema(format = "date-time", required)]
    revoked_at: Option<String>,
}

impl From<&model::Token> for Token {
    fn from(token: &model::Token) -> Self {
        Self {
            id: token.id.clone(),
            role: token.role.into(),
            name: token.name.clone(),
            created_at: token.created_at.rfc3339(),
            created_by: token.created_by.clone(),
            address: token.address.map(|address| address.to_string()),
            expires_at: token.expires_at.map(Timestamp::rfc3339),
            last_used_at: token.last_used_at.map(Timestamp::rfc3339),
            revoked_at: token.revoked_at.map(Timestamp::rfc3339),
        }
    }
}

impl From<model::TokenRole> for TokenRole {
    fn from(role: model::TokenRole) -> Self {
        use app::protocol::UserRole;
        match role {
            model::TokenRole::Join => Self::Join,
            model::TokenRole::User(UserRole::Viewer) => Self::Viewer,
            model::TokenRole::User(UserRole::Admin) => Self::Admin,
            model::TokenRole::Server => Self::Node,
        }
    }
}

/// Which token to create.
#[derive(Debug, ToSchema)]
pub(crate) struct NewToken {
    /// `join`, `viewer` or `admin`.
    #[schema(value_type = TokenRole)]
    pub(crate) role: model::TokenRole,
    /// What it is for.
    #[schema(min_length = 1, max_length = 100)]
    pub(crate) name: String,
    /// After how many seconds it expires; absent or null: never.
    #[schema(minimum = 1)]
    pub(crate) expires_in_s: Option<i64>,
}

impl FromJson for NewToken {
    fn from_json(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::from_value(value);
        let role = fields.read("role", |value| {
            let role = value.and_then(Value::as_str).and_then(model::TokenRole::parse);
            let role = role.filter(|role| *role != model::TokenRole::Server);
            role.ok_or("must be join, viewer or admin")
        });
        let name = fields.read("name", |value| {
            let name = value.and_then(Value::as_str).map(str::to_owned);
            name.ok_or("is required, and says what the token is for")
        });
        let expires_in_s = fields.optional("expires_in_s", |value| {
            let life = 1..=MAX_TOKEN_LIFE.0 / 1_000;
            let seconds = value.as_i64().filter(|seconds| life.contains(seconds));
            seconds.ok_or("must be a whole number of seconds, at most ten years")
        });
        let read = role.zip(name).map(|(role, name)| Self { role, name, expires_in_s });
        fields.finish(read)
    }
}

impl NewToken {
    /// The token to create at this moment.
    pub(crate) fn at(self, now: Timestamp) -> auth::NewToken {
        let Self { role, name, expires_in_s } = self;
        let expires = expires_in_s.map(|seconds| now + Span::seconds(seconds));
        auth::NewToken { role, name, expires_at: expires }
    }
}

/// A token, with its secret.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct CreatedToken {
    #[serde(flatten)]
    #[schema(inline)]
    created: Token,
    /// The secret: 64 hex digits, shown only here.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    token: String,
}

impl CreatedToken {
    pub(crate) fn new(created: &model::Token, secret: &Secret) -> Self {
        Self { created: created.into(), token: secret.reveal().to_owned() }
    }
}

/// Which server needs a credential.
#[derive(Debug, ToSchema)]
pub(crate) struct Enrolment {
    /// The server's name, as its heartbeats will have it.
    #[schema(value_type = String, min_length = 1, max_length = 253)]
    pub(crate) server: ServerName,
}

impl FromJson for Enrolment {
    const SENDER: Sender = Sender::Node;

    fn from_json(value: &Value) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::from_value(value);
        let server = fields.required_not_null("server", |value| ServerName::parse(string(value)?));
        fields.finish(server.map(|server| Self { server }))
    }
}

/// A credential.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Credential {
    pub(crate) id: String,
    /// The secret: 64 hex digits, shown only here.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub(crate) credential: String,
}
