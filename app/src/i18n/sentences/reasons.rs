//! The messages that stand within other messages: a component's kind, and why a messenger cannot be reached.

use crate::cluster::{MessengerFailure, Role};
use crate::i18n::MessageKey;

/// A component, or both of a server.
pub(in crate::i18n) const fn roles(role: Option<Role>) -> MessageKey {
    match role {
        Some(Role::Web) => MessageKey::RoleInTextWeb,
        Some(Role::Service) => MessageKey::RoleInTextService,
        None => MessageKey::RoleInTextBoth,
    }
}

pub(in crate::i18n) const fn failure_reason(failure: MessengerFailure) -> MessageKey {
    match failure {
        MessengerFailure::Connecting => MessageKey::MessengerFailureConnecting,
        MessengerFailure::Lost => MessageKey::MessengerFailureDisconnected,
        MessengerFailure::Refused => MessageKey::MessengerFailureRefused,
        MessengerFailure::TimedOut => MessageKey::MessengerFailureTimedOut,
        MessengerFailure::Unreachable => MessageKey::MessengerFailureUnreachable,
        MessengerFailure::NotAMessenger => MessageKey::MessengerFailureNotAMessenger,
        MessengerFailure::WrongKey => MessageKey::MessengerFailureWrongKey,
        MessengerFailure::Protocol => MessageKey::MessengerFailureProtocol,
    }
}
