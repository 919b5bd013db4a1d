//! Tokens, enrolments and the audit.

use serde::Serialize;
use utoipa::ToSchema;

/// What a token lets its bearer do.
#[derive(Serialize, ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum TokenRole {
    /// Enrol servers and, where no enrolment is required, send heartbeats.
    Join,
    /// Look.
    Viewer,
    /// Look and change.
    Admin,
    /// Send one server's heartbeats.
    Node,
}

/// All tokens.
#[derive(ToSchema)]
pub(crate) struct Tokens {
    tokens: Vec<Token>,
}

/// A token, without its secret.
#[derive(ToSchema)]
pub(crate) struct Token {
    id: String,
    role: TokenRole,
    /// What it is for; of a credential, the server's name.
    name: String,
    #[schema(format = "date-time")]
    created_at: String,
    /// Who made it, or the token that enrolled.
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

/// Which token is wanted.
#[derive(ToSchema)]
pub(crate) struct NewToken {
    /// `join`, `viewer` or `admin`.
    role: TokenRole,
    /// What it is for.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// After how many seconds it ends by itself; absent or null: never.
    #[schema(minimum = 1)]
    expires_in_s: Option<u64>,
}

/// A token, with its secret.
#[derive(ToSchema)]
pub(crate) struct CreatedToken {
    id: String,
    role: TokenRole,
    name: String,
    #[schema(format = "date-time")]
    created_at: String,
    created_by: String,
    #[schema(required)]
    address: Option<String>,
    #[schema(format = "date-time", required)]
    expires_at: Option<String>,
    #[schema(format = "date-time", required)]
    last_used_at: Option<String>,
    #[schema(format = "date-time", required)]
    revoked_at: Option<String>,
    /// The secret: 64 hex digits, told this once.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    token: String,
}

/// Whom a product lets in.
#[derive(ToSchema)]
pub(crate) struct NewEmbed {
    /// The person's name, as the product has it: the page and the audit name them so.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What they may.
    role: GuestRole,
}

/// What a guest may.
#[derive(Serialize, ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum GuestRole {
    /// Look.
    Viewer,
    /// Look and change.
    Admin,
}

/// A way in.
#[derive(ToSchema)]
pub(crate) struct Embed {
    /// By which the product can end the visit.
    id: String,
    /// What the browser brings to `/embed?code=`: 64 hex digits, good once.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    code: String,
    /// For how many seconds it lets in.
    good_for_s: u32,
}

/// Who wants a credential.
#[derive(ToSchema)]
pub(crate) struct Enrolment {
    /// The server's name, as its heartbeats will have it.
    #[schema(min_length = 1, max_length = 253)]
    server: String,
}

/// A credential.
#[derive(ToSchema)]
pub(crate) struct Enrolled {
    id: String,
    /// The secret: 64 hex digits, told this once.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    credential: String,
}

/// Lines of the audit.
#[derive(ToSchema)]
pub(crate) struct Audit {
    entries: Vec<Entry>,
    /// What `before` is for the lines after these; null where there are none.
    #[schema(required)]
    next_before: Option<i64>,
}

/// What was done.
#[derive(ToSchema)]
pub(crate) struct Entry {
    id: i64,
    #[schema(format = "date-time")]
    at: String,
    who: String,
    /// How they proved it.
    proof: String,
    #[schema(required)]
    address: Option<String>,
    action: String,
    /// To what.
    target: String,
    /// `done`, or why not.
    outcome: String,
    /// How often: equal entries within an hour are counted in one.
    #[schema(minimum = 1)]
    count: u64,
    /// When it last happened.
    #[schema(format = "date-time")]
    last_at: String,
}
