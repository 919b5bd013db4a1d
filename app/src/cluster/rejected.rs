//! Heartbeats that were rejected, or that an agent does not send because the product does not answer its probe.

use serde::{Deserialize, Serialize};

use super::boot::Address;
use super::component_key::Role;
use super::server_name::ServerName;
use super::time::Timestamp;

/// Why heartbeats are rejected, or not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectionReason {
    /// They have no token, or one that was never valid here.
    Token,
    /// Their token or credential was valid once and was revoked.
    Revoked,
    /// Their token or credential was valid once and has expired.
    Expired,
    /// They have another server's credential.
    Foreign,
    /// They have a join token where a credential is required.
    NotEnrolled,
    /// Its agent sends none: the product's probe failed.
    Probe {
        /// Of which component.
        role: Role,
        /// The reason, from the product or the agent: one line.
        reason: String,
    },
}

impl RejectionReason {
    /// The word in the API and in the sentence's key.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Foreign => "foreign",
            Self::NotEnrolled => "not_enrolled",
            Self::Probe { .. } => "probe",
        }
    }

    /// What a failed probe said, if that is it.
    pub fn probe_error(&self) -> Option<&str> {
        match self {
            Self::Probe { reason, .. } => Some(reason),
            Self::Token | Self::Revoked | Self::Expired | Self::Foreign | Self::NotEnrolled => None,
        }
    }

    /// The component whose probe failed, if that is it.
    pub const fn probed(&self) -> Option<Role> {
        match self {
            Self::Probe { role, .. } => Some(*role),
            Self::Token | Self::Revoked | Self::Expired | Self::Foreign | Self::NotEnrolled => None,
        }
    }

    /// Whether the sender proved by its token that its heartbeats were accepted before.
    pub const fn was_accepted_before(&self) -> bool {
        matches!(self, Self::Revoked | Self::Expired)
    }
}

/// A run of heartbeats for a server that were rejected or not sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedHeartbeat {
    /// In whose name.
    pub server: ServerName,
    /// When the first of them came.
    pub since: Timestamp,
    /// Until when it is shown if no other follows.
    pub until: Timestamp,
    /// Why the last of them was refused.
    pub why: RejectionReason,
    /// Where that one came from, if known.
    pub from: Option<Address>,
}

impl RejectedHeartbeat {
    /// Which of a server's runs it is: rejected heartbeats, or a component whose probe fails.
    pub fn key(&self) -> (&ServerName, Option<Role>) {
        (&self.server, self.why.probed())
    }
}
