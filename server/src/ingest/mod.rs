//! How are heartbeats received? They are checked, and one writer stores many of them in one transaction.

pub mod heartbeat_json;
pub(crate) mod json_fields;
mod writer;

pub use self::writer::{Ingest, IngestError, IngestOutcome};
