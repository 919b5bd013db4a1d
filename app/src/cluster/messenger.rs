//! How a web server finds the live channel to a service.

use serde::{Deserialize, Serialize};

use super::time::Timestamp;

/// How a web server finds the live channel to a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messenger {
    /// Why it cannot be reached, or `None` while connected.
    pub failure: Option<MessengerFailure>,
    /// Since when it is so.
    pub since: Timestamp,
    /// The port that was dialled.
    pub port: u16,
    /// The web server that saw it.
    pub seen_by: String,
}

impl Messenger {
    /// The reason why it cannot be reached; `None` while it is connected or being dialled.
    pub fn unreachable(&self) -> Option<MessengerFailure> {
        self.failure.filter(|failure| !failure.is_under_way())
    }
}

/// Why there is no connection to a service's messenger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessengerFailure {
    /// The first dial has not ended yet: not a failure.
    Connecting,
    /// It was connected a moment ago, and is dialled again.
    Lost,
    /// Nothing listens there.
    Refused,
    /// No answer.
    TimedOut,
    /// No route.
    Unreachable,
    /// Something else listens there.
    NotAMessenger,
    /// It does not have the shared key.
    WrongKey,
    /// It broke the protocol.
    Protocol,
}

impl MessengerFailure {
    /// Whether a dial is under way, so that it is not a failure yet.
    pub const fn is_under_way(self) -> bool {
        match self {
            Self::Connecting | Self::Lost => true,
            Self::Refused
            | Self::TimedOut
            | Self::Unreachable
            | Self::NotAMessenger
            | Self::WrongKey
            | Self::Protocol => false,
        }
    }
}
