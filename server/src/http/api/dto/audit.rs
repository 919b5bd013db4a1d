//! The audit log.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::audit::AuditRecord;

/// Entries of the audit log.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Audit {
    pub(crate) entries: Vec<AuditEntry>,
    /// What `before` is for the entries after these; null where there are none.
    #[schema(required)]
    pub(crate) next_before: Option<i64>,
}

/// What was done.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AuditEntry {
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
    count: usize,
    /// When it last happened.
    #[schema(format = "date-time")]
    last_at: String,
    /// The request by which it was done, as its answer's `X-Request-Id` and its log lines name it; of equal entries, the
    /// first one. Null for a command on the machine itself.
    #[schema(required, format = "uuid")]
    request_id: Option<String>,
}

impl From<AuditRecord> for AuditEntry {
    fn from(entry: AuditRecord) -> Self {
        let AuditRecord {
            id,
            at,
            who,
            auth_method: proof,
            address,
            action,
            target,
            outcome,
            count,
            last_at,
            request_id,
        } = entry;
        let (at, last_at) = (at.rfc3339(), last_at.rfc3339());
        Self { id, at, who, proof, address, action, target, outcome, count, last_at, request_id }
    }
}
