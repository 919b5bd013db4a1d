//! Heartbeats that were rejected, or that an agent does not send because the product does not answer its probe.

use serde::{Deserialize, Serialize};

use super::boot::Address;
use super::component_key::Role;
use super::server_name::ServerName;
use super::time::Timestamp;

/// Why heartbeats are refused, or not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionReason {
    /// They bear no token that is good.
    Token,
    /// They bear another server's credential.
    Foreign,
    /// They bear a join token where a credential is required.
    NotEnrolled,
    /// Its agent sends none: the product's probe failed.
    Probe {
        /// Of which component.
        role: Role,
        /// What the product, or the agent, says of it: one line.
        said: String,
    },
}

impl RejectionReason {
    /// The word in the API and in the sentence's key.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Foreign => "foreign",
            Self::NotEnrolled => "not_enrolled",
            Self::Probe { .. } => "probe",
        }
    }

    /// The component whose probe failed, if that is it.
    pub const fn probed(&self) -> Option<Role> {
        match self {
            Self::Probe { role, .. } => Some(*role),
            Self::Token | Self::Foreign | Self::NotEnrolled => None,
        }
    }
}

/// Heartbeats in a server's name that are refused, or not sent, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedHeartbeat {
    /// In whose name.
    pub server: ServerName,
    /// When the first of them came.
    pub since: Timestamp,
    /// How long it is told if no other comes.
    pub until: Timestamp,
    /// Why the last of them was refused.
    pub why: RejectionReason,
    /// Where that one came from, if known.
    pub from: Option<Address>,
}

impl RejectedHeartbeat {
    /// Which of a server's rejected it is: heartbeats that are refused, or a component whose probe fails.
    pub(super) fn key(&self) -> (&ServerName, Option<Role>) {
        (&self.server, self.why.probed())
    }
}
