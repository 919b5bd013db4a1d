//! Heartbeats in: what they must be, and the one writer that stores them, many in one transaction.

pub mod heartbeat_json;
pub(crate) mod json_fields;
mod writer;

pub use self::writer::{Ingest, IngestError, IngestOutcome};
